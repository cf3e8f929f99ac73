//! What stored events cost when they are read again, next to a bare loop over the same rows of the same file, as ratios within one run.
//!
//! The bare loop touches every column of every row and keeps nothing; once over the table of events alone, and once with the phrases
//! joined, which is what anybody writes who opens the file.
//!
//! `cargo bench -p event-archive --bench stored [EVENTS…]`; 100000 unless told. Linux only. Wanted: at most 1.5 of the bare loop.

use std::time::Instant;

use audit_model::{ActionId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use cli_test::bench::{cpu_seconds, say};
use docspace_client::{ApiKey, Budget, Client};
use event_archive::Archive;
use futures::TryStreamExt as _;
use job_store::Store;
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Office, PortalSim};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use secrecy::SecretString;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// How much history the events are spread over.
const DAYS: i64 = 60;

/// Enough that what else the machine does evens out.
const ROWS_MEASURED: usize = 2_000_000;

const TABLE_SQL: &str = "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
    WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

const JOINED_SQL: &str = "SELECT * FROM event WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_165_200, 0).expect("a valid instant")
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Fallible<()> {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for events in if sizes.is_empty() { vec![100_000] } else { sizes } {
        measure(events).await?;
    }
    Ok(())
}

async fn measure(events: usize) -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bench.sqlite");
    let archive = Archive::open(Store::open(&format!("sqlite://{}", path.display())).await?).await?;
    let window = Window::new(now() - TimeDelta::days(DAYS), now());
    fill(&archive, events, window).await?;

    let file = Connection::open(&path)?;
    let (mut table, mut joined, mut read, mut some) =
        (Cost::default(), Cost::default(), Cost::default(), Cost::default());
    for _ in 0..ROWS_MEASURED.div_ceil(events) {
        table.add(|| bare(&file, TABLE_SQL, window))?;
        joined.add(|| bare(&file, JOINED_SQL, window))?;
        let of_all = Started::now()?;
        let rows = archive.events(window).try_fold(0, async |rows, _| Ok(rows + 1)).await?;
        read.note(of_all, rows)?;
        let of_some = Started::now()?;
        let downloads = [ActionId(5031), ActionId(5032)];
        archive.events_of_actions(downloads, window).try_fold(0, async |rows, _| Ok(rows + 1)).await?;
        some.note(of_some, rows)?;
    }
    say(&format!("{events} events: microseconds of CPU and of wall time a row"))?;
    for (what, cost) in [("bare, table", &table), ("bare, joined", &joined), ("archive", &read), ("downloads", &some)] {
        let (cpu, wall) = (cost.cpu / cost.rows * 1e6, cost.wall / cost.rows * 1e6);
        let ratios = (cost.cpu / table.cpu, cost.cpu / joined.cpu);
        say(&format!("  {what:<13} {cpu:.2} {wall:.2}, ratio to the table {:.2}, joined {:.2}", ratios.0, ratios.1))?;
    }
    Ok(())
}

/// Reads a simulated portal into the archive.
async fn fill(archive: &Archive, events: usize, window: Window) -> Fallible<()> {
    let sim =
        PortalSim::start(Office::new(7).people(150).rooms(24).days(DAYS as u32).events(events).build(now())?).await?;
    let base = sim.url().parse()?;
    let http = http_client(&HttpOptions::new("bench", "1.0.0"), &base)?;
    let key = ApiKey::new(SecretString::from(sim.key()));
    let client = Client::new(http, base, key, RetryPolicy::default(), Budget::default());
    let read = archive.refresh_audit(&client, window, now()).await?;
    if read.gaps.is_empty() { Ok(()) } else { Err(format!("gaps: {:?}", read.gaps).into()) }
}

/// Goes through the rows, and gives their number.
fn bare(file: &Connection, sql: &str, window: Window) -> Fallible<usize> {
    let mut statement = file.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([window.since.timestamp_micros(), window.until.timestamp_micros()])?;
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            sum += match row.get_ref(column)? {
                ValueRef::Integer(number) => number,
                ValueRef::Text(text) => text.len() as i64,
                _ => 0,
            };
        }
    }
    std::hint::black_box(sum);
    Ok(count)
}

#[derive(Default)]
struct Cost {
    rows: f64,
    cpu: f64,
    wall: f64,
}

struct Started {
    at: Instant,
    cpu: f64,
}

impl Started {
    fn now() -> Fallible<Self> {
        Ok(Started { at: Instant::now(), cpu: cpu_seconds()?.own })
    }
}

impl Cost {
    fn add(&mut self, work: impl FnOnce() -> Fallible<usize>) -> Fallible<()> {
        let started = Started::now()?;
        let rows = work()?;
        self.note(started, rows)
    }

    fn note(&mut self, started: Started, rows: usize) -> Fallible<()> {
        self.wall += started.at.elapsed().as_secs_f64();
        self.cpu += cpu_seconds()?.own - started.cpu;
        self.rows += rows as f64;
        Ok(())
    }
}
