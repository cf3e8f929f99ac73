//! Our own failures are not a second storm: what was told is not told again for a while, neither by the log nor by the report.
//!
//! While a job runs, every warning and error that is on its way to stderr comes past here. One that was told within the day waits
//! for the end of the run, when it is clear how long a person is left in peace: an hour after a run that concluded or that could
//! conclude nothing, a day where the same gap stays. Then all that waits is shown, or none of it. The report follows the same rule,
//! so nobody gets "nothing can be concluded" without the reason, or the reason without the report.
//!
//! Remembered in a file beside the lock and not in the store, because a store that cannot be used is one of the failures; where that
//! cannot be written, in the next best place. A host that keeps its store on a server may have no place for files, so there the store
//! remembers it, and a file does while the server is away.

mod class;
mod told_before;

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use audit_model::{Coverage, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;
use tracing::{Level, debug, error, warn};

use self::told_before::{A_DAY, ToldBefore};
use crate::exit::Exit;
use crate::memory::Memory;
use crate::place::Place;

/// Cron mails every line, and one mail an hour is enough to act on.
const AN_HOUR: TimeDelta = TimeDelta::hours(1);

/// The name under which a store on a server remembers it.
const TOLD: &str = "told_failures";

/// What a run says of the failures that earlier runs have told.
#[derive(Debug)]
pub(crate) struct Failures {
    /// Where it is remembered, best first; nowhere when nothing may be remembered: then everything is told.
    places: Vec<Place>,
    now: DateTime<Utc>,
    gate: Gate,
}

impl Failures {
    /// Reads what earlier runs told, and holds that back from now on. A file that cannot be read is as good as none.
    pub(crate) fn read(places: Vec<Place>, now: DateTime<Utc>, gate: Gate) -> Self {
        if !places.is_empty() {
            // it went to a worse place when a better one could not be written any more
            let last = places.iter().rev().find(|place| place.is_taken());
            let text = last.and_then(|place| fs::read_to_string(&place.path).ok()).unwrap_or_default();
            gate.close(ToldBefore::parse(&text, now));
        }
        Failures { places, now, gate }
    }

    /// Reads what earlier runs have told as well, of which their store on a server knows.
    pub(crate) async fn recall(&mut self, store: &Store) {
        let told = async { Memory::open(store).await?.get(TOLD).await };
        match told.await {
            Ok(Some((text, _))) => self.gate.also(ToldBefore::parse(&text, self.now)),
            Ok(None) => {}
            Err(failure) => debug!("what was told before is not known: {:#}", anyhow::Error::new(failure)),
        }
    }

    /// Logs something that kept the run from its job.
    pub(crate) fn error(&mut self, text: &str) {
        error!("{text}");
    }

    /// Logs what each run has to say for as long as it is so: whoever sees the exit code alone must find the reason beside it.
    pub(crate) fn insist(&mut self, text: &str) {
        let held = self.gate.open();
        error!("{text}");
        held.into_iter().for_each(|told| self.gate.close(told));
    }

    /// Logs something that the run could do without.
    pub(crate) fn warn(&mut self, text: &str) {
        warn!("{text}");
    }

    /// Whether a report that tells of nothing but this coverage is news, or has not been told for long enough. Then the lines of
    /// the log that wait are shown as well.
    pub(crate) fn is_news(&mut self, coverage: &Coverage) -> bool {
        let verdict = coverage.verdict();
        let patience = match verdict {
            Verdict::Complete => return true,
            Verdict::Incomplete => A_DAY,
            Verdict::Nothing => AN_HOUR,
        };
        let notes: &[&str] = if verdict == Verdict::Nothing { &["nothing can be concluded"] } else { &[] };
        self.gate.with(|told| {
            let is_news = told.has_new_gap(&coverage.merged_gaps(), verdict, patience);
            let is_worse = told.due(notes, patience).next().is_some();
            told.settle(patience, is_news || is_worse)
        })
    }

    /// Those of these notes that were not told within the day. From now on they were.
    pub(crate) fn daily<'n>(&mut self, notes: &'n [String]) -> Vec<&'n String> {
        self.gate.with_notes(notes, A_DAY)
    }

    /// Shows what still waits, if it has waited for long enough, and remembers what was told. Without an exit code the run left the
    /// work to another one.
    pub(crate) fn keep(self, exit: Option<Exit>) {
        if let Some((places, text)) = self.settled(exit) {
            write(&places, &text);
        }
    }

    /// The same in a store on a server, and in files only where that fails.
    pub(crate) async fn keep_in(self, exit: Option<Exit>, store: &Store) {
        let now = self.now;
        let Some((places, text)) = self.settled(exit) else { return };
        let kept = async { Memory::open(store).await?.keep(TOLD, &text, now).await };
        match kept.await {
            Ok(()) => clear(&places),
            Err(failure) => {
                debug!("the store does not remember what was told: {:#}", anyhow::Error::new(failure));
                write(&places, &text);
            }
        }
    }

    /// What the next run has to know, and where it looks for it.
    fn settled(self, exit: Option<Exit>) -> Option<(Vec<Place>, String)> {
        let patience = patience(exit);
        self.gate.with(|told| told.settle(patience, false));
        let mut told = self.gate.open()?;
        if exit.is_some_and(Exit::is_success) {
            told.forget_what_is_over();
        }
        Some((self.places, told.text(self.now)))
    }
}

