//! One run, from its lock to its exit code. The order matters: the report is printed before anything is sent.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use alerting::Outbox;
use anyhow::Context;
use audit_model::{Coverage, GapReason, Verdict, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Portal};
use event_archive::Archive;
use job_store::{Acquired, RunLock, Store};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::Error;
use crate::args::{CommonArgs, ReportFormat};
use crate::clock::{self, CLOCK_TOLERANCE};
use crate::config::CommonConfig;
use crate::exit::{Ending, Exit, decide};
use crate::failures::Failures;
use crate::job::Job;
use crate::key_end::KeyWatch;
use crate::metrics::Measured;
use crate::names;
use crate::program::Program;
use crate::setup::{self, Surroundings};
use crate::state_path::StatePaths;
use crate::telling::Telling;
use crate::watchers::Watchers;

pub(crate) async fn conclude<P: Program>(
    args: &CommonArgs,
    common: &CommonConfig,
    config: &P::Config,
    surroundings: Surroundings,
    watchers: &mut Watchers,
) -> anyhow::Result<Exit> {
    let Surroundings { now, paths, client, portal_url, channels, mailer } = surroundings;
    let started = Instant::now();
    // a dry run writes nothing and needs no lock
    let lock = match (!args.dry_run).then(|| RunLock::acquire(&paths.lock, now)) {
        Some(Ok(Acquired::Held { since })) => return Ok(held(since, now, common.run_limit.0, watchers)),
        Some(Ok(Acquired::Locked(lock))) => Some(lock),
        Some(Err(error)) => {
            watchers.failures.warn(&format!("going on without a lock: {:#}", anyhow::Error::new(error)));
            None
        }
        None => None,
    };
    watchers.start().await;
    let (store, archive, outbox, mut notes) = open_store(args.dry_run, &paths, &mut watchers.failures).await?;
    let archive = archive.for_part(&P::part(config));
    let remembers = notes.is_empty() && (lock.is_some() || args.dry_run);
    let portal = probe(&client, &archive, now).await?;
    let answered = now + TimeDelta::from_std(started.elapsed()).unwrap_or_default();
    if let Some(note) = clock::behind(answered, client.portal_clock()) {
        watchers.failures.warn(&note);
        notes.push(note);
    }
    let key_watch = KeyWatch::look(&store, &client, portal.is_ok(), now).await;
    let zone = portal.as_ref().map_or(chrono_tz::Tz::UTC, |portal| portal.time_zone);
    let (asked_since, asked_until) = args.window(now, zone);
    let until = asked_until.unwrap_or(now);
    let own_window = P::window(config, asked_since, asked_until, now, zone)?;
    let (window, notes) = match (own_window, asked_since) {
        (Some(own), _) => (own, notes),
        (None, Some(since)) => (Window::new(since, until), notes),
        (None, None) => {
            let (since, notes) = since_last_run(until, P::reach(config), archive.judged_until().await?, notes);
            (Window::new(since, until), notes)
        }
    };
    check_window(window, now)?;
    let (portal, probe_error) = match portal {
        Ok(portal) => (Some(portal), None),
        Err(error) => (None, Some(error)),
    };
    let misnamed = match portal {
        Some(_) => names::for_run(&setup::named::<P>(common, config, now), &store, &client, now).await,
        None => Vec::new(),
    };
    let misnamed: Vec<String> = misnamed.iter().map(ToString::to_string).collect();
    let notes = notes.into_iter().chain(key_watch.note.clone()).chain(misnamed.clone()).collect();
    let job = Job {
        program: P::NAME,
        version: P::VERSION,
        portal_url,
        client,
        portal,
        archive,
        store: remembers.then(|| store.clone()),
        window,
        now,
        dry_run: args.dry_run,
        mailer: mailer.map(Mutex::new),
        service_accounts: common.service_accounts.iter().map(|account| account.to_lowercase()).collect(),
        notes,
    };
    let mut outcome = match probe_error {
        Some(failure) => {
            let why = failure.gap_reason();
            watchers.failures.error(&format!("{:#}", anyhow::Error::new(failure)));
            P::unseen(config, &job, Coverage::unseen("audit", window, why))
        }
        None => limited::<P>(config, &job, common.run_limit.0, &mut watchers.failures).await?,
    };
    info!(requests = job.client.requests(), "run finished");
    let quiet = TimeDelta::from_std(common.alerts.quiet.0).unwrap_or(TimeDelta::MAX);
    let telling = Telling { outbox: &outbox, channels: &channels, quiet, now, dry_run: args.dry_run };
    let told = telling
        .tell::<P>(&mut outcome, |outcome, notes| {
            let misnamed = watchers.failures.daily(&misnamed);
            let notes: Vec<&String> = key_watch.note.iter().chain(notes).chain(misnamed).collect();
            // what could not be seen and is known already is not told again
            let is_news = watchers.failures.is_news(P::conclusion(outcome).coverage);
            let is_told = is_news || !notes.is_empty() || P::says_more(outcome);
            if is_told || args.format == ReportFormat::Json || io::stdout().is_terminal() {
                print::<P>(outcome, notes.into_iter(), args)
            } else {
                Ok(())
            }
        })
        .await;
    if told.printed.is_ok() {
        key_watch.told(&store, now).await;
    }
    let conclusion = P::conclusion(&outcome);
    let verdict = conclusion.coverage.verdict();
    if let Err(failure) = remember(&job, verdict, told.is_safe).await {
        warn!("the next run will ask and judge again: {:#}", anyhow::Error::new(failure));
    }
    watchers.measured = Some(Measured {
        judged_until: job.archive.judged_until().await.unwrap_or_default(),
        requests: job.client.requests(),
        key_expires: key_watch.expires,
        ..Measured::of(&conclusion)
    });
    store.close().await;
    // a full disk behind stdout did not keep alerts from leaving
    told.printed?;
    let ending = Ending {
        nothing: verdict == Verdict::Nothing || !told.critical_reached,
        incomplete: verdict == Verdict::Incomplete,
        findings: conclusion.counted().next().is_some(),
        held: conclusion.held,
    };
    Ok(decide(ending, args.exit_code))
}

