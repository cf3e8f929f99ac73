//! What a refresh has reached so far, and what it reached in the end.

use std::collections::{BTreeSet, HashSet};

use audit_model::{Gap, GapReason, SourceCoverage, SpanSet, UnreadableSpan, Window};
use chrono::{DateTime, Utc};
use docspace_client::{Rest, Slice, SliceGap};
use tracing::warn;

/// What a refresh reached.
#[derive(Debug)]
pub struct Refreshed {
    /// `None` when not a single span could be read.
    pub coverage: Option<SourceCoverage>,
    /// What of the window was not seen.
    pub gaps: Vec<Gap>,
    /// Rows found in spans that an earlier run had read, and rows in holes ([`Archive::with_holes`](crate::Archive::with_holes)), also such before the window: rules
    /// judge them all the same. Also those of earlier runs, until [`Archive::keep_run`](crate::Archive::keep_run).
    pub late: Vec<LateRow>,
    /// What of the history before the window was not seen though it was wanted and the portal has it: no gap of the window.
    pub history: Vec<Gap>,
    /// Why the read ended early, if it did, for the log.
    pub error: Option<docspace_client::Error>,
}

/// A row that the portal stored after its time had been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LateRow {
    pub at: DateTime<Utc>,
}

pub(super) fn in_order(rows: impl Iterator<Item = LateRow>) -> Vec<LateRow> {
    rows.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A row that is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) at: DateTime<Utc>,
}

/// What of its span a slice was asked for; of that only what has no gap, if wanted.
pub(super) fn read_of<R>(slice: &Slice<R>, without_gaps: bool) -> SpanSet {
    let gaps = slice.gaps.iter().map(|gap| gap.span).filter(|_| without_gaps);
    let unseen: SpanSet = slice.unread.iter().map(|rest| rest.span).chain(gaps).collect();
    unseen.missing_from(slice.span).into_iter().collect()
}

/// What becomes of a slice that lacks rows which are stored.
pub(super) enum Doubted<R> {
    /// Nothing of it counts as read.
    AskAgain(SpanSet, Slice<R>),
    /// The second time: it is a gap.
    Refuted(Slice<R>),
}

/// What a refresh has reached so far.
pub(super) struct Progress {
    pub(super) what: &'static str,
    pub(super) window: Window,
    /// What is wanted before the window.
    pub(super) history: Window,
    /// What of that was not seen, and why.
    pub(super) history_unseen: Vec<SliceGap>,
    /// What is asked for besides.
    pub(super) holes: SpanSet,
    /// What earlier runs had read.
    pub(super) before: SpanSet,
    pub(super) covered: SpanSet,
    pub(super) gaps: Vec<SliceGap>,
    pub(super) unreadable: Vec<UnreadableSpan>,
    pub(super) late: Vec<LateRow>,
    pub(super) any_read: bool,
    /// Spans that hold an unreadable row.
    pub(super) bad: SpanSet,
    /// Spans that hold a row of an unknown form.
    pub(super) odd: SpanSet,
    /// Rows that a slice has shown and the one that goes on from it does not show again.
    pub(super) carried: HashSet<i64>,
    /// What was asked for once more, because the first answer lacked rows that are stored.
    pub(super) asked_again: SpanSet,
    /// Spans of which the portal says that it has no row up to their end, however old. They count as read when that is judged.
    pub(super) none_ever: SpanSet,
    /// The date of the oldest row that any answer showed.
    pub(super) oldest_shown: Option<DateTime<Utc>>,
    /// Why nothing more is asked.
    pub(super) stopped: Option<GapReason>,
    pub(super) error: Option<docspace_client::Error>,
}

impl Progress {
    pub(super) fn new(what: &'static str, window: Window, holes: &SpanSet, before: SpanSet) -> Self {
        let covered = before.clone();
        Progress {
            what,
            window,
            history: Window::new(window.since, window.since),
            history_unseen: Vec::new(),
            holes: holes.clone(),
            before,
            covered,
            gaps: Vec::new(),
            unreadable: Vec::new(),
            late: Vec::new(),
            any_read: false,
            bad: SpanSet::default(),
            odd: SpanSet::default(),
            carried: HashSet::new(),
            asked_again: SpanSet::default(),
            none_ever: SpanSet::default(),
            oldest_shown: None,
            stopped: None,
            error: None,
        }
    }

    /// Notes what was not seen, also where an earlier run had read: what came late there is unseen. The next run asks again.
    pub(super) fn gap(&mut self, span: Window, why: GapReason) {
        self.covered.remove(span);
        if why == GapReason::UnreadableRow {
            self.bad.insert(span);
        }
        if why == GapReason::AuditFeatureMissing {
            self.stopped = Some(why);
        }
        // what the portal has forgotten is a short history, and not one that failed
        let unseen = span.intersection(&self.history);
        if why != GapReason::BeyondRetention && !unseen.is_empty() {
            self.history_unseen.push(SliceGap { span: unseen, why });
        }
        for of in std::iter::once(&self.window).chain(self.holes.iter()) {
            let span = span.intersection(of);
            if span.is_empty() {
                continue;
            }
            self.gaps.push(SliceGap { span, why });
            if why == GapReason::UnreadableRow {
                self.unreadable.push(UnreadableSpan { span, rows: 1 });
            }
        }
    }

