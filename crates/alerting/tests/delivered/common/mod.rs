//! A finding and its alert, as several tests need them.

pub(crate) mod receiver;

use alerting::{Alert, AlertContext};
use audit_model::{
    ActionId, Attributed, Counts, Course, Coverage, Evidence, Finding, FindingRoom, FindingState, Person, PersonStatus,
    PortalRole, RoomId, RoomRole, Severity, SourceCoverage, Window,
};
use chrono::{DateTime, Utc};
use url::Url;
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn window(since: &str, until: &str) -> Window {
    Window::new(at(since), at(until))
}

pub(crate) fn evidence(event: i64, minute: u32) -> Evidence {
    Evidence {
        event,
        at: at(&format!("2026-11-20T08:{minute:02}:00Z")),
        action: ActionId(5009),
        target: Some("9417".into()),
        title: Some("Downloaded: Contract.docx".into()),
        ip: Some("192.0.2.7".into()),
    }
}

pub(crate) fn finding() -> Finding {
    Finding {
        rule: "unusual_activity".into(),
        severity: Severity::High,
        state: FindingState::New,
        course: Course::Burst,
        matter: None,
        fingerprint: "unusual_activity:00000000-0000-0000-0000-0000000000a1:71".into(),
        person: Person {
            id: Uuid::from_u128(0xa1),
            name: "Anna Example".into(),
            email: Some("anna@example.com".into()),
            status: Some(PersonStatus::Active),
            role: Some(PortalRole::User),
            registered: None,
            room_role: Some(RoomRole::Member { access: "viewer".to_owned(), groups: Vec::new() }),
        },
        room: Some(FindingRoom {
            id: Some(RoomId::Number(71)),
            candidates: Vec::new(),
            title: "Alpha".into(),
            attributed: Attributed::Title,
        }),
        counts: Counts { acts: 41, documents: 38 },
        window: window("2026-11-20T08:00:00Z", "2026-11-20T08:41:00Z"),
        reasons: vec!["41 actions within 1 h, more than 20".into()],
        evidence: vec![evidence(48213, 0), evidence(48260, 40)],
        evidence_total: 41,
    }
}

pub(crate) fn complete() -> Coverage {
    Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() }
}

pub(crate) fn alert_of(finding: &Finding, coverage: &Coverage) -> Alert {
    let portal_url = Url::parse("https://docs.example.com/").unwrap();
    let context = AlertContext {
        program: "vdr-watch",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: Some(chrono_tz::Europe::Berlin),
        coverage,
    };
    Alert::from_finding(finding, &context)
}
