//! Lists that are not whole, rows and answers of another form, and rows that cannot be read, as a client sees them.

mod common;

use chrono::Duration;
use common::{Ordered, at, get};
use portal_sim::{AnswerForm, Event, Fault, FaultKind, Login, PortalSim, Room, RowForm, Scenario, StoredFile};

const EVENTS: &str = "security/audit/events/filter";
const LOGINS: &str = "security/audit/login/filter";
/// Every list that a program reads, with the member that holds its rows.
const LISTS: [(&str, &str); 7] = [
    (EVENTS, ""),
    (LOGINS, ""),
    ("files/folder/71/log", ""),
    ("people/filter", ""),
    ("files/rooms/71/share", ""),
    ("files/rooms", "folders"),
    ("files/71", "files"),
];

/// Five rows in every list.
fn portal() -> Scenario {
    let mut portal = Scenario::bare(at("2026-11-20T09:00:00Z"));
    for index in 0..5 {
        let email = format!("p{index}@example.com");
        if index > 0 {
            portal = portal.with_person(portal_sim::Person::new(&email, "P", &index.to_string()));
        }
    }
    let people = portal.people.clone();
    for (room, person) in (71..76).zip(&people) {
        let mut data_room = Room::vdr(room, &format!("Room {room}"));
        if room == 71 {
            data_room.members = people.iter().map(|person| person.id).collect();
        }
        portal.add_room(data_room);
        let when = portal.now - Duration::days(i64::from(room));
        portal = portal.with_file(StoredFile::new(room * 10, 71, &format!("{room}.docx"), person.id, when, b"text"));
        // a file of its own each, or the log would group them
        portal.add_event(Event::new(5011, person.id, when).file(room * 10, &format!("{room}.docx")).in_room(71));
        portal.add_login(Login::success(person, when));
    }
    portal
}

async fn start() -> PortalSim {
    PortalSim::start(portal()).await.expect("start")
}

/// The rows of a list, its `count` and its `total`.
async fn read(sim: &PortalSim, (path, inside): (&str, &str)) -> (Vec<Ordered>, i64, Option<i64>) {
    let answer = get(sim, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let envelope = answer.json();
    let (rows, counts) = match inside {
        "" => (envelope.at("response"), &envelope),
        inside => (envelope.at("response").at(inside), envelope.at("response")),
    };
    let total = if let Ordered::Int(total) = counts.at("total") { Some(*total) } else { None };
    (rows.items().to_vec(), counts.at("count").int(), total)
}

#[tokio::test]
async fn a_login_without_an_address_kills_its_page_and_no_other() {
    let text = r#"{"name":"x","description":"","based_on":"quiet","truth":{},
        "logins":[{"at":"-5m","person":"bob@example.com","poison":true},{"at":"-1m","person":"bob@example.com"}]}"#;
    let sim =
        PortalSim::start(Scenario::from_json(text, at("2026-11-20T09:00:00Z")).expect("valid")).await.expect("start");
    for (query, status) in [("", 500), ("?count=1", 200), ("?startIndex=1&count=1", 500), ("?startIndex=2", 200)] {
        assert_eq!(get(&sim, &format!("{LOGINS}{query}")).await.status, status, "{query}");
    }
    let error = get(&sim, LOGINS).await.json();
    assert_eq!(error.at("error").at("type").text(), "System.NullReferenceException");
}

#[tokio::test]
async fn fewer_rows_than_there_are() {
    let sim = start().await;
    for list in LISTS {
        let (whole, count, total) = read(&sim, list).await;
        assert_eq!((whole.len(), count), (5, 5), "{list:?}");
        sim.set_faults(vec![Fault::fewer_rows(2).on(list.0)]);
        assert_eq!(read(&sim, list).await, (whole[..3].to_vec(), 3, total), "{list:?}");
        let inside = FaultKind::FewerRows { drop: Some(1), at: Some(1), total: None };
        sim.set_faults(vec![Fault::new(inside).on(list.0)]);
        let left = [&whole[..1], &whole[2..]].concat();
        assert_eq!(read(&sim, list).await, (left, 4, total), "{list:?}");
        sim.set_faults(vec![Fault::no_rows().on(list.0)]);
        assert_eq!(read(&sim, list).await, (Vec::new(), 0, total), "{list:?}");
        let with_total = FaultKind::FewerRows { drop: Some(0), at: None, total: Some(2) };
        sim.set_faults(vec![Fault::new(with_total).on(list.0)]);
        assert_eq!(read(&sim, list).await, (whole, 5, total.map(|_| 2)), "{list:?}");
        sim.set_faults(Vec::new());
    }
}

