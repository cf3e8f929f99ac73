//! How long a portal is waited for: limiters as long as they ask, answers that trickle in not long, and nothing beyond the run's deadline.

use std::time::{Duration, Instant};

use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, ErrorKind};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Event, Fault, FaultKind, LimitKind, Login, PortalSim, Room, Scenario};
use secrecy::SecretString;
use url::Url;

const MINUTE: Duration = Duration::from_secs(60);

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

fn portal() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().clone();
    for n in 0..120 {
        let at = now() - TimeDelta::minutes(n + 1);
        portal.add_event(Event::new(5011, owner.id, at).file(9_000 + n as i32, "a.docx").in_room(71));
        portal.add_login(Login::success(&owner, at));
    }
    portal
}

async fn start(budget: Budget, faults: Vec<Fault>) -> (PortalSim, Client) {
    let sim = PortalSim::start(portal()).await.unwrap();
    sim.set_faults(faults);
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    let client = Client::new(http, base, key, RetryPolicy::immediate(), budget);
    (sim, client)
}

fn ending_in(left: Duration) -> Budget {
    Budget { deadline: Some(Instant::now() + left), ..Budget::default() }
}

/// Six refusals, as of a minute's limit that somebody else uses up meanwhile, and one that names its pause.
#[tokio::test]
async fn a_limiter_is_waited_for_as_long_as_it_asks() {
    let limits = [
        FaultKind::Limited { by: LimitKind::Minute, retry_after: None },
        FaultKind::Limited { by: LimitKind::Reads, retry_after: None },
        FaultKind::TooManyRequests { retry_after: Some(600) },
    ];
    for limit in limits {
        for skip in [0, 1] {
            let faults = vec![Fault::new(limit.clone()).after(skip).times(6)];
            let (_sim, client) = start(ending_in(60 * MINUTE), faults.clone()).await;
            let logins = client.login_slice(last_day()).await;
            assert_eq!((logins.rows.len(), logins.gaps.len()), (120, 0), "{limit:?}");
            let (_sim, client) = start(ending_in(60 * MINUTE), faults.clone()).await;
            let log = client.room_log(&RoomId::Number(71), last_day()).await;
            assert_eq!((log.rows.len(), log.gaps.len()), (120, 0), "{limit:?}");
            let (_sim, client) = start(ending_in(60 * MINUTE), faults.clone()).await;
            let audit = client.audit_slice(last_day()).await;
            assert_eq!((audit.rows.len(), audit.gaps.len()), (120, 0), "{limit:?}");
            let (_sim, client) = start(ending_in(60 * MINUTE), faults).await;
            assert_eq!(client.rooms().await.unwrap().len(), 1, "{limit:?}");
        }
    }
}

#[tokio::test]
async fn a_limiter_that_outlasts_the_run_is_not_waited_for() {
    let day = FaultKind::TooManyRequests { retry_after: Some(600) };
    let (_sim, client) = start(ending_in(9 * MINUTE), vec![Fault::new(day.clone())]).await;
    assert!(matches!(client.rooms().await.unwrap_err().kind, ErrorKind::TooManyRequests { .. }));
    assert_eq!(client.requests(), 1);
    let (_sim, client) = start(Budget::default(), vec![Fault::new(day)]).await;
    assert!(client.rooms().await.is_err());
    assert_eq!(client.requests(), 1, "nobody says how much time there is");
}

/// Ten bytes a second for as long as a page of a megabyte would take.
fn trickle() -> Fault {
    Fault::new(FaultKind::Slow { pieces: 100_000, pause_ms: 100 })
}

#[tokio::test]
async fn a_page_that_trickles_in_is_given_up_after_a_second_try() {
    let budget = Budget { page: Duration::from_millis(50), ..Budget::default() };
    let (_sim, client) = start(budget, vec![trickle()]).await;
    assert_eq!(client.rooms().await.unwrap_err().kind, ErrorKind::TimedOut);
    assert_eq!(client.requests(), 2);
    let logins = client.login_slice(last_day()).await;
    let whys: Vec<GapReason> = logins.gaps.iter().map(|gap| gap.why).collect();
    assert_eq!((whys, client.requests()), (vec![GapReason::TimedOut], 4));
}

/// Whatever is asked, the probe too.
#[tokio::test]
async fn an_answer_that_is_under_way_ends_with_the_run() {
    let late = Fault::new(FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 });
    for fault in [trickle(), late] {
        for what in 0..4 {
            let (_sim, client) = start(ending_in(Duration::from_millis(200)), vec![fault.clone()]).await;
            let error = match what {
                0 => client.probe().await.unwrap_err(),
                1 => client.rooms().await.unwrap_err(),
                2 => client.login_slice(last_day()).await.error.unwrap(),
                _ => client.audit_slice(last_day()).await.error.unwrap(),
            };
            assert_eq!(error.kind, ErrorKind::BudgetExhausted { limit: "time" }, "{what}");
        }
    }
}

/// Nothing more is asked through it; the others go on.
#[tokio::test]
async fn a_clone_asks_until_its_moment() {
    let late = Fault::new(FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 }).times(1);
    let (_sim, client) = start(Budget::default(), vec![late]).await;
    let hasty = client.until(Instant::now() + Duration::from_millis(100));
    for _ in 0..2 {
        assert_eq!(hasty.rooms().await.unwrap_err().kind, ErrorKind::Postponed);
    }
    assert_eq!(client.requests(), 1);
    assert_eq!(client.rooms().await.unwrap().len(), 1);
}
