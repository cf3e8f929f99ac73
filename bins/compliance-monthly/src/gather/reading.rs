//! How often a period was read: what the portal stores days late is found by reading the whole of it once more.

use audit_model::{Coverage, GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Archive;
use serde::{Deserialize, Serialize};

use crate::bundle::manifest::Reading;
use crate::period::Period;

/// What every run reads once more: a queue that stood still over a weekend.
const LAST_DAYS: TimeDelta = TimeDelta::days(3);

/// The name in the archive.
const READING: &str = "reading of a report";

/// What is remembered of how a period was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    /// Rows that the portal had when it was read completely for the first time.
    first_rows: Option<u64>,
    /// Rows that it had the last time.
    rows: u64,
    /// Whether it was read once more since, or for the first time so late.
    is_rechecked: bool,
}

impl Known {
    /// What a run reads though it was read: all of the period once its time has come, else its last days.
    pub(crate) fn span(&self, period: &Period, recheck: Option<TimeDelta>, now: DateTime<Utc>) -> Window {
        let whole = period.window;
        let is_due = recheck.is_some_and(|recheck| now >= whole.until + recheck) && !self.is_rechecked;
        if is_due { whole } else { Window::new(whole.until - LAST_DAYS, whole.until).intersection(&whole) }
    }

    /// What is known after a run, which read the whole of it once more or only what was missing.
    pub(crate) fn after(self, coverage: &Coverage, was_whole: bool) -> Self {
        // what nobody can read does not come late
        let is_open = |why: GapReason| !matches!(why, GapReason::BeyondRetention | GapReason::UnreadableRow);
        let is_row = |what: &str| matches!(what, "audit" | "logins");
        if coverage.gaps.iter().any(|gap| is_row(&gap.what) && is_open(gap.why)) {
            return self;
        }
        let rows = [&coverage.audit, &coverage.logins].into_iter().flatten().map(|source| source.rows).sum();
        Known { first_rows: self.first_rows.or(Some(rows)), rows, is_rechecked: self.is_rechecked || was_whole }
    }

    /// For the report; `None` before it was read completely.
    fn reading(self) -> Option<Reading> {
        let first = self.first_rows?;
        Some(Reading { is_rechecked: self.is_rechecked, late_rows: self.rows.saturating_sub(first) })
    }
}

pub(crate) async fn known(archive: &Archive, period: &Period) -> anyhow::Result<Known> {
    if !period.is_remembered() {
        return Ok(Known::default());
    }
    let known = archive.fact(READING, &name(period)).await?;
    Ok(known.map(|fact| fact.value).unwrap_or_default())
}

/// Remembers it, and gives what the report says of it.
pub(crate) async fn keep(
    archive: &Archive,
    period: &Period,
    known: Known,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Reading>> {
    if period.is_remembered() {
        archive.keep_fact(READING, &name(period), &known, now).await?;
    }
    Ok(known.reading())
}

fn name(period: &Period) -> String {
    format!("{} {}", period.label(), period.zone)
}

#[cfg(test)]
mod tests {
    use audit_model::SourceCoverage;
    use chrono_tz::Tz;

    use super::*;

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(day)
    }

    fn read(rows: u64) -> Coverage {
        Coverage { audit: Some(SourceCoverage { rows, ..SourceCoverage::default() }), ..Coverage::default() }
    }

    #[test]
    fn a_period_is_read_once_more_when_its_time_has_come() {
        let period = Period { window: Window::new(day(0), day(30)), zone: Tz::UTC };
        let recheck = Some(TimeDelta::days(10));
        let last_days = Window::new(day(27), day(30));
        let first = Known::default();
        assert_eq!(first.span(&period, recheck, day(39)), last_days);
        assert_eq!(first.span(&period, recheck, day(40)), period.window);
        assert_eq!(first.span(&period, None, day(400)), last_days, "off");
        let known = first.after(&read(20), false);
        assert_eq!(known.reading(), Some(Reading { is_rechecked: false, late_rows: 0 }));
        let rechecked = known.after(&read(22), true);
        assert_eq!(rechecked.reading(), Some(Reading { is_rechecked: true, late_rows: 2 }));
        assert_eq!(rechecked.span(&period, recheck, day(41)), last_days, "once");
        assert_eq!(rechecked.after(&read(23), false).reading(), Some(Reading { is_rechecked: true, late_rows: 3 }));
    }

    #[test]
    fn what_was_read_in_part_is_no_reading() {
        let mut part = read(20);
        part.gap("audit", Window::new(day(1), day(2)), GapReason::PortalError);
        let known = Known::default().after(&part, true);
        assert_eq!((known, known.reading()), (Known::default(), None));
        let mut forgotten = read(20);
        forgotten.gap("logins", Window::new(day(1), day(2)), GapReason::BeyondRetention);
        forgotten.gap("upload", Window::new(day(1), day(2)), GapReason::PortalError);
        let known = Known::default().after(&forgotten, true);
        assert_eq!(known.reading(), Some(Reading { is_rechecked: true, late_rows: 0 }));
    }
}
