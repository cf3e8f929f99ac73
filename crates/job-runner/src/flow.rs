//! One run, from its lock to its exit code. The order matters: what was found is whole before anything acts, and the report is printed
//! before anything is sent.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use audit_model::{BlindSpot, SpanSet, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Acquired, RunLock};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::args::{CommonArgs, ReportFormat};
use crate::clock;
use crate::command::exit_of;
use crate::config::CommonConfig;
use crate::exit::{Ending, Exit, decide};
use crate::failures::Failures;
use crate::job::{Job, Refusal};
use crate::look::{Looked, Run};
use crate::metrics::Measured;
use crate::program::Program;
use crate::setup::Surroundings;
use crate::spare;
use crate::stop::Stop;
use crate::stores::Stores;
use crate::telling::{Telling, Told};
use crate::watchers::Watchers;
use crate::window::Look;

pub(crate) async fn conclude<P: Program>(
    args: &CommonArgs,
    common: &CommonConfig,
    config: &P::Config,
    surroundings: Surroundings,
    watchers: &mut Watchers,
    stop: &mut Stop,
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
    stop.hurry(watchers.start()).await;
    let run = Run::<P> {
        args,
        common,
        config,
        paths: &paths,
        client,
        portal_url,
        mailer: mailer.map(|mailer| Arc::new(Mutex::new(mailer))),
        now,
        started,
        has_lock: lock.is_some() || args.dry_run,
    };
    let (mut stores, looked) = run.look(&mut watchers.failures, stop).await?;
    let Looked { job, mut outcome, look, key_watch, misnamed, has_looked } = looked;
    let (judged, with_late) = complete::<P>(&job, &look, &stores, &mut outcome);
    let acted = match has_looked {
        // nothing is begun that somebody would have to wait for
        true if stop.is_interrupted() => Acted::Cut,
        true => act::<P>(config, &job, &mut outcome, &mut watchers.failures, stop).await,
        false => Acted::Done,
    };
    info!(requests = job.client.requests(), "run finished");
    let quiet = TimeDelta::from_std(common.alerts.quiet.0).unwrap_or(TimeDelta::MAX);
    let mut telling = Telling { outbox: stores.outbox.clone(), channels: &channels, quiet, now, dry_run: args.dry_run };
    if let Err(failure) = telling.judge::<P>(&mut outcome).await
        && stores.has_memory()
    {
        stores = run.without_memory(&anyhow::Error::new(failure), &mut watchers.failures).await?;
        note_lost::<P>(&stores, &mut outcome);
        telling.outbox = stores.outbox.clone();
        // a second failure leaves every finding new
        telling.judge::<P>(&mut outcome).await.ok();
    }
    let lost = stores.lost.iter().filter(|lost| lost.is_news).map(|lost| &lost.note);
    let must_say: Vec<String> = key_watch.note.iter().chain(lost).cloned().collect();
    let failures = &mut watchers.failures;
    let print_news = |outcome: &P::Outcome, notes: &[String]| {
        let misnamed = failures.daily(&misnamed);
        let notes: Vec<&String> = must_say.iter().chain(notes).chain(misnamed).collect();
        // what could not be seen and is known already is not told again
        let is_news = failures.is_news(P::conclusion(outcome).coverage);
        let is_told = is_news || !notes.is_empty() || P::says_more(outcome);
        if is_told || args.format == ReportFormat::Json || io::stdout().is_terminal() {
            print::<P>(outcome, notes.into_iter(), args)
        } else {
            Ok(())
        }
    };
    let told = stop.hurry(telling.tell::<P>(&mut outcome, print_news)).await;
    let was_cut = told.is_none() || acted == Acted::Cut;
    let told = told.unwrap_or(Told { printed: Ok(()), critical_reached: true, is_safe: false });
    if told.printed.is_ok() {
        key_watch.told(&stores.store, now).await;
        stores.told(now).await;
    }
    let conclusion = P::conclusion(&outcome);
    let verdict = conclusion.coverage.verdict();
    if stores.has_memory() {
        let kept = (told.is_safe && verdict != Verdict::Nothing).then_some(&judged);
        if let Err(failure) = remember(&job, verdict, kept, with_late).await {
            warn!("the next run will ask and judge again: {:#}", anyhow::Error::new(failure));
        }
        if !args.dry_run && !stop.is_interrupted() {
            spare::clear(&paths, &channels, now).await;
        }
    }
    watchers.measured = Some(Measured {
        judged_until: judged_until(&job, &look).await,
        requests: job.client.requests(),
        key_expires: key_watch.expires,
        has_memory: stores.has_memory(),
        ..Measured::of(&conclusion)
    });
    let is_interrupted = stop.is_interrupted() && (was_cut || verdict != Verdict::Complete);
    let ending = Ending {
        nothing: verdict == Verdict::Nothing && !is_interrupted
            || !told.critical_reached
            || acted == Acted::Failed(Exit::Nothing),
        incomplete: verdict == Verdict::Incomplete || is_interrupted || was_cut,
        findings: conclusion.counted().next().is_some(),
        held: conclusion.held,
    };
    stores.close().await;
    // a full disk behind stdout did not keep alerts from leaving
    told.printed?;
    Ok(match (acted, decide(ending, args.exit_code)) {
        (Acted::Failed(Exit::Usage), exit) if exit != Exit::Nothing => Exit::Usage,
        (_, exit) => exit,
    })
}