/// Writes into the first place that takes it; what is in the others is outdated.
fn write(places: &[Place], text: &str) {
    let mut rest = places;
    while let [place, others @ ..] = rest {
        rest = others;
        match place.prepare().and_then(|()| told_before::write(text, &place.path)) {
            Ok(()) => break,
            Err(failure) => debug!("nothing can be remembered in {}: {failure}", place.path.display()),
        }
    }
    clear(rest);
}

fn clear(places: &[Place]) {
    for outdated in places.iter().filter(|place| place.is_taken()) {
        if let Err(failure) = outdated.clear() {
            debug!("{} stays: {failure}", outdated.path.display());
        }
    }
}

/// How long somebody is left in peace after a run that ended like this.
fn patience(exit: Option<Exit>) -> TimeDelta {
    match exit {
        // somebody edits and tries again
        Some(Exit::Usage) => TimeDelta::zero(),
        Some(Exit::Incomplete) => A_DAY,
        Some(Exit::Concluded | Exit::Findings | Exit::Nothing) | None => AN_HOUR,
    }
}

/// What stands between the log and stderr. Open it lets every line through. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<GateState>>);

#[derive(Debug, Default)]
struct GateState {
    told: Option<ToldBefore>,
    /// Somebody watches: nothing is ever held back.
    is_watched: bool,
}

impl Gate {
    /// A gate that stays open: a person is reading.
    pub(crate) fn watched() -> Self {
        Gate(Arc::new(Mutex::new(GateState { told: None, is_watched: true })))
    }

    /// Whether this line goes to stderr now.
    pub(crate) fn lets_through(&self, level: Level, line: &str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_watched = state.is_watched;
        match &mut state.told {
            // smaller is worse
            Some(told) if level <= Level::WARN => told.lets_through(line) || is_watched,
            _ => true,
        }
    }

    fn close(&self, told: ToldBefore) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).told = Some(told);
    }

    fn also(&self, told: ToldBefore) {
        if let Some(known) = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).told {
            known.also(told);
        }
    }

    fn open(&self) -> Option<ToldBefore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).told.take()
    }

    /// Asks what was told, and shows the lines that are due after that. An open gate says that everything is news.
    fn with(&self, settle: impl FnOnce(&mut ToldBefore) -> Option<Vec<String>>) -> bool {
        let (settled, is_watched) = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (state.told.as_mut().map(settle), state.is_watched)
        };
        match settled {
            Some(Some(lines)) if !is_watched => {
                let mut stderr = io::stderr().lock();
                for line in lines {
                    // nobody can be told that stderr is closed
                    let _ = stderr.write_all(line.as_bytes());
                }
                true
            }
            Some(None) => is_watched,
            Some(Some(_)) | None => true,
        }
    }

    fn with_notes<'n>(&self, notes: &'n [String], patience: TimeDelta) -> Vec<&'n String> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_watched = state.is_watched;
        let Some(told) = &mut state.told else { return notes.iter().collect() };
        let due: Vec<&String> = told.due(notes, patience).collect();
        if is_watched { notes.iter().collect() } else { due }
    }
}

#[cfg(test)]
mod tests;
