//! What a program tells the runner about itself.

use std::fmt::Debug;
use std::future::Future;
use std::path::Path;

use alerting::Said;
use audit_model::Window;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_archive::Look;
use report::{Document, Line};
use serde::Serialize;

use crate::Error;
use crate::about::About;
use crate::args::{CommandLine, OwnCommand, OwnFlags, Probe};
use crate::config::Settings;
use crate::doctor::check::Check;
use crate::doctor::reached::Reached;
use crate::exit::Exit;
use crate::head::Head;
use crate::init::{FirstFile, Question};
use crate::job::{Job, Publishing, Settled, Unsettled};
use crate::report::{Found, Judgement, Report};
use crate::setup::Setup;

/// What a program found.
pub type ReportOf<P> = Report<<P as Program>::Detail, <P as Program>::Body>;

/// One program: what it asks, its rule, and the body of its report. Everything around them is the runner's, which is the only reader of
/// argv, environment and clock, and the only printer: a program cannot forget a gap, a blind spot, the silence or the exit code.
pub trait Program: Sized {
    const ABOUT: About;

    /// What `doctor` does besides where a flag asks for it.
    const PROBES: &'static [Probe] = &[];

    /// The flags of its own; [`NoFlags`](crate::args::NoFlags) for none.
    type Flags: OwnFlags;
    /// The subcommands of its own; [`NoCommand`](crate::args::NoCommand) for none.
    type Command: OwnCommand;
    type Config: Settings;
    /// What was read, as far as the rule goes by it.
    type Facts;
    /// What the report says of a finding besides what all programs say: `()` for nothing.
    type Detail: Serialize + Debug;
    /// What the report holds besides what all have.
    type Body: Serialize + Debug;

    /// The window of a run, for programs that have a say in it; `since` and `until` are what the flags say, `zone` is the portal's.
    /// `None`: the flags, else [`Settings::reach`] before now.
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

    /// Ends what was begun at the portal by an earlier run or command, and cannot wait. It comes before the look, so that nothing keeps a run
    /// from it: not a key that the portal refuses, a mistake in the program's own files, a clock that is wrong, or a look that takes too
    /// long. Whatever goes by the order of things has to take care of the clocks itself.
    fn settle(_config: &Self::Config, _unsettled: &Unsettled) -> impl Future<Output = anyhow::Result<Settled>> {
        async { Ok(Settled::default()) }
    }

    /// What an earlier run or command has begun at the portal and [`settle`](Self::settle) has still to end, as far as files beside the store
    /// tell: a sentence without its end for each. `place` is the file of the store, or the folder of stores where a mistake hides which of
    /// them it is. Said where a mistake in flags, settings or files ends a run.
    fn waits_beside(_place: &Path) -> Vec<String> {
        Vec::new()
    }

    /// The program's questions: all that it reads is read here. The portal has answered by now, and has the audit feature. A failure of the
    /// store makes the runner call it once more, with an empty one.
    ///
    /// # Errors
    /// Only of our own side, for instance the store. What the portal does not give is a gap in the look.
    fn gather(config: &Self::Config, job: &Job, look: &mut Look) -> impl Future<Output = anyhow::Result<Self::Facts>>;

    /// The rule: what follows from the facts. Pure.
    fn judge(config: &Self::Config, facts: Self::Facts) -> Judgement<Self::Detail, Self::Body>;

    /// The body of the report of a run that could not look at anything. Pure.
    fn unseen(config: &Self::Config, head: &Head) -> Self::Body;

    /// Whatever others can see besides the report and the alerts: plans, files, mails, changes at the portal. By now the coverage in the
    /// report is final. Acts only with [`Job::store`], and not in a dry run.
    ///
    /// # Errors
    /// Of our own side. The report is told all the same, with a note; the run ends with 1, or with 2 for [`crate::Error`].
    fn act(
        _config: &Self::Config,
        _job: &Job,
        _report: &mut ReportOf<Self>,
    ) -> impl Future<Output = anyhow::Result<()>> {
        async { Ok(()) }
    }

