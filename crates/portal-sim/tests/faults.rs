//! Every kind of misbehaviour as a client sees it, one test per kind, in the order of the README's table.

mod common;
mod raw;

use std::time::Duration;

use common::at;
use portal_sim::{
    Event, Fault, FaultBody, FaultKind, LimitKind, Moment, Person, PersonKind, PortalSim, Room, Scenario, Traffic,
};
use raw::{ask, get};

const FILTER: &str = "security/audit/events/filter";

fn portal() -> Scenario {
    Scenario::bare(at("2026-11-20T09:00:00Z")).with_room(Room::vdr(71, "Alpha"))
}

/// A portal with so many downloads, a minute apart, the newest at the clock.
fn busy(rows: i64) -> Scenario {
    let mut scenario = portal();
    let owner = scenario.owner().id;
    for minute in (0..rows).rev() {
        let when = scenario.now - chrono::Duration::minutes(minute);
        scenario.add_event(Event::new(5009, owner, when).file(9417, "plan.docx").in_room(71));
    }
    scenario
}

async fn start(scenario: Scenario) -> PortalSim {
    PortalSim::start(scenario).await.expect("start")
}

async fn statuses(sim: &PortalSim, path: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(get(sim, path, "").await.status);
    }
    statuses
}

/// The ids of the newest rows, newest first.
async fn ids(sim: &PortalSim, query: &str) -> Vec<i64> {
    let page = common::Ordered::parse(&get(sim, &format!("{FILTER}?{query}"), "").await.text());
    page.at("response").items().iter().map(|row| row.at("id").int()).collect()
}

fn downloads(files: i32, since: &str, until: &str) -> Traffic {
    Traffic::Files {
        person: Some("olga@example.com".to_owned()),
        initiator: None,
        room: 71,
        actions: vec![5009],
        files,
        first_file: 71_300,
        since: since.to_owned(),
        until: until.to_owned(),
        at_once: 1,
        ip: None,
        ending: String::new(),
    }
}

#[tokio::test]
async fn status_a_key_dies_in_the_middle_of_a_run() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::status(401).from_request(3)]);
    assert_eq!(statuses(&sim, "keys/@self", 4).await, [200, 200, 401, 401]);
    assert!(get(&sim, "keys/@self", "").await.body.is_empty());
}

#[tokio::test]
async fn status_the_proxy_says_500_whatever_the_status_is() {
    let sim = start(portal()).await;
    for status in [502, 503, 504] {
        sim.set_faults(vec![Fault::status(status)]);
        let answer = get(&sim, FILTER, "").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), ["text/html"]);
        assert!(answer.text().contains("500 Error!"));
        assert!(answer.header("server-timing").is_empty() && answer.header("api-supported-versions").is_empty());
    }
}

#[tokio::test]
async fn status_a_dead_database_is_a_403_of_its_own() {
    let sim = start(portal()).await;
    let database = FaultKind::Status { status: 403, body: Some(FaultBody::Database) };
    sim.set_faults(vec![Fault::new(database).on("security/")]);
    let answer = get(&sim, FILTER, "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("\"type\":\"System.InvalidOperationException\""), "{}", answer.text());
}

#[tokio::test]
async fn too_many_requests_guesses_the_limiter_from_the_header() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::TooManyRequests { retry_after: Some(7) })]);
    let answer = get(&sim, FILTER, "").await;
    assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (429, vec!["10000"]));
}

#[tokio::test]
async fn limited_has_the_headers_of_each_limiter() {
    let sim = start(portal()).await;
    let kinds = [
        (LimitKind::Minute, "1500"),
        (LimitKind::Reads, "50"),
        (LimitKind::Writes, "15"),
        (LimitKind::Day, "10000"),
        (LimitKind::Sensitive, "5"),
    ];
    for (by, limit) in kinds {
        for retry_after in [None, Some(90)] {
            sim.set_faults(vec![Fault::new(FaultKind::Limited { by, retry_after })]);
            let answer = get(&sim, FILTER, "").await;
            assert_eq!((answer.status, answer.body.len()), (429, 0));
            assert_eq!(answer.header("x-ratelimit-limit"), [limit]);
            assert_eq!(answer.header("x-ratelimit-remaining"), ["0"]);
            let expected: (&[&str], &[&str]) =
                if retry_after.is_some() { (&["90"], &["1795165290"]) } else { (&[], &[]) };
            assert_eq!((&*answer.header("retry-after"), &*answer.header("x-ratelimit-reset")), expected);
        }
    }
}

#[tokio::test]
async fn reset_comes_before_any_byte() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::Reset).times(1)]);
    let answer = get(&sim, FILTER, "").await;
    assert!(answer.reset && answer.status == 0);
    assert_eq!(get(&sim, FILTER, "").await.status, 200);
}

