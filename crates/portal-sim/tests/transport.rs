//! What proxy and server add to an answer: gzip, chunks, timing headers, the clock.

mod common;
mod raw;

use common::at;
use portal_sim::{Event, Fault, FaultKind, PortalSim, Scenario};
use raw::get;

const FILTER: &str = "security/audit/events/filter";

async fn portal() -> PortalSim {
    let mut scenario = Scenario::empty(at("2026-11-20T09:00:00Z"));
    let owner = scenario.owner().id;
    for file in 0..30 {
        let when = scenario.now - chrono::Duration::minutes(i64::from(file));
        scenario.add_event(Event::new(5009, owner, when).file(file, "plan.docx"));
    }
    PortalSim::start(scenario).await.expect("start")
}

#[tokio::test]
async fn json_is_compressed_for_those_who_ask() {
    let sim = portal().await;
    let plain = get(&sim, FILTER, "").await;
    let zipped = get(&sim, FILTER, "Accept-Encoding: gzip, deflate\r\n").await;
    assert!(plain.header("content-encoding").is_empty());
    assert_eq!(zipped.header("content-encoding"), ["gzip"]);
    assert_eq!(zipped.unzipped(), plain.text());
    assert!(zipped.body.len() * 5 < plain.body.len(), "{} of {}", zipped.body.len(), plain.body.len());
    for answer in [&plain, &zipped] {
        assert_eq!(answer.header("transfer-encoding"), ["chunked"]);
        assert!(answer.header("vary").is_empty() && answer.header("content-length").is_empty());
    }
    let refused = get(&sim, FILTER, "Accept-Encoding: gzip;q=0\r\n").await;
    assert!(refused.header("content-encoding").is_empty());
}

#[tokio::test]
async fn small_answers_are_compressed_too_but_problems_and_errors_are_not() {
    let sim = portal().await;
    let accept = "Accept-Encoding: gzip\r\n";
    assert_eq!(get(&sim, "files/rooms", accept).await.header("content-encoding"), ["gzip"]);
    let problem = get(&sim, &format!("{FILTER}?count=0"), accept).await;
    assert_eq!((problem.status, problem.header("content-encoding").len()), (400, 0));
    sim.set_faults(vec![Fault::status(500).times(1), Fault::new(FaultKind::Blocked).times(1)]);
    assert!(get(&sim, FILTER, accept).await.header("content-encoding").is_empty());
    let blocked = get(&sim, FILTER, accept).await;
    assert_eq!((blocked.header("content-encoding"), blocked.unzipped().len()), (vec!["gzip"], 38));
}

#[tokio::test]
async fn a_compressed_body_can_be_cut_as_well() {
    let sim = portal().await;
    sim.set_faults(vec![Fault::new(FaultKind::Truncated)]);
    let cut = get(&sim, FILTER, "Accept-Encoding: gzip\r\n").await;
    assert!(!cut.complete && cut.header("content-encoding") == ["gzip"]);
}

#[tokio::test]
async fn server_and_proxy_both_time_what_succeeds() {
    let sim = portal().await;
    let good = get(&sim, FILTER, "").await;
    assert_eq!(good.header("server-timing"), ["aspnetcore-request-time;dur=1ms", "proxy-request-time;dur=2"]);
    assert_eq!(good.header("trailer"), ["Server-Timing"]);
    let bad = get(&sim, &format!("{FILTER}?count=0"), "").await;
    assert_eq!(bad.header("server-timing"), ["aspnetcore-request-time;dur=1ms"]);
}

#[tokio::test]
async fn answers_without_a_body_say_so() {
    let sim = portal().await;
    let answer = get(&sim, "security/nope", "").await;
    assert_eq!((answer.status, answer.header("content-length")), (404, vec!["0"]));
    assert!(answer.header("content-type").is_empty() && answer.header("transfer-encoding").is_empty());
}

#[tokio::test]
async fn the_date_is_the_portals() {
    let sim = portal().await;
    sim.edit(|scenario| scenario.now = at("2027-02-28T23:59:59Z"));
    assert_eq!(get(&sim, FILTER, "").await.header("date"), ["Sun, 28 Feb 2027 23:59:59 GMT"]);
}

/// A clock that is followed moves the portal's present, and nothing that happened before.
#[tokio::test]
async fn the_clock_goes_as_the_one_that_it_follows() {
    let sim = portal().await;
    let before = get(&sim, FILTER, "").await;
    let seconds = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(at("2026-11-20T09:00:00Z").timestamp()));
    let read = std::sync::Arc::clone(&seconds);
    sim.follow(move || {
        let seconds = read.load(std::sync::atomic::Ordering::SeqCst);
        chrono::DateTime::from_timestamp(seconds, 0).expect("a moment")
    });
    assert_eq!(get(&sim, FILTER, "").await.header("date"), before.header("date"));
    seconds.fetch_add(600, std::sync::atomic::Ordering::SeqCst);
    let later = get(&sim, FILTER, "").await;
    assert_eq!(later.header("date"), ["Fri, 20 Nov 2026 09:10:00 GMT"]);
    assert_eq!(later.text(), before.text());
    // whoever moves it besides is not taken back
    sim.edit(|scenario| scenario.now += chrono::Duration::hours(1));
    seconds.fetch_add(60, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(sim.now(), at("2026-11-20T10:11:00Z"));
}
