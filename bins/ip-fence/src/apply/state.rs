//! From what is known of an application and what is seen to its next state, and at most one write. Pure.

use audit_model::{PortalText, Sentence};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::AddressList;

use super::back::{self, Back};
use super::entry::{Answer, Entry, Mark, Purpose, Put, State, Topic};
use super::merge;
use super::seen::{KEY_OUTLIVES, Next, ON_ITS_WAY, Read, Seen, Step};
use super::settle::settle;
use super::{why, words};

/// So long a question that fails is asked again before the way there is given up.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// The next state of an entry. A write leaves only once that state is kept; what it did is seen in the next step.
pub(crate) fn step(entry: &Entry, seen: &Seen<'_>) -> Step {
    let settled = settle(entry.clone(), seen);
    match settled.state {
        State::Planned | State::Widened | State::Narrowed => on_the_way(settled, seen),
        State::Switched => waiting(settled, seen),
        State::Reverting => revert(settled, seen),
        State::Confirmed | State::Restored | State::Conflict | State::Refused => after_end(settled),
    }
}

fn rest(entry: Entry) -> Step {
    Step { entry, next: Next::Rest }
}

fn look(entry: Entry) -> Step {
    Step { entry, next: Next::Look }
}

/// Something on the way has repeated a write of ours after the end, so that it has to be taken back once more.
fn after_end(entry: Entry) -> Step {
    let is_void = entry.puts.last().is_some_and(|put| put.is_void);
    if entry.state == State::Restored && is_void {
        let why = why::ARRIVED_AFTER_BACK.into();
        return rest(entry.into_state(State::Reverting, Some(why)));
    }
    rest(entry)
}

fn waiting(entry: Entry, seen: &Seen<'_>) -> Step {
    if let Some(order) = &entry.order {
        let why = why::ordered(&order.by, &order.why);
        return give_up(entry, why, seen);
    }
    if seen.is_past(&entry) {
        return give_up(entry, why::NOT_CONFIRMED_IN_TIME, seen);
    }
    let Ok(read) = seen.read else { return rest(entry) };
    let is_void = entry.puts.iter().any(|put| put.is_void);
    let is_lost = entry.foreign.is_empty() && read.list.enabled != entry.intent.enable_after;
    let is_taken_over = back::taken_over(&entry, &read.list).iter().any(|one| !entry.let_go.contains(one));
    match (is_void, is_lost, seen.is_calm()) {
        (true, _, true) => give_up(entry, why::ARRIVED_AFTER_NEXT, seen),
        (_, true, true) => give_up(entry, why::OTHER_SWITCH, seen),
        // what was read may be old
        (true, ..) | (_, true, _) => look(entry),
        _ if is_taken_over && !entry.foreign.is_empty() => look(entry),
        _ => rest(entry),
    }
}

fn on_the_way(entry: Entry, seen: &Seen<'_>) -> Step {
    if !seen.is_foreground {
        return give_up(entry, why::APPLIER_GONE, seen);
    }
    if let Some(order) = &entry.order {
        let why = why::ordered(&order.by, &order.why);
        return give_up(entry, why, seen);
    }
    if seen.is_past(&entry) {
        return give_up(entry, why::TIME_IS_OVER, seen);
    }
    match entry.puts.last() {
        Some(put) if !put.is_verified => verify(entry, seen),
        _ => advance(entry, seen),
    }
}

/// Looks for what the last write has done.
fn verify(entry: Entry, seen: &Seen<'_>) -> Step {
    let Some(put) = entry.puts.last() else { return rest(entry) };
    match &put.answer {
        Answer::Refused(why) => {
            let why = why::answered(why::NOT_TAKEN, why);
            return give_up(entry, why, seen);
        }
        Answer::Unknown(why) => {
            let why = why::answered(why::PERHAPS_TAKEN, why);
            return give_up(entry, why, seen);
        }
        Answer::None => return give_up(entry, why::INTERRUPTED, seen),
        Answer::Taken => {}
    }
    if put.is_raced {
        return give_up(entry, why::RACED, seen);
    }
    let Ok(read) = seen.read else { return unless_patient(entry, seen, why::NOT_READ_BACK) };
    if !merge::same(&read.list, &put.sent) {
        if !seen.is_calm() {
            return look(entry);
        }
        return give_up(entry, why::OTHER_LIST, seen);
    }
    if put.purpose == Purpose::Probe
        && let Err(why) = is_let_in(&entry, seen)
    {
        return match why {
            Some(why) => give_up(entry, why, seen),
            None => unless_patient(entry, seen, why::PROBE_NOT_NOTED),
        };
    }
    let mut entry = entry;
    let purpose = entry.puts.last_mut().map(|put| {
        put.is_verified = true;
        put.purpose
    });
    let state = match (entry.next_leg(), purpose) {
        (None, _) => State::Switched,
        (_, Some(Purpose::Widen)) => State::Widened,
        (_, Some(Purpose::Narrow)) => State::Narrowed,
        _ => entry.state,
    };
    entry = entry.into_state(state, None);
    if state == State::Switched {
        entry.switched = Some(seen.now());
        let words = words::switched(&entry);
        entry.say(Topic::Switched, seen.now(), words);
        return rest(entry);
    }
    advance(entry, seen)
}

