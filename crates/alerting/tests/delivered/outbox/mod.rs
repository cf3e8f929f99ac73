//! The outbox on a real store: what is told, what waits, and what is never lost.

mod matters;
mod turns;
mod waiting;

use alerting::{Moment, Outbox};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;

pub(crate) async fn outbox() -> Outbox {
    Outbox::open(Store::temporary().await.unwrap()).await.unwrap()
}

/// A run that has seen everything up to now.
pub(crate) fn moment(now: DateTime<Utc>) -> Moment<'static> {
    Moment { now, quiet: TimeDelta::hours(1), seen_until: Some(now), part: "" }
}
