//! Runs the built program and makes what it printed and wrote comparable.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use cli_test::Run;
use portal_sim::Scenario;
use tokio::process::Command;

/// A portal, a fresh state for it, and a folder for reports.
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
    pub(crate) async fn new(scenario: Scenario) -> Self {
        Setting(cli_test::Setting::new(env!("CARGO_BIN_EXE_compliance-monthly"), scenario).await)
    }

    /// Where everything of this setting is.
    pub(crate) fn home(&self) -> &Path {
        self.state.path()
    }

    /// Where `--out` leads to.
    pub(crate) fn out(&self) -> PathBuf {
        self.home().join("report")
    }

    /// A settings file with this content; gives its path.
    pub(crate) fn config(&self, content: &str) -> String {
        self.file("compliance-monthly.toml", content)
    }

    /// The report of this month, written into [`Setting::out`].
    pub(crate) async fn month(&self, month: &str, extra: &[&str]) -> Run {
        let out = self.out().display().to_string();
        self.run(&[&["--month", month, "--out", &out], extra].concat()).await
    }

    /// Runs the program on the portal; the moment up to which it looks is its own business.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let Run { stdout, stderr, exit } = self.run_with(&[&["--portal", &self.sim.url()], arguments].concat()).await;
        Run { stdout: self.comparable(&stdout), stderr: self.comparable(&stderr), exit }
    }

    /// The same, for a run that does not end by itself.
    pub(crate) fn running(&self, arguments: &[&str]) -> Command {
        self.command(&[&["--portal", &self.sim.url()], arguments].concat())
    }

    fn comparable(&self, text: &str) -> String {
        let text = text.replace(&self.sim.url(), "https://docs.example.com");
        text.replace(&self.home().display().to_string(), "/home")
    }

    /// The files of the report by name, with the portal's address made comparable; hashes and lengths depend on it and are left out.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let read = |path: PathBuf| self.comparable(&std::fs::read_to_string(path).unwrap());
        names_in(&self.out()).into_iter().map(|name| (name.clone(), read(self.out().join(name)))).collect()
    }

    /// The file of the report whose name ends so.
    pub(crate) fn written(&self, end: &str) -> String {
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
    cli_test::assert_keeps(&path, json);
}
