//! What a client that switches accounts off and on has to reckon with, a test for each fact.

mod common;
mod raw;

use chrono::Duration;
use common::{Answer, Ordered, at};
use portal_sim::{
    Fault, FaultKind, Intervention, Key, Lateness, Person, PersonKind, PortalSim, Room, Scenario, Side, StoredFile,
};
use uuid::Uuid;

const EVENTS: &str = "security/audit/events/filter";
const OFF: &str = "Terminated";
const ON: &str = "Active";

fn adam() -> Person {
    Person::new("adam@example.com", "Adam", "Admin").kind(PersonKind::Admin)
}

fn ivan() -> Person {
    Person::new("ivan@example.com", "Ivan", "Petrov")
}

/// An account that a directory keeps.
fn dora() -> Person {
    Person { is_ldap: true, ..Person::new("dora@example.com", "Dora", "Directory") }
}

/// The client has the key of an administrator.
fn portal() -> Scenario {
    let mut scenario =
        Scenario::bare(at("2026-11-20T09:00:00Z")).with_person(adam()).with_person(ivan()).with_person(dora());
    scenario.keys = vec![Key::of(&adam())];
    scenario
}

async fn start(scenario: Scenario) -> PortalSim {
    PortalSim::start(scenario).await.expect("start")
}

async fn send(sim: &PortalSim, key: &str, method: &str, path: &str, body: &str) -> Answer {
    let lines = format!("Bearer {key}\r\nContent-Type: application/json");
    common::ask(sim, method, &format!("/api/2.0/{path}"), "portal.example", Some(&lines), body)
        .await
        .expect("an answer")
}

async fn get(sim: &PortalSim, path: &str) -> Ordered {
    let answer = send(sim, &sim.key(), "GET", path, "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json().at("response").clone()
}

/// Switches one account; the whole answer.
async fn switch(sim: &PortalSim, status: &str, person: Uuid) -> Answer {
    let body = format!("{{\"userIds\":[\"{person}\"]}}");
    send(sim, &sim.key(), "PUT", &format!("people/status/{status}"), &body).await
}

/// The status that the answer of a switch shows.
fn shown(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().at("response").items()[0].at("status").int()
}

async fn status_of(sim: &PortalSim, person: &Person) -> i64 {
    get(sim, &format!("people/{}", person.id)).await.at("status").int()
}

/// Who changed a status, and whose, in the order in which the rows were stored.
async fn switches(sim: &PortalSim) -> Vec<(String, String)> {
    let rows = get(sim, &format!("{EVENTS}?action=4020")).await;
    let mut rows: Vec<(i64, String, String)> = rows
        .items()
        .iter()
        .map(|row| {
            (row.at("id").int(), row.at("user").text().to_owned(), row.at("target").items()[0].text().to_owned())
        })
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, user, target)| (user, target)).collect()
}

fn by(who: &str, whom: &Person) -> (String, String) {
    (who.to_owned(), whom.id.to_string())
}

fn owner(sim: &PortalSim) -> Person {
    let mut owner = None;
    sim.edit(|scenario| owner = Some(scenario.owner().clone()));
    owner.expect("every portal has one")
}

#[tokio::test]
async fn switching_off_somebody_who_is_off_changes_no_status_and_adds_a_row() {
    let mut scenario = portal();
    let olga = scenario.owner().clone();
    scenario.keys.push(Key::of(&olga));
    let sim = start(scenario).await;
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    sim.set_faults(vec![Fault::afterwards(Intervention::disable(&olga, ivan().id)).on("people/*$").times(1)]);
    assert_eq!([status_of(&sim, &ivan()).await, status_of(&sim, &ivan()).await], [2, 2]);
    assert_eq!(
        switches(&sim).await,
        [by("Adam Admin", &ivan()), by("Olga Owner", &ivan())],
        "whose decision it is, only the rows tell"
    );
}

