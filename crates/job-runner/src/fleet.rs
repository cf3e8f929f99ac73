//! `fleet`: the job for many portals. Each run is a child process of the same program with settings of its own, so that none can take
//! another's memory, time or life; here is only who starts when, and what is said of all of them together.

mod child;
mod portals;
mod summary;
mod textfiles;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use clap::ArgAction;
use clap::parser::ValueSource;
use futures::StreamExt;
use job_store::files::TemporaryFolder;
use job_store::{Acquired, RunLock};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

use self::child::{Child, Ended};
use self::portals::Portal;
use self::summary::{Outcome, Summary};
use self::textfiles::Textfiles;
use crate::Error;
use crate::args::{CommonArgs, FleetArgs, ReportFile};
use crate::config::{Sources, variable_of};
use crate::exit::Exit;
use crate::explained::Explained;
use crate::key_origin::KEY_VARIABLE;
use crate::program::{CommandLineOf, Program};
use crate::secret;
use crate::setup;
use crate::state_path::PORTAL;
use crate::stop::Signals;

/// Names the file that a run of a fleet makes when it leaves its portal to another run. It ends with 0 and prints nothing, as one does that
/// has found nothing.
pub(crate) const LEFT_VARIABLE: &str = "AUDIT_TOOLS_FLEET_LEFT";

/// What is not handed on as it is: the files of settings, the reports, and what is about one portal.
const NOT_HANDED_ON: [&str; 4] = ["config", "portal", "reports", "help"];

/// Looks at every portal of the folder, once or until somebody ends it.
pub(crate) async fn run<P: Program>(
    (args, fleet): (&CommonArgs, &FleetArgs),
    sources: &Sources,
    mut signals: Signals,
) -> anyhow::Result<Exit> {
    refuse_one_for_all(args, sources)?;
    let _lock = match lock::<P>(args, fleet, sources)? {
        Ok(lock) => lock,
        Err(exit) => return Ok(exit),
    };
    loop {
        let next = Instant::now() + fleet.every.map_or(Duration::ZERO, |every| every.0);
        let (exit, is_ended) = round::<P>((args, fleet), sources, &mut signals).await?;
        // what the settings say is read again each time
        if fleet.every.is_none() || is_ended || tokio::time::timeout_at(next, signals.next()).await.is_ok() {
            return Ok(exit);
        }
    }
}

/// The lock of this fleet, beside what is remembered of its first portal, so that two over the same folder are not at work at once; else what
/// to end with. None in a dry run, and where no portal says where it is remembered.
fn lock<P: Program>(
    args: &CommonArgs,
    fleet: &FleetArgs,
    sources: &Sources,
) -> anyhow::Result<Result<Option<RunLock>, Exit>> {
    let portals = portals::read::<P>(&fleet.portals, sources)?;
    let Some(state) = portals.iter().find_map(|portal| portal.state.as_ref()).filter(|_| !args.dry_run) else {
        return Ok(Ok(None));
    };
    let folder = fleet.portals.canonicalize().unwrap_or_else(|_| fleet.portals.clone());
    let name = audit_model::fingerprint(&[P::ABOUT.name, &folder.to_string_lossy()]);
    match RunLock::acquire(&state.join(format!("{}-fleet-{name}.lock", P::ABOUT.name)), setup::now()) {
        Ok(Acquired::Locked(lock)) => Ok(Ok(Some(lock))),
        Ok(Acquired::Held { .. }) => {
            warn!("another fleet is still at work on these portals; this one ends without doing anything");
            Ok(Err(Exit::Concluded))
        }
        Err(error) => {
            warn!("going on without a lock: {}", Explained::of(&error.into()));
            Ok(Ok(None))
        }
    }
}

/// Looks at every portal of the folder once, and says what there is to say of all of them; and whether somebody ended it meanwhile.
async fn round<P: Program>(
    (args, fleet): (&CommonArgs, &FleetArgs),
    sources: &Sources,
    signals: &mut Signals,
) -> anyhow::Result<(Exit, bool)> {
    let (own_reports, summaries): (Vec<_>, Vec<_>) =
        args.reports.iter().cloned().partition(|file| file.path.to_string_lossy().contains(PORTAL));
    if let Some(file) = summaries.iter().find(|file| !summary::has_form(file.form)) {
        return Err(Error::SummaryForm(file.path.clone()).into());
    }
    let portals = portals::read::<P>(&fleet.portals, sources)?;
    let spool = TemporaryFolder::new().map_err(|(folder, failure)| {
        let remedy = "set TMPDIR to a folder with room";
        anyhow::Error::new(failure)
            .context(format!("cannot make a folder for temporary files in {}; {remedy}", folder.display()))
    })?;
    let textfiles = if args.dry_run { Textfiles::default() } else { Textfiles::prepare::<P>(&portals, spool.path()) };
    let runs = Runs {
        program: std::env::current_exe().context("cannot tell where this program is")?,
        arguments: handed_on::<P>(args, &own_reports)?,
        spool: spool.path(),
        textfile_variable: variable_of(P::ABOUT.name, "textfile"),
        textfiles: &textfiles,
        summaries: &summaries,
        began: Instant::now(),
        step: fleet.spread.map_or(Duration::ZERO, |spread| spread.0 / u32::try_from(portals.len()).unwrap_or(u32::MAX)),
    };
    let (stop, stopped) = watch::channel(false);
    let started_at = setup::now();
    let all = futures::stream::iter(portals.iter().enumerate())
        .map(|(index, portal)| runs.one(index, portal, stopped.clone()))
        .buffer_unordered(fleet.at_most.into())
        .collect::<Vec<Outcome>>();
    let mut all = pin!(all);
    let (mut outcomes, is_ended) = tokio::select! {
        biased;
        // before the end of one run starts another
        () = signals.next() => {
            warn!("somebody ends this fleet; its runs conclude with what they have read");
            stop.send_replace(true);
            (all.await, true)
        }
        outcomes = &mut all => (outcomes, false),
    };
    outcomes.sort_by_key(|outcome| outcome.index);
    textfiles.merge::<P>(&portals, &outcomes, started_at);
    let summary = Summary {
        about: &P::ABOUT,
        started_at,
        dry_run: args.dry_run,
        portals: &portals,
        outcomes,
        spool: spool.path(),
    };
    let unwritten = summary.write_files(&summaries);
    summary.print(args.format)?;
    let is_unwritten = !unwritten.is_empty();
    unwritten.iter().for_each(|why| error!("{why}"));
    let exit = Exit::worst([summary.exit()].into_iter().chain(is_unwritten.then_some(Exit::Usage)));
    Ok((exit, is_ended))
}

