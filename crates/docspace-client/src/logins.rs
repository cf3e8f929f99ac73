//! Reading the login history.
//!
//! The portal cuts the page out of all logins first and filters it afterwards, so a filter loses rows: everything is read and
//! chosen here. Only offsets exist. Pages overlap by half; an overlap that spans a change of date proves that no row fell between
//! two pages.

use std::collections::HashSet;

use audit_model::{GapReason, LoginEvent, Window};
use chrono::TimeDelta;

use crate::client::Question;
use crate::wire::LoginEventDto;
use crate::{Client, Error, Slice, SliceGap};

/// The portal's largest page.
const PAGE_ROWS: usize = 100;

/// Half a page of overlap: ties of up to 49 rows cannot slip between two pages.
const STEP_ROWS: usize = 50;

/// Printed dates are up to an hour late in autumn, so the walk goes on this far before the window.
const MARGIN: TimeDelta = TimeDelta::hours(1);

impl Client {
    /// The logins of the span, with what could not be seen. Newest first, as the portal allows nothing else.
    pub async fn login_slice(&self, span: Window) -> Slice<LoginEvent> {
        let mut slice = Slice { span, rows: Vec::new(), gaps: Vec::new(), unread: Vec::new(), error: None };
        let mut seen = HashSet::new();
        let mut start = 0;
        let mut reached = span.until;
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
            reached = page.iter().map(|row| row.at).fold(reached, std::cmp::min);
            slice.rows.extend(page.into_iter().filter(|row| seen.insert(row.id) && span.contains(row.at)));
            if rows < PAGE_ROWS || reached < span.since - MARGIN {
                break;
            }
            start += STEP_ROWS;
        }
        slice.gaps.retain(|gap| !gap.span.is_empty());
        slice
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
