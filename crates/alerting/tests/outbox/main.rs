//! The outbox on a real store: what is told, what waits, and what is never lost.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic like the test")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/receiver.rs"]
mod receiver;
mod told;
mod waiting;

use alerting::Outbox;
use job_store::Store;

async fn outbox() -> Outbox {
    Outbox::open(Store::temporary().await.unwrap()).await.unwrap()
}
