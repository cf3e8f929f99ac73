//! Answers without any row: what they are held against, and that nothing counts as read for them.

use crate::common::{client, empty_archive, now, open, start};
use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Budget, Client};
use event_archive::{Archive, Refreshed};
use portal_sim::{Event, Fault, FaultKind, Login, PortalSim, Room, Scenario};

const AUDIT: &str = "security/audit/events/filter";
const LOGINS: &str = "security/audit/login/filter";

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

fn hours_ago(hours: i64) -> DateTime<Utc> {
    now() - TimeDelta::hours(hours)
}

fn silence(route: &str) -> Fault {
    Fault::new(FaultKind::FewerRows { drop: None, at: None, total: None }).on(route)
}

fn gaps(refreshed: &Refreshed) -> Vec<(Window, GapReason)> {
    refreshed.gaps.iter().map(|gap| (gap.span, gap.why)).collect()
}

fn rows(refreshed: &Refreshed) -> Option<u64> {
    refreshed.coverage.as_ref().map(|coverage| coverage.rows)
}

/// A portal of sixty days with an event and a login a day, where clocks were changed in between.
async fn long() -> PortalSim {
    let mut portal = Scenario::empty(now()).with_zone(chrono_tz::Europe::Berlin).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().clone();
    for day in 0..60 {
        let at = now() - TimeDelta::days(day) - TimeDelta::hours(3);
        portal.add_event(Event::new(5009, owner.id, at).file(9, "a.docx").in_room(71));
        portal.add_login(Login::success(&owner, at));
    }
    PortalSim::start(portal).await.unwrap()
}

/// Such a portal, a client that knows its zone, and an archive that knows nothing.
async fn long_and_nothing_read() -> (PortalSim, Client, Archive) {
    let sim = long().await;
    let client = client(&sim, Budget::default());
    client.probe().await.unwrap();
    (sim, client, empty_archive().await)
}

/// A window in which some dates have two meanings is believed no more than others.
#[tokio::test]
async fn an_empty_audit_trail_is_not_believed_across_a_change_of_clocks() {
    let (sim, client, archive) = long_and_nothing_read().await;
    let window = Window::new(now() - TimeDelta::days(60), now());
    sim.set_faults(vec![silence(AUDIT)]);
    for _ in 0..2 {
        let refreshed = archive.refresh_audit(&client, window, now()).await.unwrap();
        assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![(window, GapReason::NothingRecorded)], None));
        assert_eq!(archive.unread_audit(window).await.unwrap(), [window]);
    }
    sim.set_faults(Vec::new());
    let refreshed = archive.refresh_audit(&client, window, now()).await.unwrap();
    assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(60)));
}

/// The window was answered without rows, though there is a change of clocks in it; the next run is answered with some.
#[tokio::test]
async fn an_audit_trail_that_has_older_events_after_all_is_asked_again() {
    let (sim, client, archive) = long_and_nothing_read().await;
    let window = Window::new(now() - TimeDelta::days(60), now());
    sim.set_faults(vec![silence(AUDIT).times(2)]);
    let refreshed = archive.refresh_audit(&client, window, now()).await.unwrap();
    assert_eq!(refreshed.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [GapReason::NothingRecorded]);
    let refreshed = archive.refresh_audit(&client, window, now()).await.unwrap();
    assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(60)));
}

/// Making an API key leaves an event, and events are never forgotten: a portal without any hides them.
#[tokio::test]
async fn an_audit_trail_that_never_had_an_event_is_not_believed() {
    let mut portal = Scenario::bare(now());
    portal.add_login(Login::success(&portal.owner().clone(), hours_ago(2)));
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    for _ in 0..2 {
        let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
        assert!(refreshed.coverage.is_none());
        let why: Vec<_> = refreshed.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
        assert_eq!(why, [(last_day(), GapReason::NothingRecorded)]);
    }
    // of a day on which the portal was not there yet, nothing else is known
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(6058, owner, hours_ago(1)));
    });
    let before = Window::new(now() - TimeDelta::days(9), now() - TimeDelta::days(8));
    let refreshed = archive.refresh_audit(&client, before, now()).await.unwrap();
    assert_eq!(refreshed.gaps, []);
}

/// Somebody has signed in: whoever made the key. That does not hang on what the audit trail says.
#[tokio::test]
async fn a_login_history_without_any_login_is_not_believed() {
    let (sim, client, archive) = long_and_nothing_read().await;
    let history = TimeDelta::days(30);
    sim.set_faults(vec![silence(LOGINS)]);
    for _ in 0..2 {
        let refreshed = archive.refresh_logins_and_history(&client, last_day(), history, now()).await.unwrap();
        assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![(last_day(), GapReason::NothingRecorded)], None));
        assert_eq!(archive.logins_known_since(now()).await.unwrap(), None);
    }
    sim.set_faults(Vec::new());
    let refreshed = archive.refresh_logins_and_history(&client, last_day(), history, now()).await.unwrap();
    assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(1)));
    assert_eq!(archive.logins(Window::new(now() - TimeDelta::days(31), now())).await.unwrap().len(), 31);
}

