//! What every program keeps, whatever it watches: a function per promise, called by the program's `tests/cli/contract.rs`.

mod deploy;
mod help;
mod hostile;
mod reports;
mod runs;
mod settings;

use std::path::{Path, PathBuf};

use portal_sim::Scenario;

use crate::{Run, Setting};

pub use reports::reports;

/// The program's settings file, beside its state.
const SETTINGS: &str = "settings.toml";

/// A program that is held to the contracts.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The path of the binary: `env!("CARGO_BIN_EXE_…")`.
    pub binary: &'static str,
    /// The folder of its package: `env!("CARGO_MANIFEST_DIR")`.
    pub package: &'static str,
    /// Settings of every run besides the portal's address: TOML without a table.
    pub settings: &'static str,
    /// Files beside the settings file: name and content.
    pub files: &'static [(&'static str, &'static str)],
    /// First parts of the addresses of all whom it finds on the portal of [`crate::faults`], and of nobody else.
    pub found: &'static [&'static str],
    /// Whether it prints its report when there is nothing new.
    pub always_prints: bool,
}

impl Program {
    /// As it is called.
    fn name(&self) -> &'static str {
        Path::new(self.binary).file_name().unwrap().to_str().unwrap()
    }

    /// The prefix of its settings in the environment.
    fn prefix(&self) -> String {
        self.name().to_uppercase().replace('-', "_") + "_"
    }

    fn path(&self, file: &str) -> PathBuf {
        Path::new(self.package).join(file)
    }

    /// A portal, with the program's settings file for it.
    async fn setting(&self, scenario: Scenario) -> Setting {
        let setting = Setting::new(self.binary, scenario).await;
        setting.file(SETTINGS, &self.settings_for(&setting.sim.url()));
        for (name, content) in self.files {
            setting.file(name, content);
        }
        setting
    }

    fn settings_for(&self, portal: &str) -> String {
        format!("{}\n[portal]\nurl = \"{portal}\"\n", self.settings)
    }

    async fn run(&self, setting: &Setting, flags: &[&str]) -> Run {
        let config = setting.state.path().join(SETTINGS).display().to_string();
        setting.run_with(&[&["--config", &config], flags].concat()).await
    }

    /// The JSON report of a run, which keeps the shipped schema, and the run.
    async fn report(&self, setting: &Setting) -> (serde_json::Value, Run) {
        let ended = self.run(setting, &["--format", "json"]).await;
        let schema = self.path(&format!("schema/{}-1.schema.json", self.name()));
        crate::assert_keeps(&schema, &ended.stdout);
        (ended.json(), ended)
    }
}
