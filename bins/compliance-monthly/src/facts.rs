//! What was read of a period, summed up: all that the pages are made of. The same facts give the same bytes.

pub(crate) mod logins;
pub(crate) mod people;
pub(crate) mod question;
pub(crate) mod summary;
pub(crate) mod tally;
pub(crate) mod topic;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::number;
use ::report::{Line, line};
use audit_model::{AI_AGENT_ROOM, ActClass, PortalText, RoomFact, RoomId, Rooms, Window};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::bundle::manifest::{Counts, Reading};
use crate::facts::logins::Logins;
use crate::facts::people::Actor;
use crate::facts::summary::{RoomKey, RoomRow, Summary, TopicRow};
use crate::period::Period;

/// Classes in the order of the first page.
pub(crate) const CLASSES: [ActClass; 6] =
    [ActClass::Download, ActClass::Change, ActClass::Delete, ActClass::Share, ActClass::Membership, ActClass::View];

/// People of one event that are named; the others are counted.
const NAMED: usize = 3;

/// What was seen of a period. What was not is in the coverage of the run, which is final only later.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) period: Period,
    pub(crate) summary: Summary,
    /// Of the period before, when the archive has it completely.
    pub(crate) before: Option<Summary>,
    pub(crate) logins: Logins,
    pub(crate) rooms: Rooms,
    /// The accounts that the settings call robots.
    pub(crate) own: BTreeSet<Uuid>,
    /// The person whose key this program uses.
    pub(crate) key_owner: Option<Uuid>,
    /// People that events were about, as they were called when a report first named them.
    pub(crate) names: BTreeMap<Uuid, PortalText>,
    /// Rooms that were there in the period and in which nothing was recorded, as they were called when a report first listed them.
    pub(crate) quiet: Vec<(RoomId, PortalText)>,
    pub(crate) reading: Option<Reading>,
    /// The beginning of the period, where the audit trail had not begun.
    pub(crate) unrecorded: Option<Window>,
    /// When the period is read once more, and what for; `None` when it is not.
    pub(crate) recheck_from: Option<DateTime<Utc>>,
    /// Whether it is uploaded though it is incomplete.
    pub(crate) goes_incomplete: bool,
    /// What the report is restricted to, in words.
    pub(crate) filter: Option<String>,
    /// What the reader must know besides.
    pub(crate) notes: Vec<String>,
}

impl Facts {
    /// Of a period of which nothing could be read.
    pub(crate) fn unseen(period: Period) -> Self {
        Facts {
            period,
            summary: Summary::default(),
            before: None,
            logins: Logins::default(),
            rooms: Rooms::default(),
            own: BTreeSet::new(),
            key_owner: None,
            names: BTreeMap::new(),
            quiet: Vec::new(),
            reading: None,
            unrecorded: None,
            recheck_from: None,
            goes_incomplete: false,
            filter: None,
            notes: Vec::new(),
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

    /// The people among what an event was about, by name where one is known.
    pub(crate) fn names_of(&self, row: &TopicRow) -> Line {
        let name = |id: Uuid| self.names.get(&id).cloned().unwrap_or_else(|| PortalText::new(id.to_string()));
        let names: Vec<PortalText> = row.people().take(NAMED).map(name).collect();
        listed(&names, row.people().count() as u64)
    }

    /// Title and id of a room, as surely as they are known.
    pub(crate) fn room_name(&self, key: &RoomKey, row: &RoomRow) -> (PortalText, Option<RoomId>) {
        match key {
            RoomKey::Known(id) => {
                let known = || self.rooms.get(id).map(|room| room.title.clone());
                (row.title.clone().or_else(known).unwrap_or_default(), Some(id.clone()))
            }
            RoomKey::Titled(title) => (title.clone(), None),
        }
    }

    /// What a reader should know of an account; mostly nothing.
    pub(crate) fn remark(&self, actor: &Actor) -> String {
        if let Some((at, event)) = self.summary.removed.get(&actor.id) {
            format!("removed on {} (event {event})", self.period.day(*at).format("%-d %B %Y"))
        } else if actor.is_by_link() {
            "by link, nobody signed in".to_owned()
        } else if actor.is_worker() {
            "the portal itself".to_owned()
        } else if self.own.contains(&actor.id) {
            "service account".to_owned()
        } else if self.key_owner == Some(actor.id) {
            "owner of this program's key".to_owned()
        } else {
            String::new()
        }
    }
}

/// Rooms that were there in the period and in which nothing was recorded.
pub(crate) fn quiet_rooms<'r>(
    period: &Period,
    rooms: &'r Rooms,
    summary: &'r Summary,
) -> impl Iterator<Item = &'r RoomFact> {
    let window = period.window;
    let was_there = move |room: &&RoomFact| {
        room.room_type.is_some_and(|kind| kind != AI_AGENT_ROOM)
            && room.created.is_none_or(|created| created < window.until)
            && rooms.deleted_at(&room.id).is_none_or(|deleted| deleted >= window.since)
    };
    let had_events = |room: &RoomFact| {
        let keys = [RoomKey::Known(room.id.clone()), RoomKey::Titled(room.title.clone())];
        keys.iter().any(|key| summary.rooms.contains_key(key))
    };
    rooms.iter().filter(was_there).filter(move |room| !had_events(room))
}

/// Names of people, the first of many.
fn listed(names: &[PortalText], total: u64) -> Line {
    let mut all = Line::default();
    for (at, name) in names.iter().enumerate() {
        all = if at == 0 { Line::name(name) } else { line![all, ", ", Line::name(name)] };
    }
    match total - names.len() as u64 {
        0 => all,
        more => line![all, format!(" and {} more", number(more))],
    }
}