    /// Hands the whole report to those for whom the program makes it besides, as a file or by mail, whatever became of the look and of
    /// [`act`](Self::act): what they had before must not pass for the present. Not called in a dry run, nor after
    /// another run has taken over, which hands on its own.
    ///
    /// # Errors
    /// Of our own side. The report is told all the same, with a note; the run ends with 1, or with 2 for [`crate::Error`].
    fn publish(
        _config: &Self::Config,
        _publishing: &Publishing,
        _report: &mut ReportOf<Self>,
    ) -> impl Future<Output = anyhow::Result<()>> {
        async { Ok(()) }
    }

    /// Reads on where [`gather`](Self::gather) did not let the alerts wait, now that they have left: what this stores the next run knows.
    /// After twenty seconds the portal is asked nothing more, so that the next run is not kept waiting. Not called in a dry run, nor without a memory.
    ///
    /// # Errors
    /// Of our own side; they are logged.
    fn catch_up(_job: &Job, _report: &ReportOf<Self>) -> impl Future<Output = anyhow::Result<()>> {
        async { Ok(()) }
    }

    /// Puts what is the program's own into the whole report: the frame around it is there already. What has to be printed although nobody
    /// is news stands in a section that [`is_news`](report::Section::is_news). Pure.
    fn body(report: &ReportOf<Self>, document: &mut Document);

    /// The sentence above a report of which something was seen, without a capital letter and a full stop; `told` is how many findings it
    /// tells. `None`: how many they are, and whether records are missing. Pure.
    fn headline(_report: &ReportOf<Self>, _told: u64) -> Option<Line> {
        None
    }

    /// The text on stdout, for programs that print another than what is new, and always; `None`: what is new, if anything is. Pure.
    fn text(_report: &ReportOf<Self>, _document: &Document) -> Option<Vec<u8>> {
        None
    }

    /// What the alert of a finding says in the program's own words: who did what, what to do, and the answers to what people ask first.
    /// Whatever it leaves out is said from the numbers. Pure.
    fn said(_report: &ReportOf<Self>, _found: &Found<Self::Detail>) -> Said {
        Said::default()
    }

    /// What `init` asks besides portal and key, from what the portal has. Pure.
    fn questions(_reached: &Reached) -> Vec<Question> {
        Vec::new()
    }

    /// The files besides settings and key with which the program begins; the portal answers by then.
    ///
    /// # Errors
    /// What they are made from cannot be read: nothing is written then.
    fn first_files(_setup: &Setup<'_, Self::Config>) -> impl Future<Output = anyhow::Result<Vec<FirstFile>>> {
        async { Ok(Vec::new()) }
    }

    /// What `doctor` checks besides what all programs depend on. `reached` is `None` when the portal could not be asked.
    fn checks(_config: &Self::Config, _reached: Option<&Reached>) -> impl Future<Output = Vec<Check>> {
        async { Vec::new() }
    }

    /// Does one of [`PROBES`](Self::PROBES), at a portal that answers; not in a dry run.
    fn probe(
        _probe: &'static Probe,
        _setup: &Setup<'_, Self::Config>,
        _reached: &Reached,
    ) -> impl Future<Output = Vec<Check>> {
        async { Vec::new() }
    }

    /// Runs a subcommand of the program's own. The settings are right by then, except that no portal needs to be set.
    ///
    /// # Errors
    /// [`crate::Error`] ends with exit code 2, everything else with 1.
    fn own_command(
        _command: &Self::Command,
        _setup: &Setup<'_, Self::Config>,
    ) -> impl Future<Output = anyhow::Result<Exit>> {
        async { Err(anyhow::anyhow!("this program has no subcommands of its own")) }
    }
}

/// The command line of a program.
pub(crate) type CommandLineOf<P> = CommandLine<<P as Program>::Flags, <P as Program>::Command>;