/// The list shows the newest login whatever window is asked for: one that it shows a moment later proves nothing for it.
#[tokio::test]
async fn a_login_after_the_window_does_not_make_an_empty_history_true() {
    let (sim, client, archive) = long_and_nothing_read().await;
    let before = Window::new(now() - TimeDelta::days(9), now() - TimeDelta::days(5));
    sim.set_faults(vec![silence(LOGINS).times(2)]);
    let refreshed = archive.refresh_logins(&client, before, now()).await.unwrap();
    assert_eq!(gaps(&refreshed), [(before, GapReason::NothingRecorded)]);
    let refreshed = archive.refresh_logins(&client, before, now()).await.unwrap();
    assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(4)));
}

/// One login ends that, however old it is.
#[tokio::test]
async fn a_login_history_with_an_old_login_may_be_quiet() {
    let mut portal = Scenario::bare(now());
    let owner = portal.owner().clone();
    portal.add_login(Login::success(&owner, now() - TimeDelta::days(30)));
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    for _ in 0..2 {
        let refreshed = archive.refresh_logins(&client, last_day(), now()).await.unwrap();
        assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(0)));
    }
}

/// A room's own events name it by its id, and its log lists them.
#[tokio::test]
async fn an_empty_room_log_is_not_believed_beside_events_that_name_the_room() {
    const JOINED: i32 = 5088;
    const DOWNLOADED: i32 = 5009;
    let mut portal = Scenario::empty(now());
    let owner = portal.owner().id;
    for (room, title, action) in [(71, "Falcon", JOINED), (72, "Eagle", DOWNLOADED)] {
        portal = portal.with_room(Room::vdr(room, title));
        let event = Event::new(action, owner, hours_ago(5)).file(9, "a.docx").in_room(room);
        let joined = Event { target: vec![room.to_string()], ..Event::new(action, owner, hours_ago(5)).in_room(room) };
        portal.add_event(if action == JOINED { joined } else { event });
    }
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    let [falcon, eagle] = ["71", "72"].map(RoomId::from);
    let silence = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
    sim.set_faults(vec![Fault::new(silence).on("files/folder/*/log")]);
    for _ in 0..2 {
        let refreshed = archive.refresh_room_log(&client, &falcon, last_day(), now()).await.unwrap();
        assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![(last_day(), GapReason::RoomUnreadable)], None));
        // nothing that is known contradicts this one, or that one outside the time of the event
        let refreshed = archive.refresh_room_log(&client, &eagle, last_day(), now()).await.unwrap();
        assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(0)));
        let later = Window::new(hours_ago(4), now());
        let refreshed = archive.refresh_room_log(&client, &falcon, later, now()).await.unwrap();
        assert_eq!(gaps(&refreshed), []);
    }
    sim.set_faults(Vec::new());
    let refreshed = archive.refresh_room_log(&client, &falcon, last_day(), now()).await.unwrap();
    assert_eq!((gaps(&refreshed), rows(&refreshed)), (vec![], Some(1)));
}

/// What is uploaded names the room by its title alone. Of two rooms with one title it can have been in either, but not in none.
#[tokio::test]
async fn empty_room_logs_are_not_believed_beside_events_that_name_rooms_by_their_titles() {
    const UPLOADED: i32 = 5011;
    let mut portal = Scenario::empty(now());
    let owner = portal.owner().id;
    let titles = [(71, "Falcon"), (72, "Eagle"), (73, "Eagle"), (74, "Quiet"), (75, "Hawk"), (76, "Hawk")];
    for (room, title) in titles {
        portal = portal.with_room(Room::vdr(room, title));
    }
    for room in [71, 73, 75, 76] {
        portal.add_event(Event::new(UPLOADED, owner, hours_ago(5)).file(9, "a.docx").in_room(room));
    }
    let (sim, client) = start(portal).await;
    for (silent, doubted) in [
        // of twins the first that is read may be the one in which nothing happened
        (Some("files/folder/*/log"), vec![71, 73, 76]),
        // the log of its twin is whole, and lacks what happened here
        (Some("files/folder/76/log"), vec![76]),
        (None, vec![]),
    ] {
        let silence = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
        sim.set_faults(silent.map(|route| Fault::new(silence).on(route)).into_iter().collect());
        let archive = empty_archive().await;
        archive.refresh_audit(&client, last_day(), now()).await.unwrap();
        archive.refresh_rooms(&client, last_day(), now()).await.unwrap().unwrap();
        let mut found = Vec::new();
        for (room, _) in titles {
            let refreshed =
                archive.refresh_room_log(&client, &RoomId::Number(room.into()), last_day(), now()).await.unwrap();
            found.extend(gaps(&refreshed).into_iter().map(|gap| (room, gap)));
        }
        let expected: Vec<_> =
            doubted.into_iter().map(|room| (room, (last_day(), GapReason::RoomUnreadable))).collect();
        assert_eq!(found, expected, "{silent:?}");
    }
}
