//! Logins before the window, which new ones are compared with: how far back they are read, how often, and what is said of it.

use crate::common::{client, judged, now, open};
use audit_model::{GapReason, Window};
use chrono::TimeDelta;
use docspace_client::{Budget, Client};
use event_archive::LateRow;
use portal_sim::{Fault, Login, PortalSim, Scenario};

const HISTORY: TimeDelta = TimeDelta::days(30);

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

/// Ten logins a day for fifty days.
async fn start(budget: Budget) -> (PortalSim, Client) {
    let mut portal = Scenario::empty(now());
    let owner = portal.owner().clone();
    for n in 0..500 {
        portal.add_login(Login::success(&owner, now() - TimeDelta::minutes(n * 144 + 1)));
    }
    let sim = PortalSim::start(portal).await.unwrap();
    let client = client(&sim, budget);
    client.lifetimes().await.unwrap();
    (sim, client)
}

fn pages(sim: &PortalSim) -> usize {
    sim.requests().iter().filter(|request| request.target.contains("login/filter")).count()
}

#[tokio::test]
async fn the_history_is_read_once_and_the_window_is_what_is_counted() {
    let (sim, client) = start(Budget::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert_eq!((read.coverage.unwrap().rows, read.gaps.len()), (10, 0));
    let since = last_day().since - HISTORY;
    assert_eq!(archive.logins_known_since(last_day().since).await.unwrap(), Some(since));
    assert_eq!(archive.logins(Window::new(since, now())).await.unwrap().len(), 310);
    let first = pages(&sim);
    archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert_eq!(pages(&sim) - first, 1, "the last two hours again");
}

#[tokio::test]
async fn without_history_nothing_is_known_before_the_window() {
    let (_sim, client) = start(Budget::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_logins(&client, last_day(), now()).await.unwrap();
    assert_eq!(archive.logins_known_since(last_day().since).await.unwrap(), None);
    assert_eq!(archive.logins_known_since(now()).await.unwrap(), Some(last_day().since));
}

/// A run that stored a late login may end before it tells anybody; the next one is given it again, until one has judged it. The audit trail
/// has nothing to do with it.
#[tokio::test]
async fn a_login_that_came_late_is_handed_on_until_it_was_judged() {
    let (sim, client) = start(Budget::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_logins(&client, last_day(), now()).await.unwrap();
    let late = now() - TimeDelta::minutes(100);
    sim.edit(|portal| {
        let owner = portal.owner().clone();
        portal.add_login(Login::success(&owner, late));
    });
    for _ in 0..2 {
        let read = archive.refresh_logins(&client, last_day(), now()).await.unwrap();
        assert_eq!(read.late, [LateRow { at: late }]);
    }
    assert_eq!(archive.refresh_audit(&client, last_day(), now()).await.unwrap().late, []);
    archive.keep_run(judged(last_day())).await.unwrap();
    assert_eq!(archive.refresh_logins(&client, last_day(), now()).await.unwrap().late, []);
}

#[tokio::test]
async fn the_portals_own_memory_ends_the_history() {
    let (sim, client) = start(Budget::default()).await;
    sim.edit(|portal| portal.condition.login_lifetime = 10);
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert_eq!(read.gaps, [], "what lies before the window is no gap of it");
    assert_eq!(read.history, [], "what the portal does not have any more did not fail");
    assert_eq!(archive.logins_known_since(last_day().since).await.unwrap(), Some(now() - TimeDelta::days(10)));
}

/// A budget that ends in the history leaves the window whole, and is not spent again on the same day.
#[tokio::test]
async fn a_history_that_is_too_long_is_asked_for_once_a_day() {
    let (sim, client) = start(Budget { requests: 4, ..Budget::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert!(read.error.is_some());
    assert_eq!((read.coverage.unwrap().rows, read.gaps.len()), (10, 0));
    let reached = archive.logins_known_since(last_day().since).await.unwrap().unwrap();
    assert!(reached > last_day().since - HISTORY && reached < last_day().since, "{reached}");
    assert_eq!(read.history[0].why, GapReason::BudgetExhausted);
    let first = pages(&sim);
    let (_, fresh) = start(Budget::default()).await;
    let again = archive.refresh_logins_and_history(&fresh, last_day(), HISTORY, now()).await.unwrap();
    assert_eq!(pages(&sim), first);
    assert_eq!(again.history[0].why, GapReason::BudgetExhausted, "not asked again, and known why");
    assert_eq!(archive.logins_known_since(last_day().since).await.unwrap(), Some(reached));
}

/// A history that failed is no short one, and the next run asks for it again, be it on the same day.
#[tokio::test]
async fn a_history_that_failed_is_told_apart_from_a_short_one_and_asked_for_again() {
    let filter = "security/audit/login/filter";
    let table = [
        (Fault::status(500).on(filter).after(1), GapReason::ServerFailed),
        (Fault::status(503).on(filter).after(1), GapReason::ProxyFailed),
        (Fault::status(403).on(filter).after(1), GapReason::Permission),
        (Fault::status(500).on("security/audit/settings/lifetime"), GapReason::ServerFailed),
        (Fault::status(403).on("security/audit/settings/lifetime"), GapReason::Permission),
    ];
    for (fault, why) in table {
        let (sim, client) = start(Budget::default()).await;
        let folder = tempfile::tempdir().unwrap();
        let archive = open(folder.path()).await;
        let shown = format!("{fault:?}");
        sim.set_faults(vec![fault]);
        let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
        assert_eq!(read.gaps, [], "{shown}");
        assert_eq!(read.history.first().map(|gap| gap.why), Some(why), "{shown}");
        sim.set_faults(Vec::new());
        let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
        assert_eq!(read.history, [], "{shown}");
        let since = archive.logins_known_since(last_day().since).await.unwrap();
        assert_eq!(since, Some(last_day().since - HISTORY), "{shown}");
    }
}

/// When not even the window could be read, the history is read with it, be it on the same day.
#[tokio::test]
async fn a_history_that_failed_with_its_window_is_asked_for_again() {
    let (sim, client) = start(Budget::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    sim.set_faults(vec![Fault::status(500).on("security/audit/login")]);
    let read = archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert!(read.error.is_some() && !read.gaps.is_empty());
    sim.set_faults(Vec::new());
    archive.refresh_logins_and_history(&client, last_day(), HISTORY, now()).await.unwrap();
    assert_eq!(archive.logins_known_since(last_day().since).await.unwrap(), Some(last_day().since - HISTORY));
}
