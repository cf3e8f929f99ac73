use docspace_client::Directory;
use proptest::prelude::*;

use super::*;
use crate::policy::Policy;
use crate::rule::then::Then;
use crate::testing::{ANNA, BOB, book, directory, failed, login, policy, spoken};

fn judge_with(policy: &Policy, limits: &Limits, mut rows: Vec<Sighting>) -> Vec<Case> {
    rows.sort_by_key(Sighting::order);
    let directory: Directory = directory();
    let then = Then::default();
    let mut bursts = Bursts::new(book(policy, &directory, &then), limits, Some(2));
    rows.iter().for_each(|row| bursts.push(row));
    spoken(bursts.finish())
}

fn judge(rows: Vec<Sighting>) -> Vec<Case> {
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
    let off = Limits {
        failed_logins: 0,
        sprayed_people: 0,
        minutes: 10,
        failed_logins_per_day: 0,
        sprayed_people_per_day: 0,
        spread_people_per_day: 0,
    };
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
        let limits = Limits { failed_logins_per_day: 0, ..Limits::default() };
        let found = judge_with(&policy(&[]), &limits, rows);
        let counted: u64 = found.iter().filter(|found| found.detail.kind == Kind::FailedBurst).map(|found| found.finding.counts.acts).sum();
        prop_assert_eq!(counted, full.len() as u64);
    }
}

/// Slower than any window of minutes.
#[test]
fn slow_guessing_is_seen_within_a_day() {
    let by_one: Vec<Sighting> =
        (0..150).map(|n| failed(&format!("x{n}@example.com"), "203.0.113.7", 30_000 - n * 150)).collect();
    let found = judge(by_one.clone());
    assert_eq!((found.len(), found[0].detail.kind, found[0].finding.counts.acts), (1, Kind::Spraying, 150));
    assert!(found[0].finding.reasons[0].contains("slowly"), "{:?}", found[0].finding.reasons);
    assert_eq!(judge(by_one[..19].to_vec()).len(), 0);
    assert_eq!(judge(by_one[..20].to_vec()).len(), 1);
    let of_one: Vec<Sighting> =
        (0..30).map(|n| failed("bob@example.com", &format!("203.0.113.{n}"), 80_000 - n * 2_000)).collect();
    let found = judge(of_one.clone());
    assert_eq!((found.len(), found[0].detail.kind, found[0].finding.counts.acts), (1, Kind::FailedBurst, 30));
    assert_eq!(judge(of_one[1..].to_vec()).len(), 0);
    // the office of twenty who mistype on one day
    let office: Vec<Sighting> = (0..20).map(|_| failed("bob@example.com", "192.0.2.7", 0)).collect();
    let office = office.into_iter().zip(1..).map(|(row, n)| Sighting { at: row.at - TimeDelta::hours(n), ..row });
    assert_eq!(judge(office.collect()).len(), 0);
}

/// From so many callers that none of them is conspicuous.
#[test]
fn guessing_that_is_spread_over_callers_is_seen_against_the_usual_number() {
    let spread = |people: i64| -> Vec<Sighting> {
        (0..people).map(|n| failed(&format!("x{n}@example.com"), &format!("198.51.100.{n}"), 500 - n * 3)).collect()
    };
    let found = judge(spread(150));
    assert_eq!((found.len(), found[0].detail.kind, found[0].finding.counts.acts), (1, Kind::Spraying, 150));
    assert_eq!(
        found[0].finding.reasons,
        [
            "150 wrong passwords from 150 callers with 150 different addresses typed within 24 hours, 0 of them of accounts here",
            "usual are 2 a day"
        ]
    );
    assert_eq!((judge(spread(19)).len(), judge(spread(20)).len()), (0, 1));
    let usual = |usual| {
        let (policy, limits, directory, then) = (policy(&[]), Limits::default(), directory(), Then::default());
        let mut bursts = Bursts::new(book(&policy, &directory, &then), &limits, Some(usual));
        spread(150).iter().for_each(|row| bursts.push(row));
        bursts.finish().len()
    };
    assert_eq!((usual(50), usual(51)), (1, 0), "three times as many");
    // those of one caller are told as that caller's, and not once more
    let one: Vec<Sighting> =
        spread(150).into_iter().map(|row| Sighting { ip: Some("203.0.113.7".into()), ..row }).collect();
    assert_eq!(judge(one).len(), 1);
}

