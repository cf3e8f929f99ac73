//! What happens beside a request or becomes visible late: a second administrator, a directory, rows on their way,
//! processes that remember old IP restrictions.

mod common;

use common::{Answer, Ordered, at};
use portal_sim::{
    Fault, FaultKind, Intervention, Key, Lateness, Person, PersonKind, PortalSim, Remembered, Scenario, Side,
};

const EVENTS: &str = "security/audit/events/filter";
const LIST: &str = "settings/iprestrictions";
const SWITCH: &str = "settings/iprestrictions/settings";
const ADDRESS: &str = "198.51.100.7";

/// The second administrator.
fn adam() -> Person {
    let adam = Person::new("adam@example.com", "Adam", "Admin").kind(PersonKind::Admin);
    Person { ip: ADDRESS.to_owned(), ..adam }
}

fn ivan() -> Person {
    Person::new("ivan@example.com", "Ivan", "Petrov")
}

fn portal() -> Scenario {
    Scenario::bare(at("2026-11-20T09:00:00Z")).with_person(adam()).with_person(ivan()).with_key(Key::of(&ivan()))
}

async fn start(scenario: Scenario) -> PortalSim {
    PortalSim::start(scenario).await.expect("start")
}

async fn send(sim: &PortalSim, key: &str, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
    let lines = format!("Bearer {key}\r\nContent-Type: application/json");
    common::ask(sim, method, &format!("/api/2.0/{path}"), "portal.example", Some(&lines), body).await
}

/// The owner's request.
async fn ask(sim: &PortalSim, method: &str, path: &str, body: &str) -> Answer {
    send(sim, &sim.key(), method, path, body).await.expect("an answer")
}

async fn get(sim: &PortalSim, path: &str) -> Ordered {
    let answer = ask(sim, "GET", path, "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json().at("response").clone()
}

async fn status_of_ivan(sim: &PortalSim) -> i64 {
    get(sim, &format!("people/{}", ivan().id)).await.at("status").int()
}

/// Number of the action and who did it, in the order in which the rows were inserted.
async fn trail(sim: &PortalSim) -> Vec<(i64, String)> {
    let mut rows: Vec<(i64, i64, String)> = get(sim, EVENTS)
        .await
        .items()
        .iter()
        .map(|row| (row.at("id").int(), row.at("actionId").int(), row.at("user").text().to_owned()))
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, action, user)| (action, user)).collect()
}

async fn actions(sim: &PortalSim) -> Vec<i64> {
    trail(sim).await.into_iter().map(|(action, _)| action).collect()
}

async fn restrict(sim: &PortalSim, addresses: &[&str], enable: bool) -> Answer {
    let body = Intervention::restrict(&adam(), addresses, enable).body.expect("a body").to_string();
    ask(sim, "PUT", LIST, &body).await
}

async fn list(sim: &PortalSim) -> Vec<String> {
    get(sim, LIST).await.items().iter().map(|entry| entry.at("ip").text().to_owned()).collect()
}

async fn is_enabled(sim: &PortalSim) -> bool {
    *get(sim, SWITCH).await.at("enable") == Ordered::Bool(true)
}

#[tokio::test]
async fn a_second_administrator_acts_before_the_answer_or_after_it() {
    let sim = start(portal()).await;
    let account = format!("people/{}", ivan().id);
    sim.set_faults(vec![Fault::meanwhile(Intervention::disable(&adam(), ivan().id)).on(&account).after(1).times(1)]);
    assert_eq!((status_of_ivan(&sim).await, status_of_ivan(&sim).await), (1, 2), "before the second look");
    sim.set_faults(vec![Fault::afterwards(Intervention::enable(&adam(), ivan().id)).on(&account).times(1)]);
    assert_eq!((status_of_ivan(&sim).await, status_of_ivan(&sim).await), (2, 1), "after the look");
    let adams = |action| (action, "Adam Admin".to_owned());
    assert_eq!(trail(&sim).await, [adams(6032), adams(4020), adams(4020)]);
    let row = get(&sim, &format!("{EVENTS}?action=4020&count=1")).await.items()[0].clone();
    assert_eq!((row.at("ip").text(), row.at("target").items()[0].text()), (ADDRESS, &*ivan().id.to_string()));
    assert!(sim.requests().iter().all(|request| request.method == "GET"), "the log is about the client alone");
    let keys = get(&sim, "keys").await;
    assert_eq!(keys.items().len(), 2, "somebody at a browser leaves no key");
}

