//! Reading the audit trail, slice by slice.
//!
//! Pages are asked for by date: the next one ends at the oldest date seen, inclusive, and known ids are dropped. Where that does
//! not get on (the autumn hour, whose first pass is printed an hour late) or where a stored row makes the page fail, what remains
//! of the slice is halved. The portal compares with true instants, so halves get smaller whatever it prints. A second that cannot
//! be read even so is a gap. A second that holds more rows than a page is read by overlapping offsets, and is a gap unless all of its
//! rows were seen.

use std::collections::HashSet;

use audit_model::{AuditEvent, GapReason, Window};
use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use tracing::debug;

use crate::client::{OnFault, Question};
use crate::wire::AuditEventDto;
use crate::zone::{cut_at_repeated_hours, lateness};
use crate::{Client, Error, Slice, SliceGap};

/// The portal's largest page.
const PAGE_ROWS: usize = 100;

/// The portal's own resolution of dates in a query. Bounds are inclusive there and half-open here.
const TICK: TimeDelta = TimeDelta::nanoseconds(100);

/// Halving ends here: on MySQL dates have whole seconds.
const SMALLEST_PART: TimeDelta = TimeDelta::seconds(1);

/// A slice ends when it has so many rows, about half a kilobyte each, whatever is left of its span.
const MAX_SLICE_ROWS: usize = 5_000;

/// A portal that ignores filters answers with its newest 20 rows, whatever was asked; with fewer only when it has no more.
const FALLBACK_ROWS: usize = 20;

/// Kinds of action that are asked for one by one in a second with an unreadable row: update, delete, export, changes of access,
/// download, upload, copy, move, send. The rows that can be made unreadable on purpose are of none of these kinds, but created tags.
const OTHER_KINDS: [&str; 9] = ["2", "3", "8", "10", "11", "12", "13", "14", "15"];

/// Narrowing down a row fails up to 17 times in a row; a portal that stopped working is noticed a few failures later.
const FAILURES_BETWEEN_CHECKS: u32 = 6;

/// A pause before each of forty bad rows would cost more than asking again tomorrow.
const GAPS_ASKED_TWICE: usize = 3;

/// How far apart pages of a dense second begin, pass by pass: a page is 100 rows, so each row stands in two, three or four of them.
const DENSE_STEPS: [usize; 3] = [50, 33, 25];

impl Client {
    /// The events that the portal recorded in the span, with what could not be seen.
    pub async fn audit_slice(&self, span: Window) -> Slice<AuditEvent> {
        let mut reader = Reader {
            client: self,
            seen: HashSet::new(),
            failures_in_a_row: 0,
            narrowing: false,
            could_be_fallback: false,
            slice: Slice { span, rows: Vec::new(), gaps: Vec::new(), unread: Vec::new(), error: None },
        };
        let mut parts = cut_at_repeated_hours(span, self.time_zone());
        while let Some(part) = parts.pop() {
            let Err(Stopped { rest, cause }) = reader.walk(part).await else { continue };
            let can_halve = rest.length() > SMALLEST_PART;
            let cause = reader.not_the_row(cause).await;
            match cause {
                Cause::OneDate(date) => {
                    let second = date.with_nanosecond(0).unwrap_or(date);
                    let dense = Window::new(second, second + SMALLEST_PART).intersection(&span);
                    parts.push(Window::new(rest.since, second));
                    match reader.read_dense(dense).await {
                        Ok(true) => {}
                        Ok(false) => reader.gap(dense, GapReason::UnstablePaging),
                        Err(error) => match reader.not_the_row(Cause::row_or_failed(error)).await {
                            // it stands behind the first page, so nothing met it before
                            Cause::Row(_) => {
                                reader.read_other_kinds(dense).await;
                                reader.gap(dense, GapReason::UnreadableRow);
                            }
                            Cause::Failed(error) => reader.fail(parts.drain(..).chain([dense]).collect(), error),
                            _ => reader.gap(dense, GapReason::UnstablePaging),
                        },
                    }
                }
                Cause::Dense | Cause::Row(_) if can_halve => {
                    let [older, newer] = halves(rest);
                    parts.extend([older, newer]);
                }
                Cause::Dense => reader.gap(rest, GapReason::UnstablePaging),
                Cause::Row(_) => {
                    reader.read_other_kinds(rest).await;
                    reader.gap(rest, GapReason::UnreadableRow);
                }
                Cause::FilterIgnored => {
                    reader.forget(GapReason::AuditFeatureMissing);
                    break;
                }
                Cause::Full => {
                    parts.push(rest);
                    reader.slice.unread = std::mem::take(&mut parts);
                }
                Cause::Failed(error) => reader.fail(parts.drain(..).chain([rest]).collect(), error),
            }
        }
        reader.check_filter().await;
        let rows = reader.slice.rows.len();
        debug!(rows, gaps = reader.slice.gaps.len(), "audit slice read");
        reader.slice
    }

