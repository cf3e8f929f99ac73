//! From argv to exit code: which command was given, and what it needs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use tokio::runtime::Runtime;
use tracing::error;
use url::Url;

use crate::args::{AnyCommand, CommonArgs, CommonCommand, ConfigCommand};
use crate::config::{self, Problems, Read, Settings, Sources};
use crate::environment::Environment;
use crate::exit::{Exit, exit_of};
use crate::explained::lines;
use crate::flow::conclude;
use crate::logging::Log;
use crate::program::{CommandLineOf, Program};
use crate::setup::{self, Setup};
use crate::stop::{Signals, Stop};
use crate::surroundings::Surroundings;
use crate::watchers::Watchers;
use crate::{Error, alerts, config_show, doctor, fleet, init, logging, manual, state_path, upkeep};

/// So long work that nobody waits for any more may take to end.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Runs a program once and tells how it ended.
pub fn main<P: Program>() -> ExitCode {
    let cli = match CommandLineOf::<P>::of_process(&P::ABOUT, P::PROBES) {
        Ok(cli) => cli,
        Err(refusal) => {
            // help and version are asked for, everything else is bad usage; clap knows which stream each belongs to
            let printed = refusal.print();
            let asked_for = !refusal.use_stderr() && printed.is_ok();
            return if asked_for { Exit::Concluded } else { Exit::Usage }.into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(failure) => {
            error!("cannot start: {failure}");
            return Exit::Nothing.into();
        }
    };
    let ended = run::<P>(&cli, &runtime);
    // a server that does not answer keeps no process
    runtime.shutdown_timeout(LAST_WORK);
    match ended {
        Ok(exit) => exit,
        Err(failure) => {
            lines(&failure).iter().for_each(|line| error!("{line}"));
            exit_of(&failure)
        }
    }
    .into()
}

fn run<P: Program>(cli: &CommandLineOf<P>, runtime: &Runtime) -> anyhow::Result<Exit> {
    let args = cli.common();
    // a run that is to end before it has begun has an exit code and a heartbeat, too, and `doctor` prints what it has found by then;
    // and a fleet sees to its runs; whatever else was asked for just ends
    let is_job = cli.given().is_none();
    let is_doctor = matches!(cli.shared_command(), Some(CommonCommand::Doctor));
    let fleet = match cli.shared_command() {
        Some(CommonCommand::Fleet(fleet)) => Some(fleet),
        _ => None,
    };
    let signals = (is_job || is_doctor || fleet.is_some()).then(|| runtime.block_on(async { Signals::listen() }));
    let environment = Environment::from_process();
    let log = match logging::init(args.verbose, args.quiet, &environment) {
        Ok(log) => log,
        Err(mistake) => {
            // so that somebody hears of it
            logging::init(0, false, &Environment::default())?;
            return Err(mistake.into());
        }
    };
    cli.refuse_ignored()?;
    if let Some(CommonCommand::Completions { shell }) = cli.shared_command() {
        let mut script = Vec::new();
        clap_complete::generate(
            *shell,
            &mut CommandLineOf::<P>::definition(&P::ABOUT, P::PROBES),
            P::ABOUT.name,
            &mut script,
        );
        return setup::print(&String::from_utf8_lossy(&script)).map(|()| Exit::Concluded);
    }
    if let Some(CommonCommand::Man { folder }) = cli.shared_command() {
        return manual::run(CommandLineOf::<P>::definition(&P::ABOUT, P::PROBES), folder.as_deref());
    }
    let sources = Sources::from_process(args, cli.settings());
    if let Some(CommonCommand::Init(command)) = cli.shared_command() {
        return runtime.block_on(init::run::<P>((command, args), &sources));
    }
    let signals = match (fleet, signals) {
        (Some(fleet), Some(signals)) => {
            return runtime.block_on(fleet::run::<P>((args, fleet), &sources, signals));
        }
        (_, signals) => signals,
    };
    let read = config::read::<P::Config>(P::ABOUT.name, &sources);
    let args = &args.filled_in(read.placeholders.as_ref());
    if let Some(CommonCommand::Config(ConfigCommand::Show)) = cli.shared_command() {
        return config_show::run::<P>(args, &environment, &read);
    }
    if let Some(signals) = signals {
        if is_doctor {
            return runtime.block_on(doctor::run::<P>((args, cli.probes()), &environment, &read, signals));
        }
        return job::<P>(args, &environment, read, (runtime, signals), log);
    }
    let (common, config) = read.without_portal().map_err(Error::Config)?;
    let setup = Setup::new(&P::ABOUT, args, (&common, &config), &environment);
    match cli.given() {
        Some(AnyCommand::Common(CommonCommand::Store(command))) => {
            runtime.block_on(upkeep::run(command, &setup, setup.config.reach(P::ABOUT.window)))
        }
        Some(AnyCommand::Common(CommonCommand::Alerts(command))) => runtime.block_on(alerts::run(command, &setup)),
        Some(AnyCommand::Own(command)) => runtime.block_on(P::own_command(command, &setup)),
        Some(AnyCommand::Common(_)) | None => bail!("this command does not get so far"),
    }
}

/// The job itself. Whatever happens to it, those who watch are told, as soon as the settings say who they are.
fn job<P: Program>(
    args: &CommonArgs,
    environment: &Environment,
    read: Read<P::Config>,
    (runtime, signals): (&Runtime, Signals),
    log: Log,
) -> anyhow::Result<Exit> {
    let Read { settings: Some((common, config)), problems, .. } = read else {
        waiting::<P>((None, args.state.as_deref().map(Path::new)), environment);
        return Err(Error::Config(Problems(read.problems)).into());
    };
    let setup = Setup::new(&P::ABOUT, args, (&common, &config), environment);
    let mut watchers = Watchers::new(&setup, log);
    let mut stop = Stop::new(signals, common.run_limit.0);
    // what a panic leaves half done is not looked at again
    let ended = catch_unwind(AssertUnwindSafe(|| {
        if !problems.is_empty() {
            return Err(Error::Config(Problems(problems)).into());
        }
        let surroundings = Surroundings::new::<P>(&setup)?;
        runtime.block_on(conclude::<P>(args, &common, &config, surroundings, &mut watchers, &mut stop))
    }));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            lines(&failure).iter().for_each(|line| watchers.failures.error(line));
            let exit = exit_of(&failure);
            if exit == Exit::Usage {
                let state = common.state.as_ref().map(|path| path.as_path());
                waiting::<P>((common.portal_url().ok().as_ref(), state), environment);
            }
            exit
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("no reason given");
            watchers.failures.error(&format!("this is a bug in the program, please report it: {text}"));
            Exit::Nothing
        }
    };
    runtime.block_on(async {
        stop.hurry(watchers.tell(exit)).await;
        stop.hurry(watchers.end(exit)).await;
    });
    Ok(exit)
}

/// Says what waits for a run that a mistake in flags, settings or files has ended before it could see to that.
fn waiting<P: Program>(known: (Option<&Url>, Option<&Path>), environment: &Environment) {
    let place = state_path::place(P::ABOUT.name, known, environment);
    for waits in place.iter().flat_map(|place| P::waits_beside(place)) {
        error!("{waits}");
    }
}
