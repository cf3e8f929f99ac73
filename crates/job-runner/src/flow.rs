//! One run, from its lock to its exit code. The order matters: what was found is whole before anything acts, and the report is printed
//! before anything is sent.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

use alerting::Moment;
use anyhow::Context;
use audit_model::{BlindSpot, Coverage, SpanSet, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Archive;
use job_store::{Acquired, RunLock};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::args::{CommonArgs, ReportFormat};
use crate::clock;
use crate::config::CommonConfig;
use crate::exit::{Ending, Exit, decide, exit_of};
use crate::failures::Failures;
use crate::frame;
use crate::head::Head;
use crate::job::{Job, Publishing, Refusal};
use crate::look::{Looked, Run};
use crate::metrics::Measured;
use crate::program::{Program, ReportOf};
use crate::setup::Surroundings;
use crate::spare;
use crate::stop::Stop;
use crate::stores::Stores;
use crate::telling::{Telling, Told};
use crate::watchers::Watchers;
use crate::window::Stretch;

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
    let mut lock = match (!args.dry_run).then(|| RunLock::acquire(&paths.lock, now)) {
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
        had_store: lock.as_ref().is_some_and(RunLock::had_store),
    };
    let (mut stores, looked) = run.look(&mut watchers.failures, stop).await?;
    if stores.has_memory()
        && let Some(lock) = &mut lock
        && let Err(failure) = lock.note_store()
    {
        warn!("nobody will be told if the store is taken away: {failure}");
    }
    let Looked { mut report, stretch, archive, unseen_after, key_watch, misnamed, mut job } = looked;
    // so that no program can forget what the runner knows
    unseen_after.into_iter().for_each(|unseen| clock::note_unseen(&mut report.head.coverage, unseen));
    let (judged, with_late) = stretch.judged(P::ABOUT.judged_by, &mut report.head.coverage);
    note_lost(&stores, &mut report.head);
    let part = P::part(config);
    let moment = Moment { now, quiet: quiet(common), seen_until: stretch.seen_until(report.coverage()), part: &part };
    let mut telling = Telling {
        outbox: stores.outbox.clone(),
        channels: &channels,
        moment,
        sends_alerts: P::ABOUT.sends_alerts,
        dry_run: args.dry_run,
    };
    // whoever acts has to know what was told before
    if let Err(failure) = telling.judge(&mut report).await
        && stores.has_memory()
    {
        stores = run.without_memory(&anyhow::Error::new(failure), &mut watchers.failures).await?;
        note_lost(&stores, &mut report.head);
        telling.outbox = stores.outbox.clone();
        // a second failure leaves every finding new
        telling.judge(&mut report).await.ok();
        if let Some(job) = &mut job {
            job.store = Err(Refusal::NoMemory);
        }
    }
    let acted = match &job {
        // nothing is begun that somebody would have to wait for
        Some(_) if stop.is_interrupted() => Acted::Cut,
        Some(job) => act::<P>(config, job, &mut report, &mut watchers.failures, stop).await,
        None => Acted::Done,
    };
    let acted = if args.dry_run {
        acted
    } else {
        let store = if stores.has_memory() { Ok(stores.store.clone()) } else { Err(Refusal::NoMemory) };
        let publishing = Publishing { store, mailer: run.mailer.clone(), now };
        acted.and(publish::<P>(config, &publishing, &mut report, &mut watchers.failures, stop).await)
    };
    info!(requests = run.client.requests(), "run finished");
    let lost = stores.lost.iter().filter(|lost| lost.is_news).map(|lost| &lost.note);
    let must_say: Vec<String> = key_watch.note.iter().chain(lost).chain(&stores.gone).cloned().collect();
    let failures = &mut watchers.failures;
    let mut written = Ok(());
    let print_news = |report: &ReportOf<P>, notes: &[String]| {
        let document = frame::document::<P>(report);
        written = frame::write::<P>(&args.reports, report, &document);
        let misnamed = failures.daily(&misnamed);
        let notes: Vec<&String> = must_say.iter().chain(notes).chain(misnamed).collect();
        // what could not be seen and is known already is not told again
        let is_news = failures.is_news(report.coverage());
        let has_news = report.told().next().is_some()
            || !report.ended.is_empty()
            || document.sections.iter().any(|section| section.is_news);
        let is_told = is_news || has_news || !notes.is_empty() || P::says_more(report);
        let text = match args.format {
            ReportFormat::Json => frame::json(report)?,
            ReportFormat::Text if is_told || io::stdout().is_terminal() => P::text(report, &document),
            ReportFormat::Text => return Ok(()),
        };
        print(text, P::ABOUT.name, notes.into_iter())
    };
    let told = stop.hurry(telling.tell(&mut report, print_news)).await;
    let was_cut = told.is_none() || acted == Acted::Cut;
    let told = told.unwrap_or(Told { printed: Ok(()), critical_reached: true, is_safe: false });
    if told.printed.is_ok() {
        key_watch.told(&stores.store, now).await;
        stores.told(now).await;
    }
    let verdict = report.coverage().verdict();
    if stores.has_memory() {
        let kept = (told.is_safe && verdict != Verdict::Nothing).then_some(&judged);
        if let Err(failure) = remember(&archive, (&stretch, now), report.coverage(), kept, with_late).await {
            warn!("the next run will ask and judge again: {:#}", anyhow::Error::new(failure));
        }
        if let Some(job) = job.as_ref().filter(|_| !args.dry_run && !stop.is_interrupted())
            && let Ok(Err(failure)) = stop.limit(&job.client, P::catch_up(job, &report)).await
        {
            warn!("the next run reads on: {failure:#}");
        }
        if !args.dry_run && !stop.is_interrupted() {
            spare::clear(&paths, &channels, now).await;
        }
    }
    watchers.measured = Some(Measured {
        judged_until: judged_until(&archive, &stretch).await,
        requests: run.client.requests(),
        key_expires: key_watch.expires,
        has_memory: stores.has_memory() && stores.gone.is_none(),
        ..Measured::of(&report)
    });
    let is_interrupted = stop.is_interrupted() && (was_cut || verdict != Verdict::Complete);
    let ending = Ending {
        nothing: verdict == Verdict::Nothing && !is_interrupted
            || !told.critical_reached
            || acted == Acted::Failed(Exit::Nothing),
        incomplete: verdict == Verdict::Incomplete || is_interrupted || was_cut,
        findings: report.counted().next().is_some(),
        held: report.is_held,
    };
    stores.close().await;
    // a full disk behind stdout did not keep alerts from leaving
    told.printed?;
    let is_unwritten = written.is_err();
    written.err().into_iter().flatten().for_each(|why| watchers.failures.error(&why));
    Ok(match (acted, decide(ending, args.exit_code)) {
        (Acted::Failed(Exit::Usage), exit) if exit != Exit::Nothing => Exit::Usage,
        // fails again until somebody edits the flag or the folder
        (_, exit) if is_unwritten && exit != Exit::Nothing => Exit::Usage,
        (_, exit) => exit,
    })
}

