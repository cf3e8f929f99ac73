//! Finding the stored row that makes a page fail, by halving the time in which it can be.
//!
//! The portal compares with true instants, so halves get smaller whatever it prints. What is newer than the row is read again
//! afterwards, with its proof; here only the question matters whether a page fails.

use audit_model::Window;
use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};

use super::page::{Asked, second_of};
use super::{Reader, Stop};
use crate::client::OnFault;
use crate::{Error, Rest};

/// Halving ends here: on MySQL dates have whole seconds.
const SMALLEST_PART: TimeDelta = TimeDelta::seconds(1);

/// Single rows that are asked for, counted from where the page failed. A portal that can give none of them fails for another reason.
const SAMPLES: [usize; 8] = [0, 1, 2, 4, 8, 16, 32, 64];

/// So many different rows in all: fewer may each be unreadable.
const MANY_ROWS: usize = 4;

/// How often a page may fail that does not fail when it is asked for again.
const PASSING_FAILURES: usize = 3;

/// What a failing page turned out to be.
pub(super) enum Found {
    /// The newest second that holds an unreadable row.
    Second(Window),
    /// It does not fail any more.
    Nothing,
    /// It is no row.
    Stop(Stop),
}

impl Reader<'_> {
    /// Tells a row that cannot be read from a portal that fails, and finds the second of the row.
    pub(super) async fn find_unreadable(&mut self, rest: &Rest, error: Error) -> Found {
        match self.search(rest, error).await {
            Ok(found) => found,
            Err(stop) => Found::Stop(stop),
        }
    }

    async fn search(&mut self, rest: &Rest, error: Error) -> Result<Found, Stop> {
        let asked = Asked::next_of(rest);
        // a question that no row answers fails only where everything does
        if !self.answers {
            if self.client.canary_is_empty().await.is_err() {
                return Err(Stop::Failed(error));
            }
            self.answers = true;
        }
        if self.fails_at_every_row(&asked).await? {
            return Err(Stop::Failed(error));
        }
        let (mut since, mut until) = (rest.span.since, second_of(asked.to).until);
        while until - since > SMALLEST_PART {
            let middle = middle(Window::new(since, until));
            match self.fails(&Asked { since: Some(middle), ..asked }, OnFault::GiveUp).await? {
                true => since = middle,
                false => until = middle,
            }
        }
        // found, if it is still there
        if self.fails(&Asked { since: Some(since), ..asked }, OnFault::RepeatOnce).await? {
            return Ok(Found::Second(Window::new(since, until)));
        }
        self.passing_failures += 1;
        if self.passing_failures > PASSING_FAILURES {
            return Err(Stop::Failed(error));
        }
        Ok(Found::Nothing)
    }

    /// Whether many different rows fail alike, each asked for alone, and none can be read.
    async fn fails_at_every_row(&self, asked: &Asked) -> Result<bool, Stop> {
        let mut failed = 0;
        for sample in SAMPLES {
            let one = Asked { start: asked.start + sample, count: 1, ..*asked };
            match self.client.audit_page(&one, OnFault::GiveUp).await.map_err(Stop::because_of) {
                Ok(rows) if rows.is_empty() => break,
                Ok(_) => return Ok(false),
                Err(Stop::Unreadable(_)) => failed += 1,
                Err(stop) => return Err(stop),
            }
        }
        Ok(failed >= MANY_ROWS)
    }

    async fn fails(&self, asked: &Asked, on_fault: OnFault) -> Result<bool, Stop> {
        match self.client.audit_page(asked, on_fault).await.map_err(Stop::because_of) {
            Ok(_) => Ok(false),
            Err(Stop::Unreadable(_)) => Ok(true),
            Err(stop) => Err(stop),
        }
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
