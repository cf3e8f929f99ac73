//! From finding to alert: the bytes, the schema, the subject, and which alerts count as the same.

use crate::common::{alert_of, complete, evidence, finding, window};
use alerting::{Alert, AlertContext};
use audit_model::{GapReason, PortalRole, PortalText, RoomId, Severity};
use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use url::Url;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema/alert-1.schema.json")).unwrap()
}

/// What the schema says against a document; empty when nothing.
fn objections(document: &Value) -> String {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.add_resource("alert-1.schema.json", schema()).unwrap();
    let index = compiler.compile("alert-1.schema.json", &mut schemas).unwrap();
    schemas.validate(document, index).err().map(|error| error.to_string()).unwrap_or_default()
}

fn json_of(alert: &Alert) -> Value {
    serde_json::from_str(&alert.to_json()).unwrap()
}

#[test]
fn a_finding_becomes_an_alert() {
    let mut coverage = complete();
    coverage.gap("audit", window("2026-11-20T07:00:00Z", "2026-11-20T07:10:00Z"), GapReason::PortalError);
    let pretty = serde_json::to_string_pretty(&alert_of(&finding(), &coverage)).unwrap();
    insta::assert_snapshot!(pretty, @r#"
    {
      "schema": "alert/1",
      "id": "b4f27dc5cfdb1538c42b69e2f3525787",
      "fingerprint": "unusual_activity:00000000-0000-0000-0000-0000000000a1:71",
      "state": "new",
      "program": {
        "name": "vdr-watch",
        "version": "1.0.0"
      },
      "portal": {
        "url": "https://docs.example.com",
        "time_zone": "Europe/Berlin"
      },
      "rule": "unusual_activity",
      "severity": "high",
      "subject": "high: Anna Example in room \"Alpha\": 41 actions within 1 h, more than 20",
      "person": {
        "id": "00000000-0000-0000-0000-0000000000a1",
        "name": "Anna Example",
        "email": "anna@example.com",
        "status": "active",
        "role": "user",
        "room_role": {
          "kind": "member",
          "access": "viewer"
        }
      },
      "room": {
        "id": 71,
        "title": "Alpha",
        "attributed": "title"
      },
      "window": {
        "since": "2026-11-20T08:00:00Z",
        "until": "2026-11-20T08:41:00Z"
      },
      "counts": {
        "acts": 41,
        "documents": 38
      },
      "reasons": [
        "41 actions within 1 h, more than 20"
      ],
      "evidence": [
        {
          "event": 48213,
          "at": "2026-11-20T08:00:00Z",
          "action": 5009,
          "target": "9417",
          "title": "Downloaded: Contract.docx",
          "ip": "192.0.2.7"
        },
        {
          "event": 48260,
          "at": "2026-11-20T08:40:00Z",
          "action": 5009,
          "target": "9417",
          "title": "Downloaded: Contract.docx",
          "ip": "192.0.2.7"
        }
      ],
      "evidence_total": 41,
      "links": {
        "room": "https://docs.example.com/rooms/shared/71/filter?folder=71",
        "person": "https://docs.example.com/accounts/people/filter?search=anna%40example.com"
      },
      "coverage": {
        "complete": false,
        "gaps": [
          {
            "what": "audit",
            "since": "2026-11-20T07:00:00Z",
            "until": "2026-11-20T07:10:00Z",
            "why": "portal_error"
          }
        ]
      },
      "suppressed": 0
    }
    "#);
}

#[test]
fn alerts_follow_the_schema() {
    let mut coverage = complete();
    let mut sparse = finding();
    sparse.person.email = None;
    sparse.person.status = None;
    sparse.room = None;
    sparse.evidence.clear();
    sparse.reasons.clear();
    let mut ambiguous = finding();
    let room = ambiguous.room.as_mut().unwrap();
    room.id = None;
    room.candidates = vec![RoomId::Number(71), RoomId::Text("sbox-1".into())];
    ambiguous.evidence = (0..15).map(|n| evidence(n, 1)).collect();
    let said = alerting::Said {
        did: Some(("made 41 downloads", "kommt auf 41 Downloads").into()),
        what_to_do: vec!["ask the owner".into()],
        facts: alerting::SaidFacts { goes_on: Some(true), place: Some("Alpha".into()), ..Default::default() },
    };
    let with_words = json_of(&alert_of(&finding(), &coverage).with_detail(&said.members(&finding())));
    assert_eq!(objections(&with_words), "");
    for member in ["did", "what_to_do", "facts", "de", "summary"] {
        assert!(schema()["properties"].get(member).is_some(), "{member} is not described");
    }
    for finding in [finding(), sparse, ambiguous] {
        assert_eq!(objections(&json_of(&alert_of(&finding, &coverage))), "");
    }
    coverage.gap("logins", window("2026-11-20T07:00:00Z", "2026-11-20T07:10:00Z"), GapReason::Permission);
    assert_eq!(objections(&json_of(&alert_of(&finding(), &coverage))), "");
}

#[test]
fn the_schema_names_every_member_and_misses_none() {
    let document = json_of(&alert_of(&finding(), &complete()));
    let schema = schema();
    for member in document.as_object().unwrap().keys() {
        assert!(schema["properties"].get(member).is_some(), "{member} is not described");
        let optional = member == "room";
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(objections(&without).is_empty(), optional, "{member}");
    }
    for (pointer, wrong) in [
        ("/schema", json!("alert/2")),
        ("/severity", json!("urgent")),
        ("/subject", json!("two\nlines")),
        ("/window/until", json!("yesterday")),
        ("/counts/acts", json!(-1)),
        ("/evidence", json!([{ "event": 1 }])),
        ("/coverage/complete", json!("yes")),
    ] {
        let mut changed = document.clone();
        *changed.pointer_mut(pointer).unwrap() = wrong;
        assert_ne!(objections(&changed), "", "{pointer}");
    }
}

#[test]
fn hostile_text_stays_out_of_the_subject_and_raw_in_the_json() {
    let hostile = "Anna\u{1b}[2J\r\nBcc: eve@example.com\u{202e}gpj.exe\u{2066}\u{200b}\u{9b}31m\u{0}";
    let mut finding = finding();
    finding.person.name = hostile.into();
    finding.room.as_mut().unwrap().title = hostile.into();
    finding.reasons = vec![format!("opened {hostile}").into()];
    let alert = alert_of(&finding, &complete());

    let acts = |c: &char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(alert.subject.chars().find(acts), None, "{}", alert.subject);
    assert!(alert.subject.starts_with("high: Anna\\u{1b}[2J\\u{d}\\u{a}Bcc: "), "{}", alert.subject);

    let json = alert.to_json();
    assert_eq!(json.lines().count(), 1);
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["person"]["name"], hostile);
    assert_eq!(document["room"]["title"], hostile);
    assert_eq!(objections(&document), "");
}

