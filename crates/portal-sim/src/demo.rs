//! The tour: simulated portals, and what a program says about each.
//!
//! Only running and showing; which exit code is right is part of each scenario's truth.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{PortalSim, Scenario};

/// A run takes well under a second; seven of these keep the whole tour below two minutes whatever happens.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// One stop of the tour.
struct Stop {
    program: &'static str,
    scenario: &'static str,
    portal: &'static str,
    /// What the program is told besides where the portal is.
    arguments: &'static [&'static str],
    /// A file that it reads, in the folder in which it is started: its name, and what it holds.
    file: Option<(&'static str, &'static str)>,
    /// Where its window ends: a report for the records leaves out what the portal may still be storing.
    ends_hours_ago: i64,
    see: &'static str,
}

/// Who of the office of `addresses` may come from where.
const POLICY: &str = r#"default = "report"

[[rule]]
label = "office"
groups = ["Staff"]
allow = ["192.0.2.0/24"]

[[rule]]
label = "at home"
people = ["bob@example.com"]
allow = ["198.51.100.20"]
"#;

const STOPS: &[Stop] = &[
    Stop {
        program: "vdr-watch",
        scenario: "incident",
        portal: "An office at work, and in it two people who take far more than their work needs.",
        arguments: &[],
        file: None,
        ends_hours_ago: 0,
        see: "Two findings: one person fast (41 files within 40 minutes), one patiently (130 files in a day).",
    },
    Stop {
        program: "vdr-watch",
        scenario: "quiet",
        portal: "The same office on ordinary days: auto-saves every four minutes, a robot, nobody unusual.",
        arguments: &[],
        file: None,
        ends_hours_ago: 0,
        see: "No output and exit code 0: there is nothing to say, and everything was seen.",
    },
    Stop {
        program: "vdr-watch",
        scenario: "no-audit",
        portal: "The first portal on a plan without the audit feature: it answers 200 and ignores every filter.",
        arguments: &[],
        file: None,
        ends_hours_ago: 0,
        see: "Exit code 1: nothing can be concluded, and the program says so instead of \"all quiet\".",
    },
    Stop {
        program: "bulk-guard",
        scenario: "mass-change",
        portal: "The office of the quiet portal, and a sync client that renames 150 files to `.locked` within five minutes.",
        arguments: &[],
        file: None,
        ends_hours_ago: 0,
        see: "One critical finding, and whether a suspension would hit anybody. Nobody is suspended by this version.",
    },
    Stop {
        program: "ip-fence",
        scenario: "addresses",
        portal: "An office, homes, a hotel, addresses that callers have set, and somebody who tries passwords.",
        arguments: &["--policy", "policy.toml"],
        file: Some(("policy.toml", POLICY)),
        ends_hours_ago: 0,
        see: "Who came from an address that no rule allows, whose password was tried, and what cannot be judged.",
    },
    Stop {
        program: "nudge-inactive",
        scenario: "inactive",
        portal: "Two data rooms with members who work, who only look, who do nothing, and who have just come.",
        arguments: &[],
        file: None,
        ends_hours_ago: 0,
        see: "Four people who did nothing for 30 days. Nobody gets a mail: reminding is off until it is switched on.",
    },
    Stop {
        program: "compliance-monthly",
        scenario: "incident",
        portal: "The first portal again, for whoever answers for its records.",
        arguments: &["--since", "5d", "--out", "report"],
        file: None,
        ends_hours_ago: 3,
        see: "The first page of a report over five days; the folder `report` holds all of it, with a manifest to verify it by.",
    },
];

/// Runs the tour with portals whose clocks begin at the present moment; fails if a run ends otherwise than the truth says.
pub(crate) async fn run(clock: fn() -> DateTime<Utc>) -> anyhow::Result<ExitCode> {
    let now = clock();
    let mut out = io::stdout();
    let mut wrong = 0;
    for (index, stop) in STOPS.iter().enumerate() {
        let Stop { program, scenario: name, portal, see, .. } = stop;
        let Some(path) = beside_us(program)? else {
            writeln!(out, "The tour runs {program}, which is not built yet. Build everything, then come back:\n")?;
            writeln!(out, "    cargo build --workspace\n    target/debug/portal-sim demo")?;
            return Ok(ExitCode::FAILURE);
        };
        let scenario = Scenario::builtin(name, now).context("the tour shows built-in scenarios")?;
        let expected = scenario.truth().exit.get(*program).copied().map(i32::from);
        let sim = PortalSim::start(scenario).await.context("start the simulated portal")?;
        // the tour may take longer than clocks may differ
        sim.follow(clock);
        writeln!(out, "--- {} of {}: {name} ---\n{portal}\n", index + 1, STOPS.len())?;
        let code = show(&mut out, stop, &path, &sim, now).await?;
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
    stop: &Stop,
    path: &Path,
    sim: &PortalSim,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<i32>> {
    let Stop { program, arguments, file, ends_hours_ago, .. } = stop;
    let folder = tempfile::tempdir().context("make a folder for the program's memory")?;
    if let Some((name, content)) = file {
        std::fs::write(folder.path().join(name), content).context("write a file for the program")?;
        writeln!(out, "{name}:\n{content}")?;
    }
    let until = (now - TimeDelta::hours(*ends_hours_ago)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (url, key) = (sim.url(), sim.key());
    let mut told = vec!["--portal", &url, "--state", "state", "--until", &until];
    told.extend(*arguments);
    writeln!(out, "$ DOCSPACE_API_KEY={key} \\\n  {program} {}", told.join(" "))?;
    out.flush()?;
    let run = tokio::process::Command::new(path)
        .args(told)
        .current_dir(folder.path())
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
