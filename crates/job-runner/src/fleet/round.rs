//! What the runs of one round have in common, and what each of them has for itself.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use job_store::files::TemporaryFolder;
use report::Form;
use tokio::process::Command;

use super::LEFT_VARIABLE;
use super::arguments::{Arguments, with_value};
use super::portals::{self, Portal};
use super::textfiles::Textfiles;
use crate::config::Sources;
use crate::program::Program;
use crate::setup;

/// One look at all portals. It lasts as long as something of it was not told: its folder holds what its runs print.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) portals: Vec<Portal>,
    pub(crate) started_at: DateTime<Utc>,
    spool: TemporaryFolder,
    textfiles: Textfiles,
}

impl Round {
    /// With the settings as they are now.
    ///
    /// # Errors
    /// The folder with the settings cannot be read or holds none; there is no room for temporary files.
    pub(crate) fn prepare<P: Program>(folder: &Path, sources: &Sources, dry_run: bool) -> anyhow::Result<Self> {
        let portals = portals::read::<P>(folder, sources)?;
        let spool = TemporaryFolder::new().map_err(|(folder, failure)| {
            let remedy = "set TMPDIR to a folder with room";
            anyhow::Error::new(failure)
                .context(format!("cannot make a folder for temporary files in {}; {remedy}", folder.display()))
        })?;
        let textfiles = if dry_run { Textfiles::default() } else { Textfiles::prepare::<P>(&portals, spool.path()) };
        Ok(Round { portals, started_at: setup::now(), spool, textfiles })
    }

    /// Without settings.
    #[cfg(test)]
    pub(crate) fn over(portals: Vec<Portal>) -> Self {
        let spool = TemporaryFolder::new().unwrap();
        Round { portals, started_at: setup::now(), spool, textfiles: Textfiles::default() }
    }

    /// One for each portal, in their order.
    pub(crate) fn runs(self: &Arc<Self>) -> impl Iterator<Item = Run> {
        (0..self.portals.len()).map(|index| Run { round: Arc::clone(self), index })
    }
}

/// One portal in one round.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    round: Arc<Round>,
    index: usize,
}

impl Run {
    pub(crate) fn portal(&self) -> &Portal {
        &self.round.portals[self.index]
    }

    /// When its round began.
    pub(crate) fn started_at(&self) -> DateTime<Utc> {
        self.round.started_at
    }

    /// Where its report on stdout waits.
    pub(crate) fn stdout(&self) -> PathBuf {
        self.file("out")
    }

    /// Where its whole report waits for a file that was asked for.
    pub(crate) fn spooled(&self, form: Form) -> PathBuf {
        self.file(if form == Form::Json { "json" } else { "txt" })
    }

    /// Where it writes its metrics, and which file they are for, if its portal shares one.
    pub(crate) fn textfile(&self) -> Option<(&Path, &Path)> {
        let own = self.round.textfiles.of(self.index)?;
        Some((own, self.portal().textfile.as_deref()?))
    }

    /// Whether it has left its portal to another run.
    pub(crate) fn is_left(&self) -> bool {
        self.file("left").exists()
    }

    /// Takes away what it has left behind, when it has ended and was told: the folder of its round stays as long as another run needs it.
    pub(crate) fn clear(&self) {
        for ending in ["out", "json", "txt", "prom", "left"] {
            // most were never written, and what stays goes with the folder
            let _ = fs::remove_file(self.file(ending));
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.round.spool.path().join(format!("{}.{ending}", self.index))
    }

    /// The process that does it.
    ///
    /// # Errors
    /// There is no room for what it prints.
    pub(crate) fn command(&self, arguments: &Arguments) -> io::Result<Command> {
        let mut command = Command::new(&arguments.program);
        command.args(&arguments.flags).arg(with_value("config", self.portal().file.as_os_str()));
        for file in &arguments.summaries {
            command.arg(with_value("report", self.spooled(file.form).as_os_str()));
        }
        if let Some((own, _)) = self.textfile() {
            command.env(&arguments.textfile_variable, own);
        }
        command.env(LEFT_VARIABLE, self.file("left"));
        let stdout = File::create_new(self.stdout())?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        Ok(command)
    }
}
