//! Every kind of alert of this program, as people get it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alerting::testing::messages;
use audit_model::{
    AuditEvent, Coverage, FindingState, GUEST_ACCOUNT, PersonStatus, PortalRole, RoomId, RoomRole, Weight, testing,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::*;
use crate::config::Limits;
use crate::report::tests::{head, report_of};
use crate::rule::{Counting, Days, Doubt, InFolder, Placed, RoomKey, Usual, candidates};

const DOWNLOAD: i32 = 5009;

fn at(minute: i64) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_opt(7, 0, 0).unwrap().and_utc() + TimeDelta::minutes(minute)
}

fn download(n: i64, minute: i64) -> Placed {
    let event = AuditEvent {
        id: n,
        actor_name: "Mallory Quick".into(),
        ..testing::event(DOWNLOAD, &format!("{}", 900 + n), at(minute))
    };
    Placed {
        event: Arc::new(event),
        key: RoomKey::Known(RoomId::Number(71)),
        title: "Acme – due diligence".into(),
        candidates: Vec::new(),
        attributed: Attributed::Title,
        weight: Weight::ONE,
        around: Vec::new(),
        doubt: Doubt::default(),
    }
}

fn downloads(count: i64) -> impl Iterator<Item = Placed> {
    (0..count).map(|n| download(n, n))
}

/// What somebody usually does: at the office from eight to five for two weeks.
fn office() -> Usual {
    let mut days = Days::default();
    for minute in (0..14 * 1_440).map(|minute| minute - 14 * 1_440).filter(|minute| minute % 60 == 0) {
        let event = testing::event(DOWNLOAD, "900", at(minute));
        if (8..17).contains(&event.at.with_timezone(&Tz::Europe__Berlin).hour()) {
            days.learn(&event, Tz::Europe__Berlin);
        }
    }
    Usual {
        hours: BTreeMap::from_iter(Some((Uuid::from_u128(1), days.hours(Tz::Europe__Berlin).unwrap()))),
        documents: BTreeMap::from([(RoomId::Number(71), 64)]),
        ..Usual::unknown(at(0))
    }
}

/// What the rule makes of it, of somebody who is a member of the room.
fn found(usual: &Usual, placed: impl Iterator<Item = Placed>) -> Found {
    let limits = Limits { unusual_hours: 10, share_of_room: 50, ..Limits::default() };
    let mut counting = Counting::new(&limits, usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
    placed.for_each(|placed| counting.push(placed));
    let mut found = candidates(counting).remove(0);
    found.finding.matter = Some("k3f9-q2mw".to_owned());
    let person = &mut found.finding.person;
    (person.email, person.role) = (Some("mallory@example.com".into()), Some(PortalRole::User));
    person.status = Some(PersonStatus::Active);
    person.room_role = Some(RoomRole::Member { access: "viewer".to_owned(), groups: Vec::new() });
    found.detail.room_owner = Some(audit_model::Person {
        email: Some("bob@example.com".into()),
        ..testing::person(9, "Bob Ray", PortalRole::User)
    });
    found
}

fn of_visitors() -> Found {
    let mut found = found(&Usual::unknown(at(0)), downloads(41));
    found.finding.person = audit_model::Person::named(GUEST_ACCOUNT, "Anonymous".into());
    found
}

fn share_by_night() -> Found {
    let mut found = found(&office(), (0..34).map(|n| download(n, 780 + 5 * n)));
    found.detail.folders = vec![
        InFolder { id: RoomId::Number(300), title: Some("Signed".into()), documents: 30 },
        InFolder { id: RoomId::Number(301), title: Some("Drafts".into()), documents: 4 },
    ];
    found
}

fn all() -> Vec<(&'static str, Found)> {
    let unknown = Usual::unknown(at(0));
    let twins = || {
        downloads(41).map(|placed| Placed {
            key: RoomKey::OneOf("Acme – due diligence".into()),
            candidates: vec![RoomId::Number(71), RoomId::Number(72)],
            ..placed
        })
    };
    let folder = || {
        let placed = download(5_057, 3);
        let event = AuditEvent { text: Some("Folder Downloaded".into()), ..testing::event(5057, "300", at(3)) };
        let event = AuditEvent { actor_name: "Mallory Quick".into(), ..event };
        std::iter::once(Placed { event: Arc::new(event), weight: Weight { documents: 10, at_least: true }, ..placed })
    };
    let with = |mut found: Found, change: fn(&mut Found)| {
        change(&mut found);
        found
    };
    vec![
        ("above a limit", found(&unknown, downloads(41))),
        ("a share of the room, by night", share_by_night()),
        ("one of several rooms", found(&unknown, twins())),
        ("a folder that nobody could weigh", found(&unknown, folder())),
        ("visitors without an account", of_visitors()),
        (
            "the owner of a room",
            with(found(&unknown, downloads(41)), |found| found.finding.person.room_role = Some(RoomRole::Owner)),
        ),
        (
            "a room that is gone, by an account that is disabled",
            with(found(&unknown, downloads(41)), |found| {
                found.finding.person.room_role = Some(RoomRole::RoomGone);
                found.finding.person.status = Some(PersonStatus::Disabled);
            }),
        ),
        ("over", with(found(&unknown, downloads(41)), |found| found.finding.state = FindingState::Ended)),
    ]
}

#[test]
fn every_kind_of_alert_says_who_did_what_and_what_to_do() {
    let report = report_of(Coverage::default());
    let zone = head(Coverage::default()).portal.time_zone;
    let seen = Coverage { audit: Some(Default::default()), ..Coverage::default() };
    let mut shown = String::new();
    for (kind, found) in all() {
        let about = (&found.finding, &said(&report, &found));
        for message in messages("vdr-watch", about, (zone, &seen), at(60)) {
            shown.push_str(&format!("== {kind}\n{}\n\n{}\n", message.subject, message.text()));
        }
    }
    insta::assert_snapshot!(shown);
}
