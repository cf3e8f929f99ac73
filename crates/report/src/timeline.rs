//! Numbers over time, and moments in it.

use audit_model::{Coverage, MainSource, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};

use crate::coverage::merged;
use crate::words::{self, Clock, plural};
use crate::{Cell, Line, Table};

/// How often something happened in a part of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub span: Window,
    pub count: u64,
    /// Which they were, for instance the ids of the first and the last event; stands in the table behind the picture.
    pub note: Line,
}

impl Bar {
    pub fn new(span: Window, count: u64) -> Self {
        Bar { span, count, note: Line::default() }
    }
}

/// A moment worth looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: DateTime<Utc>,
    pub severity: Severity,
    pub label: Line,
}

/// What happened when. The spans that were not seen are taken from the coverage of the document, so that an empty stretch of time
/// never looks quiet when nobody could see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    pub title: Line,
    /// What is counted, in the singular: `event`.
    pub unit: String,
    /// Whose gaps are shown.
    pub source: MainSource,
    pub span: Window,
    /// In order, not overlapping.
    pub bars: Vec<Bar>,
    pub marks: Vec<Mark>,
}

impl Timeline {
    /// What of it was not seen, in order.
    pub(crate) fn unseen(&self, coverage: &Coverage) -> Vec<Window> {
        let name = self.source.name();
        let read = match self.source {
            MainSource::Audit => &coverage.audit,
            MainSource::Logins => &coverage.logins,
        };
        if read.is_none() {
            return vec![self.span];
        }
        let gaps = coverage.gaps.iter().filter(|gap| gap.what == name);
        let cut = gaps.map(|gap| gap.span.intersection(&self.span)).filter(|span| !span.is_empty());
        merged(cut.collect())
    }

    /// Whether every bar is about a day.
    fn is_daily(&self) -> bool {
        self.bars.iter().all(|bar| bar.span.length() >= TimeDelta::hours(23))
    }

    /// Name of a bar: a day, when every bar is about one, else the minute it begins with.
    pub(crate) fn label(&self, bar: &Bar, clock: Clock) -> String {
        if self.is_daily() { clock.day(bar.span.since) } else { clock.minute(bar.span.since) }
    }

    /// What stands below its beginning, its middle and its end: of days, the first and the last that are in it.
    pub(crate) fn axis(&self, clock: Clock) -> [String; 3] {
        let Window { since, until } = self.span;
        let middle = since + self.span.length() / 2;
        if self.is_daily() {
            return [since, middle, until - TimeDelta::nanoseconds(1)].map(|at| clock.day(at));
        }
        [since, middle, until].map(|at| clock.minute(at))
    }

    /// The bar with the greatest number, the earliest of several.
    pub(crate) fn busiest(&self) -> Option<&Bar> {
        self.bars.iter().rev().max_by_key(|bar| bar.count).filter(|bar| bar.count > 0)
    }

    /// What a picture of it shows, in words.
    pub(crate) fn summary(&self, coverage: &Coverage, clock: Clock) -> String {
        let total = plural(self.bars.iter().map(|bar| bar.count).sum(), &self.unit);
        let most = self
            .busiest()
            .map(|bar| format!("; busiest: {} with {}", self.label(bar, clock), words::number(bar.count)));
        let unseen = match self.unseen(coverage).len() as u64 {
            0 => String::new(),
            count => format!("; {} not seen, in which there may have been more", plural(count, "span")),
        };
        format!("{total}{}{unseen}", most.unwrap_or_default())
    }

    /// Bars and marks as tables, for those who cannot see the picture and those who follow it up.
    pub(crate) fn tables(&self, coverage: &Coverage, clock: Clock) -> Vec<Table> {
        let unseen = self.unseen(coverage);
        let is_cut = |bar: &Bar| unseen.iter().any(|gap| !gap.intersection(&bar.span).is_empty());
        let has_notes = self.bars.iter().any(|bar| !bar.note.is_empty());
        let columns = ["When", "Number", "Seen", "Which"];
        let mut numbers = Table::new(self.title.clone().capitalised(), &columns[..if has_notes { 4 } else { 3 }]);
        for bar in &self.bars {
            let seen = if is_cut(bar) { "not all of it" } else { "all of it" };
            let note = has_notes.then(|| Cell::from(bar.note.clone()));
            let cells = [Cell::from(self.label(bar, clock)), bar.count.into(), seen.into()];
            numbers.row(cells.into_iter().chain(note));
        }
        let mut moments = Table::new(Line::from("Marked in ").and(self.title.clone()), &["When", "What"]);
        for mark in &self.marks {
            moments.row([Cell::At(mark.at), mark.label.clone().into()]);
        }
        [numbers, moments].into_iter().filter(|table| !table.rows.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{GapReason, SourceCoverage};

    use super::*;

    fn span(from: i64, to: i64) -> Window {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        Window::new(at(from), at(to))
    }

    fn timeline(source: MainSource) -> Timeline {
        let bars = vec![Bar::new(span(100, 150), 0), Bar::new(span(150, 200), 7)];
        let (title, unit) = ("events".into(), "event".to_owned());
        Timeline { title, unit, source, span: span(100, 200), bars, marks: Vec::new() }
    }

    #[test]
    fn gaps_of_its_own_source_are_shown_where_they_fall_into_it() {
        let mut coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
        for (what, from, to) in [("audit", 0, 120), ("audit", 120, 130), ("logins", 150, 160), ("audit", 300, 400)] {
            coverage.gap(what, span(from, to), GapReason::PortalError);
        }
        assert_eq!(timeline(MainSource::Audit).unseen(&coverage), [span(100, 130)]);
        let rows = &timeline(MainSource::Audit).tables(&coverage, Clock::default())[0].rows;
        assert_eq!([&rows[0][2], &rows[1][2]], [&Cell::from("not all of it"), &Cell::from("all of it")]);
    }

    #[test]
    fn nothing_is_seen_of_a_source_that_was_not_read() {
        let coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
        assert_eq!(timeline(MainSource::Logins).unseen(&coverage), [span(100, 200)]);
        assert_eq!(timeline(MainSource::Audit).unseen(&coverage), []);
    }

    #[test]
    fn the_busiest_bar_is_the_first_of_the_greatest() {
        let mut timeline = timeline(MainSource::Audit);
        timeline.bars.push(Bar::new(span(200, 250), 7));
        assert_eq!(timeline.busiest().map(|bar| bar.span), Some(span(150, 200)));
        timeline.bars.truncate(1);
        assert_eq!(timeline.busiest(), None);
    }
}