    /// One page: the newest 100 events of `since ..= to`, and of them those that `more` selects.
    async fn audit_page(
        &self,
        since: DateTime<Utc>,
        to: DateTime<Utc>,
        more: Option<(&str, &str)>,
        on_fault: OnFault,
    ) -> Result<Vec<AuditEvent>, Error> {
        let (from, to) = (query_instant(since), query_instant(to));
        let fields = if self.wants_details() { AuditEventDto::FIELDS_WITH_DETAILS } else { AuditEventDto::FIELDS };
        let fixed = [("from", from.as_str()), ("to", &to), ("count", "100"), ("fields", fields)];
        let query: Vec<(&str, &str)> = fixed.into_iter().chain(more).collect();
        let question = Question::new("the audit trail", "security/audit/events/filter", "*:read").query(&query);
        let rows: Vec<AuditEventDto> = self.get_or(question, on_fault).await?.response;
        self.note_rows(rows.len());
        Ok(rows.into_iter().map(AuditEvent::from).collect())
    }
}

/// Why a walk ended before it reached the beginning of its part, and what it had not covered.
struct Stopped {
    rest: Window,
    cause: Cause,
}

enum Cause {
    /// A full page of one date: there may be more such rows, and no question brings them.
    OneDate(DateTime<Utc>),
    /// A full page without an earlier date: the repeated hour, where printed dates are late.
    Dense,
    /// The portal failed, possibly because of one stored row.
    Row(Error),
    /// Any other failure.
    Failed(Error),
    /// The slice has as many rows as it may.
    Full,
    /// Rows that were not asked for.
    FilterIgnored,
}

impl Cause {
    fn row_or_failed(error: Error) -> Self {
        if error.may_be_one_row() { Cause::Row(error) } else { Cause::Failed(error) }
    }
}

struct Reader<'a> {
    client: &'a Client,
    seen: HashSet<i64>,
    /// Pages that failed since the last one that did not.
    failures_in_a_row: u32,
    /// A bad row was met, and there may be more.
    narrowing: bool,
    /// An answer was as short as those of a portal that ignores filters.
    could_be_fallback: bool,
    slice: Slice<AuditEvent>,
}

