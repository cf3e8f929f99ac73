//! What the report says besides what all reports say, and what its pages and files are made from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use audit_model::ActClass;
use docspace_client::EntryId;
use job_runner::{Head, Judgement};
use serde::Serialize;
use serde_json::{Value, json};

use crate::bundle::manifest::{Counts, FileEntry, Manifest, PeriodFacts, Reading};
use crate::config::Config;
use crate::facts::summary::Summary;
use crate::facts::topic::TOPICS;
use crate::facts::{CLASSES, Facts};
use crate::filter::{Filter, Selection};
use crate::period::Period;
use crate::rule::{Decision, decisions};
use crate::upload::Action;
use crate::upload::target::Target;

/// This program has no rule about single people: there are no findings.
pub(crate) fn judge(config: &Config, gathered: Gathered) -> Judgement<(), Body> {
    let Gathered { facts, filter, target } = gathered;
    let decisions = decisions(config, &facts);
    let body = Body { filter, target, ..Body::new(facts, decisions, &config.only) };
    Judgement { findings: Vec::new(), body, notes: Vec::new() }
}

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

impl Written {
    pub(crate) fn new(folder: PathBuf, content: Manifest, manifest: FileEntry) -> Self {
        Written { folder, files: content.files.clone(), manifest, digest: content.digest.clone(), content }
    }
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

/// Of a run that could not look.
pub(crate) fn unseen(config: &Config, head: &Head) -> Body {
    let zone = head.portal.time_zone.unwrap_or_default();
    let period = Period { window: head.window, zone };
    Body::new(Facts::unseen(period), Vec::new(), &config.only)
}

impl Body {
    pub(crate) fn new(facts: Facts, decisions: Vec<Decision>, only: &Selection) -> Self {
        Body {
            period: facts.period.facts(),
            counts: facts.counts(),
            reading: facts.reading,
            totals: totals(&facts),
            decisions,
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

/// The numbers of a period by name.
fn totals(facts: &Facts) -> Value {
    let of = |summary: &Summary| {
        let classes: BTreeMap<ActClass, u64> = CLASSES.map(|class| (class, summary.by_class.of(class))).into();
        let topics: BTreeMap<&str, u64> = TOPICS.map(|topic| (topic.name(), summary.of_topic(topic))).into();
        json!({ "events": summary.events.count, "people": summary.active_people, "classes": classes, "topics": topics })
    };
    let mut all = of(&facts.summary);
    all["logins"] = facts.logins.successes.into();
    all["failed_logins"] = facts.logins.failures.into();
    all["rooms"] = facts.summary.rooms.len().into();
    if let Some(before) = &facts.before {
        all["before"] = of(before);
    }
    all
}
