//! The coverage statement in words: what was read, what was not seen and why, what the portal never records.

use std::collections::BTreeMap;

use audit_model::{BlindSpot, Coverage, Gap, GapReason, SourceCoverage, Verdict, Window};
use chrono::TimeDelta;

use crate::words::{self, Clock, plural};

/// Spans that are listed of one source and reason; the others are counted.
pub(crate) const SPANS_SHOWN: usize = 5;

/// What was not seen of one source for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unseen<'c> {
    /// As people call it.
    pub(crate) source: &'c str,
    /// Why, and what to do about it, without a full stop.
    pub(crate) explanation: String,
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
    let mut by_reason: BTreeMap<(&str, GapReason), Vec<&Gap>> = BTreeMap::new();
    for gap in &coverage.gaps {
        by_reason.entry((&gap.what, gap.why)).or_default().push(gap);
    }
    let unseen = by_reason.into_iter().map(|((what, why), gaps)| {
        let (explanation, spans) = (gaps[0].explanation(), merged(gaps.iter().map(|gap| gap.span).collect()));
        Unseen { source: words::lacking(what, why), explanation, spans }
    });
    unseen.collect()
}

/// What was not seen and why, a line for each source and reason, without its beginning.
pub fn not_seen(coverage: &Coverage, clock: Clock) -> Vec<String> {
    let line = |unseen: Unseen<'_>| {
        let spans: Vec<String> = unseen.shown().iter().map(|span| clock.span(*span)).chain(unseen.more()).collect();
        format!("{}, {}: {}", unseen.source, spans.join("; "), unseen.explanation)
    };
    unseen(coverage).into_iter().map(line).collect()
}

/// The whole statement, a line each: what was read, what was not and why, what is never recorded.
pub fn lines(coverage: &Coverage, clock: Clock) -> Vec<String> {
    let mut lines = Vec::new();
    let read: Vec<String> = read(coverage).into_iter().map(|(_, one, source)| rows(source, one)).collect();
    if !read.is_empty() {
        lines.push(format!("Read: {}", read.join("; ")));
    }
    if coverage.unattributed > 0 {
        lines.push(format!("Not tied to any known room: {}", plural(coverage.unattributed, "action")));
    }
    for unseen in unseen(coverage) {
        let (source, why) = (unseen.source, &unseen.explanation);
        match unseen.spans.as_slice() {
            [span] => lines.push(format!("Not seen: {source}, {}: {why}", clock.span(*span))),
            _ => {
                lines.push(format!("Not seen: {source}: {why}"));
                lines.extend(unseen.shown().iter().map(|span| format!("  {}", clock.span(*span))));
                lines.extend(unseen.more().map(|more| format!("  {more}")));
            }
        }
    }
    if coverage.verdict() == Verdict::Nothing && coverage.gaps.is_empty() {
        lines.push("Nothing was read".to_owned());
    }
    lines.extend(not_remembered(coverage));
    let never = never_recorded(coverage);
    if !never.is_empty() {
        lines.push(format!("Never recorded by the portal: {}", never.join("; ")));
    }
    lines
}

/// What no portal of this kind records. That a run has no memory is not the portal's doing, and is said apart.
pub fn never_recorded(coverage: &Coverage) -> Vec<&'static str> {
    let of_portal = coverage.blind_spots.iter().copied().filter(|spot| *spot != BlindSpot::NoMemory);
    of_portal.map(words::blind_spot).collect()
}

/// What a run without memory cannot know.
pub(crate) fn not_remembered(coverage: &Coverage) -> Option<String> {
    let is_blind = coverage.blind_spots.contains(&BlindSpot::NoMemory);
    is_blind.then(|| format!("Not known, because this run has no memory: {}", words::blind_spot(BlindSpot::NoMemory)))
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
            unseen(&coverage).into_iter().map(|unseen| (unseen.source, unseen.explanation, unseen.spans)).collect();
        assert_eq!(
            seen,
            [
                ("audit trail", GapReason::PortalError.explanation(), vec![span(0, 30), span(40, 50)]),
                ("audit trail", GapReason::Permission.explanation(), vec![span(30, 40)]),
                ("login history", GapReason::PortalError.explanation(), vec![span(10, 20)]),
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
