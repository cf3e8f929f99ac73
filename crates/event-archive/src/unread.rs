//! What of a source is still to be read, in lanes that are read side by side.

use audit_model::Window;
use chrono::TimeDelta;
use docspace_client::{Rest, Slice};

/// How many lanes are read at once: as many as the client lets through.
const LANES: usize = 4;

/// The first slice of a lane: it tells how busy the portal was then, and so whether the lane is worth halving.
const FIRST_SLICE_ROWS: usize = 1_000;

/// A slice of any other: four of them fit into a few MiB.
const SLICE_ROWS: usize = 5_000;

/// A lane is cut in two when both parts are worth so many rows: each ends with a page that is half empty, and with a question whether
/// it was the last, which is little beside thirty pages.
const WORTH_A_LANE: f64 = 3_000.0;

/// How much further than what was read its traffic is believed to go on.
const BELIEVED: i32 = 8;

/// A lane in which next to nothing was found has to be made good for by so many rows before another is tried.
const ROWS_PER_MISTAKE: usize = 10_000;

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
    /// A lane that was cut off, and of which nothing is known yet.
    tried: Option<Window>,
    mistakes: usize,
    /// What was read so far.
    time: TimeDelta,
    rows: usize,
}

struct Lane {
    rest: Rest,
    /// In a second, as the last slice had them; `None` before the first.
    rows_per_second: Option<f64>,
}

impl Unread {
    pub(crate) fn new(mut spans: Vec<Window>) -> Self {
        spans.sort();
        let waiting = spans.into_iter().map(|span| Lane { rest: span.into(), rows_per_second: None }).collect();
        Unread { waiting, tried: None, mistakes: 0, time: TimeDelta::zero(), rows: 0 }
    }

    /// What nobody asked for.
    pub(crate) fn into_spans(self) -> impl Iterator<Item = Window> {
        self.waiting.into_iter().map(|lane| lane.rest.span)
    }

    /// Takes off what may be asked for beside the slices that are being read, newest first. Where lanes would be idle, one is cut in
    /// two if that pays.
    pub(crate) fn take(&mut self, being_read: usize) -> Vec<Part> {
        let free = LANES.saturating_sub(being_read);
        if self.waiting.len() < free && self.tried.is_none() && self.mistakes * ROWS_PER_MISTAKE <= self.rows {
            self.cut();
        }
        let taken = self.waiting.drain(self.waiting.len().saturating_sub(free)..).rev();
        let rows = |lane: &Lane| if lane.rows_per_second.is_some() { SLICE_ROWS } else { FIRST_SLICE_ROWS };
        taken.map(|lane| Part { rows: rows(&lane), rest: lane.rest }).collect()
    }

    /// Cuts the longest of the lanes that are worth it: in the middle, or before, where what was read does not tell so much.
    fn cut(&mut self) {
        let cuts = self.waiting.iter().enumerate().filter_map(|(index, lane)| {
            let Window { since, until } = lane.rest.span;
            let cut = (since + (until - since) / 2).max(until - self.time * BELIEVED);
            let worth = |span| lane.rows_per_second.unwrap_or_default() * seconds(span);
            let pays = worth(Window::new(since, cut)).min(worth(Window::new(cut, until))) >= WORTH_A_LANE;
            pays.then_some((until - since, index, cut))
        });
        let Some((_, index, cut)) = cuts.max() else { return };
        let Lane { rest, rows_per_second } = self.waiting.remove(index);
        let [older, newer] = rest.split_at(cut);
        self.tried = Some(older.span);
        let lanes = [Lane { rest: older, rows_per_second: None }, Lane { rest: newer, rows_per_second }];
        self.waiting.splice(index..index, lanes);
    }

    /// Asks for this once more.
    pub(crate) fn ask_again(&mut self, spans: impl Iterator<Item = Window>) {
        self.waiting.extend(spans.map(|span| Lane { rest: span.into(), rows_per_second: None }));
        self.waiting.sort_by_key(|lane| lane.rest.span);
    }

    /// Takes in what of a slice was not asked for after all, and how busy the portal was in the rest of it.
    pub(crate) fn learn<R>(&mut self, slice: &Slice<R>) {
        let unread: TimeDelta = slice.unread.iter().map(|rest| rest.span.length()).sum();
        let read = slice.span.length() - unread;
        if self.tried == Some(slice.span) {
            self.tried = None;
            self.mistakes += usize::from(slice.unread.is_empty());
        }
        self.time += read;
        self.rows += slice.rows.len();
        let rows_per_second = Some(slice.rows.len() as f64 / read.as_seconds_f64().max(1.0));
        self.waiting.extend(slice.unread.iter().cloned().map(|rest| Lane { rest, rows_per_second }));
        self.waiting.sort_by_key(|lane| lane.rest.span);
    }
}

fn seconds(span: Window) -> f64 {
    span.length().as_seconds_f64()
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
        Slice { span, rows: vec![(); rows], gaps: Vec::new(), unread, none_ever: false, error: None }
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
    fn a_busy_span_is_cut_for_an_idle_lane() {
        let mut unread = Unread::new(vec![hours(0, 130)]);
        unread.take(0);
        unread.learn(&slice(hours(0, 130), 1_000, &[hours(0, 120)]));
        let parts = unread.take(0);
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [SLICE_ROWS, FIRST_SLICE_ROWS]);
        assert_eq!(spans(parts), [hours(60, 120), hours(0, 60)]);
        // one after the other: the next when something is known about this one
        unread.learn(&slice(hours(60, 120), 5_000, &[hours(60, 110)]));
        assert_eq!(spans(unread.take(1)), [hours(60, 110)]);
        unread.learn(&slice(hours(0, 60), 1_000, &[hours(0, 50)]));
        assert_eq!(spans(unread.take(1)), [hours(0, 50)], "less than two lanes are worth");
        unread.learn(&slice(hours(60, 110), 5_000, &[hours(60, 109)]));
        assert_eq!(unread.take(1).len(), 2);
    }

    /// A busy hour tells little about the month before it.
    #[test]
    fn where_nothing_is_found_no_other_lane_is_tried_soon() {
        let mut unread = Unread::new(vec![hours(0, 1000)]);
        unread.take(0);
        unread.learn(&slice(hours(0, 1000), 1_000, &[hours(0, 999)]));
        assert_eq!(spans(unread.take(0)), [hours(991, 999), hours(0, 991)], "eight times as long as what was read");
        unread.learn(&slice(hours(0, 991), 0, &[]));
        for rest in [998, 997] {
            unread.learn(&slice(hours(991, rest + 1), 4_000, &[hours(991, rest)]));
            assert_eq!(unread.take(0).len(), 1);
        }
        unread.learn(&slice(hours(991, 997), 4_000, &[hours(991, 996)]));
        assert_eq!(unread.take(0).len(), 2);
    }

    #[test]
    fn what_was_not_taken_is_named() {
        let mut unread = Unread::new((0..6).map(|n| hours(2 * n, 2 * n + 1)).collect());
        assert_eq!(unread.take(1).len(), 3);
        assert_eq!(unread.into_spans().collect::<Vec<_>>(), [hours(0, 1), hours(2, 3), hours(4, 5)]);
    }
}
