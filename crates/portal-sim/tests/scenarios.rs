//! The built-in scenarios are what they say they are, at every clock.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use common::{at, get};
use portal_sim::{BUILTIN, Event, Place, PortalSim, Scenario, ScenarioError};
use uuid::Uuid;

/// Ordinary people stay at or below these, clearly under the limits of 20 an hour and 100 a day.
const ORDINARY: [(u32, usize); 2] = [(1, 12), (24, 60)];
const LIMITS: [(u32, usize); 2] = [(1, 20), (24, 100)];

fn clocks() -> [DateTime<Utc>; 3] {
    // a working day, a weekend night, the night of a clock change
    [at("2026-11-20T09:00:00Z"), at("2027-02-07T01:23:45Z"), at("2025-10-26T00:30:00Z")]
}

fn builtin(name: &str, now: DateTime<Utc>) -> Scenario {
    Scenario::builtin(name, now).unwrap_or_else(|| panic!("{name} is built in"))
}

/// The densest window of every person and room: how many distinct (document, action) in so many hours.
fn densest(scenario: &Scenario, hours: u32) -> BTreeMap<(Uuid, i32), usize> {
    let mut acts: BTreeMap<(Uuid, i32), Vec<&Event>> = BTreeMap::new();
    for event in scenario.events.iter().filter(|event| scenario.person(event.actor).is_some()) {
        if let Place::Room { id, .. } = event.place {
            acts.entry((event.actor, id)).or_default().push(event);
        }
    }
    let count = |events: &Vec<&Event>| {
        let from = |start: DateTime<Utc>| {
            let end = start + Duration::hours(i64::from(hours));
            let inside = events.iter().filter(|event| event.at >= start && event.at < end);
            inside.map(|event| (&event.target, event.action)).collect::<BTreeSet<_>>().len()
        };
        events.iter().map(|event| from(event.at)).max().unwrap_or_default()
    };
    acts.iter().map(|(who, events)| (*who, count(events))).collect()
}

#[test]
fn only_the_planted_people_exceed_a_limit() {
    for now in clocks() {
        for name in ["incident", "quiet", "twin-titles", "renamed-room", "autumn", "hostile", "deleted-room"] {
            let scenario = builtin(name, now);
            for ((hours, limit), (_, ordinary)) in LIMITS.into_iter().zip(ORDINARY) {
                for ((person, room), acts) in densest(&scenario, hours) {
                    let email = &scenario.person(person).expect("an account").email;
                    let planted =
                        scenario.truth().found.iter().find(|found| found.person == *email && found.room == room);
                    // a whole room is one action, and many documents
                    match planted.filter(|found| found.within_hours == hours && found.acts > 1) {
                        Some(found) => {
                            assert_eq!(acts, found.acts, "{name}: {email}");
                            assert!(acts > limit, "{name}: {email}");
                        }
                        None if planted.is_some() => assert!(acts <= limit, "{name}: {email}: {acts} in {hours} h"),
                        None => assert!(acts <= ordinary, "{name}: {email}: {acts} in {hours} h in {room}"),
                    }
                }
            }
        }
    }
}

#[test]
fn the_patient_person_never_does_more_than_fifteen_an_hour() {
    let scenario = builtin("incident", clocks()[0]);
    let sybil = scenario.person_by_email("sybil@example.com").expect("planted").id;
    assert!(densest(&scenario, 1)[&(sybil, 72)] <= 15);
}

#[test]
fn every_finding_names_a_person_and_a_room_that_are_there() {
    for name in BUILTIN {
        let scenario = builtin(name, clocks()[0]);
        assert_eq!(scenario.name, *name);
        let truth = scenario.truth();
        for found in truth.found.iter().chain(&truth.found_later) {
            assert!(scenario.person_by_email(&found.person).is_some(), "{name}");
            let target = [found.room.to_string()];
            match scenario.room(found.room) {
                Some(room) => assert!(found.program != "vdr-watch" || room.room_type == 8, "{name}"),
                None => {
                    assert!(scenario.events.iter().any(|e| e.action == 5074 && e.target == target), "{name}: deleted")
                }
            }
        }
        assert!(scenario.people.iter().all(|person| person.email.ends_with("@example.com")), "{name}");
        assert!(scenario.truth().exit.contains_key("vdr-watch"), "{name}");
        let ids: BTreeSet<i64> = scenario.events.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), scenario.events.len(), "{name}: every row has its own id");
        assert!(scenario.events.iter().all(|event| event.at <= scenario.now), "{name}: nothing is in the future");
    }
}

