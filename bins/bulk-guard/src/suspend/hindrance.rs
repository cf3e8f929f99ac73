//! Why one person must not be suspended, or not now: asked when the plan is made, and again right before the call.

use audit_model::{PersonStatus, PortalRole, Sentence};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Account;
use safe_actions::{Candidate, Hold};

use crate::suspend::entry::{Entry, Held, State};
use crate::suspend::seen::{AccountNow, Seen};
use crate::suspend::terms::{DECIDED_FOR, FRESH};
use crate::suspend::why;

/// A key that was used not longer ago is in use.
const KEY_IN_USE: TimeDelta = TimeDelta::hours(24);

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    Held(Held),
    /// It cannot be known now; the next run asks again.
    NotNow,
    /// It will not be done for this evidence. Says why.
    Never(Sentence),
}

/// What is in the way of suspending the person of an entry, as of `now`. The most lasting reason comes first.
pub(crate) fn hindrance(entry: &Entry, seen: &Seen<'_>, now: DateTime<Utc>) -> Option<Hindrance> {
    let account = match seen.account {
        AccountNow::There(account) => account,
        AccountNow::Gone => return Some(Hindrance::Never(why::GONE.into())),
        AccountNow::Unread(_) => return Some(Hindrance::NotNow),
    };
    if account.person.status == Some(PersonStatus::Disabled) {
        return Some(Hindrance::Never(why::DISABLED_ALREADY.into()));
    }
    if is_spent(entry, seen, now) {
        return Some(Hindrance::Never(why::JUDGED.into()));
    }
    if let Some(why) = protected(entry, account, seen) {
        return Some(why);
    }
    if has_another_open(entry, seen, now) {
        return Some(Hindrance::NotNow);
    }
    keys_in_use(entry, seen, now)
}

/// Whether somebody has judged what the person did: evidence up to then is spent for good, and all later evidence for a day.
fn is_spent(entry: &Entry, seen: &Seen<'_>, now: DateTime<Utc>) -> bool {
    let person = entry.person();
    let judged = seen.entries.iter().filter(|other| other.person() == person).filter_map(|other| other.judged_at);
    let switched = seen.trail.last_switch(person, seen.situation.own);
    judged.chain(switched).any(|at| at >= entry.incident.first.at || now - at < DECIDED_FOR)
}

fn protected(entry: &Entry, account: &Account, seen: &Seen<'_>) -> Option<Hindrance> {
    let held = |why: Sentence| Some(Hindrance::Held(Held::Person(why)));
    let Some(guard) = seen.guard else { return Some(Hindrance::NotNow) };
    let candidate = Candidate {
        person: account.person.clone(),
        is_ldap: account.is_ldap,
        reason: entry.incident.reason.to_string(),
        fingerprint: entry.incident.fingerprint.clone(),
        hold: None,
    };
    match guard.protection.hold(&candidate) {
        Some(Hold::ProtectionUnread { .. }) => return Some(Hindrance::NotNow),
        Some(hold) => return held(hold.sentence()),
        None => {}
    }
    if guard.robots.contains(&entry.person()) {
        return held(why::SERVICE_ACCOUNT.into());
    }
    match account.person.status {
        Some(PersonStatus::Active) => {}
        Some(_) => return held(Hold::NotActive.sentence()),
        None => return held(Hold::NotKnown.sentence()),
    }
    if account.person.role == Some(PortalRole::Guest) && !seen.terms.guests {
        return held(why::GUESTS_EXEMPT.into());
    }
    None
}

/// Whether another incident of the person is at work on the account, or was a moment ago.
fn has_another_open(entry: &Entry, seen: &Seen<'_>, now: DateTime<Utc>) -> bool {
    let is_other = |other: &&Entry| other.person() == entry.person() && other.incident.id != entry.incident.id;
    seen.entries.iter().filter(is_other).any(|other| {
        let is_recent = other.intent.as_ref().is_some_and(|intent| now - intent.at < FRESH);
        is_recent || other.state.is_under_way() || other.state == State::Kept
    })
}

/// A key rests with its account, and so does whatever runs on it.
fn keys_in_use(entry: &Entry, seen: &Seen<'_>, now: DateTime<Utc>) -> Option<Hindrance> {
    if seen.terms.collateral {
        return None;
    }
    let Some(keys) = seen.keys else { return Some(Hindrance::NotNow) };
    let own = keys.iter().filter(|key| key.active && key.owner == Some(entry.person()));
    let used = own.filter(|key| key.last_used.is_some_and(|at| now - at < KEY_IN_USE)).count() as u64;
    if used == 0 {
        return None;
    }
    Some(Hindrance::Held(Held::Keys(why::keys_in_use(used))))
}
