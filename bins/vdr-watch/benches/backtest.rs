//! How fast the rule is: three limits replayed over a million stored events in one pass, next to a bare loop over the same rows of the
//! same file that touches every column and keeps nothing.
//!
//! `cargo bench -p vdr-watch --bench backtest [EVENTS[/DAYS]…]`; 100000, 1000000 and 1000000/300 unless told, without `/DAYS` within 30
//! days. Linux only. Wanted of a million: 2 s of CPU for the pass, and memory that is flat: what the 30 days take more than a hundred
//! thousand is due to ten times as many events a day, and what the 300 days take more to the length of the past. The copy of the store that
//! every backtest works on is measured apart, with a window in which nothing happened.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::bench::{cpu_seconds, peak_kib_of, program, say, true_now};
use portal_sim::{Office, PortalSim};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Days with events where nothing else is asked for: as many as are read from a portal.
const DAYS: i64 = 30;

/// So many are read from a portal; more are made of them in the store.
const READ: usize = 100_000;

/// The copies that make a dense past lie so far apart; those that make a long one, as long as what was read.
const APART: TimeDelta = TimeDelta::minutes(7);

/// The same again, earlier and of other documents.
const COPY_SQL: &str = "INSERT INTO audit_event
    SELECT id + ?1 * ?2, at_us - ?1 * ?3, actor, actor_name, action, text, ip, '[\"' || ?1 || substr(target, 3), context, details
    FROM audit_event WHERE id <= ?2 AND target LIKE '[\"%' AND action < 5070";

/// That the copies were read, too, and that the rooms were there.
const COVERED_SQL: &str = "UPDATE covered_span SET since_us = since_us - ?1";
const CREATED_SQL: &str = "UPDATE room_title SET created_us = created_us - ?1";

const ROWS_SQL: &str = "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
    WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let size = |argument: String| {
        let (events, days) = argument.split_once('/').unwrap_or((&argument, "30"));
        Some((events.parse().ok()?, days.parse().ok()?))
    };
    let sizes: Vec<(usize, i64)> = std::env::args().skip(1).filter_map(size).collect();
    let usual = vec![(READ, DAYS), (10 * READ, DAYS), (10 * READ, 10 * DAYS)];
    for (events, days) in if sizes.is_empty() { usual } else { sizes } {
        measure(events, days).await?;
    }
    Ok(())
}

/// `days`: the usual number of them, or many more, over which the copies of what was read are spread.
async fn measure(events: usize, days: i64) -> Fallible<()> {
    let now = true_now();
    let office = Office::new(7).people(150).rooms(24).days(DAYS as u32).events(events.min(READ));
    let sim = PortalSim::start(office.build(now)?).await?;
    let state = tempfile::tempdir()?;
    let command = |extra: &[&str]| {
        let mut command = Command::new(program(env!("CARGO_BIN_EXE_vdr-watch")));
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
    let copies = events.div_ceil(READ) as i64;
    let longer_us = (days - DAYS) * 86_400_000_000;
    let apart_us =
        if longer_us > 0 { longer_us / (copies - 1).max(1) } else { APART.num_microseconds().unwrap_or_default() };
    for copy in 1..copies {
        file.execute(COPY_SQL, [copy, last, apart_us])?;
    }
    file.execute(COVERED_SQL, [longer_us])?;
    file.execute(CREATED_SQL, [longer_us])?;
    let cpu = cpu_seconds()?.own;
    let rows = bare(&file, now, days)?;
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
    let ((copy, copy_kib), (whole, whole_kib)) = (backtest("1s")?, backtest(&format!("{days}d"))?);
    let (pass, million) = (whole - copy, 1e6 / rows as f64);
    say(&format!(
        "{rows} stored events in {days} days, three limits: CPU {pass:.2} s, {:.2} s of a million; bare loop {bare:.2} s, ratio {:.1}\n  \
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
fn bare(file: &Connection, now: DateTime<Utc>, days: i64) -> Fallible<usize> {
    let mut statement = file.prepare(ROWS_SQL)?;
    let columns = statement.column_count();
    let since = now - TimeDelta::days(days);
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
