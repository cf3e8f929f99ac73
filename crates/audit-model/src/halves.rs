//! What is moved or copied from one room or section to another is one act, and two events.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::AuditEvent;

/// Both events are written by one call, so seconds apart at most.
const APART: TimeDelta = TimeDelta::seconds(5);

/// Whether the later of two events is the other half of the first: the portal writes the one of the destination first, then the one
/// of the source.
pub fn is_other_half(first: &AuditEvent, later: &AuditEvent) -> bool {
    first.action.is_move_or_copy()
        && (first.action, first.actor, &first.target) == (later.action, later.actor, &later.target)
        && first.id < later.id
        && (later.at - first.at).abs() <= APART
}

/// Holds events back for a moment, so that the first half of a move can be dropped when the second comes. Keeps the order.
#[derive(Debug)]
pub struct Halves<T> {
    held: VecDeque<T>,
}

impl<T> Default for Halves<T> {
    fn default() -> Self {
        Halves { held: VecDeque::new() }
    }
}

impl<T: AsRef<AuditEvent>> Halves<T> {
    /// Takes in an event, and gives those for which no other half can come any more. Events come in order of (time, id).
    ///
    /// `is_one` is asked about each pair of halves whether they are to be told as one: the first is dropped then, and it may note in
    /// the second what the pair says.
    pub fn push(&mut self, mut next: T, mut is_one: impl FnMut(&T, &mut T) -> bool) -> impl Iterator<Item = T> {
        self.held.retain(|held| !(is_other_half(held.as_ref(), next.as_ref()) && is_one(held, &mut next)));
        let at = next.as_ref().at;
        self.held.push_back(next);
        let waiting = self.held.iter().take_while(|held| at - held.as_ref().at > APART).count();
        self.held.drain(..waiting)
    }

    /// Gives the rest.
    pub fn finish(self) -> impl Iterator<Item = T> {
        self.held.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::testing;

    struct Moved {
        event: AuditEvent,
        room: i64,
    }

    impl AsRef<AuditEvent> for Moved {
        fn as_ref(&self) -> &AuditEvent {
            &self.event
        }
    }

    fn moved(id: i64, second: i64, room: i64, target: &str) -> Moved {
        let mut event = testing::event(5015, target, DateTime::from_timestamp(second, 0).unwrap());
        event.id = id;
        event.target.push("250".to_owned());
        Moved { event, room }
    }

    fn kept(story: Vec<Moved>) -> Vec<i64> {
        let mut halves = Halves::default();
        let mut kept = Vec::new();
        for moved in story {
            kept.extend(halves.push(moved, |first, second| first.room != second.room).map(|moved| moved.event.id));
        }
        kept.extend(halves.finish().map(|moved| moved.event.id));
        kept
    }

    #[test]
    fn of_a_move_between_rooms_the_half_of_the_source_stays() {
        let story =
            vec![moved(1, 0, 71, "900"), moved(2, 0, 72, "900"), moved(3, 1, 71, "901"), moved(4, 2, 72, "901")];
        assert_eq!(kept(story), [2, 4]);
    }

    #[test]
    fn moves_that_only_look_alike_are_all_kept() {
        // inside one room; of another file; back again a minute later
        let story =
            vec![moved(1, 0, 71, "900"), moved(2, 1, 71, "900"), moved(3, 2, 72, "901"), moved(4, 60, 72, "900")];
        assert_eq!(kept(story), [1, 2, 3, 4]);
    }
}
