//! All that an incident is made of, from its first change to its last: how much, where, how fast, by whom, under which names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use attribution::Distinct;
use audit_model::{Attributed, Counts, Evidence, FindingRoom, MAX_EVIDENCE, Place, PortalText, Rooms};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use serde::Serialize;
use uuid::Uuid;

use crate::rule::change::{Change, title_in};
use crate::rule::incident::{Incident, Who, place};
use crate::rule::kind::{Kind, document};

/// After so long without a change it does not go on any more.
const GOES_ON: TimeDelta = TimeDelta::minutes(10);

/// Whatever changed in an incident.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    documents: Distinct<Kind>,
    acts: u64,
    /// Folders and rooms among them of which nobody can tell what they held.
    pub(super) uncountable: BTreeSet<String>,
    events: u64,
    pub(crate) first: Option<DateTime<Utc>>,
    pub(crate) last: Option<DateTime<Utc>>,
    /// Documents by the title of the room; empty outside the rooms.
    pub(super) rooms: BTreeMap<PortalText, Distinct<Kind>>,
    /// Folders that were changed as a whole, and how much they held.
    pub(super) folders: Vec<(PortalText, u64)>,
    /// Who did it, and to how many documents.
    people: BTreeMap<Uuid, (PortalText, Distinct<Kind>)>,
    /// Who of them did more than download.
    changers: BTreeSet<Uuid>,
    /// Files whose names may have been changed or made: what the last row about each calls it, and when that was.
    pub(crate) names: BTreeMap<EntryId, (Option<PortalText>, DateTime<Utc>)>,
    /// The first of them, and the last.
    evidence: (Vec<Evidence>, Vec<Evidence>),
    place: Option<Place>,
    /// What went into the trash, and what of it was deleted there.
    trashed: HashMap<Arc<str>, u64>,
    purged: u64,
    /// Whether the trash was emptied after that.
    pub(crate) has_emptied: bool,
}

/// Within these, nothing counts twice already: a folder that went counts without what had gone from it before, however that went.
fn counted_with(kind: Kind) -> Kind {
    match kind {
        Kind::DeletedForGood | Kind::RoomDeleted | Kind::Purged | Kind::MovedOut => Kind::Deleted,
        other => other,
    }
}

impl Extent {
    /// Takes in a change; they come in order of time.
    pub(crate) fn add(&mut self, change: &Change, rooms: &Rooms) {
        let event = &change.event;
        let document: Arc<str> = document(event).into();
        let note = |distinct: &mut Distinct<Kind>| {
            distinct.note(&document, counted_with(change.kind), change.documents(), change.around.iter().cloned());
        };
        note(&mut self.documents);
        match change.kind {
            Kind::Deleted => {
                let weight = self.trashed.entry(Arc::clone(&document)).or_default();
                *weight = change.documents().max(*weight);
            }
            Kind::Purged => self.purged += self.trashed.remove(&document).unwrap_or_default(),
            _ => {}
        }
        self.acts += change.documents();
        if change.is_uncountable() {
            self.uncountable.insert(document.to_string());
        }
        if change.kind != Kind::Downloaded {
            self.changers.insert(event.actor);
        }
        self.events += 1;
        self.first.get_or_insert(event.at);
        self.last = Some(event.at);
        let title = place(event);
        note(self.rooms.entry(title).or_default());
        self.folders.extend(change.folder.clone().map(|title| (title, change.documents())));
        note(&mut self.people.entry(event.actor).or_insert_with(|| (event.actor_name.clone(), Distinct::default())).1);
        let is_named = matches!(change.kind, Kind::Renamed | Kind::Overwritten | Kind::Created);
        if let Some(id) = event.target.first().filter(|_| is_named && !document.starts_with("folder ")) {
            self.names.insert(EntryId::from(id.as_str()), (title_in(event), event.at));
        }
        let evidence = Evidence::from(&**event);
        let (first, last) = &mut self.evidence;
        if first.len() < MAX_EVIDENCE / 2 {
            first.push(evidence);
        } else {
            if last.len() == MAX_EVIDENCE - MAX_EVIDENCE / 2 {
                last.remove(0);
            }
            last.push(evidence);
        }
        self.place.get_or_insert_with(|| rooms.place(event));
    }

    /// Puts the numbers into the finding, which knew only its fullest moment.
    pub(crate) fn complete(&self, incident: &mut Incident) {
        let finding = &mut incident.finding;
        finding.counts = Counts { acts: self.acts, documents: self.documents() };
        finding.evidence = self.evidence.0.iter().chain(&self.evidence.1).cloned().collect();
        finding.evidence_total = self.events;
        if let Who::Visitors(title) | Who::Room(title) = &incident.who {
            finding.room = (!title.raw().is_empty()).then(|| self.room(title));
        }
    }

    fn room(&self, title: &PortalText) -> FindingRoom {
        let (id, candidates) = match &self.place {
            Some(Place::Room(id, _)) => (Some(id.clone()), Vec::new()),
            Some(Place::OneOf { candidates, .. }) => (None, candidates.clone()),
            _ => (None, Vec::new()),
        };
        FindingRoom { id, candidates, title: title.clone(), attributed: Attributed::Title }
    }

    /// How many documents went into the trash and are gone from there, too.
    pub(crate) fn gone_for_good(&self) -> u64 {
        if self.has_emptied { self.purged + self.trashed.values().sum::<u64>() } else { self.purged }
    }

    pub(crate) fn documents(&self) -> u64 {
        self.documents.count()
    }

    /// Adds the documents to those of others.
    pub(super) fn add_to(&self, documents: &mut Distinct<Kind>) {
        documents.add(&self.documents);
    }

    /// Who did it, with the number of documents, the busiest first.
    pub(crate) fn people(&self) -> Vec<(Uuid, PortalText, u64)> {
        let mut people: Vec<_> =
            self.people.iter().map(|(id, (name, documents))| (*id, name.clone(), documents.count())).collect();
        people.sort_by_key(|(id, _, documents)| (std::cmp::Reverse(*documents), *id));
        people
    }

    /// Whether somebody did nothing but download.
    pub(super) fn only_downloaded(&self, id: Uuid) -> bool {
        !self.changers.contains(&id)
    }

    /// The rooms, the fullest first.
    pub(crate) fn rooms(&self) -> Vec<ShownRoom> {
        let rooms: Vec<ShownRoom> = self
            .rooms
            .iter()
            .filter(|(title, _)| !title.raw().is_empty())
            .map(|(title, documents)| ShownRoom { title: title.clone(), documents: documents.count() })
            .collect();
        in_order(rooms)
    }

    pub(super) fn length(&self) -> TimeDelta {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last - first,
            _ => TimeDelta::zero(),
        }
    }

    /// Documents an hour, from the first to the last; absent where all was done at once.
    pub(crate) fn documents_per_hour(&self) -> Option<u64> {
        let seconds = u64::try_from(self.length().num_seconds()).ok().filter(|seconds| *seconds >= 60)?;
        Some(self.documents() * 3600 / seconds)
    }

    /// Whether it may go on after the end of the window.
    pub(crate) fn goes_on(&self, end: DateTime<Utc>) -> bool {
        self.last.is_some_and(|last| end - last < GOES_ON)
    }
}

/// A room, and how many documents in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ShownRoom {
    pub(crate) title: PortalText,
    pub(crate) documents: u64,
}

/// The fullest first.
pub(crate) fn in_order(mut rooms: Vec<ShownRoom>) -> Vec<ShownRoom> {
    rooms.sort_by(|a, b| (b.documents, &a.title).cmp(&(a.documents, &b.title)));
    rooms
}
