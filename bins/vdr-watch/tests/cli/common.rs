//! Runs the built program and makes what it printed comparable.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use portal_sim::{PortalSim, Scenario};
use tempfile::TempDir;
use tokio::process::Command;

/// A run that takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The moment at which every portal of these tests stands still.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A portal and a fresh state for it.
pub(crate) struct Setting {
    pub(crate) scenario: Scenario,
    pub(crate) sim: PortalSim,
    pub(crate) key: String,
    pub(crate) state: TempDir,
}

impl Setting {
    pub(crate) async fn new(scenario: &str) -> Self {
        Setting::with(Scenario::builtin(scenario, now()).unwrap()).await
    }

    pub(crate) async fn with(scenario: Scenario) -> Self {
        let sim = PortalSim::start(scenario.clone()).await.unwrap();
        Setting { scenario, key: sim.key(), sim, state: TempDir::new().unwrap() }
    }

    /// A settings file with this content; gives its path.
    pub(crate) fn config(&self, content: &str) -> String {
        let path = self.state.path().join("vdr-watch.toml");
        std::fs::write(&path, content).unwrap();
        // it may hold an address that is a secret
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    /// How many audit pages were asked for, the canary left out.
    pub(crate) fn audit_pages(&self) -> usize {
        let asked = self.sim.requests();
        asked.iter().filter(|request| request.target.contains("audit/events/filter?from=")).count()
    }
}

pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

/// Runs the program on the setting's portal up to the portal's present moment.
pub(crate) async fn run(setting: &Setting, extra: &[&str]) -> Run {
    let (url, until) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    run_with(setting, &[&["--portal", &url, "--until", &until], extra].concat()).await
}

/// Runs the program with these arguments and the setting's state and key, in an otherwise empty environment.
pub(crate) async fn run_with(setting: &Setting, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vdr-watch"));
    command
        .args(arguments)
        .args(["--state", &setting.state.path().join("state").display().to_string()])
        .env_clear()
        .env("DOCSPACE_API_KEY", &setting.key)
        .current_dir(setting.state.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(TIME_LIMIT, command.output()).await.expect("the program ends in time").unwrap();
    let comparable = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        without_start(&text.replace(&setting.sim.url(), "https://docs.example.com"))
    };
    Run {
        stdout: comparable(ended.stdout),
        stderr: comparable(ended.stderr),
        exit: ended.status.code().expect("the program ends by itself"),
    }
}

/// The report without the one instant that differs between two runs.
fn without_start(text: &str) -> String {
    const MEMBER: &str = "\"started_at\": \"";
    match text.split_once(MEMBER) {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}{MEMBER}2000-01-01T00:00:00Z\"{after}")
        }
        None => text.to_owned(),
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
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(schema);
    let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("schema", &mut schemas).unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    if let Err(error) = schemas.validate(&document, index) {
        panic!("{error:#}");
    }
}

/// The one file of a folder with this ending.
pub(crate) fn only_file(folder: &Path, ending: &str) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
}

/// A port that nobody listens on.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs SQL on the setting's store.
pub(crate) async fn in_store(setting: &Setting, sql: &'static str) {
    let store = only_file(&setting.state.path().join("state"), "sqlite");
    let store = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    sqlx::raw_sql(sql).execute(store.pool()).await.unwrap();
    store.close().await;
}

/// Makes the next run the first of its day.
pub(crate) async fn forget_thorough_reads(setting: &Setting) {
    in_store(setting, "DELETE FROM moment WHERE name NOT LIKE 'judged%'").await;
}
