//! The unit of memory, of one store transaction, and of coverage.

use audit_model::{GapReason, Window};

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
    pub unread: Vec<Window>,
    /// What ended the read early, for the log; its reason is in `gaps` too.
    pub error: Option<Error>,
}

/// Part of a slice that was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceGap {
    pub span: Window,
    pub why: GapReason,
}

/// Puts the newest gap first, and makes one of those that touch and have one reason.
pub(crate) fn merge(gaps: &mut Vec<SliceGap>) {
    gaps.sort_by_key(|gap| (gap.why, gap.span));
    gaps.dedup_by(|next, gap| {
        let touches = next.why == gap.why && next.span.since <= gap.span.until;
        if touches {
            gap.span.until = gap.span.until.max(next.span.until);
        }
        touches
    });
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.span));
}
