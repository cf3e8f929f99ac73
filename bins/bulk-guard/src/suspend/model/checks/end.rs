//! What must hold at the end, when every term is over.

use std::collections::BTreeSet;

use audit_model::PersonStatus;
use chrono::TimeDelta;
use uuid::Uuid;

use super::TOLERANCE;
use crate::suspend::entry::{Entry, State, Topic};
use crate::suspend::model::world::{Happened, World};
use crate::suspend::seen::{Call, Row};

impl World {
    /// After a quiet time and a whole run: what the journal says is so, everybody was told once, and whoever is off has an end or somebody
    /// who knows.
    pub(in super::super) fn check_end(&mut self, needs_attention: bool) {
        let entries: Vec<Entry> = self.ledger.values().cloned().collect();
        for entry in &entries {
            let person = entry.person();
            let touched = |one: &Happened| matches!(one, Happened::Decision { person: whose, .. } | Happened::Silent { person: whose } if *whose == person);
            let is_touched = self.history.iter().any(touched);
            let newest = entries
                .iter()
                .filter(|other| other.person() == person)
                .all(|other| other.incident.first <= entry.incident.first);
            let status = self.people.get(&person).map(|human| human.status);
            let expected = match entry.state {
                State::Done | State::Kept | State::ReleaseFailed => Some(PersonStatus::Disabled),
                State::Failed | State::Released => Some(PersonStatus::Active),
                _ => None,
            };
            if !is_touched && newest && expected.is_some_and(|expected| status != Some(expected)) {
                self.accuse(format!("{} is {:?}, but the account is {status:?}", entry.incident.id, entry.state));
            }
            if entry.state == State::Kept && status != Some(PersonStatus::Disabled) {
                self.accuse(format!("{} is kept, and the account is {status:?}", entry.incident.id));
            }
            if matches!(entry.state, State::Intended | State::Releasing) {
                self.accuse(format!("{} is still {:?}", entry.incident.id, entry.state));
            }
            if matches!(entry.state, State::Unknown | State::ReleaseFailed) && !needs_attention {
                self.accuse("somebody is off, and the exit code does not say so");
            }
            let is_over = entry.deadline().is_some_and(|end| self.portal_now() > end + TimeDelta::hours(1));
            if entry.state == State::Done && is_over && !needs_attention {
                self.accuse(format!("the term of {} was forgotten", entry.incident.id));
            }
            let told = |topic: Topic| entry.said.iter().any(|said| said.topic == topic);
            if entry.intent.is_some() {
                let known = [Topic::Done, Topic::Failed, Topic::Unknown, Topic::Settled];
                if !known.into_iter().any(told) || !told(Topic::Suspending) {
                    self.accuse(format!("nobody was told how {} ended", entry.incident.id));
                }
            }
        }
        self.check_decisions();
        let is_plain = !self.reached.contains_key("key's account used") && !self.reached.contains_key("clocks apart");
        if is_plain && self.since_loss().is_none() && entries.iter().any(|entry| entry.incident.class == "lost") {
            self.accuse("told that a row was not remembered, and it was");
        }
        let Some(lost) = self.since_loss() else { return };
        for one in self.history.clone() {
            if let Happened::Put { at, person, call: Call::Disable, row: Some(row), had_effect: true, .. } = one
                && at < lost
                && self.is_visible(row)
                && self.now - at < TimeDelta::hours(24)
                && !entries.iter().any(|entry| entry.incident.class == "lost" && entry.person() == person)
            {
                self.accuse(format!("{person} is off through us, and nobody was told"));
            }
        }
    }

    /// The last decision of somebody stands, but where a call was on its way at the same moment; that is told.
    fn check_decisions(&mut self) {
        let mut wrong = Vec::new();
        let people: BTreeSet<Uuid> = self.people.keys().copied().collect();
        for person in people {
            let is_decision = |one: &Happened| matches!(one, Happened::Decision { person: whose, switched_to: Some(_), .. } if *whose == person);
            let Some(last) = self.history.iter().rposition(is_decision) else { continue };
            let Happened::Decision { at, switched_to, row, .. } = self.history[last] else { continue };
            // while the portal's clock is wrong, its row may be of a day that nobody looks at
            let is_dated =
                |(serial, row): &(u64, Row), own| Some(*serial) == own && (row.mark.at - at).abs() < TOLERANCE;
            if !self.rows.iter().any(|known| is_dated(known, row)) {
                continue;
            }
            if self.people.get(&person).map(|human| human.status) == switched_to {
                continue;
            }
            let after = self.history[last..].iter().find_map(|one| match one {
                Happened::Put { at, person: whose, had_effect: true, .. } if *whose == person => Some(*at),
                _ => None,
            });
            let Some(put) = after else { continue };
            // a later incident, a day after
            if put - at >= TimeDelta::hours(24) - TOLERANCE {
                continue;
            }
            let is_told = self.ledger.values().any(|entry| {
                entry.person() == person && (entry.state == State::Settled || entry.incident.class == "lost")
            });
            // its row comes so late at most
            if put - at > TimeDelta::minutes(21) {
                wrong.push(format!("the decision about {person} does not stand"));
            } else if !is_told {
                wrong.push(format!("a decision about {person} at the moment of a call, and nobody was told"));
            } else {
                self.reach("a decision at the moment of a call");
            }
        }
        wrong.into_iter().for_each(|what| self.accuse(what));
    }
}
