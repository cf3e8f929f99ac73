//! Reports of made-up runs, as their readers see them.

use docspace_client::Directory;
use std::path::Path;

use audit_model::{Coverage, GapReason, MainSource, SourceCoverage, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_runner::{Head, Judgement};

use super::*;
use crate::IpFence;
use crate::config::Limits;
use crate::policy::PolicyFacts;
use crate::report::body::Body;
use crate::rule::BLIND_SPOTS;
use crate::rule::bursts::Bursts;
use crate::rule::found;
use crate::rule::habits::Habits;
use crate::rule::sighting::Sighting;
use crate::rule::then::Then;
use crate::rule::whereabouts::Whereabouts;
use crate::testing::{BOB, GIL, HANA, book, directory, failed, login, now, policy};

fn hours_ago(hours: i64) -> DateTime<Utc> {
    now() - TimeDelta::hours(hours)
}

fn complete() -> Coverage {
    let read = |rows| {
        Some(SourceCoverage {
            rows,
            oldest: Some(hours_ago(23)),
            newest: Some(hours_ago(1)),
            ..SourceCoverage::default()
        })
    };
    Coverage {
        main: MainSource::Logins,
        blind_spots: BLIND_SPOTS.to_vec(),
        audit: read(1240),
        logins: read(88),
        ..Coverage::default()
    }
}

fn report(coverage: Coverage, found: Vec<found::Case>) -> Report {
    let findings = found.iter().map(job_runner::Found::from).collect();
    let mut body = Body::of(Window::new(hours_ago(24), now()), found);
    body.policy = Some(PolicyFacts { rules: 1, expired: Vec::new(), people: 3 });
    Report::new(head(coverage), Judgement { findings, body, notes: Vec::new() })
}

fn head(coverage: Coverage) -> Head {
    Head {
        schema: "ip-fence/1".to_owned(),
        program: job_runner::ProgramName { name: "ip-fence", version: "1.0.0" },
        portal: job_runner::PortalName {
            url: "https://docs.example.com".parse().unwrap(),
            version: Some("3.7.2".to_owned()),
            time_zone: Some(chrono_tz::Tz::Europe__Berlin),
        },
        run: job_runner::RunFacts { started_at: now(), dry_run: false },
        window: Window::new(hours_ago(24), now()),
        coverage,
        notes: Vec::new(),
        naming: job_runner::Naming::default(),
    }
}

/// What the rules find in some rows. Only the office is allowed.
fn judged(directory: &Directory, rows: &[Sighting]) -> Vec<found::Case> {
    let (policy, limits, then) = (policy(&["192.0.2.0/24"]), Limits::default(), Then::default());
    let habits = Habits::new([(BOB, [("Germany".into(), 5)].into())].into());
    let book = book(&policy, directory, &then);
    let (mut whereabouts, mut bursts) = (Whereabouts::new(book, habits), Bursts::new(book, &limits, None));
    rows.iter().for_each(|row| whereabouts.push(row));
    rows.iter().for_each(|row| bursts.push(row));
    let mut found: Vec<_> = whereabouts.finish().0.into_iter().chain(bursts.finish()).collect();
    found::sort(&mut found);
    found
}

/// Two logins from a network that is not the office's.
fn from_a_hotel() -> Vec<found::Case> {
    let row = |seconds| Sighting {
        text: Some("Login".into()),
        country: Some("Germany".into()),
        browser: Some("Chrome 131".into()),
        ..login(BOB, "203.0.113.7", seconds)
    };
    judged(&directory(), &[row(7200), row(3600)])
}

fn told(report: &Report) -> String {
    String::from_utf8(job_runner::news::<IpFence>(report, &job_runner::document::<IpFence>(report))).unwrap()
}

fn json(report: &Report) -> String {
    let json = serde_json::to_string_pretty(report).unwrap() + "\n";
    cli_test::assert_keeps(&Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/ip-fence-1.schema.json"), &json);
    json
}

#[test]
fn quiet() {
    let report = report(complete(), judged(&directory(), &[login(BOB, "192.0.2.7", 90)]));
    assert_eq!(told(&report), "");
    insta::assert_snapshot!("quiet_json", json(&report));
}

#[test]
fn one_finding() {
    let report = report(complete(), from_a_hotel());
    insta::assert_snapshot!("one_finding_text", told(&report));
    insta::assert_snapshot!("one_finding_json", json(&report));
}

/// People know it already, so that there is nothing to say.
#[test]
fn what_is_known_is_not_said_again() {
    let mut report = report(complete(), from_a_hotel());
    report.findings.iter_mut().for_each(|found| found.finding.state = audit_model::FindingState::Known);
    assert_eq!(told(&report), "");
}

fn incomplete() -> Coverage {
    let mut coverage = complete();
    coverage.gap("logins", Window::new(hours_ago(24), hours_ago(22)), GapReason::BeyondRetention);
    coverage.gap("audit", Window::new(hours_ago(9), hours_ago(9) + TimeDelta::seconds(1)), GapReason::UnstablePaging);
    coverage
}

#[test]
fn incomplete_and_nothing_found() {
    let report = report(incomplete(), judged(&directory(), &[]));
    insta::assert_snapshot!("incomplete_text", told(&report));
    insta::assert_snapshot!("incomplete_json", json(&report));
}

#[test]
fn incomplete_with_findings() {
    insta::assert_snapshot!("incomplete_with_findings_text", told(&report(incomplete(), from_a_hotel())));
    let mut known = report(incomplete(), from_a_hotel());
    known.findings.iter_mut().for_each(|found| found.finding.state = audit_model::FindingState::Known);
    let first = told(&known).lines().next().unwrap_or_default().to_owned();
    assert!(first.starts_with("ip-fence: incomplete: nothing new"), "{first}");
}

#[test]
fn without_the_audit_feature() {
    let window = Window::new(hours_ago(24), now());
    let unseen = Coverage::unseen("logins", window, GapReason::AuditFeatureMissing);
    let head = head(Coverage { main: MainSource::Logins, ..unseen });
    let report =
        Report::new(head, Judgement { findings: Vec::new(), body: Body::of(window, Vec::new()), notes: Vec::new() });
    insta::assert_snapshot!("no_audit_feature_text", told(&report));
    insta::assert_snapshot!("no_audit_feature_json", json(&report));
}

/// One finding, with everybody in it.
#[test]
fn several_people() {
    let rows = [login(HANA, "192.0.2.7", 90), login(GIL, "203.0.113.7", 80), login(HANA, "203.0.113.8", 70)];
    let report = report(complete(), judged(&directory(), &rows));
    insta::assert_snapshot!("several_people_text", told(&report));
    let report: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    insta::assert_json_snapshot!("several_people_json", report["findings"][1]);
}

/// Names, typed addresses, noted addresses and countries come from people who may want to fool the reader.
#[test]
fn hostile_text() {
    let nasty = "Eve\u{1b}[2J\nip-fence: all quiet \u{202e}";
    let mut directory = directory();
    directory.people.get_mut(&BOB).unwrap().person.name = nasty.into();
    let mut rows = vec![
        Sighting { country: Some("\u{202e}ecnarF".into()), ..login(BOB, "192.0.2.7", 900) },
        Sighting { text: Some("Login\r\nLogin".into()), ..login(BOB, "x\u{1b}]0;owned\u{7}", 800) },
        Sighting { user_name: nasty.into(), ..login(HANA, "192.0.2.7", 700) },
    ];
    rows.extend((0..5).map(|n| failed("a\u{1b}[2Jb\u{202e}c@example.com", "203.0.113.9\u{7}", 600 - n)));
    let report = report(complete(), judged(&directory, &rows));
    let (text, json) = (told(&report), json(&report));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text}");
    assert!(!json.contains(['\u{1b}', '\u{7}', '\r']), "{json}");
    insta::assert_snapshot!("hostile_text", text);
}
