//! Lists as they are compared and changed: as texts, with doubles counted, in whatever order.

use std::collections::BTreeMap;

use docspace_client::{AddressList, ListEntry};

use super::why::Clause;
use crate::rule::server::Trouble;

/// How often an entry stands in a list.
pub(crate) fn count(entries: &[ListEntry], entry: &ListEntry) -> usize {
    entries.iter().filter(|other| *other == entry).count()
}

/// Whether two lists hold the same, and their switches are the same.
pub(crate) fn same(one: &AddressList, other: &AddressList) -> bool {
    one.enabled == other.enabled && same_entries(&one.entries, &other.entries)
}

pub(crate) fn same_entries(one: &[ListEntry], other: &[ListEntry]) -> bool {
    counted(one) == counted(other)
}

fn counted(entries: &[ListEntry]) -> BTreeMap<&ListEntry, usize> {
    let mut counts = BTreeMap::new();
    entries.iter().for_each(|entry| *counts.entry(entry).or_default() += 1);
    counts
}

/// The entries with some more and some less. Of doubles one goes for each that is to go; what is not there cannot go.
pub(crate) fn changed(entries: &[ListEntry], add: &[ListEntry], remove: &[ListEntry]) -> Vec<ListEntry> {
    let mut gone = counted(remove);
    let stays = |entry: &&ListEntry| match gone.get_mut(*entry) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    entries.iter().filter(stays).chain(add).cloned().collect()
}

/// What the first has and the second does not.
pub(crate) fn difference(one: &[ListEntry], other: &[ListEntry]) -> Vec<ListEntry> {
    changed(one, &[], other)
}

/// Why a list must not be sent with this switch; `None`: it may be.
pub(crate) fn trouble(list: &AddressList) -> Option<Clause> {
    let is_poison = |entry: &ListEntry| Trouble::of(entry).is_some_and(Trouble::stops_everybody);
    if list.entries.iter().any(|entry| entry.ip.raw().encode_utf16().count() > 50) {
        Some((
            "an entry has more than 50 characters, which the portal does not store",
            "ein Eintrag hat mehr als 50 Zeichen, die das Portal nicht speichert",
        ))
    } else if list.entries.iter().any(|entry| Trouble::of(entry) == Some(Trouble::Unreadable)) {
        Some((
            "an entry is no address, which the portal does not take",
            "ein Eintrag ist keine Adresse, was das Portal nicht annimmt",
        ))
    } else if !list.enabled {
        None
    } else if list.entries.is_empty() {
        Some((
            "the list is empty, which the portal does not switch on",
            "die Liste ist leer, und eine leere schaltet das Portal nicht ein",
        ))
    } else if list.entries.iter().all(|entry| entry.for_admin) {
        Some((
            "every entry counts for admins only, so everybody else would be shut out",
            "jeder Eintrag gilt nur für Administratoren, alle anderen wären also ausgesperrt",
        ))
    } else if list.entries.iter().any(is_poison) {
        Some((
            "an entry makes the portal refuse everybody but its owner",
            "wegen eines Eintrags würde das Portal alle außer seinem Eigentümer abweisen",
        ))
    } else {
        None
    }
}

/// Whether an entry that we add is in the portal's own form: everything else is stored, and never matches.
pub(crate) fn is_portal_form(entry: &ListEntry) -> bool {
    Trouble::of(entry).is_none() && !entry.ip.raw().contains(['-', '/', '%', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(ip: &str) -> ListEntry {
        ListEntry { ip: ip.into(), for_admin: false }
    }

    fn list(ips: &[&str], enabled: bool) -> AddressList {
        AddressList { entries: ips.iter().map(|ip| entry(ip)).collect(), enabled }
    }

    /// The body of a write is what was read, more or less the reviewed difference: others' entries keep their text, order and doubles.
    #[test]
    fn others_entries_stay_byte_for_byte_and_doubles_count() {
        let odd = list(&["2001:DB8::1", "192.0.2.1", "010.0.0.1", "192.0.2.1", "[2001:db8::2]:443", "192.0.2.9"], true);
        let left = changed(&odd.entries, &[entry("192.0.2.7")], &[entry("192.0.2.1"), entry("192.0.2.9")]);
        let expected = list(&["2001:DB8::1", "010.0.0.1", "192.0.2.1", "[2001:db8::2]:443", "192.0.2.7"], true).entries;
        assert_eq!(left, expected);
        assert_eq!(difference(&odd.entries, &left), [entry("192.0.2.1"), entry("192.0.2.9")]);
        assert!(!same_entries(&odd.entries, &left) && same_entries(&left, &expected));
    }

    #[test]
    fn an_addition_is_in_the_portals_form() {
        for good in ["192.0.2.1", "2001:db8::1"] {
            assert!(is_portal_form(&entry(good)), "{good}");
        }
        for bad in [
            "2001:DB8::1",
            "010.0.0.1",
            "192.0.2.0/24",
            "192.0.2.1-192.0.2.9",
            "fe80::1%eth0",
            "[2001:db8::1]",
            "::1%a-b",
            "0.0.0.0",
            "1",
            "::ffff:192.0.2.1",
            "",
        ] {
            assert!(!is_portal_form(&entry(bad)), "{bad}");
        }
    }

    #[test]
    fn what_shuts_everybody_out_is_never_switched_on() {
        let admin = AddressList { entries: vec![ListEntry { for_admin: true, ..entry("192.0.2.1") }], enabled: true };
        for wrong in [list(&[], true), admin, list(&["192.0.2.1", "::1%a-b"], true), list(&["192.0.2.0/24"], false)] {
            assert!(trouble(&wrong).is_some(), "{wrong:?}");
        }
        let long = format!("fe80::1%{}", "a".repeat(50));
        assert!(trouble(&list(&[&long], false)).is_some());
        for right in [list(&[], false), list(&["192.0.2.1", "2001:DB8::1"], true), list(&["::1%a-b"], false)] {
            assert_eq!(trouble(&right), None, "{right:?}");
        }
    }
}
