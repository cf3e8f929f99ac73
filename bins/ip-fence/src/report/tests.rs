//! Reports of made-up runs, as their readers see them.

use std::path::Path;

use audit_model::{Coverage, GapReason, MainSource, SourceCoverage, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_runner::Head;

use super::*;
use crate::bursts::Bursts;
use crate::config::Limits;
use crate::habits::Habits;
use crate::outcome::{PolicyFacts, Seen};
use crate::policy::Directory;
use crate::rule::{Detector, Rulebook};
use crate::run::BLIND_SPOTS;
use crate::sighting::Sighting;
use crate::testing::{BOB, HANA, directory, failed, login, now, policy};

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

fn outcome(coverage: Coverage, seen: Seen) -> Outcome {
    let head = Head {
        schema: "ip-fence/1".to_owned(),
        program: job_runner::ProgramName { name: "ip-fence", version: "1.0.0" },
        portal: job_runner::PortalName {
            url: "https://docs.example.com".to_owned(),
            version: Some("3.7.2".to_owned()),
            time_zone: Some(Tz::Europe__Berlin),
        },
        run: job_runner::RunFacts { started_at: now(), dry_run: false },
        window: Window::new(hours_ago(24), now()),
        coverage,
        notes: Vec::new(),
    };
    Outcome::with_head(head, seen)
}

/// What the rules find in some rows. Only the office is allowed.
fn judged(directory: &Directory, rows: &[Sighting]) -> Seen {
    let (policy, limits) = (policy(&["192.0.2.0/24"]), Limits::default());
    let habits = Habits::new([(BOB, [("Germany".into(), 5)].into())].into());
    let book = Rulebook { policy: &policy, directory, service_accounts: &[], is_public: true };
    let (mut detector, mut bursts) = (Detector::new(book, habits), Bursts::new(book, &limits));
    rows.iter().for_each(|row| detector.push(row));
    rows.iter().for_each(|row| bursts.push(row));
    let found = detector.finish().into_iter().chain(bursts.finish()).collect();
    let policy = Some(PolicyFacts { rules: 1, expired: Vec::new(), people: 3 });
    Seen { found, policy, ..Seen::default() }
}

/// Two logins from a network that is not the office's.
fn from_a_hotel() -> Seen {
    let row = |seconds| Sighting {
        text: Some("Login".into()),
        country: Some("Germany".into()),
        browser: Some("Chrome 131".into()),
        ..login(BOB, "203.0.113.7", seconds)
    };
    judged(&directory(), &[row(7200), row(3600)])
}

fn written(outcome: &Outcome, format: ReportFormat) -> String {
    let mut out = Vec::new();
    render(outcome, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(outcome: &Outcome) -> String {
    written(outcome, ReportFormat::Text)
}

fn json(outcome: &Outcome) -> String {
    let json = written(outcome, ReportFormat::Json);
    cli_test::assert_keeps(&Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/ip-fence-1.schema.json"), &json);
    json
}

#[test]
fn quiet() {
    let outcome = outcome(complete(), judged(&directory(), &[login(BOB, "192.0.2.7", 90)]));
    assert_eq!(text(&outcome), "");
    insta::assert_snapshot!("quiet_json", json(&outcome));
}

#[test]
fn one_finding() {
    let outcome = outcome(complete(), from_a_hotel());
    insta::assert_snapshot!("one_finding_text", text(&outcome));
    insta::assert_snapshot!("one_finding_json", json(&outcome));
}

/// People know it already, so that there is nothing to say.
#[test]
fn what_is_known_is_not_said_again() {
    let mut outcome = outcome(complete(), from_a_hotel());
    outcome.found.findings.iter_mut().for_each(|finding| finding.state = audit_model::FindingState::Known);
    assert_eq!(text(&outcome), "");
}

fn incomplete() -> Coverage {
    let mut coverage = complete();
    coverage.gap("logins", Window::new(hours_ago(24), hours_ago(22)), GapReason::BeyondRetention);
    coverage.gap("audit", Window::new(hours_ago(9), hours_ago(9) + TimeDelta::seconds(1)), GapReason::UnstablePaging);
    coverage
}

#[test]
fn incomplete_and_nothing_found() {
    let outcome = outcome(incomplete(), judged(&directory(), &[]));
    insta::assert_snapshot!("incomplete_text", text(&outcome));
    insta::assert_snapshot!("incomplete_json", json(&outcome));
}

#[test]
fn incomplete_with_findings() {
    let told = text(&outcome(incomplete(), from_a_hotel()));
    insta::assert_snapshot!("incomplete_with_findings_text", told);
    let mut known = outcome(incomplete(), from_a_hotel());
    known.found.findings.iter_mut().for_each(|finding| finding.state = audit_model::FindingState::Known);
    let first = text(&known).lines().next().unwrap_or_default().to_owned();
    assert!(first.starts_with("ip-fence: incomplete: nothing new"), "{first}");
}

#[test]
fn without_the_audit_feature() {
    let window = Window::new(hours_ago(24), now());
    let unseen = Coverage::unseen("logins", window, GapReason::AuditFeatureMissing);
    let outcome = outcome(Coverage { main: MainSource::Logins, ..unseen }, Seen::default());
    insta::assert_snapshot!("no_audit_feature_text", text(&outcome));
    insta::assert_snapshot!("no_audit_feature_json", json(&outcome));
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
    let outcome = outcome(complete(), judged(&directory, &rows));
    let (text, json) = (text(&outcome), json(&outcome));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text}");
    assert!(!json.contains(['\u{1b}', '\u{7}', '\r']), "{json}");
    insta::assert_snapshot!("hostile_text", text);
}
