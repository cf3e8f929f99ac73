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

/// The policy of the scenario `addresses`.
pub(crate) const POLICY: &str = r#"
default = "report"

[[rule]]
label = "office"
groups = ["Staff"]
allow = ["192.0.2.0/24"]
owner = "it@example.com"

[[rule]]
label = "at home"
people = ["BOB@example.com"]
allow = ["198.51.100.20"]

[[rule]]
label = "trade fair"
people = ["chen@example.com"]
allow = ["203.0.113.0/24"]
owner = "it@example.com"
expires = "2026-11-01"
"#;

/// The moment at which every portal of these tests stands still.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A portal, a folder for settings, and a fresh state.
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
        let setting = Setting { scenario, key: sim.key(), sim, state: TempDir::new().unwrap() };
        setting.write("policy.toml", POLICY);
        setting
    }

    /// A file beside the state; gives its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.state.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }
}

pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

/// Runs the program with the policy on the setting's portal, up to the portal's present moment.
pub(crate) async fn run(setting: &Setting, extra: &[&str]) -> Run {
    let policy = setting.path("policy.toml").display().to_string();
    run_with(setting, &[&["--policy", &policy], extra].concat()).await
}

/// The same without the policy.
pub(crate) async fn run_with(setting: &Setting, extra: &[&str]) -> Run {
    let (url, until) = (setting.sim.url(), now().to_rfc3339());
    run_bare(setting, &[&["--portal", &url, "--until", &until], extra].concat()).await
}

/// Runs the program with these arguments and the setting's state and key, in an otherwise empty environment.
pub(crate) async fn run_bare(setting: &Setting, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-fence"));
    command
        .args(arguments)
        .args(["--state", &setting.path("state").display().to_string()])
        .env_clear()
        .env("DOCSPACE_API_KEY", &setting.key)
        .current_dir(setting.state.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(TIME_LIMIT, command.output()).await.expect("the program ends in time").unwrap();
    let comparable = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap().replace(&setting.sim.url(), "https://docs.example.com");
        without_start(&text.replace(&setting.state.path().display().to_string(), "/etc/docspace"))
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

/// Panics unless the report keeps a published schema.
pub(crate) fn assert_valid(schema: &str, report: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{schema}.schema.json"));
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(schema, document).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(schema, &mut schemas).unwrap();
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    if let Err(error) = schemas.validate(&report, index) {
        panic!("{error:#}");
    }
}
