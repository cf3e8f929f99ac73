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
    pub(crate) fn holds_up(&self, now: Instant) -> bool {
        self.places.holds_up(now)
    }

    /// When to look again, though no run has ended by then. The same `now` as in [`start`](Self::start), so that no moment lies between.
    pub(crate) fn wakes(&self, now: Instant) -> Option<Instant> {
        self.places.wakes(now)
    }

    /// The portals of a round, each for its next run, with the moment before which it does not start. One whose last run is at work is left
    /// to it. One that still waits keeps its place and its turn, and starts with what the settings say now; it waits no more when they are
    /// gone or refused.
    pub(crate) fn queue(&mut self, runs: impl Iterator<Item = (Run, Instant)>) {
        let mut waited = self.take_waiting();
        for (run, turn) in runs.filter(|(run, _)| !self.runs.contains_key(&run.portal().file)).collect::<Vec<_>>() {
            let portal = run.portal();
            if let Some(refusal) = &portal.refusal {
                warn!("{}: {refusal}", portal.name);
                self.ended.push(Outcome::refused(run.clone(), refusal));
                continue;
            }
            if waited.remove(&portal.file).is_none() {
                self.places.queue(portal.file.clone(), turn);
            }
            self.runs.insert(portal.file.clone(), (run, None));
        }
        let runs = &self.runs;
        self.places.retain_waiting(|file| runs.contains_key(file));
    }

    /// As many as there are places for.
    pub(crate) fn start(&mut self, now: Instant) {
        while let Some(file) = self.places.start(now) {
            let Some((run, since)) = self.runs.get_mut(&file) else { continue };
            *since = Some(setup::now());
            info!(portal = run.portal().name, "run starts");
            self.at_work.push(work(file, run.clone(), self.arguments, self.stop.subscribe()).boxed_local());
        }
    }

    /// Until a run ends; for ever when none is at work.
    pub(crate) async fn next_end(&mut self) {
        let Some((file, ended, took)) = self.at_work.next().await else { return std::future::pending().await };
        self.places.end(&file, Instant::now());
        self.ended.extend(self.runs.remove(&file).map(|(run, _)| Outcome::of(run, &ended, took)));
    }

    /// Nobody starts any more, and those at work conclude with what they have read.
    pub(crate) fn stop(&mut self) {
        self.stop.send_replace(true);
        self.places.retain_waiting(|_| false);
        let waited = self.take_waiting();
        self.ended.extend(waited.into_values().map(Outcome::not_looked_at));
    }

    /// The runs that wait, which are forgotten here but not in their places.
    fn take_waiting(&mut self) -> BTreeMap<PathBuf, Run> {
        let waiting = self.runs.extract_if(.., |_, (_, since)| since.is_none());
        waiting.map(|(file, (run, _))| (file, run)).collect()
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::portals::Portal;
    use super::super::round::Round;
    use super::*;
    use crate::exit::Exit;

    /// A round over these portals, with their labels and why they are refused.
    fn round(portals: &[(&str, &str, Option<&str>)]) -> Arc<Round> {
        let portal = |&(name, label, refusal): &(&str, &str, Option<&str>)| Portal {
            name: name.to_owned(),
            file: name.into(),
            url: None,
            label: label.to_owned(),
            run_limit: Duration::ZERO,
            textfile: None,
            state: None,
            refusal: refusal.map(str::to_owned),
        };
        Arc::new(Round::over(portals.iter().map(portal).collect()))
    }

    fn told(crew: &mut Crew<'_>) -> Vec<(String, String, Exit)> {
        let name =
            |outcome: Outcome| (outcome.run.portal().name.clone(), outcome.run.portal().label.clone(), outcome.exit);
        crew.tell().into_iter().map(name).collect()
    }

    /// Somebody edits, removes or doubles settings while their portal waits, which can take hours where others hang.
    #[test]
    fn who_waits_goes_by_what_the_settings_say_now() {
        let arguments = Arguments {
            program: PathBuf::new(),
            flags: Vec::new(),
            textfile_variable: String::new(),
            summaries: Vec::new(),
        };
        let mut crew = Crew::new(&arguments, Places::new(1, None));
        let later = Instant::now() + Duration::from_secs(3_600);
        let [first, second] = [
            round(&[("a", "old", None), ("b", "old", None), ("c", "old", None)]),
            round(&[("a", "new", None), ("c", "new", Some("a twin")), ("d", "new", Some("a twin"))]),
        ];
        crew.queue(first.runs().map(|run| (run, later)));
        let waits = |name: &str, label: &str| (name.to_owned(), label.to_owned(), Exit::Incomplete);
        assert_eq!(told(&mut crew), ["a", "b", "c"].map(|name| waits(name, "old")));
        crew.queue(second.runs().map(|run| (run, later + Duration::from_secs(1))));
        assert_eq!(Arc::strong_count(&first), 1, "nobody needs its folder any more");
        let refused = |name: &str| (name.to_owned(), "new".to_owned(), Exit::Usage);
        assert_eq!(told(&mut crew), [waits("a", "new"), refused("c"), refused("d")]);
        assert_eq!(told(&mut crew), [waits("a", "new")], "nobody is told twice");
        let places = &mut crew.places;
        assert_eq!(places.start(later).as_deref(), Some(Path::new("a")), "when it would have been");
        assert_eq!(places.start(later + Duration::from_secs(20)), None, "nobody else waits");
    }
}