#[test]
fn traps_are_in_the_traffic() {
    let scenario = builtin("quiet", clocks()[0]);
    let saves = scenario.events.iter().filter(|event| event.texts.first().is_some_and(|t| t == "term sheet.docx"));
    assert!(saves.count() > 100, "auto-saves");
    assert_eq!(scenario.events.iter().filter(|event| event.initiator.is_some()).count(), 30, "a robot");
    assert!((400..2000).contains(&scenario.events.len()), "{} events", scenario.events.len());
    let mut by_date: Vec<&Event> = scenario.events.iter().collect();
    by_date.sort_by_key(|event| event.at);
    assert!(!by_date.is_sorted_by_key(|event| event.id), "id order is not date order");
}

#[test]
fn the_same_clock_gives_the_same_portal_and_another_clock_moves_it() {
    let [first, second, _] = clocks();
    for name in BUILTIN {
        let rows = |now: DateTime<Utc>| -> Vec<(i64, i64, Uuid, i32, Vec<String>)> {
            let scenario = builtin(name, now);
            let row = |e: &Event| (e.id, (scenario.now - e.at).num_seconds(), e.actor, e.action, e.target.clone());
            scenario.events.iter().map(row).collect()
        };
        assert_eq!(rows(first), rows(first), "{name}");
        assert_eq!(rows(first), rows(second), "{name}");
    }
}

#[tokio::test]
async fn the_incomplete_portal_fails_on_some_pages_and_the_others_work() {
    let sim = PortalSim::start(builtin("incomplete", clocks()[0])).await.expect("start");
    let mut statuses = BTreeSet::new();
    for start in (0..900).step_by(100) {
        statuses.insert(get(&sim, &format!("security/audit/events/filter?startIndex={start}")).await.status);
    }
    assert_eq!(statuses, BTreeSet::from([200, 500]));
}

#[tokio::test]
async fn the_portal_without_audit_says_so_only_in_its_quota() {
    let sim = PortalSim::start(builtin("no-audit", clocks()[0])).await.expect("start");
    let nobody = "security/audit/events/filter?count=1&userId=ffffffff-ffff-ffff-ffff-ffffffffffff";
    assert_eq!(get(&sim, nobody).await.ids().len(), 20);
    let quota = get(&sim, "portal/quota").await.json();
    assert_eq!(quota.at("response").at("audit"), &common::Ordered::Bool(false));
    sim.edit(|scenario| scenario.audit = true);
    assert_eq!(get(&sim, nobody).await.ids().len(), 0);
}

#[tokio::test]
async fn the_twins_have_one_title_and_only_the_log_tells_them_apart() {
    let scenario = builtin("twin-titles", clocks()[0]);
    let titles: BTreeSet<&str> = scenario.rooms.iter().map(|room| room.title.as_str()).collect();
    assert_eq!((scenario.rooms.len(), titles.len()), (2, 1));
    let ursula = scenario.person_by_email("ursula@example.com").expect("planted").id;
    let planted: BTreeSet<i64> = scenario.events.iter().filter(|e| e.actor == ursula).map(|e| e.id).collect();
    assert_eq!(planted.len(), 30);
    let sim = PortalSim::start(scenario).await.expect("start");
    for (room, expected) in [(301, 0), (302, 30)] {
        let mut seen = BTreeSet::new();
        let mut start = 0;
        loop {
            let page = get(&sim, &format!("files/folder/{room}/log?startIndex={start}")).await.json();
            for item in page.at("response").items() {
                seen.insert(item.at("id").int());
                seen.extend(item.at("related").items().iter().map(|row| row.at("id").int()));
            }
            start += page.at("count").int();
            if start >= page.at("total").int() {
                break;
            }
        }
        assert_eq!(seen.intersection(&planted).count(), expected, "room {room}");
    }
}

#[test]
fn mistakes_in_a_scenario_file_are_named() {
    let now = clocks()[0];
    let error = |text: &str| Scenario::from_json(text, now).expect_err("a mistake");
    let with = |more: &str| format!(r#"{{"name":"x","description":"","based_on":"quiet","truth":{{}},{more}}}"#);
    assert!(matches!(error("{}"), ScenarioError::Syntax(_)));
    assert!(matches!(error(&with(r#""unknown":1"#)), ScenarioError::Syntax(_)));
    assert!(matches!(error(&with(r#""zone":"Mars/Base""#)), ScenarioError::Zone(_)));
    let event = r#""events":[{"at":"-1x","action":5009,"person":"bob@example.com"}]"#;
    assert!(matches!(error(&with(event)), ScenarioError::Time(_)));
    let event = r#""events":[{"at":"-1h","action":5009,"person":"nobody@example.com"}]"#;
    assert!(matches!(error(&with(event)), ScenarioError::Person(_)));
    let event = r#""events":[{"at":"-1h","action":5009,"person":"bob@example.com","room":999}]"#;
    assert!(matches!(error(&with(event)), ScenarioError::Room(999)));
    let endless = r#""traffic":[{"kind":"auto_saves","person":"bob@example.com","room":71,"file":1,"title":"x",
        "since":"-1h","until":"0","every":"0"}]"#;
    assert!(matches!(error(&with(endless)), ScenarioError::Traffic(_)));
}
