//! What is moved or copied from one room to another is one act, and two events. The one that is seen from the source stays: that is
//! the room which something left.

use std::collections::VecDeque;

use audit_model::AuditEvent;
use chrono::TimeDelta;

use crate::rule::Placed;

/// Both events are written by one call, so seconds apart at most.
const APART: TimeDelta = TimeDelta::seconds(5);

/// Whether the later of two events is the other half of the first: the portal writes the one of the destination first.
pub(crate) fn is_other_half(first: &AuditEvent, later: &AuditEvent) -> bool {
    first.action.is_move_or_copy()
        && (first.action, first.actor, &first.target) == (later.action, later.actor, &later.target)
        && first.id < later.id
        && (later.at - first.at).abs() <= APART
}

/// Holds events back for a moment, so that the first half of a move can be dropped when the second comes. Keeps the order.
#[derive(Default)]
pub(crate) struct Halves {
    held: VecDeque<Placed>,
}

impl Halves {
    /// Takes in an event, and gives those for which no other half can come any more. Events come in order of time.
    pub(crate) fn push(&mut self, placed: Placed) -> impl Iterator<Item = Placed> {
        self.held.retain(|held| held.key == placed.key || !is_other_half(&held.event, &placed.event));
        let at = placed.event.at;
        self.held.push_back(placed);
        let waiting = self.held.iter().take_while(|held| at - held.event.at > APART).count();
        self.held.drain(..waiting)
    }

    /// Gives the rest.
    pub(crate) fn finish(self) -> impl Iterator<Item = Placed> {
        self.held.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit_model::{ActionId, Attributed, RoomId, Weight};
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::rule::RoomKey;

    fn moved(id: i64, second: i64, room: i64, target: &str) -> Placed {
        let event = AuditEvent {
            id,
            at: DateTime::from_timestamp(second, 0).unwrap(),
            actor: Uuid::from_u128(1),
            actor_name: "Anna".into(),
            action: ActionId(5015),
            text: None,
            ip: None,
            target: vec![target.to_owned(), "250".to_owned()],
            context: None,
            details: None,
        };
        Placed {
            event: Arc::new(event),
            key: RoomKey::Known(RoomId::Number(room)),
            title: "Falcon".into(),
            candidates: Vec::new(),
            attributed: Attributed::Title,
            weight: Weight::ONE,
        }
    }

    fn kept(events: Vec<Placed>) -> Vec<i64> {
        let mut halves = Halves::default();
        let mut kept: Vec<i64> =
            events.into_iter().flat_map(|event| halves.push(event).collect::<Vec<_>>()).map(|p| p.event.id).collect();
        kept.extend(halves.finish().map(|placed| placed.event.id));
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