    /// Rows of an unknown form are asked for again once a day, like unreadable ones, or where they stand in what is read anyway.
    pub(super) fn keep_odd(&mut self, odd: &SpanSet, to_read: &[Window]) {
        let to_read: SpanSet = to_read.iter().copied().collect();
        for span in odd.iter().flat_map(|span| to_read.missing_from(*span)) {
            self.gap(span, GapReason::UnknownForm);
            self.odd.insert(span);
        }
    }

    /// Makes what a slice has read a gap, the first time one that is asked for once more.
    pub(super) fn doubt<R>(&mut self, mut slice: Slice<R>, lost: Row) -> Doubted<R> {
        let read = read_of(&slice, false);
        slice.none_ever = false;
        let is_first = read.iter().all(|span| !self.asked_again.missing_from(*span).is_empty());
        if is_first && self.stopped.is_none() && slice.error.is_none() {
            warn!(
                source = self.what,
                id = lost.id,
                "the portal's answer lacks a row that it has shown before; asking again"
            );
            read.iter().for_each(|span| self.asked_again.insert(*span));
            slice.gaps.clear();
            read.iter().for_each(|span| self.covered.remove(*span));
            // as if it had not been asked for: its rows are stored, and nothing counts as read
            slice.unread.extend(read.iter().map(|span| Rest::from(*span)));
            return Doubted::AskAgain(read, slice);
        }
        warn!(source = self.what, id = lost.id, "the portal's answers lack a row that it has shown before");
        slice.gaps = read.iter().map(|span| SliceGap { span: *span, why: GapReason::UnstablePaging }).collect();
        Doubted::Refuted(slice)
    }

    /// Remembers the rows of a slice that stand where the one begins that goes on from it.
    pub(super) fn carry<R>(&mut self, slice: &Slice<R>, id_and_date: impl Fn(&R) -> (i64, DateTime<Utc>)) {
        let is_carried = |at| slice.unread.iter().any(|rest| rest.span.contains(at));
        self.carried.extend(slice.rows.iter().map(id_and_date).filter(|(_, at)| is_carried(*at)).map(|(id, _)| id));
    }

    pub(super) fn take_none_ever(&mut self) -> Option<SpanSet> {
        let none_ever = std::mem::take(&mut self.none_ever);
        (!none_ever.is_empty()).then_some(none_ever)
    }

    pub(super) fn read(&mut self, span: Window) {
        // what was read of a hole says nothing about the window
        self.any_read |= !self.holes.missing_from(span).is_empty();
        self.covered.insert(span);
    }

    /// Marks as covered what of a slice has no gap.
    pub(super) fn note<R>(&mut self, slice: &Slice<R>, date: impl Fn(&R) -> DateTime<Utc>) {
        self.oldest_shown = slice.rows.iter().map(date).chain(self.oldest_shown).min();
        let unseen: SpanSet =
            slice.gaps.iter().map(|gap| gap.span).chain(slice.unread.iter().map(|rest| rest.span)).collect();
        for read in unseen.missing_from(slice.span) {
            if slice.none_ever {
                // what an earlier run had read is in doubt, too
                self.covered.remove(read);
                self.none_ever.insert(read);
            } else {
                self.read(read);
            }
        }
        for gap in &slice.gaps {
            match gap.why {
                // what was read while the portal had it is known for good
                GapReason::BeyondRetention => {
                    self.before.missing_from(gap.span).into_iter().for_each(|span| self.gap(span, gap.why));
                }
                why => self.gap(gap.span, why),
            }
            // with an error it is the answer that nobody knows, and not a row
            if gap.why == GapReason::UnknownForm && slice.error.is_none() {
                self.odd.insert(gap.span);
            }
            if slice.error.is_some() {
                self.bad.remove(gap.span);
            }
        }
        self.stopped = self.stopped.or(slice.error.as_ref().map(docspace_client::Error::gap_reason));
    }

    pub(super) fn finish(mut self, coverage: Option<SourceCoverage>) -> Refreshed {
        SliceGap::join(&mut self.gaps);
        SliceGap::join(&mut self.history_unseen);
        self.unreadable.sort_by_key(|unreadable| unreadable.span);
        let in_window = self.late.iter().filter(|row| self.window.contains(row.at)).count() as u64;
        let (late_rows, unreadable) = (in_window, self.unreadable);
        let coverage = coverage.map(|summary| SourceCoverage { late_rows, unreadable, ..summary });
        let named = |gaps: &[SliceGap]| {
            gaps.iter().map(|of| Gap { what: self.what.to_owned(), span: of.span, why: of.why }).collect()
        };
        let (gaps, history) = (named(&self.gaps), named(&self.history_unseen));
        Refreshed { coverage, gaps, late: self.late, history, error: self.error }
    }
}
