//! The coverage statement in words: what was read, what was not seen and why, what the portal never records.

use std::collections::BTreeMap;

use audit_model::{Coverage, GapReason, SourceCoverage, Window};
use chrono::TimeDelta;

use crate::words::{self, plural};

/// Spans that are listed of one source and reason; the others are counted.
pub(crate) const SPANS_SHOWN: usize = 5;

/// What was not seen of one source for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unseen<'c> {
    pub(crate) what: &'c str,
    /// Why, and what to do about it, without a full stop.
    pub(crate) explanation: &'static str,
    /// In order; neighbours are one.
    pub(crate) spans: Vec<Window>,
}

impl Unseen<'_> {
    pub(crate) fn shown(&self) -> &[Window] {
        &self.spans[..self.spans.len().min(SPANS_SHOWN)]
    }

    /// `32 more, 6 h 20 min in all`, when not all spans are shown.
    pub(crate) fn more(&self) -> Option<String> {
        let more = self.spans.len().saturating_sub(SPANS_SHOWN) as u64;
        let length = self.spans.iter().fold(TimeDelta::zero(), |sum, span| sum + span.length());
        (more > 0).then(|| format!("and {} more, {} in all", words::number(more), words::duration(length)))
    }
}

/// The gaps of each source and reason together, in that order.
pub(crate) fn unseen(coverage: &Coverage) -> Vec<Unseen<'_>> {
    let mut by_reason: BTreeMap<(&str, GapReason), Vec<Window>> = BTreeMap::new();
    for gap in &coverage.gaps {
        by_reason.entry((&gap.what, gap.why)).or_default().push(gap.span);
    }
    let unseen = by_reason.into_iter().map(|((what, why), spans)| {
        let (explanation, spans) = (why.explanation(), merged(spans));
        Unseen { what, explanation, spans }
    });
    unseen.collect()
}

/// Spans in order, those that overlap or adjoin as one. Unlike a set of instants it keeps spans that are empty: a gap is never lost.
pub(crate) fn merged(mut spans: Vec<Window>) -> Vec<Window> {
    spans.sort();
    let mut merged: Vec<Window> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.since <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

/// The sources that were read, each with what its rows are called.
pub(crate) fn read(coverage: &Coverage) -> Vec<(&'static str, &'static str, &SourceCoverage)> {
    let sources = [
        ("logins", "login event", &coverage.logins),
        ("audit", "event", &coverage.audit),
        ("room_log", "room log entry", &coverage.room_log),
    ];
    sources.into_iter().filter_map(|(what, one, source)| Some((what, one, source.as_ref()?))).collect()
}

/// `1,240 events, 3 of them late`
pub(crate) fn rows(source: &SourceCoverage, one: &str) -> String {
    let rows = plural(source.rows, one);
    let late = source.late_rows;
    if late > 0 { format!("{rows}, {} of them late", words::number(late)) } else { rows }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn span(from: i64, to: i64) -> Window {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        Window::new(at(from), at(to))
    }

    #[test]
    fn neighbours_of_one_reason_are_one_and_others_are_not() {
        let mut coverage = Coverage::default();
        for (what, from, to, why) in [
            ("audit", 0, 10, GapReason::PortalError),
            ("audit", 10, 20, GapReason::PortalError),
            ("audit", 15, 30, GapReason::PortalError),
            ("audit", 40, 50, GapReason::PortalError),
            ("audit", 30, 40, GapReason::Permission),
            ("logins", 10, 20, GapReason::PortalError),
        ] {
            coverage.gap(what, span(from, to), why);
        }
        let seen: Vec<_> =
            unseen(&coverage).into_iter().map(|unseen| (unseen.what, unseen.explanation, unseen.spans)).collect();
        assert_eq!(
            seen,
            [
                ("audit", GapReason::PortalError.explanation(), vec![span(0, 30), span(40, 50)]),
                ("audit", GapReason::Permission.explanation(), vec![span(30, 40)]),
                ("logins", GapReason::PortalError.explanation(), vec![span(10, 20)]),
            ]
        );
    }

    #[test]
    fn a_gap_without_length_is_still_a_gap() {
        let coverage = Coverage::unseen("audit", span(7, 7), GapReason::ClockSkew);
        assert_eq!(unseen(&coverage)[0].spans, [span(7, 7)]);
        assert_eq!(merged(vec![span(9, 7)]), [span(9, 7)]);
    }

    #[test]
    fn five_spans_are_shown_and_the_others_counted() {
        let mut coverage = Coverage::default();
        for at in 0..5 {
            coverage.gap("audit", span(at * 100, at * 100 + 60), GapReason::UnreadableRow);
        }
        assert_eq!(unseen(&coverage)[0].more(), None);
        coverage.gap("audit", span(900, 960), GapReason::UnreadableRow);
        let unseen = unseen(&coverage);
        assert_eq!(unseen[0].shown().len(), 5);
        assert_eq!(unseen[0].more().unwrap(), "and 1 more, 6 min in all");
    }

    #[test]
    fn rows_are_counted_in_their_own_words() {
        let source = SourceCoverage { rows: 2, late_rows: 1, ..SourceCoverage::default() };
        assert_eq!(rows(&source, "event"), "2 events, 1 of them late");
        assert_eq!(rows(&source, "room log entry"), "2 room log entries, 1 of them late");
    }
}
