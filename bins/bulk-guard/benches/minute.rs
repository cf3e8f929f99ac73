//! What a minute's run costs that finds nothing new, and how fast the rule is: three limits replayed over stored events.
//!
//! `cargo bench -p bulk-guard --bench minute`. Linux only.
//!
//! Measured on two cores that were busy with other work (load 11): nothing new, 23 requests and 198 ms wall; of the requests 21 read
//! again the two hours in which late rows may still come, about 2100 rows at this office's rate. Three limits over 100 000 events:
//! 33 000 events/s, the process and the snapshot of the store included; one limit alone takes 0.61 of that time.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use cli_test::bench::{program, say, true_now};
use portal_sim::{Office, PortalSim};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// One run is too short for the clock of processes, which ticks in hundredths of a second.
const RUNS: u32 = 50;

const EVENTS: usize = 100_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let now = true_now();
    let sim = PortalSim::start(Office::new(7).people(200).rooms(40).days(30).events(EVENTS).build(now)?).await?;
    let state = tempfile::tempdir()?;
    let run = |extra: &[&str]| {
        sim.edit(|portal| portal.now = true_now());
        Command::new(program(env!("CARGO_BIN_EXE_bulk-guard")))
            .args(extra)
            .args(["--portal", &sim.url(), "--until", &now.to_rfc3339(), "--state"])
            .arg(state.path())
            .env("DOCSPACE_API_KEY", sim.key())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
    };
    run(&["--since", "31d"])?;
    let asked = sim.requests().len();
    let nothing_new = seconds(RUNS, || run(&[]))?;
    let asked = (sim.requests().len() - asked) as f64 / f64::from(RUNS);
    say(&format!("nothing new: {asked} requests, {:.1} ms wall", nothing_new * 1000.0))?;
    let backtest = |limits: &str| seconds(3, || run(&["backtest", "--since", "31d", "--limits", limits]));
    let (one, three) = (backtest("20/10m")?, backtest("20/10m,50/10m,100/10m")?);
    let per_second = EVENTS as f64 / three;
    say(&format!(
        "{EVENTS} stored events, three limits: {per_second:.0} events/s; one limit alone: {:.2} of the time",
        one / three
    ))
}

fn seconds(runs: u32, run: impl Fn() -> io::Result<std::process::ExitStatus>) -> Fallible<f64> {
    let started = Instant::now();
    for _ in 0..runs {
        if !run()?.success() {
            return Err("a run failed".into());
        }
    }
    Ok(started.elapsed().as_secs_f64() / f64::from(runs))
}
