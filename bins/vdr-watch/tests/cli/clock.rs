//! This machine's clock against the portal's.

use portal_sim::{Fault, FaultKind, Scenario};

use crate::common::{Setting, now, run};

/// Much later than any day on which this test is run.
const TWENTY_YEARS: i64 = 20 * 365 * 86_400;

#[tokio::test]
async fn a_clock_that_is_behind_the_portals_is_reported() {
    let setting = Setting::with(Scenario::empty(now())).await;
    let json = ["--format", "json"];
    let right = run(&setting, &json).await;
    assert!(!right.stderr.contains("clock") && !right.stdout.contains("clock"), "{}{}", right.stderr, right.stdout);
    setting.sim.set_faults(vec![Fault::new(FaultKind::ClockSkew { seconds: TWENTY_YEARS })]);
    let behind = run(&setting, &json).await;
    assert_eq!(behind.exit, 0, "what there is to read was read");
    let report: serde_json::Value = serde_json::from_str(&behind.stdout).unwrap();
    let notes = report["notes"].to_string();
    assert!(notes.contains("behind the portal's"), "{notes}");
    assert!(behind.stderr.contains("behind the portal's"), "{}", behind.stderr);
}
