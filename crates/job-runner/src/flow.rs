//! One run, from its lock to its exit code. The order matters: what was found is whole before anything acts, and the report is printed
//! before anything is sent.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::{Channel, Moment};
use anyhow::Context;
use audit_model::{BlindSpot, Coverage, Forgotten, SpanSet, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Archive, LookedAt};
use report::Document;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::acting::{self, Acted};
use crate::args::{CommonArgs, ReportFormat};
use crate::clock;
use crate::config::{CommonConfig, Settings};
use crate::exit::{Ending, Exit, decide};
use crate::failures::Failures;
use crate::frame;
use crate::head::Head;
use crate::held::take_hold;
use crate::hold::{self, Hold};
use crate::job::{Publishing, Refusal};
use crate::keeping;
use crate::look::{AfterLook, Run};
use crate::metrics::Measured;
use crate::program::{Program, ReportOf};
use crate::spare;
use crate::stop::Stop;
use crate::stores::Stores;
use crate::surroundings::Surroundings;
use crate::telling::{HowTold, Telling};
use crate::watchers::Watchers;
use crate::window::Stretch;

/// So long a run goes on reading after everything was told. It still has the lock, and cron starts the next one within a minute: that one
/// would see nothing of an attack.
const CATCHING_UP: Duration = Duration::from_secs(20);

/// The path of a run. What each program does on it is in [`look`](crate::look) (its questions and its rule), [`acting`](crate::acting)
/// and [`frame`](crate::frame) (its report).
pub(crate) async fn conclude<P: Program>(
    args: &CommonArgs,
    common: &CommonConfig,
    config: &P::Config,
    surroundings: Surroundings,
    watchers: &mut Watchers,
    stop: &mut Stop,
) -> anyhow::Result<Exit> {
    let Surroundings { now, state, exposed, client, portal_url, channels, mailer, naming } = surroundings;
    let started = Instant::now();
    let mut held = match take_hold(args, common, &state, now, watchers, stop).await {
        Ok(held) => held,
        Err(exit) => return Ok(exit),
    };
    exposed.iter().for_each(|exposed| watchers.failures.warn(&exposed.to_string()));
    let unusable: Vec<String> = channels.iter().filter_map(unusable).collect();
    unusable.iter().for_each(|why| watchers.failures.insist(why));
    stop.hurry(watchers.start()).await;
    let run = Run::<P> {
        args,
        common,
        config,
        state: &state,
        client,
        portal_url,
        naming,
        mailer: mailer.map(|mailer| Arc::new(Mutex::new(mailer))),
        channels: &channels,
        now,
        started,
        has_lock: held.is_ours || args.dry_run,
        had_store: held.lock.as_ref().is_some_and(Hold::had_store),
    };
    let (stores, looked) = run.look(held.on_server.take(), &mut watchers.failures, stop).await?;
    if stores.has_memory()
        && let Some(lock) = &mut held.lock
        && let Err(failure) = lock.note_store()
    {
        warn!("if the store disappears, no run will notice: {failure}");
    }
    let (mut looked, part) = (looked, config.part());
    looked.report.head.notes.extend(unusable.iter().cloned());
    let mut flow = Flow::new(run, stores, looked, &part);
    // whoever acts has to know what was told before
    flow.compare(&mut watchers.failures).await?;
    flow.see_to_lease(&mut watchers.failures, stop).await?;
    let acted = flow.act(&mut watchers.failures, stop).await;
    flow.see_to_lease(&mut watchers.failures, stop).await?;
    let published = flow.publish(&mut watchers.failures, stop).await;
    flow.see_to_lease(&mut watchers.failures, stop).await?;
    let told = flow.tell(&mut watchers.failures, stop).await;
    flow.remember(&told, stop).await;
    watchers.measured = Some(flow.measured().await);
    let exit = flow.exit(acted.and(published), &told, stop);
    flow.stores.close().await;
    // a full disk behind stdout did not keep alerts from leaving
    told.how.printed?;
    told.unwritten.iter().for_each(|why| watchers.failures.error(why));
    Ok(exit)
}

