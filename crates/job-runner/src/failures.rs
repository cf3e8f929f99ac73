//! Our own failures are not a second storm: what was told is not told again for a while, neither by the log nor by the report.
//!
//! While a job runs, every warning and error that is on its way to stderr comes past here. One that was told within the day waits
//! for the end of the run, when it is clear how long a person is left in peace: an hour after a run that concluded or that could
//! conclude nothing, a day where the same gap stays. Then all that waits is shown, or none of it. The report follows the same rule,
//! so nobody gets "nothing can be concluded" without the reason, or the reason without the report.
//!
//! Remembered in a file beside the lock and not in the store, because a store that cannot be used is one of the failures; where that
//! cannot be written, in the next best place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use audit_model::{Coverage, Gap, GapReason, Verdict, Window};
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use tracing::{Level, debug, error, warn};

use crate::exit::Exit;
use crate::place::Place;

/// Cron mails every line, and one mail an hour is enough to act on.
const AN_HOUR: TimeDelta = TimeDelta::hours(1);

/// What stays until somebody repairs it is told once a day.
const A_DAY: TimeDelta = TimeDelta::hours(24);

/// Longer messages are told apart by their beginning.
const MAX_CLASS_CHARS: usize = 1_000;

/// A gap that moves with the window is another one when it is more than twice as wide, by at least this much.
const WIDER_BY: TimeDelta = TimeDelta::hours(1);

/// What befalls any question alike: which one it befell makes no difference.
const OF_ANY_QUESTION: [GapReason; 5] = [
    GapReason::Unreachable,
    GapReason::TimedOut,
    GapReason::EndedEarly,
    GapReason::DatabaseDown,
    GapReason::ProxyFailed,
];

