//! For random histories, late rows, broken reads and crashes: what the archive holds in the end is what the portal recorded, or the
//! difference is in the gaps.

use std::collections::BTreeSet;

use crate::common::{empty_archive, empty_archives, now, start};
use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Client;
use event_archive::Archive;
use futures::TryStreamExt;
use portal_sim::{Event, Fault, FaultKind, PortalSim, Scenario};
use proptest::prelude::*;

/// Two days back from now.
fn window() -> Window {
    Window::new(now() - TimeDelta::days(2), now())
}

/// What happens on the portal and to a run, one after the other.
#[derive(Clone, Debug)]
enum Step {
    /// Events of one moment, so many minutes ago; some of them earlier than what was read already.
    Record { minutes_ago: i64, seconds: i64, count: u8 },
    /// A row that makes its page fail.
    Poison { minutes_ago: i64 },
    /// A run up to so many minutes ago, whose audit requests fail from the given one on.
    BrokenRun { until_minutes_ago: i64, after: u32, fault: u8 },
    /// An undisturbed run up to so many minutes ago.
    Run { until_minutes_ago: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0i64..2880, 0i64..60, 1u8..140).prop_map(|(minutes_ago, seconds, count)| Step::Record { minutes_ago, seconds, count }),
        1 => (0i64..2880).prop_map(|minutes_ago| Step::Poison { minutes_ago }),
        2 => (0i64..1440, 0u32..6, 0u8..4)
            .prop_map(|(until_minutes_ago, after, fault)| Step::BrokenRun { until_minutes_ago, after, fault }),
        2 => (0i64..1440).prop_map(|until_minutes_ago| Step::Run { until_minutes_ago }),
    ]
}

fn fault(kind: u8) -> Fault {
    match kind {
        0 => Fault::status(500),
        1 => Fault::status(401),
        2 => Fault::new(FaultKind::Truncated),
        _ => Fault::new(FaultKind::TooManyRequests { retry_after: Some(3600) }),
    }
}

struct World {
    sim: PortalSim,
    client: Client,
    archive: Archive,
    files: i32,
}

impl World {
    async fn new(archive: Archive) -> Self {
        let (sim, client) = start(Scenario::empty(now())).await;
        World { sim, client, archive, files: 0 }
    }

    async fn apply(&mut self, step: &Step) {
        match *step {
            Step::Record { minutes_ago, seconds, count } => {
                let at = now() - TimeDelta::minutes(minutes_ago) - TimeDelta::seconds(seconds + 1);
                let first = self.files;
                self.files += i32::from(count);
                self.sim.edit(|portal| {
                    let owner = portal.owner().id;
                    for n in 0..i32::from(count) {
                        portal.add_event(Event::new(5009, owner, at).file(first + n, "a.docx"));
                    }
                });
            }
            Step::Poison { minutes_ago } => self.sim.edit(|portal| {
                let owner = portal.owner().id;
                portal.add_event(Event::poison(owner, now() - TimeDelta::minutes(minutes_ago) - TimeDelta::seconds(1)));
            }),
            Step::BrokenRun { until_minutes_ago, after, fault: kind } => {
                self.sim.set_faults(vec![fault(kind).on("security/audit/events").after(after)]);
                self.run(until_minutes_ago, now()).await;
                self.sim.set_faults(Vec::new());
            }
            Step::Run { until_minutes_ago } => drop(self.run(until_minutes_ago, now()).await),
        }
    }

    async fn run(&self, until_minutes_ago: i64, started: DateTime<Utc>) -> Vec<Window> {
        let until = now() - TimeDelta::minutes(until_minutes_ago);
        let part = Window::new(window().since, until);
        let refreshed = self.archive.refresh_audit(&self.client, part, started).await.unwrap();
        refreshed.gaps.iter().map(|gap| gap.span).collect()
    }

    async fn stored(&self) -> BTreeSet<i64> {
        let events: Vec<_> = self.archive.events(window()).try_collect().await.unwrap();
        let ids: BTreeSet<i64> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), events.len(), "each event once");
        ids
    }

    fn recorded(&self) -> Vec<(i64, DateTime<Utc>, bool)> {
        let mut all = Vec::new();
        self.sim.edit(|portal| all.extend(portal.events.iter().map(|event| (event.id, event.at, event.poison))));
        all.retain(|(_, at, _)| window().contains(*at));
        all
    }
}

/// Does these steps to an archive, and holds it against the portal.
async fn check(archive: Archive, steps: &[Step]) {
    let mut world = World::new(archive).await;
    for step in steps {
        world.apply(step).await;
    }
    // the next morning: nothing is broken any more, and three days are read again
    let gaps = world.run(0, now() + TimeDelta::days(1)).await;
    let stored = world.stored().await;
    let recorded = world.recorded();
    for (id, at, poison) in &recorded {
        let named = gaps.iter().any(|gap| gap.contains(*at));
        assert!(stored.contains(id) || named, "event {id} of {at} is neither stored nor in {gaps:?}");
        assert!(!poison || named, "the unreadable row of {at} is not in {gaps:?}");
    }
    let known: BTreeSet<i64> = recorded.iter().map(|(id, ..)| *id).collect();
    assert!(stored.is_subset(&known), "nothing is made up");
    // gaps are no wider than a second for each bad row or dense second
    let bad = recorded.iter().filter(|(.., poison)| *poison).count();
    let unseen: TimeDelta = gaps.iter().map(Window::length).sum();
    let dense = steps.iter().filter(|step| matches!(step, Step::Record { .. })).count();
    assert!(unseen <= TimeDelta::seconds((bad + dense) as i64), "{gaps:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

proptest! {
    // each case is a portal with a few thousand rows and a dozen runs
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_archive_is_complete_or_says_what_is_missing(steps in prop::collection::vec(step(), 1..24)) {
        runtime().block_on(async { check(empty_archive().await, &steps).await });
    }
}

proptest! {
    // the same statements are tested above
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn so_it_is_on_a_server(steps in prop::collection::vec(step(), 1..24)) {
        runtime().block_on(async {
            if let Some(archive) = empty_archives().await.into_iter().nth(1) {
                check(archive, &steps).await;
            }
        });
    }
}
