//! `doctor`: whether a run would see everything, and tell it. One line per check, all problems at once, nothing changed.

mod check;
mod local;
mod portal;

use serde::Serialize;

use crate::args::{CommonArgs, ReportFormat};
use crate::config::Read;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::head::ProgramName;
use crate::program::Program;
use crate::setup::{self, Setup};

pub use check::{Check, CheckState};
pub use portal::Reached;

/// The JSON form.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    program: ProgramName,
    /// The worst state of all checks.
    state: CheckState,
    checks: &'a [Check],
}

/// Checks everything and prints it. Mistakes in flags and settings end with 2, other failures with 1, warnings with 0.
pub(crate) async fn run<P: Program>(
    args: &CommonArgs,
    environment: &Environment,
    read: &Read<P::Config>,
) -> anyhow::Result<Exit> {
    let mut checks = local::configuration(args, &read.problems);
    match &read.settings {
        Some((common, config)) => {
            let setup = Setup { about: &P::ABOUT, args, common, config, now: setup::now(), environment };
            checks.extend(inspect::<P>(&setup).await);
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

async fn inspect<P: Program>(setup: &Setup<'_, P::Config>) -> Vec<Check> {
    let mut checks = vec![local::outbound(setup)];
    checks.extend(local::exposed::<P>(setup));
    checks.extend(local::state::<P>(setup).await);
    let (seen, reached) = portal::inspect::<P>(setup).await;
    checks.extend(seen);
    if let Some(reached) = &reached {
        checks.extend(portal::names::<P>(setup, reached).await);
    }
    checks.extend(P::checks(setup.config, reached.as_ref()).await);
    checks.extend(local::alerts::<P>(setup).await);
    checks.extend(local::mail::<P>(setup).await);
    checks.push(local::heartbeat(setup).await);
    checks.push(local::textfile(setup));
    checks
}
