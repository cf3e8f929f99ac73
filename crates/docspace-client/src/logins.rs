//! Reading the login history.
//!
//! The portal cuts the page out of all logins first and filters it afterwards, so a filter loses rows: everything is read and
//! chosen here. Only offsets exist. Pages overlap by half; an overlap that spans a change of date proves that no row fell between
//! two pages.

use std::collections::HashSet;

use audit_model::{GapReason, LoginEvent, Window};
use chrono::{DateTime, TimeDelta, Utc};

use crate::client::Question;
use crate::wire::LoginEventDto;
use crate::{Client, Error, Slice, SliceGap};

/// The portal's largest page.
const PAGE_ROWS: usize = 100;

/// A portal cannot be told to forget logins earlier; every portal starts with half a year.
const SHORTEST_LIFETIME: TimeDelta = TimeDelta::days(1);

/// Half a page of overlap: ties of up to 49 rows cannot slip between two pages.
const STEP_ROWS: usize = 50;

/// Printed dates are up to an hour late in autumn, so the walk goes on this far before the window.
const MARGIN: TimeDelta = TimeDelta::hours(1);

impl Client {
    /// The logins of the span, with what could not be seen. Newest first, as the portal allows nothing else.
    pub async fn login_slice(&self, span: Window) -> Slice<LoginEvent> {
        self.walk_logins(span).await.0
    }

    /// The same from a portal that does not tell how long it keeps logins: only what is younger than some login that it has, or than
    /// a day, counts as seen.
    pub async fn login_slice_of_unknown_lifetime(&self, span: Window, now: DateTime<Utc>) -> Slice<LoginEvent> {
        let (mut slice, oldest) = self.walk_logins(span).await;
        let kept_since = oldest.into_iter().fold(now - SHORTEST_LIFETIME, std::cmp::min);
        if slice.gaps.is_empty() && span.since < kept_since {
            let forgotten = Window::new(span.since, kept_since.min(span.until));
            slice.gaps.push(SliceGap { span: forgotten, why: GapReason::BeyondRetention });
        }
        slice
    }

    /// The slice, and the date of the oldest login that was seen on the way, inside the span or before it.
    async fn walk_logins(&self, span: Window) -> (Slice<LoginEvent>, Option<DateTime<Utc>>) {
        let mut slice = Slice { span, rows: Vec::new(), gaps: Vec::new(), unread: Vec::new(), error: None };
        let mut seen = HashSet::new();
        let mut start = 0;
        let mut reached = span.until;
        let mut oldest = None;
        loop {
            let page = match self.login_page(start).await {
                Ok(page) => page,
                Err(error) => {
                    let why = if error.may_be_one_row() { GapReason::UnreadableRow } else { error.gap_reason() };
                    slice.gaps.push(SliceGap { span: Window::new(span.since, reached), why });
                    slice.error = Some(error);
                    break;
                }
            };
            let overlap: HashSet<_> = page.iter().filter(|row| seen.contains(&row.id)).map(|row| row.at).collect();
            if start > 0 && !page.is_empty() && overlap.len() < 2 {
                slice.gaps.push(SliceGap { span: Window::new(span.since, reached), why: GapReason::UnstablePaging });
                break;
            }
            let rows = page.len();
            oldest = page.iter().map(|row| row.at).chain(oldest).min();
            reached = oldest.map_or(reached, |oldest| oldest.min(reached));
            slice.rows.extend(page.into_iter().filter(|row| seen.insert(row.id) && span.contains(row.at)));
            if rows < PAGE_ROWS || reached < span.since - MARGIN {
                break;
            }
            start += STEP_ROWS;
        }
        slice.gaps.retain(|gap| !gap.span.is_empty());
        (slice, oldest)
    }

    async fn login_page(&self, start: usize) -> Result<Vec<LoginEvent>, Error> {
        let start = start.to_string();
        let query = [("count", "100"), ("startIndex", start.as_str()), ("fields", LoginEventDto::FIELDS)];
        let question = Question::new("the login history", "security/audit/login/filter", "*:read").query(&query);
        let rows: Vec<LoginEventDto> = self.get(question).await?.response;
        self.note_rows(rows.len());
        Ok(rows.into_iter().map(LoginEvent::from).collect())
    }
}
