//! What of a source is still to be read, cut into slices that fit its traffic.

use std::collections::VecDeque;

use audit_model::Window;
use chrono::TimeDelta;
use docspace_client::Slice;

/// How many rows a slice should have: few enough that four of them fit into a few MiB, and many enough that the half empty last page
/// of each adds little to its requests.
const ROWS_PER_SLICE: usize = 4_000;

/// Slices become longer by no more than this at once: a quiet night is followed by a morning.
const LARGEST_GROWTH: i32 = 8;

/// No slice is shorter; an hour with a million events is four hundred MiB, and the portal's limits end the read long before.
const SHORTEST_SLICE: TimeDelta = TimeDelta::minutes(15);

/// How many slices are asked for at once: as many as the client lets through.
const SLICES_AT_ONCE: usize = 4;

/// What is still to be read, oldest first, and how long the next slices are.
pub(crate) struct Unread {
    spans: VecDeque<Window>,
    slice_length: TimeDelta,
    /// The first slice is read alone: it tells how long the next ones should be.
    is_first: bool,
    /// Time and rows of the slices since their length was last fitted, and how many those are.
    seen: (TimeDelta, usize, usize),
}

impl Unread {
    pub(crate) fn new(spans: Vec<Window>, slice_length: TimeDelta) -> Self {
        Unread { spans: spans.into(), slice_length, is_first: true, seen: (TimeDelta::zero(), 0, 0) }
    }

    /// What nobody asked for.
    pub(crate) fn into_spans(self) -> impl Iterator<Item = Window> {
        self.spans.into_iter()
    }

    /// Takes off what may be asked for beside the slices that are being read.
    pub(crate) fn take(&mut self, being_read: usize) -> Vec<Window> {
        let at_once = if self.is_first { 1 } else { SLICES_AT_ONCE };
        let mut taken = Vec::new();
        while taken.len() + being_read < at_once
            && let Some(span) = self.spans.pop_front()
        {
            let end = span.since.checked_add_signed(self.slice_length).map_or(span.until, |end| end.min(span.until));
            taken.push(Window::new(span.since, end));
            if end < span.until {
                self.spans.push_front(Window::new(end, span.until));
            }
        }
        taken
    }

    /// Takes in what of a slice was not asked for after all, and fits the next slices to the traffic in it.
    pub(crate) fn learn<R>(&mut self, slice: &Slice<R>) {
        slice.unread.iter().rev().for_each(|span| self.spans.push_front(*span));
        let unread: TimeDelta = slice.unread.iter().map(Window::length).sum();
        self.seen.0 += slice.span.length() - unread;
        self.seen.1 += slice.rows.len();
        self.seen.2 += 1;
        if self.is_first || self.seen.2 == SLICES_AT_ONCE {
            let (time, rows, _) = std::mem::replace(&mut self.seen, (TimeDelta::zero(), 0, 0));
            self.adapt(time, rows);
        }
        self.is_first = false;
    }

    /// Fits slices to the traffic, so that a quiet year does not cost a request a day, and a busy hour does not fill the memory.
    fn adapt(&mut self, read: TimeDelta, rows: usize) {
        let rows = i32::try_from(rows).unwrap_or(i32::MAX).max(1);
        let fitting = (read / rows).checked_mul(ROWS_PER_SLICE as i32).unwrap_or(TimeDelta::MAX);
        let longest = self.slice_length.checked_mul(LARGEST_GROWTH).unwrap_or(TimeDelta::MAX);
        self.slice_length = fitting.min(longest).max(SHORTEST_SLICE);
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

    fn slice(span: Window, rows: usize) -> Slice<()> {
        Slice { span, rows: vec![(); rows], gaps: Vec::new(), unread: Vec::new(), error: None }
    }

    #[test]
    fn slices_fit_the_traffic() {
        let mut unread = Unread::new(vec![hours(0, 3), hours(10, 1000)], TimeDelta::hours(6));
        assert_eq!(unread.take(0), [hours(0, 3)], "the first alone");
        assert_eq!(unread.take(1), []);
        // a row an hour: as long as growth allows
        unread.learn(&slice(hours(0, 3), 3));
        assert_eq!(unread.take(2), [hours(10, 58), hours(58, 106)], "two beside two");
        // a thousand rows an hour, once four slices have told so
        for _ in 0..4 {
            assert_eq!(unread.slice_length, TimeDelta::hours(48));
            unread.learn(&slice(hours(10, 58), 48_000));
        }
        assert_eq!(unread.take(2), [hours(106, 110), hours(110, 114)]);
        // a million rows an hour
        for _ in 0..4 {
            unread.learn(&slice(hours(106, 110), 4_000_000));
        }
        assert_eq!(unread.take(3)[0].length(), SHORTEST_SLICE);
    }

    #[test]
    fn the_login_history_is_never_cut() {
        let mut logins = Unread::new(vec![hours(0, 9000)], TimeDelta::MAX);
        assert_eq!(logins.take(0), [hours(0, 9000)]);
        assert_eq!(logins.into_spans().count(), 0);
    }

    #[test]
    fn what_a_full_slice_left_comes_next() {
        let mut unread = Unread::new(vec![hours(0, 100)], TimeDelta::hours(6));
        unread.take(0);
        let left = vec![hours(1, 2), hours(3, 4)];
        unread.learn(&Slice { unread: left.clone(), ..slice(hours(0, 6), 5000) });
        assert_eq!(unread.take(2), left);
    }
}
