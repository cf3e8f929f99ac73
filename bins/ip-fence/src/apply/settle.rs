//! What writes really did, by their events and by what is read. Pure.

use chrono::TimeDelta;

use super::back;
use super::entry::{Entry, Mark, Put, Topic};
use super::merge;
use super::seen::{ON_ITS_WAY, Row, STALE, Seen};
use super::words;

/// The portal dates events by whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// The entry with what is seen now of its writes and of those of others.
pub(crate) fn settle(mut entry: Entry, seen: &Seen<'_>) -> Entry {
    find_events(&mut entry, seen);
    find_fate(&mut entry, seen);
    find_foreign(&mut entry, seen);
    let is_known = entry.puts.last().is_some_and(|put| put.arrived.is_some());
    if let Ok(read) = seen.read
        && is_known
        && !entry.foreign.is_empty()
        && seen.is_calm()
    {
        let taken_over = back::taken_over(&entry, &read.list);
        entry.let_go.extend(taken_over);
        entry.let_go.sort();
        entry.let_go.dedup();
    }
    entry
}

fn find_events(entry: &mut Entry, seen: &Seen<'_>) {
    for at in 0..entry.puts.len() {
        let number = entry.puts[at].number;
        let rows = seen.trail.rows.iter().filter(|row| row.is_of(entry, number));
        let marks: Vec<Mark> = rows.map(|row| Mark { event: row.event, at: row.at }).collect();
        let put = &mut entry.puts[at];
        for mark in marks {
            if !put.events.contains(&mark) {
                put.events.push(mark);
                put.events.sort();
            }
            put.arrived = Some(true);
        }
    }
    for at in 1..entry.puts.len() {
        let (earlier, later) = entry.puts.split_at_mut(at);
        let repeats = earlier.iter().flat_map(|put| put.events.iter().skip(1));
        later[0].is_void = repeats.into_iter().any(|repeat| is_undone_by(&later[0], repeat, seen));
    }
}

/// Whether an earlier write that arrived once more has brought back what was sent then, after this one.
fn is_undone_by(put: &Put, repeat: &Mark, seen: &Seen<'_>) -> bool {
    let shows = || seen.is_calm() && seen.read.as_ref().is_ok_and(|read| merge::same(&read.list, &put.sent));
    match put.events.last() {
        Some(own) => own.event < repeat.event,
        // its own event is still to come, so only the list can tell
        None => !put.known.contains(&repeat.event) && !shows(),
    }
}

/// The last write is the only one whose fate can be open: none follows before it is known.
fn find_fate(entry: &mut Entry, seen: &Seen<'_>) {
    let is_over = seen.waited >= ON_ITS_WAY && seen.trail.is_complete;
    let Some(put) = entry.puts.last_mut().filter(|put| put.arrived != Some(true)) else { return };
    let Ok(read) = seen.read else { return };
    // servers before 3.7 write no events: there only the list can tell
    let shows = merge::same(&read.list, &put.sent) && !merge::same(&put.read, &put.sent);
    if is_over && shows && seen.trail.rows.is_empty() {
        put.arrived = Some(true);
    } else if is_over && put.arrived.is_none() {
        put.arrived = Some(false);
    }
}

/// Others' writes since the first of ours are told, and those that ours have overwritten above all.
fn find_foreign(entry: &mut Entry, seen: &Seen<'_>) {
    let Some(first) = entry.puts.first().map(|put| put.known.clone()) else { return };
    let foreign: Vec<Row> = seen.others(entry).filter(|row| !first.contains(&row.event)).cloned().collect();
    let foreign = foreign.iter();
    for row in foreign {
        let mut is_raced = false;
        for put in entry.puts.iter_mut().filter(|put| put.arrived == Some(true) && may_be_overwritten(row, put)) {
            put.is_raced = true;
            is_raced = true;
        }
        let before = entry.foreign.get(&row.event).copied();
        if before.is_none() || is_raced && before == Some(false) {
            let (topic, words) =
                if is_raced { (Topic::Raced, words::raced(row)) } else { (Topic::Foreign, words::foreign(row)) };
            entry.say(topic, seen.now(), words);
            entry.foreign.insert(row.event, is_raced);
        }
    }
}

/// Whether somebody else's write may have come between what was read for ours and ours: by the order of events, and by their dates, for
/// events can be written down late.
fn may_be_overwritten(row: &Row, put: &Put) -> bool {
    if put.known.contains(&row.event) {
        return false;
    }
    let own = put.events.last();
    let until = own.map_or(put.at, |own| own.at) + SECOND;
    own.is_some_and(|own| row.event < own.event) || (put.at - STALE..=until).contains(&row.at)
}
