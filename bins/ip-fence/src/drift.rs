//! The portal's own list and switch against what they were, and against whom the portal lets in. Pure.

use std::collections::BTreeMap;

use audit_model::{ActionId, Address, Finding, Person, PortalRole, PortalText, SYSTEM_ACCOUNT, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Directory, ListEntry};
use event_archive::{Fact, KnownList};

use crate::found::{About, Found, Kind, Rows};
use crate::server::{self, Caller, Ruling};
use crate::sighting::{Sighting, Source};

/// Each process of the portal keeps the switch for so long.
const CACHED: TimeDelta = TimeDelta::minutes(5);

/// Entries named in a sentence.
const SHOWN: usize = 10;

/// The difference to the last form that a run has seen, if it was first seen in the window. `changes` are the audit events of changes.
pub(crate) fn changed(
    known: &Fact<KnownList>,
    changes: &[Sighting],
    directory: &Directory,
    window: Window,
) -> Option<Found> {
    let before = known.value.before.as_ref()?;
    let now = &known.value.list;
    if known.learned_at < window.since {
        return None;
    }
    let mut reasons = Vec::new();
    match (before.enabled, now.enabled) {
        (true, false) => {
            reasons.push("the portal's address list was switched off: everybody can enter from anywhere".to_owned())
        }
        (false, true) => reasons.push("the portal's address list was switched on".to_owned()),
        _ => {}
    }
    let added = difference(&now.entries, &before.entries);
    let removed = difference(&before.entries, &now.entries);
    for (verb, entries) in [("added", added), ("removed", removed)] {
        if !entries.is_empty() {
            reasons.push(format!("{verb}: {}", listed(&entries)));
        }
    }
    let severity = if before.enabled && !now.enabled { Severity::High } else { Severity::Medium };
    let mut rows = Rows::default();
    changes.iter().for_each(|change| rows.push(change));
    let person = match changes.last() {
        Some(change) => directory
            .people
            .get(&change.user)
            .map_or_else(|| Person::named(change.user, change.user_name.clone()), |account| account.person.clone()),
        None => {
            reasons.push("who did it stands in no event: servers before 3.7 write none".to_owned());
            the_portal()
        }
    };
    // the same change made again is another one
    let (from, to) = (in_fingerprint(before), in_fingerprint(now));
    let key = format!("{from}\n{to}\n{}", known.learned_at.timestamp_micros());
    let mut found = rows.found(About { kind: Kind::ListChanged, severity, person, place: None, key, reasons });
    if changes.is_empty() {
        seen_at(&mut found.finding, known.learned_at);
    }
    Some(found)
}

/// Logins that the portal would have refused if its list counted as it says. `since` is when list and switch were first seen so.
pub(crate) fn not_enforced(known: &Fact<KnownList>, logins: &[Sighting], directory: &Directory) -> Option<Found> {
    let list = &known.value.list;
    let mut rows = Rows::default();
    let since = known.learned_at + CACHED;
    for login in
        logins.iter().filter(|login| login.at >= since && login.action.is_successful_login() && !login.ip_was_set)
    {
        let role = directory.role(login.user);
        // the servers' own networks are let in whatever the list holds
        let Address::V4(ip) = login.address() else { continue };
        let Some(role) = role.filter(|role| *role != PortalRole::Owner) else { continue };
        let caller = Caller { is_owner: false, is_admin: role == PortalRole::DocspaceAdmin, address: ip.into() };
        if server::rule(list, &caller) == Ruling::Refused {
            rows.push(login);
        }
    }
    let first = rows.first()?.shown_ip();
    let reasons = vec![
        format!("the portal says that its list counts, and let in {} from addresses that are not in it, first from {first}", rows.counted()),
        "either the deployment has switched the feature off, which the portal does not show, or these addresses were set by the callers".to_owned(),
    ];
    let key = in_fingerprint(list);
    Some(rows.found(About {
        kind: Kind::NotEnforced,
        severity: Severity::High,
        person: the_portal(),
        place: None,
        key,
        reasons,
    }))
}

/// The list and its switch in the form that fingerprints were made of from the beginning on. It must never change, whatever else is
/// known of a list one day.
fn in_fingerprint(list: &AddressList) -> String {
    let entry = |entry: &ListEntry| {
        format!("ListEntry {{ ip: {:?}, for_admin: {} }}", entry.ip.for_terminal(), entry.for_admin)
    };
    let entries: Vec<String> = list.entries.iter().map(entry).collect();
    format!("AddressList {{ entries: [{}], enabled: {} }}", entries.join(", "), list.enabled)
}

/// For findings that are about nobody.
fn the_portal() -> Person {
    Person::named(SYSTEM_ACCOUNT, PortalText::new("the portal's address list"))
}

fn seen_at(finding: &mut Finding, at: DateTime<Utc>) {
    finding.window = Window::new(at, at + TimeDelta::microseconds(1));
}

/// What is in the first list and not in the second; doubles count.
fn difference(one: &[ListEntry], other: &[ListEntry]) -> Vec<ListEntry> {
    let mut left: BTreeMap<&ListEntry, usize> = BTreeMap::new();
    other.iter().for_each(|entry| *left.entry(entry).or_default() += 1);
    let missing = one.iter().filter(|entry| match left.get_mut(entry) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    missing.cloned().collect()
}

fn listed(entries: &[ListEntry]) -> String {
    let shown = entries.iter().take(SHOWN).map(|entry| {
        let admins = if entry.for_admin { " (admins only)" } else { "" };
        format!("{}{admins}", entry.ip.for_terminal())
    });
    let text = shown.collect::<Vec<_>>().join(", ");
    if entries.len() > SHOWN { format!("{text} and {} more", entries.len() - SHOWN) } else { text }
}

/// The audit events of changes among some rows.
pub(crate) fn is_change(row: &Sighting) -> bool {
    row.source == Source::Audit && row.action == ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{directory, now};

    /// Off, on, and off again: the second time is news, too, however much else was changed that day.
    #[test]
    fn the_same_change_made_again_is_another_finding() {
        let list = |enabled| AddressList { entries: Vec::new(), enabled };
        let window = Window::new(now() - TimeDelta::days(1), now());
        let switched_off = |hours| {
            let value = KnownList { list: list(false), before: Some(list(true)), ..KnownList::default() };
            let known = Fact { value, learned_at: now() - TimeDelta::hours(hours) };
            changed(&known, &[], &directory(), window).unwrap().finding.fingerprint
        };
        assert_eq!(switched_off(3), switched_off(3), "in the next run");
        assert_ne!(switched_off(3), switched_off(1));
    }
}
