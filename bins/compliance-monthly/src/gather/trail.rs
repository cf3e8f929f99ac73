//! Whether the portal has recorded anything before the first event of a period: nobody knows what happened before a trail begins.

use audit_model::{Source, Window};
use chrono::TimeDelta;
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::Job;
use tracing::warn;

use crate::period::Period;

/// So long without an event is asked about: a busy portal is not.
const QUIET: TimeDelta = TimeDelta::days(1);

/// Longer than any portal is there.
const LONG_AGO: TimeDelta = TimeDelta::days(36_500);

/// The beginning of the period, where the audit trail had not begun. Asks the portal until an event of the time before is stored.
pub(super) async fn unrecorded(job: &Job, period: &Period, look: &mut Look) -> anyhow::Result<Option<Window>> {
    let Window { since, until, .. } = period.window;
    let first = std::pin::pin!(job.archive.events(period.window)).try_next().await?;
    let quiet = Window::new(since, first.map_or(until, |event| event.at));
    if quiet.length() < QUIET || look.coverage().audit.is_none() || look.coverage().lacks(Source::Audit) {
        return Ok(None);
    }
    let before = Window::new(since - LONG_AGO, since);
    if std::pin::pin!(job.archive.events(before)).try_next().await?.is_some() {
        return Ok(None);
    }
    let slice = job.client.audit_slice_of(before, 1).await;
    if let Some(error) = slice.error.filter(|_| slice.rows.is_empty()) {
        look.gap("audit", quiet, error.gap_reason());
        warn!("whether the audit trail is as long as the period is not known: {:#}", anyhow::Error::new(error));
    }
    Ok(slice.none_ever.then_some(quiet))
}
