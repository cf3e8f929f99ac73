//! The plan as a whole: looked at before the first call. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use safe_actions::Load;
use uuid::Uuid;

use crate::suspend::entry::{Decided, Entry, Held, Said, State, Topic};
use crate::suspend::terms::{APPROVED_FOR, Terms};
use crate::suspend::words;

/// Whether it is held by the breaker, and nobody has looked.
fn is_held(entry: &Entry) -> bool {
    entry.state == State::Held && matches!(entry.held, Some(Held::Breaker(_)))
}

/// Whether it would be carried out unless the breaker trips.
fn is_planned(entry: &Entry, now: DateTime<Utc>) -> bool {
    let approval = entry.decision(Decided::Approved);
    let is_approved = approval.is_some_and(|decision| (now - decision.at).abs() <= APPROVED_FOR);
    matches!(entry.state, State::Planned | State::Waiting) && !is_approved
}

/// Holds the whole plan where it is too large: the entries that are held by it from now on. One of them carries what is to be told of all.
///
/// Those whom the breaker holds already count too: that some of them are dropped must not let the others go.
pub(crate) fn trip(entries: &[Entry], active_people: u64, terms: &Terms, now: DateTime<Utc>) -> Vec<Entry> {
    let planned: Vec<&Entry> = entries.iter().filter(|entry| is_planned(entry, now)).collect();
    let held_before = entries.iter().filter(|entry| is_held(entry)).count();
    let plan = planned.iter().copied().chain(entries.iter().filter(|entry| is_held(entry)));
    let people: BTreeSet<Uuid> = plan.filter(|entry| !entry.is_drill).map(Entry::person).collect();
    let asked: BTreeSet<Uuid> = entries
        .iter()
        .filter(|entry| {
            !entry.is_drill && entry.intent.as_ref().is_some_and(|intent| now - intent.at < TimeDelta::hours(24))
        })
        .map(Entry::person)
        .collect();
    let load = Load { active_people, earlier_today: asked.difference(&people).count() as u64 };
    let Some(trip) = terms.breaker.trip(people.len() as u64, load) else { return Vec::new() };
    let hold = |entry: &&Entry| {
        let why = trip.sentence();
        let mut held = (*entry).clone().into_state(State::Held, Some(why.clone()));
        held.held = Some(Held::Breaker(why));
        held
    };
    let mut held: Vec<Entry> = planned.iter().map(hold).collect();
    let ids: Vec<String> = held.iter().map(|entry| entry.incident.id.clone()).collect();
    let is_untold = |entry: &&mut Entry| !entry.said.iter().any(|said| said.topic == Topic::Held);
    if let Some(first) = held.iter_mut().find(is_untold).filter(|_| held_before == 0) {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let words = words::held_together(people.len(), &ids, &trip.sentence());
        first.said.push(Said { topic: Topic::Held, words, is_critical: true, at: now, is_handed_on: false });
    }
    held
}

#[cfg(test)]
mod tests {
    use crate::suspend::entry::Intent;
    use crate::suspend::model::incident;
    use crate::suspend::state::asked_within_a_day;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    /// Somebody who was suspended so many hours ago.
    fn suspended(person: u128, hours: i64) -> Entry {
        let at = now() - TimeDelta::hours(hours);
        let memberships = BTreeSet::new();
        let intent = Intent { at, newest: 0, deadline: None, memberships, is_answered: true, asked_by: None };
        Entry { intent: Some(intent), ..Entry::new(incident(person, at), at).into_state(State::Released, None) }
    }

    /// The account of a drill is there for nothing else: its suspension leaves as many to others as before, in a plan and in a day.
    #[test]
    fn a_drill_holds_nobody_elses_suspension_back() {
        let (terms, many) = (Terms::default(), 1_000);
        let planned = |person: u128| Entry::new(incident(person, now()), now());
        let of_drill = |entry: Entry| Entry { is_drill: true, ..entry };
        let day = [suspended(8, 2), suspended(9, 3)];
        let with = |more: &[Entry]| [day.as_slice(), more].concat();
        // two of three, and this one
        let alone = with(&[planned(10)]);
        assert_eq!(trip(&alone, many, &terms, now()), []);
        for drill in [of_drill(suspended(7, 1)), of_drill(planned(7))] {
            let both = with(&[planned(10), drill]);
            assert_eq!(trip(&both, many, &terms, now()), []);
            assert_eq!(asked_within_a_day(&both, now()), 2);
        }
        // what is no drill counts, whose ever account it is
        assert_eq!(trip(&with(&[planned(10), suspended(7, 1)]), many, &terms, now()).len(), 1);
        assert_eq!(asked_within_a_day(&with(&[suspended(7, 1)]), now()), 3);
    }
}
