//! Looking at the portal: what a run is, the program's own part of it, and going on with an empty store when the one of the run fails.

use std::sync::Arc;
use std::time::Instant;

use alerting::{Channel, Mailer};
use anyhow::anyhow;
use audit_model::{Coverage, GapReason, MainSource, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AUDIT_TRAIL, Client, Halt, Portal};
use event_archive::{Archive, Look};
use job_store::Store;
use tokio::sync::Mutex;
use url::Url;

use crate::Error;
use crate::args::CommonArgs;
use crate::clock::ClockDifference;
use crate::config::{CommonConfig, Settings};
use crate::exit::is_moved;
use crate::explained::Explained;
use crate::failures::Failures;
use crate::head::{Head, PortalName, RunFacts};
use crate::hold;
use crate::job::{Job, Refusal, Settled, Unsettled};
use crate::keeping;
use crate::key_end::KeyWatch;
use crate::members;
use crate::names::{self, Unknown};
use crate::naming::Naming;
use crate::program::{Program, ReportOf};
use crate::report::{Judgement, Report};
use crate::rights;
use crate::setup;
use crate::state_path::State;
use crate::stop::Stop;
use crate::stores::{Stores, is_of_store};
use crate::surroundings;
use crate::voice::Voice;
use crate::window::Stretch;

/// What a run looks with.
pub(crate) struct Run<'a, P: Program> {
    pub(crate) args: &'a CommonArgs,
    pub(crate) common: &'a CommonConfig,
    pub(crate) config: &'a P::Config,
    pub(crate) state: &'a State,
    pub(crate) client: Client,
    pub(crate) portal_url: Url,
    pub(crate) naming: Naming,
    pub(crate) mailer: Option<Arc<Mutex<Mailer>>>,
    pub(crate) channels: &'a [Channel],
    pub(crate) now: DateTime<Utc>,
    /// The same moment, on a clock that nobody sets.
    pub(crate) started: Instant,
    pub(crate) has_lock: bool,
    /// Whether an earlier run has had a store.
    pub(crate) had_store: bool,
}

/// What a look gave.
pub(crate) struct AfterLook<P: Program> {
    pub(crate) report: ReportOf<P>,
    pub(crate) stretch: Stretch,
    pub(crate) archive: Archive,
    /// What nobody has looked at after the window, because this machine's clock is wrong.
    pub(crate) unseen_after: Option<Window>,
    pub(crate) key_watch: KeyWatch,
    /// Entries of the settings that mean nobody, a sentence each.
    pub(crate) misnamed: Vec<String>,
    /// With who is in the groups that they name.
    pub(crate) channels: Vec<Channel>,
    pub(crate) settled: Settled,
    /// What to act with; `None` when the run came to no conclusion of its own.
    pub(crate) job: Option<Job>,
}