/// How long nothing must have happened before a burst is over.
fn quiet(common: &CommonConfig) -> TimeDelta {
    TimeDelta::from_std(common.alerts.quiet.0).unwrap_or(TimeDelta::MAX)
}

/// Says in the report that there is no memory. A report that says so must not look like an ordinary one.
fn note_lost(stores: &Stores, head: &mut Head) {
    let Some(note) = stores.lost.as_ref().map(|lost| &lost.note).or(stores.gone.as_ref()) else { return };
    head.coverage.blind(BlindSpot::NoMemory);
    head.notes.push(note.clone());
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

impl Acted {
    /// How both ended: what somebody has to correct first, then what failed, then what was cut.
    fn and(self, other: Acted) -> Acted {
        match (self, other) {
            (Acted::Failed(Exit::Usage), _) | (_, Acted::Done) => self,
            (_, Acted::Failed(_)) | (Acted::Done, _) => other,
            (_, Acted::Cut) => self,
        }
    }
}

/// Whoever reads the report elsewhere gets it, whatever was found and done.
async fn publish<P: Program>(
    config: &P::Config,
    publishing: &Publishing,
    report: &mut ReportOf<P>,
    failures: &mut Failures,
    stop: &mut Stop,
) -> Acted {
    match stop.hurry(P::publish(config, publishing, report)).await {
        Some(Ok(())) => Acted::Done,
        Some(Err(failure)) => {
            failures.error(&format!("{failure:#}"));
            report.head.notes.push(format!("not everything was done: {failure:#}"));
            Acted::Failed(exit_of(&failure))
        }
        None => {
            report.head.notes.push("not everything was done, because the run was ended before".to_owned());
            Acted::Cut
        }
    }
}

/// What was found is told, whatever becomes of what is done about it.
async fn act<P: Program>(
    config: &P::Config,
    job: &Job,
    report: &mut ReportOf<P>,
    failures: &mut Failures,
    stop: &mut Stop,
) -> Acted {
    let acted = stop.limit(&job.client, P::act(config, job, report)).await;
    match acted {
        Ok(Ok(())) => Acted::Done,
        Ok(Err(failure)) => {
            failures.error(&format!("{failure:#}"));
            report.head.notes.push(format!("not everything was done: {failure:#}"));
            match failure.downcast_ref() {
                // what there was to see was seen
                Some(Refusal::Clock { .. }) => Acted::Cut,
                _ => Acted::Failed(exit_of(&failure)),
            }
        }
        Err(_) => {
            report.head.notes.push("not everything was done, because the run was ended before".to_owned());
            Acted::Cut
        }
    }
}

/// What the next run must know of this one. Time whose findings were not told has to be looked at again: then `judged` is `None`.
async fn remember(
    archive: &Archive,
    (stretch, now): (&Stretch, DateTime<Utc>),
    coverage: &Coverage,
    judged: Option<&SpanSet>,
    with_late: bool,
) -> Result<(), event_archive::Error> {
    let (window, verdict) = (stretch.window, coverage.verdict());
    if verdict != Verdict::Complete {
        archive.keep_portal(None, now).await?;
    }
    archive.keep_watching(window.since).await?;
    if verdict != Verdict::Nothing {
        archive.keep_looked(window.until).await?;
    }
    if let Some(judged) = judged {
        archive.keep_judged(judged, window.until, with_late).await?;
    }
    archive.keep_left_open(&stretch.left_open(judged, coverage)).await
}

/// Up to when everything was judged; of a program that looks at each window by itself, the end of the last one.
async fn judged_until(archive: &Archive, stretch: &Stretch) -> Option<DateTime<Utc>> {
    let judged = archive.judged().await.ok()?;
    if stretch.stands_alone { judged.ended() } else { judged.until() }
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
fn print<'n>(mut text: Vec<u8>, program: &str, notes: impl Iterator<Item = &'n String>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    if text.is_empty() {
        text = notes.map(|note| format!("Note: {note}\n")).collect::<String>().into_bytes();
    }
    if text.is_empty() && stdout.is_terminal() {
        text = format!("{program}: nothing new to report; everything the portal records was seen\n").into_bytes();
    }
    stdout.write_all(&text).and_then(|()| stdout.flush()).context("cannot print the report")
}
