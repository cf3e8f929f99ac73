//! What people decide: who and why is kept, and each can be repeated without harm. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::suspend::entry::{Decided, Decision, Entry, Held, State, Topic};
use crate::suspend::terms::{APPROVED_FOR, FRESH};
use crate::suspend::words;

/// One decision about one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Of exactly the person that was shown.
    Approve {
        shown: Uuid,
    },
    Cancel,
    Keep,
    Extend {
        until: DateTime<Utc>,
    },
    Release,
}

/// Carries out a decision: the entry as it is now to be committed. `Ok` of the same entry when it was decided before.
///
/// # Errors
/// Why it cannot be decided any more, as a clause.
pub(crate) fn decide(
    entry: &Entry,
    command: &Command,
    (who, why): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Entry, String> {
    let noted = |what: Decided| {
        let mut entry = entry.clone();
        entry.decisions.push(Decision { what, who: who.to_owned(), why: why.to_owned(), at: now });
        entry
    };
    let name = || format!("it is {}", state(entry.state));
    match (command, entry.state) {
        (Command::Approve { shown }, _) if *shown != entry.person() => {
            Err("it is about another person than the one that was shown".to_owned())
        }
        (Command::Approve { .. }, State::Held) => match &entry.held {
            Some(Held::Person(why)) => Err(format!("it cannot be approved: {why}")),
            // decided before; that gives no more time
            _ if entry.decision(Decided::Approved).is_some_and(|before| now - before.at <= APPROVED_FOR) => {
                Ok(entry.clone())
            }
            _ if entry.decision(Decided::Approved).is_some() => {
                Err("it was approved before; an approval counts once, for 30 minutes".to_owned())
            }
            _ if now - entry.incident.last.at > FRESH => Err(format!(
                "it is too late: the last event was at {}, and an account is disabled only within 10 minutes of that; approve it if it goes on, or disable the account in the portal",
                words::moment(entry.incident.last.at)
            )),
            _ => Ok(noted(Decided::Approved)),
        },
        (Command::Approve { .. }, _) => Err(name()),
        (Command::Cancel, State::Cancelled) => Ok(entry.clone()),
        (Command::Cancel, state) if state.is_before() => {
            let words = words::cancelled(&entry.incident);
            let cancelled = noted(Decided::Cancelled).into_state(State::Cancelled, Some(why.into()));
            Ok(cancelled.say(Topic::Cancelled, now, words))
        }
        (Command::Cancel, _) => Err(format!("{}, so there is nothing to cancel; use `release`", name())),
        (Command::Keep, State::Kept) => Ok(entry.clone()),
        (Command::Keep, State::Done | State::ReleaseFailed | State::Unknown) => {
            let is_known = entry.decision(Decided::Kept).is_some();
            // whether there is anything to keep is still to be seen: the next run looks at the account first
            Ok(if is_known { entry.clone() } else { noted(Decided::Kept) })
        }
        (Command::Keep, _) => Err(name()),
        (Command::Extend { until }, State::Done) => extend(entry, noted(Decided::Extended), *until, now),
        (Command::Extend { .. }, _) => Err(name()),
        (Command::Release, State::Released) => Ok(entry.clone()),
        (Command::Release, _) if entry.decision(Decided::Kept).is_some() => {
            Err("it is to be kept; enable the account in the portal".to_owned())
        }
        (Command::Release, State::Done | State::ReleaseFailed | State::Unknown)
            if entry.decision(Decided::Released).is_some() =>
        {
            Ok(entry.clone())
        }
        (Command::Release, State::Done | State::ReleaseFailed) => {
            let mut entry = noted(Decided::Released);
            // whoever releases somebody has judged
            entry.judged_at = Some(now);
            Ok(entry)
        }
        (Command::Release, State::Unknown) => {
            Err("it is not known whether this program disabled the account; look at it in the portal".to_owned())
        }
        (Command::Release, _) => Err(name()),
    }
}

fn extend(entry: &Entry, mut noted: Entry, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<Entry, String> {
    let Some(before) = entry.deadline() else {
        return Err("no term ends it: it stays until somebody decides; use `release` or `keep`".to_owned());
    };
    if entry.decision(Decided::Released).is_some() {
        return Err("it is to be released".to_owned());
    }
    if entry.decision(Decided::Kept).is_some() {
        return Err("it is to be kept, and no term ends it".to_owned());
    }
    if until == before {
        return Ok(entry.clone());
    }
    if until <= before {
        return Err("the new end must be after the present one".to_owned());
    }
    if until - now > TimeDelta::days(30) {
        return Err("the new end must be within 30 days; use `keep` where it has no end".to_owned());
    }
    if let Some(intent) = noted.intent.as_mut() {
        intent.deadline = Some(until);
    }
    noted.warned_at = None;
    Ok(noted)
}

/// A state as the end of "it is …".
pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Planned => "planned",
        State::Held => "held",
        State::Waiting => "about to be carried out",
        State::Intended => "being carried out at this moment",
        State::Done => "done",
        State::Failed => "over: the account could not be disabled",
        State::Unknown => "not known to be done",
        State::Kept => "kept until somebody enables the account in the portal",
        State::Releasing => "being released at this moment",
        State::ReleaseFailed => "to be released, and the portal has not done so yet",
        State::Released => "released",
        State::Settled => "over: somebody else has decided about the account",
        State::Dropped => "over: it was not carried out",
        State::Cancelled => "cancelled",
    }
}