#[test]
fn long_names_leave_room_for_the_rest_of_the_subject() {
    let mut finding = finding();
    finding.person.name = PortalText::new("Ž".repeat(500));
    finding.room.as_mut().unwrap().title = PortalText::new("\u{202e}".repeat(500));
    finding.reasons = vec!["41 actions ".repeat(100).into()];
    let subject = alert_of(&finding, &complete()).subject;
    assert!(subject.chars().count() <= 240, "{subject}");
    assert!(subject.starts_with("high: ŽŽŽ") && subject.contains("…\": 41 actions"), "{subject}");
}

#[test]
fn subjects_of_findings_that_know_less() {
    let subject_with = |change: fn(&mut audit_model::Finding)| {
        let mut finding = finding();
        change(&mut finding);
        alert_of(&finding, &complete()).subject
    };
    assert_eq!(subject_with(|finding| finding.room = None), "high: Anna Example: 41 actions within 1 h, more than 20");
    assert_eq!(
        subject_with(|finding| {
            finding.reasons.clear();
            finding.person.name = " ".into();
            let room = finding.room.as_mut().unwrap();
            room.id = None;
            room.candidates = vec![RoomId::Number(71), RoomId::Number(72)];
        }),
        "high: person 00000000-0000-0000-0000-0000000000a1 in one of 2 rooms called \"Alpha\": 41 actions on 38 documents"
    );
}

