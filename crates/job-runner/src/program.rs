//! What a program tells the runner about itself.

use std::future::Future;
use std::io;
use std::path::Path;

use alerting::Alert;
use audit_model::{Coverage, Finding, FindingState, MainSource, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use report::words;

use crate::Error;
use crate::args::{CommandLine, FlagSetting, ReportFormat};
use crate::config::Settings;
use crate::doctor::{Check, Reached};
use crate::exit::Exit;
use crate::head::Head;
use crate::job::Job;
use crate::names::NamedList;
use crate::setup::Setup;

/// One program: its names and its four pure functions around one that reads.
///
/// The runner is the only reader of argv, environment and clock, and the only printer.
pub trait Program: Sized {
    /// Name of the binary, of its settings in the environment, and of its state.
    const NAME: &'static str;
    const VERSION: &'static str;
    /// How far the window reaches back from its end when nothing says otherwise.
    const WINDOW: TimeDelta;

    /// The source without which the program cannot conclude anything.
    const MAIN: MainSource = MainSource::Audit;

    /// Flags: the common ones, and the program's own.
    type Cli: clap::Parser + CommandLine;
    type Config: Settings;
    type Outcome;

    /// How far the window reaches back with these settings.
    fn reach(_config: &Self::Config) -> TimeDelta {
        Self::WINDOW
    }

    /// The program's own flags as settings, so that they override files and environment.
    fn flags(cli: &Self::Cli) -> Vec<FlagSetting>;

    /// Which part of what happened a run with these settings judges; empty for everything, else the same text for the same part. What a
    /// part has judged is remembered by itself: a look at one room must not pass for one at all of them.
    fn part(_config: &Self::Config) -> String {
        String::new()
    }

    /// The lists of the settings that name people, groups or rooms of the portal, besides `service_accounts`, as far as they count at
    /// this moment. Entries that mean nobody are named by `doctor` and in the notes of every run; those whose mistake ends a run are
    /// left to the program.
    fn named(_config: &Self::Config, _now: DateTime<Utc>) -> Vec<NamedList> {
        Vec::new()
    }

    /// The window of a run, for programs that have a say in it; `since` and `until` are what the flags say, `zone` is the portal's.
    /// `None`: the flags, else [`WINDOW`](Self::WINDOW) before now.
    ///
    /// # Errors
    /// A window that cannot be, such as a month that has not ended.
    fn window(
        _config: &Self::Config,
        _since: Option<DateTime<Utc>>,
        _until: Option<DateTime<Utc>>,
        _now: DateTime<Utc>,
        _zone: Tz,
    ) -> Result<Option<Window>, Error> {
        Ok(None)
    }

    /// Names, in gaps, of what the rules need of the portal. Time of which one of these is missing was not judged, and is looked at again by
    /// the next run; whatever else is missing only makes a report poorer.
    const JUDGED_BY: &'static [&'static str] = &["audit"];

    /// Refresh, detect, judge. Prints nothing, exits nowhere, does nothing that others can see. A failure of the store makes the runner
    /// call it once more, with an empty one.
    ///
    /// # Errors
    /// Only of our own side, for instance the store. What the portal does not give is a gap in the outcome's coverage.
    fn run(config: &Self::Config, job: &Job) -> impl Future<Output = anyhow::Result<Self::Outcome>>;

    /// Whatever others can see besides the report and the alerts: plans, files, mails, changes at the portal. By now the coverage in the
    /// outcome is final. Acts only with [`Job::store`], and not in a dry run.
    ///
    /// # Errors
    /// Of our own side. The outcome is told all the same, with a note; the run ends with 1, or with 2 for [`crate::Error`].
    fn act(
        _config: &Self::Config,
        _job: &Job,
        _outcome: &mut Self::Outcome,
    ) -> impl Future<Output = anyhow::Result<()>> {
        async { Ok(()) }
    }

    /// The head of the report, in which the runner notes what it knows: gaps that are its own, and what the reader must know.
    fn head(outcome: &mut Self::Outcome) -> &mut Head;

    /// The outcome of a run that could not look at anything; `coverage` says why.
    fn unseen(config: &Self::Config, job: &Job, coverage: Coverage) -> Self::Outcome;

    /// What the exit code depends on.
    fn conclusion(outcome: &Self::Outcome) -> Conclusion<'_>;

    /// What the runner fills in after the run, from what it remembers of earlier ones; `None` for a program without findings.
    fn tellable(_outcome: &mut Self::Outcome) -> Option<Tellable<'_>> {
        None
    }

    /// Writes the report; nothing at all when there is nothing to say. Pure.
    fn render(outcome: &Self::Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()>;

    /// Whether the text report says something new besides what could not be seen, so that it is printed although the same gaps were
    /// told before. Pure.
    fn says_more(outcome: &Self::Outcome) -> bool {
        words::told(Self::conclusion(outcome).findings).next().is_some()
    }

    /// What people should be told: of findings, those that are new or have grown. Pure.
    fn alerts(outcome: &Self::Outcome) -> Vec<Alert>;

    /// Whether a run with these settings sends mails, so that `mail.*` has to be set.
    fn needs_mail(_config: &Self::Config) -> bool {
        false
    }

    /// Files of the program's own that nobody else may read, each with the words that come before its name: `the token in`.
    fn secret_files(_config: &Self::Config) -> Vec<(&'static str, &Path)> {
        Vec::new()
    }

    /// What `doctor` checks besides what all programs depend on. `reached` is `None` when the portal could not be asked.
    fn checks(_config: &Self::Config, _reached: Option<&Reached>) -> impl Future<Output = Vec<Check>> {
        async { Vec::new() }
    }

    /// Runs a subcommand of the program's own. Called when [`CommandLine::has_own_command`] says that there is one; the settings are
    /// right by then, except that no portal needs to be set.
    ///
    /// # Errors
    /// [`crate::Error`] ends with exit code 2, everything else with 1.
    fn own_command(_cli: &Self::Cli, _setup: &Setup<'_, Self>) -> impl Future<Output = anyhow::Result<Exit>> {
        async { Err(anyhow::anyhow!("this program has no subcommands of its own")) }
    }
}

/// The parts of an outcome that depend on what people know already.
#[derive(Debug)]
pub struct Tellable<'a> {
    /// The runner sets the state of each, and adds to the reasons of those that have grown.
    pub findings: &'a mut [Finding],
    /// How many known findings have more actions than were told.
    pub suppressed: &'a mut u64,
    /// What the reader must know besides.
    pub notes: &'a mut Vec<String>,
}

/// What the exit code of a run, and its metrics, depend on.
#[derive(Clone, Copy, Debug)]
pub struct Conclusion<'a> {
    pub coverage: &'a Coverage,
    /// Known and silenced ones included.
    pub findings: &'a [Finding],
    /// Known findings that have grown and are not told again yet.
    pub suppressed: u64,
    /// Whether a breaker or a lock-out check held something back.
    pub held: bool,
}

impl<'a> Conclusion<'a> {
    /// The findings that count: silenced ones do not.
    pub fn counted(&self) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(|finding| finding.state != FindingState::Silenced)
    }
}
