//! Portals for the tests: a month in which something of everything happened, and emptier ones.

use chrono::{DateTime, Utc};
use portal_sim::{Event, Login, Person, PersonKind, Room, Scenario};

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A portal of these clocks on which nothing has happened, some days after the month.
pub(crate) fn empty(zone: chrono_tz::Tz, now: &str) -> Scenario {
    Scenario::empty(at(now)).with_zone(zone)
}

/// June 2026 in Berlin.
pub(crate) fn june() -> Scenario {
    let anna = Person::new("anna@example.com", "Anna", "Schmidt").kind(PersonKind::User);
    let bob = Person::new("bob@example.com", "Bob", "=HYPERLINK(\"http://evil.example.com\")").kind(PersonKind::User);
    let mut portal = empty(chrono_tz::Europe::Berlin, "2026-07-02T09:00:00Z")
        .with_person(anna.clone())
        .with_person(bob.clone())
        .with_room(Room { created: at("2026-01-01T00:00:00Z"), ..Room::vdr(71, "Falcon") })
        .with_room(Room { created: at("2026-01-01T00:00:00Z"), ..Room::vdr(72, "<b>Quiet</b> & empty") })
        .with_room(Room { created: at("2026-07-01T12:00:00Z"), ..Room::vdr(73, "Made in July") });
    let olga = portal.owner().id;
    let download = |who: &Person, time: &str, id: i32, title: &str| {
        Event::new(5009, who.id, at(time)).file(id, title).in_room(71).ip("203.0.113.7")
    };
    // the first second of the month there, the last one, and one on each side
    portal.add_event(download(&anna, "2026-05-31T21:59:59Z", 9001, "before.docx"));
    portal.add_event(download(&anna, "2026-05-31T22:00:00Z", 9002, "first.docx"));
    portal.add_event(download(&anna, "2026-06-30T21:59:59Z", 9003, "last.docx"));
    portal.add_event(download(&anna, "2026-06-30T22:00:00Z", 9004, "after.docx"));
    for n in 0..12 {
        portal.add_event(download(&bob, &format!("2026-06-10T08:{n:02}:00Z"), 9100 + n, "plan.docx"));
    }
    let hostile = "=cmd|'/c calc'!A1\r\nID: 1\nDate: 2026-06-01\u{202e}<script>alert(1)</script>.docx";
    portal.add_event(Event::new(5011, anna.id, at("2026-06-02T09:00:00Z")).file(9200, hostile).in_room(71));
    portal.add_event(Event::new(5018, anna.id, at("2026-06-03T09:00:00Z")).file(9200, hostile).in_room(71));
    portal.add_event(Event::new(5088, bob.id, at("2026-06-04T09:00:00Z")).in_room(71));
    portal.add_event(Event::new(5057, bob.id, at("2026-06-05T09:00:00Z")).file(250, "Contracts").in_room(71));
    let mut joined = Event::new(5085, olga, at("2026-06-06T09:00:00Z")).in_room(71);
    joined.target = vec!["71".to_owned()];
    portal.add_event(joined);
    portal.add_event(Event::new(6094, olga, at("2026-06-07T09:00:00Z")));
    portal.add_event(Event::new(59_999, olga, at("2026-06-07T10:00:00Z")));
    let mut removed = Event::new(4018, olga, at("2026-06-28T09:00:00Z"));
    removed.target = vec![bob.id.to_string()];
    portal.add_event(removed);
    portal.add_login(Login::success(&anna, at("2026-05-15T07:00:00Z")));
    portal.add_login(Login::success(&anna, at("2026-06-02T07:00:00Z")));
    for n in 0..11 {
        portal.add_login(Login::failure("Anna@example.com", "198.51.100.9", at(&format!("2026-06-09T22:{n:02}:00Z"))));
    }
    portal
}