#[tokio::test]
async fn what_the_portal_refuses_to_somebody_else_fails_the_request_in_words() {
    let sim = start(portal()).await;
    let owner = sim_owner(&sim);
    for (intervention, text) in [
        (Intervention::disable(&adam(), owner), "the portal answers 403 to adam@example.com for PUT people/status/"),
        (Intervention::new(&adam(), "PUT", "people/nothing/there", None), "the portal answers 404"),
        (Intervention::new(&Person::new("no@example.com", "", ""), "GET", "people", None), "no@example.com"),
    ] {
        sim.set_faults(vec![Fault::meanwhile(intervention)]);
        let answer = ask(&sim, "GET", "people/@self", "").await;
        assert!(answer.status == 500 && answer.body.contains(text), "{text}: {}", answer.body);
    }
    sim.set_faults(Vec::new());
    assert!(actions(&sim).await.is_empty());
}

fn sim_owner(sim: &PortalSim) -> uuid::Uuid {
    let mut owner = uuid::Uuid::nil();
    sim.edit(|scenario| owner = scenario.owner().id);
    owner
}

#[tokio::test]
async fn of_two_changes_of_the_list_the_last_wins_and_both_leave_a_row() {
    let sim = start(portal()).await;
    restrict(&sim, &["192.0.2.1"], false).await;
    assert_eq!(list(&sim).await, ["192.0.2.1"], "read again before the change");
    let other = Intervention::restrict(&adam(), &["192.0.2.1", "192.0.2.99"], false);
    sim.set_faults(vec![Fault::meanwhile(other).on(LIST).method("PUT").times(1)]);
    let answer = restrict(&sim, &["192.0.2.1", "192.0.2.2"], false).await;
    assert_eq!(answer.status, 200);
    assert_eq!(list(&sim).await, ["192.0.2.1", "192.0.2.2"], "the other entry is gone without a word");
    let tellers: Vec<String> = trail(&sim).await.into_iter().map(|(_, user)| user).collect();
    assert_eq!(tellers, ["Olga Owner", "Adam Admin", "Olga Owner"]);
}

#[tokio::test]
async fn a_second_administrator_is_judged_by_the_list_too() {
    let sim = start(portal()).await;
    restrict(&sim, &["192.0.2.1"], true).await;
    let other = Intervention::restrict(&adam(), &["192.0.2.1", ADDRESS], true);
    sim.set_faults(vec![Fault::meanwhile(other)]);
    let answer = ask(&sim, "GET", LIST, "").await;
    assert!(answer.body.contains("the portal answers 403 to adam@example.com"), "{}", answer.body);
}

#[tokio::test]
async fn accounts_change_without_a_request_and_with_a_row_where_somebody_gave_a_role() {
    let (dora, adams) = (Person { is_ldap: true, ..Person::new("dora@example.com", "Dora", "Directory") }, adam());
    let sim = start(portal().with_person(dora)).await;
    assert_eq!(ask(&sim, "PUT", "people/dora", r#"{"disable":true}"#).await.status, 200, "this call takes them");
    let changes = |person: &str, status, role, by: Option<&Person>, side| {
        let by = by.map(|by| by.email.clone());
        Fault::new(FaultKind::AccountChanges { person: person.to_owned(), status, role, by, side }).times(1)
    };
    sim.set_faults(vec![changes("dora@example.com", Some(1), None, None, Side::After).on("people/dora")]);
    let status = async || get(&sim, "people/dora").await.at("status").int();
    assert_eq!((status().await, status().await), (2, 1), "until the next synchronisation");
    assert_eq!(actions(&sim).await, [4006, 6032], "which leaves no row");
    let promoted = changes("ivan@example.com", None, Some(PersonKind::Admin), Some(&adams), Side::Before);
    sim.set_faults(vec![promoted.on("people/status")]);
    let key = sim_key(&sim, &adams);
    let body = format!("{{\"userIds\":[\"{}\"]}}", ivan().id);
    let refused = send(&sim, &key, "PUT", "people/status/Terminated", &body).await.expect("an answer");
    assert_eq!(refused.status, 403, "an administrator since the plan was made");
    assert_eq!(trail(&sim).await.last(), Some(&(4019, "Adam Admin".to_owned())));
}

/// A key of this account, from now on.
fn sim_key(sim: &PortalSim, person: &Person) -> String {
    let key = Key::of(person);
    sim.edit(|scenario| scenario.keys.push(key.clone()));
    key.key
}

#[tokio::test]
async fn rows_of_a_changed_list_come_late_where_rows_are_late() {
    let sim = start(portal().with_lateness(Lateness { requests: 1, ..Lateness::default() })).await;
    restrict(&sim, &["192.0.2.1"], false).await;
    assert_eq!([actions(&sim).await, actions(&sim).await], [vec![], vec![6094]]);
}

#[tokio::test]
async fn time_passes_with_every_request_that_asks_for_it() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::TimePasses { seconds: 15 }).times(2)]);
    let mut dates = Vec::new();
    for _ in 0..3 {
        dates.push(ask(&sim, "GET", "people/@self", "").await.headers["date"].clone());
    }
    assert_eq!(dates, ["09:00:15", "09:00:30", "09:00:30"].map(|time| format!("Fri, 20 Nov 2026 {time} GMT")));
}