impl<P: Program> Run<'_, P> {
    /// A store that fails, while it is opened or at any moment later, keeps no run from looking: it begins again with an empty one.
    /// `on_server` is the store that the lease of this run is of, or why there is none.
    pub(crate) async fn look(
        &self,
        on_server: Option<anyhow::Result<Store>>,
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> anyhow::Result<(Stores, AfterLook<P>)> {
        let part = self.config.part();
        let opened = Stores::open(self.state, on_server, &part, self.args.dry_run, self.had_store);
        let opened = stop.hurry(opened).await;
        let failure = match opened.unwrap_or_else(|| Err(anyhow!("the run was stopped while its store was opened"))) {
            Ok(stores) => match self.look_with(&stores, failures, stop).await {
                Err(failure) if hold::is_lost(&failure) => return self.without_lease(&failure, failures, stop).await,
                Err(failure) if is_of_store(&failure) => failure,
                looked => return looked.map(|looked| (stores, looked)),
            },
            Err(failure) if hold::is_lost(&failure) => return self.without_lease(&failure, failures, stop).await,
            Err(failure) if is_moved(&failure) => return Err(failure),
            Err(failure) => failure,
        };
        let stores = self.without_memory(&failure, failures).await?;
        let looked = self.look_with(&stores, failures, stop).await?;
        Ok((stores, looked))
    }

    /// What the run goes on with after its store has failed.
    pub(crate) async fn without_memory(
        &self,
        failure: &anyhow::Error,
        failures: &mut Failures,
    ) -> anyhow::Result<Stores> {
        failures.warn(&format!("going on without memory: {}", Explained::of(failure)));
        Stores::without_memory(failure, self.state, &self.config.part(), self.args.dry_run, self.now).await
    }

    /// What is left to a run that has lost its lease: to say so. Another run looks at the same time and tells what it finds, so this one
    /// asks the portal nothing more, tells nothing and changes nothing.
    pub(crate) async fn without_lease(
        &self,
        failure: &anyhow::Error,
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> anyhow::Result<(Stores, AfterLook<P>)> {
        failures.error(&Explained::of(failure).to_string());
        self.client.halt(Halt::Interrupted);
        let stores = Stores::without_lease(failure, &self.config.part()).await?;
        let looked = self.look_with(&stores, failures, stop).await?;
        Ok((stores, looked))
    }

    async fn look_with(
        &self,
        stores: &Stores,
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> anyhow::Result<AfterLook<P>> {
        let now = self.now;
        let probed = match stop.limit(&self.client, probe(&self.client, &stores.archive, now, P::ABOUT.main)).await {
            Ok(probed) => probed?.map_err(Some),
            Err(_) => Err(None),
        };
        let here = now + TimeDelta::from_std(self.started.elapsed()).unwrap_or_default();
        let clocks = ClockDifference::between(here, self.client.portal_now());
        let mut notes: Vec<String> = clocks.note().into_iter().collect();
        notes.iter().for_each(|note| failures.warn(note));
        let key_watch = KeyWatch::look(&stores.store, &self.client, probed.is_ok(), now);
        let key_watch = stop.limit(&self.client, key_watch).await.unwrap_or_default();
        let zone = probed.as_ref().map_or(chrono_tz::Tz::UTC, |portal| portal.time_zone);
        let judged = stores.archive.judged().await?;
        let mut stretch = Stretch::new::<P>(self.args, self.config, &judged, (now, clocks.present(now)), zone)?;
        stretch.reach_back(stores.outbox.open_since(&self.config.part(), now).await?);
        notes.extend(probed.as_ref().ok().and_then(unknown_time_zone));
        notes.extend(stores.note.clone());
        notes.extend(stretch.note.clone());
        notes.extend(key_watch.note.clone());
        let misnamed = match probed {
            Ok(_) => {
                let named = surroundings::named::<P>(self.common, self.config, now);
                let looked_up = names::for_run(&named, &stores.store, &self.client, now);
                stop.limit(&self.client, looked_up).await.unwrap_or_default()
            }
            Err(_) => Vec::new(),
        };
        let asked = probed.is_ok().then_some(&self.client);
        let resolved = members::of_channels(self.channels, &stores.store, asked, now);
        let channels = stop.limit(&self.client, resolved).await.unwrap_or_else(|_| self.channels.to_vec());
        let unknown: Vec<Unknown> = misnamed;
        let misnamed: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        notes.extend(misnamed.iter().cloned());
        let refusal = [
            (!stores.has_memory() || stores.gone.is_some()).then_some(Refusal::NoMemory),
            (!self.has_lock).then_some(Refusal::NoLock),
            clocks.refusal(),
        ];
        let refusal = refusal.into_iter().flatten().next();
        let may_tell = matches!(refusal, None | Some(Refusal::Clock { .. }));
        let voice = Voice {
            about: &P::ABOUT,
            portal_url: self.portal_url.clone(),
            time_zone: self.config.time_zone().or(probed.as_ref().ok().map(|portal| portal.time_zone)),
            naming: self.naming.clone(),
            outbox: stores.outbox.clone(),
            channels: channels.clone(),
        };
        let settled = self.settle((stores, &voice, refusal), failures, stop).await;
        let archive = stores.archive.clone().with_holes(stretch.holes.clone());
        let unseen_after = clocks.unseen(stretch.window.until).filter(|_| stretch.ends_by_clock);
        let run = RunFacts { started_at: now, dry_run: self.args.dry_run };
        let mut name = PortalName::new(self.portal_url.clone(), probed.as_ref().ok());
        name.time_zone = self.config.time_zone().or(name.time_zone);
        let mut head = Head::new(&P::ABOUT, name, run, stretch.window, Coverage::default());
        head.notes = notes;
        head.notes.extend(settled.left.iter().map(|left| format!("not everything was done: {left}")));
        head.naming = self.naming.clone();
        let (mut report, job) = match probed {
            Ok(portal) => {
                let job = Job {
                    portal_url: self.portal_url.clone(),
                    client: self.client.clone(),
                    portal,
                    archive: archive.clone(),
                    store: refusal.map_or_else(|| Ok(stores.store.clone()), Err),
                    store_for_telling: may_tell.then(|| stores.store.clone()),
                    window: stretch.window,
                    unseen_after,
                    now,
                    started: setup::instant_of(now),
                    dry_run: self.args.dry_run,
                    has_window: self.args.since.is_some() || self.args.until.is_some(),
                    misnamed: unknown,
                    settled: settled.clone(),
                    voice,
                    mailer: self.mailer.clone(),
                    service_accounts: self.common.robots(),
                    naming: self.naming.clone(),
                };
                match self.judge(&job, (head, &stretch), stores.has_memory(), failures, stop).await? {
                    (report, true) => (report, Some(job)),
                    (report, false) => (report, None),
                }
            }
            Err(failed) => {
                let why = failed.as_ref().map_or(halted(&self.client), docspace_client::Error::gap_reason);
                // the one source that was asked may not be the main one
                let asked =
                    failed.as_ref().filter(|failed| failed.asked == AUDIT_TRAIL).map(|_| MainSource::Audit.name());
                failed.into_iter().for_each(|failed| failures.error(&Explained::of(&failed.into()).to_string()));
                let mut report = self.unseen((head, &stretch), P::ABOUT.main.name(), why);
                asked.into_iter().for_each(|asked| report.head.coverage.gap(asked, stretch.window, why));
                (report, None)
            }
        };
        if job.is_none() {
            report.head.notes.extend(settled.said.iter().cloned());
        }
        if !self.naming.is_clear() {
            let archive = keeping::open_all(&stores.store).await?;
            report.head.naming = self.naming.knowing(rights::named(&stores.store, &archive).await?);
        }
        Ok(AfterLook { report, stretch, archive, unseen_after, key_watch, misnamed, channels, settled, job })
    }

    /// What the program settles before it looks. What it could not is said at once: a mistake in its files may end the run here.
    async fn settle(
        &self,
        (stores, voice, refusal): (&Stores, &Voice, Option<Refusal>),
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> Settled {
        let unsettled = Unsettled {
            client: self.client.clone(),
            store: (refusal != Some(Refusal::NoMemory)).then(|| stores.store.clone()),
            store_file: self.state.store_file(),
            voice: voice.clone(),
            now: self.now,
            started: setup::instant_of(self.now),
            only_looks: self.args.dry_run || refusal == Some(Refusal::NoLock),
            has_window: self.args.since.is_some() || self.args.until.is_some(),
        };
        let settled = match stop.limit(&self.client, P::settle(self.config, &unsettled)).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(failure)) => Settled { left: Some(Explained::of(&failure).to_string()), ..Settled::default() },
            Err(_) => Settled::default(),
        };
        settled.left.iter().for_each(|left| failures.insist(left));
        settled
    }

    /// The program's questions and its rule, and whether it came to a conclusion. Only mistakes in flags and settings are errors, and a
    /// store that can be replaced.
    async fn judge(
        &self,
        job: &Job,
        (mut head, stretch): (Head, &Stretch),
        has_memory: bool,
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> anyhow::Result<(ReportOf<P>, bool)> {
        // without the feature every question is answered by the newest few events, whatever was asked
        if !job.portal.audit_filter_works {
            return Ok((self.unseen((head, stretch), P::ABOUT.main.name(), GapReason::AuditFeatureMissing), true));
        }
        let what = (job.client.clone(), job.archive.clone());
        let look = Look::new(what, (job.window, job.now), P::ABOUT.main, P::ABOUT.blind_spots);
        let mut look = look.judging_from(stretch.judged_from);
        match stop.limit(&self.client, P::gather(self.config, job, &mut look)).await {
            Ok(Ok(facts)) => {
                head.coverage = look.into_coverage();
                Ok((Report::new(head, P::judge(self.config, facts)), true))
            }
            Ok(Err(failure)) if failure.is::<Error>() || has_memory && is_of_store(&failure) => Err(failure),
            Ok(Err(failure)) => {
                let what = if is_of_store(&failure) { "store" } else { "run" };
                let explained = Explained::of(&failure).to_string();
                failures.error(&explained);
                head.notes.push(explained);
                Ok((self.unseen((head, stretch), what, GapReason::StoreError), false))
            }
            Err(halt) => {
                if halt == Halt::OutOfTime {
                    failures.error("the run took longer than `run_limit`; what it read stays in the archive");
                }
                Ok((self.unseen((head, stretch), "run", halted(&self.client)), false))
            }
        }
    }

    /// The report of a run that could not look at anything, the holes before its window included.
    fn unseen(&self, (mut head, stretch): (Head, &Stretch), what: &str, why: GapReason) -> ReportOf<P> {
        head.coverage = Coverage { main: P::ABOUT.main, ..Coverage::unseen(what, head.window, why) };
        stretch.holes.iter().for_each(|hole| head.coverage.gap(what, *hole, why));
        let body = P::unseen(self.config, &head);
        Report::new(head, Judgement { findings: Vec::new(), body, notes: Vec::new() })
    }
}

/// The reason for what was not asked any more.
fn halted(client: &Client) -> GapReason {
    match client.halted() {
        Some(Halt::Interrupted) => GapReason::Interrupted,
        Some(Halt::OutOfTime) | None => GapReason::BudgetExhausted,
    }
}

/// What the report must say of a portal whose clock changes nobody knows.
fn unknown_time_zone(portal: &Portal) -> Option<String> {
    let zone = portal.unknown_time_zone.as_ref()?;
    let (what, choose) = match zone.raw() {
        "" => ("the portal does not say what its time zone is".to_owned(), "choose one"),
        _ => {
            let what = format!("this program does not know the portal's time zone {}", zone.for_terminal());
            (what, "choose another time zone")
        }
    };
    Some(format!(
        "{what}: where clocks were set back, actions can be dated up to an hour late; {choose} in the portal's settings, such as \
         Europe/Berlin"
    ))
}

/// What the portal says about itself: remembered for a day, or until a run could not see everything. Only the store's failure is
/// an error; the portal's is handed on.
async fn probe(
    client: &Client,
    archive: &Archive,
    now: DateTime<Utc>,
    main: MainSource,
) -> anyhow::Result<Result<Portal, docspace_client::Error>> {
    if let Some(known) = archive.portal(now).await? {
        let portal = client.probe_again(known).await;
        if portal.as_ref().is_ok_and(|portal| portal.audit_filter_works) {
            return Ok(portal);
        }
    }
    let portal = client.probe().await;
    archive.keep_portal(portal.as_ref().ok(), now).await?;
    Ok(match portal {
        Err(failed) if main != MainSource::Audit => client.probe_without_audit(failed).await,
        portal => portal,
    })
}
