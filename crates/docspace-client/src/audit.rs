//! Reading the audit trail, newest row first, in slices that fit into memory.
//!
//! `Rest` (what is still to be read) → [`walk`]: [`page::Asked`] (a question) → [`page::Page`] (an answer that can be one) →
//! [`passes`] (which date is meant where clocks were set back?), [`count`] (were all rows of a date seen?) → `Slice` (rows and gaps) and a `Rest` that goes on at the same place.
//! A page that fails goes through [`bisect`], which finds the second of the row that cannot be read.

mod bisect;
mod count;
mod page;
mod passes;
mod walk;

use std::collections::HashSet;

use audit_model::{AuditEvent, GapReason, Window};
use tracing::debug;

use self::bisect::Cause;
use self::page::Page;
use self::passes::Open;
use crate::client::OnFault;
use crate::slice::merge;
use crate::{Client, Error, Rest, Slice, SliceGap};

pub(crate) use page::query_instant;

/// A slice ends when it has so many rows, about half a kilobyte each, whatever is left of its span.
const MAX_SLICE_ROWS: usize = 5_000;

/// A bad row costs a pause before it is asked for again; before each of forty, that would cost more than asking tomorrow.
const GAPS_ASKED_TWICE: usize = 3;

impl Client {
    /// The newest 5 000 events that the portal recorded in the span, with what could not be seen. What is left is in `unread`.
    pub async fn audit_slice(&self, rest: impl Into<Rest>) -> Slice<AuditEvent> {
        self.audit_slice_of(rest, MAX_SLICE_ROWS).await
    }

    /// The same, but it ends when it has so many rows.
    pub async fn audit_slice_of(&self, rest: impl Into<Rest>, most_rows: usize) -> Slice<AuditEvent> {
        let rest = rest.into();
        let mut reader = Reader::new(self, &rest, most_rows.min(MAX_SLICE_ROWS));
        reader.read(rest).await;
        reader.slice
    }
}

/// Why a walk ended before it came to the beginning of its part.
enum Stop {
    /// The slice has as many rows as it may.
    Full,
    /// The portal answered another question: it has no audit feature.
    FilterIgnored,
    /// No answer could be the answer.
    Unproven,
    /// The portal failed, possibly because of one stored row.
    Unreadable(Error),
    /// Any other failure.
    Failed(Error),
}

impl Stop {
    fn because_of(error: Error) -> Self {
        if error.may_be_one_row() { Stop::Unreadable(error) } else { Stop::Failed(error) }
    }
}

/// A slice that is being read.
struct Reader<'a> {
    client: &'a Client,
    most_rows: usize,
    /// The rows of the slice, and those of the date where the one before it ended.
    seen: HashSet<i64>,
    /// A slice before it has read a page or more.
    goes_on: bool,
    /// Rows of the walk that may be of either pass of a repeated hour, newest first.
    open: Vec<Open>,
    /// Equal dates come in another order with each page.
    shuffled: bool,
    /// The portal answered a question that no row answers.
    answers: bool,
    bad_pages: usize,
    /// Seconds with a row that cannot be read, since the last row that could.
    unreadable_in_a_row: usize,
    passing_failures: usize,
    slice: Slice<AuditEvent>,
}

impl<'a> Reader<'a> {
    fn new(client: &'a Client, rest: &Rest, most_rows: usize) -> Self {
        Reader {
            client,
            most_rows,
            seen: rest.place.iter().flat_map(|place| place.ids.iter().copied()).collect(),
            goes_on: rest.place.is_some(),
            open: Vec::new(),
            shuffled: rest.shuffled,
            answers: false,
            bad_pages: 0,
            unreadable_in_a_row: 0,
            passing_failures: 0,
            slice: Slice {
                span: rest.span,
                rows: Vec::new(),
                gaps: Vec::new(),
                unread: Vec::new(),
                none_ever: false,
                error: None,
            },
        }
    }

    async fn read(&mut self, rest: Rest) {
        let mut parts = vec![rest];
        while let Some(mut part) = parts.pop() {
            match self.walk(&mut part).await {
                Ok(()) => {}
                Err(Stop::Full) => {
                    parts.push(part);
                    self.slice.unread = std::mem::take(&mut parts);
                }
                Err(Stop::FilterIgnored) => return self.forget(GapReason::AuditFeatureMissing),
                Err(Stop::Unproven) => {
                    self.give_up_open(GapReason::UnstablePaging);
                    self.gap(part.span, GapReason::UnstablePaging);
                }
                Err(Stop::Failed(error)) => self.fail(parts.drain(..).chain([part]), error),
                Err(Stop::Unreadable(error)) => match self.find_unreadable(&part, error).await {
                    Ok(Cause::Second(second)) => {
                        self.unreadable_second(second).await;
                        let newer = Window::new(second.until, part.span.until);
                        if newer.is_empty() {
                            self.give_up_open(GapReason::UnreadableRow);
                        }
                        parts.push(Rest::from(Window::new(part.span.since, second.since)));
                        parts.push(Rest { span: newer, ..part });
                        parts.retain(|part| !part.span.is_empty());
                    }
                    Ok(Cause::Nothing) => parts.push(part),
                    Err(error) => self.fail(parts.drain(..).chain([part]), error),
                },
            }
        }
        merge(&mut self.slice.gaps);
        debug!(rows = self.slice.rows.len(), gaps = self.slice.gaps.len(), "audit slice read");
    }

    fn on_fault(&self) -> OnFault {
        if self.slice.gaps.len() < GAPS_ASKED_TWICE { OnFault::RepeatOnce } else { OnFault::GiveUp }
    }

    /// Takes in the rows of a page, each once, and what of it could not be understood.
    fn take(&mut self, page: Page) {
        page.unreadable().into_iter().for_each(|gap| self.gap(gap.span, gap.why));
        for event in page.rows.into_iter().filter_map(|row| row.event.ok()) {
            self.unreadable_in_a_row = 0;
            if self.seen.insert(event.id) {
                self.slice.rows.push(event);
            }
        }
    }

    /// Rows of an answer to another question prove nothing.
    fn forget(&mut self, why: GapReason) {
        self.slice.rows.clear();
        self.slice.unread.clear();
        self.slice.gaps = vec![SliceGap { span: self.slice.span, why }];
    }

    /// Ends the read: these parts were not seen.
    fn fail(&mut self, parts: impl Iterator<Item = Rest>, error: Error) {
        self.give_up_open(error.gap_reason());
        parts.for_each(|part| self.gap(part.span, error.gap_reason()));
        self.slice.error = Some(error);
    }

    fn gap(&mut self, span: Window, why: GapReason) {
        let span = span.intersection(&self.slice.span);
        if !span.is_empty() {
            self.slice.gaps.push(SliceGap { span, why });
        }
    }
}
