//! What people were told once is not told again by a later version: these fingerprints stand in stores.

use audit_model::Window;
use docspace_client::{AddressList, ListEntry};
use event_archive::{Fact, KnownList};

use ::report::words::Clock;

use super::*;
use crate::config::Limits;
use crate::policy::Policy;
use crate::rule::bursts::Bursts;
use crate::rule::habits::Habits;
use crate::rule::own_list::{not_enforced, told};
use crate::rule::then::Then;
use crate::rule::whereabouts::Whereabouts;
use crate::testing::{ANNA, BOB, GIL, HANA, act, book, directory, failed, login, now, policy};

/// All that the rules find in some rows: kind, place and fingerprint, in that order.
fn judge(policy: &Policy, rows: &[Sighting]) -> Vec<(Kind, String, String)> {
    let (directory, limits, then) = (directory(), Limits::default(), Then::default());
    let habits = Habits::new([(BOB, [("Germany".into(), 5)].into())].into());
    let book = book(policy, &directory, &then);
    let (mut whereabouts, mut bursts) = (Whereabouts::new(book, habits), Bursts::new(book, &limits, None));
    rows.iter().for_each(|row| whereabouts.push(row));
    rows.iter().for_each(|row| bursts.push(row));
    let found = whereabouts.finish().0.into_iter().chain(bursts.finish());
    let place = |detail: &Detail| detail.place.as_ref().map_or("", PortalText::raw).to_owned();
    let mut all: Vec<_> =
        found.map(|found| (found.detail.kind, place(&found.detail), found.finding.fingerprint)).collect();
    all.sort();
    all
}

