//! What became of a call, by what can be seen afterwards: the account, and the portal's own row about it. Pure.

use audit_model::PersonStatus;
use chrono::{DateTime, TimeDelta, Utc};

use crate::suspend::entry::{Decided, Entry, Mark, State, Topic};
use crate::suspend::permit;
use crate::suspend::seen::{AccountNow, Answer, Seen};
use crate::suspend::state::settled;
use crate::suspend::terms::FRESH;
use crate::suspend::words;

/// Between two tries to end a suspension, at first and at most.
const BACK_OFF: (TimeDelta, TimeDelta) = (TimeDelta::minutes(5), TimeDelta::hours(1));

fn status(seen: &Seen<'_>) -> Option<PersonStatus> {
    match seen.account {
        AccountNow::There(account) => account.person.status,
        AccountNow::Gone | AccountNow::Unread(_) => None,
    }
}

/// Rows of this program about the person since the suspension was intended that no other entry explains, in their order.
fn own_rows(entry: &Entry, seen: &Seen<'_>) -> Vec<Mark> {
    let Some(intent) = &entry.intent else { return Vec::new() };
    let mut own = seen.trail.own(entry.person(), seen.situation.own, (intent.newest, intent.at));
    let others = seen.entries.iter().filter(|other| other.incident.id != entry.incident.id);
    let taken: Vec<i64> = others.flat_map(|other| other.own_rows.iter().copied()).collect();
    own.retain(|mark| !taken.contains(&mark.event));
    own
}

/// A row about the call has no later time. What is dated later is the work of somebody else who uses the key's account.
fn called_until(entry: &Entry, seen: &Seen<'_>) -> DateTime<Utc> {
    let intended = entry.intent.as_ref().map(|intent| intent.at);
    let answered = seen.answer.map(|_| seen.now());
    let looked = entry.looked_after.or(answered);
    intended.into_iter().chain(looked).max().unwrap_or(seen.now()) + FRESH
}

/// Why no term ends a suspension of which only the row tells, and not the answer to the call.
const UNANSWERED: &str = "the portal did not answer that the account was disabled, so somebody else who uses the account of this program's key may have done it";

/// An entry whose call to disable the account may have left.
///
/// Only the portal's own row proves that it did it: status 2 says nothing about whose decision it is. Where the portal has not answered the
/// call, the row may be about somebody who works with the key's account, so what it tells of is not undone without somebody's decision.
pub(crate) fn suspension(mut entry: Entry, seen: &Seen<'_>) -> Entry {
    let now = seen.now();
    let until = called_until(&entry, seen);
    let is_disabled = status(seen) == Some(PersonStatus::Disabled);
    let row = own_rows(&entry, seen).first().copied().filter(|row| row.at <= until);
    // while a call may still come, the row of an account that is enabled may be about somebody else
    let row = row.filter(|_| is_disabled || !may_come(&entry, seen));
    if let Some(row) = row {
        entry.own_rows.insert(row.event);
    }
    if *seen.account == AccountNow::Gone {
        return settled(entry, "the account is not there any more", seen);
    }
    let is_off = match status(seen) {
        Some(_) => is_disabled,
        None => return unknown(entry, "the account could not be read", seen),
    };
    let was_refused = matches!(seen.answer, Some(Answer::Refused(_) | Answer::SeatsFull));
    if let Some(row) = row {
        entry.row = Some(row);
        if is_off {
            if !is_answered(&entry, seen) {
                entry.incident.needs_decision.get_or_insert_with(|| UNANSWERED.to_owned());
            }
            let words = words::done(&entry);
            return entry.into_state(State::Done, None).say(Topic::Done, now, words);
        }
        if seen.foreign(&entry).is_some() {
            return settled(entry, "somebody else has changed the account since", seen);
        }
        // whether somebody has enabled it at once or it was never disabled, nobody is suspended for this again
        entry.judged_at = Some(now);
        return failed(entry, "the portal wrote that the account was disabled, but it is enabled", seen);
    }
    match seen.answer {
        Some(Answer::Refused(why)) => {
            let why = words::refusal(seen.account, seen.situation.own).unwrap_or_else(|| why.clone());
            return failed(entry, &why, seen);
        }
        Some(Answer::Ignored) if !is_off => {
            return failed(entry, "the portal said that it was done, and did nothing", seen);
        }
        _ if was_refused => return failed(entry, "the portal refused it", seen),
        _ => {}
    }
    if is_over(&entry, seen) && seen.foreign(&entry).is_some() {
        return settled(entry, "somebody else has changed the account since", seen);
    }
    if !is_off && is_over(&entry, seen) {
        return failed(entry, "the call had no effect", seen);
    }
    let why = if is_off {
        "the account is disabled, but the audit trail does not show that this program did it"
    } else {
        "the account is still enabled, but the call may be in progress"
    };
    unknown(entry, why, seen)
}

/// Whether a call that broke must be over by now: counted from when somebody looked after it, because a machine may sleep between the commit
/// and the call.
fn is_over(entry: &Entry, seen: &Seen<'_>) -> bool {
    let Ok(now) = permit::time(seen.clocks, seen.entries) else { return false };
    let since = entry.intent.iter().map(|intent| intent.at).chain(entry.looked_after).max();
    let is_long_ago = since.is_none_or(|since| now - since >= FRESH);
    entry.state == State::Unknown && seen.answer.is_none() && seen.trail.is_complete && is_long_ago
}

