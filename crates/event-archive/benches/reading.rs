//! What reading costs, as ratios within one run: requests per page of rows, and CPU and wall time next to a bare client that fetches
//! the same pages with the same parallelism and throws them away. First next to a portal that answers at once, so that our own work is
//! all there is, then next to one that takes its time.
//!
//! The same pages are fetched once more by a Python client (`requests`, `json`) that keeps four members of each row, where Python has both.
//!
//! Wanted: at most half the CPU of the Python client, and at most three times that of the bare one.
//!
//! Portal, archive and bare client are three processes of this same binary, so that each counts its own CPU and memory.
//! `cargo bench -p event-archive --bench reading [EVENTS…]`; 10000 and 100000 unless told.

use std::io::{self, BufRead as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use cli_test::bench::{cpu_seconds, peak_kib_of, say};
use docspace_client::{ApiKey, Budget, Client};
use event_archive::Archive;
use futures::{StreamExt as _, stream};
use job_store::Store;
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Fault, FaultKind, Office, PortalSim};
use secrecy::SecretString;
use url::Url;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const ROLE: &str = "READING_ROLE";

/// As many as the client has in flight.
const PARALLEL: usize = 4;

/// What a portal takes for a request, so that portal and network are what is waited for.
const LATENCY_MS: u64 = 20;

/// Fetches the pages that the log names, one after the other, and keeps four members of each row.
const PYTHON: &str = r#"
import json, resource, sys, time, requests
url, key, log = sys.argv[1:]
targets = [json.loads(line)["target"] for line in open(log)]
# those of the bare client stand behind
targets = targets[:(len(targets) + 1) // 2]
session = requests.Session()
session.headers["Authorization"] = "Bearer " + key
started, cpu, kept = time.perf_counter(), time.process_time(), []
for target in targets:
    for row in json.loads(session.get(url + target).content)["response"]:
        if isinstance(row, dict) and "id" in row:
            kept.append((row["id"], row.get("date"), row.get("userId"), row.get("actionId")))
wall, cpu = time.perf_counter() - started, time.process_time() - cpu
print(len(kept), len(targets), cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, 0, 0, 0)
"#;

/// How much history the events are spread over.
const DAYS: i64 = 60;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_165_200, 0).expect("a valid instant")
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match std::env::var(ROLE).as_deref() {
        Ok("portal") => runtime.block_on(portal(arguments[0].parse()?, &arguments[1], arguments[2].parse()?)),
        Ok("archive") => runtime.block_on(archive(&arguments[0], &arguments[1])),
        Ok("bare") => runtime.block_on(bare(&arguments[0], &arguments[1], &arguments[2])),
        _ => {
            let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
            let sizes = if sizes.is_empty() { vec![10_000, 100_000] } else { sizes };
            sizes.into_iter().try_for_each(compare)
        }
    }
}

/// One size: reads it with the archive, then fetches the same pages bare, and prints the ratios.
fn compare(events: usize) -> Fallible<()> {
    let (read, bare, python) = measure(events, 0)?;
    let ideal = read.rows.div_ceil(100);
    say(&format!(
        "{events} events: {} rows in {} requests, {:.3} per full page",
        read.rows,
        read.requests,
        read.requests as f64 / ideal as f64
    ))?;
    say(&format!("  CPU  {:.2} s, bare {:.2} s, ratio {:.2}", read.cpu, bare.cpu, read.cpu / bare.cpu))?;
    match python {
        Some(python) => {
            say(&format!("  CPU  of a Python client {:.2} s, ratio {:.2}", python.cpu, read.cpu / python.cpu))?
        }
        None => say("  a Python client: not measured, for want of Python with `requests`")?,
    }
    say(&format!("  wall {:.2} s, bare {:.2} s, ratio {:.2}", read.wall, bare.wall, read.wall / bare.wall))?;
    say(&format!(
        "  peak memory {} MiB, bare {} MiB; store {} MiB",
        read.peak_kib >> 10,
        bare.peak_kib >> 10,
        read.store_bytes >> 20
    ))?;
    let (asked, cpu_again, wall_again) = read.again;
    say(&format!("  nothing new: {asked} requests, CPU {cpu_again:.2} s, wall {wall_again:.3} s"))?;
    let (read, bare, _) = measure(events, LATENCY_MS)?;
    say(&format!(
        "  {LATENCY_MS} ms a request: wall {:.2} s, bare {:.2} s, ratio {:.2}; CPU {:.2} s, bare {:.2} s",
        read.wall,
        bare.wall,
        read.wall / bare.wall,
        read.cpu,
        bare.cpu
    ))
}

/// What reading with the archive costs, what fetching the same pages bare, and with Python where the portal answers at once.
fn measure(events: usize, latency_ms: u64) -> Fallible<(Figures, Figures, Option<Figures>)> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("requests.ndjson");
    let (mut portal, url, key) = start_portal(events, &log.display().to_string(), latency_ms)?;
    let read = Figures::of(Command::new(std::env::current_exe()?).env(ROLE, "archive").args([&url, &key]))?;
    let bare = Figures::of(Command::new(std::env::current_exe()?).env(ROLE, "bare").args([&url, &key]).arg(&log))?;
    let python =
        Command::new("python3").arg("-c").arg(PYTHON).args([&url, &key]).arg(&log).stderr(Stdio::null()).output();
    let python = python.ok().filter(|output| latency_ms == 0 && output.status.success());
    let python = python.map(|output| Figures::parse(&output.stdout)).transpose()?;
    drop(portal.stdin.take());
    portal.wait()?;
    Ok((read, bare, python))
}

