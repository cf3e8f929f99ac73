//! Who did something, and how much of it.

use std::collections::HashSet;

use ::report::words::plural;
use audit_model::{ActClass, AuditEvent, GUEST_ACCOUNT, PortalText, is_robot};
use chrono::NaiveDate;
use uuid::Uuid;

use crate::facts::tally::{Classes, Tally};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Actor {
    pub(crate) id: Uuid,
    /// Which of the portal's own workers: they share ids.
    worker: Option<PortalText>,
}

impl Actor {
    pub(crate) fn of(event: &AuditEvent) -> Self {
        Actor { id: event.actor, worker: is_robot(event.actor).then(|| event.actor_name.clone()) }
    }

    /// Neither a worker of the portal's nor the account of everybody who comes by a link.
    pub(crate) fn is_person(&self) -> bool {
        self.worker.is_none() && !self.is_by_link()
    }

    /// The account of all who are not signed in: nobody knows how many they are.
    pub(crate) fn is_by_link(&self) -> bool {
        self.id == GUEST_ACCOUNT
    }

    pub(crate) fn is_worker(&self) -> bool {
        self.worker.is_some()
    }
}

/// What somebody downloaded on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Downloads {
    pub(crate) day: NaiveDate,
    pub(crate) events: Tally,
    /// Distinct ones: a document that was downloaded often is one.
    pub(crate) documents: u64,
    /// Distinct ones that were downloaded as a whole: what was in them nobody can tell.
    pub(crate) folders: u64,
}

impl Downloads {
    pub(crate) fn distinct(&self) -> u64 {
        self.documents + self.folders
    }

    /// `120 documents and 2 whole folders`
    pub(crate) fn words(&self) -> String {
        let (documents, folders) = (plural(self.documents, "document"), plural(self.folders, "whole folder"));
        match (self.documents, self.folders) {
            (_, 0) => documents,
            (0, _) => folders,
            _ => format!("{documents} and {folders}"),
        }
    }
}

/// The same while the day goes on.
#[derive(Debug)]
struct Today {
    day: NaiveDate,
    events: Tally,
    documents: HashSet<String>,
    folders: HashSet<String>,
}

/// What somebody did.
#[derive(Debug)]
pub(crate) struct PersonRow {
    /// As it was first read.
    pub(crate) name: PortalText,
    pub(crate) events: Tally,
    pub(crate) by_class: Classes,
    /// The day with the most distinct downloads.
    pub(crate) busiest: Option<Downloads>,
    today: Option<Today>,
}

impl PersonRow {
    pub(crate) fn new(name: &PortalText) -> Self {
        let name = name.clone();
        PersonRow { name, events: Tally::default(), by_class: Classes::default(), busiest: None, today: None }
    }

    pub(crate) fn push(&mut self, event: &AuditEvent, class: Option<ActClass>, day: NaiveDate) {
        self.events.add(event.id);
        let Some(class) = class else { return };
        self.by_class.add(class);
        if class == ActClass::Download {
            if self.today.as_ref().is_some_and(|today| today.day != day) {
                self.end_day();
            }
            self.today.get_or_insert_with(|| Today::new(day)).push(event);
        }
    }

    /// Call after the last event.
    pub(crate) fn end_day(&mut self) {
        let Some(today) = self.today.take() else { return };
        let Today { day, events, documents, folders } = today;
        let (documents, folders) = (documents.len() as u64, folders.len() as u64);
        let downloads = Downloads { day, events, documents, folders };
        if self.busiest.is_none_or(|most| downloads.distinct() > most.distinct()) {
            self.busiest = Some(downloads);
        }
    }
}

impl Today {
    fn new(day: NaiveDate) -> Self {
        Today { day, events: Tally::default(), documents: HashSet::new(), folders: HashSet::new() }
    }

    fn push(&mut self, event: &AuditEvent) {
        self.events.add(event.id);
        let of = if event.action.is_about_whole_folder() { &mut self.folders } else { &mut self.documents };
        // an event that names nothing counts by what it says
        let said = || event.text.as_ref().map(|text| text.raw().to_owned()).unwrap_or_default();
        of.insert(event.target.first().cloned().unwrap_or_else(said));
    }
}