#[tokio::test]
async fn done_then_status_fails_after_the_effect() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::DoneThenStatus { status: 500 }).method("POST").times(1)]);
    let bearer = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", sim.key());
    let answer = ask(&sim, "POST", "files/rooms", &bearer, r#"{"title":"Beta","roomType":8}"#).await;
    assert_eq!(answer.status, 500);
    assert!(get(&sim, "files/rooms", "").await.text().contains("\"title\":\"Beta\""));
}

#[tokio::test]
async fn reset_inside_comes_after_half_of_the_body() {
    let sim = start(busy(20)).await;
    let whole = get(&sim, FILTER, "").await;
    sim.set_faults(vec![Fault::new(FaultKind::ResetInside).times(1)]);
    let half = get(&sim, FILTER, "").await;
    assert!(half.reset && !half.complete && half.status == 200);
    assert_eq!(half.body, whole.body[..whole.body.len() / 2]);
}

#[tokio::test]
async fn truncated_ends_without_a_reset() {
    let sim = start(busy(20)).await;
    sim.set_faults(vec![Fault::new(FaultKind::Truncated).times(1)]);
    let half = get(&sim, FILTER, "").await;
    assert!(!half.reset && !half.complete && !half.body.is_empty());
}

#[tokio::test]
async fn slow_bodies_are_whole_but_late() {
    let sim = start(busy(20)).await;
    let whole = get(&sim, FILTER, "").await;
    sim.set_faults(vec![Fault::new(FaultKind::Slow { pieces: 4, pause_ms: 15 })]);
    let slow = get(&sim, FILTER, "").await;
    assert_eq!(slow.body, whole.body);
    assert!(slow.complete && slow.took >= Duration::from_millis(45), "{:?}", slow.took);
}

#[tokio::test]
async fn latency_delays_the_routes_it_is_for() {
    let sim = start(portal()).await;
    let latency = |ms, jitter_ms| FaultKind::Latency { ms, jitter_ms };
    sim.set_faults(vec![Fault::new(latency(60, 0)).on("security/"), Fault::new(latency(0, 20)).on("security/")]);
    let answer = get(&sim, FILTER, "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.took >= Duration::from_millis(60), "{:?}", answer.took);
}

#[tokio::test]
async fn blocked_callers_get_a_text_or_a_json_string() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::Blocked)]);
    let text = "The access to the portal is restricted";
    for (accept, content, body) in [
        ("", "text/plain; charset=utf-8", text.to_owned()),
        ("Accept: */*\r\n", "text/plain; charset=utf-8", text.to_owned()),
        ("Accept: application/json\r\n", "application/json; charset=utf-8", format!("\"{text}\"")),
    ] {
        let answer = get(&sim, &format!("{FILTER}?count=0"), accept).await;
        assert_eq!((answer.status, answer.text()), (403, body), "{accept:?}: before the parameters are judged");
        assert_eq!(answer.header("content-type"), [content]);
    }
    assert_eq!(get(&sim, "security/nope", "").await.status, 404);
    assert_eq!(ask(&sim, "GET", FILTER, "", "").await.status, 401, "nobody is judged before the key");
    assert_eq!(ask(&sim, "GET", "settings", "", "").await.status, 200, "nor without one");
}

#[tokio::test]
async fn unpaid_leaves_a_few_routes_open() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::Unpaid)]);
    let answer = get(&sim, FILTER, "").await;
    assert_eq!(answer.header("content-type"), ["application/problem+json; charset=utf-8"]);
    let problem = common::Ordered::parse(&answer.text());
    assert_eq!((answer.status, problem.names()), (402, vec!["status", "traceId"]));
    for open in ["people/@self", "portal/quota", "settings", "settings/version/build"] {
        assert_eq!(get(&sim, open, "").await.status, 200, "{open}");
    }
    assert_eq!(statuses(&sim, "files/rooms", 1).await, [402]);
}

#[tokio::test]
async fn suspended_is_a_404_problem_and_the_settings_say_why() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::new(FaultKind::Suspended)]);
    let answer = get(&sim, FILTER, "").await;
    let problem = common::Ordered::parse(&answer.text());
    assert_eq!((answer.status, problem.names()), (404, vec!["type", "title", "status", "traceId"]));
    let settings = ask(&sim, "GET", "settings", "", "").await;
    assert_eq!(settings.status, 200);
    let settings = common::Ordered::parse(&settings.text());
    assert_eq!(settings.at("response").at("tenantStatus").int(), 1);
}

