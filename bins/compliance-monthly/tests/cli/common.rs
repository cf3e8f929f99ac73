//! Runs the built program and makes what it printed and wrote comparable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use portal_sim::{PortalSim, Scenario};
use tempfile::TempDir;
use tokio::process::Command;

/// A run that takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A portal, a fresh state for it, and a folder for reports.
pub(crate) struct Setting {
    pub(crate) sim: PortalSim,
    pub(crate) key: String,
    pub(crate) home: TempDir,
}

pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

impl Setting {
    pub(crate) async fn new(scenario: Scenario) -> Self {
        let sim = PortalSim::start(scenario).await.unwrap();
        Setting { key: sim.key(), sim, home: TempDir::new().unwrap() }
    }

    /// Where `--out` leads to.
    pub(crate) fn out(&self) -> PathBuf {
        self.home.path().join("report")
    }

    /// A settings file with this content; gives its path.
    pub(crate) fn config(&self, content: &str) -> String {
        let path = self.home.path().join("compliance-monthly.toml");
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The report of this month, written into [`Setting::out`].
    pub(crate) async fn month(&self, month: &str, extra: &[&str]) -> Run {
        let out = self.out().display().to_string();
        self.run(&[&["--month", month, "--out", &out], extra].concat()).await
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        let ended =
            tokio::time::timeout(TIME_LIMIT, command.output()).await.expect("the program ends in time").unwrap();
        Run {
            stdout: self.comparable(&String::from_utf8(ended.stdout).unwrap()),
            stderr: self.comparable(&String::from_utf8(ended.stderr).unwrap()),
            exit: ended.status.code().expect("the program ends by itself"),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_compliance-monthly"));
        command
            .args(["--portal", &self.sim.url(), "--state", &self.home.path().join("state").display().to_string()])
            .args(arguments)
            .env_clear()
            .env("DOCSPACE_API_KEY", &self.key)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn comparable(&self, text: &str) -> String {
        let text = text.replace(&self.sim.url(), "https://docs.example.com");
        without_start(&text.replace(&self.home.path().display().to_string(), "/home"))
    }

    /// The files of the report by name, with the portal's address made comparable; hashes and lengths depend on it and are left out.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let read = |path: PathBuf| self.comparable(&std::fs::read_to_string(path).unwrap());
        names_in(&self.out()).into_iter().map(|name| (name.clone(), read(self.out().join(name)))).collect()
    }

    /// The file of the report whose name ends so.
    pub(crate) fn file(&self, end: &str) -> String {
        let files = self.files();
        let mut fitting = files.iter().filter(|(name, _)| name.ends_with(end)).map(|(_, text)| text.clone());
        fitting.next().unwrap_or_else(|| panic!("no {end} among {:?}", files.keys()))
    }

    /// The bytes of all files of the report.
    pub(crate) fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let out = self.out();
        names_in(&out).into_iter().map(|name| (name.clone(), std::fs::read(out.join(name)).unwrap())).collect()
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
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

/// A manifest or report without the members that hold hashes and lengths, which depend on the portal's port.
pub(crate) fn without_hashes(json: &str) -> String {
    let is_hash = |line: &&str| {
        !["\"sha256\":", "\"bytes\":", "\"digest\":"].iter().any(|key| line.trim_start().starts_with(key))
    };
    json.lines().filter(is_hash).collect::<Vec<_>>().join("\n")
}

/// Panics unless the JSON keeps the published schema.
pub(crate) fn assert_valid(schema: &str, json: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(format!("{schema}.schema.json"));
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(schema, text).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(schema, &mut schemas).unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    if let Err(error) = schemas.validate(&json, index) {
        panic!("{error:#}");
    }
}
