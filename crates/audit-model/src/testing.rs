//! What a portal's records hold, ready-made for tests: whatever a test is not about is ordinary. What it is about it sets itself:
//! `AuditEvent { id: 7, ..event(5009, "900", at) }`.

mod hostile;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    ActionId, Attributed, AuditEvent, Counts, Finding, FindingRoom, LoginEvent, Person, PersonStatus, PortalRole,
    PortalText, RoomId, Sentence, Severity, Window,
};

pub use hostile::hostile_texts;

/// An event of Anna's, number 1, about one entry, in no room.
pub fn event(action: i32, target: &str, at: DateTime<Utc>) -> AuditEvent {
    AuditEvent {
        id: 1,
        at,
        actor: Uuid::from_u128(1),
        actor_name: "Anna".into(),
        action: ActionId(action),
        text: None,
        ip: None,
        target: vec![target.to_owned()],
        context: None,
        details: None,
    }
}

/// A sign-in of Anna's with a password, number 1.
pub fn login(ip: &str, country: &str, at: DateTime<Utc>) -> LoginEvent {
    LoginEvent {
        id: 1,
        at,
        user: Uuid::from_u128(1),
        user_name: "Anna".into(),
        login: None,
        action: ActionId(1029),
        text: None,
        ip: Some(ip.into()),
        country: Some(country.into()),
        city: None,
        browser: None,
        platform: None,
        ip_was_set: false,
    }
}

/// The sentences that a message in German would have in English.
pub fn untranslated<'s>(sentences: impl IntoIterator<Item = &'s Sentence>) -> Vec<&'s str> {
    let is_english = |said: &&Sentence| said.german() == said.english();
    sentences.into_iter().filter(is_english).map(Sentence::english).collect()
}

/// An active account with an address of its own.
pub fn person(number: u128, name: &str, role: PortalRole) -> Person {
    Person {
        email: Some(PortalText::new(format!("person{number}@example.com"))),
        status: Some(PersonStatus::Active),
        role: Some(role),
        ..Person::named(Uuid::from_u128(number), name.into())
    }
}

/// Anna has downloaded too much from room 71 within 40 minutes; without evidence.
pub fn finding(first: DateTime<Utc>) -> Finding {
    let person = person(1, "Anna", PortalRole::User);
    let window = Window::new(first, first + TimeDelta::minutes(40));
    Finding {
        severity: Severity::High,
        room: Some(FindingRoom {
            id: Some(RoomId::Number(71)),
            candidates: Vec::new(),
            title: "Falcon".into(),
            attributed: Attributed::Title,
        }),
        counts: Counts { acts: 41, documents: 38 },
        reasons: vec!["41 actions within 1 h, more than 20".into()],
        ..Finding::new("unusual_activity", "0123456789abcdef".to_owned(), person, window)
    }
}
