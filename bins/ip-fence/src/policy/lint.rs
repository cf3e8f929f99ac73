//! Entries that cannot mean what their author thinks. They are no mistakes of form, so runs go on with them. Pure.

use std::net::IpAddr;

use audit_model::{Address, AddressRange};
use chrono::NaiveDate;

use super::{Mistake, PolicyFile, Rule};

/// Networks that nobody comes from, and what they are.
const NOBODYS: [(&str, &str); 9] = [
    ("0.0.0.0/8", "stands for no address"),
    ("127.0.0.0/8", "is the portal's own machine, which it calls by that name only to itself"),
    ("169.254.0.0/16", "is valid on one cable only"),
    ("224.0.0.0/4", "is a multicast address"),
    ("240.0.0.0/4", "is reserved"),
    ("::/128", "stands for no address"),
    ("::1/128", "is the portal's own machine, which it calls by that name only to itself"),
    ("fe80::/10", "is valid on one cable only"),
    ("ff00::/8", "is a multicast address"),
];

/// So many addresses keep hardly anybody out: a /8 of IPv4 holds whole countries, a /20 of IPv6 the largest providers.
const WIDE_V4: u128 = 1 << 24;
const WIDE_V6: u128 = 1 << 108;

/// So many addresses in one rule are a sixteenth of all that there are: nobody means so many places.
const MANY_V4: u128 = 1 << 28;
const MANY_V6: u128 = 1 << 121;

/// Whatever looks wrong in the entries, in order of lines. `is_public`: whether a private address is nobody's; `None` when no portal is set.
pub(crate) fn doubts(file: &PolicyFile, is_public: Option<bool>, today: NaiveDate) -> Vec<Mistake> {
    let entries = file.rules.iter().flat_map(|rule: &Rule| &rule.allow);
    let doubts =
        entries.filter_map(|entry| Some(Mistake::new(entry.line, doubt(entry.range, is_public == Some(true))?)));
    let mut doubts: Vec<Mistake> = doubts.chain(file.rules.iter().filter_map(wide_together)).collect();
    doubts.extend(allows_nobody(file, today));
    doubts.sort_by_key(|doubt| doubt.line);
    doubts
}

/// Entries none of which is wide, and which keep hardly anybody out together.
fn wide_together(rule: &Rule) -> Option<Mistake> {
    let ranges = || rule.allow.iter().map(|entry| entry.range).filter(|range| !is_wide(*range));
    let is_v4 = |range: &AddressRange| matches!(range, AddressRange::V4 { .. });
    let sum = |v4: bool| ranges().filter(|range| is_v4(range) == v4).filter_map(|range| range.size()).sum::<u128>();
    (sum(true) >= MANY_V4 || sum(false) >= MANY_V6).then(|| {
        let label = super::shown(&rule.label);
        Mistake::new(
            rule.line,
            format!("the entries of rule \"{label}\" are so many addresses together that they keep hardly anybody out; give the networks that are meant"),
        )
    })
}

/// A policy by which everybody whom it names is reported wherever they come from.
fn allows_nobody(file: &PolicyFile, today: NaiveDate) -> Option<Mistake> {
    let counts = |rule: &&Rule| !rule.has_expired(today) && !rule.allow.is_empty();
    let first = file.rules.first().filter(|_| !file.rules.iter().any(|rule| counts(&rule)))?;
    let message =
        "no rule that has not expired allows an address, so nobody whom the policy names may come from anywhere";
    Some(Mistake::new(first.line, message))
}

/// Whether every address of a range is in another.
pub(crate) fn holds(all: AddressRange, part: AddressRange) -> bool {
    let (first, last) = ends(part);
    all.contains(first) && all.contains(last)
}

fn ends(range: AddressRange) -> (IpAddr, IpAddr) {
    match range {
        AddressRange::V4 { first, last } => (first.into(), last.into()),
        AddressRange::V6 { first, last } => (first.into(), last.into()),
    }
}

fn is_wide(range: AddressRange) -> bool {
    let widest = if matches!(range, AddressRange::V4 { .. }) { WIDE_V4 } else { WIDE_V6 };
    range.size().is_none_or(|size| size >= widest)
}

