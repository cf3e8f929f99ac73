//! An incident: whose, which limits it exceeded, and the finding that it becomes.

use audit_model::{AuditEvent, Finding, GUEST_ACCOUNT, Person, PortalText, Window, is_robot, title_in_context};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::config::{Threshold, counts};
use crate::rule::change::Change;
use crate::rule::kind::{DOCUMENT, Kind};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "mass_change";

/// So many times a limit on what cannot be undone is no busy day any more.
const FLOOD_FACTOR: u64 = 5;

/// Whose changes are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Person(Uuid),
    /// Everybody who comes to a room through a link; the portal has one account for all of them. Without a title: outside the rooms.
    Visitors(PortalText),
    /// All people of a room.
    Room(PortalText),
    /// Everybody who comes to several rooms through links.
    VisitorsOfRooms,
}

impl Who {
    /// A finding of theirs, with nothing in it yet.
    pub(super) fn finding(&self, name: &PortalText, span: Window) -> Finding {
        let (id, fingerprint) = match self {
            Who::Person(id) => (*id, audit_model::fingerprint(&[RULE, &id.to_string()])),
            Who::Visitors(title) => (GUEST_ACCOUNT, audit_model::fingerprint(&[RULE, "visitors", title.raw()])),
            Who::Room(title) => (Uuid::nil(), audit_model::fingerprint(&[RULE, "room", title.raw()])),
            Who::VisitorsOfRooms => (GUEST_ACCOUNT, audit_model::fingerprint(&[RULE, "visitors of several rooms"])),
        };
        Finding::new(RULE, fingerprint, Person::named(id, name.clone()), span)
    }
}

/// A limit that was exceeded, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// `None`: the published rule.
    pub(crate) kind: Option<Kind>,
    pub(crate) threshold: Threshold,
    /// Distinct documents.
    pub(crate) documents: u64,
    /// Whether there may be more, because a folder could not be weighed.
    pub(crate) at_least: bool,
}

impl Exceeded {
    /// Whether so much is gone for good that nobody works like that. What could not be weighed says nothing.
    pub(crate) fn is_flood(&self) -> bool {
        let is_many = self.documents >= self.threshold.documents.saturating_mul(FLOOD_FACTOR);
        self.kind == Some(Kind::DeletedForGood) && !self.at_least && is_many
    }
}

/// One finding, and what it was judged by.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) who: Who,
    pub(crate) finding: Finding,
    /// The published limit first, then by kind. Empty where only folders went that nobody could weigh.
    pub(crate) exceeded: Vec<Exceeded>,
    /// Folders and rooms that went, and nobody knows how much they held.
    pub(crate) uncountable: u64,
    /// When the last of those went.
    pub(crate) last_uncountable: Option<DateTime<Utc>>,
}

impl Incident {
    /// What is counted, in the singular: a document, where it was of several kinds.
    pub(crate) fn counted(&self) -> &'static str {
        let mut nouns = self.exceeded.iter().map(|one| one.kind.map_or(DOCUMENT, Kind::counted));
        nouns.next().filter(|first| nouns.all(|noun| noun == *first)).unwrap_or(DOCUMENT)
    }

    /// Whether a change is a part of it.
    pub(crate) fn includes(&self, change: &Change) -> bool {
        let event = &change.event;
        let is_own = match &self.who {
            Who::Person(id) => event.actor == *id,
            Who::Visitors(title) => event.actor == GUEST_ACCOUNT && place(event) == *title,
            Who::VisitorsOfRooms => event.actor == GUEST_ACCOUNT && title_in_context(event).is_some(),
            Who::Room(title) => event.actor != GUEST_ACCOUNT && !is_robot(event.actor) && place(event) == *title,
        };
        let is_counted = self.exceeded.iter().any(|one| counts(one.kind, change.kind));
        is_own && self.finding.window.contains(event.at) && (is_counted || change.is_uncountable())
    }
}

/// The title of the room that an event names; empty outside the rooms.
pub(crate) fn place(event: &AuditEvent) -> PortalText {
    title_in_context(event).unwrap_or_default()
}

/// Where all changes are of one kind, the published rule says nothing more; nor do deletions where all of them are for good.
pub(super) fn says_more(one: &Exceeded, all: &[Exceeded]) -> bool {
    let is_same =
        |other: &Exceeded| other.documents == one.documents && other.threshold.minutes == one.threshold.minutes;
    let is_narrower = |other: &Exceeded| match (one.kind, other.kind) {
        (None, Some(_)) => true,
        (Some(Kind::Deleted), Some(kind)) => kind != Kind::Deleted && kind.is_deletion(),
        _ => false,
    };
    !all.iter().any(|other| is_same(other) && is_narrower(other))
}
