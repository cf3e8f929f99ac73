//! What operators decide, beside any run.

use chrono::TimeDelta;

use super::Schedule;
use crate::suspend::command::{self, Command};
use crate::suspend::entry::{Entry, State};
use crate::suspend::model::world::{Happened, OWNER};

impl Schedule {
    /// An operator decides something, beside any run.
    pub(super) fn order(&mut self) {
        let mut world = self.world();
        let entries: Vec<Entry> = world.ledger.values().cloned().collect();
        if entries.is_empty() {
            return;
        }
        let which = world.dice.below(entries.len() as u64) as usize;
        // whoever types goes by this machine's clock
        let (entry, now, here) = (&entries[which], world.portal_now(), world.now + world.here_skew);
        let person = entry.person();
        let extended = entry.deadline().unwrap_or(now) + TimeDelta::hours(1 + world.dice.below(5) as i64);
        let command = match world.dice.below(if entry.state == State::Held { 8 } else { 5 }) {
            0 => Command::Cancel,
            1 => Command::Keep,
            2 => Command::Extend { until: extended },
            3 | 4 => Command::Release,
            _ if world.dice.percent(10) => Command::Approve { shown: OWNER },
            _ => Command::Approve { shown: person },
        };
        let Ok(decided) = command::decide(entry, &command, ("olga@example.com", "looked at it"), here) else { return };
        if decided == *entry {
            return;
        }
        if matches!(command, Command::Approve { shown } if shown != person) {
            world.accuse("approved another person than the one that was shown");
        }
        world.check_commit(None, Some(entry), &decided);
        world.note(|| format!("{command:?} of {}", entry.incident.id));
        let at = world.now;
        let happened = match command {
            Command::Approve { .. } => Some(Happened::Approved { at, person }),
            Command::Keep => Some(Happened::Kept { person }),
            Command::Extend { until } => Some(Happened::Extended { person, until }),
            Command::Release => Some(Happened::ToRelease { person }),
            Command::Cancel => None,
        };
        world.history.extend(happened);
        let next = Entry { revision: decided.revision + 1, ..decided };
        world.ledger.insert(next.incident.id.clone(), next);
    }
}