#[test]
fn nothing_read_is_not_complete() {
    let nothing = audit_model::Coverage::default();
    assert!(!alert_of(&finding(), &nothing).coverage.complete);
    assert!(alert_of(&finding(), &complete()).coverage.complete);
}

#[test]
fn ids_tell_alerts_apart_and_nothing_else() {
    let id = |finding: &audit_model::Finding| alert_of(finding, &complete()).id;
    let first = id(&finding());
    assert_eq!(first, id(&finding()));

    let mut described = finding();
    described.person.name = "Anna Renamed".into();
    described.reasons.push("more than usual".into());
    assert_eq!(id(&described), first, "the same matter in other words");

    let mut other = finding();
    other.fingerprint.push('2');
    let mut longer = finding();
    longer.window.until += chrono::TimeDelta::seconds(1);
    let mut newer = finding();
    newer.evidence.push(evidence(48300, 40));
    let mut more = finding();
    more.counts.acts += 1;
    let mut more_severe = finding();
    more_severe.severity = Severity::Critical;
    for changed in [other, longer, newer, more, more_severe] {
        assert_ne!(id(&changed), first, "{changed:?}");
    }

    let coverage = complete();
    for (program, portal) in [("bulk-guard", "https://docs.example.com/"), ("vdr-watch", "https://second.example.com/")]
    {
        let portal_url = Url::parse(portal).unwrap();
        let context =
            AlertContext { program, version: "1.0.0", portal_url: &portal_url, time_zone: None, coverage: &coverage };
        assert_ne!(Alert::from_finding(&finding(), &context).id, first, "{program} {portal}");
    }
}

#[test]
fn the_link_keeps_the_folder_of_the_portal() {
    let portal_url = Url::parse("https://example.com/docs").unwrap();
    let coverage = complete();
    let context = AlertContext {
        program: "vdr-watch",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: None,
        coverage: &coverage,
    };
    let alert = Alert::from_finding(&finding(), &context);
    assert_eq!(alert.portal.url, "https://example.com/docs");
    assert_eq!(alert.links.room.unwrap().as_str(), "https://example.com/docs/rooms/shared/71/filter?folder=71");

    let mut elsewhere = finding();
    elsewhere.room.as_mut().unwrap().id = Some(RoomId::Text("sbox-1".into()));
    assert_eq!(alert_of(&elsewhere, &coverage).links.room, None);
}

/// Guests stand in a list of their own; without knowing which list, there is no link.
#[test]
fn a_person_is_linked_only_where_the_list_is_known() {
    let page = |role, email: Option<&str>| {
        let mut finding = finding();
        (finding.person.role, finding.person.email) = (role, email.map(PortalText::from));
        alert_of(&finding, &complete()).links.person.map(|page| page.to_string())
    };
    let people = "https://docs.example.com/accounts/people/filter?search=anna%2Bx%40example.com";
    assert_eq!(page(Some(PortalRole::Owner), Some("Anna+x@Example.com")).as_deref(), Some(people));
    let guests = "https://docs.example.com/accounts/guests/filter?search=gert%40example.com";
    assert_eq!(page(Some(PortalRole::Guest), Some("gert@example.com")).as_deref(), Some(guests));
    assert_eq!(page(None, Some("anna@example.com")), None);
    assert_eq!(page(Some(PortalRole::User), None), None);
}
