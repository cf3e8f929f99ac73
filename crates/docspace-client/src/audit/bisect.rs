//! Finding the stored row that makes a page fail, by halving the time in which it can be.
//!
//! The portal compares with true instants, so halves get smaller whatever it prints. What is newer than the row is read again
//! afterwards, with its proof; here only the question matters whether a page fails.

use audit_model::{GapReason, Window};
use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};

use super::Reader;
use super::page::{Asked, Page, second_of};
use crate::client::OnFault;
use crate::{Error, Rest};

/// Halving ends here: on MySQL dates have whole seconds.
const SMALLEST_PART: TimeDelta = TimeDelta::seconds(1);

/// Single rows that are asked for, counted from where the page failed. A portal that can give none of them fails for another reason.
const SAMPLES: [usize; 8] = [0, 1, 2, 4, 8, 16, 32, 64];

/// So many different rows in all: fewer may each be unreadable.
const MANY_ROWS: usize = 4;

/// Rows that can be read are looked for at the first that cannot, and after so many without one in between.
const ROWS_BETWEEN_SAMPLES: usize = 8;

/// How often a page may fail that does not fail when it is asked for again.
const PASSING_FAILURES: usize = 3;

/// Kinds of action that are asked for one by one in a second with an unreadable row: update, delete, export, changes of access,
/// download, upload, copy, move, send. The rows that can be made unreadable on purpose are of none of these kinds, but created tags.
const OTHER_KINDS: [&str; 9] = ["2", "3", "8", "10", "11", "12", "13", "14", "15"];

/// What a failing page turned out to be.
pub(super) enum Cause {
    /// The newest second that holds an unreadable row.
    Second(Window),
    /// It does not fail any more.
    Nothing,
}

impl Reader<'_> {
    /// Tells a row that cannot be read from a portal that fails, and finds the second of the row.
    ///
    /// # Errors
    /// `error`, the failure that was met, when it is no row; else of a question.
    pub(super) async fn find_unreadable(&mut self, rest: &Rest, error: Error) -> Result<Cause, Error> {
        let asked = Asked::next_of(rest);
        // a question that no row answers fails only where everything does
        if !self.answers {
            if self.client.canary_is_empty().await.is_err() {
                return Err(error);
            }
            self.answers = true;
        }
        if self.unreadable_in_a_row.is_multiple_of(ROWS_BETWEEN_SAMPLES) && self.fails_at_every_row(&asked).await? {
            return Err(error);
        }
        self.unreadable_in_a_row += 1;
        let (mut since, mut until) = (rest.span.since, second_of(asked.to).until);
        while until - since > SMALLEST_PART {
            let middle = middle(Window::new(since, until));
            if self.fails(&Asked { since: Some(middle), ..asked }, OnFault::GiveUp).await? {
                since = middle;
            } else {
                until = middle;
            }
        }
        // found, if it is still there
        if self.fails(&Asked { since: Some(since), ..asked }, self.on_fault()).await? {
            return Ok(Cause::Second(Window::new(since, until)));
        }
        self.passing_failures += 1;
        if self.passing_failures > PASSING_FAILURES { Err(error) } else { Ok(Cause::Nothing) }
    }

    /// Whether many different rows fail alike, each asked for alone, and none can be read.
    async fn fails_at_every_row(&self, asked: &Asked) -> Result<bool, Error> {
        let mut failed = 0;
        for sample in SAMPLES {
            let one = Asked { start: asked.start + sample, count: 1, ..*asked };
            match self.client.audit_page(&one, OnFault::GiveUp).await {
                Ok(rows) if rows.is_empty() => break,
                Ok(_) => return Ok(false),
                Err(error) if error.may_be_one_row() => failed += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(failed >= MANY_ROWS)
    }

    async fn fails(&self, asked: &Asked, on_fault: OnFault) -> Result<bool, Error> {
        match self.client.audit_page(asked, on_fault).await {
            Ok(_) => Ok(false),
            Err(error) if error.may_be_one_row() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Reads what can be had of a second that holds an unreadable row, so that making one does not hide what else happened then.
    /// It stays a gap.
    pub(super) async fn unreadable_second(&mut self, second: Window) {
        let all = Asked::all_of(second.intersection(&self.slice.span));
        for kind in OTHER_KINDS {
            let asked = Asked { action_type: Some(kind), ..all };
            // one that fails holds the row itself
            let Ok(raw) = self.client.audit_page(&asked, OnFault::GiveUp).await else { continue };
            if let Some(page) = Page::of(raw, &asked, None, self.client.time_zone()) {
                self.take(page);
            }
        }
        self.gap(second, GapReason::UnreadableRow);
    }
}

/// An instant inside the span, a whole second where there is one.
fn middle(span: Window) -> DateTime<Utc> {
    let exact = span.since + span.length() / 2;
    let whole = exact.with_nanosecond(0).filter(|middle| *middle > span.since);
    whole.unwrap_or(exact.trunc_subsecs(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn halving_ends_at_single_seconds() {
        let mut part = Window::new(at("2026-11-19T09:00:00Z"), at("2026-11-20T09:00:00Z"));
        let mut halvings = 0;
        while part.length() > SMALLEST_PART {
            let middle = middle(part);
            assert!(part.since < middle && middle < part.until);
            part = Window::new(middle, part.until);
            halvings += 1;
        }
        assert!(halvings <= 17, "{halvings}");
        assert_eq!(part.since.nanosecond(), 0);
    }
}
