//! Folders in folders: no document counts twice, whichever of them is taken first.

use attribution::{Behind, keep_inventory};
use audit_model::{AuditEvent, Window};
use chrono::TimeDelta;
use futures::TryStreamExt;
use portal_sim::{Event, Folder, Person, Room, Scenario, StoredFile};

use super::inventory::weighed;
use super::{later, next_run, now, start};

const FILE_TRASHED: i32 = 5017;
const TRASHED: i32 = 5026;
const PURGED: i32 = 5027;
const MOVED: i32 = 5025;
const COPIED: i32 = 5023;
const DOWNLOADED: i32 = 5057;
const ROOM_DELETED: i32 = 5074;

/// What somebody did: which action, to which folder, and where it was put, in so many seconds.
type Step = (i32, i32, Option<i32>, i64);

/// Room 71 with folder 500 and 501 in it, 502 in 501: 10 documents at the top of 500, 20 of 501, 40 of 502, and 5 beside them.
fn nested() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.people.push(Person::new("mallory@example.com", "Mallory", "Quick"));
    portal.people.push(Person::new("anna@example.com", "Anna", "Berg"));
    let author = portal.owner().id;
    let mut id = 10_000;
    for (folder, parent, files) in [(71, 0, 5), (500, 71, 10), (501, 500, 20), (502, 501, 40), (600, 71, 0)] {
        if parent > 0 {
            let title = format!("Folder {folder}");
            portal = portal.with_folder(Folder { id: folder, parent, title, author, created: now() });
        }
        for _ in 0..files {
            portal = portal.with_file(StoredFile::new(id, folder, "a.docx", author, now(), b"x"));
            id += 1;
        }
    }
    portal
}

/// What stands behind each of these steps, taken by Mallory (or, where told so, by Anna) after the inventory was read.
async fn counted(steps: &[Step], loose: i32, others: &[usize]) -> Vec<Behind> {
    let (sim, mut look) = start(nested()).await;
    keep_inventory(&mut look).await.unwrap();
    sim.edit(|portal| {
        let [mallory, anna] = [1, 2].map(|n| portal.people[n].id);
        let at = |second| now() + TimeDelta::minutes(5) + TimeDelta::seconds(second);
        for n in 0..loose {
            portal.add_event(Event::new(FILE_TRASHED, mallory, at(0)).file(10_005 + n, "a.docx").in_room(71));
        }
        for (n, &(action, folder, into, second)) in steps.iter().enumerate() {
            let actor = if others.contains(&n) { anna } else { mallory };
            let mut event = Event::new(action, actor, at(second)).in_room(71);
            event.target = [folder].into_iter().chain(into).map(|id| id.to_string()).collect();
            portal.add_event(event);
        }
    });
    let mut look = next_run(&sim, &look, TimeDelta::hours(4));
    look.audit().await.unwrap().of_window_alone();
    let window = Window::new(now(), now() + TimeDelta::hours(4));
    let events: Vec<AuditEvent> = look.archive.events(window).try_collect().await.unwrap();
    let about: Vec<&AuditEvent> = events.iter().filter(|event| event.action.0 != FILE_TRASHED).collect();
    let weights = weighed(&about, &mut look).await;
    // what earlier runs have judged weighs the same
    let mut folders = attribution::Folders::default();
    about.iter().for_each(|event| folders.recall(event));
    let recalled = folders.weigh(&mut later(&look, TimeDelta::minutes(1))).await.unwrap();
    let weighed = |weights: &attribution::Weights| about.iter().map(|event| weights.behind(event)).collect::<Vec<_>>();
    assert_eq!(weighed(&weights), weighed(&recalled));
    weighed(&weights)
}

fn files(files: u64) -> Behind {
    Behind::Folder { files }
}

#[tokio::test]
async fn an_inner_folder_that_went_first_is_not_in_the_outer_one_any_more() {
    for action in [TRASHED, PURGED] {
        let steps =
            [(action, 502, None, 1), (action, 501, None, 2), (action, 500, None, 3), (ROOM_DELETED, 71, None, 4)];
        assert_eq!(counted(&steps, 0, &[]).await, [files(40), files(20), files(10), files(5)], "{action}");
        assert_eq!(counted(&steps, 0, &[1]).await, [files(40), files(20), files(10), files(5)], "whoever took it");
    }
    let skipped = [(TRASHED, 502, None, 1), (TRASHED, 500, None, 3)];
    assert_eq!(counted(&skipped, 0, &[]).await, [files(40), files(30)]);
    let out = [(MOVED, 502, Some(9_999), 1), (MOVED, 502, Some(9_999), 2), (TRASHED, 500, None, 20)];
    assert_eq!(counted(&out, 0, &[]).await[2], files(30), "both sides of a move are written");
}

