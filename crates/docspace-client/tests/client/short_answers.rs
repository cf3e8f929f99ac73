//! Answers that hold less than there is: pages that lack rows or are empty, numbers that shrink, a plan that ends in the middle of a
//! read. What comes back is everything, or it says that it is not.

use std::collections::BTreeSet;

use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Event, Fault, FaultKind, Login, PortalSim, Room, Scenario};
use secrecy::SecretString;
use url::Url;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

/// Several pages of each list, and a data room for each event's log.
fn portal() -> Scenario {
    let mut portal = Scenario::bare(now());
    for id in 0..130 {
        portal.add_room(Room::vdr(71 + id, "Falcon"));
    }
    let owner = portal.owner().clone();
    for n in 0..170 {
        let at = now() - TimeDelta::seconds(i64::from(n / 3) * 200 + 1);
        portal.add_event(Event::new(5011, owner.id, at).file(9_000 + n, "a.docx").in_room(71));
        portal.add_login(Login::success(&owner, at));
    }
    portal
}

fn http(sim: &PortalSim) -> reqwest::Client {
    let base: Url = sim.url().parse().unwrap();
    http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap()
}

fn client(http: &reqwest::Client, sim: &PortalSim) -> Client {
    let key = ApiKey::new(SecretString::from(sim.key()));
    Client::new(http.clone(), sim.url().parse().unwrap(), key, RetryPolicy::immediate(), Budget::default())
}

/// Ids, and whether the read claims to be whole.
async fn read(client: &Client, what: &str) -> (Vec<i64>, bool) {
    let number = |id: &RoomId| if let RoomId::Number(number) = id { *number } else { 0 };
    match what {
        "logins" => {
            let slice = client.login_slice(last_day()).await;
            (slice.rows.iter().map(|row| row.id).collect(), slice.gaps.is_empty())
        }
        "room log" => {
            let slice = client.room_log(&RoomId::Number(71), last_day()).await;
            (slice.rows.iter().map(|row| row.event).collect(), slice.gaps.is_empty())
        }
        _ => match client.rooms().await {
            Ok(rooms) => (rooms.iter().map(|room| number(&room.fact.id)).collect(), true),
            Err(_) => (Vec::new(), false),
        },
    }
}

/// Pages that lack rows at their end, in their middle or altogether, with the true number of all rows or a smaller one.
fn faults() -> Vec<FaultKind> {
    let mut faults = Vec::new();
    for total in [None, Some(0), Some(150)] {
        for (drop, at) in [(None, None), (Some(1), None), (Some(30), None), (Some(40), Some(5)), (Some(1), Some(60))] {
            faults.push(FaultKind::FewerRows { drop, at, total });
        }
    }
    faults.push(FaultKind::Fallback);
    faults
}

#[tokio::test]
async fn a_page_that_lacks_rows_never_makes_a_shorter_list_look_whole() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let http = http(&sim);
    for what in ["logins", "room log", "rooms"] {
        let (ids, is_whole) = read(&client(&http, &sim), what).await;
        let truth: BTreeSet<i64> = ids.into_iter().collect();
        assert!(is_whole && truth.len() >= 130, "{what}: {}", truth.len());
        for kind in faults() {
            for skip in 0..3 {
                for times in [Some(1), None] {
                    let (drop, total) = match kind {
                        FaultKind::FewerRows { drop, total, .. } => (drop, total),
                        _ => (Some(0), None),
                    };
                    let has_total = what != "logins";
                    // nobody can tell these from a portal that has no more
                    let says_so_from_the_first = drop.is_none() && !has_total || total.is_some() && has_total;
                    if times.is_none() && says_so_from_the_first && skip == 0 {
                        continue;
                    }
                    let mut fault = Fault::new(kind.clone()).after(skip);
                    fault.times = times;
                    sim.set_faults(vec![fault]);
                    let (ids, is_whole) = read(&client(&http, &sim), what).await;
                    let context = format!("{kind:?} on {what}, after {skip}, times {times:?}");
                    let seen: BTreeSet<i64> = ids.iter().copied().collect();
                    assert_eq!(seen.len(), ids.len(), "a row twice: {context}");
                    assert!(seen.is_subset(&truth), "rows that are not there: {context}");
                    assert!(!is_whole || seen == truth, "{} of {}: {context}", seen.len(), truth.len());
                    if times == Some(1) && kind != FaultKind::Fallback {
                        assert!(is_whole, "given up too soon: {context}");
                    }
                }
            }
        }
    }
}