/// A run that has looked, and goes on from there.
struct Flow<'a, P: Program> {
    run: Run<'a, P>,
    stores: Stores,
    looked: AfterLook<P>,
    /// What counts as judged when everything was told, and whether what came late does.
    judged: (SpanSet, bool),
    telling: Telling<'a>,
}

/// How a report reached its readers.
struct Told {
    how: HowTold,
    /// Somebody or the time limit ended the run before everything was told.
    was_cut: bool,
    /// Why files of `--report` could not be written.
    unwritten: Vec<String>,
}

impl<'a, P: Program> Flow<'a, P> {
    /// Completes the coverage, so that no program can forget what the runner knows.
    fn new(run: Run<'a, P>, stores: Stores, mut looked: AfterLook<P>, part: &'a str) -> Self {
        let head = &mut looked.report.head;
        looked.unseen_after.into_iter().for_each(|unseen| clock::note_unseen(&mut head.coverage, unseen));
        let judged = looked.stretch.judged(P::ABOUT.judged_by, &mut head.coverage);
        note_lost(&stores, head);
        // nobody is told again what became of a person who was forgotten
        looked.report.findings.retain(|found| !Forgotten::is(found.finding.person.id));
        let head = &looked.report.head;
        let seen_until = looked.stretch.seen_until(&head.coverage);
        let telling = Telling {
            outbox: stores.outbox.clone(),
            channels: looked.channels.clone(),
            moment: Moment { now: run.now, quiet: quiet(run.common), seen_until, part },
            sends_alerts: P::ABOUT.sends_alerts,
            zone: head.portal.time_zone.unwrap_or_default(),
            dry_run: run.args.dry_run,
        };
        Flow { run, stores, looked, judged, telling }
    }

    /// Says of every finding what people know of it. Where the memory fails at that, the run goes on without.
    async fn compare(&mut self, failures: &mut Failures) -> anyhow::Result<()> {
        let Err(failure) = self.telling.compare(&mut self.looked.report).await else { return Ok(()) };
        if !self.stores.has_memory() {
            return Ok(());
        }
        self.stores = self.run.without_memory(&anyhow::Error::new(failure), failures).await?;
        note_lost(&self.stores, &mut self.looked.report.head);
        self.telling.outbox = self.stores.outbox.clone();
        // a second failure leaves every finding new
        self.telling.compare(&mut self.looked.report).await.ok();
        if let Some(job) = &mut self.looked.job {
            job.store = Err(Refusal::NoMemory);
        }
        Ok(())
    }

    /// Looks whether this is still the run that may act and tell. Where the lease has passed to another one, nothing of what was found is
    /// told, and no file is replaced: that one sees to it.
    async fn see_to_lease(&mut self, failures: &mut Failures, stop: &mut Stop) -> anyhow::Result<()> {
        // of a server that does not answer nobody knows; what is written next shows it
        let Err(failure) = self.stores.store.may_act().await.map_err(anyhow::Error::new) else { return Ok(()) };
        if !hold::is_lost(&failure) {
            return Ok(());
        }
        (self.stores, self.looked) = self.run.without_lease(&failure, failures, stop).await?;
        note_lost(&self.stores, &mut self.looked.report.head);
        self.telling.outbox = self.stores.outbox.clone();
        Ok(())
    }

    /// Plans, files, mails, changes at the portal.
    async fn act(&mut self, failures: &mut Failures, stop: &mut Stop) -> Acted {
        let report = &mut self.looked.report;
        let settled = match self.looked.settled.left {
            Some(_) => Acted::Failed(Exit::Nothing),
            None => Acted::Done,
        };
        let acted = match &self.looked.job {
            // nothing is begun that somebody would have to wait for
            Some(_) if stop.is_interrupted() => acting::cut::<P>(report),
            Some(job) => acting::act::<P>(self.run.config, job, report, failures, stop).await,
            None => Acted::Done,
        };
        settled.and(acted)
    }