/// One more of them, of which there is no gap.
const LIMITER: &str = "the portal's limit was reached";

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

    /// Logs something that kept the run from its job.
    pub(crate) fn error(&mut self, text: &str) {
        error!("{text}");
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
        let patience = patience(exit);
        self.gate.with(|told| told.settle(patience, false));
        let Some(mut told) = self.gate.open() else { return };
        if exit.is_some_and(Exit::is_success) {
            told.forget_what_is_over();
        }
        let mut places = self.places.iter();
        for place in places.by_ref() {
            match place.prepare().and_then(|()| told.write(&place.path, self.now)) {
                Ok(()) => break,
                Err(failure) => debug!("nothing can be remembered in {}: {failure}", place.path.display()),
            }
        }
        for outdated in places.filter(|place| place.is_taken()) {
            if let Err(failure) = outdated.clear() {
                debug!("{} stays: {failure}", outdated.path.display());
            }
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

/// What was told, and what waits.
#[derive(Debug)]
struct ToldBefore {
    now: DateTime<Utc>,
    /// Classes of lines and notes, with when they were told.
    lines: BTreeMap<String, DateTime<Utc>>,
    gaps: Vec<ToldGap>,
    /// Classes that this run has met.
    met: BTreeSet<String>,
    waiting: Vec<String>,
    /// Classes of lines that this run has shown.
    shown: BTreeSet<String>,
    /// This run has told something.
    has_news: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ToldGap {
    at: DateTime<Utc>,
    gap: Gap,
}

impl ToldBefore {
    fn parse(text: &str, now: DateTime<Utc>) -> Self {
        let mut told = ToldBefore {
            now,
            lines: BTreeMap::new(),
            gaps: Vec::new(),
            met: BTreeSet::new(),
            waiting: Vec::new(),
            shown: BTreeSet::new(),
            has_news: false,
        };
        for line in text.lines() {
            let Some((at, rest)) = line.split_once(' ') else { continue };
            let Some(at) = instant(at).filter(|at| is_within(*at, now, A_DAY)) else { continue };
            match rest.strip_prefix(GAP).map(parse_gap) {
                Some(Some(gap)) => told.gaps.push(ToldGap { at, gap }),
                _ => drop(told.lines.insert(rest.to_owned(), at)),
            }
        }
        told
    }

    /// Whether this was not told within the day. From now on it was; else it waits.
    fn lets_through(&mut self, line: &str) -> bool {
        let class = class(without_head(line));
        self.met.insert(class.clone());
        if self.shown.contains(&class) {
            return false;
        }
        if self.lines.contains_key(&class) {
            self.waiting.push(line.to_owned());
            return false;
        }
        self.lines.insert(class.clone(), self.now);
        self.shown.insert(class);
        self.has_news = true;
        true
    }

    /// Those of these notes that were not told for so long. From now on they were.
    fn due<'n, T: AsRef<str>>(&mut self, notes: &'n [T], patience: TimeDelta) -> impl Iterator<Item = &'n T> {
        let mut due = Vec::new();
        for note in notes {
            let class = class(note.as_ref());
            let is_known = self.lines.get(&class).is_some_and(|at| is_within(*at, self.now, patience));
            if !is_known {
                self.lines.insert(class.clone(), self.now);
                due.push(note);
            }
            self.met.insert(class);
        }
        due.into_iter()
    }

    /// Whether a gap is new, has changed, or was not told for so long. From now on all of them were.
    fn has_new_gap(&mut self, gaps: &[Gap], verdict: Verdict, patience: TimeDelta) -> bool {
        // where nothing can be concluded, it makes no difference at which question the portal failed
        let is_as_good = |told: &Gap, gap: &Gap| {
            is_same(told, gap)
                || verdict == Verdict::Nothing && is_same(told, &Gap { what: told.what.clone(), ..gap.clone() })
        };
        let is_told = |gap: &Gap| {
            self.gaps.iter().any(|told| is_within(told.at, self.now, patience) && is_as_good(&told.gap, gap))
        };
        if gaps.iter().all(is_told) {
            return false;
        }
        // all of them stand in the report that is printed now
        self.gaps.retain(|told| !gaps.iter().any(|gap| is_same(&told.gap, gap)));
        self.gaps.extend(gaps.iter().map(|gap| ToldGap { at: self.now, gap: gap.clone() }));
        true
    }

    /// The lines that wait, if anything is news or one of them has waited for so long. `None`: all is known.
    fn settle(&mut self, patience: TimeDelta, is_news: bool) -> Option<Vec<String>> {
        let is_due = |line: &String| {
            let at = self.lines.get(&class(without_head(line)));
            at.is_none_or(|at| !is_within(*at, self.now, patience))
        };
        self.has_news |= is_news || self.waiting.iter().any(is_due);
        if !self.has_news {
            return None;
        }
        let mut shown = Vec::new();
        for line in std::mem::take(&mut self.waiting) {
            let class = class(without_head(&line));
            self.lines.insert(class.clone(), self.now);
            if self.shown.insert(class) {
                shown.push(line);
            }
        }
        Some(shown)
    }

    /// After a run that concluded only what it met itself is still known.
    fn forget_what_is_over(&mut self) {
        self.lines.retain(|class, _| self.met.contains(class));
        self.gaps.clear();
    }

    fn write(&self, path: &Path, now: DateTime<Utc>) -> io::Result<()> {
        if self.lines.is_empty() && self.gaps.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let mut text = String::new();
        for (class, at) in &self.lines {
            text.push_str(&format!("{} {class}\n", shown(*at)));
        }
        for ToldGap { at, gap } in self.gaps.iter().filter(|told| is_within(told.at, now, A_DAY)) {
            let why = serde_json::to_value(gap.why)?;
            let why = why.as_str().unwrap_or_default();
            let Window { since, until } = gap.span;
            text.push_str(&format!("{} {GAP}{why} {} {} {}\n", shown(*at), shown(since), shown(until), gap.what));
        }
        job_store::files::replace(path, text.as_bytes(), job_store::files::PRIVATE)
    }
}

/// What a line about a gap begins with, behind its instant.
const GAP: &str = "gap ";

fn parse_gap(text: &str) -> Option<Gap> {
    let mut words = text.splitn(4, ' ');
    let why: GapReason = serde_json::from_value(words.next()?.into()).ok()?;
    let span = Window::new(instant(words.next()?)?, instant(words.next()?)?);
    Some(Gap { what: words.next()?.to_owned(), span, why })
}

/// Whether a person would call it the same: it overlaps, or lies at the clock's end of every window, and is not much wider.
fn is_same(told: &Gap, gap: &Gap) -> bool {
    let moves = matches!(gap.why, GapReason::ClockSkew | GapReason::NotSettled);
    let overlaps = told.span.since <= gap.span.until && gap.span.since <= told.span.until;
    let width = |gap: &Gap| gap.span.until - gap.span.since;
    let is_wider = width(gap) > width(told) * 2 && width(gap) - width(told) > WIDER_BY;
    told.what == gap.what && told.why == gap.why && (moves || overlaps) && !is_wider
}

/// Less than so long ago, and not in the future of a clock that was set back.
fn is_within(at: DateTime<Utc>, now: DateTime<Utc>, patience: TimeDelta) -> bool {
    (TimeDelta::zero()..patience).contains(&(now - at))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A line of the log without its instant and its level.
fn without_head(line: &str) -> &str {
    let rest = line.split_once(' ').map_or(line, |(_, rest)| rest).trim_start();
    rest.split_once(' ').map_or(rest, |(_, rest)| rest).trim()
}

/// Words behind a number that say that it was measured.
const UNITS: [&str; 15] = [
    "s", "ms", "µs", "h", "min", "seconds", "minutes", "hours", "bytes", "kB", "MB", "rows", "requests", "times",
    "tries",
];

/// The message without the question at which the portal failed, where it would have failed at any.
fn without_question(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("cannot ") else { return Cow::Borrowed(text) };
    let failures = OF_ANY_QUESTION.iter().map(|reason| reason.meaning()).chain([LIMITER]);
    let failures = failures.filter_map(|failure| rest.find(&format!(": {failure}")));
    failures.min().map_or(Cow::Borrowed(text), |question| Cow::Owned(format!("{before}{}", &rest[question + 2..])))
}

/// The message without what differs from run to run: instants, and what was measured. Other numbers make a difference: another month
/// is another mistake.
fn class(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let text = without_question(text);
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| "()[]{},;:.\"'`".contains(c));
        let last = kept.last().map(|last| last.trim_matches(|c: char| "()[]{},;:\"'`".contains(c)));
        if core.parse::<NaiveTime>().is_ok() && last.is_some_and(|last| last.parse::<NaiveDate>().is_ok()) {
            kept.pop();
        } else if UNITS.contains(&core) && last.is_some_and(is_number) {
            kept.pop();
            kept.push(word);
        } else if instant(core).is_none() && !is_measured(core) {
            kept.push(word);
        }
    }
    kept.join(" ").chars().take(MAX_CLASS_CHARS).collect()
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// A number with its unit, such as `4.2s`.
fn is_measured(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < word.len() && UNITS.contains(&unit)
}

#[cfg(test)]
mod tests;