/// Whether a call to which the portal has not answered may still have its effect.
fn may_come(entry: &Entry, seen: &Seen<'_>) -> bool {
    let is_open = matches!(seen.answer, None | Some(Answer::Broke(_)));
    is_open && !is_answered(entry, seen) && !is_over(entry, seen)
}

/// Whether the portal has answered, now or in an earlier run, that the account is disabled.
fn is_answered(entry: &Entry, seen: &Seen<'_>) -> bool {
    let before = entry.intent.as_ref().is_some_and(|intent| intent.is_answered);
    before || seen.answer == Some(&Answer::Switched)
}

fn unknown(mut entry: Entry, why: &str, seen: &Seen<'_>) -> Entry {
    // somebody looks again in a moment
    if entry.state == State::Intended && !seen.is_last_look {
        return entry;
    }
    if entry.state == State::Unknown {
        return entry;
    }
    let is_answered = is_answered(&entry, seen);
    if let Some(intent) = entry.intent.as_mut() {
        intent.is_answered = is_answered;
    }
    let words = words::unknown(&entry.incident, why);
    entry.into_state(State::Unknown, Some(why.to_owned())).say(Topic::Unknown, seen.now(), words)
}

fn failed(entry: Entry, why: &str, seen: &Seen<'_>) -> Entry {
    let words = words::failed(&entry.incident, why, seen.account);
    entry.into_state(State::Failed, Some(why.to_owned())).say(Topic::Failed, seen.now(), words)
}

/// An entry whose call to enable the account may have left, now or in an earlier run.
pub(crate) fn release(mut entry: Entry, seen: &Seen<'_>) -> Entry {
    let now = seen.now();
    let Some(tried) = entry.tried.clone() else { return entry };
    let is_ours = |mark: &Mark| mark.event > tried.newest || mark.at >= tried.at;
    let first = entry.row.map(|row| row.event);
    let own = own_rows(&entry, seen);
    let row = own.into_iter().find(|mark| Some(mark.event) != first && is_ours(mark));
    if let Some(row) = row {
        entry.own_rows.insert(row.event);
    }
    let was_refused = matches!(seen.answer, Some(Answer::Refused(_) | Answer::SeatsFull));
    if *seen.account == AccountNow::Gone {
        return settled(entry, "the account is not there any more", seen);
    }
    if seen.foreign(&entry).is_some() {
        return settled(entry, "somebody else has changed the account at the same time", seen);
    }
    match (status(seen), entry.state) {
        (Some(PersonStatus::Active), State::Releasing) if was_refused => {
            settled(entry, "somebody else has enabled the account", seen)
        }
        (Some(PersonStatus::Active), State::ReleaseFailed) if tried.all_refused => {
            settled(entry, "somebody else has enabled the account", seen)
        }
        (Some(PersonStatus::Active), _) => {
            let words = words::released(&entry.incident);
            if entry.decision(Decided::Released).is_some() {
                // by the portal's clock, whatever time it was where somebody decided so
                entry.judged_at = entry.judged_at.max(Some(now));
            }
            entry.into_state(State::Released, None).say(Topic::Released, now, words)
        }
        (Some(PersonStatus::Pending), _) => {
            settled(entry, "the portal made an invitation of the account that has to be accepted again", seen)
        }
        (Some(PersonStatus::Disabled), _) if row.is_some() => {
            settled(entry, "the audit trail shows that this program enabled the account, but it is disabled", seen)
        }
        (_, State::ReleaseFailed) => entry,
        (status, _) => {
            // somebody looks again in a moment
            if !seen.is_last_look && !was_refused {
                return entry;
            }
            let why = match (seen.answer, status) {
                (Some(Answer::SeatsFull), _) => "the portal has no free seat".to_owned(),
                (Some(Answer::Refused(why)), _) => {
                    words::refusal(seen.account, seen.situation.own).unwrap_or_else(|| why.clone())
                }
                (Some(Answer::Ignored), _) => "the portal said that it was done, and did nothing".to_owned(),
                (_, None) => "the account could not be read".to_owned(),
                _ => "the call had no effect yet".to_owned(),
            };
            release_failed(entry, &why, was_refused, now)
        }
    }
}

fn release_failed(mut entry: Entry, why: &str, was_refused: bool, now: DateTime<Utc>) -> Entry {
    if let Some(tried) = entry.tried.as_mut() {
        tried.all_refused &= was_refused;
        let (first, most) = BACK_OFF;
        let mut pause = first;
        for _ in 1..tried.number.min(10) {
            pause = (pause * 2).min(most);
        }
        // a call that broke may still be in progress
        let least = if was_refused { first } else { FRESH };
        tried.next = now + pause.max(least);
    }
    let words = words::release_failed(&entry.incident, why);
    entry.into_state(State::ReleaseFailed, Some(why.to_owned())).say(Topic::ReleaseFailed, now, words)
}
