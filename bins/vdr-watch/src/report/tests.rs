//! Reports of made-up outcomes: what no portal shows on demand. Whole runs are in `tests/cli.rs`.

use audit_model::{
    ActionId, Counts, Finding, Gap, GapReason, LoginEvent, MAX_EVIDENCE, Person, SourceCoverage, UnreadableSpan,
};
use job_runner::Head;
use uuid::Uuid;

use super::*;
use crate::logins::{LoginDetails, Logins};
use crate::outcome::{Outcome, Seen};

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

fn window() -> Window {
    Window::new(at("00:00:00"), at("12:00:00"))
}

fn head(coverage: Coverage) -> Head {
    Head {
        schema: "vdr-watch/1".to_owned(),
        program: job_runner::ProgramName { name: "vdr-watch", version: "1.0.0" },
        portal: job_runner::PortalName {
            url: "https://docs.example.com".to_owned(),
            version: Some("3.7.2".to_owned()),
            time_zone: Some(Tz::Europe__Berlin),
        },
        run: job_runner::RunFacts { started_at: at("12:00:00"), dry_run: false },
        window: window(),
        coverage,
        notes: vec!["this run has no memory: its store could not be used, see the log".to_owned()],
    }
}

fn hostile_finding() -> Finding {
    let name = "Eve\u{1b}[2J\nroot: all quiet \u{202e}";
    Finding {
        rule: "unusual_activity".to_owned(),
        severity: Severity::Critical,
        state: FindingState::New,
        fingerprint: "0123456789abcdef".to_owned(),
        person: Person {
            id: Uuid::from_u128(7),
            name: name.into(),
            email: Some("eve@example.com".into()),
            status: Some(PersonStatus::Disabled),
            role: Some(PortalRole::Guest),
            registered: Some(at("07:00:00")),
            room_role: Some(RoomRole::Member {
                access: "viewer".to_owned(),
                groups: vec!["Auditors".into(), "\u{1b}[31mBoard".into()],
            }),
        },
        room: Some(FindingRoom {
            id: None,
            candidates: vec![RoomId::Number(71), RoomId::Number(72)],
            title: "<b>Falcon</b> \u{7}".into(),
            attributed: Attributed::Title,
        }),
        counts: Counts { acts: 120, documents: 110 },
        window: Window::new(at("08:00:00"), at("08:40:00")),
        reasons: vec!["120 acts within 1 h, more than 20".to_owned()],
        evidence: (0..MAX_EVIDENCE as i64)
            .map(|n| Evidence {
                event: n,
                at: at("08:00:00"),
                action: ActionId(5064),
                target: Some(format!("9{n}")),
                title: (n == 0).then(|| "File Downloaded: a\r\nb.docx".into()),
                ip: (n < 2).then(|| "203.0.113.7".into()),
            })
            .collect(),
        evidence_total: 120,
    }
}

fn login(n: i64) -> LoginEvent {
    LoginEvent {
        id: n,
        at: at("07:00:00"),
        user: Uuid::from_u128(7),
        user_name: "Eve".into(),
        login: None,
        action: ActionId(1029),
        text: None,
        ip: Some("203.0.113.7".into()),
        country: Some("Germany".into()),
        city: None,
        browser: Some("Chrome 131".into()),
        platform: None,
        ip_was_set: false,
    }
}

/// The last two from a new address, the very last in a new country too.
fn marked(n: i64) -> MarkedLogin {
    let new = [(n >= 5, Novelty::Address), (n == 6, Novelty::Country)];
    MarkedLogin { event: login(n), new: new.into_iter().filter_map(|(is_new, what)| is_new.then_some(what)).collect() }
}

fn compared(details: LoginDetails) -> Logins {
    let earlier = details.keys().map(|person| (*person, 31)).collect();
    Logins { details, compared_since: Some(at("00:00:00") - chrono::TimeDelta::days(30)), earlier }
}

fn incomplete() -> Coverage {
    let gap = |what: &str, from, to, why| Gap { what: what.to_owned(), span: Window::new(at(from), at(to)), why };
    let second = Window::new(at("03:00:00"), at("03:00:01"));
    Coverage {
        gaps: vec![
            gap("audit", "03:00:00", "03:00:01", GapReason::UnreadableRow),
            gap("logins", "00:00:00", "06:00:00", GapReason::PortalError),
        ],
        blind_spots: vec![BlindSpot::StreamDownloads],
        audit: Some(SourceCoverage {
            rows: 1240,
            late_rows: 3,
            unreadable: vec![UnreadableSpan { span: second, rows: 1 }],
            oldest: Some(at("00:00:10")),
            newest: Some(at("11:59:00")),
        }),
        unattributed: 4,
        ..Coverage::default()
    }
}

fn text_of(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    render(outcome, ReportFormat::Text, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn hostile_text_cannot_act_and_gaps_are_explained() {
    let finding = hostile_finding();
    let logins = LoginDetails::from([(finding.person.id, (0..7).map(marked).collect())]);
    let seen = Seen {
        watched: vec![RoomId::Number(71)],
        findings: vec![finding],
        logins: compared(logins),
        ..Seen::default()
    };
    let outcome = Outcome::with_head(head(incomplete()), 20, seen);
    let text = text_of(&outcome);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']));
    insta::assert_snapshot!("hostile_and_incomplete", text);
    let subject = &alerts(&outcome)[0].subject;
    assert!(!subject.contains(|c: char| c.is_control() || c == '\u{202e}'), "{subject:?}");
}

#[test]
fn only_a_complete_read_without_findings_is_silent() {
    let complete = Coverage { gaps: Vec::new(), ..incomplete() };
    assert_eq!(text_of(&Outcome::with_head(head(complete), 20, Seen::default())), "");
    let text = text_of(&Outcome::with_head(head(incomplete()), 20, Seen::default()));
    assert!(text.starts_with("vdr-watch: incomplete"), "{text}");
    let unread = Coverage { audit: None, gaps: Vec::new(), ..incomplete() };
    let text = text_of(&Outcome::with_head(head(unread), 20, Seen::default()));
    assert!(text.starts_with("vdr-watch: nothing can be concluded"), "{text}");
}

#[test]
fn what_is_known_already_is_not_told_again() {
    let mut finding = hostile_finding();
    finding.state = FindingState::Known;
    let complete = Coverage { gaps: Vec::new(), ..incomplete() };
    let seen = Seen { findings: vec![finding], ..Seen::default() };
    let outcome = Outcome::with_head(head(complete), 20, seen);
    assert_eq!(text_of(&outcome), "");
    assert_eq!(alerts(&outcome), []);
}