    /// Whoever gets the whole report besides has it from the run that holds the lease, and from no dry run.
    async fn publish(&mut self, failures: &mut Failures, stop: &mut Stop) -> Acted {
        let Run { config, args, now, ref mailer, .. } = self.run;
        if args.dry_run || self.stores.is_passed_on() {
            return Acted::Done;
        }
        let report = &mut self.looked.report;
        report.learn_names();
        let store = if self.stores.has_memory() { Ok(self.stores.store.clone()) } else { Err(Refusal::NoMemory) };
        let publishing = Publishing { store, mailer: mailer.clone(), now };
        acting::publish::<P>(config, &publishing, report, failures, stop).await
    }

    /// Prints the report, writes it to every file that was asked for, and sends its alerts.
    async fn tell(&mut self, failures: &mut Failures, stop: &mut Stop) -> Told {
        info!(requests = self.run.client.requests(), "run finished");
        let (args, looked, stores) = (self.run.args, &mut self.looked, &self.stores);
        // what acted may have looked at more people
        looked.report.learn_names();
        let lost = stores.lost.iter().filter(|lost| lost.is_news).map(|lost| &lost.note);
        let must_say: Vec<&String> = looked.key_watch.note.iter().chain(lost).chain(&stores.gone).collect();
        let mut unwritten = Vec::new();
        let print = |report: &ReportOf<P>, notes: &[String]| {
            let document = frame::document::<P>(report);
            // what stands in a file is the other run's by now, or will be
            let files = if stores.is_passed_on() { &[] } else { args.reports.as_slice() };
            unwritten = frame::write::<P>(files, report, &document).err().unwrap_or_default();
            let misnamed = failures.daily(&looked.misnamed);
            let notes: Vec<&String> = must_say.into_iter().chain(notes).chain(misnamed).collect();
            print_news::<P>(args.format, report, &document, &notes, failures)
        };
        let how = stop.hurry(self.telling.tell(&mut looked.report, P::said, print)).await;
        let was_cut = how.as_ref().is_none_or(|how| how.is_left);
        let how = how.unwrap_or(HowTold { printed: Ok(()), critical_reached: true, is_safe: false, is_left: false });
        if how.printed.is_ok() && !how.is_left {
            looked.key_watch.told(&stores.store, self.run.now).await;
            stores.told(self.run.now).await;
        }
        Told { how, was_cut, unwritten }
    }

    /// What the next run must know of this one, and what it need not read again.
    async fn remember(&self, told: &Told, stop: &mut Stop) {
        // where another run has taken over, that one reads and remembers
        if !self.stores.has_memory() || told.how.is_left {
            return;
        }
        let AfterLook { report, stretch, archive, .. } = &self.looked;
        let (judged, with_late) = &self.judged;
        let is_judged = told.how.is_safe && report.coverage().verdict() != Verdict::Nothing;
        let judged = is_judged.then_some(judged);
        if let Err(failure) = remember(archive, (stretch, self.run.now), report.coverage(), judged, *with_late).await {
            warn!("the next run will read and judge the same time again: {:#}", anyhow::Error::new(failure));
        }
        if self.run.args.dry_run || stop.is_interrupted() {
            return;
        }
        stop.hasten(CATCHING_UP);
        if let Some(job) = &self.looked.job
            && let Ok(Err(failure)) = stop.limit(&job.client, P::catch_up(job, report)).await
        {
            warn!("the next run reads on: {failure:#}");
        }
        if stop.is_interrupted() {
            return;
        }
        let now = self.run.now.with_timezone(&self.telling.zone);
        spare::clear(self.run.state, &self.telling.channels, now).await;
        // what was not told is not forgotten, and a repetition of an old run looks at what the next ordinary one forgets
        if told.how.is_safe && self.run.args.ends_by_clock() {
            let looked_since = stretch.window.since - self.run.config.reach(P::ABOUT.window);
            let now = self.run.now;
            // a clock that is ahead would forget everything
            let present = self.run.client.portal_now().map_or(now, |portal| portal.min(now));
            keeping::daily(&self.stores.store, self.run.common, looked_since, present).await;
        }
    }