/// Refuses a window that holds nothing, or ends further ahead than clocks differ.
pub(crate) fn check_window(window: Window, now: DateTime<Utc>) -> Result<(), Error> {
    if window.until > now + CLOCK_TOLERANCE {
        return Err(Error::FutureWindow(window.until));
    }
    if window.is_empty() {
        return Err(Error::EmptyWindow(window));
    }
    Ok(())
}

/// What the next run must know of this one. Time whose findings were not told (`is_told`) has to be looked at again.
async fn remember(job: &Job, verdict: Verdict, is_told: bool) -> Result<(), event_archive::Error> {
    if verdict != Verdict::Complete {
        job.archive.keep_portal(None, job.now).await?;
    }
    if verdict != Verdict::Nothing && is_told {
        job.archive.keep_judged(job.window).await?;
    }
    Ok(())
}

/// A machine that was off for longer is told so, and starts over with the ordinary window.
const LONGEST_PAUSE: TimeDelta = TimeDelta::days(14);

/// The beginning of the window when no flag gives one: the ordinary length before its end, or before where the last run ended if a
/// pause lies between, so that it is no hole.
fn since_last_run(
    until: DateTime<Utc>,
    length: TimeDelta,
    read_until: Option<DateTime<Utc>>,
    mut notes: Vec<String>,
) -> (DateTime<Utc>, Vec<String>) {
    let usual = until - length;
    match read_until {
        Some(last) if last < usual && until - last <= LONGEST_PAUSE => {
            notes.push(format!("no run has ended since {last}, so the window is longer than usual"));
            // acts before and after that moment may be too many only together
            (last - length, notes)
        }
        Some(last) if last < usual => {
            warn!(
                "no run has ended since {last}; what happened up to {usual} is not looked at: run once with `--since` and `--until`"
            );
            notes.push(format!("no run has ended since {last}; what happened up to {usual} was not looked at"));
            (usual, notes)
        }
        _ => (usual, notes),
    }
}

