//! Who gets in, what refusals look like, and misbehaviour on order.

mod common;

use common::{ask, at, get, get_as};
use portal_sim::{Event, Fault, FaultBody, FaultKind, Key, Person, PersonKind, PortalSim, Room, Scenario};

const FILTER: &str = "security/audit/events/filter";

fn portal() -> Scenario {
    Scenario::bare(at("2026-11-20T09:00:00Z"))
}

#[tokio::test]
async fn dead_keys_get_an_empty_401_and_a_problem_on_anonymous_routes() {
    let bob = Person::new("bob@example.com", "Bob", "Ray");
    let mut disabled = Person::new("dora@example.com", "Dora", "Gone").kind(PersonKind::Admin);
    disabled.status = 2;
    let mut expired = Key::of(&bob);
    expired.expires = Some(at("2026-11-20T09:00:00Z"));
    let of_disabled = Key::of(&disabled);
    let dead = [expired.key.clone(), of_disabled.key.clone(), "sk-nobody".to_owned()];
    let scenario = portal().with_person(bob).with_person(disabled).with_key(expired).with_key(of_disabled);
    let sim = PortalSim::start(scenario).await.expect("start");
    for key in &dead {
        let answer = get_as(&sim, FILTER, Some(key)).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, ""));
        assert!(!answer.headers.contains_key("www-authenticate"));
        let answer = get_as(&sim, "settings", Some(key)).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.headers["content-type"], "application/problem+json; charset=utf-8");
        assert_eq!(answer.json().names(), ["type", "title", "status", "traceId"]);
    }
    assert_eq!(get_as(&sim, FILTER, None).await.status, 401);
    let lower = ask(&sim, "GET", &format!("/api/2.0/{FILTER}"), "x", Some(&format!("bearer {}", sim.key())), "").await;
    assert_eq!(lower.expect("an answer").status, 401, "the scheme's name is case-sensitive");
}

#[tokio::test]
async fn ordinary_people_read_neither_the_audit_trail_nor_other_rooms() {
    let bob = Person::new("bob@example.com", "Bob", "Ray");
    let key = Key::of(&bob);
    let mut own = Room::vdr(71, "Alpha");
    own.members.push(bob.id);
    let scenario = portal().with_person(bob).with_key(key.clone()).with_room(own).with_room(Room::vdr(72, "Beta"));
    let sim = PortalSim::start(scenario).await.expect("start");
    let bob = Some(key.key.as_str());
    for path in [FILTER, "security/audit/login/last", "portal/quota", "files/folder/72/log", "people/olga"] {
        let answer = get_as(&sim, path, bob).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.json().at("error").at("message").text(), "Access denied", "{path}");
        assert_eq!(answer.headers["cache-control"], "no-cache,no-store");
    }
    assert_eq!(get_as(&sim, &format!("{FILTER}?count=0"), bob).await.status, 400, "parameters are judged first");
    assert_eq!(get_as(&sim, "files/folder/71/log", bob).await.status, 200);
    let rooms = get_as(&sim, "files/rooms?searchArea=Any", bob).await.json();
    assert_eq!(rooms.at("response").at("total").int(), 1);
}

#[tokio::test]
async fn unknown_routes_and_other_verbs_are_empty() {
    let sim = PortalSim::start(portal()).await.expect("start");
    for path in ["security/nope", "", "files/folder/abc/log", "security/audit/events/filter.json"] {
        let answer = get_as(&sim, path, None).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{path:?}");
    }
    for method in ["POST", "HEAD", "DELETE"] {
        let answer = ask(&sim, method, &format!("/api/2.0/{FILTER}"), "x", None, "").await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (405, ""));
        assert_eq!(answer.headers["allow"], "GET");
    }
    assert_eq!(get(&sim, "Security/Audit/Events/Filter/").await.status, 200, "any case, one slash more");
}

#[tokio::test]
async fn settings_tell_the_time_zone_only_to_those_signed_in() {
    let sim = PortalSim::start(portal().with_zone(chrono_tz::Europe::Berlin)).await.expect("start");
    let signed_in = get(&sim, "settings").await.json();
    let anybody = get_as(&sim, "settings", None).await.json();
    let (signed_in, anybody) = (signed_in.at("response"), anybody.at("response"));
    assert_eq!(signed_in.at("timezone").text(), "Europe/Berlin");
    assert_eq!(signed_in.at("utcOffset").text(), "01:00:00");
    assert!(!anybody.names().contains(&"timezone"));
    assert_eq!(anybody.at("utcOffset").text(), "00:00:00");
    assert_eq!(anybody.at("ownerId").text(), "00000000-0000-0000-0000-000000000000");
    assert_eq!(anybody.at("version").text(), "3.7.2");
}

#[tokio::test]
async fn the_clock_and_the_headers_are_the_portals() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let answer = get(&sim, "keys/@self").await;
    assert_eq!(answer.headers["date"], "Fri, 20 Nov 2026 09:00:00 GMT");
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(answer.headers["api-supported-versions"], "2.0");
    assert!(answer.headers["server-timing"].starts_with("aspnetcore-request-time;dur="));
    let body = answer.json();
    assert_eq!(body.names(), ["response", "count", "links", "status", "statusCode"]);
    let postfix = &sim.key()[63..];
    assert_eq!(body.at("response").at("key").text(), format!("sk-***{postfix}"));
    assert_eq!(sim.key().len(), 67);
}