fn start_portal(events: usize, log: &str, latency_ms: u64) -> Fallible<(Child, String, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .env(ROLE, "portal")
        .args([&events.to_string(), log, &latency_ms.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    io::BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut line)?;
    let (url, key) = line.trim().split_once(' ').ok_or("the portal did not start")?;
    Ok((child, url.to_owned(), key.to_owned()))
}

/// Serves until its standard input ends.
async fn portal(events: usize, log: &str, latency_ms: u64) -> Fallible<()> {
    let scenario = Office::new(7).people(150).rooms(24).days(DAYS as u32).events(events).build(now())?;
    let log = std::fs::File::create(log)?;
    let sim = PortalSim::start_on(scenario, "127.0.0.1:0".parse()?, Some(log)).await?;
    if latency_ms > 0 {
        sim.set_faults(vec![Fault::new(FaultKind::Latency { ms: latency_ms, jitter_ms: 0 })]);
    }
    say(&format!("{} {}", sim.url(), sim.key()))?;
    tokio::task::spawn_blocking(|| io::stdin().lines().count()).await?;
    Ok(())
}

fn client(url: &str, key: &str) -> Fallible<Client> {
    let base: Url = url.parse()?;
    let http = http_client(&HttpOptions::new("bench", "1.0.0"), &base)?;
    let key = ApiKey::new(SecretString::from(key));
    Ok(Client::new(http, base, key, RetryPolicy::default(), Budget::default()))
}

async fn archive(url: &str, key: &str) -> Fallible<()> {
    let client = client(url, key)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bench.sqlite");
    let store = Store::open(&format!("sqlite://{}", path.display())).await?;
    let archive = Archive::open(store.clone()).await?;
    let window = Window::new(now() - TimeDelta::days(DAYS), now());
    let (started, cpu) = (Instant::now(), cpu_seconds()?.own);
    let read = archive.refresh_audit(&client, window, now()).await?;
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()?.own - cpu);
    if !read.gaps.is_empty() {
        return Err(format!("gaps: {:?}", read.gaps).into());
    }
    let rows = read.coverage.ok_or("nothing was read")?.rows;
    let requests = client.requests();
    // the same once more: nothing new
    let (again, again_cpu) = (Instant::now(), cpu_seconds()?.own);
    archive.refresh_audit(&client, window, now()).await?;
    let again = (client.requests() - requests, cpu_seconds()?.own - again_cpu, again.elapsed().as_secs_f64());
    store.close().await;
    let store_bytes = std::fs::metadata(&path)?.len();
    let (asked, cpu_again, wall_again) = again;
    say(&format!(
        "{rows} {requests} {cpu} {wall} {} {store_bytes} {asked} {cpu_again} {wall_again}",
        peak_kib_of(std::process::id()).ok_or("no peak memory in /proc")?
    ))
}

/// Fetches the pages that the log names, and throws them away.
async fn bare(url: &str, key: &str, log: &str) -> Fallible<()> {
    let base: Url = url.parse()?;
    let http = http_client(&HttpOptions::new("bench", "1.0.0"), &base)?;
    let log = std::fs::read_to_string(log)?;
    let targets = log.lines().filter_map(|line| {
        let request: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(format!("{url}{}", request["target"].as_str()?))
    });
    let targets: Vec<String> = targets.collect();
    let requests = targets.len();
    let (started, cpu) = (Instant::now(), cpu_seconds()?.own);
    let fetch = |target: String| {
        let request = http.get(target).bearer_auth(key);
        async move { Ok::<_, reqwest::Error>(request.send().await?.bytes().await?.len()) }
    };
    let mut pages = stream::iter(targets).map(fetch).buffer_unordered(PARALLEL);
    while let Some(page) = pages.next().await {
        page?;
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()?.own - cpu);
    say(&format!(
        "0 {requests} {cpu} {wall} {} 0 0 0 0",
        peak_kib_of(std::process::id()).ok_or("no peak memory in /proc")?
    ))
}

/// What a child measured of itself.
struct Figures {
    rows: u64,
    requests: u64,
    cpu: f64,
    wall: f64,
    peak_kib: u64,
    store_bytes: u64,
    /// A second read with nothing new: requests, CPU and wall time in seconds.
    again: (u64, f64, f64),
}

impl Figures {
    fn of(command: &mut Command) -> Fallible<Self> {
        Figures::parse(&command.stderr(Stdio::inherit()).output()?.stdout)
    }

    fn parse(output: &[u8]) -> Fallible<Self> {
        let text = std::str::from_utf8(output)?;
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or("a child told less than expected");
        Ok(Figures {
            rows: next()?.parse()?,
            requests: next()?.parse()?,
            cpu: next()?.parse()?,
            wall: next()?.parse()?,
            peak_kib: next()?.parse()?,
            store_bytes: next()?.parse()?,
            again: (next()?.parse()?, next()?.parse()?, next()?.parse()?),
        })
    }
}
