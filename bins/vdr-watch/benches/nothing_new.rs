//! What a run costs that finds nothing new, which is what nearly every run of a cron entry is: requests, CPU time and memory of the
//! built program, with what it knows of the portal still fresh, and 100 000 events stored.
//!
//! `cargo bench -p vdr-watch --bench nothing_new [EVENTS]`. Linux only. Wanted: at most 3 requests, under 12 ms and 18 MiB. What was measured
//! stands in the README of `event-archive`.

use std::process::{Command, Stdio};
use std::time::Instant;

use chrono::TimeDelta;
use cli_test::bench::{cpu_seconds, peak_kib_of, program, say, true_now};
use portal_sim::{Office, PortalSim};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The clock of processes ticks in hundredths of a second, so only many runs together tell what one costs.
const RUNS: u32 = 50;

const EVENTS: usize = 100_000;

/// How much history the events are spread over.
const DAYS: u32 = 60;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let now = true_now();
    let events = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(EVENTS);
    let scenario = Office::new(7).people(150).rooms(24).days(DAYS).events(events).build(now)?;
    let again = scenario.events.iter().filter(|event| now - event.at < TimeDelta::hours(2)).count();
    let sim = PortalSim::start(scenario).await?;
    let state = tempfile::tempdir()?;
    let run = |extra: &[&str]| {
        sim.edit(|portal| portal.now = true_now());
        Command::new(program(env!("CARGO_BIN_EXE_vdr-watch")))
            .args(extra)
            .args(["--portal", &sim.url(), "--until", &now.to_rfc3339(), "--state"])
            .arg(state.path())
            .env("DOCSPACE_API_KEY", sim.key())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
    };
    run(&["--since", &format!("{DAYS}d")])?.wait()?;
    run(&[])?.wait()?;
    let asked = sim.requests().len();
    let cpu = cpu_seconds()?.children;
    let started = Instant::now();
    for _ in 0..RUNS {
        if !run(&[])?.wait()?.success() {
            return Err("a run failed".into());
        }
    }
    let wall = started.elapsed().as_secs_f64() * 1000.0 / f64::from(RUNS);
    let cpu = (cpu_seconds()?.children - cpu) * 1000.0 / f64::from(RUNS);
    let asked = (sim.requests().len() - asked) as f64 / f64::from(RUNS);
    let mut watched = run(&[])?;
    let mut peak_kib = 0;
    while watched.try_wait()?.is_none() {
        // the figure only grows; the last one that can be read is at most a moment old
        peak_kib = peak_kib_of(watched.id()).unwrap_or(peak_kib).max(peak_kib);
    }
    say(&format!(
        "nothing new beside {events} stored events, {again} of them in the time that is read again: {asked} requests, CPU {cpu:.1} ms, wall {wall:.1} ms, peak memory {peak_kib} KiB"
    ))
}