impl Reader<'_> {
    /// Pages through a part from its end to its beginning.
    async fn walk(&mut self, part: Window) -> Result<(), Stopped> {
        let mut to = part.until - TICK;
        // while a bad row is narrowed down its failures are expected; what ends up as a gap was asked for twice, unless there are many
        let narrowing = self.narrowing && (part.length() > SMALLEST_PART || self.slice.gaps.len() >= GAPS_ASKED_TWICE);
        let on_fault = if narrowing { OnFault::GiveUp } else { OnFault::RepeatOnce };
        loop {
            let stopped = |cause| Stopped { rest: Window::new(part.since, to + TICK), cause };
            let page = match self.client.audit_page(part.since, to, None, on_fault).await {
                Ok(page) => {
                    self.failures_in_a_row = 0;
                    page
                }
                Err(error) => return Err(stopped(Cause::row_or_failed(error))),
            };
            let (rows, mut oldest, mut newest) = (page.len(), to, part.since);
            self.could_be_fallback |= (1..=FALLBACK_ROWS).contains(&rows);
            let (_, dates) = self.take(page, part.since, to).ok_or_else(|| stopped(Cause::FilterIgnored))?;
            for date in dates {
                oldest = oldest.min(date);
                newest = newest.max(date);
            }
            if rows < PAGE_ROWS {
                return Ok(());
            }
            if oldest >= to {
                let one_date = oldest == newest;
                return Err(stopped(if one_date { Cause::OneDate(to) } else { Cause::Dense }));
            }
            to = oldest;
            if self.slice.rows.len() >= MAX_SLICE_ROWS {
                return Err(Stopped { rest: Window::new(part.since, to + TICK), cause: Cause::Full });
            }
        }
    }

    /// Reads a second that holds more rows of one date than a page, by offsets whose pages overlap.
    ///
    /// Rows of one date have no order, so pages may lose some. The last page tells how many there are: when so many distinct ones
    /// were seen, all were. Each pass overlaps in another way; `false` when none of them got there.
    async fn read_dense(&mut self, second: Window) -> Result<bool, Error> {
        let (since, to) = (second.since, second.until - TICK);
        let mut seen = HashSet::new();
        for step in DENSE_STEPS {
            let mut start = 0;
            loop {
                let start_text = start.to_string();
                let offset = (start > 0).then_some(("startIndex", start_text.as_str()));
                let page = self.client.audit_page(since, to, offset, OnFault::RepeatOnce).await?;
                let rows = page.len();
                let Some((ids, _)) = self.take(page, since, to) else { return Ok(false) };
                seen.extend(ids);
                if rows < PAGE_ROWS {
                    if seen.len() == start + rows {
                        return Ok(true);
                    }
                    break;
                }
                start += step;
            }
        }
        Ok(false)
    }

    /// Reads what can be had of a second that holds an unreadable row, so that making one does not hide what else happened then.
    /// It stays a gap.
    async fn read_other_kinds(&mut self, second: Window) {
        let (since, to) = (second.since, second.until - TICK);
        for kind in OTHER_KINDS {
            // one that fails holds the row itself
            if let Ok(page) = self.client.audit_page(since, to, Some(("actionType", kind)), OnFault::GiveUp).await {
                self.take(page, since, to);
            }
        }
    }

    /// Takes in the rows of a page, each once, and gives their ids and dates; `None` when one was not selected by these bounds.
    fn take(
        &mut self,
        page: Vec<AuditEvent>,
        since: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Option<(Vec<i64>, Vec<DateTime<Utc>>)> {
        let (mut ids, mut dates) = (Vec::with_capacity(page.len()), Vec::with_capacity(page.len()));
        for mut event in page {
            event.at = true_date(event.at, since, to, self.client.time_zone())?;
            ids.push(event.id);
            dates.push(event.at);
            if self.seen.insert(event.id) {
                self.slice.rows.push(event);
            }
        }
        Some((ids, dates))
    }

    /// Asks once more whether the portal still answers what it is asked: its plan may have ended since the last time.
    async fn check_filter(&mut self) {
        if !self.could_be_fallback {
            return;
        }
        match self.client.canary_is_empty().await {
            Ok(true) => {}
            Ok(false) => self.forget(GapReason::AuditFeatureMissing),
            Err(error) => {
                self.forget(error.gap_reason());
                self.slice.error = Some(error);
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
    fn fail(&mut self, parts: Vec<Window>, error: Error) {
        parts.into_iter().rev().for_each(|part| self.gap(part, error.gap_reason()));
        self.slice.error = Some(error);
    }

    /// Tells a row that cannot be read from a portal that fails at everything: a question that no row answers fails only there.
    /// Asked at the first failure in a row, and now and then while they go on.
    async fn not_the_row(&mut self, cause: Cause) -> Cause {
        let Cause::Row(error) = cause else { return cause };
        let ask = self.failures_in_a_row.is_multiple_of(FAILURES_BETWEEN_CHECKS);
        self.failures_in_a_row += 1;
        self.narrowing = true;
        if ask && self.client.canary_is_empty().await.is_err() {
            return Cause::Failed(error);
        }
        Cause::Row(error)
    }

    fn gap(&mut self, span: Window, why: GapReason) {
        let span = span.intersection(&self.slice.span);
        if !span.is_empty() {
            self.slice.gaps.push(SliceGap { span, why });
        }
    }
}

/// The date of a row that the portal returned for `since ..= to`: as printed, or earlier by what a repeated hour makes it late when
/// only that fits. `None` when nothing fits, so the row was not selected by these bounds.
fn true_date(
    printed: DateTime<Utc>,
    since: DateTime<Utc>,
    to: DateTime<Utc>,
    zone: Option<Tz>,
) -> Option<DateTime<Utc>> {
    let fits = |date: &DateTime<Utc>| (since..=to).contains(date);
    Some(printed).filter(fits).or_else(|| Some(printed - lateness(printed, zone)).filter(fits))
}

/// Two parts that make up the span, older first, cut at a whole second where there is one.
fn halves(span: Window) -> [Window; 2] {
    let exact = span.since + span.length() / 2;
    let whole = exact.with_nanosecond(0).filter(|cut| *cut > span.since);
    let cut = whole.unwrap_or(exact.trunc_subsecs(6));
    [Window::new(span.since, cut), Window::new(cut, span.until)]
}

/// An instant as the portal's query parser takes it: whole seconds, or exactly seven digits.
pub(crate) fn query_instant(instant: DateTime<Utc>) -> String {
    let seconds = instant.format("%Y-%m-%dT%H:%M:%S");
    match instant.nanosecond() / 100 {
        0 => format!("{seconds}Z"),
        ticks => format!("{seconds}.{ticks:07}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn instants_have_no_digits_or_seven() {
        assert_eq!(query_instant(at("2026-11-20T09:00:00Z")), "2026-11-20T09:00:00Z");
        assert_eq!(query_instant(at("2026-11-20T09:00:00Z") - TICK), "2026-11-20T08:59:59.9999999Z");
        assert_eq!(query_instant(at("2026-11-20T09:00:00.05Z")), "2026-11-20T09:00:00.0500000Z");
    }

    #[test]
    fn a_row_of_the_autumn_hour_is_taken_back_into_its_part() {
        let (since, to) = (at("2025-10-26T00:00:00Z"), at("2025-10-26T00:59:59Z"));
        for zone in [Some(Tz::Europe__Berlin), None] {
            let true_date = |printed| true_date(at(printed), since, to, zone);
            assert_eq!(true_date("2025-10-26T01:30:00Z"), Some(at("2025-10-26T00:30:00Z")));
            assert_eq!(true_date("2025-10-26T00:30:00Z"), Some(at("2025-10-26T00:30:00Z")));
            assert_eq!(true_date("2025-10-26T02:30:00Z"), None);
            assert_eq!(true_date("2025-10-25T23:59:59Z"), None);
        }
        assert_eq!(true_date(at("2025-10-26T01:30:00Z"), since, to, Some(Tz::UTC)), None);
    }

    #[test]
    fn halving_ends_at_single_seconds() {
        let mut part = Window::new(at("2026-11-19T09:00:00Z"), at("2026-11-20T09:00:00Z"));
        let mut halvings = 0;
        while part.length() > SMALLEST_PART {
            let [older, newer] = halves(part);
            assert_eq!((older.since, older.until, newer.until), (part.since, newer.since, part.until));
            assert!(!older.is_empty() && !newer.is_empty());
            part = newer;
            halvings += 1;
        }
        assert!(halvings <= 17, "{halvings}");
        assert_eq!(part.since.nanosecond(), 0);
    }
}
