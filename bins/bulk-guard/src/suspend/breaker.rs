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
    let is_approved = approval.is_some_and(|decision| now - decision.at <= APPROVED_FOR);
    matches!(entry.state, State::Planned | State::Waiting) && !is_approved
}

/// Holds the whole plan where it is too large: the entries that are held by it from now on. One of them carries what is to be told of all.
///
/// Those whom the breaker holds already count too: that some of them are dropped must not let the others go.
pub(crate) fn trip(entries: &[Entry], active_people: u64, terms: &Terms, now: DateTime<Utc>) -> Vec<Entry> {
    let planned: Vec<&Entry> = entries.iter().filter(|entry| is_planned(entry, now)).collect();
    let held_before = entries.iter().filter(|entry| is_held(entry)).count();
    let plan = planned.iter().copied().chain(entries.iter().filter(|entry| is_held(entry)));
    let people: BTreeSet<Uuid> = plan.map(Entry::person).collect();
    let asked: BTreeSet<Uuid> = entries
        .iter()
        .filter(|entry| entry.intent.as_ref().is_some_and(|intent| now - intent.at < TimeDelta::hours(24)))
        .map(Entry::person)
        .collect();
    let load = Load { active_people, earlier_today: asked.difference(&people).count() as u64 };
    let Some(trip) = terms.breaker.trip(people.len() as u64, load) else { return Vec::new() };
    let hold = |entry: &&Entry| {
        let why = trip.words();
        let mut held = (*entry).clone().into_state(State::Held, Some(why.clone()));
        held.held = Some(Held::Breaker(why));
        held
    };
    let mut held: Vec<Entry> = planned.iter().map(hold).collect();
    let ids: Vec<String> = held.iter().map(|entry| entry.incident.id.clone()).collect();
    let is_untold = |entry: &&mut Entry| !entry.said.iter().any(|said| said.topic == Topic::Held);
    if let Some(first) = held.iter_mut().find(is_untold).filter(|_| held_before == 0) {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let words = words::held_together(people.len(), &ids, &trip.words());
        first.said.push(Said { topic: Topic::Held, words, is_critical: true, at: now, is_handed_on: false });
    }
    held
}
