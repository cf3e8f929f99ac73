//! This program's own flags. No logic: each stands for a setting.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use job_runner::args::{CommandLine, CommonArgs, CommonCommand, FlagSetting, RunFlag};

use crate::config::Collision;

/// Writes the audit trail of a month as a report that people can read and auditors can verify
#[derive(Debug, Parser)]
#[command(name = "compliance-monthly", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    /// The month to report [default: the last one that is over]
    #[arg(long, value_name = "YYYY-MM", conflicts_with_all = ["since", "until"])]
    month: Option<String>,

    /// Folder for the files of the report; `{month}` in it stands for the month
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Folder in the portal to upload the report to: its id, or ROOM TITLE/FOLDER/…
    #[arg(long, value_name = "FOLDER", requires = "out")]
    upload_to: Option<String>,

    /// What to do when a file of that title is there already
    #[arg(long, value_enum, value_name = "POLICY")]
    on_collision: Option<Collision>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Common(CommonCommand),
    /// Check that the files of a report are the ones that were written; needs neither portal nor key
    Verify {
        /// The folders of the reports
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,

        /// The digest that the run printed when it wrote the report; also reveals a report that was made anew
        #[arg(long, value_name = "HEX")]
        digest: Option<String>,
    },
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn command(&self) -> Option<&CommonCommand> {
        match &self.command {
            Some(Command::Common(command)) => Some(command),
            _ => None,
        }
    }

    fn has_own_command(&self) -> bool {
        self.verified().is_some()
    }

    fn heeded(&self) -> &'static [RunFlag] {
        &[RunFlag::DryRun]
    }
}

impl Cli {
    /// The folders that `verify` is about, and the digest that was kept.
    pub(crate) fn verified(&self) -> Option<(&[PathBuf], Option<&str>)> {
        match &self.command {
            Some(Command::Verify { dirs, digest }) => Some((dirs, digest.as_deref())),
            _ => None,
        }
    }

    pub(crate) fn flags(&self) -> Vec<FlagSetting> {
        let month = self.month.as_ref().map(|month| FlagSetting::new("--month", "month", month.as_str()));
        let out = self.out.as_ref().map(|out| FlagSetting::new("--out", "out", out.to_string_lossy().as_ref()));
        let upload_to = self.upload_to.as_ref().map(|to| FlagSetting::new("--upload-to", "upload_to", to.as_str()));
        let on_collision =
            self.on_collision.map(|policy| FlagSetting::new("--on-collision", "on_collision", policy.name()));
        [month, out, upload_to, on_collision].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_a_window_exclude_each_other() {
        let refused = Cli::try_parse_from(["compliance-monthly", "--month", "2026-06", "--since", "30d"]);
        assert_eq!(refused.unwrap_err().kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}
