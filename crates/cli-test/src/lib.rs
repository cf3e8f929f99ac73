#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod abridged;
pub mod bench;
mod closed_port;
pub mod contract;
pub mod docspace_webhook;
pub mod faults;
pub mod holding;
mod process;
pub mod receiver;
pub mod rsyslog;
pub mod schedules;
pub mod smtp;
pub mod way;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use job_store::testing::not_tested;
use job_store::{OnServer, SeenServer, Store};
use portal_sim::{PortalSim, Scenario};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

pub use crate::abridged::abridged;
pub use crate::closed_port::ClosedPort;
#[cfg(unix)]
pub use crate::process::send;
pub use crate::process::{CLOCK, command, in_time, jump_from, kill_at, logs, run, until};

/// Subcommands that refuse flags about a window.
const WINDOWLESS: [&str; 10] =
    ["approve", "cancel", "config", "doctor", "keep", "policy", "release", "serve", "status", "verify"];

/// What the program takes for the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The portal's clock at the moment at which the program is started.
    Portal,
    At(DateTime<Utc>),
    /// The true time: for tests about the clock itself.
    Machine,
}

/// A portal, a program, and a fresh state for it.
pub struct Setting {
    pub scenario: Scenario,
    pub sim: PortalSim,
    pub key: String,
    pub state: TempDir,
    /// The address by which the program reaches the portal, where it is not the portal's own.
    pub way: Option<String>,
    /// The store is there, and not in files.
    pub server: Option<OnServer>,
    pub clock: Clock,
    /// What stands in the environment of the program besides.
    pub env: Vec<(&'static str, &'static str)>,
    program: &'static str,
}

/// How a run ended. The portal's address is replaced, and so is the moment at which the run started.
#[derive(Debug)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

impl Run {
    /// The JSON report.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }
}

impl Setting {
    /// `program` is the path of the binary: `env!("CARGO_BIN_EXE_…")`.
    pub async fn new(program: &'static str, scenario: Scenario) -> Self {
        let sim = new_portal(&scenario).await;
        Setting {
            scenario,
            key: sim.key(),
            sim,
            state: TempDir::new().unwrap(),
            way: None,
            server: None,
            clock: Clock::Portal,
            env: Vec::new(),
            program,
        }
    }

    /// The address of the portal for the program.
    pub fn url(&self) -> String {
        self.way.clone().unwrap_or_else(|| self.sim.url())
    }

    /// From now on the store is on the server of this test executable; `false`, said aloud, where there is none.
    pub fn keep_on_server(&mut self) -> bool {
        self.server = job_store::testing::place().map(|place| place_for(place, self.program, &self.sim.url()));
        self.server.is_some()
    }

    /// As if so much time had gone by for the server that the lease of a run which was killed is over.
    pub async fn lease_ends(&self) {
        if let Some(place) = &self.server {
            lease_ends(place).await;
        }
    }

    /// A file in the setting's folder that nobody else may read; gives its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.state.path().join(name);
        std::fs::write(&path, content).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    /// Runs the program up to the portal's present moment; subcommands that look at no window, as they are.
    pub async fn run(&self, extra: &[&str]) -> Run {
        let (url, until) = (self.url(), self.scenario.now.to_rfc3339());
        let is_windowless = extra.iter().any(|word| WINDOWLESS.contains(word));
        let until: &[&str] = if is_windowless { &[] } else { &["--until", &until] };
        self.run_with(&[&["--portal", &url], until, extra].concat()).await
    }

    /// Runs the program with these arguments.
    pub async fn run_with(&self, arguments: &[&str]) -> Run {
        let Run { stdout, stderr, exit } = run(self.command(arguments)).await;
        Run { stdout: self.comparable(stdout), stderr: self.comparable(stderr), exit }
    }

    /// The text without what differs between two runs.
    pub(crate) fn comparable(&self, text: String) -> String {
        without_start(&text.replace(&self.sim.url(), "https://docs.example.com"))
    }

