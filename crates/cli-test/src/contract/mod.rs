//! What every program keeps, whatever it watches: a function per promise, and [`contract_tests!`](crate::contract_tests), which the
//! program's `tests/cli/contract.rs` calls, makes a test of each.

mod deploy;
mod documented;
mod help;
mod hostile;
mod init;
mod kubernetes;
#[cfg(test)]
mod kubernetes_schemas;
mod personal;
mod pseudonyms;
mod reports;
mod runs;
mod server;
mod settings;

use std::path::{Path, PathBuf};

use portal_sim::Scenario;

use crate::{Run, Setting};

pub use personal::{named_in_store, names_of};
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
    /// A source that it asks, and the name of the gap that is left when it cannot be read.
    pub source: (&'static str, &'static str),
    /// How it is installed.
    pub shipped: Shipped,
}

/// What is shipped for whoever installs a program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shipped {
    /// Settings whose value in the example file is not the default.
    pub not_default: &'static [&'static str],
    /// When the lines of the cron file run, in its order.
    pub cron: &'static [&'static str],
    /// When the timer of systemd runs.
    pub calendar: &'static str,
}

/// Tests of every promise for a [`Program`](crate::contract::Program), so that none can be left out; or of those named, for a program that is not shipped.
#[macro_export]
macro_rules! contract_tests {
    ($program:expr) => {
        $crate::contract_tests!($program => {
            the_example_settings_are_whole_and_accepted: example_settings,
            every_command_has_help: help,
            every_documented_command_exists: documented_commands,
            init_writes_what_a_run_needs: sets_up,
            the_cron_lines_run_as_printed: cron_lines,
            the_units_run_as_printed: systemd_units,
            the_manifests_for_kubernetes_run_as_printed: kubernetes_manifests,
            a_run_without_news_is_quiet: quiet,
            a_source_that_cannot_be_read_is_named: incomplete,
            nothing_is_concluded_without_the_audit_feature: no_audit_feature,
            hostile_names_command_nothing: hostile_names,
            what_was_told_is_not_told_again: first_and_second_run,
            of_two_hosts_one_works: two_hosts,
            what_is_known_moves_to_a_server_and_back: moves,
            nobody_is_named_in_the_file_who_was_forgotten: forgets,
            nobody_is_named_where_names_are_pseudonyms: pseudonyms,
            every_form_of_the_report_tells_the_same_people: reports,
        });
    };
    ($program:expr => { $($test:ident: $promise:ident,)+ }) => {
        $(#[tokio::test]
        async fn $test() {
            $program.$promise().await;
        })+
    };
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

    /// The schema of its JSON report.
    pub fn schema(&self) -> PathBuf {
        self.path(&format!("schema/{}-1.schema.json", self.name()))
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

    /// The same with the store in files, and on a server where there is one.
    async fn settings(&self, scenario: Scenario) -> Vec<Setting> {
        let mut settings = vec![self.setting(scenario.clone()).await];
        if let Some(place) = job_store::testing::place() {
            let mut setting = self.setting(scenario).await;
            setting.server = Some(self.place_for(place, &setting.sim.url()));
            settings.push(setting);
        }
        settings
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
        crate::assert_keeps(&self.schema(), &ended.stdout);
        (ended.json(), ended)
    }
}
