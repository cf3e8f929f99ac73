//! What a large month costs once its events are in the archive: time, memory and size of the built program's report, next to a bare
//! copy of the same rows into one file.
//!
//! `cargo bench -p compliance-monthly --bench month [EVENTS…]`; 100000 unless told. Linux only.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use audit_model::Window;
use chrono::TimeDelta;
use cli_test::bench::{peak_kib_of, program, say, true_now};
use event_archive::Archive;
use futures::TryStreamExt as _;
use job_store::Store;
use portal_sim::{Office, PortalSim};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for events in if asked.is_empty() { vec![100_000] } else { asked } {
        measure(events).await?;
    }
    Ok(())
}

async fn measure(events: usize) -> Fallible<()> {
    let now = true_now();
    // what is younger has not settled
    let month = Window::new(now - TimeDelta::days(30), now - TimeDelta::hours(3));
    let scenario = Office::new(7).people(300).rooms(40).days(30).events(events).build(now)?;
    let sim = PortalSim::start(scenario).await?;
    let home = tempfile::tempdir()?;
    let (state, out) = (home.path().join("state"), home.path().join("report"));
    let [since, until] = [month.since, month.until].map(|at| at.to_rfc3339());
    let run = |with_files: bool| {
        sim.edit(|portal| portal.now = true_now());
        let mut command = Command::new(program(env!("CARGO_BIN_EXE_compliance-monthly")));
        command.args(["--portal", &sim.url(), "--since", &since, "--until", &until, "--state"]).arg(&state);
        if with_files {
            command.arg("--out").arg(&out);
        }
        command.env("DOCSPACE_API_KEY", sim.key()).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
    };
    // reading is measured elsewhere
    let started = Instant::now();
    run(false)?.wait()?;
    let read = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let mut watched = run(true)?;
    let mut peak_kib = 0;
    let ended = loop {
        if let Some(ended) = watched.try_wait()? {
            break ended;
        }
        // the figure only grows; the last one that can be read is at most a moment old
        peak_kib = peak_kib_of(watched.id()).unwrap_or(peak_kib).max(peak_kib);
        std::thread::yield_now();
    };
    let wall = started.elapsed().as_secs_f64();
    if !ended.success() {
        return Err(format!("the run failed: {ended}").into());
    }
    let started = Instant::now();
    run(true)?.wait()?;
    let again = started.elapsed().as_secs_f64();
    let (rows, bare, bare_bytes) = bare_copy(&state, home.path(), month).await?;
    say(&format!("{events} events in a month, {rows} in the report:"))?;
    say(&format!(
        "  reading {read:.1} s; then the report {wall:.1} s, unchanged {again:.1} s, bare copy {bare:.1} s, ratio {:.2}",
        wall / bare
    ))?;
    say(&format!(
        "  peak memory {} MiB; files {} MiB, bare copy {} MiB",
        peak_kib >> 10,
        size_of(&out)? >> 20,
        bare_bytes >> 20
    ))
}

/// Every row from the store into a file, as one line of JSON, and nothing else.
async fn bare_copy(state: &Path, folder: &Path, month: Window) -> Fallible<(u64, f64, u64)> {
    let store = std::fs::read_dir(state)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "sqlite"))
        .ok_or("no store")?;
    let archive = Archive::open(Store::open(&format!("sqlite://{}", store.display())).await?).await?;
    let started = Instant::now();
    let path = folder.join("bare");
    let mut file = BufWriter::new(File::create(&path)?);
    let mut rows = 0;
    let mut all = std::pin::pin!(archive.detailed_events(month));
    while let Some(event) = all.try_next().await? {
        serde_json::to_writer(&mut file, &event)?;
        file.write_all(b"\n")?;
        rows += 1;
    }
    file.flush()?;
    Ok((rows, started.elapsed().as_secs_f64(), path.metadata()?.len()))
}

fn size_of(folder: &Path) -> io::Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| entry?.metadata().map(|facts| facts.len())).sum()
}
