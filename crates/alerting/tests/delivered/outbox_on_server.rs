//! The same tests of the outbox with a store in PostgreSQL. Where that is missing they say so, and go by a temporary store.

#[expect(clippy::duplicate_mod, reason = "the same tests, of the other engine")]
#[path = "outbox/matters.rs"]
mod matters;
#[expect(clippy::duplicate_mod, reason = "the same tests, of the other engine")]
#[path = "outbox/waiting.rs"]
mod waiting;

use std::time::Duration;

use alerting::{Channel, Outbox};
use audit_model::{Finding, Severity};
use job_store::testing::{place, stores, unlike_the_others};
use job_store::{Leased, Store};

use tempfile::TempDir;

use crate::common::at;
use crate::common::receiver::alert;
pub(crate) use crate::outbox::moment;

pub(crate) async fn outbox() -> Outbox {
    Outbox::open(stores().await.pop().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_portal_is_in_every_key() {
    let Some(place) = place() else { return };
    let store = Store::on_server(&place).await.unwrap();
    Outbox::open(store.clone()).await.unwrap();
    assert_eq!(unlike_the_others(&store).await, [""; 0]);
}

/// Nothing is counted then, so nobody takes it for an all-clear.
#[tokio::test]
async fn what_waits_is_left_to_a_run_that_has_taken_over() {
    let Some(place) = place() else { return };
    let store = Store::on_server(&place).await.unwrap();
    let Leased::Taken(_lost) = store.lease("host one", Duration::from_secs(60)).await.unwrap() else {
        panic!("nobody has it")
    };
    let folder = TempDir::new().unwrap();
    let channels = [Channel::file(folder.path().join("alerts.ndjson"))];
    let (outbox, now) = (Outbox::open(store).await.unwrap(), at("2026-11-20T09:00:00Z"));
    outbox.keep::<Finding>(&[], &[], &mut [alert(1, Severity::Critical)], &channels, &moment(now)).await.unwrap();
    let other = Store::on_server(&place).await.unwrap();
    other.execute("waiting", "UPDATE lease SET until_us = 1", []).await.unwrap();
    let Leased::Taken(_theirs) = other.lease("host two", Duration::from_secs(60)).await.unwrap() else {
        panic!("its time is over")
    };
    let drained = outbox.drain(&channels, now).await.unwrap();
    assert!(drained.is_taken_over && drained.taken == 0, "{drained:?}");
    let drained = Outbox::open(other).await.unwrap().drain(&channels, now).await.unwrap();
    assert!(!drained.is_taken_over && drained.taken == 1, "{drained:?}");
}
