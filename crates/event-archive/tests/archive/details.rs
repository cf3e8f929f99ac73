//! Where events came from is kept for those who ask, and costs nobody else anything.

use crate::common::{empty_archive, now, start};
use audit_model::{ActionId, AuditEvent, Window};
use chrono::TimeDelta;
use docspace_client::Client;
use event_archive::Archive;
use futures::TryStreamExt;
use job_store::Store;
use portal_sim::{Event, PortalSim, Room, Scenario};

async fn portal() -> (PortalSim, Client) {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..5 {
        let at = now() - TimeDelta::hours(i64::from(n) * 20 + 1);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx").in_room(71));
        let stored = portal.events.last().unwrap().columns();
        portal.events.last_mut().unwrap().stored = Some(portal_sim::Stored {
            browser: Some("Chrome 131".to_owned()),
            platform: Some("Windows 10".to_owned()),
            page: Some(format!("https://docs.example.com/rooms/{n}?auth=secret")),
            ..stored
        });
    }
    start(portal).await
}

fn window() -> Window {
    Window::new(now() - TimeDelta::days(5), now())
}

async fn detailed(archive: &Archive) -> Vec<AuditEvent> {
    archive.detailed_events(window()).try_collect().await.unwrap()
}

#[tokio::test]
async fn details_are_kept_without_the_query_of_the_page() {
    let (_sim, client) = portal().await;
    let store = Store::temporary().await.unwrap();
    let archive = Archive::open(store.clone()).await.unwrap();
    archive.refresh_audit(&client.with_details(), window(), now()).await.unwrap();
    let events = detailed(&archive).await;
    let pages: Vec<String> =
        events.iter().map(|event| event.details.as_ref().unwrap().page.as_ref().unwrap().raw().to_owned()).collect();
    let expected: Vec<String> = (0..5).rev().map(|n| format!("https://docs.example.com/rooms/{n}")).collect();
    assert_eq!(pages, expected);
    let details = events[0].details.as_ref().unwrap();
    assert_eq!((&details.browser, &details.country), (&Some("Chrome 131".into()), &None));
    // forgetting old rows keeps the details of the others
    crate::common::prune(&store, now() - TimeDelta::hours(30)).await;
    let left = detailed(&archive).await;
    assert_eq!(left, events[3..]);
}

#[tokio::test]
async fn who_does_not_ask_has_none() {
    let (sim, client) = portal().await;
    let archive = empty_archive().await;
    archive.refresh_audit(&client, window(), now()).await.unwrap();
    assert!(detailed(&archive).await.iter().all(|event| event.details.is_none()));
    assert!(sim.requests().iter().all(|request| !request.target.contains("country")));
    let plain: Vec<AuditEvent> = archive.events(window()).try_collect().await.unwrap();
    assert_eq!(plain, detailed(&archive).await);
}

#[tokio::test]
async fn events_to_count_are_the_same_without_addresses_and_with_the_sentences_that_were_asked_for() {
    let (_sim, client) = portal().await;
    let archive = empty_archive().await;
    archive.refresh_audit(&client, window(), now()).await.unwrap();
    let plain: Vec<AuditEvent> = archive.events(window()).try_collect().await.unwrap();
    assert!(plain.iter().all(|event| event.text.is_some() && event.ip.is_some()));
    let of_downloads: fn(ActionId) -> bool = |action| action.0 == 5009;
    let of_others: fn(ActionId) -> bool = |action| action.0 != 5009;
    for (has_text, keeps) in [(of_downloads, true), (of_others, false)] {
        let counted: Vec<AuditEvent> = archive.events_to_count(window(), has_text).try_collect().await.unwrap();
        let less =
            |event: &AuditEvent| AuditEvent { ip: None, text: event.text.clone().filter(|_| keeps), ..event.clone() };
        assert_eq!(counted, plain.iter().map(less).collect::<Vec<_>>());
    }
}
