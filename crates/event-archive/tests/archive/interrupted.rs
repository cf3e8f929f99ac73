//! A read that is broken off between two slices, wherever that is, is made good by the next one.

use std::collections::BTreeSet;

use crate::common::{client, empty_archives, now};
use audit_model::Window;
use chrono::TimeDelta;
use docspace_client::Budget;
use event_archive::Archive;
use futures::{StreamExt, TryStreamExt};
use portal_sim::{Event, PortalSim, Scenario};

/// Three thousand rows long before the days that every first run of a day reads again, thirty of them in each second.
fn portal() -> Scenario {
    let mut portal = Scenario::empty(now());
    let owner = portal.owner().id;
    for n in 0..3_000 {
        let at = now() - TimeDelta::days(8) - TimeDelta::seconds(i64::from(n) / 30);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx"));
    }
    portal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_one_date_on_both_sides_of_a_broken_read_are_not_lost() {
    let portal = portal();
    let window = Window::new(now() - TimeDelta::days(10), now());
    let in_window = portal.events.iter().filter(|event| window.contains(event.at));
    let expected: BTreeSet<i64> = in_window.map(|event| event.id).collect();
    let sim = PortalSim::start(portal).await.unwrap();
    let mut broken = 0;
    let archives = futures::stream::iter([8, 12, 14, 20, 28]).then(async |requests| (requests, empty_archives().await));
    let archives: Vec<(usize, Vec<Archive>)> = archives.collect().await;
    let each = archives.into_iter().flat_map(|(requests, archives)| archives.into_iter().map(move |of| (requests, of)));
    for (requests, archive) in each {
        let client = client(&sim, Budget::default());
        let before = sim.requests().len();
        tokio::select! {
            _ = archive.refresh_audit(&client, window, now()) => {}
            () = sim.answered(before + requests) => broken += 1,
        }
        let refreshed = archive.refresh_audit(&client, window, now() + TimeDelta::minutes(5)).await.unwrap();
        assert_eq!(refreshed.gaps, []);
        let stored: BTreeSet<i64> = archive.events(window).map_ok(|event| event.id).try_collect().await.unwrap();
        assert_eq!(expected.difference(&stored).count(), 0, "broken off at request {requests}");
    }
    assert!(broken > 0);
}