#[tokio::test]
async fn a_human_switches_off_before_our_call_or_on_after_it_at_the_request_that_a_test_names() {
    let sim = start(portal()).await;
    let olga = owner(&sim);
    // the third request of the client is its PUT
    sim.set_faults(vec![
        Fault::meanwhile(Intervention::disable(&olga, ivan().id)).from_request(3).times(1),
        Fault::afterwards(Intervention::enable(&olga, ivan().id)).from_request(4).times(1),
    ]);
    assert_eq!([status_of(&sim, &ivan()).await, status_of(&sim, &ivan()).await], [1, 1]);
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    assert_eq!([status_of(&sim, &ivan()).await, status_of(&sim, &ivan()).await], [2, 1]);
    let told = ["Olga Owner", "Adam Admin", "Olga Owner"].map(|who| by(who, &ivan()));
    assert_eq!(switches(&sim).await, told);
}

#[tokio::test]
async fn every_refusal_is_the_same_403() {
    let second = Person::new("abe@example.com", "Abe", "Admin").kind(PersonKind::Admin);
    let sim = start(portal().with_person(second.clone())).await;
    let gone = Uuid::from_u128(7);
    let mut bodies = Vec::new();
    for (who, id) in [
        ("the owner", owner(&sim).id),
        ("oneself", adam().id),
        ("an administrator", second.id),
        ("a directory's", dora().id),
        ("gone", gone),
    ] {
        let answer = switch(&sim, OFF, id).await;
        assert_eq!(answer.status, 403, "{who}: {}", answer.body);
        bodies.push(answer.json().steady());
    }
    assert!(bodies[0].render().contains("Access denied"), "{}", bodies[0].render());
    assert!(bodies.iter().all(|body| *body == bodies[0]), "nothing tells them apart: {bodies:?}");
    assert!(switches(&sim).await.is_empty());
    // and the same of somebody who is deleted between the look and the call
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    let delete = Intervention::new(&owner(&sim), "DELETE", &format!("people/{}", ivan().id), None);
    sim.set_faults(vec![Fault::meanwhile(delete).on("people/status").method("PUT")]);
    assert_eq!(switch(&sim, ON, ivan().id).await.json().steady(), bodies[0]);
}

#[tokio::test]
async fn an_invited_person_with_a_name_comes_back_active_and_a_nameless_one_invited() {
    let invited = |email: &str, first: &str| Person { status: 4, ..Person::new(email, first, "") };
    let (named, nameless) = (invited("nora@example.com", "Nora"), invited("new@example.com", ""));
    let sim = start(portal().with_person(named.clone()).with_person(nameless.clone())).await;
    for (person, back) in [(named, 1), (nameless, 4)] {
        assert_eq!(status_of(&sim, &person).await, 4, "{}", person.email);
        assert_eq!(shown(&switch(&sim, OFF, person.id).await), 2, "{}", person.email);
        assert_eq!(shown(&switch(&sim, ON, person.id).await), back, "{}", person.email);
        assert_eq!(status_of(&sim, &person).await, back, "{}", person.email);
    }
}

#[tokio::test]
async fn with_full_seats_active_is_402_and_the_person_stays_off() {
    let sim = start(portal()).await;
    // two accounts that count, and two seats
    sim.edit(|scenario| scenario.content.quota.free_seats = 2);
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    // our own suspension freed the seat that somebody else takes
    sim.edit(|scenario| scenario.people.push(Person::new("nora@example.com", "Nora", "New")));
    let refused = switch(&sim, ON, ivan().id).await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.json().at("error").at("type").text(), "ASC.Core.Tenants.TenantQuotaException");
    assert_eq!(status_of(&sim, &ivan()).await, 2);
    assert_eq!(switches(&sim).await.len(), 1, "and no row tells of it");
    sim.edit(|scenario| scenario.content.quota.free_seats = 3);
    assert_eq!(shown(&switch(&sim, ON, ivan().id).await), 1);
}