#[tokio::test]
async fn a_switch_is_lost_on_the_way_back() {
    let sim = start(portal()).await;
    restrict(&sim, &["192.0.2.1"], true).await;
    sim.set_faults(vec![Fault::new(FaultKind::LostSwitch).times(1)]);
    let answer = restrict(&sim, &["192.0.2.8"], false).await;
    assert_eq!((answer.status, answer.json().at("response").at("enable")), (200, &Ordered::Bool(false)));
    assert_eq!((list(&sim).await, is_enabled(&sim).await), (vec!["192.0.2.8".to_owned()], true), "and enforced");
    restrict(&sim, &["192.0.2.8"], false).await;
    assert!(!is_enabled(&sim).await);
}

#[tokio::test]
async fn other_processes_remember_the_list_and_the_switch_from_before() {
    let mut key = Key::of(&ivan());
    key.from = Some("192.0.2.8".parse().expect("an address"));
    let mut scenario = portal();
    scenario.keys[1] = key.clone();
    let sim = start(scenario).await;
    restrict(&sim, &["192.0.2.1"], false).await;
    restrict(&sim, &["192.0.2.1", "192.0.2.2"], true).await;
    let stale = |changes, what| Fault::new(FaultKind::Stale { changes, what });
    let seen = async |fault: Fault| {
        sim.set_faults(vec![fault]);
        (list(&sim).await.len(), is_enabled(&sim).await)
    };
    assert_eq!(seen(stale(1, None)).await, (1, false));
    assert_eq!(seen(stale(1, Some(Remembered::List))).await, (1, true));
    assert_eq!(seen(stale(1, Some(Remembered::Switch))).await, (2, false));
    assert_eq!(seen(stale(2, None)).await, (0, false), "as it began");
    let soon: portal_sim::Moment = "+15s".parse().expect("a moment");
    sim.set_faults(vec![stale(1, None).on("people/@self").until(soon)]);
    let own = async || send(&sim, &key.key, "GET", "people/@self", "").await.expect("an answer").status;
    assert_eq!(own().await, 200, "a process that does not know yet lets in");
    sim.edit(|scenario| scenario.now += chrono::Duration::seconds(15));
    assert_eq!(own().await, 403);
    sim.set_faults(vec![stale(1, None)]);
    assert_eq!(restrict(&sim, &["192.0.2.3"], true).await.status, 200, "what is written is never old");
    sim.set_faults(Vec::new());
    assert_eq!((list(&sim).await, is_enabled(&sim).await), (vec!["192.0.2.3".to_owned()], true));
}