#[tokio::test]
async fn unchanged_is_a_success_that_changes_nothing() {
    let sim = start(portal()).await;
    let bearer = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", sim.key());
    let list = r#"{"IpRestrictions":[{"ip":"192.0.2.7","forAdmin":false}],"enable":false}"#;
    let stored = async || common::Ordered::parse(&get(&sim, "settings/iprestrictions", "").await.text());
    sim.set_faults(vec![Fault::new(FaultKind::Unchanged).times(1)]);
    let put = ask(&sim, "PUT", "settings/iprestrictions", &bearer, list).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(put.text().contains("192.0.2.7"), "{}", put.text());
    assert!(stored().await.at("response").items().is_empty());
    sim.edit(|scenario| assert!(scenario.events.is_empty(), "nor is anything written down"));
    assert_eq!(ask(&sim, "PUT", "settings/iprestrictions", &bearer, list).await.status, 200);
    assert_eq!(stored().await.at("response").items().len(), 1);
}

#[tokio::test]
async fn full_seats_refuse_who_needs_one_and_nobody_else() {
    let mut bob = Person::new("bob@example.com", "Bob", "Ray");
    bob.status = 2;
    let id = bob.id;
    let sim = start(portal().with_person(bob)).await;
    let bearer = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", sim.key());
    let list = format!("{{\"userIds\":[\"{id}\"]}}");
    let put = async |status: &str| ask(&sim, "PUT", &format!("people/status/{status}"), &bearer, &list).await;
    sim.set_faults(vec![Fault::new(FaultKind::FullSeats)]);
    let refused = put("Active").await;
    assert_eq!(refused.status, 402);
    let error = common::Ordered::parse(&refused.text());
    assert_eq!(error.names(), ["error", "status", "statusCode"], "with a message, unlike an unpaid portal");
    assert_eq!(error.at("error").at("type").text(), "ASC.Core.Tenants.TenantQuotaException");
    assert_eq!(put("Terminated").await.status, 200, "giving one back is no problem");
    sim.set_faults(Vec::new());
    assert_eq!(put("Active").await.status, 200);
}

#[tokio::test]
async fn fallback_begins_silently_and_the_quota_still_promises() {
    let sim = start(busy(50)).await;
    sim.set_faults(vec![Fault::new(FaultKind::Fallback).after(1)]);
    assert_eq!(ids(&sim, "count=30").await.len(), 30);
    assert_eq!(ids(&sim, "count=30").await.len(), 20);
    let nobody = "userId=ffffffff-ffff-ffff-ffff-ffffffffffff";
    assert_eq!(ids(&sim, nobody).await.len(), 20);
    let quota = common::Ordered::parse(&get(&sim, "portal/quota", "").await.text());
    assert_eq!(quota.at("response").at("audit"), &common::Ordered::Bool(true));
}

#[tokio::test]
async fn clock_skew_changes_the_date_header_alone() {
    let sim = start(busy(1)).await;
    let before = get(&sim, FILTER, "").await;
    sim.set_faults(vec![Fault::new(FaultKind::ClockSkew { seconds: -90 })]);
    let after = get(&sim, FILTER, "").await;
    assert_eq!(before.header("date"), ["Fri, 20 Nov 2026 09:00:00 GMT"]);
    assert_eq!(after.header("date"), ["Fri, 20 Nov 2026 08:58:30 GMT"]);
    assert_eq!(before.body, after.body);
}

#[tokio::test]
async fn arrive_brings_late_rows_with_new_ids_and_old_dates() {
    let sim = start(busy(10)).await;
    let before = ids(&sim, "").await;
    let late = FaultKind::Arrive { traffic: vec![downloads(3, "-90m", "-80m")] };
    sim.set_faults(vec![Fault::new(late).on(FILTER).after(1).times(1)]);
    assert_eq!(ids(&sim, "").await, before, "not yet");
    let after = ids(&sim, "").await;
    assert_eq!(after[..10], before[..], "older than all that were there");
    assert!(after[10..].iter().all(|id| *id > before[0]), "{after:?}: ids are given at insertion");
    assert_eq!(after.len(), 13);
}

#[tokio::test]
async fn arrive_moves_the_rows_between_two_pages() {
    let sim = start(busy(10)).await;
    let now = FaultKind::Arrive { traffic: vec![downloads(2, "0", "0")] };
    sim.set_faults(vec![Fault::new(now).on(FILTER).after(1).times(1)]);
    let first = ids(&sim, "count=4").await;
    let second = ids(&sim, "count=4&startIndex=4").await;
    assert!(second.iter().filter(|id| first.contains(id)).count() >= 2, "{first:?} {second:?}");
}

