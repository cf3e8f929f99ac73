//! This program's own flags. No logic: each stands for a setting.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

use crate::config::Collision;

/// The flags besides the common ones; each stands for a setting.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The month to report [default: the last complete month]
    #[arg(long, value_name = "YYYY-MM", conflicts_with_all = ["since", "until"])]
    month: Option<String>,

    /// Folder for the files of the report; `{month}` in it stands for the month
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Folder in the portal to upload the report to: its id, or ROOM TITLE/FOLDER/…
    #[arg(long, value_name = "FOLDER", requires = "out")]
    upload_to: Option<String>,

    /// What to do if a file with that title already exists
    #[arg(long, value_enum, value_name = "POLICY")]
    on_collision: Option<Collision>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check that the files of a report are unchanged; needs neither portal nor key
    Verify {
        /// The folders of the reports
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,

        /// The digest that the run printed when it wrote the report; with it, a report that was rewritten as a whole is found out, too
        #[arg(long, value_name = "HEX")]
        digest: Option<String>,
    },
}

impl OwnFlags for Flags {
    fn settings(&self) -> Vec<FlagSetting> {
        let month = FlagSetting::optional("--month", "month", self.month.as_deref());
        let out =
            FlagSetting::optional("--out", "out", self.out.as_deref().map(|out| out.to_string_lossy().into_owned()));
        let upload_to = FlagSetting::optional("--upload-to", "upload_to", self.upload_to.as_deref());
        let policy = self.on_collision.map(Collision::name);
        let on_collision = FlagSetting::optional("--on-collision", "on_collision", policy);
        [month, out, upload_to, on_collision].into_iter().flatten().collect()
    }
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        &[RunFlag::DryRun]
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use job_runner::args::CommandLine;

    use super::*;

    #[test]
    fn a_month_and_a_window_exclude_each_other() {
        let refused = CommandLine::<Flags, Command>::try_parse_from([
            "compliance-monthly",
            "--month",
            "2026-06",
            "--since",
            "30d",
        ]);
        let kind = refused.err().map(|error| error.kind());
        assert_eq!(kind, Some(clap::error::ErrorKind::ArgumentConflict));
    }
}
