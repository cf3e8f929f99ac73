//! What became of a call, by what can be seen afterwards: the account, and the portal's own row about it. Pure.

use audit_model::{PersonStatus, Sentence};
use chrono::{DateTime, TimeDelta, Utc};

use crate::suspend::entry::{Decided, Entry, Mark, State, Topic};
use crate::suspend::permit;
use crate::suspend::seen::{AccountNow, Answer, Seen};
use crate::suspend::state::settled;
use crate::suspend::terms::FRESH;
use crate::suspend::why;
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
        return settled(entry, why::GONE, seen);
    }
    let is_off = match status(seen) {
        Some(_) => is_disabled,
        None => return unknown(entry, why::UNREAD, seen),
    };
    let was_refused = matches!(seen.answer, Some(Answer::Refused(_) | Answer::SeatsFull));
    if let Some(row) = row {
        entry.row = Some(row);
        if is_off {
            if !is_answered(&entry, seen) {
                entry.incident.needs_decision.get_or_insert_with(|| why::UNANSWERED.into());
            }
            let words = words::done(&entry);
            return entry.into_state(State::Done, None).say(Topic::Done, now, words);
        }
        if seen.foreign(&entry).is_some() {
            return settled(entry, why::CHANGED, seen);
        }
        // whether somebody has enabled it at once or it was never disabled, nobody is suspended for this again
        entry.judged_at = Some(now);
        return failed(entry, why::ROW_WITHOUT_EFFECT, seen);
    }
    match seen.answer {
        Some(Answer::Refused(why)) => {
            return failed(entry, refusal(why, seen), seen);
        }
        Some(Answer::Ignored) if !is_off => {
            return failed(entry, why::IGNORED, seen);
        }
        _ if was_refused => return failed(entry, why::REFUSED, seen),
        _ => {}
    }
    if is_over(&entry, seen) && seen.foreign(&entry).is_some() {
        return settled(entry, why::CHANGED, seen);
    }
    if !is_off && is_over(&entry, seen) {
        return failed(entry, why::NO_EFFECT, seen);
    }
    let why = if is_off { why::NOT_SHOWN } else { why::IN_PROGRESS };
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

fn unknown(mut entry: Entry, why: impl Into<Sentence>, seen: &Seen<'_>) -> Entry {
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
    let why = why.into();
    let words = words::unknown(&entry.incident, &why);
    entry.into_state(State::Unknown, Some(why)).say(Topic::Unknown, seen.now(), words)
}

fn failed(entry: Entry, why: impl Into<Sentence>, seen: &Seen<'_>) -> Entry {
    let why = why.into();
    let words = words::failed(&entry.incident, &why, seen.account);
    entry.into_state(State::Failed, Some(why)).say(Topic::Failed, seen.now(), words)
}

/// Why the portal refuses: by what the account is now, or as the portal has answered.
fn refusal(answer: &str, seen: &Seen<'_>) -> Sentence {
    words::refusal(seen.account, seen.situation.own).unwrap_or_else(|| Sentence::quoted(answer))
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
        return settled(entry, why::GONE, seen);
    }
    if seen.foreign(&entry).is_some() {
        return settled(entry, why::CHANGED_MEANWHILE, seen);
    }
    match (status(seen), entry.state) {
        (Some(PersonStatus::Active), State::Releasing) if was_refused => settled(entry, why::ENABLED_BY_OTHERS, seen),
        (Some(PersonStatus::Active), State::ReleaseFailed) if tried.all_refused => {
            settled(entry, why::ENABLED_BY_OTHERS, seen)
        }
        (Some(PersonStatus::Active), _) => {
            let words = words::released(&entry.incident);
            if entry.decision(Decided::Released).is_some() {
                // by the portal's clock, whatever time it was where somebody decided so
                entry.judged_at = entry.judged_at.max(Some(now));
            }
            entry.into_state(State::Released, None).say(Topic::Released, now, words)
        }
        (Some(PersonStatus::Pending), _) => settled(entry, why::INVITED_AGAIN, seen),
        (Some(PersonStatus::Disabled), _) if row.is_some() => settled(entry, why::DISABLED_AGAIN, seen),
        (_, State::ReleaseFailed) => entry,
        (status, _) => {
            // somebody looks again in a moment
            if !seen.is_last_look && !was_refused {
                return entry;
            }
            let why = match (seen.answer, status) {
                (Some(Answer::SeatsFull), _) => why::NO_SEAT.into(),
                (Some(Answer::Refused(why)), _) => refusal(why, seen),
                (Some(Answer::Ignored), _) => why::IGNORED.into(),
                (_, None) => why::UNREAD.into(),
                _ => why::NO_EFFECT_YET.into(),
            };
            release_failed(entry, why, was_refused, now)
        }
    }
}

fn release_failed(mut entry: Entry, why: Sentence, was_refused: bool, now: DateTime<Utc>) -> Entry {
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
    let words = words::release_failed(&entry.incident, &why);
    entry.into_state(State::ReleaseFailed, Some(why)).say(Topic::ReleaseFailed, now, words)
}
