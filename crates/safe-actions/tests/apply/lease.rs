//! Runs whose lease passes to another host while they act.

use std::time::Duration;

use job_store::{Lease, Leased};

use super::*;

/// When the other host takes over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// After it was seen that the action may be done, and before it is written down.
    BeforeJournal,
    /// After the last look at the lease, before the request is made.
    BeforeCall,
}

/// A portal that everything is done to at the moment at which another host takes over.
struct TakenOver<'a> {
    portal: Portal,
    at: Moment,
    other: &'a Store,
    taken: Mutex<Option<Lease>>,
}

async fn leased(store: &Store, host: &str) -> Lease {
    match store.lease(host, Duration::from_secs(600)).await.unwrap() {
        Leased::Taken(lease) => lease,
        held @ Leased::Held { .. } => panic!("{held:?}"),
    }
}

impl TakenOver<'_> {
    async fn comes(&self, moment: Moment) {
        if self.at == moment {
            self.other.execute("waiting", "UPDATE lease SET until_us = 1", []).await.unwrap();
            let lease = leased(self.other, "host two").await;
            *self.taken.lock().unwrap() = Some(lease);
        }
    }
}

impl Effect for TakenOver<'_> {
    async fn hold(&self, intent: &Intent) -> Option<String> {
        self.comes(Moment::BeforeJournal).await;
        self.portal.hold(intent).await
    }

    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, Error> {
        self.comes(Moment::BeforeCall).await;
        self.portal.call(begun).await
    }

    async fn look(&self, intent: &Intent) -> Trace {
        self.portal.look(intent).await
    }

    fn found(&self, intent: &Intent) -> Option<Value> {
        self.portal.found(intent)
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_between_check_and_call_leaves_no_call() {
    for (at, written_down) in [(Moment::BeforeJournal, None), (Moment::BeforeCall, Some(JournalState::Started))] {
        let Some(place) = job_store::testing::place() else { return };
        let (store, other) = (Store::on_server(&place).await.unwrap(), Store::on_server(&place).await.unwrap());
        let _lease = leased(&store, "host one").await;
        let effect = TakenOver { portal: Portal::new(Way::Does), at, other: &other, taken: Mutex::default() };
        let lost = actions(&store, 0).await.apply(intent(), &effect).await.unwrap_err();
        assert!(matches!(lost, Error::LeaseLost { .. }), "{at:?}: {lost:?}");
        assert_eq!((effect.portal.calls(), effect.portal.effects()), (0, 0), "{at:?}");
        assert_eq!(written(&other).await.map(|(state, _)| state), written_down, "{at:?}");
        // the one that has it now does it, once
        let minutes = if written_down.is_some() { STILL_AT_WORK.num_minutes() + 1 } else { 1 };
        let outcome = apply(&other, &effect.portal, minutes).await;
        assert_eq!((outcome.state, effect.portal.calls()), (ActionState::Done, 1), "{at:?}: {outcome:?}");
    }
}
