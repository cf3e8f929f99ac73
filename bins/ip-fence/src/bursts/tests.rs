use docspace_client::Directory;
use proptest::prelude::*;

use super::*;
use crate::policy::Policy;
use crate::testing::{ANNA, BOB, directory, failed, login, policy};

fn judge_with(policy: &Policy, limits: &Limits, mut rows: Vec<Sighting>) -> Vec<Found> {
    rows.sort_by_key(Sighting::order);
    let directory: Directory = directory();
    let book = Rulebook { policy, directory: &directory, service_accounts: &[], is_public: true };
    let mut bursts = Bursts::new(book, limits);
    rows.iter().for_each(|row| bursts.push(row));
    bursts.finish()
}

fn judge(rows: Vec<Sighting>) -> Vec<Found> {
    judge_with(&policy(&["192.0.2.0/24"]), &Limits::default(), rows)
}

fn burst(count: i64, apart_seconds: i64) -> Vec<Sighting> {
    (0..count).map(|n| failed("Bob@example.com", "203.0.113.7", 3600 - n * apart_seconds)).collect()
}

#[test]
fn five_within_ten_minutes_are_a_burst_and_the_window_slides() {
    assert_eq!(judge(burst(4, 1)).len(), 0);
    // the first and the fifth are exactly ten minutes apart
    assert_eq!(judge(burst(5, 150)).len(), 0);
    let found = judge(burst(5, 149));
    assert_eq!((found.len(), found[0].finding.counts.acts, found[0].finding.severity), (1, 5, Severity::Medium));
    assert_eq!(found[0].finding.person.id, BOB, "typed in another case");
    // an hour of it is one burst
    assert_eq!(judge(burst(30, 100))[0].finding.counts.acts, 30);
    assert_eq!(judge(burst(30, 100)).len(), 1);
}

#[test]
fn two_bursts_with_a_pause_are_two_findings_with_one_fingerprint() {
    let mut rows = burst(5, 1);
    rows.extend((0..5).map(|n| failed("bob@example.com", "203.0.113.7", 900 - n)));
    let found = judge(rows);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].finding.fingerprint, found[1].finding.fingerprint);
}

#[test]
fn what_came_after_makes_it_worse() {
    let then = |ip: &str, seconds| {
        let rows: Vec<Sighting> = burst(5, 1).into_iter().chain([login(BOB, ip, seconds)]).collect();
        judge(rows)[0].finding.severity
    };
    assert_eq!(then("192.0.2.7", 3000), Severity::High, "signed in, from the office");
    assert_eq!(then("203.0.113.7", 3000), Severity::Critical, "signed in from where no rule allows it");
    let claimed = Sighting { ip_was_set: true, ..login(BOB, "192.0.2.7", 3000) };
    let rows: Vec<Sighting> = burst(5, 1).into_iter().chain([claimed]).collect();
    assert_eq!(judge(rows)[0].finding.severity, Severity::Critical, "signed in, and claims to be in the office");
    assert_eq!(then("203.0.113.7", -60), Severity::Medium, "more than an hour later");
    assert_eq!(then("203.0.113.7", 3700), Severity::Medium, "before");
}

#[test]
fn typed_addresses_without_an_account_matter_less() {
    let rows = (0..6).map(|n| failed("root", "203.0.113.7", 100 - n)).collect();
    let found = judge(rows);
    assert_eq!((found[0].finding.severity, found[0].finding.person.id), (Severity::Low, GUEST_ACCOUNT));
}

/// One wrong password each, of people who are not known or not allowed there.
fn spray(ip: &str) -> Vec<Sighting> {
    let typed = ["bob@example.com", "anna@example.com", "a@example.com", "b@example.com", "c@example.com"];
    typed.iter().zip(0..).map(|(typed, n)| failed(typed, ip, 600 - n * 60)).collect()
}

#[test]
fn many_accounts_from_one_caller_are_spraying_unless_they_may_come_from_there() {
    let found = judge(spray("203.0.113.7"));
    assert_eq!((found.len(), found[0].detail.kind, found[0].finding.severity), (1, Kind::Spraying, Severity::High));
    // of two of the five it is a colleague's mistake
    assert_eq!(judge(spray("192.0.2.7")).len(), 0);
    let unknown = (0..9).map(|n| failed(&format!("x{n}@example.com"), "203.0.113.7", 600 - n)).collect();
    assert_eq!(judge(unknown)[0].finding.severity, Severity::Low, "noise of the internet");
    let hit: Vec<Sighting> = spray("203.0.113.7").into_iter().chain([login(ANNA, "203.0.113.7", 60)]).collect();
    assert_eq!(judge(hit)[0].finding.severity, Severity::Critical);
}

/// Whoever tries passwords can claim any address: the office's, and another one each time.
#[test]
fn an_address_that_the_request_set_excuses_nobody_and_hides_nothing() {
    let set = |row: Sighting| Sighting { ip_was_set: true, ..row };
    let office = judge(spray("192.0.2.7").into_iter().map(set).collect());
    assert_eq!((office.len(), office[0].detail.kind), (1, Kind::Spraying));
    let elsewhere = spray("").into_iter().zip(1..);
    let changing =
        elsewhere.map(|(row, n)| set(Sighting { ip: Some(format!("203.0.113.{n}").as_str().into()), ..row }));
    let found = judge(changing.collect());
    assert_eq!((found.len(), found[0].detail.kind), (1, Kind::Spraying));
    assert!(found[0].finding.reasons[0].contains("set"), "{:?}", found[0].finding.reasons);
}

#[test]
fn limits_of_zero_are_off() {
    let off = Limits { failed_logins: 0, sprayed_people: 0, minutes: 10 };
    let rows: Vec<Sighting> = burst(20, 1).into_iter().chain(spray("203.0.113.7")).collect();
    assert_eq!(judge_with(&policy(&[]), &off, rows), []);
}

proptest! {
    /// A burst holds exactly the rows of all windows that are too full; compared with looking at every window.
    #[test]
    fn bursts_agree_with_looking_at_every_window(times in prop::collection::btree_set(0..7200_i64, 0..60)) {
        let rows: Vec<Sighting> = times.iter().map(|at| failed("x", "203.0.113.7", 7200 - at)).collect();
        let full: std::collections::BTreeSet<i64> = times
            .iter()
            .flat_map(|end| {
                let window: Vec<i64> = times.iter().copied().filter(|at| *at <= *end && end - at < 600).collect();
                if window.len() >= 5 { window } else { Vec::new() }
            })
            .collect();
        let found = judge(rows);
        let counted: u64 = found.iter().filter(|found| found.detail.kind == Kind::FailedBurst).map(|found| found.finding.counts.acts).sum();
        prop_assert_eq!(counted, full.len() as u64);
    }
}
