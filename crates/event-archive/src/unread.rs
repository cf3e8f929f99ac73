//! What of a source is still to be read, in lanes that are read side by side.

use audit_model::Window;
use docspace_client::{Rest, Slice};

/// How many lanes are read at once: as many as the client lets through.
const LANES: usize = 4;

/// A slice of a lane whose traffic is not known yet: it tells whether the lane is worth halving.
const FIRST_SLICE_ROWS: usize = 1_000;

/// A slice of any other: four of them fit into a few MiB.
const SLICE_ROWS: usize = 5_000;

/// A lane is halved when both halves are worth so many rows: each ends with a page that is half empty, and with a question whether it
/// was the last, which is little beside thirty pages.
const WORTH_A_LANE: f64 = 3_000.0;

/// What is to be read next of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) rest: Rest,
    /// How many rows its slice may have.
    pub(crate) rows: usize,
}

/// What is still to be read and nobody reads.
pub(crate) struct Unread {
    /// Oldest first.
    waiting: Vec<Lane>,
}

struct Lane {
    rest: Rest,
    /// In a second, as the last slice had them; `None` before the first.
    rows_per_second: Option<f64>,
}

impl Lane {
    /// How many rows are still to come, about; nothing before that is known.
    fn worth(&self) -> f64 {
        self.rows_per_second.unwrap_or_default() * seconds(self.rest.span)
    }

    fn halves(self) -> [Lane; 2] {
        let Window { since, until } = self.rest.span;
        let Lane { rest, rows_per_second } = self;
        rest.split_at(since + (until - since) / 2).map(|rest| Lane { rest, rows_per_second })
    }
}

fn seconds(span: Window) -> f64 {
    span.length().as_seconds_f64()
}

impl Unread {
    /// These spans, oldest first.
    pub(crate) fn new(spans: Vec<Window>) -> Self {
        Unread { waiting: spans.into_iter().map(|span| Lane { rest: span.into(), rows_per_second: None }).collect() }
    }

    /// What nobody asked for.
    pub(crate) fn into_spans(self) -> impl Iterator<Item = Window> {
        self.waiting.into_iter().map(|lane| lane.rest.span)
    }

    /// Takes off what may be asked for beside the slices that are being read, newest first. Where lanes would be idle, the largest is
    /// halved for them as long as that pays.
    pub(crate) fn take(&mut self, being_read: usize) -> Vec<Part> {
        let free = LANES.saturating_sub(being_read);
        while self.waiting.len() < free
            && let Some(largest) = self.largest()
            && self.waiting[largest].worth() >= 2.0 * WORTH_A_LANE
        {
            let halves = self.waiting.remove(largest).halves();
            self.waiting.splice(largest..largest, halves);
        }
        let taken = self.waiting.drain(self.waiting.len().saturating_sub(free)..).rev();
        let rows = |lane: &Lane| if lane.rows_per_second.is_some() { SLICE_ROWS } else { FIRST_SLICE_ROWS };
        taken.map(|lane| Part { rows: rows(&lane), rest: lane.rest }).collect()
    }

    fn largest(&self) -> Option<usize> {
        let lanes = self.waiting.iter().enumerate();
        lanes.max_by(|(_, one), (_, other)| one.worth().total_cmp(&other.worth())).map(|(index, _)| index)
    }

    /// Takes in what of a slice was not asked for after all, and how busy the portal was in the rest of it.
    pub(crate) fn learn<R>(&mut self, slice: &Slice<R>) {
        let unread: f64 = slice.unread.iter().map(|rest| seconds(rest.span)).sum();
        let read = (seconds(slice.span) - unread).max(1.0);
        let rows_per_second = Some(slice.rows.len() as f64 / read);
        self.waiting.extend(slice.unread.iter().cloned().map(|rest| Lane { rest, rows_per_second }));
        self.waiting.sort_by_key(|lane| lane.rest.span);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn hours(since: i64, until: i64) -> Window {
        let [since, until] = [since, until].map(|hour| DateTime::from_timestamp(hour * 3600, 0).unwrap());
        Window::new(since, until)
    }

    fn slice(span: Window, rows: usize, unread: &[Window]) -> Slice<()> {
        let unread = unread.iter().map(|span| Rest::from(*span)).collect();
        Slice { span, rows: vec![(); rows], gaps: Vec::new(), unread, error: None }
    }

    fn spans(parts: Vec<Part>) -> Vec<Window> {
        parts.into_iter().map(|part| part.rest.span).collect()
    }

    #[test]
    fn the_first_slice_of_a_lane_is_short() {
        let mut unread = Unread::new(vec![hours(0, 3), hours(10, 1000)]);
        let parts = unread.take(0);
        assert!(parts.iter().all(|part| part.rows == FIRST_SLICE_ROWS));
        assert_eq!(spans(parts), [hours(10, 1000), hours(0, 3)], "each span is a lane of its own");
        unread.learn(&slice(hours(10, 1000), 1_000, &[hours(10, 990)]));
        assert_eq!(unread.take(0)[0].rows, SLICE_ROWS);
    }

    #[test]
    fn a_quiet_span_is_one_lane() {
        let mut unread = Unread::new(vec![hours(0, 1000)]);
        unread.take(0);
        // a hundred rows an hour, of which 59 are left: less than two lanes are worth
        unread.learn(&slice(hours(0, 69), 1_000, &[hours(0, 59)]));
        assert_eq!(spans(unread.take(0)), [hours(0, 59)]);
    }

    #[test]
    fn a_busy_span_is_halved_for_idle_lanes() {
        let mut unread = Unread::new(vec![hours(0, 130)]);
        unread.take(0);
        unread.learn(&slice(hours(0, 130), 1_000, &[hours(0, 120)]));
        assert_eq!(spans(unread.take(0)), [hours(90, 120), hours(60, 90), hours(30, 60), hours(0, 30)]);
        // one ends, and the next to end its slice gives half of what it has left
        unread.learn(&slice(hours(60, 90), 3_000, &[]));
        assert_eq!(spans(unread.take(3)), []);
        unread.learn(&slice(hours(0, 200), 5_000, &[hours(0, 190)]));
        assert_eq!(spans(unread.take(2)), [hours(95, 190), hours(0, 95)]);
    }

    #[test]
    fn what_was_not_taken_is_named() {
        let mut unread = Unread::new((0..6).map(|n| hours(2 * n, 2 * n + 1)).collect());
        assert_eq!(unread.take(1).len(), 3);
        assert_eq!(unread.into_spans().collect::<Vec<_>>(), [hours(0, 1), hours(2, 3), hours(4, 5)]);
    }
}