/// A row that is no address came into the table: the list cannot be read, but by a process that remembers it.
#[tokio::test]
async fn a_list_that_is_remembered_hides_a_row_that_is_no_address() {
    let mut key = Key::of(&ivan());
    key.from = Some("192.0.2.8".parse().expect("an address"));
    let mut scenario = portal();
    scenario.keys[1] = key.clone();
    let sim = start(scenario).await;
    restrict(&sim, &["192.0.2.8"], true).await;
    sim.edit(|scenario| scenario.restrict_in_the_table("192.0.2.0/24"));
    let own = async || send(&sim, &key.key, "GET", "people/@self", "").await.expect("an answer").status;
    let read = async || ask(&sim, "GET", LIST, "").await.status;
    assert_eq!((read().await, own().await), (500, 403));
    sim.set_faults(vec![Fault::new(FaultKind::Stale { changes: 1, what: None })]);
    assert_eq!((read().await, own().await), (200, 200));
    assert_eq!(list(&sim).await, ["192.0.2.8"]);
    sim.set_faults(Vec::new());
    assert_eq!(restrict(&sim, &["192.0.2.8"], true).await.status, 200, "what is written replaces the whole table");
    assert_eq!((read().await, own().await), (200, 200));
}

#[tokio::test]
async fn a_key_with_an_address_is_judged_by_it_and_named_by_it() {
    let key = Key { from: Some(ADDRESS.parse().expect("an address")), ..Key::of(&adam()) };
    let sim = start(portal().with_key(key.clone())).await;
    let forged = |address: &str| format!("{}\r\nX-Forwarded-For: {address}", key.key);
    let body = Intervention::restrict(&adam(), &["192.0.2.1"], true).body.expect("a body").to_string();
    assert_eq!(send(&sim, &forged("192.0.2.1"), "PUT", LIST, &body).await.expect("an answer").status, 200);
    let row = get(&sim, EVENTS).await.items()[0].clone();
    assert_eq!((row.at("actionId").int(), row.at("ip").text()), (6094, ADDRESS));
    // read-back and taking back are refused: only the owner is let in
    for (method, body) in [("GET", ""), ("PUT", body.as_str())] {
        assert_eq!(send(&sim, &forged("192.0.2.1"), method, LIST, body).await.expect("an answer").status, 403);
    }
    sim.edit(|scenario| scenario.condition.restrictions.trusts_callers = true);
    assert_eq!(send(&sim, &key.key, "PUT", LIST, &body).await.expect("an answer").status, 403);
    assert_eq!(send(&sim, &forged("192.0.2.1"), "PUT", LIST, &body).await.expect("an answer").status, 200);
    let rows = get(&sim, EVENTS).await;
    let addresses: Vec<&str> = rows.items().iter().map(|row| row.at("ip").text()).collect();
    assert!(addresses.contains(&"192.0.2.1"), "the portal writes down what the caller says: {addresses:?}");
}

#[tokio::test]
async fn scenario_files_hold_keys_directories_and_trusting_proxies() {
    let text = r#"{"name": "x", "description": "x", "truth": {},
        "people": [
            {"id": "66faa6e4-f133-11ea-b126-00ffeec8b4ef", "first_name": "Olga", "last_name": "Owner",
             "email": "olga@example.com", "kind": "owner", "ip": "192.0.2.1"},
            {"id": "1a2b3c4d-0000-4000-8000-000000000001", "first_name": "Dora", "last_name": "Directory",
             "email": "dora@example.com", "ip": "192.0.2.2", "ldap": true}],
        "keys": [{"person": "dora@example.com", "used": "-2d", "from": "192.0.2.2"}],
        "restrictions": {"entries": ["192.0.2.1"], "enabled": true, "trusts_callers": true},
        "faults": [{"kind": "meanwhile", "route": "keys$",
                    "request": {"by": "olga@example.com", "method": "PUT", "path": "people/dora",
                                "body": {"disable": true}}}]}"#;
    let now = at("2026-11-20T09:00:00Z");
    let scenario = Scenario::from_json(text, now).expect("a scenario");
    assert!(scenario.condition.restrictions.trusts_callers);
    let sim = start(scenario).await;
    let keys = get(&sim, "keys").await;
    assert_eq!(keys.items()[0].at("lastUsed").text(), "2026-11-18T09:00:00.0000000Z");
    let dora = get(&sim, "people/dora").await;
    assert_eq!((dora.at("isLDAP"), dora.at("status").int()), (&Ordered::Bool(true), 2));
    let wrong = text.replace("\"by\": \"olga", "\"by\": \"nobody");
    let error = Scenario::from_json(&wrong, now).expect_err("nobody of that name");
    assert!(error.to_string().contains("nobody@example.com"), "{error}");
}
