//! The program `portal-sim`: serve a scenario, list what is built in, give the tour.
//!
//! What the portal does is in the library; the tour is in `demo`, the list in `listing`.

mod demo;
mod listing;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, SubsecRound as _, Utc};
use clap::{Parser, Subcommand};
use portal_sim::{BUILTIN, PortalSim, Scenario};

/// A simulated ONLYOFFICE DocSpace portal on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a scenario until stopped; the base URL is the first line on stdout.
    Serve(Serve),
    /// List the built-in scenarios with what is true in each.
    Scenarios,
    /// The tour: what each of the five programs shows of an incident on a simulated portal.
    Demo(demo::Demo),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A built-in scenario, or a scenario file.
    #[arg(long, default_value = "incident", value_name = "NAME|FILE")]
    scenario: String,
    /// The key that the portal's owner has, instead of the scenario's.
    #[arg(long)]
    key: Option<String>,
    /// The portal's clock, which then stands still; without it, the portal's clock goes as this machine's does.
    #[arg(long, value_name = "INSTANT")]
    now: Option<DateTime<Utc>>,
    /// Append one JSON line per request.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::runtime::Runtime::new().context("start the runtime").and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Command::Serve(serve) => serve.run().await.map(|()| ExitCode::SUCCESS),
                Command::Scenarios => list().map(|()| ExitCode::SUCCESS),
                Command::Demo(demo) => demo::run(demo, clock).await,
            }
        })
    });
    outcome.unwrap_or_else(|error| {
        // nothing is left to tell when stderr is gone as well
        let _ = writeln!(io::stderr(), "portal-sim: {error:#}");
        ExitCode::FAILURE
    })
}

/// The real time in whole seconds, as the portal's database keeps it.
#[expect(clippy::disallowed_methods, reason = "the program's only look at the real clock: where no --now stands still")]
fn clock() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

impl Serve {
    async fn run(self) -> anyhow::Result<()> {
        let present = self.now.unwrap_or_else(clock);
        let mut scenario = open(&self.scenario, present)?;
        let has_keys = scenario.has_keys();
        if let (Some(key), Some(first)) = (self.key, scenario.keys.first_mut()) {
            if has_keys && !key.starts_with("sk-") {
                bail!("--key must start with `sk-`, as the portal's keys do");
            }
            first.key = key;
        }
        let log = self.log.as_deref().map(open_log).transpose()?;
        let (name, now, mail) = (scenario.name.clone(), scenario.now, scenario.mail_server);
        let sim = PortalSim::start_on(scenario, self.listen, log)
            .await
            .with_context(|| format!("listen on {}", self.listen))?;
        // a scenario with a clock of its own stays at its moment
        if self.now.is_none() && now == present {
            sim.follow(clock);
        }
        let mut out = io::stdout();
        writeln!(out, "{}", sim.url())?;
        writeln!(out, "scenario {name}, clock {}, key {}", now.format("%Y-%m-%dT%H:%M:%SZ"), sim.key())?;
        if let Some((address, server)) = sim.mail_address().zip(mail) {
            writeln!(out, "mail server {address}, which {}", server.words())?;
        }
        out.flush()?;
        stopped().await
    }
}

fn open(name: &str, now: DateTime<Utc>) -> anyhow::Result<Scenario> {
    if let Some(scenario) = Scenario::builtin(name, now) {
        return Ok(scenario);
    }
    let text = std::fs::read_to_string(name)
        .with_context(|| format!("scenario `{name}` is not built in ({}) and no readable file", BUILTIN.join(", ")))?;
    Scenario::from_json(&text, now).with_context(|| format!("scenario file {name}"))
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("open the log {}", path.display()))
}

/// Until Ctrl-C, or the signal that process managers send.
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("wait for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

fn list() -> anyhow::Result<()> {
    let scenarios = BUILTIN.iter().filter_map(|name| Scenario::builtin(name, clock()));
    match listing::write(&mut io::stdout().lock(), scenarios) {
        // who reads has seen enough
        Err(closed) if closed.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("print the list"),
    }
}
