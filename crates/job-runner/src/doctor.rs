//! `doctor`: whether a run would see everything, and tell it. One line per check, all problems at once, nothing changed.

mod alerts;
pub(crate) mod check;
mod limit;
mod local;
mod portal;
pub(crate) mod reached;
mod server;
mod way;

use std::time::Duration;

use serde::Serialize;

use crate::args::{CommonArgs, Probe, ReportFormat};
use crate::config::Read;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::head::ProgramName;
use crate::program::Program;
use crate::setup::{self, Setup};
use crate::stop::{Signals, Stop};

pub use check::{Check, CheckState};
pub use reached::Reached;

/// The JSON form.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    program: ProgramName,
    /// The worst state of all checks.
    state: CheckState,
    checks: &'a [Check],
}

/// So long all checks may take together, or `run_limit` if that is shorter: nobody waits longer for a portal that does not answer.
const LONGEST: Duration = Duration::from_secs(120);

/// Checks everything and prints it, as far as it came when somebody ends it or it takes too long. Mistakes in flags and settings end with 2, other failures with 1, warnings with 0.
pub(crate) async fn run<P: Program>(
    (args, probes): (&CommonArgs, &[&'static Probe]),
    environment: &Environment,
    read: &Read<P::Config>,
    signals: Signals,
) -> anyhow::Result<Exit> {
    let mut checks = local::configuration(args, &read.problems);
    match &read.settings {
        Some((common, config)) => {
            let setup = Setup::new(&P::ABOUT, args, (common, config), environment);
            let stop = Stop::new(signals, LONGEST.min(common.run_limit.0));
            // what is tried out at the portal is written down as it ended
            let mut stop = if probes.is_empty() { stop } else { stop.finishing_steps() };
            let way = portal::way(&setup);
            let is_through = match &way {
                // at the limit the portal is asked nothing more, and each question that got no answer fails by its name
                Some(way) => {
                    stop.limit(&way.client, inspect::<P>(&setup, Some(way), probes, &mut checks)).await.is_ok()
                }
                None => stop.hurry(inspect::<P>(&setup, None, probes, &mut checks)).await.is_some(),
            };
            checks.extend((!is_through).then(|| cut(&stop)));
        }
        None => checks.push(Check::warn("not_checked", "everything else", "correct the settings and run again")),
    }
    let state = checks.iter().map(|check| check.state).max().unwrap_or(CheckState::Ok);
    setup::print(&match args.format {
        ReportFormat::Text => checks.iter().map(|check| format!("{check}\n")).collect::<String>(),
        ReportFormat::Json => {
            let program = ProgramName { name: P::ABOUT.name, version: P::ABOUT.version };
            let report = Report { schema: "doctor/1", program, state, checks: &checks };
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
    })?;
    Ok(match state {
        CheckState::Fail if checks.iter().any(|check| check.is_usage) => Exit::Usage,
        CheckState::Fail => Exit::Nothing,
        CheckState::Ok | CheckState::Warn => Exit::Concluded,
    })
}

/// Whether the portal answers, and what the key opens.
pub(crate) async fn prove<P: Program>(setup: &Setup<'_, P::Config>, checks: &mut Vec<Check>) -> Option<Reached> {
    portal::inspect::<P>(setup, &portal::way(setup)?, checks).await
}

/// What stands for the checks that were not made.
fn cut(stop: &Stop) -> Check {
    let why = if stop.is_interrupted() { "`doctor` was stopped" } else { "the checks took too long" };
    Check::fail("ended", format!("{why}, so everything that is not listed above was not checked"), "run it again")
}

async fn inspect<P: Program>(
    setup: &Setup<'_, P::Config>,
    way: Option<&portal::Way>,
    probes: &[&'static Probe],
    checks: &mut Vec<Check>,
) {
    checks.push(local::outbound(setup));
    checks.extend(local::exposed::<P>(setup));
    checks.extend(local::names(setup));
    checks.extend(local::state::<P>(setup).await);
    let reached = match way {
        Some(way) => portal::inspect::<P>(setup, way, checks).await,
        None => None,
    };
    if let Some(reached) = &reached {
        checks.extend(portal::names::<P>(setup, reached).await);
    }
    checks.extend(P::checks(setup.config, reached.as_ref()).await);
    checks.extend(alerts::alerts::<P>(setup).await);
    checks.extend(local::mail::<P>(setup).await);
    checks.push(local::heartbeat(setup).await);
    checks.push(local::textfile(setup));
    for probe in probes {
        match &reached {
            Some(reached) if !setup.args.dry_run => checks.extend(P::probe(probe, setup, reached).await),
            Some(_) => checks.push(Check::warn(probe.check, "is not tried in a dry run", "leave out --dry-run")),
            None => checks.push(Check::fail(probe.check, "was not tried", "correct what failed above, and run again")),
        }
    }
}