/// Ten lines of the same tell nothing; the login that succeeded does.
#[test]
fn a_burst_shows_its_first_its_last_and_the_login_that_followed() {
    let success = Sighting { browser: Some("Chrome 131".into()), ..login(BOB, "203.0.113.7", 3_000) };
    let found = judge(burst(40, 5).into_iter().chain([success]).collect()).remove(0);
    assert_eq!(found.finding.reasons[0], "signed in after 40 wrong passwords, from 203.0.113.7 (Chrome 131)");
    assert!(found.finding.reasons[1].ends_with("the login came 6 minutes later"), "{:?}", found.finding.reasons);
    assert_eq!(found.finding.reasons[2], "no rule allows them to sign in from there");
    let shown: Vec<i64> =
        found.finding.evidence.iter().map(|row| (row.at - crate::testing::now()).num_seconds()).collect();
    assert_eq!(shown, [-3_600, -3_405, -3_000]);
    let titles: Vec<&str> = found.finding.evidence.iter().filter_map(|row| Some(row.title.as_ref()?.raw())).collect();
    assert_eq!(titles, ["wrong password", "wrong password"]);
    assert_eq!((found.finding.evidence_total, found.finding.counts.acts), (41, 40));
    assert!(found.finding.window.contains(crate::testing::now() - TimeDelta::seconds(3_000)));
}

/// Hundreds behind one address that no rule knows, of whom twenty mistype on a day and then sign in.
#[test]
fn people_who_mistype_and_then_sign_in_are_no_slow_guessing() {
    let mut directory = directory();
    let bob = directory.people[&BOB].clone();
    let id = |n: i64| uuid::Uuid::from_u128(1_000 + u128::try_from(n).unwrap());
    for n in 0..40 {
        let mut account = bob.clone();
        account.person.id = id(n);
        account.person.email = Some(PortalText::new(format!("x{n}@example.com")));
        directory.people.insert(id(n), account);
    }
    let found = |signed_in: i64, callers: i64| {
        let (policy, limits, then) = (policy(&[]), Limits::default(), Then::default());
        let mut bursts = Bursts::new(book(&policy, &directory, &then), &limits, Some(0));
        for n in 0..40 {
            let (ip, seconds) = (format!("203.0.113.{}", n % callers), 80_000 - n * 1_800);
            bursts.push(&failed(&format!("x{n}@example.com"), &ip, seconds));
            if n < signed_in {
                bursts.push(&login(id(n), &ip, seconds - 60));
            }
        }
        bursts.finish().len()
    };
    assert_eq!((found(40, 1), found(21, 1), found(20, 1)), (0, 0, 1), "one office");
    assert_eq!((found(40, 40), found(21, 40), found(20, 40)), (0, 0, 1), "at home");
}

/// Every sentence about failed logins, in both languages.
#[test]
fn every_sentence_is_written_in_both_languages() {
    let guessed = [burst(5, 60), vec![login(BOB, "203.0.113.9", 0)]].concat();
    let nobody = (0..5).map(|n| failed("nobody@example.com", "203.0.113.7", 60 * n)).collect();
    let from_there = [spray("203.0.113.7"), vec![login(BOB, "203.0.113.7", 0)]].concat();
    let mut shown = String::new();
    for rows in [guessed, nobody, spray(""), from_there] {
        for reason in judge(rows).iter().flat_map(|found| &found.finding.reasons) {
            shown.push_str(&format!("{reason}\n{}\n\n", reason.german()));
        }
    }
    insta::assert_snapshot!(shown);
}