fn doubt(range: AddressRange, is_public: bool) -> Option<String> {
    let (first, last) = ends(range);
    let within = |network: &str| network.parse::<AddressRange>().is_ok_and(|network| holds(network, range));
    if let Some((_, what)) = NOBODYS.iter().find(|(network, _)| within(network)) {
        return Some(format!("`{range}` {what}, and nobody comes from there; take it out"));
    }
    let is_private = |ip| matches!(Address::from(ip), Address::Private(_));
    if is_private(first) && is_private(last) {
        let setting = "if people come from a network of your own, set `portal.public = false`";
        return is_public
            .then(|| format!("`{range}` is private, while people come to the portal over the internet; {setting}"));
    }
    if is_wide(range) {
        return Some(format!(
            "`{range}` is so wide that it keeps hardly anybody out; give the networks that are meant"
        ));
    }
    match range {
        AddressRange::V4 { first, last } if first == last && first.octets()[3] == 0 => {
            Some(format!("`{range}` alone is the name of a network; did you mean `{range}/24`?"))
        }
        AddressRange::V6 { first, last } if first == last && first.segments()[4..] == [0; 4] => {
            Some(format!("`{range}` alone is the name of a network; did you mean `{range}/64`?"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    fn lines(entries: &str, is_public: Option<bool>) -> String {
        let text = format!("[[rule]]\nlabel = \"a\"\npeople = [\"a\"]\nallow = [\n{entries}\n]\n");
        let doubts = doubts(&parse(&text).unwrap(), is_public, NaiveDate::MIN);
        doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn entries_that_nobody_can_come_from_are_named() {
        let entries = "\"224.0.0.1\",\n\"255.255.255.255\",\n\"0.0.0.0\",\n\"127.0.0.0/8\",\n\"169.254.1.1\",\n\"::\",\n\"::1\",\n\"fe80::1\",\n\"ff02::1\",\n\"0.0.0.0/0\",\n\"::/0\",\n\"44.0.0.0/8\",\n\"64.0.0.0-65.0.0.7\",\n\"2000::/3\",\n\"239.0.0.0/8\",\n\"240.0.0.0-255.255.255.255\",\n\"192.0.2.0\",\n\"2001:db8::\",\n\"10.0.0.0/8\"";
        insta::assert_snapshot!(lines(entries, Some(true)), @"
        line 5: `224.0.0.1` is a multicast address, and nobody comes from there; take it out
        line 6: `255.255.255.255` is reserved, and nobody comes from there; take it out
        line 7: `0.0.0.0` stands for no address, and nobody comes from there; take it out
        line 8: `127.0.0.0/8` is the portal's own machine, which it calls by that name only to itself, and nobody comes from there; take it out
        line 9: `169.254.1.1` is valid on one cable only, and nobody comes from there; take it out
        line 10: `::` stands for no address, and nobody comes from there; take it out
        line 11: `::1` is the portal's own machine, which it calls by that name only to itself, and nobody comes from there; take it out
        line 12: `fe80::1` is valid on one cable only, and nobody comes from there; take it out
        line 13: `ff02::1` is a multicast address, and nobody comes from there; take it out
        line 14: `0.0.0.0/0` is so wide that it keeps hardly anybody out; give the networks that are meant
        line 15: `::/0` is so wide that it keeps hardly anybody out; give the networks that are meant
        line 16: `44.0.0.0/8` is so wide that it keeps hardly anybody out; give the networks that are meant
        line 17: `64.0.0.0-65.0.0.7` is so wide that it keeps hardly anybody out; give the networks that are meant
        line 18: `2000::/3` is so wide that it keeps hardly anybody out; give the networks that are meant
        line 19: `239.0.0.0/8` is a multicast address, and nobody comes from there; take it out
        line 20: `240.0.0.0/4` is reserved, and nobody comes from there; take it out
        line 21: `192.0.2.0` alone is the name of a network; did you mean `192.0.2.0/24`?
        line 22: `2001:db8::` alone is the name of a network; did you mean `2001:db8::/64`?
        line 23: `10.0.0.0/8` is private, while people come to the portal over the internet; if people come from a network of your own, set `portal.public = false`
        ");
    }

    /// Each for itself is narrow enough.
    #[test]
    fn networks_that_are_wide_together_are_named() {
        let halves =
            |count: u32| (0..count).map(|at| format!("\"{}.0.0.0/9\"", 11 + at)).collect::<Vec<_>>().join(", ");
        assert_eq!(lines(&halves(31), None), "");
        assert!(lines(&halves(32), None).starts_with("line 1: the entries of rule \"a\" are so many"));
    }

    #[test]
    fn a_policy_that_allows_nobody_anything_is_named() {
        let of = |rules: &[(&str, &str)]| {
            let rule = |(at, (allow, end)): (usize, &(&str, &str))| {
                format!("[[rule]]\nlabel = \"{at}\"\npeople = [\"a\"]\nallow = [{allow}]\nexpires = \"{end}\"\n")
            };
            let text: String = rules.iter().enumerate().map(rule).collect();
            let today = "2026-11-20".parse().unwrap();
            doubts(&parse(&text).unwrap(), None, today).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let place = "\"192.0.2.7\"";
        for nobody in [&[("", "2027-01-01")][..], &[("", "2027-01-01"), (place, "2026-11-20")]] {
            assert!(
                of(nobody).starts_with("line 1: no rule that has not expired allows"),
                "{nobody:?}: {}",
                of(nobody)
            );
        }
        assert_eq!(of(&[("", "2027-01-01"), (place, "2026-11-21")]), "", "one person is locked out on purpose");
        assert!(doubts(&parse("default = \"report\"").unwrap(), None, NaiveDate::MIN).is_empty(), "a beginning");
    }

    #[test]
    fn usual_entries_are_none() {
        let usual = "\"192.0.2.0/24\", \"192.0.2.7\", \"203.0.113.0-203.0.113.9\", \"2001:db8::/32\", \"2001:db8::7\", \"44.0.0.0/9\", \"2a00::/21\"";
        assert_eq!(lines(usual, Some(true)), "");
        let private = "\"10.0.0.0/8\", \"192.168.1.7\", \"fd00::/8\"";
        assert_eq!(lines(private, Some(false)), "", "a company's own network");
        assert_eq!(lines(private, None), "", "no portal is set");
        assert_eq!(lines(private, Some(true)).lines().count(), 3);
    }
}
