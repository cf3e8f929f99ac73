//! Runs the built program on a simulated portal.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
pub(crate) use cli_test::Run;
use portal_sim::Scenario;

/// The moment at which every portal of these tests stands still.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A portal and a fresh state for it.
pub(crate) struct Setting(cli_test::Setting);

impl Deref for Setting {
    type Target = cli_test::Setting;

    fn deref(&self) -> &cli_test::Setting {
        &self.0
    }
}

impl DerefMut for Setting {
    fn deref_mut(&mut self) -> &mut cli_test::Setting {
        &mut self.0
    }
}

impl Setting {
    pub(crate) async fn new(scenario: &str) -> Self {
        Setting::with(Scenario::builtin(scenario, now()).unwrap()).await
    }

    pub(crate) async fn with(scenario: Scenario) -> Self {
        Setting(cli_test::Setting::new(env!("CARGO_BIN_EXE_vdr-watch"), scenario).await)
    }

    /// The same with another key.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.0.key);
        self
    }

    /// A settings file with this content; gives its path.
    pub(crate) fn config(&self, content: &str) -> String {
        self.file("vdr-watch.toml", content)
    }

    /// How many audit pages were asked for, the canary left out.
    pub(crate) fn audit_pages(&self) -> usize {
        let asked = self.sim.requests();
        asked.iter().filter(|request| request.target.contains("audit/events/filter?from=")).count()
    }
}

/// The report without what people know already.
pub(crate) fn without_states(report: &str) -> String {
    ["new", "grown", "known"]
        .iter()
        .fold(report.to_owned(), |report, state| report.replace(&format!("\"state\": \"{state}\""), "\"state\": \"…\""))
}

/// Panics unless the report keeps the published schema.
pub(crate) fn assert_valid(report: &str) {
    assert_keeps("schema/vdr-watch-1.schema.json", report);
}

/// Panics unless the document keeps the schema, whose path is relative to this package.
pub(crate) fn assert_keeps(schema: &str, document: &str) {
    cli_test::assert_keeps(&Path::new(env!("CARGO_MANIFEST_DIR")).join(schema), document);
}

/// The one file of a folder with this ending.
pub(crate) fn only_file(folder: &Path, ending: &str) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
}

/// Runs SQL on the setting's store.
pub(crate) async fn in_store(setting: &Setting, sql: &'static str) {
    let store = setting.state_file("sqlite");
    let store = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    store.script("changing the store", sql).await.unwrap();
    store.close().await;
}

/// Makes the next run the first of its day.
pub(crate) async fn forget_thorough_reads(setting: &Setting) {
    in_store(setting, "DELETE FROM moment WHERE name NOT LIKE 'judged%'").await;
}