/// Whether the address from which the portal saw the probe is in the list as it was and as it will be; `Err(None)`: not known yet.
fn is_let_in(entry: &Entry, seen: &Seen<'_>) -> Result<(), Option<Sentence>> {
    let Some(put) = entry.puts.last() else { return Err(None) };
    let Some(row) = seen.trail.rows.iter().find(|row| row.is_of(entry, put.number)) else { return Err(None) };
    let ip = row.ip.clone().unwrap_or_default();
    let holds = |list: &AddressList| list.entries.iter().any(|one| one.ip.raw() == ip && !ip.is_empty());
    if holds(&entry.intent.before) && holds(&entry.intent.after()) {
        return Ok(());
    }
    Err(Some(why::shut_out(&PortalText::new(ip))))
}

/// Makes the next write of the way there, if all is as it must be.
fn advance(entry: Entry, seen: &Seen<'_>) -> Step {
    let Some(leg) = entry.next_leg() else { return give_up(entry, why::NOTHING_TO_WRITE, seen) };
    let read = match may_write(&entry, seen) {
        Ok(read) => read,
        Err(Hindrance::NotYet(why)) => return unless_patient(entry, seen, why),
        Err(Hindrance::Never(why)) => return give_up(entry, why, seen),
    };
    let expected = entry.puts.last().map_or(&entry.intent.before, |put| &put.sent);
    if !merge::same(&read.list, expected) {
        return give_up(entry, why::CHANGED_SINCE, seen);
    }
    if entry.puts.iter().any(|put| put.is_raced) || !entry.foreign.is_empty() {
        return give_up(entry, why::WRITTEN_SINCE, seen);
    }
    let sent = entry.intent.sent(leg, &read.list);
    if let Some(trouble) = merge::trouble(&sent) {
        return give_up(entry, trouble, seen);
    }
    if let Some(odd) = entry.intent.add.iter().find(|added| !merge::is_portal_form(&added.entry)) {
        let why = why::never_matches(&odd.entry.ip);
        return give_up(entry, why, seen);
    }
    let read = read.list.clone();
    write(entry, leg.purpose, (read, sent), seen)
}

fn write(mut entry: Entry, purpose: Purpose, (read, sent): (AddressList, AddressList), seen: &Seen<'_>) -> Step {
    let number = entry.puts.last().map_or(1, |put| put.number + 1);
    entry.puts.push(Put {
        number,
        purpose,
        account: seen.guard.as_ref().ok().and_then(|guard| guard.account),
        read,
        sent,
        at: seen.now(),
        here: seen.clocks.here,
        known: seen.trail.rows.iter().map(|row| row.event).collect(),
        answer: Answer::None,
        arrived: None,
        events: Vec::<Mark>::new(),
        is_verified: false,
        is_raced: false,
        is_void: false,
    });
    Step { entry, next: Next::Write }
}

enum Hindrance {
    NotYet(Sentence),
    Never(Sentence),
}

/// Whether all that must be so before a write of the way there is so.
fn may_write<'s>(entry: &Entry, seen: &Seen<'s>) -> Result<&'s Read, Hindrance> {
    let read = seen.read.as_ref().map_err(|why| Hindrance::NotYet(why::answered(why::UNREAD, why)))?;
    let guard = seen.guard.as_ref().map_err(|why| Hindrance::NotYet(Sentence::quoted(why.as_str())))?;
    if !seen.trail.is_complete {
        return Err(Hindrance::NotYet(why::TRAIL_UNREAD.into()));
    }
    if seen.clocks.portal.is_none() {
        return Err(Hindrance::NotYet(why::NO_TIME.into()));
    }
    if is_other_portal(entry, read) {
        return Err(Hindrance::Never(why::OTHER_PORTAL_THAN_PLAN.into()));
    }
    if !guard.has_keys {
        return Err(Hindrance::Never(why::OLD_SERVER.into()));
    }
    if guard.key_ends.is_some_and(|end| end < entry.deadline() + KEY_OUTLIVES) {
        return Err(Hindrance::Never(why::KEY_ENDS.into()));
    }
    if guard.is_owner == entry.probes {
        return Err(Hindrance::Never(why::KEY_CHANGED.into()));
    }
    if !seen.is_quiet(entry) {
        return Err(Hindrance::NotYet(why::OTHERS_WRITE.into()));
    }
    Ok(read)
}

fn is_other_portal(entry: &Entry, read: &Read) -> bool {
    matches!((entry.intent.tenant, read.tenant), (Some(planned), Some(now)) if planned != now)
}

