//! This machine's clock against the portal's.

use chrono::TimeDelta;
use cli_test::Clock;
use portal_sim::Scenario;

use crate::common::{Setting, now};

#[tokio::test]
async fn a_clock_that_is_behind_the_portals_is_reported() {
    let mut setting = Setting::with(Scenario::empty(now())).await;
    let json = ["--format", "json"];
    let right = setting.run(&json).await;
    assert!(!right.stderr.contains("clock") && !right.stdout.contains("clock"), "{}{}", right.stderr, right.stdout);
    setting.clock = Clock::At(now() - TimeDelta::hours(4));
    setting.scenario.now = now() - TimeDelta::hours(4);
    let behind = setting.run(&json).await;
    assert_eq!(behind.exit, 0, "what there is to read was read");
    let notes = behind.json()["notes"].to_string();
    assert!(notes.contains("behind the portal's"), "{notes}");
    assert!(behind.stderr.contains("behind the portal's"), "{}", behind.stderr);
}

#[tokio::test]
async fn a_clock_that_is_ahead_of_the_portals_is_reported_with_the_difference() {
    let mut setting = Setting::with(Scenario::empty(now())).await;
    setting.clock = Clock::At(now() + TimeDelta::hours(2));
    let url = setting.sim.url();
    let ahead = setting.run_with(&["--portal", &url, "--format", "json"]).await;
    assert_eq!(ahead.exit, 4, "{}", ahead.stderr);
    let said = "this machine's clock is 2 h ahead of the portal's";
    assert!(ahead.stderr.contains(said) && ahead.stderr.contains("set it by NTP"), "{}", ahead.stderr);
}