#[tokio::test]
async fn our_own_row_is_seen_with_delay() {
    let sim = start(portal().with_lateness(Lateness { time: Duration::seconds(90), ..Lateness::default() })).await;
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    for (seconds, rows) in [(0, 0), (89, 0), (1, 1)] {
        sim.edit(|scenario| scenario.now += Duration::seconds(seconds));
        assert_eq!(status_of(&sim, &ivan()).await, 2);
        assert_eq!(switches(&sim).await.len(), rows, "{seconds} s later");
    }
}

#[tokio::test]
async fn one_row_comes_late_or_never_where_a_fault_says_so() {
    let sim = start(portal()).await;
    let late = |requests, seconds| Fault::new(FaultKind::LateRows { requests, seconds }).on("people/status").times(1);
    sim.set_faults(vec![late(Some(2), None)]);
    assert_eq!(switch(&sim, OFF, ivan().id).await.status, 200);
    let seen = [switches(&sim).await.len(), switches(&sim).await.len(), switches(&sim).await.len()];
    assert_eq!(seen, [0, 0, 1], "two requests later");
    let passes = Fault::new(FaultKind::TimePasses { seconds: 60 }).on("security/");
    sim.set_faults(vec![late(None, Some(90)), passes]);
    assert_eq!(switch(&sim, ON, ivan().id).await.status, 200);
    assert_eq!([switches(&sim).await.len(), switches(&sim).await.len()], [1, 2], "after a minute, and after two");
    let newest = get(&sim, &format!("{EVENTS}?count=1")).await.items()[0].clone();
    assert_eq!(newest.at("date").text(), "2026-11-20T09:00:00.0000000Z", "with its old date");
    sim.set_faults(vec![late(None, None)]);
    assert_eq!(switch(&sim, OFF, ivan().id).await.status, 200);
    sim.edit(|scenario| scenario.now += Duration::days(90));
    assert_eq!(switches(&sim).await.len(), 2);
}

#[tokio::test]
async fn a_reset_or_an_error_says_nothing_about_what_was_done() {
    let done = [FaultKind::DoneThenReset, FaultKind::DoneThenStatus { status: 500 }];
    let undone = [FaultKind::Reset, Fault::status(500).kind];
    for (kinds, status) in [(done, 2), (undone, 1)] {
        for kind in kinds {
            let sim = start(portal()).await;
            sim.set_faults(vec![Fault::new(kind.clone()).on("people/status").times(1)]);
            let bearer = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", sim.key());
            let body = format!("{{\"userIds\":[\"{}\"]}}", ivan().id);
            let answer = raw::ask(&sim, "PUT", "people/status/Terminated", &bearer, &body).await;
            let is_reset = matches!(kind, FaultKind::Reset | FaultKind::DoneThenReset);
            assert_eq!((answer.reset, answer.status), (is_reset, if is_reset { 0 } else { 500 }), "{kind:?}");
            assert_eq!(status_of(&sim, &ivan()).await, status, "{kind:?}");
            assert_eq!(switches(&sim).await.len(), usize::from(status == 2), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_server_up_to_3_6_1_answers_200_and_does_nothing() {
    for (version, answers) in [("3.6.1", 200), ("3.7.2", 403)] {
        let sim = start(portal().with_version(version)).await;
        let answer = switch(&sim, OFF, owner(&sim).id).await;
        assert_eq!(answer.status, answers, "{version}");
        let directory = switch(&sim, OFF, dora().id).await;
        assert_eq!(directory.status, answers, "{version}");
        if answers == 200 {
            assert_eq!(shown(&answer), 1, "the owner as before");
            assert!(directory.json().at("response").items().is_empty(), "the other is not even named");
        }
        assert_eq!((status_of(&sim, &owner(&sim)).await, status_of(&sim, &dora()).await), (1, 1), "{version}");
    }
}

#[tokio::test]
async fn a_success_without_effect_shows_status_2_in_the_answer_alone() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::Unchanged).on("people/status").times(1)]);
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    assert_eq!(status_of(&sim, &ivan()).await, 1, "so it has to be read back");
    assert!(switches(&sim).await.is_empty());
}

