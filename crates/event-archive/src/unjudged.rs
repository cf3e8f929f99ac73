//! What a run has to judge of a source, which is more than its window.

use std::collections::BTreeSet;

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};

use crate::LateRow;

/// What no run has judged yet: the window, what goes on since before it, rows that came late, and rows in holes that earlier runs left. When
/// the run ends, all of it counts as judged, so whoever judges only part of it says "all quiet" of the rest unseen.
#[must_use = "rules judge what came late, and what goes on since before the window, too: read the events of `window(…)`"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    window: Window,
    /// The beginning of the window, or of a burst that people know and that has not ended.
    judged_from: DateTime<Utc>,
    late: BTreeSet<DateTime<Utc>>,
}

impl Unjudged {
    pub(crate) fn new(window: Window, judged_from: DateTime<Utc>, late: &[LateRow]) -> Self {
        Unjudged { window, judged_from, late: late.iter().map(|row| row.at).collect() }
    }

    /// What rules have to read, from so long before the first row that came late: it may be too much only together with what was there. The
    /// beginning of the window has no such margin, because windows overlap by themselves.
    pub fn window(&self, before_late: TimeDelta) -> Window {
        let late = self.late.first().map(|at| *at - before_late);
        Window::new(late.map_or(self.judged_from, |late| late.min(self.judged_from)), self.window.until)
    }

    /// Whether a finding of that span is for this run to tell: others were judged by earlier ones.
    pub fn concerns(&self, span: &Window) -> bool {
        span.until > self.judged_from || self.late.range(span.since..).next().is_some_and(|at| span.contains(*at))
    }

    /// Whether a row is for this run to judge by itself, whatever goes on since before the window.
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.window.contains(at) || self.late.contains(&at)
    }

    /// When rows happened that were not there when a run looked at their time.
    pub fn late(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.late.iter().copied()
    }

    /// For programs that say something of their window alone, such as whether somebody did anything in it: then nothing before it matters,
    /// whenever it came.
    pub fn of_window_alone(self) -> Window {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn hours(since: i64, until: i64) -> Window {
        Window::new(hour(since), hour(until))
    }

    fn unjudged(judged_from: i64, late: &[i64]) -> Unjudged {
        let late: Vec<LateRow> = late.iter().map(|at| LateRow { at: hour(*at) }).collect();
        Unjudged::new(hours(100, 124), hour(judged_from), &late)
    }

    const HOUR: TimeDelta = TimeDelta::hours(1);

    #[test]
    fn it_begins_with_whatever_was_first() {
        assert_eq!(unjudged(100, &[]).window(HOUR), hours(100, 124));
        assert_eq!(unjudged(90, &[]).window(HOUR), hours(90, 124), "a burst goes on");
        assert_eq!(unjudged(90, &[80, 95]).window(HOUR), hours(79, 124));
        assert_eq!(unjudged(90, &[95]).window(HOUR), hours(90, 124));
        assert_eq!(
            unjudged(100, &[100]).window(HOUR),
            hours(99, 124),
            "what came late in the window was judged without it"
        );
    }

    #[test]
    fn findings_that_were_judged_before_are_not_told_again() {
        let unjudged = unjudged(90, &[50]);
        for (span, is_concerned) in [
            (hours(80, 90), false),
            (hours(80, 91), true),
            (hours(110, 111), true),
            (hours(50, 51), true),
            (hours(40, 50), false),
            (hours(51, 52), false),
        ] {
            assert_eq!(unjudged.concerns(&span), is_concerned, "{span}");
        }
    }

    #[test]
    fn rows_by_themselves_are_those_of_the_window_and_late_ones() {
        let unjudged = unjudged(90, &[50]);
        assert_eq!(
            [50, 90, 99, 100, 123, 124].map(|at| unjudged.holds(hour(at))),
            [true, false, false, true, true, false]
        );
    }
}
