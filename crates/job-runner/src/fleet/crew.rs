//! The runs that wait and those that are at work, of whatever round, and those that have ended and were not told yet.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::arguments::Arguments;
use super::child::{Child, Ended};
use super::outcome::Outcome;
use super::places::Places;
use super::round::Run;
use crate::setup;

/// Starts runs, waits for them, and keeps what became of each until it is told. No portal is in it twice.
pub(crate) struct Crew<'a> {
    arguments: &'a Arguments,
    places: Places,
    /// By the portal's settings file: those that wait, and those at work with the moment of their start.
    runs: BTreeMap<PathBuf, (Run, Option<DateTime<Utc>>)>,
    at_work: FuturesUnordered<LocalBoxFuture<'a, (PathBuf, Ended, Duration)>>,
    ended: Vec<Outcome>,
    stop: watch::Sender<bool>,
}

impl<'a> Crew<'a> {
    pub(crate) fn new(arguments: &'a Arguments, places: Places) -> Self {
        Crew {
            arguments,
            places,
            runs: BTreeMap::new(),
            at_work: FuturesUnordered::new(),
            ended: Vec::new(),
            stop: watch::channel(false).0,
        }
    }

    /// Nobody waits, and nobody is at work.
    pub(crate) fn is_idle(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn is_anybody_waiting(&self) -> bool {
        self.places.is_anybody_waiting()
    }

    /// Whether a round that has had its time waits on.
    pub(crate) fn holds_up(&self) -> bool {
        self.places.holds_up(Instant::now())
    }

    /// When to look again, though no run has ended by then.
    pub(crate) fn wakes(&self) -> Option<Instant> {
        self.places.wakes(Instant::now())
    }

    /// A portal for its next run, unless its last one still waits or is at work.
    pub(crate) fn queue(&mut self, run: Run, turn: Instant) {
        let portal = run.portal();
        if self.places.has(&portal.file) {
            return;
        }
        if let Some(refusal) = &portal.refusal {
            warn!("{}: {refusal}", portal.name);
            self.ended.push(Outcome::refused(run.clone(), refusal));
            return;
        }
        self.places.queue(portal.file.clone(), turn);
        self.runs.insert(portal.file.clone(), (run, None));
    }

    /// As many as there are places for.
    pub(crate) fn start(&mut self) {
        while let Some(file) = self.places.start(Instant::now()) {
            let Some((run, since)) = self.runs.get_mut(&file) else { continue };
            *since = Some(setup::now());
            info!(portal = run.portal().name, "run starts");
            self.at_work.push(work(file, run.clone(), self.arguments, self.stop.subscribe()).boxed_local());
        }
    }

    /// Until a run ends; for ever when none is at work.
    pub(crate) async fn next_end(&mut self) {
        let Some((file, ended, took)) = self.at_work.next().await else { return std::future::pending().await };
        self.places.end(&file);
        self.ended.extend(self.runs.remove(&file).map(|(run, _)| Outcome::of(run, &ended, took)));
    }

    /// Nobody starts any more, and those at work conclude with what they have read.
    pub(crate) fn stop(&mut self) {
        self.stop.send_replace(true);
        self.places.clear_waiting();
        for (run, _) in self.runs.extract_if(.., |_, (_, since)| since.is_none()).map(|(_, waiting)| waiting) {
            self.ended.push(Outcome::not_looked_at(run));
        }
    }

    /// Those that have ended since the last round was told.
    pub(crate) fn ended(&self) -> &[Outcome] {
        &self.ended
    }

    /// What is told of a round, by the names of the portals: each that has ended, which is not told again, and each that goes on.
    pub(crate) fn tell(&mut self) -> Vec<Outcome> {
        self.places.outlive();
        let mut outcomes = std::mem::take(&mut self.ended);
        outcomes.extend(self.runs.values().map(|(run, since)| match since {
            Some(since) => Outcome::at_work(run.clone(), *since),
            None => Outcome::waits(run.clone()),
        }));
        outcomes.sort_by(|one, other| one.run.portal().file.cmp(&other.run.portal().file));
        outcomes
    }
}

/// One run from its start to its end.
async fn work(
    file: PathBuf,
    run: Run,
    arguments: &Arguments,
    stopped: watch::Receiver<bool>,
) -> (PathBuf, Ended, Duration) {
    let began = Instant::now();
    let portal = run.portal();
    let ended = match run.command(arguments) {
        Ok(command) => Child { command, name: &portal.name, limit: portal.limit() }.run(stopped).await,
        Err(failure) => Ended::not_started(failure),
    };
    (file, ended, began.elapsed())
}
