//! What follows by itself for an entry, in words. Pure.

use chrono::{DateTime, Utc};

use crate::suspend::entry::{Decided, Entry, Held, State};
use crate::suspend::terms::{APPROVED_FOR, FRESH};
use crate::suspend::words::moment;

/// What the next runs do, and what somebody can do about it, as whole sentences.
pub(crate) fn next(entry: &Entry, now: DateTime<Utc>) -> String {
    let id = entry.incident.called();
    match entry.state {
        State::Planned => format!(
            "The next run decides whether the account is disabled. To prevent that, run `bulk-guard cancel {id}` before."
        ),
        State::Held => held(entry, now),
        State::Waiting => {
            let when = entry.waits_until.map_or_else(String::new, |end| format!(" after {}", moment(end)));
            format!(
                "The first run{when} disables the account, if nothing is in the way. To prevent that, run `bulk-guard cancel {id}` before."
            )
        }
        State::Intended | State::Releasing => {
            "A run is at work on the account, or was stopped while it was. The next run looks at what became of it."
                .to_owned()
        }
        State::Done => while_off(entry),
        State::Unknown => {
            "Look at the account in the portal. This program does not touch it until it is clear what happened; the next run looks again."
                .to_owned()
        }
        State::Kept => "The account stays disabled until somebody enables it in the portal.".to_owned(),
        State::ReleaseFailed if entry.decision(Decided::Kept).is_some() => kept_next(),
        State::ReleaseFailed => {
            let when = entry.tried.as_ref().map_or_else(String::new, |tried| format!(" after {}", moment(tried.next)));
            format!("The first run{when} tries again to enable the account. You can enable it in the portal at any time.")
        }
        State::Released => "There is nothing left to do here. The person has to sign in anew.".to_owned(),
        State::Failed | State::Settled | State::Dropped | State::Cancelled => "Nothing more.".to_owned(),
    }
}

fn held(entry: &Entry, now: DateTime<Utc>) -> String {
    let id = entry.incident.called();
    let until = entry.incident.last.at + FRESH;
    match (&entry.held, entry.decision(Decided::Approved)) {
        (Some(Held::Person(_)), _) => {
            "Nothing: this cannot be approved. To disable the account, use the portal.".to_owned()
        }
        (_, Some(approval)) if now - approval.at <= APPROVED_FOR => {
            let until = until.min(approval.at + APPROVED_FOR);
            format!(
                "It is approved. A run that begins before {} disables the account, if nothing else is in the way; run `bulk-guard` now, or let cron do it.",
                moment(until)
            )
        }
        (_, Some(_)) => "Nothing: it was approved, and the approval is over.".to_owned(),
        _ if now > until => format!(
            "Nothing: the last event was at {}, and an account is disabled only within 10 minutes of that. If it goes on, approve it then.",
            moment(entry.incident.last.at)
        ),
        _ => format!(
            "Nothing, unless somebody runs `bulk-guard approve {id} --by NAME --reason TEXT` before {}.",
            moment(until)
        ),
    }
}

fn while_off(entry: &Entry) -> String {
    let id = entry.incident.called();
    let keep = format!("`bulk-guard keep {id} --reason TEXT` keeps it disabled");
    let release = format!("`bulk-guard release {id} --reason TEXT` enables it now");
    if entry.decision(Decided::Kept).is_some() {
        return kept_next();
    }
    if entry.decision(Decided::Released).is_some() {
        return "The next run enables the account, if nobody else has changed it since; run `bulk-guard` now, or let cron do it."
            .to_owned();
    }
    match (entry.deadline(), &entry.incident.needs_decision) {
        (Some(end), _) => format!(
            "The first run after {} enables the account, after a warning. {keep}, {release}, and `bulk-guard extend {id} --until TIME` moves the end.",
            moment(end)
        ),
        (None, why) => {
            let why = why.as_ref().map_or_else(String::new, |why| format!(", because {why}"));
            format!("The account stays disabled until somebody decides{why}. {keep}, and {release}.")
        }
    }
}

fn kept_next() -> String {
    "The next run notes that no term ends it. The account stays disabled until somebody enables it in the portal."
        .to_owned()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::suspend::entry::{Decision, Intent};
    use crate::suspend::model::incident;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn decided(mut entry: Entry, what: Decided, at: DateTime<Utc>) -> Entry {
        entry.decisions.push(Decision { what, who: "olga".to_owned(), why: "looked".to_owned(), at });
        entry
    }

    #[test]
    fn nobody_is_told_to_approve_what_no_run_would_carry_out() {
        let mut held = Entry::new(incident(7, now()), now()).into_state(State::Held, None);
        held.held = Some(Held::Keys("a key".into()));
        assert!(next(&held, now()).contains("approve 7 1 --by NAME"), "{}", next(&held, now()));
        assert!(next(&held, now() + TimeDelta::minutes(11)).starts_with("Nothing: the last event"));
        let approved = decided(held.clone(), Decided::Approved, now());
        assert!(next(&approved, now()).contains("before 2024-10-04 00:10 UTC"), "{}", next(&approved, now()));
        held.held = Some(Held::Person("the owner".into()));
        assert!(next(&held, now()).contains("cannot be approved"));
    }

    #[test]
    fn what_is_decided_comes_before_the_term() {
        let mut done = Entry::new(incident(7, now()), now()).into_state(State::Done, None);
        let deadline = Some(now() + TimeDelta::hours(4));
        done.intent = Some(Intent {
            at: now(),
            newest: 0,
            deadline,
            memberships: Default::default(),
            is_answered: false,
            asked_by: None,
        });
        assert!(next(&done, now()).contains("after 2024-10-04 04:00 UTC enables"), "{}", next(&done, now()));
        assert!(next(&decided(done.clone(), Decided::Released, now()), now()).contains("The next run enables"));
        assert!(next(&decided(done.clone(), Decided::Kept, now()), now()).contains("stays disabled"));
        done.incident.needs_decision = Some("ransomware left a note".into());
        assert!(next(&done, now()).contains("until somebody decides, because ransomware left a note"));
    }
}
