//! What a run reads once its alerts have left: what they did not wait for.

use attribution::INVENTORY;
use audit_model::{Gap, GapReason, MainSource, Source};
use event_archive::Look;
use job_runner::Job;

use crate::body::Report;

/// Reads on where alerts did not wait, so that the next run knows more.
pub(crate) async fn catch_up(job: &Job, report: &Report) -> anyhow::Result<()> {
    let is_inventory = |gap: &&Gap| gap.what == INVENTORY || gap.what == Source::Rooms.name();
    let mut lacking = report.coverage().gaps.iter().filter(is_inventory);
    if lacking.any(|gap| gap.why == GapReason::Postponed) {
        attribution::keep_inventory(&mut look_on(job)).await?;
    }
    match report.body.postponed {
        Some(logins) => logins.read_on(&mut look_on(job)).await,
        None => Ok(()),
    }
}

/// A look of which nobody is told.
fn look_on(job: &Job) -> Look {
    let what = (job.client.clone(), job.archive.clone());
    Look::new(what, (job.window, job.now), MainSource::Audit, &[])
}
