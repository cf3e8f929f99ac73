//! How fast the rule is: three limits replayed over a million stored events in one pass, next to a bare loop over the same rows of the
//! same file that touches every column and keeps nothing.
//!
//! `cargo bench -p vdr-watch --bench backtest [EVENTS…]`; 100000 and 1000000 unless told. Linux only. Wanted of a million: 2 s of CPU for
//! the pass. The copy of the store that every backtest works on is measured apart, with a window in which nothing happened.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::bench::{cpu_seconds, peak_kib_of, say, true_now};
use portal_sim::{Office, PortalSim};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const DAYS: i64 = 30;

/// So many are read from a portal; more are made of them in the store.
const READ: usize = 100_000;

/// The same again, somewhat earlier and of other documents.
const COPY_SQL: &str = "INSERT INTO audit_event
    SELECT id + ?1 * ?2, at_us - ?1 * 420000000, actor, actor_name, action, text, ip, '[\"' || ?1 || substr(target, 3), context, details
    FROM audit_event WHERE id <= ?2 AND target LIKE '[\"%' AND action < 5070";

const ROWS_SQL: &str = "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
    WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for events in if sizes.is_empty() { vec![READ, 10 * READ] } else { sizes } {
        measure(events).await?;
    }
    Ok(())
}

async fn measure(events: usize) -> Fallible<()> {
    let now = true_now();
    let office = Office::new(7).people(150).rooms(24).days(DAYS as u32).events(events.min(READ));
    let sim = PortalSim::start(office.build(now)?).await?;
    let state = tempfile::tempdir()?;
    let command = |extra: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vdr-watch"));
        command
            .args(extra)
            .args(["--portal", &sim.url(), "--until", &now.to_rfc3339(), "--state"])
            .arg(state.path())
            .env("DOCSPACE_API_KEY", sim.key())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    command(&["--since", "30d"]).status()?;
    let file = Connection::open(store_in(state.path())?.ok_or("the run left no store")?)?;
    let last: i64 = file.query_row("SELECT max(id) FROM audit_event", [], |row| row.get(0))?;
    for copy in 1..events.div_ceil(READ) {
        file.execute(COPY_SQL, [copy as i64, last])?;
    }
    let cpu = cpu_seconds()?.own;
    let rows = bare(&file, now)?;
    let bare = cpu_seconds()?.own - cpu;
    file.close().map_err(|(_, error)| error)?;

    let limits = ["--limits", "20/1h,100/24h,500/24h"];
    let backtest = |since: &str| -> Fallible<(f64, u64)> {
        let cpu = cpu_seconds()?.children;
        let mut child = command(&[&["backtest", "--since", since], &limits[..]].concat()).spawn()?;
        let mut peak_kib = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // the figure only grows; the last one that can be read is at most a moment old
            peak_kib = peak_kib_of(child.id()).unwrap_or(peak_kib).max(peak_kib);
            std::thread::yield_now();
        };
        if !status.success() {
            return Err("a backtest failed".into());
        }
        Ok((cpu_seconds()?.children - cpu, peak_kib))
    };
    let ((copy, copy_kib), (whole, whole_kib)) = (backtest("1s")?, backtest("30d")?);
    let (pass, million) = (whole - copy, 1e6 / rows as f64);
    say(&format!(
        "{rows} stored events, three limits: CPU {pass:.2} s, {:.2} s of a million; bare loop {bare:.2} s, ratio {:.1}\n  \
         before it, for the copy of the store: {copy:.2} s; peak memory {} MiB, of the copy alone {} MiB",
        pass * million,
        pass / bare,
        whole_kib >> 10,
        copy_kib >> 10
    ))
}

fn store_in(folder: &Path) -> io::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(store) = store_in(&path)? {
                return Ok(Some(store));
            }
        } else if path.extension().is_some_and(|extension| extension == "sqlite") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Goes through the rows, and gives their number.
fn bare(file: &Connection, now: DateTime<Utc>) -> Fallible<usize> {
    let mut statement = file.prepare(ROWS_SQL)?;
    let columns = statement.column_count();
    let since = now - TimeDelta::days(DAYS);
    let mut rows = statement.query([since.timestamp_micros(), now.timestamp_micros()])?;
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            sum ^= match row.get_ref(column)? {
                ValueRef::Integer(number) => number,
                ValueRef::Text(text) => text.len() as i64,
                _ => 0,
            };
        }
    }
    std::hint::black_box(sum);
    Ok(count)
}
