//! What the report says besides what all reports say, and the source of everything that is written.

use std::collections::BTreeSet;
use std::path::PathBuf;

use audit_model::{AI_AGENT_ROOM, Coverage, RoomFact, Rooms};
use docspace_client::EntryId;
use job_runner::{Head, Judgement};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::decision::Decision;
use crate::document::Document;
use crate::filter::{Filter, Selection};
use crate::logins::Logins;
use crate::manifest::{Counts, FileEntry, PeriodFacts};
use crate::page_one::{self, Limits};
use crate::period::Period;
use crate::sections::{self, Names};
use crate::summary::Summary;
use crate::target::Target;
use crate::topic::TOPICS;
use crate::upload::Action;

/// All that the report is made of. The same facts give the same bytes.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Address of the portal.
    pub(crate) portal: String,
    pub(crate) period: Period,
    pub(crate) coverage: Coverage,
    pub(crate) summary: Summary,
    /// Of the period before, when the archive has it completely.
    pub(crate) before: Option<Summary>,
    pub(crate) logins: Logins,
    pub(crate) rooms: Rooms,
    /// The accounts of our own programs.
    pub(crate) own: BTreeSet<Uuid>,
    /// What the report is restricted to, in words.
    pub(crate) filter: Option<String>,
    /// What the reader must know besides.
    pub(crate) notes: Vec<String>,
    pub(crate) limits: Limits,
}

impl Facts {
    /// Of a period of which nothing could be read.
    pub(crate) fn unseen(portal: String, period: Period, coverage: Coverage, limits: Limits) -> Self {
        Facts {
            portal,
            period,
            coverage,
            summary: Summary::default(),
            before: None,
            logins: Logins::default(),
            rooms: Rooms::default(),
            own: BTreeSet::new(),
            filter: None,
            notes: Vec::new(),
            limits,
        }
    }

    /// Rooms that were there in the period and in which nothing was recorded.
    pub(crate) fn quiet_rooms(&self) -> impl Iterator<Item = &RoomFact> {
        let window = self.period.window;
        let was_there = move |room: &&RoomFact| {
            room.room_type.is_some_and(|kind| kind != AI_AGENT_ROOM)
                && room.created.is_none_or(|created| created < window.until)
                && self.rooms.deleted_at(&room.id).is_none_or(|deleted| deleted >= window.since)
        };
        self.rooms.iter().filter(was_there).filter(|room| !sections::had_events(self, &room.id, &room.title))
    }

    pub(crate) fn decisions(&self) -> Vec<Decision> {
        page_one::decisions(&self.summary, &self.logins, self.limits)
    }

    pub(crate) fn document(&self, names: &Names) -> Document {
        Document {
            title: format!("Compliance report {}", self.period.label()),
            page_one: page_one::blocks(self, &self.decisions()),
            sections: sections::blocks(self, names),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let tally = self.summary.events;
        Counts {
            events: tally.count,
            logins: self.logins.rows.count,
            left_out: self.summary.left_out + self.logins.left_out,
            first_event: (tally.count > 0).then_some(tally.first),
            last_event: (tally.count > 0).then_some(tally.last),
        }
    }

    /// Coverage without what only this run can know: how many rows came late.
    pub(crate) fn lasting_coverage(&self) -> Value {
        let mut coverage = serde_json::to_value(&self.coverage).unwrap_or_default();
        for source in ["audit", "logins"] {
            if let Some(source) = coverage.get_mut(source).and_then(Value::as_object_mut) {
                source.remove("late_rows");
            }
        }
        coverage
    }
}

/// Where the files are.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) folder: PathBuf,
    pub(crate) files: Vec<FileEntry>,
    /// The manifest, which does not list itself.
    pub(crate) manifest: FileEntry,
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
    /// The first page; not part of the JSON report, which has the same in numbers.
    #[serde(skip)]
    pub(crate) page_one: Document,
    /// What files are made from, and what they leave out.
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
    let portal = head.portal.shown().to_owned();
    Body::new(Facts::unseen(portal, period, head.coverage.clone(), limits(config)), &config.only)
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
            json!({ "events": summary.events.count, "people": summary.active_people(), "classes": classes, "topics": topics })
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
            totals: all,
            decisions: facts.decisions(),
            only: only.clone(),
            report: None,
            actions: Vec::new(),
            upload: None,
            page_one: page(&facts),
            facts,
            filter: Filter::default(),
            target: None,
        }
    }

    /// Makes the first page anew.
    pub(crate) fn see(&mut self) {
        self.page_one = page(&self.facts);
    }
}

fn page(facts: &Facts) -> Document {
    Document { page_one: page_one::blocks(facts, &facts.decisions()), ..Document::default() }
}
