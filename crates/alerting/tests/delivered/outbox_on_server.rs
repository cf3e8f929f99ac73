//! The same tests of the outbox with a store in PostgreSQL. Where that is missing they say so, and go by a temporary store.

#[expect(clippy::duplicate_mod, reason = "the same tests, of the other engine")]
#[path = "outbox/matters.rs"]
mod matters;
#[expect(clippy::duplicate_mod, reason = "the same tests, of the other engine")]
#[path = "outbox/waiting.rs"]
mod waiting;

use alerting::Outbox;
use job_store::Store;
use job_store::testing::{place, stores, unlike_the_others};

pub(crate) use crate::outbox::moment;

async fn outbox() -> Outbox {
    Outbox::open(stores().await.pop().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_portal_is_in_every_key() {
    let Some(place) = place() else { return };
    let store = Store::on_server(&place).await.unwrap();
    Outbox::open(store.clone()).await.unwrap();
    assert_eq!(unlike_the_others(&store).await, [""; 0]);
}