/// Adds to the outcome what the runner knows, so that no program can forget it. Gives what of the time counts as judged, and whether what
/// came late does.
fn complete<P: Program>(job: &Job, look: &Look, stores: &Stores, outcome: &mut P::Outcome) -> (SpanSet, bool) {
    let coverage = &mut P::head(outcome).coverage;
    job.unseen_after.into_iter().for_each(|unseen| clock::note_unseen(coverage, unseen));
    let judged = look.judged::<P>(coverage);
    note_lost::<P>(stores, outcome);
    judged
}

/// Says in the report that there is no memory. A report that says so must not look like an ordinary one.
fn note_lost<P: Program>(stores: &Stores, outcome: &mut P::Outcome) {
    let Some(lost) = &stores.lost else { return };
    let head = P::head(outcome);
    head.coverage.blind(BlindSpot::NoMemory);
    head.notes.push(lost.note.clone());
}

/// How acting ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acted {
    Done,
    /// Not all of it: somebody or the time limit ended the run meanwhile, or the clock was wrong.
    Cut,
    /// With this exit code.
    Failed(Exit),
}

/// What was found is told, whatever becomes of what is done about it.
async fn act<P: Program>(
    config: &P::Config,
    job: &Job,
    outcome: &mut P::Outcome,
    failures: &mut Failures,
    stop: &mut Stop,
) -> Acted {
    let acted = stop.limit(&job.client, P::act(config, job, outcome)).await;
    match acted {
        Ok(Ok(())) => Acted::Done,
        Ok(Err(failure)) => {
            failures.error(&format!("{failure:#}"));
            P::head(outcome).notes.push(format!("not everything was done: {failure:#}"));
            match failure.downcast_ref() {
                // what there was to see was seen
                Some(Refusal::Clock { .. }) => Acted::Cut,
                _ => Acted::Failed(exit_of(&failure)),
            }
        }
        Err(_) => {
            P::head(outcome).notes.push("not everything was done, because the run was ended before".to_owned());
            Acted::Cut
        }
    }
}

/// What the next run must know of this one. Time whose findings were not told has to be looked at again: then `judged` is `None`.
async fn remember(
    job: &Job,
    verdict: Verdict,
    judged: Option<&SpanSet>,
    with_late: bool,
) -> Result<(), event_archive::Error> {
    if verdict != Verdict::Complete {
        job.archive.keep_portal(None, job.now).await?;
    }
    job.archive.keep_watching(job.window.since).await?;
    if verdict != Verdict::Nothing {
        job.archive.keep_looked(job.window.until).await?;
    }
    if let Some(judged) = judged {
        job.archive.keep_judged(judged, job.window.until, with_late).await?;
    }
    Ok(())
}

/// Up to when everything was judged; of a program that looks at each window by itself, the end of the last one.
async fn judged_until(job: &Job, look: &Look) -> Option<DateTime<Utc>> {
    let judged = job.archive.judged().await.ok()?;
    if look.stands_alone { judged.ended() } else { judged.until() }
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