    /// The program with these arguments and the setting's state, key and clock, in an otherwise empty environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(Path::new(self.program), self.state.path());
        let state = match &self.server {
            Some(server) => server.url.to_string(),
            None => self.state.path().join("state").display().to_string(),
        };
        command
            .args(arguments)
            .args(["--state", &state])
            .env("DOCSPACE_API_KEY", &self.key)
            .envs(self.env.iter().copied());
        let clock = match self.clock {
            Clock::Portal => Some(self.sim.now()),
            Clock::At(instant) => Some(instant),
            Clock::Machine => None,
        };
        command.envs(clock.map(|instant| (CLOCK, instant.to_rfc3339())));
        command
    }

    /// The one file of the state folder with this ending.
    pub fn state_file(&self, ending: &str) -> PathBuf {
        let mut files = std::fs::read_dir(self.state.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
    }
}

/// A portal at an address that no other of this test executable has had: a server keeps what is known of each.
async fn new_portal(scenario: &Scenario) -> PortalSim {
    static HAD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    loop {
        let sim = PortalSim::start(scenario.clone()).await.unwrap();
        if HAD.lock().unwrap().insert(sim.url()) {
            return sim;
        }
    }
}

/// Where a program keeps what it knows of a portal, on a server.
fn place_for(place: OnServer, program: &str, portal: &str) -> OnServer {
    let name = Path::new(program).file_name().unwrap().to_string_lossy();
    let portal = portal.trim_start_matches("http://").trim_end_matches('/').replace(':', "-");
    OnServer { schema: name.replace('-', "_"), portal, ..place }
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

/// Panics unless the document keeps the schema in this file.
pub fn assert_keeps(schema: &Path, document: &str) {
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("schema", &mut schemas).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    if let Err(error) = schemas.validate(&document, index) {
        panic!("{error:#}");
    }
}

/// Whether tests play every fault and every kill, as before a release: the variable `FAULTS` is `all`. On other days some of them stand for the
/// rest.
pub fn plays_all_faults() -> bool {
    std::env::var_os("FAULTS").is_some_and(|which| which == "all")
}

/// As if so much time had gone by for the server that the lease of a run which was killed is over.
pub async fn lease_ends(place: &OnServer) {
    if SeenServer::at(place).await.unwrap().lease.is_some() {
        let store = Store::on_server_to_move(place).await.unwrap();
        store.execute("waiting", "UPDATE lease SET until_us = until_us - 90000000", []).await.unwrap();
        store.close().await;
    }
}

/// What a test plays of these, in its turn: one of them, and [before a release](plays_all_faults) all.
pub fn played<T>(all: &[T], turn: usize) -> &[T] {
    if plays_all_faults() { all } else { std::slice::from_ref(&all[turn % all.len()]) }
}

/// The exposure that `systemd-analyze security` may find, in tenths of 0 (none) to 10.
const MOST_EXPOSED: &str = "12";

/// Panics unless systemd accepts these units of a folder, with `binary` in place of the installed program, and finds its services as good as
/// shut off. Of a template, an instance is looked at.
///
/// Where its checker is not installed that is said on stderr, and fails CI.
pub fn assert_systemd_accepts(folder: &Path, program: &str, binary: &str, units: &[&str]) {
    let checker = Path::new("/usr/bin/systemd-analyze");
    if !checker.exists() {
        return not_tested("systemd units", "systemd-analyze is not installed");
    }
    let copies = TempDir::new().unwrap();
    for unit in units {
        // the check looks for the program, which is not installed here
        let text = std::fs::read_to_string(folder.join(unit)).unwrap();
        let text = text.replace(&format!("/usr/local/bin/{program}"), binary);
        std::fs::write(copies.path().join(unit), &text).unwrap();
        if unit.contains("@.") {
            std::fs::write(copies.path().join(unit.replace("@.", "@example.")), text).unwrap();
        }
    }
    let threshold = format!("--threshold={MOST_EXPOSED}");
    for unit in units {
        let mut checks = vec![(vec!["verify", "--man=no"], copies.path().join(unit))];
        if unit.ends_with(".service") {
            let instance = copies.path().join(unit.replace("@.", "@example."));
            checks.push((vec!["security", "--no-pager", "--offline=true", &threshold], instance));
        }
        for (arguments, path) in checks {
            let checked = std::process::Command::new(checker).args(&arguments).arg(path).output().unwrap();
            let said = String::from_utf8_lossy(&checked.stderr);
            let about_us: Vec<&str> = said.lines().filter(|line| line.contains(program)).collect();
            let found = String::from_utf8_lossy(&checked.stdout);
            assert!(checked.status.success() && about_us.is_empty(), "{unit}: {said}{found}");
        }
    }
}
