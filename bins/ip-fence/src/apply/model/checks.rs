//! What must never happen, judged by what really happened.

use std::collections::BTreeSet;

use docspace_client::{AddressList, ListEntry};

use super::super::entry::{Entry, Purpose, State, Topic};
use super::super::hook;
use super::super::merge;
use super::super::seen::{Clocks, is_past};
use super::world::{Happened, World, shown};

impl World {
    /// Right before a write: it is kept, holds what was read and the reviewed difference, and is no blind repetition.
    pub(super) fn check_put(&mut self, list: &AddressList) {
        if !std::mem::take(&mut self.may_write) {
            self.accuse("a write of a run that may have lost its lease".to_owned());
        }
        let Some(entry) = self.ledger.clone() else { return self.accuse("a write that is not kept".to_owned()) };
        if !self.has_marker {
            self.accuse("a write, and no file says so if the store is lost".to_owned());
        }
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
        if let Some((trouble, _)) = merge::trouble(list) {
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

    /// The entries if nothing of others' was overwritten, with ours where they first arrived.
    fn confirmed(&self, entry: &Entry, before: &AddressList) -> Vec<ListEntry> {
        let mut arrived = BTreeSet::new();
        self.happened.iter().fold(before.entries.clone(), |entries, one| {
            let Some(tag) = &one.tag else { return merge::changed(&entries, &one.wanted.0, &one.wanted.1) };
            let put = entry.puts.iter().find(|put| entry.tag(put.number) == *tag && arrived.insert(put.number));
            let Some(put) = put else { return entries };
            let added = merge::difference(&put.sent.entries, &put.read.entries);
            merge::changed(&entries, &added, &merge::difference(&put.read.entries, &put.sent.entries))
        })
    }

    /// Others' writes of which nothing was left by a write of ours, because what was read for it was older.
    fn overwritten(&self) -> Vec<&Happened> {
        let Some(entry) = &self.ledger else { return Vec::new() };
        let is_lost = |at: usize| {
            entry.puts.iter().any(|put| {
                let tag = entry.tag(put.number);
                let last = self.happened.iter().rposition(|one| one.tag.as_deref() == Some(tag.as_str()));
                self.read_for.get(&put.number).is_some_and(|read| read.had <= at && last.is_some_and(|last| at < last))
            })
        };
        let others = self.happened.iter().enumerate().filter(|(_, one)| one.tag.is_none());
        others.filter(|(at, _)| is_lost(*at)).map(|(_, one)| one).collect()
    }

    /// A run has ended: what it should have taken back, and has not, is critical.
    pub(super) fn check_left(&mut self, left: &Entry) {
        let is_told = left.said.iter().any(|said| said.topic == Topic::Blocked);
        // somebody may have asked for it only when the run had seen all
        let has_begun = left.puts.last().is_some_and(|put| put.purpose == Purpose::Back);
        if left.state == State::Reverting && has_begun && !is_told {
            self.accuse(format!("it is not taken back, and nobody is told: {:?}", left.why));
        }
    }

    /// A run that watches has ended, and has found the application in a state `before`: what is left for the next one makes it end with 1.
    pub(super) fn check_exit(&mut self, before: Option<State>, after: &Entry) {
        let Some(before) = before else { return };
        let clocks = Clocks { portal: (!self.is_down).then(|| self.portal_now()), here: self.here_now() };
        let says = hook::left(before, after, clocks);
        let is_left = after.state.is_open() && (after.state != State::Switched || is_past(after, clocks));
        if is_left && says.is_none() {
            self.accuse(format!("a run leaves it {}, and ends with 0", after.state.word()));
        }
        self.reach(if says.is_some() { "ended with 1" } else { "ended with 0" });
    }

    /// One run has ended after the deadline, with all quiet.
    pub(super) fn check_first_run(&mut self) {
        if let Some(entry) = self.ledger.clone().filter(|entry| entry.state.is_open()) {
            self.accuse(format!("a run after the deadline leaves it {}: {:?}", entry.state.word(), entry.why));
        }
    }

    /// All is over and quiet.
    pub(super) fn check_end(&mut self, before: &AddressList) {
        let Some(entry) = self.ledger.clone() else { return };
        self.reach(super::name_of(entry.state));
        if entry.state.is_open() {
            return self.accuse(format!("it ends as {}: {:?}", entry.state.word(), entry.why));
        }
        self.check_told(&entry);
        self.check_switch(&entry, before);
        self.check_entries(&entry, before);
    }

    /// Others' writes are told: those since the first read, and above all those that were overwritten.
    fn check_told(&mut self, entry: &Entry) {
        let first = entry.puts.iter().find_map(|put| self.read_for.get(&put.number)).map(|read| read.at);
        let last = self.happened.iter().filter(|one| one.tag.is_some()).map(|one| one.at).max();
        let is_between =
            |one: &&Happened| first.is_some_and(|first| one.at >= first) && last.is_some_and(|last| one.at <= last);
        let others = self.happened.iter().filter(|one| one.tag.is_none());
        let silent = others.filter(is_between).filter(|one| !entry.foreign.contains_key(&one.event));
        let silent: Vec<i64> = silent.map(|one| one.event).collect();
        let raced: Vec<i64> = self.overwritten().iter().map(|one| one.event).collect();
        let as_kept: Vec<i64> = raced.iter().copied().filter(|event| entry.foreign.get(event) != Some(&true)).collect();
        if !raced.is_empty() {
            self.reach("raced");
        }
        if !silent.is_empty() {
            self.accuse(format!("others wrote while this did, and nobody was told: {silent:?}"));
        }
        if !as_kept.is_empty() {
            self.accuse(format!("others' writes were overwritten, and nobody was told: {as_kept:?}"));
        }
        let says = |topic: Topic| entry.said.iter().any(|said| said.topic == topic);
        for (state, topic) in [(State::Conflict, Topic::Conflict), (State::Restored, Topic::Restored)] {
            if entry.state == state && !says(topic) {
                self.accuse(format!("it ends as {} without a word", state.word()));
            }
        }
    }

    /// Others' last word counts. Where they had none, it is as it was, or as it was confirmed.
    fn check_switch(&mut self, entry: &Entry, before: &AddressList) {
        let now = self.list.enabled;
        let toggles = self.happened.iter().filter(|one| one.tag.is_none() && one.wanted.2.is_some()).count();
        let is_raced = self.overwritten().iter().any(|one| one.wanted.2.is_some());
        let expected = if toggles > 0 { self.ideal(before).enabled } else { before.enabled };
        match entry.state {
            State::Confirmed if toggles == 0 && now != entry.intent.enable_after => {
                self.accuse("confirmed, and the switch is not as planned".to_owned());
            }
            // off is also where others switched it on before this saw that it had taken it back: that cannot be told from a switch that was lost
            State::Restored | State::Refused
                if toggles < 2 && !is_raced && (now && !expected || toggles == 0 && now != expected) =>
            {
                self.accuse(format!("the switch is not as it was, or as others wanted it: on is {now}"));
            }
            // off is what nobody is locked out by, and somebody is told
            State::Conflict if toggles == 0 && now && !before.enabled => {
                self.accuse("locked out: the list is on, was off before, and nobody has confirmed it".to_owned());
            }
            _ => {}
        }
    }

    fn check_entries(&mut self, entry: &Entry, before: &AddressList) {
        let expected = match entry.state {
            State::Confirmed => self.confirmed(entry, before),
            _ => self.ideal(before).entries,
        };
        let others: Vec<Happened> = self.happened.iter().filter(|one| one.tag.is_none()).cloned().collect();
        let lost: Vec<ListEntry> = self.overwritten().iter().flat_map(|one| one.entries().cloned()).collect();
        let all: BTreeSet<ListEntry> = expected.iter().chain(&self.list.entries).cloned().collect();
        let mut wrong = Vec::new();
        for one in all.iter().filter(|one| !lost.contains(one)) {
            let is_of_delta = entry.intent.touches(one);
            // what others meant by it nobody can tell, and somebody is told
            if is_of_delta && (entry.state == State::Conflict || is_both_ways(&others, one)) {
                continue;
            }
            let (is, should) = (merge::count(&self.list.entries, one), merge::count(&expected, one));
            let is_shared = is_of_delta && others.iter().any(|other| other.entries().any(|other| other == one));
            // of what both others and we touch, one is as good as two
            if is_shared && (is > 0) != (should > 0) || !is_shared && is != should {
                wrong.push(format!("{} {is} times and not {should}", one.ip.raw()));
            }
        }
        if !wrong.is_empty() {
            let list = shown(&self.list);
            self.accuse(format!("{}, and the list is {list}: {}", entry.state.word(), wrong.join(", ")));
        }
    }
}

/// Whether others have both put an entry in and taken it out: between two looks of ours that cannot be told from nobody.
fn is_both_ways(others: &[Happened], one: &ListEntry) -> bool {
    others.iter().any(|other| other.wanted.0.contains(one)) && others.iter().any(|other| other.wanted.1.contains(one))
}
