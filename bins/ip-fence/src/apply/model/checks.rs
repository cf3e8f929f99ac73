//! What must never happen, judged by what really happened.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use docspace_client::{AddressList, ListEntry};

use super::super::entry::{Entry, Purpose, State, Topic};
use super::super::merge;
use super::world::{Happened, World, shown};

/// A read may be so old.
const STALE: TimeDelta = TimeDelta::seconds(15);

impl World {
    /// Right before a write: it is kept, holds what was read and the reviewed difference, and is no blind repetition.
    pub(super) fn check_put(&mut self, list: &AddressList) {
        let Some(entry) = self.ledger.clone() else { return self.accuse("a write that is not kept".to_owned()) };
        let Some((put, before)) = entry.puts.split_last() else {
            return self.accuse("a write that is not kept".to_owned());
        };
        if put.sent != *list {
            self.accuse("a write that is not kept as it is sent".to_owned());
        }
        if !entry.state.is_open() {
            self.accuse(format!("a write in the state {}", entry.state.word()));
        }
        if entry.state == State::Reverting && put.purpose != Purpose::Back {
            self.accuse("a write of the way there while it is taken back".to_owned());
        }
        let added = merge::difference(&put.sent.entries, &put.read.entries);
        let removed = merge::difference(&put.read.entries, &put.sent.entries);
        if added.iter().chain(&removed).any(|one| !entry.intent.touches(one)) {
            self.accuse(format!("a write changes others' entries: +{added:?} -{removed:?}"));
        }
        if let Some(trouble) = merge::trouble(list) {
            self.accuse(format!("a write that shuts everybody out: {trouble}"));
        }
        if before.last().is_some_and(|last| last.arrived.is_none()) {
            self.accuse("a write while nobody knows what the one before has done".to_owned());
        }
        let is_switching_on = put.sent.enabled && !put.read.enabled;
        if is_switching_on && put.changes_entries() {
            self.accuse("switched on together with a change of entries".to_owned());
        }
    }

    pub(super) fn check_commit(&mut self, entry: &Entry) {
        let before = self.ledger.as_ref().map(|entry| entry.state);
        if before != Some(entry.state) {
            self.note(|| format!("kept as {}: {:?}", entry.state.word(), entry.why));
            if entry.state == State::Switched {
                self.reach("switched");
            }
        }
    }

    /// What the list would be if we had never written: what others wanted, one after the other.
    fn ideal(&self, before: &AddressList) -> AddressList {
        self.happened.iter().filter(|one| one.tag.is_none()).fold(before.clone(), |list, one| {
            let (add, remove, switch) = &one.wanted;
            AddressList { entries: merge::changed(&list.entries, add, remove), enabled: switch.unwrap_or(list.enabled) }
        })
    }

    /// Whether somebody else wrote between what was read for a write of ours and its arrival.
    fn is_raced(&self, other: &Happened) -> bool {
        let Some(entry) = &self.ledger else { return false };
        let is_of = |one: &&Happened, number: u32| one.tag.as_deref() == Some(entry.tag(number).as_str());
        entry.puts.iter().any(|put| {
            let read = self.read_at.get(&put.number).copied().unwrap_or(self.now);
            let arrivals = self.happened.iter().filter(|one| is_of(one, put.number));
            arrivals.map(|one| one.at).max().is_some_and(|last| (read - STALE..=last).contains(&other.at))
        })
    }

    /// All is over and quiet.
    pub(super) fn check_end(&mut self, before: &AddressList) {
        let Some(entry) = self.ledger.clone() else { return };
        self.reach(super::name_of(entry.state));
        if entry.state.is_open() {
            return self.accuse(format!("it ends as {}: {:?}", entry.state.word(), entry.why));
        }
        let others: Vec<Happened> = self.happened.iter().filter(|one| one.tag.is_none()).cloned().collect();
        let first = entry.puts.iter().map(|put| put.number).min().and_then(|number| self.read_at.get(&number)).copied();
        let last = self.happened.iter().filter(|one| one.tag.is_some()).map(|one| one.at).max();
        let raced: Vec<&Happened> = others.iter().filter(|one| self.is_raced(one)).collect();
        let (is_raced, mut silent) = (!raced.is_empty(), Vec::new());
        for one in &others {
            let is_between = first.is_some_and(|first| one.at >= first) && last.is_some_and(|last| one.at <= last);
            if is_between && !entry.foreign.contains_key(&one.event) {
                silent.push(one.event);
            }
        }
        let untold = raced.iter().filter(|one| entry.foreign.get(&one.event) == Some(&false)).count();
        if is_raced {
            self.reach("raced");
        }
        if !silent.is_empty() {
            self.accuse(format!("others wrote while this did, and nobody was told: {silent:?}"));
        }
        if untold > 0 {
            self.reach("raced, and told as kept");
        }
        // whoever takes an entry of ours out and puts it in again between two looks of ours cannot be told from nobody
        let times = |one: &ListEntry| {
            others.iter().filter(|other| other.wanted.0.contains(one) || other.wanted.1.contains(one)).count()
        };
        let mut twice: Vec<ListEntry> = entry.intent.added();
        twice.extend(entry.intent.remove.clone());
        twice.retain(|one| times(one) > 1);
        // of what both others and we touch, one is as good as two
        let once = |list: AddressList| {
            let (touched, mut entries): (Vec<_>, Vec<_>) =
                list.entries.into_iter().filter(|one| !twice.contains(one)).partition(|one| entry.intent.touches(one));
            entries.extend(touched.into_iter().collect::<BTreeSet<_>>());
            AddressList { entries, enabled: list.enabled }
        };
        let plain = self.ideal(before);
        let ideal = once(plain.clone());
        let list = once(self.list.clone());
        let is_told = entry.said.iter().any(|said| matches!(said.topic, Topic::Raced | Topic::Conflict));
        let toggled = others.iter().any(|one| one.wanted.2.is_some());
        match entry.state {
            State::Confirmed => {
                let entries = merge::changed(&plain.entries, &entry.intent.added(), &entry.intent.remove);
                let entries = once(AddressList { entries, ..plain }).entries;
                if !is_raced && others.is_empty() && !merge::same_entries(&entries, &list.entries) {
                    self.accuse(format!("confirmed, and the list is {}", shown(&list)));
                }
                if !toggled && list.enabled != entry.intent.enable_after {
                    self.accuse("confirmed, and the switch is not as planned".to_owned());
                }
            }
            _ => {
                if !toggled && list.enabled && !ideal.enabled {
                    self.accuse("locked out: the list is on, was off before, and nobody has confirmed it".to_owned());
                }
                let is_lost = !merge::difference(&ideal.entries, &list.entries).is_empty();
                if list.enabled && is_lost && !is_told {
                    self.accuse(format!("locked out in silence: {} and not {}", shown(&list), shown(&ideal)));
                }
                if !merge::same_entries(&list.entries, &ideal.entries) && !is_told {
                    self.accuse(format!("lost or undone in silence: {} and not {}", shown(&list), shown(&ideal)));
                }
                if !is_raced && !toggled && entry.state != State::Conflict && !merge::same(&list, &ideal) {
                    self.accuse(format!("not as before: {} and not {}", shown(&list), shown(&ideal)));
                }
            }
        }
    }
}
