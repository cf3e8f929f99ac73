//! The portal's limiters, switched on.

mod common;
mod raw;

use common::at;
use portal_sim::{Fault, FaultKind, Key, Limits, Person, PortalSim, Scenario};
use raw::{ask, get};

async fn portal(limits: Limits) -> PortalSim {
    PortalSim::start(Scenario::empty(at("2026-11-20T09:00:00Z")).with_limits(limits)).await.expect("start")
}

fn minute(limit: u32) -> Limits {
    Limits { minute: Some(limit), ..Limits::default() }
}

#[tokio::test]
async fn nothing_is_limited_unless_switched_on() {
    let sim = portal(Limits::default()).await;
    for _ in 0..60 {
        let answer = get(&sim, "keys/@self", "").await;
        assert!(answer.status == 200 && answer.header("x-ratelimit-limit").is_empty());
    }
}

#[tokio::test]
async fn the_minute_is_refused_without_a_time_and_forgiven_by_the_clock() {
    let sim = portal(minute(2)).await;
    for _ in 0..2 {
        let good = get(&sim, "keys/@self", "").await;
        assert!(good.status == 200 && good.header("x-ratelimit-limit").is_empty(), "successes say nothing");
    }
    let refused = get(&sim, "security/nope", "").await;
    assert_eq!((refused.status, refused.body.len()), (429, 0), "before the route is looked at");
    assert_eq!(refused.header("x-ratelimit-limit"), ["2"]);
    assert_eq!(refused.header("x-ratelimit-remaining"), ["0"]);
    assert!(refused.header("retry-after").is_empty() && refused.header("x-ratelimit-reset").is_empty());
    sim.edit(|scenario| scenario.now += chrono::Duration::seconds(60));
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200);
}

#[tokio::test]
async fn all_keys_of_a_person_share_one_budget_and_others_have_their_own() {
    let bob = Person::new("bob@example.com", "Bob", "Ray");
    let mut second = Key::of(&bob);
    second.key = "sk-second".to_owned();
    let keys = [Key::of(&bob), second];
    let scenario = Scenario::empty(at("2026-11-20T09:00:00Z")).with_limits(minute(2)).with_person(bob);
    let sim = PortalSim::start(keys.iter().cloned().fold(scenario, Scenario::with_key)).await.expect("start");
    let mut statuses = Vec::new();
    for key in [&keys[0], &keys[1], &keys[0], &keys[1]] {
        statuses
            .push(ask(&sim, "GET", "keys/@self", &format!("Authorization: Bearer {}\r\n", key.key), "").await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200, "the owner has a budget of their own");
}

#[tokio::test]
async fn a_flood_of_bad_keys_turns_from_401_into_429() {
    let sim = portal(minute(2)).await;
    let mut statuses = Vec::new();
    for key in ["sk-a", "sk-b", "sk-c"] {
        statuses.push(ask(&sim, "GET", "keys/@self", &format!("Authorization: Bearer {key}\r\n"), "").await.status);
    }
    assert_eq!(statuses, [401, 401, 429], "they share the budget of their address");
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200);
}

#[tokio::test]
async fn requests_at_once_count_until_their_answer_has_left() {
    let sim = portal(Limits { reads: Some(3), ..Limits::default() }).await;
    sim.set_faults(vec![Fault::new(FaultKind::Latency { ms: 100, jitter_ms: 0 })]);
    let (a, b, c, d, e) = tokio::join!(
        get(&sim, "keys/@self", ""),
        get(&sim, "keys/@self", ""),
        get(&sim, "keys/@self", ""),
        get(&sim, "keys/@self", ""),
        get(&sim, "keys/@self", ""),
    );
    let mut statuses = [&a, &b, &c, &d, &e].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let refused = [&a, &b, &c, &d, &e].into_iter().find(|answer| answer.status == 429).expect("two of them");
    assert_eq!(refused.header("x-ratelimit-limit"), ["3"]);
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200, "the slots are free again");
}

#[tokio::test]
async fn a_slow_body_keeps_its_slot() {
    let sim = portal(Limits { reads: Some(1), ..Limits::default() }).await;
    sim.set_faults(vec![Fault::new(FaultKind::Slow { pieces: 5, pause_ms: 20 })]);
    let (a, b) = tokio::join!(get(&sim, "keys/@self", ""), get(&sim, "keys/@self", ""));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
}

#[tokio::test]
async fn the_day_counts_changes_and_says_how_long_to_wait() {
    let sim = portal(Limits { day: Some(1), ..Limits::default() }).await;
    let bearer = format!("Authorization: Bearer {}\r\n", sim.key());
    assert_eq!(ask(&sim, "PUT", "security/nope", &bearer, "").await.status, 404);
    sim.edit(|scenario| scenario.now += chrono::Duration::hours(1));
    let refused = ask(&sim, "POST", "security/nope", &bearer, "").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), ["82800"]);
    let end = at("2026-11-21T09:00:00Z").timestamp().to_string();
    assert_eq!(refused.header("x-ratelimit-reset"), [end.as_str()], "Unix seconds of the window's end");
    assert_eq!(ask(&sim, "DELETE", "security/nope", &bearer, "").await.status, 404, "not counted");
    assert_eq!(get(&sim, "keys/@self", "").await.status, 200, "nor are reads");
}

#[tokio::test]
async fn a_scenario_file_switches_them_on() {
    let text =
        |limits: &str| format!(r#"{{"name":"x","description":"","based_on":"quiet","limits":{limits},"truth":{{}}}}"#);
    let load = |limits| Scenario::from_json(&text(limits), at("2026-11-20T09:00:00Z")).expect("valid").limits;
    assert_eq!(load("true"), Limits::usual());
    assert_eq!(load("false"), Limits::default());
    assert_eq!(load(r#"{"minute":30}"#), minute(30));
}