#[tokio::test]
async fn faults_wait_for_a_moment_and_end_at_one() {
    let sim = start(portal()).await;
    let [from, until] = ["+1h", "+2h"].map(|text| text.parse::<Moment>().expect("a moment"));
    sim.set_faults(vec![Fault::status(500).from(from).until(until)]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(statuses(&sim, "keys/@self", 1).await);
        sim.edit(|scenario| scenario.now += chrono::Duration::hours(1));
    }
    assert_eq!(seen, [200, 500, 200]);
}

#[tokio::test]
async fn chance_is_the_same_in_every_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sim = start(portal()).await;
        sim.set_faults(vec![Fault::status(502).percent(40, 11)]);
        runs.push(statuses(&sim, "keys/@self", 30).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&502));
}

#[tokio::test]
async fn a_fault_can_be_for_one_method() {
    let sim = start(portal()).await;
    sim.set_faults(vec![Fault::status(503).method("PUT")]);
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200);
    assert_eq!(ask(&sim, "PUT", "keys/@self", "", "").await.status, 503);
}

#[tokio::test]
async fn every_kind_can_be_set_over_the_wire() {
    let sim = start(portal()).await;
    let lists = [
        r#"[{"kind":"status","status":502}]"#,
        r#"[{"kind":"too_many_requests","retry_after":3}]"#,
        r#"[{"kind":"limited","by":"reads"},{"kind":"limited","by":"day","retry_after":60}]"#,
        r#"[{"kind":"reset"},{"kind":"reset_inside"},{"kind":"truncated"},{"kind":"done_then_status","status":500}]"#,
        r#"[{"kind":"slow","pieces":3,"pause_ms":1},{"kind":"latency","ms":1,"jitter_ms":2,"seed":5}]"#,
        r#"[{"kind":"blocked"},{"kind":"unpaid"},{"kind":"suspended"},{"kind":"full_seats"},{"kind":"unchanged"}]"#,
        r#"[{"kind":"fallback","from":"+1h","until":"2027-01-01T00:00:00Z"},{"kind":"clock_skew","seconds":-30}]"#,
        r#"[{"kind":"status","status":500,"percent":20,"seed":1,"from_request":9,"method":"GET"}]"#,
        r#"[{"kind":"done_then_reset"},{"kind":"time_passes","seconds":15},{"kind":"lost_switch"},{"kind":"stale"}]"#,
        r#"[{"kind":"stale","changes":2,"what":"switch"},{"kind":"late_rows","requests":3},{"kind":"late_rows"}]"#,
        r#"[{"kind":"account_changes","person":"olga@example.com","status":1,"role":"admin","side":"after"}]"#,
        r#"[{"kind":"editor_saves","file":9001,"side":"after"}]"#,
        r#"[{"kind":"meanwhile","method":"PUT","route":"people/status","side":"after","request":
            {"by":"olga@example.com","method":"PUT","path":"people/olga","body":{"firstName":"O"}}}]"#,
        r#"[{"kind":"arrive","traffic":[{"kind":"files","person":"olga@example.com","room":71,"actions":[5009],
            "files":2,"first_file":1,"since":"-2h","until":"-1h"}]}]"#,
    ];
    for list in lists {
        let answer = post_faults(&sim, list).await;
        assert_eq!(answer.status, 204, "{list}: {}", answer.body);
    }
    for (list, text) in [
        (r#"[{"kind":"explode"}]"#, "unknown variant `explode`"),
        (r#"[{"kind":"reset","from":"soon"}]"#, "neither an instant nor a length"),
        (
            r#"[{"kind":"arrive","traffic":[{"kind":"logins","seed":1,"people":["no@example.com"],"since":"-1d"}]}]"#,
            "no@example.com",
        ),
    ] {
        let answer = post_faults(&sim, list).await;
        assert!(answer.status == 400 && answer.body.contains(text), "{list}: {}", answer.body);
    }
}

async fn post_faults(sim: &PortalSim, list: &str) -> common::Answer {
    common::ask(sim, "POST", "/__sim/faults", "x", None, list).await.expect("an answer")
}

#[tokio::test]
async fn a_person_without_the_right_is_refused_before_a_fault_of_the_action() {
    let bob = Person::new("bob@example.com", "Bob", "Ray").kind(PersonKind::User);
    let key = portal_sim::Key::of(&bob).scopes(&["rooms:read"]);
    let bearer = format!("Authorization: Bearer {}\r\n", key.key);
    let sim = start(portal().with_person(bob).with_key(key)).await;
    sim.set_faults(vec![Fault::new(FaultKind::Unpaid)]);
    let answer = ask(&sim, "GET", FILTER, &bearer, "").await;
    assert_eq!((answer.status, answer.body.len()), (403, 0), "the scope comes before the tariff");
}