#[tokio::test]
async fn keys_of_the_person_answer_401_and_work_again() {
    let mut scenario = portal();
    scenario.keys.push(Key::of(&ivan()));
    let sim = start(scenario).await;
    let key = Key::of(&ivan()).key;
    let own = async || send(&sim, &key, "GET", "people/@self", "").await.status;
    let listed = async || get(&sim, "keys").await.items()[0].clone();
    assert_eq!(*listed().await.at("lastUsed"), Ordered::Null, "never used");
    assert_eq!(own().await, 200);
    sim.edit(|scenario| scenario.now += Duration::hours(1));
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    assert_eq!(own().await, 401);
    let resting = listed().await;
    let whose = resting.at("createBy").at("id").text();
    assert_eq!(
        (resting.at("isActive"), whose),
        (&Ordered::Bool(true), &*ivan().id.to_string()),
        "the list does not show it"
    );
    assert_eq!(resting.at("lastUsed").text(), "2026-11-20T10:00:00.0000000Z", "noted though it was refused");
    assert_eq!(shown(&switch(&sim, ON, ivan().id).await), 1);
    assert_eq!(own().await, 200);
}

#[tokio::test]
async fn the_other_call_switches_off_an_account_of_a_directory_until_the_next_sync() {
    let sim = start(portal()).await;
    assert_eq!(switch(&sim, OFF, dora().id).await.status, 403);
    let path = format!("people/{}", dora().id);
    let answer = send(&sim, &sim.key(), "PUT", &path, r#"{"disable":true}"#).await;
    assert_eq!((answer.status, answer.json().at("response").at("status").int()), (200, 2));
    let sync =
        FaultKind::AccountChanges { person: dora().email, status: Some(1), role: None, by: None, side: Side::After };
    sim.set_faults(vec![Fault::new(sync).on("people/*$").times(1)]);
    assert_eq!([status_of(&sim, &dora()).await, status_of(&sim, &dora()).await], [2, 1]);
    assert!(switches(&sim).await.is_empty(), "no row of a changed status, neither of ours nor of the directory");
}

#[tokio::test]
async fn the_other_call_does_nothing_to_the_account_of_the_key_and_takes_no_reason() {
    let sim = start(portal()).await;
    let body = r#"{"disable":true,"comment":"too many deletions"}"#;
    let own = send(&sim, &sim.key(), "PUT", &format!("people/{}", adam().id), body).await;
    assert_eq!((own.status, own.json().at("response").at("status").int()), (200, 1));
    let other = send(&sim, &sim.key(), "PUT", &format!("people/{}", ivan().id), body).await;
    assert_eq!((other.status, other.json().at("response").at("status").int()), (200, 2));
    let read = get(&sim, &format!("people/{}", ivan().id)).await;
    assert_eq!(*read.at("notes"), Ordered::Null);
    let row = get(&sim, EVENTS).await;
    assert!(!row.render().contains("too many deletions"), "nor does any row hold it: {}", row.render());
}

#[tokio::test]
async fn documents_that_are_open_are_saved_after_the_person_is_off() {
    let mut plan = StoredFile::new(9001, 71, "plan.docx", ivan().id, at("2026-11-19T09:00:00Z"), b"one");
    plan.busy = true;
    let sim = start(portal().with_room(Room::vdr(71, "Alpha")).with_file(plan)).await;
    assert_eq!(shown(&switch(&sim, OFF, ivan().id).await), 2);
    let saves = |file| Fault::new(FaultKind::EditorSaves { file, side: Side::Before }).on("files/file").times(1);
    sim.set_faults(vec![saves(9001)]);
    assert_eq!(get(&sim, "files/file/9001").await.at("version").int(), 2);
    let rows = get(&sim, &format!("{EVENTS}?action=5034")).await;
    assert_eq!((rows.items().len(), rows.items()[0].at("user").text()), (1, "Anonymous"), "and the row names nobody");
    sim.set_faults(vec![saves(9002)]);
    let answer = send(&sim, &sim.key(), "GET", "files/file/9001", "").await;
    assert!(answer.status == 500 && answer.body.contains("nobody has the file 9002 open"), "{}", answer.body);
}
