//! What a folder held is known although nobody can list it any more.

use attribution::{Behind, Folders, Weights, keep_inventory};
use audit_model::AuditEvent;
use chrono::TimeDelta;
use event_archive::Look;
use portal_sim::{Event, Fault, Folder, Person, PortalSim, Room, Scenario, StoredFile};

use super::{event, gaps, later, next_run, now, start};

const MOVED: i32 = 5015;
const FOLDER_MADE: i32 = 5019;
const UPLOADED: i32 = 5011;
const TRASHED: i32 = 5026;
const PURGED: i32 = 5027;
const MOVED_OUT: i32 = 5025;
const DOWNLOADED: i32 = 5057;
const ROOM_DELETED: i32 = 5074;

/// A room with 600 files in a folder, 40 of which are in a folder of their own, and 5 beside it.
fn full() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Empty"));
    portal.people.push(Person::new("mallory@example.com", "Mallory", "Quick"));
    let author = portal.owner().id;
    let folder = |id, parent| Folder { id, parent, title: format!("Folder {id}"), author, created: now() };
    portal = portal.with_folder(folder(500, 71)).with_folder(folder(501, 500));
    for n in 0..605 {
        let place = if n < 40 {
            501
        } else if n < 600 {
            500
        } else {
            71
        };
        portal = portal.with_file(StoredFile::new(10_000 + n, place, "a.docx", author, now(), b"x"));
    }
    portal
}

pub(crate) async fn weighed(events: &[&AuditEvent], look: &mut Look) -> Weights {
    let mut folders = Folders::default();
    events.iter().for_each(|event| folders.ask(event));
    folders.weigh(look).await.unwrap()
}

/// Takes a folder, and all in it, out of everybody's sight but Mallory's.
fn trash(sim: &PortalSim, folder: i32) {
    sim.edit(|portal| {
        let mallory = portal.people[1].id;
        let trash = portal.my_documents(mallory);
        portal.content.folders.iter_mut().filter(|one| one.id == folder).for_each(|one| one.parent = trash);
    });
}

#[tokio::test]
async fn a_folder_weighs_what_it_held_before_whoever_has_it_now() {
    let (sim, mut look) = start(full()).await;
    keep_inventory(&mut look).await.unwrap();
    let asked = sim.requests().len();
    trash(&sim, 500);
    let mut look = later(&look, TimeDelta::minutes(10));
    let at = now() + TimeDelta::minutes(8);
    for (action, folder, files) in [
        (TRASHED, "500", 600),
        (PURGED, "500", 600),
        (MOVED_OUT, "500", 600),
        (DOWNLOADED, "500", 600),
        (TRASHED, "501", 40),
        (ROOM_DELETED, "71", 605),
        (ROOM_DELETED, "72", 0),
    ] {
        let gone = event(action, folder, at);
        let weights = weighed(&[&gone], &mut look).await;
        assert_eq!(weights.behind(&gone), Behind::Folder { files }, "{action} {folder}");
    }
    assert_eq!((sim.requests().len(), gaps(&look).len()), (asked, 0), "nothing is asked for what is known");
    let gone = event(TRASHED, "500", at);
    assert_eq!(weighed(&[&gone], &mut look).await.title_of(&gone).unwrap().raw(), "Folder 500");
}

/// The first run comes after it.
#[tokio::test]
async fn a_folder_that_is_gone_before_anybody_looked_is_not_countable() {
    let (sim, mut look) = start(full()).await;
    trash(&sim, 500);
    keep_inventory(&mut look).await.unwrap();
    let gone = event(TRASHED, "500", now() - TimeDelta::minutes(5));
    assert_eq!(weighed(&[&gone], &mut look).await.behind(&gone), Behind::UnlistedFolder);
    assert_eq!(gaps(&look), ["hidden_folders"]);
    let mut folders = Folders::default();
    folders.recall(&gone);
    let asked = sim.requests().len();
    let mut look = later(&look, TimeDelta::minutes(10));
    assert_eq!(folders.weigh(&mut look).await.unwrap().behind(&gone), Behind::UnlistedFolder);
    assert_eq!((sim.requests().len(), gaps(&look).len()), (asked, 0));
}

/// What a run learned by listing counts for the next ones, which ask nothing.
#[tokio::test]
async fn what_was_listed_once_is_recalled() {
    let (sim, mut look) = start(full()).await;
    let downloaded = event(DOWNLOADED, "501", now() - TimeDelta::minutes(5));
    assert_eq!(weighed(&[&downloaded], &mut look).await.behind(&downloaded), Behind::Folder { files: 40 });
    let asked = sim.requests().len();
    let mut folders = Folders::default();
    folders.recall(&downloaded);
    let mut look = later(&look, TimeDelta::hours(3));
    assert_eq!(folders.weigh(&mut look).await.unwrap().behind(&downloaded), Behind::Folder { files: 40 });
    assert_eq!(sim.requests().len(), asked);
}

