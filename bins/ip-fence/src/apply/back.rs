//! What of our writes is still to be taken back. Pure.
//!
//! Never the old list: what is in the list now, less what we have added, and with what we have removed, as far as that was really us.

use std::collections::BTreeSet;

use audit_model::Sentence;
use docspace_client::{AddressList, ListEntry};

use super::entry::{Entry, Purpose, Put};
use super::{merge, why};

/// What is to be done next on the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    Send(AddressList),
    /// Everybody who could enter before can enter.
    Done,
    /// Why nothing more may be written.
    Conflict(Sentence),
}

/// The next write of the way back, over what the list is now.
pub(crate) fn next(entry: &Entry, now: &AddressList) -> Back {
    let before = &entry.intent.before;
    let switched = entry.puts.iter().rfind(|put| put.counts() && put.changes_switch());
    // what was seen to be taken back, and is not so any more, is others' doing
    let is_taken_back = |put: &&Put| put.purpose == Purpose::Back && put.is_verified;
    let is_switch_ours = now.enabled != before.enabled
        && switched.is_some_and(|put| put.sent.enabled == now.enabled || !is_taken_back(&put));
    if is_switch_ours && !before.enabled {
        return send(entry, now, AddressList { enabled: false, ..now.clone() });
    }
    let entries = restored(entry, now);
    if !merge::same_entries(&entries, &now.entries) {
        return send(entry, now, AddressList { entries, enabled: now.enabled });
    }
    if let Some(put) = entry.puts.iter().find(|put| put.counts() && is_in_doubt(put)) {
        return Back::Conflict(super::words::raced_delta(put));
    }
    if !is_switch_ours {
        return Back::Done;
    }
    // the list was on, and is off through us
    let last = switched.and_then(|put| put.events.first()).map(|own| own.event);
    if entry.foreign.keys().any(|event| last.is_none_or(|last| *event > last)) {
        return Back::Conflict(why::STAYS_OFF.into());
    }
    send(entry, now, AddressList { enabled: true, ..now.clone() })
}

/// Whether the list was switched on again before: it is off because that was lost, or because somebody else has switched it off since.
pub(crate) fn repeats_switching_on(entry: &Entry, now: &AddressList, sent: &AddressList) -> bool {
    let has_switched_on = |put: &Put| put.purpose == Purpose::Back && put.counts() && put.changes_switch();
    sent.enabled && !now.enabled && entry.puts.iter().any(has_switched_on)
}

fn send(entry: &Entry, now: &AddressList, list: AddressList) -> Back {
    let is_loosening = now.enabled && !list.enabled;
    match merge::trouble(&list) {
        Some(trouble) => Back::Conflict(why::cannot_be_sent(trouble)),
        // an addition goes only where it opens nothing that was closed before, or closes nothing that was open
        None if list.enabled && !entry.intent.before.enabled && !is_loosening => {
            Back::Conflict(why::ON_BUT_WAS_OFF.into())
        }
        None => Back::Send(list),
    }
}

/// What our writes have added and removed on the whole, without those that have overwritten somebody else's.
fn net(entry: &Entry, entry_of: &ListEntry) -> i64 {
    let delta = |put: &Put| signed(&put.sent.entries, entry_of) - signed(&put.read.entries, entry_of);
    entry.puts.iter().filter(|put| put.counts() && !is_in_doubt(put)).map(delta).sum()
}

fn signed(entries: &[ListEntry], entry: &ListEntry) -> i64 {
    i64::try_from(merge::count(entries, entry)).unwrap_or(i64::MAX)
}

/// The list without what we have added, and with what we have removed.
fn restored(entry: &Entry, now: &AddressList) -> Vec<ListEntry> {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for one in touched(entry).filter(|one| !entry.let_go.contains(one)) {
        let (net, here) = (net(entry, one), signed(&now.entries, one));
        let before = signed(&entry.intent.before.entries, one);
        let is_removal = entry.intent.remove.contains(one);
        for _ in 0..net.min(here).max(0) * i64::from(!is_removal) {
            remove.push(one.clone());
        }
        for _ in 0..(-net).min(before - here).max(0) * i64::from(is_removal) {
            add.push(one.clone());
        }
    }
    merge::changed(&now.entries, &add, &remove)
}

/// The reviewed difference, each entry once.
fn touched(entry: &Entry) -> impl Iterator<Item = &ListEntry> {
    let added = entry.intent.add.iter().map(|addition| &addition.entry);
    let touched: BTreeSet<&ListEntry> = added.chain(&entry.intent.remove).collect();
    touched.into_iter()
}

/// What we have added and is gone, or have removed and is there again: others have decided about it.
pub(crate) fn taken_over(entry: &Entry, now: &AddressList) -> Vec<ListEntry> {
    let is_taken_over = |one: &&ListEntry| {
        let (net, here) = (net(entry, one), signed(&now.entries, one));
        net > 0 && here == 0 || net < 0 && here >= signed(&entry.intent.before.entries, one)
    };
    touched(entry).filter(is_taken_over).cloned().collect()
}

/// Whether a write of the way there has overwritten somebody else's: then nobody can say what of it they wanted, too.
fn is_in_doubt(put: &Put) -> bool {
    put.is_raced && put.purpose != Purpose::Back && put.changes_entries()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::entry::State;
    use super::super::seen::{Clocks, Next, Read, Seen, Trail};
    use super::super::state::step;
    use super::super::testing::{entry, legs, put, written};
    use super::*;

    /// The list was on, is off, and is to be on again: is it off because that write was lost, or because somebody else wants it so?
    #[test]
    fn it_is_switched_on_again_only_once_late_events_are_there() {
        let [before, ..] = legs();
        let off = AddressList { enabled: false, ..before.clone() };
        let back = put(4, Purpose::Back, (off.clone(), before.clone()));
        let puts = vec![put(3, Purpose::Switch, (before, off.clone())), Put { is_verified: false, ..back }];
        let mut entry = Entry { state: State::Reverting, puts, ..entry() };
        entry.intent.enable_after = false;
        let at = written() + TimeDelta::minutes(3);
        let (read, trail) = (Ok(Read { list: off, tenant: Some(2) }), Trail { is_complete: true, ..Trail::default() });
        let seen = Seen::by_somebody((&read, &trail), Clocks { portal: Some(at), here: at });
        let next = |seconds| step(&entry, &Seen { waited: TimeDelta::seconds(seconds), ..seen }).next;
        assert_eq!((next(30), next(120)), (Next::Look, Next::Write));
        entry.puts.pop();
        let next = |seconds| step(&entry, &Seen { waited: TimeDelta::seconds(seconds), ..seen }).next;
        assert_eq!(next(30), Next::Write, "the first time");
    }
}
