//! Reading the activity log of a room or a file.
//!
//! Pages are counted in raw rows: groups make the answer shorter, rows without a text are left out of it, and only the total tells
//! where the log ends. It is believed where it does not shrink, and where each page has as many raw rows as it promises. One
//! unreadable row makes its page fail; other pages work, so it is stepped over. Where everything fails alike it is no row.

use std::collections::HashSet;

use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta};

use crate::audit::query_instant;
use crate::client::{OnFault, Question};
use crate::slice::merge;
use crate::wire::{LogItemDto, Row};
use crate::{Client, EntryId, Error, ErrorKind, LogEntry, Slice, SliceGap};

/// Page sizes: when a page fails, the next smaller ones narrow down the row.
const PAGE_ROWS: [u64; 3] = [100, 10, 1];

impl Client {
    /// What the activity log of a room, or of any folder, lists for the window. Downloads, openings and content replaced through
    /// the API are never in it.
    pub async fn room_log(&self, room: &RoomId, span: Window) -> Slice<LogEntry> {
        self.activity_log("a room's activity log", "folder", room, span).await
    }

    /// What the activity log of a file lists for the window; the same is missing as from a room's.
    pub async fn file_log(&self, file: &EntryId, span: Window) -> Slice<LogEntry> {
        self.activity_log("a file's activity log", "file", file, span).await
    }

    async fn activity_log(&self, asked: &'static str, kind: &str, entry: &EntryId, span: Window) -> Slice<LogEntry> {
        let mut slice =
            Slice { span, rows: Vec::new(), gaps: Vec::new(), unread: Vec::new(), none_ever: false, error: None };
        let RoomId::Number(number) = entry else {
            let error = Error::new(asked, ErrorKind::ThirdPartyStorage);
            slice.gaps.push(SliceGap { span, why: error.gap_reason() });
            slice.error = Some(error);
            return slice;
        };
        let path = format!("files/{kind}/{number}/log");
        let mut seen = HashSet::new();
        let (mut start, mut size) = (0, 0);
        let (mut total, mut doubts) = (None, 0);
        let (mut answers, mut most_unreadable) = (false, ALIKE);
        loop {
            let page = match self.log_page(asked, &path, span, (start, PAGE_ROWS[size])).await {
                Ok(page) => {
                    (answers, most_unreadable) = (true, MAX_UNREADABLE);
                    page
                }
                Err(error) => {
                    // a question that no row answers fails only where everything does
                    answers = answers
                        || error.may_be_one_row() && self.log_page(asked, &path, without_rows(), (0, 1)).await.is_ok();
                    if answers && error.may_be_one_row() && size + 1 < PAGE_ROWS.len() {
                        size += 1;
                        continue;
                    }
                    if answers && error.may_be_one_row() && slice.gaps.len() + 1 < most_unreadable {
                        // its date is unknown, so it may be anywhere in the span
                        slice.gaps.push(SliceGap { span, why: GapReason::UnreadableRow });
                        start += 1;
                        continue;
                    }
                    // what failed alike was no row
                    slice.gaps.retain(|_| most_unreadable > ALIKE);
                    slice.gaps.push(SliceGap { span, why: error.gap_reason() });
                    slice.error = Some(error);
                    break;
                }
            };
            if !page.is_believable(start, PAGE_ROWS[size], total) {
                doubts += 1;
                if doubts < TRIES {
                    total = total.max(Some(page.total));
                    continue;
                }
                slice.gaps.push(SliceGap { span, why: GapReason::UnstablePaging });
            }
            total = total.max(Some(page.total));
            slice.gaps.extend(page.gaps);
            slice.rows.extend(page.entries.into_iter().filter(|entry| seen.insert(entry.event)));
            start += PAGE_ROWS[size];
            if total.is_none_or(|total| start >= total) || doubts == TRIES {
                break;
            }
            // back to large pages where they fit again
            while size > 0 && start.is_multiple_of(PAGE_ROWS[size - 1]) {
                size -= 1;
            }
        }
        merge(&mut slice.gaps);
        slice
    }

    async fn log_page(
        &self,
        asked: &'static str,
        path: &str,
        span: Window,
        (start, rows): (u64, u64),
    ) -> Result<LogPage, Error> {
        // the end is inclusive there; what belongs to the next span is told twice, which does no harm
        let (from, to) = (query_instant(span.since), query_instant(span.until));
        let (start, count) = (start.to_string(), rows.to_string());
        let query = [("fromDate", from.as_str()), ("toDate", &to), ("count", &count), ("startIndex", &start)];
        let question = Question::new(asked, path, "files:read or *:read").query(&query);
        let on_fault = if rows == 1 { OnFault::RepeatOnce } else { OnFault::GiveUp };
        let answer = self.get_rows::<LogItemDto>(question, on_fault).await?;
        let whole = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let total = whole(answer.total).ok_or_else(|| Error::new(asked, ErrorKind::UnexpectedForm))?;
        let mut page = LogPage { entries: Vec::new(), gaps: Vec::new(), rows: whole(answer.count), total };
        for item in answer.response {
            match item {
                Row::Read(item) => page.entries.extend(item.flatten()),
                Row::Unreadable { at: Some(at), why } => {
                    let second = Window::new(at, at + TimeDelta::seconds(1)).intersection(&span);
                    page.gaps.extend((!second.is_empty()).then_some(SliceGap { span: second, why }));
                }
                Row::Unreadable { at: None, why } => page.gaps.push(SliceGap { span, why }),
            }
        }
        self.note_rows(page.entries.len());
        Ok(page)
    }
}

/// A log with so many unreadable rows is not worth the requests.
const MAX_UNREADABLE: usize = 21;

/// So many rows that cannot be read, and not one that can, are no rows: the portal fails at everything.
const ALIKE: usize = 4;

/// How often a page is asked for that contradicts itself or the one before.
const TRIES: usize = 3;

/// A time of which no portal has events.
fn without_rows() -> Window {
    Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::seconds(1))
}

struct LogPage {
    entries: Vec<LogEntry>,
    /// Of items in a form that we do not know.
    gaps: Vec<SliceGap>,
    /// Raw rows of the page, where the server counts them.
    rows: Option<u64>,
    /// Raw rows in all.
    total: u64,
}

impl LogPage {
    /// Whether the page has as many rows as its number of all rows promises, and that number is none that shrank. An empty log is
    /// believed when it is empty twice.
    fn is_believable(&self, start: u64, size: u64, total: Option<u64>) -> bool {
        let promised = self.total.saturating_sub(start).min(size);
        // a server that counts otherwise counts fewer rows than it sends
        let rows = self.rows.filter(|rows| *rows >= self.entries.len() as u64);
        rows.is_none_or(|rows| rows == promised) && total.map_or(self.total > 0, |total| self.total >= total)
    }
}