#[track_caller]
fn assert_pinned(rows: &[Sighting], expected: &[(Kind, &str, &str)]) {
    let found = judge(&policy(&["192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"]), rows);
    let found: Vec<_> = found.iter().map(|(kind, place, print)| (*kind, place.as_str(), print.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn of_addresses_that_no_rule_allows() {
    let rows = [login(BOB, "203.0.113.7", 90), act(ANNA, "2001:db9::1:2:3:4", 80)];
    assert_pinned(
        &rows,
        &[
            (Kind::NotAllowed, "2001:db9::/64", "1b78aa10361c7444"),
            (Kind::NotAllowed, "203.0.113.0/24", "245cd3d99e7e18f8"),
        ],
    );
}

#[test]
fn of_addresses_that_nobody_can_judge() {
    let rows = [login(BOB, "2001", 90), login(BOB, "", 80), login(BOB, "10.1.2.3", 70)];
    assert_pinned(
        &rows,
        &[
            (Kind::CannotJudge, "", "ef102dd7ac7fc9d9"),
            (Kind::CannotJudge, "10.1.2.0/24", "846b59f3bbcb74b4"),
            (Kind::CannotJudge, "2001:…", "4d985a2053fd2001"),
        ],
    );
}

#[test]
fn of_addresses_that_were_set() {
    let set = |ip| Sighting { ip_was_set: true, ..login(BOB, ip, 90) };
    let rows = [set("192.0.2.7"), set("office"), set(""), login(BOB, "010.0.0.1", 80)];
    assert_pinned(
        &rows,
        &[
            (Kind::AddressSet, "", "8122fd2dedeebf88"),
            (Kind::AddressSet, "", "d35514c1936fc1ec"),
            (Kind::AddressSet, "", "f241b654fb18bbd9"),
            (Kind::AddressSet, "192.0.2.0/24", "02716b0166b8f7ef"),
        ],
    );
}

#[test]
fn of_people_without_a_rule_or_an_account_that_works() {
    let (hana, gil) = (login(HANA, "192.0.2.7", 90), act(GIL, "192.0.2.7", 80));
    assert_pinned(std::slice::from_ref(&hana), &[(Kind::Unnamed, "", "4594dfca3a885b0a")]);
    assert_pinned(
        std::slice::from_ref(&gil),
        &[(Kind::Unnamed, "", "eba720aac078216a"), (Kind::Disabled, "", "030e5911dc3236c9")],
    );
    assert_pinned(&[hana, gil], &[(Kind::Unnamed, "", "b9e7227a313e04d8"), (Kind::Disabled, "", "030e5911dc3236c9")]);
}

#[test]
fn of_countries() {
    let rows = [Sighting { country: Some("Côte d'Ivoire".into()), ..login(BOB, "192.0.2.7", 90) }];
    assert_pinned(&rows, &[(Kind::NewCountry, "Côte d'Ivoire", "d58edbd0a578d66c")]);
}

#[test]
fn of_failed_logins() {
    let burst =
        |typed: &str, ips: [&str; 2]| (0..6).map(|n| failed(typed, ips[n % 2], 90 - n as i64)).collect::<Vec<_>>();
    assert_pinned(
        &burst(" Bob@example.com", ["203.0.113.7", "198.51.100.7"]),
        &[(Kind::FailedBurst, "", "a7be953339bc4d71")],
    );
    assert_pinned(&burst("root", ["203.0.113.7", ""]), &[(Kind::FailedBurst, "", "8bd6ab92bb318ac9")]);
}

#[test]
fn of_many_accounts_tried_from_one_caller() {
    let spray = |ip: &str| (0..5).map(|n| failed(&format!("x{n}@example.com"), ip, 90 - n)).collect::<Vec<_>>();
    assert_pinned(&spray("203.0.113.7"), &[(Kind::Spraying, "203.0.113.7", "10071116b9d2b6f5")]);
    assert_pinned(&spray(""), &[(Kind::Spraying, "", "90db59ab93e273be")]);
    let set: Vec<_> = spray("203.0.113.7").into_iter().map(|row| Sighting { ip_was_set: true, ..row }).collect();
    let set: Vec<_> = judge(&policy(&[]), &set).into_iter().map(|(kind, _, print)| (kind, print)).collect();
    assert_eq!(set, [(Kind::Spraying, "f6f284d77dee7cf6".to_owned())]);
}

fn list(entries: &[(&str, bool)], enabled: bool) -> AddressList {
    let entry = |(ip, for_admin): &(&str, bool)| ListEntry { ip: (*ip).into(), for_admin: *for_admin };
    AddressList { entries: entries.iter().map(entry).collect(), enabled }
}

fn print_of_change(before: AddressList, list: AddressList) -> String {
    let known = Fact {
        value: KnownList { list, before: Some(before), ..KnownList::default() },
        learned_at: now() - TimeDelta::hours(1),
    };
    let window = Window::new(now() - TimeDelta::days(1), now());
    let found = told(Some(&known), &[], &[], (&directory(), Clock::default()), window).remove(0);
    assert_eq!(found.detail.kind, Kind::ListChanged);
    found.finding.fingerprint
}

#[test]
fn of_changes_of_the_portals_list() {
    assert_eq!(print_of_change(list(&[], true), list(&[], false)), "1b04a464e35a0703");
    let longer = list(&[("192.0.2.1", false), ("2001:db8::1", true)], true);
    assert_eq!(print_of_change(list(&[("192.0.2.1", false)], true), longer), "5f06da654659cc45");
    // whoever may change the list may write anything into it
    let hostile = list(&[("\u{1b}[2J\"\\\u{202e}é\n", false)], true);
    assert_eq!(print_of_change(list(&[], false), hostile), "fea6dfc4a1a7d8b3");
}

#[test]
fn of_a_list_that_lets_everybody_in() {
    let print = |list| {
        let known = Fact { value: KnownList { list, ..KnownList::default() }, learned_at: now() - TimeDelta::hours(1) };
        let found = not_enforced(&known, None, &[&login(BOB, "203.0.113.7", 90)], &directory()).unwrap();
        (found.detail.kind, found.finding.fingerprint)
    };
    let one = list(&[("192.0.2.1", false)], true);
    assert_eq!(print(one), (Kind::NotEnforced, "a6cafe975469b836".to_owned()));
    let two = list(&[("192.0.2.1", true), ("198.51.100.7", false)], true);
    assert_eq!(print(two), (Kind::NotEnforced, "f27de0b6869c60af".to_owned()));
}