fn unless_patient(entry: Entry, seen: &Seen<'_>, why: impl Into<Sentence>) -> Step {
    if seen.waited < PATIENCE { look(entry) } else { give_up(entry, why, seen) }
}

/// Ends the way there: nothing was written, or it is taken back.
fn give_up(mut entry: Entry, why: impl Into<Sentence>, seen: &Seen<'_>) -> Step {
    let why = why.into();
    if entry.puts.is_empty() {
        let words = words::refused(&entry, &why);
        entry.say(Topic::Refused, seen.now(), words);
        (entry.ended, entry.ended_here) = (Some(seen.now()), Some(seen.clocks.here));
        return rest(entry.into_state(State::Refused, Some(why)));
    }
    let words = words::reverting(&entry, &why);
    entry.say(Topic::Reverting, seen.now(), words);
    revert(entry.into_state(State::Reverting, Some(why)), seen)
}

fn revert(entry: Entry, seen: &Seen<'_>) -> Step {
    let read = match seen.read {
        Ok(read) => read,
        Err(why) => {
            let why = Sentence::new(
                format!("the list cannot be read ({why})"),
                format!("die Liste lässt sich nicht lesen („{why}“)"),
            );
            return blocked(entry, why, seen);
        }
    };
    if is_other_portal(&entry, read) {
        return blocked(entry, why::OTHER_PORTAL, seen);
    }
    if !seen.trail.is_complete {
        return blocked(entry, why::TRAIL_UNREAD, seen);
    }
    if let Err(why) = seen.guard {
        return blocked(entry, Sentence::quoted(why.as_str()), seen);
    }
    if let Some(Answer::Refused(why)) =
        entry.puts.last().filter(|put| put.purpose == Purpose::Back).map(|put| &put.answer)
        && seen.has_written
    {
        let why = why::answer(why);
        return blocked(entry, why, seen);
    }
    let is_known = entry.puts.last().is_none_or(|put| put.arrived.is_some());
    let shows = entry.puts.last().is_some_and(|put| put.counts() && merge::same(&read.list, &put.sent));
    if !is_known || !seen.is_quiet(&entry) || !shows && !seen.is_calm() {
        return look(entry);
    }
    let mut entry = entry;
    if let Some(put) = entry.puts.last_mut().filter(|_| shows && seen.is_calm()) {
        put.is_verified = true;
    }
    // that nothing is left of a write is a guess until its own event is there
    let is_guess = entry.puts.iter().any(|put| put.is_void && put.events.is_empty());
    match back::next(&entry, &read.list) {
        // the event of whoever has switched it off may come late; meanwhile nobody is locked out
        Back::Send(sent) if back::repeats_switching_on(&entry, &read.list, &sent) && seen.waited < ON_ITS_WAY => {
            look(entry)
        }
        Back::Send(sent) => {
            let read = read.list.clone();
            write(entry, Purpose::Back, (read, sent), seen)
        }
        _ if !seen.is_calm() || is_guess && seen.waited < ON_ITS_WAY => look(entry),
        Back::Done => end(entry, State::Restored, None, seen),
        Back::Conflict(why) => end(entry, State::Conflict, Some(why), seen),
    }
}

/// An entry that a run leaves to the next one. What is still to be taken back then has not been so far, whatever the portal answers.
pub(crate) fn left(entry: &Entry, at: DateTime<Utc>) -> Entry {
    let mut entry = entry.clone();
    let is_said = entry.said.last().is_some_and(|said| said.topic == Topic::Blocked);
    if entry.state == State::Reverting && !is_said {
        let why = match entry.puts.last().map(|put| &put.answer) {
            Some(Answer::Refused(why) | Answer::Unknown(why)) => why::answer(why),
            Some(Answer::None | Answer::Taken) | None => why::NOT_SHOWN.into(),
        };
        let words = words::blocked(&entry, &why);
        entry.say(Topic::Blocked, at, words);
    }
    entry
}

fn blocked(mut entry: Entry, why: impl Into<Sentence>, seen: &Seen<'_>) -> Step {
    let words = words::blocked(&entry, &why.into());
    entry.say(Topic::Blocked, seen.now(), words);
    Step { entry, next: Next::Blocked }
}

fn end(mut entry: Entry, state: State, why: Option<Sentence>, seen: &Seen<'_>) -> Step {
    let (topic, words) = match &why {
        Some(why) => (Topic::Conflict, words::conflict(&entry, why)),
        None => (Topic::Restored, words::restored(&entry)),
    };
    entry.say(topic, seen.now(), words);
    (entry.ended, entry.ended_here) = (Some(seen.now()), Some(seen.clocks.here));
    let why = why.or(entry.why.clone());
    rest(entry.into_state(state, why))
}

#[cfg(test)]
mod tests;