#[tokio::test]
async fn faults_answer_with_the_right_kind_of_body() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let body = |body| FaultKind::Status { status: 403, body: Some(body) };
    for (fault, status, content) in [
        (Fault::status(500), 500, Some("application/json; charset=utf-8")),
        (Fault::status(502), 502, Some("text/html")),
        (Fault::status(402), 402, Some("application/problem+json; charset=utf-8")),
        (Fault::status(401), 401, None),
        (Fault::new(body(FaultBody::Text)), 403, Some("text/plain; charset=utf-8")),
        (Fault::new(body(FaultBody::Database)), 403, Some("application/json; charset=utf-8")),
    ] {
        sim.set_faults(vec![fault.on("security/").times(1)]);
        assert_eq!(get(&sim, "keys/@self").await.status, 200, "another route");
        let answer = get(&sim, FILTER).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.get("content-type").map(String::as_str), content);
        assert_eq!(get(&sim, FILTER).await.status, 200, "used up");
    }
}

#[tokio::test]
async fn too_many_requests_comes_with_and_without_a_time() {
    let sim = PortalSim::start(portal()).await.expect("start");
    sim.set_faults(vec![
        Fault::new(FaultKind::TooManyRequests { retry_after: None }).times(1),
        Fault::new(FaultKind::TooManyRequests { retry_after: Some(7) }).times(1),
    ]);
    let minute = get(&sim, FILTER).await;
    assert_eq!((minute.status, minute.body.as_str()), (429, ""));
    assert_eq!(minute.headers["x-ratelimit-limit"], "1500");
    assert!(!minute.headers.contains_key("retry-after"));
    let day = get(&sim, FILTER).await;
    assert_eq!(day.headers["retry-after"], "7");
    assert_eq!(get(&sim, FILTER).await.status, 200);
}

#[tokio::test]
async fn connections_are_reset_and_bodies_cut() {
    let sim = PortalSim::start(portal()).await.expect("start");
    sim.set_faults(vec![Fault::new(FaultKind::Reset).times(1), Fault::new(FaultKind::Truncated).times(1)]);
    let bearer = format!("Bearer {}", sim.key());
    let target = format!("/api/2.0/{FILTER}");
    let error = ask(&sim, "GET", &target, "x", Some(&bearer), "").await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let cut = ask(&sim, "GET", &target, "x", Some(&bearer), "").await.expect("half an answer");
    assert_eq!(cut.status, 200);
    assert!(!cut.complete && !cut.body.is_empty());
    let statuses: Vec<u16> = sim.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [0, 200]);
}

#[tokio::test]
async fn faults_can_be_set_over_the_wire() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let list = r#"[{"kind":"status","status":503,"route":"portal/","times":1,"skip":1},{"kind":"reset","times":0}]"#;
    let set = ask(&sim, "POST", "/__sim/faults", "x", None, list).await.expect("an answer");
    assert_eq!(set.status, 204);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&sim, "portal/quota").await.status);
    }
    assert_eq!(statuses, [200, 503, 200]);
    let bad = ask(&sim, "POST", "/__sim/faults", "x", None, r#"[{"kind":"explode"}]"#).await.expect("an answer");
    assert_eq!(bad.status, 400);
    assert_eq!(sim.requests().len(), 3, "the simulator's own route is not a request to the portal");
}

#[tokio::test]
async fn requests_are_remembered_and_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("requests.ndjson");
    let log = std::fs::File::create(&path).expect("a log");
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let sim = PortalSim::start_on(portal(), local, Some(log)).await.expect("start");
    let answer = get(&sim, "security/audit/events/filter?count=1&fields=id").await;
    let line = std::fs::read_to_string(&path).expect("the log");
    let expected = format!(
        r#"{{"at":"2026-11-20T09:00:00Z","method":"GET","target":"/api/2.0/security/audit/events/filter?count=1&fields=id","status":200,"bytes":{},"forbidden_fields":false}}"#,
        answer.body.len()
    );
    assert_eq!(line, expected + "\n");
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn the_portal_can_be_changed_while_it_runs() {
    let sim = PortalSim::start(portal().with_room(Room::vdr(71, "Alpha"))).await.expect("start");
    let when = at("2026-11-20T08:00:00Z");
    sim.edit(|scenario| {
        let owner = scenario.owner().id;
        scenario.add_event(Event::new(5009, owner, when).file(1, "a.docx").in_room(71));
        scenario.rename_room(71, "Beta", when + chrono::Duration::minutes(10));
        scenario.add_event(Event::new(5009, owner, when + chrono::Duration::minutes(20)).file(1, "a.docx").in_room(71));
    });
    let body = get(&sim, FILTER).await.json();
    let contexts: Vec<&str> = body.at("response").items().iter().map(|row| row.at("context").text()).collect();
    assert_eq!(contexts, ["Rooms: Beta", "Rooms: Alpha", "Rooms: Alpha"], "a renaming names the old title");
    let log = get(&sim, "files/folder/71/log").await.json();
    let log = log.at("response").items();
    assert_eq!(log.len(), 1, "downloads leave no trace in the room");
    assert_eq!(log[0].at("data").names(), ["oldTitle", "newTitle", "id"]);
    assert_eq!(log[0].at("data").at("newTitle").text(), "Beta");
}

#[tokio::test]
async fn fields_outside_the_audit_and_login_lists_are_marked_in_the_log() {
    let sim = PortalSim::start(portal().with_room(Room::vdr(71, "Alpha"))).await.expect("start");
    let forbidden = [
        "files/rooms?fields=id",
        "people/@self?FIELDS[]=id",
        "settings?fields=",
        "security/audit/settings/lifetime?fields=x",
    ];
    let allowed =
        ["security/audit/events/filter?fields=id", "Security/Audit/Login/last?fields=id", "files/rooms?count=1"];
    for path in forbidden.into_iter().chain(allowed) {
        assert_eq!(get(&sim, path).await.status, 200, "{path}: answered as recorded");
    }
    let marked: Vec<bool> = sim.requests().iter().map(|request| request.forbidden_fields).collect();
    assert_eq!(marked, [true, true, true, true, false, false, false]);
}
