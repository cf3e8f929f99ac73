//! Looking at the portal: what a run is, the program's own part of it, and going on with an empty store when the one of the run fails.

use std::sync::Arc;
use std::time::Instant;

use alerting::Mailer;
use anyhow::anyhow;
use audit_model::{Coverage, GapReason};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Halt, Portal};
use event_archive::Archive;
use tokio::sync::Mutex;
use url::Url;

use crate::Error;
use crate::args::CommonArgs;
use crate::clock::ClockDifference;
use crate::config::CommonConfig;
use crate::failures::Failures;
use crate::job::{Job, Refusal};
use crate::key_end::KeyWatch;
use crate::names;
use crate::program::Program;
use crate::setup;
use crate::state_path::StatePaths;
use crate::stop::Stop;
use crate::stores::{Stores, is_of_store};
use crate::window::Look;

/// What a run looks with.
pub(crate) struct Run<'a, P: Program> {
    pub(crate) args: &'a CommonArgs,
    pub(crate) common: &'a CommonConfig,
    pub(crate) config: &'a P::Config,
    pub(crate) paths: &'a StatePaths,
    pub(crate) client: Client,
    pub(crate) portal_url: Url,
    pub(crate) mailer: Option<Arc<Mutex<Mailer>>>,
    pub(crate) now: DateTime<Utc>,
    /// The same moment, on a clock that nobody sets.
    pub(crate) started: Instant,
    pub(crate) has_lock: bool,
}

/// What a look gave.
pub(crate) struct Looked<P: Program> {
    pub(crate) job: Job,
    pub(crate) outcome: P::Outcome,
    pub(crate) look: Look,
    pub(crate) key_watch: KeyWatch,
    /// Entries of the settings that mean nobody, a sentence each.
    pub(crate) misnamed: Vec<String>,
    /// Whether the program itself came to the outcome.
    pub(crate) has_looked: bool,
}

impl<P: Program> Run<'_, P> {
    /// A store that fails, while it is opened or at any moment later, keeps no run from looking: it begins again with an empty one.
    pub(crate) async fn look(&self, failures: &mut Failures, stop: &mut Stop) -> anyhow::Result<(Stores, Looked<P>)> {
        let part = P::part(self.config);
        let opened = stop.hurry(Stores::open(self.paths, &part, self.args.dry_run)).await;
        let failure = match opened.unwrap_or_else(|| Err(anyhow!("the run was ended while its store was opened"))) {
            Ok(stores) => match self.look_with(&stores, failures, stop).await {
                Err(failure) if is_of_store(&failure) => failure,
                looked => return looked.map(|looked| (stores, looked)),
            },
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
        failures.warn(&format!("going on without memory: {failure:#}"));
        Stores::without_memory(failure, self.paths, &P::part(self.config), self.args.dry_run, self.now).await
    }

    async fn look_with(&self, stores: &Stores, failures: &mut Failures, stop: &mut Stop) -> anyhow::Result<Looked<P>> {
        let now = self.now;
        let probed = match stop.limit(&self.client, probe(&self.client, &stores.archive, now)).await {
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
        let look = Look::new::<P>(self.args, self.config, &judged, now, zone)?;
        notes.extend(stores.note.clone());
        notes.extend(look.note.clone());
        notes.extend(key_watch.note.clone());
        let (portal, failed) = match probed {
            Ok(portal) => (Some(portal), None),
            Err(failed) => (None, Some(failed)),
        };
        let misnamed = match portal {
            Some(_) => {
                let named = setup::named::<P>(self.common, self.config, now);
                let looked_up = names::for_run(&named, &stores.store, &self.client, now);
                stop.limit(&self.client, looked_up).await.unwrap_or_default()
            }
            None => Vec::new(),
        };
        let misnamed: Vec<String> = misnamed.iter().map(ToString::to_string).collect();
        notes.extend(misnamed.iter().cloned());
        let refusal = [
            (!stores.has_memory()).then_some(Refusal::NoMemory),
            (!self.has_lock).then_some(Refusal::NoLock),
            clocks.refusal(),
        ];
        let job = Job {
            program: P::NAME,
            version: P::VERSION,
            portal_url: self.portal_url.clone(),
            client: self.client.clone(),
            portal,
            archive: stores.archive.clone().with_holes(look.holes.clone()),
            store: refusal.into_iter().flatten().next().map_or_else(|| Ok(stores.store.clone()), Err),
            window: look.window,
            unseen_after: clocks.unseen(look.window.until).filter(|_| look.ends_by_clock),
            now,
            dry_run: self.args.dry_run,
            mailer: self.mailer.clone(),
            service_accounts: self.common.service_accounts.iter().map(|account| account.to_lowercase()).collect(),
            notes,
        };
        let (outcome, has_looked) = match failed {
            None => self.run(&job, stores.has_memory(), failures, stop).await?,
            Some(failed) => {
                let why = failed.as_ref().map_or(halted(&self.client), docspace_client::Error::gap_reason);
                failed.into_iter().for_each(|failed| failures.error(&format!("{:#}", anyhow::Error::new(failed))));
                (self.unseen(&job, P::MAIN.name(), why), false)
            }
        };
        Ok(Looked { job, outcome, look, key_watch, misnamed, has_looked })
    }

    /// The program's own look. Only mistakes in flags and settings are errors, and a store that can be replaced.
    async fn run(
        &self,
        job: &Job,
        has_memory: bool,
        failures: &mut Failures,
        stop: &mut Stop,
    ) -> anyhow::Result<(P::Outcome, bool)> {
        match stop.limit(&self.client, P::run(self.config, job)).await {
            Ok(Ok(outcome)) => Ok((outcome, true)),
            Ok(Err(failure)) if failure.is::<Error>() || has_memory && is_of_store(&failure) => Err(failure),
            Ok(Err(failure)) => {
                let what = if is_of_store(&failure) { "store" } else { "run" };
                failures.error(&format!("{failure:#}"));
                let mut outcome = self.unseen(job, what, GapReason::StoreError);
                P::head(&mut outcome).notes.push(format!("{failure:#}"));
                Ok((outcome, false))
            }
            Err(halt) => {
                if halt == Halt::OutOfTime {
                    failures.error("the run took longer than `run_limit`; what it read stays in the archive");
                }
                Ok((self.unseen(job, "run", halted(&self.client)), false))
            }
        }
    }

    fn unseen(&self, job: &Job, what: &str, why: GapReason) -> P::Outcome {
        P::unseen(self.config, job, Coverage { main: P::MAIN, ..Coverage::unseen(what, job.window, why) })
    }
}

/// The reason for what was not asked any more.
fn halted(client: &Client) -> GapReason {
    match client.halted() {
        Some(Halt::Interrupted) => GapReason::Interrupted,
        Some(Halt::OutOfTime) | None => GapReason::BudgetExhausted,
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
