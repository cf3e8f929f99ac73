//! The outbox on a real store: what is told, what waits, and what is never lost.

mod told;
mod waiting;

use alerting::Outbox;
use job_store::Store;

async fn outbox() -> Outbox {
    Outbox::open(Store::temporary().await.unwrap()).await.unwrap()
}