/// From some request on every answer is the newest 20 logins.
#[tokio::test]
async fn a_plan_that_ends_while_logins_are_read_is_named() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let http = http(&sim);
    for skip in 0..3 {
        sim.set_faults(vec![Fault::new(FaultKind::Fallback).after(skip)]);
        let slice = client(&http, &sim).login_slice(last_day()).await;
        let whys: Vec<GapReason> = slice.gaps.iter().map(|gap| gap.why).collect();
        assert_eq!(whys, [GapReason::AuditFeatureMissing], "after {skip}");
    }
}

/// The last rows of every answer: a short history has no other page that would show what is missing.
#[tokio::test]
async fn a_short_history_never_loses_its_oldest_rows() {
    for rows in [2, 3, 38, 99, 101, 130] {
        for (drop, per_second) in [1, 3, 30].into_iter().flat_map(|drop| [(drop, 1), (drop, 7)]) {
            let mut portal = Scenario::bare(now());
            let owner = portal.owner().clone();
            for n in 0..rows {
                portal.add_login(Login::success(&owner, now() - TimeDelta::seconds(n / per_second + 1)));
            }
            let sim = PortalSim::start(portal).await.unwrap();
            sim.set_faults(vec![Fault::fewer_rows(drop).on("security/audit/login/filter")]);
            let slice = client(&http(&sim), &sim).login_slice(last_day()).await;
            let is_named = !slice.gaps.is_empty() || slice.none_ever;
            assert!(is_named, "{} of {rows}, {drop} left out, {per_second} a second", slice.rows.len());
        }
    }
}

/// The first row of every answer is the newest login, whether the history begins in the span or before it.
#[tokio::test]
async fn a_short_history_never_loses_its_newest_row() {
    for (rows, beyond) in [(2, 0), (38, 0), (99, 0), (1, 1), (2, 1), (38, 1), (98, 1), (99, 1)] {
        let mut portal = Scenario::bare(now());
        let owner = portal.owner().clone();
        for n in 0..rows {
            portal.add_login(Login::success(&owner, now() - TimeDelta::seconds(n + 1)));
        }
        for _ in 0..beyond {
            portal.add_login(Login::success(&owner, now() - TimeDelta::days(3)));
        }
        let sim = PortalSim::start(portal).await.unwrap();
        let first = FaultKind::FewerRows { drop: Some(1), at: Some(0), total: None };
        sim.set_faults(vec![Fault::new(first).on("security/audit/login/filter")]);
        let slice = client(&http(&sim), &sim).login_slice(last_day()).await;
        assert!(!slice.gaps.is_empty(), "{} of {rows}, {beyond} before the span", slice.rows.len());
    }
}

/// The end of a short history is proven by two questions more, one where it reaches beyond the span, and an empty one by asking again.
#[tokio::test]
async fn a_history_shorter_than_a_page_is_whole_in_three_requests() {
    for (rows, beyond, requests) in [(0, 0, 2), (1, 0, 3), (2, 0, 3), (20, 0, 3), (99, 0, 3), (0, 1, 2), (20, 1, 2)] {
        let mut portal = Scenario::bare(now());
        let owner = portal.owner().clone();
        for n in 0..rows {
            portal.add_login(Login::success(&owner, now() - TimeDelta::seconds(n / 7 + 1)));
        }
        for _ in 0..beyond {
            portal.add_login(Login::success(&owner, now() - TimeDelta::days(3)));
        }
        let sim = PortalSim::start(portal).await.unwrap();
        let client = client(&http(&sim), &sim);
        let slice = client.login_slice(last_day()).await;
        assert_eq!((slice.rows.len() as i64, slice.gaps.len(), client.requests()), (rows, 0, requests));
    }
}
