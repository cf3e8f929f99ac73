//! Placing many events. Nearly all of them have one of a few contexts, and what a context means is looked up once for as long as it means
//! the same.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Attributed, CREATION_MARGIN, Place, RoomLogs, Rooms, Told, split};
use crate::{AuditEvent, PortalText};

/// More contexts are not remembered at a time: rooms that are in use have fewer.
const MOST_CONTEXTS: usize = 10_000;

/// Tells of event after event where it happened, each time what [`Rooms::place`] would tell.
#[derive(Debug)]
pub struct Placer<'r> {
    rooms: &'r Rooms,
    known: HashMap<PortalText, Known>,
}

/// Where events with one context happened, during some time.
#[derive(Debug)]
struct Known {
    place: Place,
    during: Range<DateTime<Utc>>,
}

impl<'r> Placer<'r> {
    pub fn new(rooms: &'r Rooms) -> Self {
        Placer { rooms, known: HashMap::new() }
    }

    /// The same as [`Rooms::place`].
    pub fn place(&mut self, event: &AuditEvent) -> Place {
        match Told::by(event) {
            Told::Room(id) => Place::Room(id, Attributed::Target),
            Told::Context(context) => self.place_in(context, event.at),
            Told::Nothing => Place::Elsewhere,
        }
    }

    /// The same as [`Rooms::place_with_logs`].
    pub fn place_with_logs(&mut self, event: &AuditEvent, logs: &RoomLogs) -> Place {
        logs.tell(self.place(event), event)
    }

    fn place_in(&mut self, context: &PortalText, at: DateTime<Utc>) -> Place {
        if let Some(known) = self.known.get(context).filter(|known| known.during.contains(&at)) {
            return known.place.clone();
        }
        let (place, during) = (self.rooms.place_in(context, at), self.rooms.means_the_same(context, at));
        if self.known.len() >= MOST_CONTEXTS {
            self.known.clear();
        }
        self.known.insert(context.clone(), Known { place: place.clone(), during });
        place
    }
}

impl Rooms {
    /// The time around that moment during which the context means the same.
    fn means_the_same(&self, context: &PortalText, at: DateTime<Utc>) -> Range<DateTime<Utc>> {
        let bearers = split(context).and_then(|(_, title)| self.by_title.get(title));
        let bearers = || bearers.into_iter().flatten();
        if self.are_mixed(bearers()) {
            // what the word means may depend on which others were in use
            return at..at;
        }
        let created = bearers().filter_map(|id| self.by_id.get(id)?.created?.checked_sub_signed(CREATION_MARGIN));
        let deleted = bearers().filter_map(|id| self.deleted.get(id)?.checked_add_signed(CREATION_MARGIN));
        // a room has been there up to and with that moment
        let deleted = deleted.filter_map(|last| last.checked_add_signed(TimeDelta::nanoseconds(1)));
        let during = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
        created.chain(deleted).fold(during, |during, turn| match turn <= at {
            true => during.start.max(turn)..during.end,
            false => during.start..during.end.min(turn),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{RoomFact, RoomId, testing};

    /// A moment near which rooms are made and deleted.
    fn minute(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + minute * 60, 0).unwrap()
    }

    fn event(action: i32, target: &str, context: &str, at: i64) -> AuditEvent {
        AuditEvent { context: Some(context.into()), ..testing::event(action, target, minute(at)) }
    }

    /// An id, a title, whether it is an agent, when it was made.
    fn fact() -> impl Strategy<Value = RoomFact> {
        (1i64..6, "[AB]", prop::option::of(8i32..10), prop::option::of(0i64..300)).prop_map(
            |(id, title, room_type, made)| RoomFact {
                id: RoomId::Number(id),
                title: title.as_str().into(),
                room_type,
                created: made.map(minute),
            },
        )
    }

    /// Deletions of rooms, and what rooms and agents tell of words; downloads.
    fn told() -> impl Strategy<Value = AuditEvent> {
        let action = prop::sample::select(vec![5074, 5085, 5154, 5009, 5009, 5009, 5076]);
        (action, "[1-6]", "(R|S): [ABC]|A", 0i64..400)
            .prop_map(|(action, target, context, at)| event(action, &target, &context, at))
    }

    proptest! {
        #[test]
        fn events_are_placed_as_they_are_one_by_one(
            facts in prop::collection::vec(fact(), 0..6),
            learnt in prop::collection::vec(told(), 0..6),
            noted in prop::collection::vec(("(R|S): [AB]", 0i64..400, 0i64..90), 0..4),
            mut events in prop::collection::vec(told(), 0..40),
        ) {
            let mut rooms = Rooms::default();
            facts.into_iter().for_each(|fact| rooms.learn(fact));
            for event in &learnt {
                rooms.learn_from(event);
            }
            let without_contexts = rooms.clone();
            for (context, at, long) in noted {
                rooms.note_context(&context.as_str().into(), (minute(at), minute(at + long)));
            }
            // at the very moments as well at which rooms come and go
            let turns: Vec<AuditEvent> = learnt.iter().flat_map(|told| {
                [-60, 0, 60].map(|minutes| AuditEvent { at: told.at + TimeDelta::minutes(minutes), ..event(5009, "9", "R: A", 0) })
            }).collect();
            events.extend(turns);
            let mut placer = Placer::new(&rooms);
            for event in &events {
                prop_assert_eq!(placer.place(event), rooms.place(event));
                if !rooms.share_titles_with_agents() {
                    prop_assert_eq!(without_contexts.place(event), rooms.place(event));
                }
            }
        }
    }
}