#[tokio::test]
async fn what_lies_in_the_trash_already_counts_no_more() {
    let steps = [(TRASHED, 502, None, 1), (TRASHED, 500, None, 2), (PURGED, 501, None, 3), (PURGED, 502, None, 4)];
    assert_eq!(counted(&steps, 0, &[]).await[1..], [files(30), Behind::Counted, files(40)]);
    // and counts again after it was put back
    let back = [(TRASHED, 502, None, 1), (MOVED, 502, Some(501), 2), (TRASHED, 500, None, 9)];
    assert_eq!(counted(&back, 0, &[]).await[2], files(70));
    let outer_back = [(TRASHED, 500, None, 1), (MOVED, 500, Some(71), 2), (TRASHED, 502, None, 9)];
    assert_eq!(counted(&outer_back, 0, &[]).await[2], files(40));
}

#[tokio::test]
async fn a_folder_that_only_changed_its_place_is_where_it_was_put() {
    let within = [(MOVED, 502, Some(500), 1), (TRASHED, 500, None, 9)];
    assert_eq!(counted(&within, 0, &[]).await[1], files(70));
    let aside =
        [(MOVED, 502, Some(600), 1), (TRASHED, 502, None, 9), (TRASHED, 600, None, 10), (TRASHED, 500, None, 11)];
    assert_eq!(counted(&aside, 0, &[]).await[1..], [files(40), Behind::Counted, files(30)]);
    let copied = [(COPIED, 502, Some(600), 1), (TRASHED, 600, None, 9), (TRASHED, 500, None, 10)];
    assert_eq!(counted(&copied, 0, &[]).await[1..], [files(40), files(70)]);
    let from_elsewhere = [(COPIED, 502, Some(600), 1), (COPIED, 502, Some(600), 2), (TRASHED, 600, None, 9)];
    assert_eq!(counted(&from_elsewhere, 0, &[]).await[2], files(40), "both sides of a copy are written");
}

#[tokio::test]
async fn a_download_of_what_was_just_downloaded_counts_what_is_new_in_it() {
    let steps = [(DOWNLOADED, 502, None, 1), (DOWNLOADED, 500, None, 2), (DOWNLOADED, 501, None, 3)];
    assert_eq!(counted(&steps, 0, &[]).await, [files(40), files(30), Behind::Counted]);
    assert_eq!(counted(&steps, 0, &[0]).await, [files(40), files(70), Behind::Counted], "by somebody else");
    let late = [(DOWNLOADED, 502, None, 1), (DOWNLOADED, 500, None, 2 * 3600)];
    assert_eq!(counted(&late, 0, &[]).await, [files(40), files(70)], "an hour later it is another download");
    let gone = [(DOWNLOADED, 502, None, 1), (TRASHED, 500, None, 2)];
    assert_eq!(counted(&gone, 0, &[]).await, [files(40), files(70)], "a deletion is something else");
}

/// The portal does not say in which folder a document was.
#[tokio::test]
async fn documents_deleted_one_by_one_just_before_may_have_been_in_the_folder() {
    let steps = [(TRASHED, 500, None, 60)];
    assert_eq!(counted(&steps, 30, &[]).await, [files(40)]);
    assert_eq!(counted(&steps, 70, &[]).await, [Behind::Counted]);
    let inner_first = [(TRASHED, 502, None, 60), (TRASHED, 500, None, 61)];
    assert_eq!(counted(&inner_first, 30, &[]).await, [files(10), files(30)], "they were in one folder of the two");
    assert_eq!(counted(&steps, 70, &[0]).await, [files(70)], "somebody else deletes something else");
    let later = [(TRASHED, 500, None, 11 * 60)];
    assert_eq!(counted(&later, 30, &[]).await, [files(70)]);
}
