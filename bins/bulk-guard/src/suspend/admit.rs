//! Which incidents become entries, and which only grow. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::suspend::entry::{Decided, Entry, Incident, Mark, Said, State, Topic};
use crate::suspend::marker::Off;
use crate::suspend::seen::Trail;
use crate::suspend::terms::{DECIDED_FOR, FOLLOWED_FOR, FRESH};
use crate::suspend::why;
use crate::suspend::words;

/// Whoever goes on so soon goes on with the same, whatever was seen in between.
const GOES_ON_WITHIN: TimeDelta = TimeDelta::minutes(30);

/// After somebody has cancelled, more than so many times the number is another incident.
const FORGIVEN_TIMES: u64 = 2;

/// Takes in what a plan would suspend people for: entries that are new, and those that have grown.
///
/// An incident of a person that begins before a known one of theirs has been over for half an hour is that one, whatever it is called: windows slide, and late rows
/// come before the first.
pub(crate) fn admit(
    entries: &[Entry],
    proposals: &[Incident],
    enforced_since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<Entry> {
    let mut changed: Vec<Entry> = Vec::new();
    for proposal in proposals {
        let known = |entry: &&Entry| is_same(entry, proposal);
        let known = changed.iter().rfind(known).or_else(|| entries.iter().rfind(known)).cloned();
        let next = match known {
            Some(known) => grown(&known, proposal),
            None => {
                let is_wanted = enforced_since.is_some_and(|since| proposal.first.at > since);
                let is_fresh = !proposal.is_late && now - proposal.last.at <= FRESH;
                let is_new = is_wanted && is_fresh && !is_forgiven(entries, proposal, now);
                is_new.then(|| Entry::new(proposal.clone(), now))
            }
        };
        if let Some(next) = next {
            changed.retain(|other| other.incident.id != next.incident.id);
            changed.push(next);
        }
    }
    changed
}

fn is_same(entry: &Entry, proposal: &Incident) -> bool {
    let is_persons = entry.person() == proposal.person && !is_lost(entry);
    entry.incident.id == proposal.id || is_persons && proposal.first.at <= entry.incident.last.at + GOES_ON_WITHIN
}

/// What has come to an incident since; `None` when nothing has.
fn grown(entry: &Entry, proposal: &Incident) -> Option<Entry> {
    let mut grown = entry.clone();
    let incident = &mut grown.incident;
    if proposal.last > incident.last {
        incident.last = proposal.last;
        incident.documents = incident.documents.max(proposal.documents);
        incident.reason.clone_from(&proposal.reason);
    }
    if entry.state.is_before() {
        incident.is_late |= proposal.is_late;
    }
    // a sign that comes later counts for the end all the same
    incident.is_ransomware |= proposal.is_ransomware;
    let new: Vec<String> = proposal.strong.iter().filter(|sign| !incident.strong.contains(sign)).cloned().collect();
    incident.strong.extend(new);
    if incident.needs_decision.is_none() {
        incident.needs_decision.clone_from(&proposal.needs_decision);
    }
    (grown != *entry).then_some(grown)
}

/// Whether somebody has cancelled the same a day ago at most.
fn is_forgiven(entries: &[Entry], proposal: &Incident, now: DateTime<Utc>) -> bool {
    if proposal.is_ransomware {
        return false;
    }
    entries.iter().any(|entry| {
        let incident = &entry.incident;
        let is_same = entry.person() == proposal.person && incident.class == proposal.class;
        let cancelled = entry.decision(Decided::Cancelled).is_some_and(|decision| now - decision.at < DECIDED_FOR);
        is_same && cancelled && proposal.documents <= incident.documents.saturating_mul(FORGIVEN_TIMES)
    })
}

/// Class of what is told of rows that no entry explains.
const LOST: &str = "lost";

fn is_lost(entry: &Entry) -> bool {
    entry.incident.class == LOST
}

/// What is to be told of rows in which the key's account switched somebody on or off, and no entry says why. Nobody is released for them.
pub(crate) fn lost(trail: &Trail, own: Uuid, entries: &[Entry], now: DateTime<Utc>) -> Vec<Entry> {
    let mut lost = Vec::new();
    for row in trail.unexplained_switches(own, entries) {
        for person in &row.targets {
            let id = format!("row {} {person}", row.mark.event);
            if entries.iter().any(|entry| entry.incident.id == id) {
                continue;
            }
            let mut entry = Entry::new(unexplained(id, *person, row.mark), now);
            entry.state = State::Settled;
            let words = words::lost(*person, row.mark.at);
            entry.said.push(Said { topic: Topic::Settled, words, is_critical: true, at: now, is_handed_on: false });
            lost.push(entry);
        }
    }
    lost
}

/// What is to be told of somebody who is off, and of whom only the file beside the store knows. Nobody is released for it.
pub(crate) fn forgotten(off: &Off, now: DateTime<Utc>) -> Entry {
    let mark = Mark { event: 0, at: now };
    let mut entry = Entry::new(unexplained(format!("lost {}", off.incident), off.person, mark), now);
    entry.state = State::Settled;
    let words = off.words();
    entry.said.push(Said { topic: Topic::Settled, words, is_critical: true, at: now, is_handed_on: false });
    entry
}

fn unexplained(id: String, person: Uuid, mark: Mark) -> Incident {
    Incident {
        fingerprint: id.clone(),
        id,
        person,
        name: person.to_string(),
        matter: None,
        reason: why::TRAIL_SAYS_SO.into(),
        class: LOST.to_owned(),
        documents: 0,
        strong: Vec::new(),
        is_ransomware: false,
        needs_decision: Some(why::NOBODY_REMEMBERS.into()),
        first: mark,
        last: mark,
        is_late: false,
        links: Vec::new(),
    }
}

/// From when on the audit trail has to be known: since the oldest suspension that is followed, a day at least, and no longer than it is
/// remembered.
pub(crate) fn trail_since(entries: &[Entry], now: DateTime<Utc>) -> DateTime<Utc> {
    let open = entries.iter().filter(|entry| entry.needs_trail(now));
    let oldest = open.filter_map(|entry| Some(entry.intent.as_ref()?.at)).min();
    // rows come late, and clocks are not quite equal
    oldest.unwrap_or(now).min(now - DECIDED_FOR).max(now - FOLLOWED_FOR) - TimeDelta::hours(2)
}
