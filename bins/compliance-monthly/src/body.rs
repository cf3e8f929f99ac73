//! What the report says besides what all reports say, and what its pages and files are made from.

use std::path::PathBuf;

use docspace_client::EntryId;
use job_runner::{Head, Judgement};
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::decision::{Decision, Limits};
use crate::facts::Facts;
use crate::filter::{Filter, Selection};
use crate::manifest::{Counts, FileEntry, Manifest, PeriodFacts, Reading};
use crate::page_one;
use crate::period::Period;
use crate::summary::Summary;
use crate::target::Target;
use crate::topic::TOPICS;
use crate::upload::Action;

/// The folder of a report with its files, all in place.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) folder: PathBuf,
    pub(crate) files: Vec<FileEntry>,
    /// The manifest, which does not list itself.
    pub(crate) manifest: FileEntry,
    /// Of the manifest: whoever keeps it elsewhere notices a report that was made anew.
    pub(crate) digest: String,
    /// What the manifest says.
    #[serde(skip)]
    pub(crate) content: Manifest,
}

/// Where a report is uploaded to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Destination {
    pub(crate) folder: EntryId,
    /// Titles of the room and the folders.
    pub(crate) path: String,
    /// What the reader must know about it, for instance who else can read it.
    pub(crate) notes: Vec<String>,
}

/// What was read, and where the report goes.
pub(crate) struct Gathered {
    pub(crate) facts: Facts,
    pub(crate) filter: Filter,
    /// Where to upload to, or why that cannot be; `None` when nothing is to be uploaded.
    pub(crate) target: Option<Result<Target, String>>,
}

pub(crate) fn limits(config: &Config) -> Limits {
    Limits { bulk_downloads: config.bulk_downloads, failed_logins: config.failed_logins }
}

/// The report of this program.
pub(crate) type Report = job_runner::Report<(), Body>;

/// The month in numbers, and where the files are.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    pub(crate) period: PeriodFacts,
    pub(crate) counts: Counts,
    /// Absent before the period was read completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reading: Option<Reading>,
    /// Events by class and by topic, and the same of the period before where it is known.
    pub(crate) totals: Value,
    pub(crate) decisions: Vec<Decision>,
    #[serde(skip_serializing_if = "Selection::is_everything")]
    pub(crate) only: Selection,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<Written>,
    pub(crate) actions: Vec<Action>,
    /// Where the files were uploaded to, and who can read them there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<Destination>,
    /// What pages and files are made from, and what they leave out.
    #[serde(skip)]
    pub(crate) facts: Facts,
    #[serde(skip)]
    pub(crate) filter: Filter,
    /// Where to upload to, or why that cannot be; `None` when nothing is to be uploaded.
    #[serde(skip)]
    pub(crate) target: Option<Result<Target, String>>,
}

/// This program has no rule about single people: there are no findings.
pub(crate) fn judge(config: &Config, gathered: Gathered) -> Judgement<(), Body> {
    let Gathered { facts, filter, target } = gathered;
    let body = Body { filter, target, ..Body::new(facts, &config.only) };
    Judgement { findings: Vec::new(), body, notes: Vec::new() }
}

/// Of a run that could not look.
pub(crate) fn unseen(config: &Config, head: &Head) -> Body {
    let zone = head.portal.time_zone.unwrap_or_default();
    let period = Period { window: head.window, zone };
    Body::new(Facts::unseen(period, limits(config)), &config.only)
}

impl Body {
    fn new(facts: Facts, only: &Selection) -> Self {
        let totals = |summary: &Summary| {
            let classes: serde_json::Map<String, Value> = page_one::CLASSES
                .into_iter()
                .filter_map(|class| {
                    Some((serde_json::to_value(class).ok()?.as_str()?.to_owned(), summary.of_class(class).into()))
                })
                .collect();
            let topics: serde_json::Map<String, Value> =
                TOPICS.into_iter().map(|topic| (topic.name().to_owned(), summary.of_topic(topic).into())).collect();
            json!({ "events": summary.events.count, "people": summary.active_people, "classes": classes, "topics": topics })
        };
        let mut all = totals(&facts.summary);
        if let Some(members) = all.as_object_mut() {
            members.insert("logins".to_owned(), facts.logins.successes.into());
            members.insert("failed_logins".to_owned(), facts.logins.failures.into());
            members.insert("rooms".to_owned(), facts.summary.rooms.len().into());
            if let Some(before) = &facts.before {
                members.insert("before".to_owned(), totals(before));
            }
        }
        Body {
            period: facts.period.facts(),
            counts: facts.counts(),
            reading: facts.reading,
            totals: all,
            decisions: facts.decisions(),
            only: only.clone(),
            report: None,
            actions: Vec::new(),
            upload: None,
            facts,
            filter: Filter::default(),
            target: None,
        }
    }
}
