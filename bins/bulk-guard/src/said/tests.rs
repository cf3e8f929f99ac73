//! Every kind of finding of this program, as people get it.

use alerting::testing::messages;
use audit_model::{Coverage, Person, PortalRole, Severity, Window, testing};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use safe_actions::{ActionKind, ActionState, Hold};
use uuid::Uuid;

use super::*;
use crate::advice::what_to_do;
use crate::body::ShownAction;
use crate::body::ShownPerson;
use crate::config::Threshold;
use crate::rule::assessment::{Corroboration, Sign};
use crate::rule::extent::ShownRoom;
use crate::rule::incident::{Exceeded, RULE};

fn began() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

#[test]
fn the_command_names_the_matter() {
    let step = what_to_do(Of::Person, Severity::Critical).pop().unwrap();
    let finding = Finding { matter: Some("k3f9-q2mw".to_owned()), ..testing::finding(DateTime::UNIX_EPOCH) };
    let named = with_matter(&step, &finding);
    let command = "`bulk-guard restore-list k3f9-q2mw --out list.csv`";
    assert!(named.english().ends_with(command) && named.german().ends_with(command), "{named:?}");
    assert_eq!(with_matter(&step, &Finding { matter: None, ..finding }), step);
}

fn limit(kind: Option<Kind>, documents: u64) -> Exceeded {
    Exceeded { kind, threshold: Threshold { documents: 20, minutes: 10 }, documents, at_least: false }
}

fn found(of: Of, severity: Severity, exceeded: Exceeded) -> Found<Detail> {
    let person = Person { name: "Mallory Quick".into(), ..testing::person(7, "Mallory Quick", PortalRole::User) };
    let documents = exceeded.documents;
    let finding = Finding {
        severity,
        matter: Some("k3f9-q2mw".to_owned()),
        counts: audit_model::Counts { acts: documents + 2, documents },
        reasons: vec![exceeded.sentence()],
        ..Finding::new(RULE, "f".to_owned(), person, Window::new(began(), began() + TimeDelta::minutes(4)))
    };
    let counted = exceeded.kind.map_or(DOCUMENT, Kind::counted);
    let detail = Detail {
        user_id: finding.person.id,
        file_count: documents,
        exceeded: vec![ShownLimit::from(&exceeded)],
        corroboration: Vec::new(),
        may_act: false,
        action: None,
        breaker: None,
        rooms: vec![ShownRoom { title: "Marketing".into(), documents }],
        documents_per_hour: Some(documents * 15),
        goes_on: true,
        uncountable: 0,
        people: Vec::new(),
        what_to_do: what_to_do(of, severity),
        of,
        counted,
    };
    Found { finding, detail }
}

fn attack() -> Found<Detail> {
    let mut found = found(Of::Person, Severity::Critical, limit(Some(Kind::Renamed), 180));
    let sign =
        Sentence::new("180 of 180 new names end in `.locked` now", "180 von 180 neuen Namen enden jetzt auf `.locked`");
    found.finding.reasons.push(sign.clone());
    found.detail.corroboration = vec![Corroboration { kind: Sign::NewExtension, evidence: sign }];
    let held = ShownAction { kind: ActionKind::Suspend, state: ActionState::Held, held: Some(Hold::OtherAdmin) };
    found.finding.reasons.push(held.sentence(false));
    found
}

fn several(of: Of, name: &str, people: u128) -> Found<Detail> {
    let mut found = found(of, Severity::Medium, limit(Some(Kind::Overwritten), 1_000));
    found.finding.person = Person::named(Uuid::nil(), name.into());
    let person = |n| ShownPerson { id: Uuid::from_u128(n), name: "Anna".into(), email: None, documents: 25 };
    found.detail.people = (0..people).map(person).collect();
    found.detail.rooms.push(ShownRoom { title: "Board".into(), documents: 60 });
    found
}

fn visitors(of: Of) -> Found<Detail> {
    let mut found = found(of, Severity::Medium, limit(Some(Kind::Downloaded), 45));
    found.finding.person = Person::named(GUEST_ACCOUNT, "visitors through links".into());
    found
}

fn uncountable() -> Found<Detail> {
    let mut found = found(Of::Person, Severity::Medium, limit(None, 1));
    found.finding.reasons =
        vec![("a folder or a room is not countable", "ein Ordner oder Raum ist nicht zu zählen").into()];
    (found.detail.exceeded, found.detail.uncountable) = (Vec::new(), 1);
    found
}

#[test]
fn every_kind_of_finding_says_who_did_what_and_what_to_do() {
    let all = [
        ("an attack", attack()),
        ("high", found(Of::Person, Severity::High, limit(Some(Kind::DeletedForGood), 1_240))),
        ("medium, of all kinds", found(Of::Person, Severity::Medium, limit(None, 61))),
        ("members", found(Of::Person, Severity::Medium, limit(Some(Kind::MemberRemoved), 30))),
        ("a folder that nobody can count", uncountable()),
        ("visitors", visitors(Of::Visitors)),
        ("visitors of several rooms", visitors(Of::VisitorsOfRooms)),
        ("several people of a room", several(Of::Room, "3 people", 3)),
        ("a crowd", several(Of::Crowd, "40 people", 40)),
    ];
    let seen = Coverage { audit: Some(Default::default()), ..Coverage::default() };
    let mut shown = String::new();
    for (kind, found) in all {
        let about = (&found.finding, &said(&found));
        let now = began() + TimeDelta::minutes(5);
        for message in messages("bulk-guard", about, (Some(Tz::Europe__Berlin), &seen), now) {
            shown.push_str(&format!("== {kind}\n{}\n\n{}\n", message.subject, message.text()));
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_was_done_is_said_in_german_for_every_kind() {
    let kinds = (0..10_000).filter_map(|id| Kind::of(audit_model::ActionId(id)));
    let kinds: std::collections::BTreeMap<String, Kind> = kinds.map(|kind| (format!("{kind:?}"), kind)).collect();
    let said = kinds.values().map(|kind| {
        let sentence = limit(Some(*kind), 1_240).sentence();
        format!("{sentence}\n{}\n", sentence.german())
    });
    insta::assert_snapshot!(said.collect::<String>());
}