/// A key in the environment would be sent to every portal, and an address there would make all of them one.
fn refuse_one_for_all(args: &CommonArgs, sources: &Sources) -> Result<(), Error> {
    let environment = &sources.environment;
    let (url, key) = (
        "set `portal.url` in each file",
        "set `key_file` in each file, or name the portal by `{portal}` in a shared one",
    );
    let names_portal = |path: &PathBuf| path.to_string_lossy().contains(PORTAL);
    if args.portal.is_some() {
        return Err(Error::OneForAll("`--portal`", url));
    }
    if environment.get("DOCSPACE_API_HOST").is_some() {
        return Err(Error::OneForAll("environment variable `DOCSPACE_API_HOST`", url));
    }
    if args.key_file.as_ref().is_some_and(|path| !names_portal(path)) {
        return Err(Error::OneForAll("`--key-file` without `{portal}` in it", key));
    }
    if args.key_file.is_none() && environment.get(KEY_VARIABLE).is_some() {
        return Err(Error::OneForAll("environment variable `DOCSPACE_API_KEY`", key));
    }
    if args.key_file.is_none() && secret::has_credential(environment) {
        return Err(Error::OneForAll("the credential `docspace-api-key`", key));
    }
    Ok(())
}

/// The flags of this process, for each run. All that stand before or after `fleet` and are no own ones of it count.
fn handed_on<P: Program>(args: &CommonArgs, reports: &[ReportFile]) -> anyhow::Result<Vec<OsString>> {
    let command = CommandLineOf::<P>::definition(&P::ABOUT, P::PROBES);
    let matches = command.clone().try_get_matches()?;
    let mut arguments: Vec<OsString> = Vec::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let Some(flag) = argument.get_long().filter(|_| is_given && !NOT_HANDED_ON.contains(&id)) else { continue };
        match argument.get_action() {
            ArgAction::SetTrue => arguments.push(format!("--{flag}").into()),
            ArgAction::Count => (0..matches.get_count(id)).for_each(|_| arguments.push(format!("--{flag}").into())),
            _ => matches.get_raw(id).into_iter().flatten().for_each(|value| arguments.push(with_value(flag, value))),
        }
    }
    arguments.extend(args.config.iter().map(|path| with_value("config", path.as_os_str())));
    arguments.extend(reports.iter().map(|file| with_value("report", file.path.as_os_str())));
    Ok(arguments)
}

fn with_value(flag: &str, value: &std::ffi::OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{flag}="));
    argument.push(value);
    argument
}

/// What all runs have in common.
struct Runs<'a> {
    program: PathBuf,
    arguments: Vec<OsString>,
    spool: &'a Path,
    textfile_variable: String,
    textfiles: &'a Textfiles,
    summaries: &'a [ReportFile],
    began: Instant,
    /// Between two starts.
    step: Duration,
}

impl Runs<'_> {
    /// Waits for its turn, and looks at one portal.
    async fn one(&self, index: usize, portal: &Portal, mut stopped: watch::Receiver<bool>) -> Outcome {
        if let Some(refusal) = &portal.refusal {
            warn!("{}: {refusal}", portal.name);
            return Outcome::refused(index, refusal);
        }
        let turn = self.began + self.step * u32::try_from(index).unwrap_or(u32::MAX);
        if *stopped.borrow() || tokio::time::timeout_at(turn, stopped.wait_for(|it| *it)).await.is_ok() {
            return Outcome::not_looked_at(index);
        }
        info!(portal = portal.name, "run starts");
        let began = Instant::now();
        let child =
            self.command(index, portal).map(|command| Child { command, name: &portal.name, limit: portal.limit() });
        let ended = match child {
            Ok(child) => child.run(stopped).await,
            Err(failure) => Ended::not_started(failure),
        };
        Outcome::of(index, &ended, began.elapsed(), summary::left(self.spool, index).exists())
    }

    fn command(&self, index: usize, portal: &Portal) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(with_value("config", portal.file.as_os_str()));
        for file in self.summaries {
            command.arg(with_value("report", summary::spooled(self.spool, index, file.form).as_os_str()));
        }
        if let Some(textfile) = self.textfiles.of(index) {
            command.env(&self.textfile_variable, textfile);
        }
        command.env(LEFT_VARIABLE, summary::left(self.spool, index));
        let stdout = File::create_new(summary::stdout(self.spool, index))?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        Ok(command)
    }
}
