//! What was told, and what waits; as a file that the next run reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use audit_model::{Gap, GapReason, Verdict, Window};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::class::class;

/// What stays until somebody repairs it is told once a day.
pub(super) const A_DAY: TimeDelta = TimeDelta::hours(24);

/// A gap that moves with the window is another one when it is more than twice as wide, by at least this much.
const WIDER_BY: TimeDelta = TimeDelta::hours(1);

/// What was told, and what waits.
#[derive(Debug)]
pub(super) struct ToldBefore {
    now: DateTime<Utc>,
    /// Classes of lines and notes, with when they were told.
    pub(super) lines: BTreeMap<String, DateTime<Utc>>,
    gaps: Vec<ToldGap>,
    /// Classes that this run has met.
    met: BTreeSet<String>,
    pub(super) waiting: Vec<String>,
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
    pub(super) fn parse(text: &str, now: DateTime<Utc>) -> Self {
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
    pub(super) fn lets_through(&mut self, line: &str) -> bool {
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
    pub(super) fn due<'n, T: AsRef<str>>(
        &mut self,
        notes: &'n [T],
        patience: TimeDelta,
    ) -> impl Iterator<Item = &'n T> {
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
    pub(super) fn has_new_gap(&mut self, gaps: &[Gap], verdict: Verdict, patience: TimeDelta) -> bool {
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
    pub(super) fn settle(&mut self, patience: TimeDelta, is_news: bool) -> Option<Vec<String>> {
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
    pub(super) fn forget_what_is_over(&mut self) {
        self.lines.retain(|class, _| self.met.contains(class));
        self.gaps.clear();
    }

    /// Takes over what another host has told.
    pub(super) fn also(&mut self, told: ToldBefore) {
        for (class, at) in told.lines {
            self.lines.entry(class).or_insert(at);
        }
        self.gaps.extend(told.gaps);
    }

    /// What the next run has to know; empty when that is nothing.
    pub(super) fn text(&self, now: DateTime<Utc>) -> String {
        let mut text = String::new();
        for (class, at) in &self.lines {
            text.push_str(&format!("{} {class}\n", shown(*at)));
        }
        for ToldGap { at, gap } in self.gaps.iter().filter(|told| is_within(told.at, now, A_DAY)) {
            let why = serde_json::to_value(gap.why).unwrap_or_default();
            let why = why.as_str().unwrap_or_default();
            let Window { since, until } = gap.span;
            text.push_str(&format!("{} {GAP}{why} {} {} {}\n", shown(*at), shown(since), shown(until), gap.what));
        }
        text
    }
}

/// Writes it for the next run; nothing is no file.
pub(super) fn write(text: &str, path: &Path) -> io::Result<()> {
    if text.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    job_store::files::replace(path, text.as_bytes(), job_store::files::PRIVATE)
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