/// Everything is moved into a folder first, and then one folder is taken away.
#[tokio::test]
async fn what_came_into_a_folder_since_it_was_read_counts() {
    let mut portal = full();
    let mallory = portal.people[1].clone();
    let at = |seconds| now() + TimeDelta::minutes(5) + TimeDelta::seconds(seconds);
    for n in 0..30 {
        for _side in 0..2 {
            let mut moved = Event::new(MOVED, mallory.id, at(n)).file(10_600 + n as i32, "a.docx").in_room(71);
            moved.target.push("501".to_owned());
            portal.add_event(moved);
        }
    }
    let mut made = Event::new(FOLDER_MADE, mallory.id, at(40)).in_room(71);
    made.target = vec!["777".to_owned()];
    portal.add_event(made);
    let mut moved = Event::new(MOVED_OUT, mallory.id, at(50)).in_room(71);
    moved.target = vec!["500".to_owned(), "777".to_owned()];
    portal.add_event(moved);
    portal.add_event(Event::new(UPLOADED, mallory.id, at(60)).file(11_000, "new.docx").in_room(71));
    let (sim, mut look) = start(portal).await;
    keep_inventory(&mut look).await.unwrap();
    let mut look = next_run(&sim, &look, TimeDelta::minutes(10));
    look.audit().await.unwrap().of_window_alone();
    let events = look.archive.events(audit_model::Window::new(at(0), at(100)));
    let context = futures::TryStreamExt::try_next(&mut std::pin::pin!(events)).await.unwrap().unwrap().context;
    let gone = |folder| AuditEvent { context: context.clone(), ..event(TRASHED, folder, at(90)) };
    let (inner, new) = (gone("501"), gone("777"));
    let asked = sim.requests().len();
    let weights = weighed(&[&inner, &new], &mut look).await;
    assert_eq!(weights.behind(&inner), Behind::Folder { files: 70 });
    assert_eq!(weights.behind(&new), Behind::Folder { files: 601 }, "a folder of 600, and one new document");
    let earlier = event(TRASHED, "777", at(39));
    assert_eq!(weights.behind(&earlier), Behind::UnlistedFolder);
    assert_eq!(sim.requests().len(), asked);
}

/// One request an hour for the rooms, and one for a room in which something has changed.
#[tokio::test]
async fn the_inventory_costs_a_request_an_hour() {
    let (sim, mut look) = start(full()).await;
    keep_inventory(&mut look).await.unwrap();
    let paths = |from: usize| -> Vec<String> {
        let path = |target: &str| target.split(['?', '&']).next().unwrap().replace("/api/2.0/", "");
        sim.requests().iter().skip(from).map(|request| path(&request.target)).collect()
    };
    assert_eq!(paths(0), ["files/rooms", "files/71"], "an empty room is not asked for its folders");
    let ask = async |minutes: i64| {
        let from = sim.requests().len();
        let mut look = later(&look, TimeDelta::minutes(minutes));
        keep_inventory(&mut look).await.unwrap();
        assert_eq!(gaps(&look), [""; 0]);
        paths(from)
    };
    assert_eq!(ask(10).await, [""; 0]);
    assert_eq!(ask(61).await, ["files/rooms"]);
    trash(&sim, 501);
    assert_eq!(ask(71).await, [""; 0]);
    assert_eq!(ask(131).await, ["files/rooms", "files/71"]);
}

/// After a folder was taken away, or fifty documents came or went, the hour is not waited for.
#[tokio::test]
async fn the_inventory_is_read_again_when_much_has_changed() {
    for (action, events, is_due) in [(TRASHED, 1, true), (5017, 49, false), (5017, 50, true), (5034, 200, false)] {
        let mut portal = full();
        let mallory = portal.people[1].clone();
        for n in 0..events {
            let at = now() + TimeDelta::seconds(10 + n);
            portal.add_event(Event::new(action, mallory.id, at).file(20_000 + n as i32, "a.docx").in_room(71));
        }
        let (sim, mut look) = start(portal).await;
        keep_inventory(&mut look).await.unwrap();
        let mut look = next_run(&sim, &look, TimeDelta::minutes(10));
        look.audit().await.unwrap().of_window_alone();
        let asked = sim.requests().len();
        keep_inventory(&mut look).await.unwrap();
        assert_eq!(sim.requests().len() > asked, is_due, "{action} {events}");
    }
}

/// A portal of thirty rooms is read in three runs, and a room that is hidden is asked for once.
#[tokio::test]
async fn a_few_rooms_are_listed_in_a_run() {
    let mut portal = full();
    let author = portal.owner().id;
    for id in 100..128 {
        portal = portal.with_room(Room::vdr(id, "Many"));
        let folder = Folder { id: 1_000 + id, parent: id, title: "Top".to_owned(), author, created: now() };
        portal = portal.with_folder(folder);
    }
    let (sim, mut look) = start(portal).await;
    sim.set_faults(vec![Fault::status(403).on("files/100")]);
    let mut listed = Vec::new();
    for minute in 0..5 {
        let from = sim.requests().len();
        look = later(&look, TimeDelta::minutes(minute));
        keep_inventory(&mut look).await.unwrap();
        assert_eq!(gaps(&look), [""; 0]);
        listed.push(sim.requests().iter().skip(from).filter(|request| !request.target.contains("files/rooms")).count());
    }
    // the empty room is among those of a run
    assert_eq!(listed.iter().sum::<usize>(), 29, "{listed:?}");
    assert!(listed.iter().all(|count| *count <= 10), "{listed:?}");
}

#[tokio::test]
async fn what_the_portal_does_not_tell_is_a_gap_and_asked_again() {
    for (route, what) in [("files/rooms", "rooms"), ("files/71", "inventory")] {
        let (sim, mut look) = start(full()).await;
        sim.set_faults(vec![Fault::status(500).on(route)]);
        keep_inventory(&mut look).await.unwrap();
        assert_eq!(gaps(&look), [what]);
        sim.set_faults(Vec::new());
        let mut look = later(&look, TimeDelta::minutes(1));
        keep_inventory(&mut look).await.unwrap();
        let gone = event(TRASHED, "500", now() + TimeDelta::minutes(9));
        assert_eq!(weighed(&[&gone], &mut look).await.behind(&gone), Behind::Folder { files: 600 });
    }
}