    async fn measured(&self) -> Measured {
        Measured {
            judged_until: judged_until(&self.looked.archive, &self.looked.stretch).await,
            requests: self.run.client.requests(),
            key_expires: self.looked.key_watch.expires,
            has_memory: self.stores.has_memory() && self.stores.gone.is_none(),
            ..Measured::of(&self.looked.report)
        }
    }

    fn exit(&self, acted: Acted, told: &Told, stop: &Stop) -> Exit {
        let report = &self.looked.report;
        let verdict = report.coverage().verdict();
        let was_cut = told.was_cut || acted == Acted::Cut;
        let is_interrupted = stop.is_interrupted() && (was_cut || verdict != Verdict::Complete);
        let ending = Ending {
            nothing: verdict == Verdict::Nothing && !is_interrupted
                || !told.how.critical_reached
                || acted == Acted::Failed(Exit::Nothing),
            // until somebody edits the flag, the setting or the folder
            usage: acted == Acted::Failed(Exit::Usage)
                || !told.unwritten.is_empty()
                || self.telling.channels.iter().any(|channel| channel.missing().is_some()),
            incomplete: verdict == Verdict::Incomplete || is_interrupted || was_cut,
            findings: report.counted().next().is_some(),
            held: report.is_held,
        };
        decide(ending, self.run.args.exit_code)
    }
}

/// Prints what is news, or everything where the form or the program wants it. `notes` have to be said in any case.
fn print_news<P: Program>(
    format: ReportFormat,
    report: &ReportOf<P>,
    document: &Document,
    notes: &[&String],
    failures: &mut Failures,
) -> anyhow::Result<()> {
    // what could not be seen and is known already is not told again
    let is_news = failures.is_news(report.coverage());
    let has_news = report.told().next().is_some()
        || !report.ended.is_empty()
        || document.sections.iter().any(|section| section.is_news);
    let is_told = is_news || has_news || !notes.is_empty();
    let own = P::text(report, document);
    let naming = &report.head.naming;
    let text = match format {
        ReportFormat::Json => frame::json(report)?,
        ReportFormat::Text if own.is_some() || is_told || io::stdout().is_terminal() => match own {
            Some(own) if naming.is_clear() => own,
            Some(own) => naming.text(&String::from_utf8_lossy(&own)).into_owned().into_bytes(),
            None => frame::news::<P>(report, document),
        },
        ReportFormat::Text => return Ok(()),
    };
    let notes: Vec<_> = notes.iter().map(|note| naming.text(note)).collect();
    print(text, P::ABOUT.name, &notes)
}

/// A channel that takes nothing until somebody corrects it, as a sentence. The run has done all that it could without it.
fn unusable(channel: &Channel) -> Option<String> {
    let why = channel.missing()?.in_words();
    Some(format!("alerts cannot leave through the channel `{}`, and wait for it: {why}", channel.name()))
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
    let looked_at = LookedAt {
        window,
        has_seen: verdict != Verdict::Nothing,
        is_present: stretch.seen_until(coverage).is_some(),
        judged: judged.cloned(),
        with_late,
        left_open: stretch.left_open(judged, coverage),
    };
    archive.keep_run(looked_at).await
}

/// Up to when everything was judged; of a program that looks at each window by itself, the end of the last one.
async fn judged_until(archive: &Archive, stretch: &Stretch) -> Option<DateTime<Utc>> {
    let judged = archive.judged().await.ok()?;
    if stretch.stands_alone { judged.ended() } else { judged.until() }
}

/// Prints the report. Where it has nothing to say, `notes` are printed all the same.
fn print(mut text: Vec<u8>, program: &str, notes: &[Cow<'_, str>]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    if text.is_empty() {
        text = notes.iter().map(|note| format!("Note: {note}\n")).collect::<String>().into_bytes();
    }
    if text.is_empty() && stdout.is_terminal() {
        text = format!("{program}: nothing new to report; everything the portal records was seen\n").into_bytes();
    }
    stdout.write_all(&text).and_then(|()| stdout.flush()).context("cannot print the report")
}
