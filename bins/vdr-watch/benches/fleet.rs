//! What a round over many portals costs in which nothing is new: time, CPU time and memory of `fleet` and its runs, with what they know
//! of the portals still fresh. The portals are simulated in this process, and their CPU time is told apart.
//!
//! `cargo bench -p vdr-watch --bench fleet`, or `… -- PORTALS AT_MOST` (500, 4). Linux only, needs two files a portal (`ulimit -n`).
//! Wanted: 500 portals in 10 s on two cores, with memory for as many runs as `--at-most` allows.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cli_test::bench::{cpu_seconds, peak_kib_of, program, resident_kib_of, say, true_now};
use portal_sim::{Office, PortalSim};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let portals = numbers.first().copied().unwrap_or(500);
    let at_most = numbers.get(1).copied().unwrap_or(4);
    let folder = tempfile::tempdir()?;
    let sims = simulate(portals, folder.path()).await?;
    // the first round reads everything
    let _ = round(folder.path(), at_most)?;
    let asked: usize = sims.iter().map(|sim| sim.requests().len()).sum();
    let before = cpu_seconds()?;
    let Round { wall, peak_fleet_kib, peak_runs_kib, most_runs } = round(folder.path(), at_most)?;
    let after = cpu_seconds()?;
    let asked = sims.iter().map(|sim| sim.requests().len()).sum::<usize>() - asked;
    say(&format!(
        "{portals} portals, at most {at_most} at once: {:.2} s; CPU {:.2} s of the fleet and its runs, {:.2} s of the simulated \
         portals; {:.1} requests a portal; memory {} MiB of the fleet, {} MiB of the {most_runs} runs at once",
        wall.as_secs_f64(),
        after.children - before.children,
        after.own - before.own,
        asked as f64 / portals as f64,
        peak_fleet_kib / 1024,
        peak_runs_kib / 1024,
    ))
}

/// So many portals with settings files for them.
async fn simulate(portals: usize, folder: &Path) -> Fallible<Vec<PortalSim>> {
    let scenario = Office::new(7).people(10).rooms(2).days(3).events(100).build(true_now())?;
    std::fs::create_dir(folder.join("portals"))?;
    let mut sims = Vec::new();
    for number in 0..portals {
        let sim = PortalSim::start(scenario.clone()).await?;
        sim.follow(true_now);
        let name = folder.join("portals").join(format!("p{number:04}"));
        std::fs::write(name.with_extension("key"), sim.key())?;
        let settings = format!("key_file = \"p{number:04}.key\"\nportal.url = \"{}\"\n", sim.url());
        std::fs::write(name.with_extension("toml"), settings)?;
        for ending in ["key", "toml"] {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(name.with_extension(ending), permissions)?;
        }
        sims.push(sim);
    }
    Ok(sims)
}

struct Round {
    wall: Duration,
    peak_fleet_kib: u64,
    peak_runs_kib: u64,
    most_runs: usize,
}

fn round(folder: &Path, at_most: usize) -> Fallible<Round> {
    let started = Instant::now();
    let mut fleet = Command::new(program(env!("CARGO_BIN_EXE_vdr-watch")))
        .args(["fleet", "--at-most", &at_most.to_string(), "--portals"])
        .arg(folder.join("portals"))
        .arg("--state")
        .arg(folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let (mut peak_fleet_kib, mut peak_runs_kib, mut most_runs) = (0, 0, 0);
    let status = loop {
        if let Some(status) = fleet.try_wait()? {
            break status;
        }
        peak_fleet_kib = peak_kib_of(fleet.id()).unwrap_or_default().max(peak_fleet_kib);
        let runs = children_of(fleet.id());
        most_runs = runs.len().max(most_runs);
        peak_runs_kib = runs.iter().filter_map(|run| resident_kib_of(*run)).sum::<u64>().max(peak_runs_kib);
        // the simulated portals work in other threads, and want this one's core
        std::thread::park_timeout(Duration::from_millis(20));
    };
    if !status.success() {
        return Err(format!("the fleet ended with {status}").into());
    }
    Ok(Round { wall: started.elapsed(), peak_fleet_kib, peak_runs_kib, most_runs })
}

fn children_of(process: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}
