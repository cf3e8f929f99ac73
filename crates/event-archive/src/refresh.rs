//! Bringing the archive up to date, and saying what that could not reach.

use std::collections::HashSet;

use audit_model::{Coverage, GapReason, SourceCoverage, SpanSet, UnreadableSpan, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, SliceGap};
use tracing::{debug, warn};

use crate::{Archive, Error};

/// Name of the audit trail among covered spans and in gaps.
const AUDIT: &str = "audit";

/// Every run reads this much again. It holds the portal's usual delays of seconds, a restart of its queue, and the hour by which
/// dates are late in autumn.
const OVERLAP: TimeDelta = TimeDelta::hours(2);

/// A slice is held in memory and stored at once. A day keeps an ordinary portal at a few thousand rows, and costs one partly filled
/// page.
const SLICE: TimeDelta = TimeDelta::days(1);

/// Clocks that differ by less than this are set well enough: the overlap covers it.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// What a refresh reached.
#[derive(Debug)]
pub struct Refreshed {
    /// Only the members of the source that was read are set; blind spots are the caller's to add.
    pub coverage: Coverage,
    /// Why the read ended early, if it did, for the log.
    pub error: Option<docspace_client::Error>,
}

impl Archive {
    /// Reads what is missing of the window, and its last two hours again.
    ///
    /// A portal that fails leaves gaps, not an error: what was read before is kept. When not a single span could be read, the
    /// source is absent from the coverage.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_audit(&self, client: &Client, window: Window) -> Result<Refreshed, Error> {
        let mut covered = self.covered(AUDIT).await?;
        let before = covered.clone();
        let mut coverage = Coverage::default();
        let window_seen = seen_by_portal(window, client.portal_clock());
        if window_seen.until + CLOCK_TOLERANCE < window.until {
            warn!("the portal's clock is behind this machine's; events of the last minutes are still to come");
            coverage.gap(AUDIT, Window::new(window_seen.until, window.until), GapReason::ClockSkew);
        }
        let mut late_ids = HashSet::new();
        let mut unreadable = Vec::new();
        let mut error = None;
        let mut any_read = false;
        for part in to_read(window_seen, &before).into_iter().flat_map(|span| span.slices(SLICE)) {
            if let Some(error) = &error {
                gap(&mut coverage, part, docspace_client::Error::gap_reason(error));
                continue;
            }
            let slice = client.audit_slice(part).await;
            let gaps: SpanSet = slice.gaps.iter().map(|gap| gap.span).collect();
            gaps.missing_from(part).into_iter().for_each(|read| {
                any_read = true;
                covered.insert(read);
            });
            let fresh: HashSet<i64> = self.keep(AUDIT, &slice.rows, &covered).await?.into_iter().collect();
            let was_covered = |at| before.iter().any(|span| span.contains(at));
            let late = slice.rows.iter().filter(|row| fresh.contains(&row.id) && was_covered(row.at));
            late_ids.extend(late.map(|row| row.id));
            for SliceGap { span, why } in slice.gaps {
                gap(&mut coverage, span, why);
                if why == GapReason::UnreadableRow {
                    unreadable.push(UnreadableSpan { span, rows: 1 });
                }
            }
            debug!(rows = slice.rows.len(), new = fresh.len(), "slice stored");
            error = slice.error;
        }
        if any_read {
            let summary = self.summary(window).await?;
            coverage.audit = Some(SourceCoverage { late_rows: late_ids.len() as u64, unreadable, ..summary });
        }
        Ok(Refreshed { coverage, error })
    }
}

fn gap(coverage: &mut Coverage, span: Window, why: GapReason) {
    coverage.gap(AUDIT, span, why);
}

/// The part of the window that lies in the portal's past: nothing later can be said to be read.
fn seen_by_portal(window: Window, portal_clock: Option<DateTime<Utc>>) -> Window {
    // the portal's clock is read in whole seconds
    let now = portal_clock.map_or(window.until, |clock| clock + TimeDelta::seconds(1));
    Window::new(window.since, window.until.min(now).max(window.since))
}

/// What to ask for: what is missing, and two hours before the edge of what is known again, oldest first.
fn to_read(window: Window, covered: &SpanSet) -> Vec<Window> {
    let missing = covered.missing_from(window);
    let edge = missing.last().filter(|last| last.until == window.until).map_or(window.until, |last| last.since);
    let again = Window::new((edge - OVERLAP).max(window.since), window.until);
    let all: SpanSet = missing.into_iter().chain([again]).collect();
    all.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn hours(since: i64, until: i64) -> Window {
        Window::new(hour(since), hour(until))
    }

    fn set(windows: &[Window]) -> SpanSet {
        windows.iter().copied().collect()
    }

    #[test]
    fn the_first_run_reads_the_whole_window() {
        assert_eq!(to_read(hours(0, 24), &SpanSet::default()), [hours(0, 24)]);
    }

    #[test]
    fn the_next_run_reads_what_is_new_and_two_hours_before() {
        assert_eq!(to_read(hours(1, 25), &set(&[hours(0, 24)])), [hours(22, 25)]);
        assert_eq!(to_read(hours(0, 24), &set(&[hours(0, 24)])), [hours(22, 24)]);
    }

    #[test]
    fn an_old_gap_is_asked_for_alone() {
        assert_eq!(to_read(hours(0, 24), &set(&[hours(0, 10), hours(11, 24)])), [hours(10, 11), hours(22, 24)]);
    }

    #[test]
    fn after_a_pause_the_overlap_stands_before_it() {
        assert_eq!(to_read(hours(0, 24), &set(&[hours(-5, 10)])), [hours(8, 24)]);
    }

    #[test]
    fn nothing_after_the_portals_own_now_counts_as_read() {
        let seen = seen_by_portal(hours(0, 24), Some(hour(23)));
        assert_eq!(seen, Window::new(hour(0), hour(23) + TimeDelta::seconds(1)));
        assert_eq!(seen_by_portal(hours(0, 24), Some(hour(30))), hours(0, 24));
        assert_eq!(seen_by_portal(hours(0, 24), None), hours(0, 24));
    }
}