/// What the portal says about itself: remembered for a day, or until a run could not see everything. Only the store's failure is
/// an error; the portal's is handed on.
async fn probe(
    client: &Client,
    archive: &Archive,
    now: DateTime<Utc>,
) -> anyhow::Result<Result<Portal, docspace_client::Error>> {
    if let Some(known) = archive.portal(now).await? {
        let portal = client.probe_again(known).await;
        if portal.as_ref().is_ok_and(|portal| portal.audit_filter_works) {
            return Ok(portal);
        }
    }
    let portal = client.probe().await;
    archive.keep_portal(portal.as_ref().ok(), now).await?;
    Ok(portal)
}

/// Another run is at work: nothing to do, unless it should have ended itself long ago.
fn held(
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    run_limit: std::time::Duration,
    watchers: &mut Watchers,
) -> Exit {
    let limit = TimeDelta::from_std(run_limit).unwrap_or(TimeDelta::MAX);
    match since {
        Some(since) if now - since > limit => {
            let text = "still holds the lock, longer than `run_limit`; end that process";
            watchers.failures.error(&format!("a run that began at {since} {text}"));
            Exit::Nothing
        }
        _ => {
            watchers.leave_alone();
            warn!("another run is still at work; this one ends without doing anything");
            Exit::Concluded
        }
    }
}

/// The store, archive and outbox in it, and what the report must say about it. A program that only watches goes on without memory.
async fn open_store(
    dry_run: bool,
    paths: &StatePaths,
    failures: &mut Failures,
) -> anyhow::Result<(Store, Archive, Outbox, Vec<String>)> {
    // `--state`, and a setting in a file that was named without a folder, may be relative
    let path = std::path::absolute(&paths.store).context("cannot tell the current folder")?;
    let opened = if dry_run {
        Store::snapshot_of(&path).await
    } else {
        Store::open(&format!("sqlite://{}", path.display())).await
    };
    let usable = match opened {
        Ok(store) => open_components(store).await,
        Err(error) => Err(anyhow::Error::new(error)),
    };
    match usable {
        Ok((store, archive, outbox)) => Ok((store, archive, outbox, Vec::new())),
        Err(error) => {
            failures.warn(&format!("going on without memory: {error:#}"));
            let note = "this run has no memory: its store could not be used, see the log".to_owned();
            let (store, archive, outbox) = open_components(Store::temporary().await?).await?;
            Ok((store, archive, outbox, vec![note]))
        }
    }
}

async fn open_components(store: Store) -> anyhow::Result<(Store, Archive, Outbox)> {
    Ok((store.clone(), Archive::open(store.clone()).await?, Outbox::open(store).await?))
}

/// Runs the program for at most `run_limit`. Only mistakes in flags and settings are errors.
async fn limited<P: Program>(
    config: &P::Config,
    job: &Job,
    run_limit: std::time::Duration,
    failures: &mut Failures,
) -> anyhow::Result<P::Outcome> {
    Ok(match tokio::time::timeout(run_limit, P::run(config, job)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) if error.is::<Error>() => return Err(error),
        Ok(Err(error)) => {
            failures.error(&format!("{error:#}"));
            P::unseen(config, job, Coverage::unseen("audit", job.window, GapReason::StoreError))
        }
        Err(_) => {
            failures.error("the run took longer than `run_limit`; what it read stays in the archive");
            P::unseen(config, job, Coverage::unseen("audit", job.window, GapReason::BudgetExhausted))
        }
    })
}

/// Prints the report. Where it has nothing to say, `notes` are printed all the same.
fn print<'n, P: Program>(
    outcome: &P::Outcome,
    notes: impl Iterator<Item = &'n String>,
    args: &CommonArgs,
) -> anyhow::Result<()> {
    let mut report = Vec::new();
    P::render(outcome, args.format, &mut report)?;
    let mut stdout = io::stdout().lock();
    if report.is_empty() {
        report = notes.map(|note| format!("Note: {note}\n")).collect::<String>().into_bytes();
    }
    if report.is_empty() && stdout.is_terminal() {
        report = format!("{}: nothing new to report; everything the portal records was seen\n", P::NAME).into_bytes();
    }
    stdout.write_all(&report).and_then(|()| stdout.flush()).context("cannot print the report")
}
