//! The unit of memory, of one store transaction, and of coverage.

use std::collections::HashSet;

use audit_model::{GapReason, Window};
use chrono::{DateTime, Utc};

use crate::Error;

/// What was read of one span.
#[derive(Debug)]
pub struct Slice<E> {
    /// The span asked for.
    pub span: Window,
    /// Each row once, in no particular order. A row that stands here happened inside the span, whatever its printed date says.
    pub rows: Vec<E>,
    /// What of the span was not seen, newest first. Rows that were seen all the same are in `rows`.
    pub gaps: Vec<SliceGap>,
    /// What of the span was not asked for, because the slice is large enough already: to be asked for as slices of their own.
    pub unread: Vec<Rest>,
    /// The portal said that it has no row up to the end of the span, however old, but such that cannot be read.
    pub none_ever: bool,
    /// What ended the read early, for the log; its reason is in `gaps` too.
    pub error: Option<Error>,
}

/// Part of a slice that was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceGap {
    pub span: Window,
    pub why: GapReason,
}

impl SliceGap {
    /// Makes one of the gaps that touch and have one reason. They come out by reason, then by time.
    pub fn join(gaps: &mut Vec<SliceGap>) {
        gaps.sort_by_key(|gap| (gap.why, gap.span));
        gaps.dedup_by(|next, gap| {
            let touches = next.why == gap.why && next.span.since <= gap.span.until;
            if touches {
                gap.span.until = gap.span.until.max(next.span.until);
            }
            touches
        });
    }
}

/// A span that is still to be read, newest row first, and the place in it where an earlier slice ended: going on there costs no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    pub span: Window,
    pub(crate) place: Option<Bookmark>,
    /// The portal gives rows of equal dates in another order with each page.
    pub(crate) shuffled: bool,
}

impl From<Window> for Rest {
    fn from(span: Window) -> Self {
        Rest { span, place: None, shuffled: false }
    }
}

impl Rest {
    /// What lies before the instant, and what lies from it on.
    pub fn split_at(self, cut: DateTime<Utc>) -> [Rest; 2] {
        let older = Rest { span: Window::new(self.span.since, cut), place: None, shuffled: self.shuffled };
        [older, Rest { span: Window::new(cut, self.span.until), ..self }]
    }
}

/// The date of the last row that was read, and what is known of the rows of that date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bookmark {
    pub(crate) date: DateTime<Utc>,
    /// The question that its rows are counted under: up to this date, of which so many rows stand before them. The date itself and none
    /// but in a repeated hour, as long as it may be the other pass.
    pub(crate) to: DateTime<Utc>,
    pub(crate) before: usize,
    /// The rows of this date that were seen.
    pub(crate) ids: HashSet<i64>,
    /// How many rows of this date pages have shown, those that came twice included.
    pub(crate) reached: usize,
    /// The last page held no other date.
    pub(crate) fills_page: bool,
    /// One of them could not be read, so that their number proves nothing. Its second is a gap.
    pub(crate) flawed: bool,
}

/// Joins gaps and puts the newest first.
pub(crate) fn merge(gaps: &mut Vec<SliceGap>) {
    SliceGap::join(gaps);
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.span));
}
