//! Runs the built program on a simulated portal.

use std::path::Path;

use chrono::{DateTime, Utc};
pub(crate) use cli_test::{Run, Setting};
use portal_sim::Scenario;

/// The moment at which portals stand still where nobody is written to.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A portal and a fresh state for it.
pub(crate) async fn start_portal(scenario: Scenario) -> Setting {
    Setting::new(env!("CARGO_BIN_EXE_nudge-inactive"), scenario).await
}

/// A settings file with this content; gives its path.
pub(crate) fn settings_file(setting: &Setting, content: &str) -> String {
    setting.file("nudge-inactive.toml", content)
}

/// Panics unless the report keeps the published schema.
pub(crate) fn assert_valid(report: &str) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/nudge-inactive-1.schema.json");
    cli_test::assert_keeps(&schema, report);
}

/// Runs SQL on the setting's store.
pub(crate) async fn in_store(setting: &Setting, sql: &'static str) {
    let store = setting.state_file("sqlite");
    let store = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    store.script("changing the store", sql).await.unwrap();
    store.close().await;
}
