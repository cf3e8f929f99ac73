//! The actions of one person in one room: kept once, for all limits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use attribution::Distinct;
use audit_model::{ActClass, AuditEvent, Evidence, Weight};
use chrono::{DateTime, Utc};

use super::super::document::Document;

/// Memory for more than so many times what is kept is given back where something is forgotten: most people have one busy day.
const ROOMY: usize = 2;

/// Where there is no more room, it is made for a quarter more: to double it would leave nearly half of it empty.
const GROWS_BY: usize = 4;

/// Actions in order of time. Each has a number, and keeps it when older ones are forgotten.
#[derive(Default)]
pub(in crate::rule) struct Acts {
    kept: VecDeque<Counted>,
    /// So many were forgotten: the number of the first that is kept.
    forgotten: u64,
    /// Of those that were forgotten, what a run tells whatever else there is: folders that nobody could weigh.
    unweighed: Vec<Counted>,
}

/// What of an action is counted: 24 bytes, which is what an action of a backtest takes.
pub(in crate::rule) struct Counted {
    /// Microseconds since 1970, the finest that a portal keeps.
    at_us: i64,
    /// Absent where no limit goes by it, and nothing is shown.
    details: Option<Box<Details>>,
    /// How many documents stand behind it: no folder counts more than [`HEAVIEST_FOLDER`](crate::config::HEAVIEST_FOLDER).
    documents: u32,
    /// There may be more: nobody could weigh the folder.
    pub(in crate::rule) at_least: bool,
    pub(in crate::rule) class: ActClass,
    /// Whether the room holds all afterwards that it held before.
    pub(in crate::rule) takes_nothing: bool,
}

const _: () = assert!(size_of::<Counted>() == 24);

/// What it was done to, and what shows it.
pub(in crate::rule) struct Details {
    pub(in crate::rule) document: Document,
    pub(super) sample: Option<Arc<AuditEvent>>,
    /// Few actions are about a folder as a whole.
    pub(super) folder: Option<Box<WholeFolder>>,
}

/// A folder as a whole.
pub(in crate::rule) struct WholeFolder {
    /// The folders around it.
    pub(super) around: Vec<String>,
    /// The event, where nobody knows what the folder held.
    pub(super) unweighed: Option<Evidence>,
}

impl Counted {
    pub(super) fn new(event: &AuditEvent, class: ActClass, weight: Weight, takes_nothing: bool) -> Self {
        let documents = u32::try_from(weight.documents).unwrap_or(u32::MAX);
        let at_us = event.at.timestamp_micros();
        Counted { at_us, details: None, documents, at_least: weight.at_least, class, takes_nothing }
    }

    pub(super) fn with(self, details: Option<Details>) -> Self {
        Counted { details: details.map(Box::new), ..self }
    }

    pub(super) fn at_us(&self) -> i64 {
        self.at_us
    }

    pub(in crate::rule) fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.at_us).unwrap_or_default()
    }

    /// How many documents stand behind it.
    pub(in crate::rule) fn documents(&self) -> u64 {
        self.documents.into()
    }

    /// What it was done to, where that is kept.
    pub(in crate::rule) fn document(&self) -> Option<&Document> {
        self.details.as_deref().map(|details| &details.document)
    }

    /// The event, where findings show events.
    pub(super) fn sample(&self) -> Option<&Arc<AuditEvent>> {
        self.details.as_deref()?.sample.as_ref()
    }

    /// The event, where it is about a folder of which nobody knows what it held.
    pub(in crate::rule) fn unweighed_folder(&self) -> Option<&Evidence> {
        self.details.as_deref()?.folder.as_deref()?.unweighed.as_ref()
    }

    fn around(&self) -> &[String] {
        let folder = self.details.as_deref().and_then(|details| details.folder.as_deref());
        folder.map_or(&[], |folder| &folder.around)
    }
}

impl Acts {
    /// Takes in an action, not earlier than those before.
    pub(super) fn push(&mut self, act: Counted) {
        if self.kept.len() == self.kept.capacity() {
            self.kept.reserve_exact((self.kept.len() / GROWS_BY).max(GROWS_BY));
        }
        self.kept.push_back(act);
    }

    pub(super) fn newest(&self) -> Option<&Counted> {
        self.kept.back()
    }

    /// The number of the first that is kept.
    pub(super) fn first_number(&self) -> u64 {
        self.forgotten
    }

    /// `None` where the number is of one that was forgotten, or that there has not been yet.
    pub(super) fn get(&self, number: u64) -> Option<&Counted> {
        self.kept.get(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }

    /// Those from that number on.
    pub(super) fn from(&self, number: u64) -> impl Iterator<Item = &Counted> {
        let place = usize::try_from(number.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        self.kept.range(place.min(self.kept.len())..)
    }

    /// Those that are kept, and the folders that nobody could weigh, in order of time.
    pub(in crate::rule) fn iter(&self) -> impl Iterator<Item = &Counted> {
        self.unweighed.iter().chain(&self.kept)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.unweighed.is_empty()
    }

    /// Forgets those before that moment, and gives the memory back.
    pub(super) fn forget_before(&mut self, moment: DateTime<Utc>) {
        let moment_us = moment.timestamp_micros();
        let over = self.kept.partition_point(|act| act.at_us < moment_us);
        self.forgotten += over as u64;
        self.unweighed.extend(self.kept.drain(..over).filter(|act| act.unweighed_folder().is_some()));
        if self.kept.capacity() > ROOMY * self.kept.len() {
            self.kept.shrink_to_fit();
        }
    }
}

/// The actions of a finding.
#[derive(Default)]
pub(in crate::rule) struct Total {
    pub(in crate::rule) acts: u64,
    /// Those after which the room holds all that it held before.
    pub(in crate::rule) take_nothing: u64,
    /// The distinct documents.
    pub(in crate::rule) documents: Distinct<ActClass, Document>,
    pub(in crate::rule) classes: BTreeMap<ActClass, u64>,
    pub(in crate::rule) events: u64,
    pub(in crate::rule) at_least: bool,
    /// When each was done, in order.
    pub(in crate::rule) times: Vec<DateTime<Utc>>,
}

impl Total {
    pub(in crate::rule) fn of<'c>(acts: impl Iterator<Item = &'c Counted>) -> Self {
        let mut total = Total::default();
        for act in acts {
            let documents = act.documents();
            total.acts += documents;
            total.take_nothing += if act.takes_nothing { documents } else { 0 };
            *total.classes.entry(act.class).or_default() += documents;
            if let Some(document) = act.document() {
                let around = act.around().iter().map(|folder| folder.as_str().into());
                total.documents.note(document, act.class, documents, around);
            }
            total.events += 1;
            total.at_least |= act.at_least;
            total.times.push(act.at());
        }
        total
    }
}
