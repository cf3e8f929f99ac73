//! What was read of a period, summed up: all that the pages are made of. The same facts give the same bytes.

use std::collections::BTreeSet;

use audit_model::{AI_AGENT_ROOM, PortalText, RoomFact, RoomId, Rooms, is_robot};
use uuid::Uuid;

use crate::decision::{Decision, Limits, decisions};
use crate::logins::Logins;
use crate::manifest::Counts;
use crate::period::Period;
use crate::summary::{RoomKey, RoomRow, Summary};

/// What was seen of a period. What was not is in the coverage of the run, which is final only later.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) period: Period,
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
    pub(crate) fn unseen(period: Period, limits: Limits) -> Self {
        Facts {
            period,
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

    pub(crate) fn decisions(&self) -> Vec<Decision> {
        decisions(&self.summary, &self.logins, self.limits)
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

    /// Rooms that were there in the period and in which nothing was recorded.
    pub(crate) fn quiet_rooms(&self) -> impl Iterator<Item = &RoomFact> {
        let window = self.period.window;
        let was_there = move |room: &&RoomFact| {
            room.room_type.is_some_and(|kind| kind != AI_AGENT_ROOM)
                && room.created.is_none_or(|created| created < window.until)
                && self.rooms.deleted_at(&room.id).is_none_or(|deleted| deleted >= window.since)
        };
        let had_events = |room: &RoomFact| {
            let keys = [RoomKey::Known(room.id.clone()), RoomKey::Titled(room.title.clone())];
            keys.iter().any(|key| self.summary.rooms.contains_key(key))
        };
        self.rooms.iter().filter(was_there).filter(move |room| !had_events(room))
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
    pub(crate) fn remark(&self, id: Uuid) -> String {
        if let Some((at, event)) = self.summary.removed.get(&id) {
            format!("removed on {} (event {event})", self.period.day(*at))
        } else if is_robot(id) {
            "the portal itself".to_owned()
        } else if self.own.contains(&id) {
            "account of our own programs".to_owned()
        } else {
            String::new()
        }
    }
}
