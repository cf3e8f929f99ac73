//! The tour: simulated portals, and what a program says about each.
//!
//! Only running and showing; which exit code is right is part of each scenario's truth.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use portal_sim::{PortalSim, Scenario};

/// A run takes well under a second; four of these keep the whole tour under a minute.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// One stop of the tour: program, scenario, what the portal is like, what to see.
const STOPS: &[(&str, &str, &str, &str)] = &[
    (
        "vdr-watch",
        "incident",
        "An office at work, and in it two people who take far more than their work needs.",
        "Two findings: one person fast (41 files within 40 minutes), one patiently (130 files in a day).",
    ),
    (
        "vdr-watch",
        "quiet",
        "The same office on ordinary days: auto-saves every four minutes, a robot, nobody unusual.",
        "No output and exit code 0: there is nothing to say, and everything was seen.",
    ),
    (
        "vdr-watch",
        "no-audit",
        "The first portal on a plan without the audit feature: it answers 200 and ignores every filter.",
        "Exit code 1: nothing can be concluded, and the program says so instead of \"all quiet\".",
    ),
    (
        "bulk-guard",
        "mass-change",
        "The office of the quiet portal, and a sync client that renames 150 files to `.locked` within five minutes.",
        "One critical finding, and whom a suspension would hit. Nobody is suspended by this version.",
    ),
];

/// Runs the tour with portals whose clocks stand at `now`; fails if a run ends otherwise than the truth says.
pub(crate) async fn run(now: DateTime<Utc>) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    let mut wrong = 0;
    for (index, (program, name, portal, see)) in STOPS.iter().enumerate() {
        let Some(path) = beside_us(program)? else {
            writeln!(out, "The tour runs {program}, which is not built yet. Build everything, then come back:\n")?;
            writeln!(out, "    cargo build --workspace\n    target/debug/portal-sim demo")?;
            return Ok(ExitCode::FAILURE);
        };
        let scenario = Scenario::builtin(name, now).context("the tour shows built-in scenarios")?;
        let expected = scenario.truth().exit.get(*program).copied().map(i32::from);
        let sim = PortalSim::start(scenario).await.context("start the simulated portal")?;
        writeln!(out, "--- {} of {}: {name} ---\n{portal}\n", index + 1, STOPS.len())?;
        let code = show(&mut out, program, &path, &sim, now).await?;
        let code_text = code.map_or_else(|| "none (killed)".to_owned(), |code| code.to_string());
        writeln!(out, "exit code: {code_text}\n{see}\n")?;
        if code != expected {
            writeln!(out, "NOT AS EXPECTED: the exit code should be {expected:?}.\n")?;
            wrong += 1;
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the program once and shows its command line and everything it says; gives its exit code.
async fn show(
    out: &mut io::Stdout,
    program: &str,
    path: &Path,
    sim: &PortalSim,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<i32>> {
    let state = tempfile::tempdir().context("make a folder for the program's memory")?;
    let until = now.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (url, key) = (sim.url(), sim.key());
    let state_text = state.path().display();
    writeln!(out, "$ DOCSPACE_API_KEY={key} \\\n  {program} --portal {url} --state {state_text} --until {until}")?;
    out.flush()?;
    let run = tokio::process::Command::new(path)
        .args(["--portal", &url, "--until", &until, "--state"])
        .arg(state.path())
        .env("DOCSPACE_API_KEY", &key)
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(TIME_LIMIT, run)
        .await
        .with_context(|| format!("{program} did not end within {} seconds", TIME_LIMIT.as_secs()))?
        .with_context(|| format!("run {}", path.display()))?;
    for (title, text) in [("stdout", &done.stdout), ("stderr", &done.stderr)] {
        let text = String::from_utf8_lossy(text);
        let text = text.trim_end();
        writeln!(out, "{title}: {}{text}", if text.is_empty() { "(empty)" } else { "\n" })?;
    }
    Ok(done.status.code())
}

/// The program of this name in the folder of our own executable, if it is there.
fn beside_us(name: &str) -> anyhow::Result<Option<PathBuf>> {
    let own = std::env::current_exe().context("find our own executable")?;
    let path = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(path.is_file().then_some(path))
}