#[tokio::test]
async fn rows_of_another_form() {
    let sim = start().await;
    let odd = |form, every| FaultKind::OddRows { form, every, id: None };
    for list in LISTS {
        let (whole, ..) = read(&sim, list).await;
        for form in [RowForm::NoDate, RowForm::HugeId, RowForm::NoGuid, RowForm::Null, RowForm::Text] {
            sim.set_faults(vec![Fault::new(odd(form, None)).on(list.0)]);
            let (bent, count, _) = read(&sim, list).await;
            assert_eq!(count, 5, "{list:?}");
            // lists of members have no dates
            let same = bent == whole;
            assert_eq!(same, form == RowForm::NoDate && list.0.ends_with("/share"), "{list:?} {form:?}");
            if !same {
                assert!(bent.iter().zip(&whole).all(|(bent, whole)| bent != whole), "{list:?} {form:?}");
            }
        }
        sim.set_faults(Vec::new());
    }
}

#[tokio::test]
async fn an_odd_row_stays_odd_on_every_page() {
    let sim = start().await;
    let (whole, ..) = read(&sim, (EVENTS, "")).await;
    let ids: Vec<i64> = whole.iter().map(|row| row.at("id").int()).collect();
    let kinds = [
        (
            FaultKind::OddRows { form: RowForm::NoDate, every: Some(2), id: None },
            ids.iter().map(|id| id % 2 == 0).collect(),
        ),
        (
            FaultKind::OddRows { form: RowForm::NoDate, every: None, id: Some(ids[1].to_string()) },
            vec![false, true, false, false, false],
        ),
    ];
    for (kind, expected) in kinds {
        sim.set_faults(vec![Fault::new(kind.clone())]);
        let mut seen: Vec<bool> = Vec::new();
        for start in 0..5 {
            let (rows, ..) = read(&sim, (&format!("{EVENTS}?startIndex={start}&count=1"), "")).await;
            seen.extend(rows.iter().map(|row| *row.at("date") == Ordered::Null));
        }
        assert_eq!(seen, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn answers_of_another_form() {
    let sim = start().await;
    for (form, kind, body) in [
        (AnswerForm::NullResponse, "application/json; charset=utf-8", r#"{"response":null}"#),
        (AnswerForm::NoMembers, "application/json; charset=utf-8", "{}"),
        (AnswerForm::OtherResponse, "application/json; charset=utf-8", r#"{"response":{},"count":5"#),
        (AnswerForm::List, "application/json; charset=utf-8", "[]"),
        (AnswerForm::Text, "application/json; charset=utf-8", r#""ok""#),
        (AnswerForm::Html, "text/html", "<!DOCTYPE html>"),
    ] {
        sim.set_faults(vec![Fault::new(FaultKind::OddAnswer { form })]);
        let answer = get(&sim, EVENTS).await;
        assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, kind), "{form:?}");
        assert!(answer.body.starts_with(body), "{form:?}: {}", answer.body);
        assert_eq!(get(&sim, "people/nobody").await.status, 404, "{form:?}: what fails, fails");
    }
}

#[tokio::test]
async fn an_exception_has_the_type_that_was_ordered() {
    let sim = start().await;
    let class = format!("System.Exception\n2026-11-20 ERROR forged{}", "x".repeat(3000));
    let kind = FaultKind::Exception { status: 500, class: class.clone(), message: "m".to_owned() };
    sim.set_faults(vec![Fault::new(kind).on(EVENTS)]);
    let answer = get(&sim, EVENTS).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json().at("error").at("type").text(), class);
}

#[tokio::test]
async fn the_plan_ends_while_events_and_logins_are_read() {
    let mut scenario = portal();
    let owner = scenario.owner().clone();
    for second in 0..40 {
        let when = scenario.now - Duration::seconds(second);
        scenario.add_event(Event::new(5009, owner.id, when).file(710, "71.docx").in_room(71));
        scenario.add_login(Login::success(&owner, when));
    }
    let sim = PortalSim::start(scenario).await.expect("start");
    for list in [EVENTS, LOGINS] {
        sim.set_faults(vec![Fault::new(FaultKind::Fallback).on(list).after(1)]);
        let mut rows = Vec::new();
        for start in [0, 30] {
            rows.push(read(&sim, (&format!("{list}?count=30&startIndex={start}"), "")).await.0);
        }
        assert_eq!((rows[0].len(), rows[1].len()), (30, 20), "{list}: the newest twenty, whatever was asked for");
        assert_eq!(rows[1][..], rows[0][..20], "{list}");
    }
}

#[tokio::test]
async fn they_can_be_set_over_the_wire() {
    let sim = start().await;
    let long = "x".repeat(3000);
    for list in [
        r#"[{"kind":"fewer_rows","drop":3,"at":0,"total":0,"route":"files/rooms$"},{"kind":"fewer_rows"}]"#,
        r#"[{"kind":"odd_rows","form":"no_date","every":7},{"kind":"odd_rows","form":"huge_id","id":"48001"}]"#,
        r#"[{"kind":"odd_answer","form":"null_response"},{"kind":"odd_answer","form":"html"},{"kind":"other_bytes"}]"#,
        &format!(r#"[{{"kind":"exception","type":"a\nb{long}"}}]"#),
    ] {
        let answer = common::ask(&sim, "POST", "/__sim/faults", "x", None, list).await.expect("an answer");
        assert_eq!(answer.status, 204, "{list}: {}", answer.body);
    }
}
