//! The questions of this crate, asked of a simulated portal.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod inventory;
mod nested;

use std::collections::BTreeSet;

use attribution::{Behind, Folders, Places, Whereabouts, accounts, people, read_room_log};
use audit_model::{Attributed, AuditEvent, GUEST_ACCOUNT, MainSource, Place, RoomId, RoomLogs, Rooms, Window, testing};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client};
use event_archive::{Archive, Look};
use job_store::Store;
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Event, Fault, Folder, Person, PortalSim, Room, Scenario, StoredFile};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

/// The moment at which every portal of these tests stands still.
fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A portal, and a look at its last day.
async fn start(portal: Scenario) -> (PortalSim, Look) {
    let sim = PortalSim::start(portal).await.unwrap();
    let archive = Archive::open(Store::temporary().await.unwrap()).await.unwrap();
    let look = look(client(&sim), archive, now());
    (sim, look)
}

fn client(sim: &PortalSim) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    Client::new(http, base, key, RetryPolicy::immediate(), Budget::default())
}

fn look(client: Client, archive: Archive, now: DateTime<Utc>) -> Look {
    let window = Window::new(now - TimeDelta::days(1), now);
    Look::new((client, archive), (window, now), MainSource::Audit, &[])
}

/// The same look so much later, without the gaps of the first.
fn later(look: &Look, after: TimeDelta) -> Look {
    self::look(look.client.clone(), look.archive.clone(), look.now + after)
}

/// The next run, so much later by the portal's clock too.
fn next_run(sim: &PortalSim, look: &Look, after: TimeDelta) -> Look {
    sim.edit(|portal| portal.now += after);
    self::look(client(sim), look.archive.clone(), look.now + after)
}

fn gaps(look: &Look) -> Vec<&str> {
    look.coverage().gaps.iter().map(|gap| gap.what.as_str()).collect()
}

fn event(action: i32, target: &str, at: DateTime<Utc>) -> AuditEvent {
    AuditEvent { actor: Uuid::from_u128(7), actor_name: "Eve".into(), ..testing::event(action, target, at) }
}

const FILE_DOWNLOADED: i32 = 5009;
const FILE_UPLOADED: i32 = 5011;
const FOLDER_DOWNLOADED: i32 = 5057;
const FOLDER_DELETED: i32 = 5027;

/// A room, a folder with three files in it, and one of the owner's own files.
fn falcon() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    let folder = Folder { id: 500, parent: 71, title: "Drafts".to_owned(), author, created: now() };
    portal = portal.with_folder(folder);
    for id in 900..903 {
        portal = portal.with_file(StoredFile::new(id, 500, "a.docx", author, now(), b"text"));
    }
    portal
}

async fn behind(look: &mut Look, last: &AuditEvent) -> Behind {
    let mut folders = Folders::default();
    folders.ask(last);
    folders.weigh(look).await.unwrap().behind(last)
}

#[tokio::test]
async fn a_folder_is_listed_again_after_an_action_on_it_and_remembered_when_it_is_gone() {
    let (sim, mut first) = start(falcon()).await;
    let before = event(FOLDER_DOWNLOADED, "500", now() - TimeDelta::hours(1));
    assert_eq!(behind(&mut first, &before).await, Behind::Folder { files: 3 });
    let asked = sim.requests().len();
    let mut again = later(&first, TimeDelta::minutes(10));
    assert_eq!(behind(&mut again, &before).await, Behind::Folder { files: 3 });
    assert_eq!(sim.requests().len(), asked, "young enough: not asked again");

    sim.edit(|portal| portal.content.files.clear());
    let after = event(FOLDER_DOWNLOADED, "500", now() + TimeDelta::minutes(5));
    assert_eq!(behind(&mut again, &after).await, Behind::Folder { files: 0 });

    sim.edit(|portal| portal.content.folders.clear());
    let mut last = later(&again, TimeDelta::days(2));
    assert_eq!(behind(&mut last, &after).await, Behind::Folder { files: 0 }, "as it was when it was last seen");
    assert_eq!([gaps(&first), gaps(&again), gaps(&last)], [[""; 0]; 3]);
}

#[tokio::test]
async fn a_folder_that_was_deleted_for_good_is_not_asked_for_when_it_is_remembered() {
    let (sim, mut look) = start(falcon()).await;
    behind(&mut look, &event(FOLDER_DOWNLOADED, "500", now() - TimeDelta::hours(1))).await;
    let asked = sim.requests().len();
    let deleted = event(FOLDER_DELETED, "500", now() + TimeDelta::minutes(5));
    let mut folders = Folders::default();
    folders.ask_for_deleted(&deleted);
    let mut look = later(&look, TimeDelta::minutes(10));
    let weights = folders.weigh(&mut look).await.unwrap();
    assert_eq!((weights.behind(&deleted), sim.requests().len()), (Behind::Folder { files: 3 }, asked));
}

#[tokio::test]
async fn a_folder_that_the_portal_does_not_list_is_a_gap() {
    let (sim, mut look) = start(falcon()).await;
    sim.set_faults(vec![Fault::status(500).on("files/folder")]);
    let download = event(FOLDER_DOWNLOADED, "500", now());
    assert_eq!((behind(&mut look, &download).await, gaps(&look)), (Behind::UnlistedFolder, vec!["folders"]));
    assert_eq!(behind(&mut look, &event(FILE_DOWNLOADED, "500", now())).await, Behind::One);
}

#[tokio::test]
async fn a_file_is_in_a_room_or_in_none_or_gone_or_nobody_saw_it() {
    let mut portal = falcon();
    let owner = portal.owner().id;
    let own = portal.my_documents(owner);
    portal = portal.with_file(StoredFile::new(910, own, "own.docx", owner, now(), b"text"));
    let (sim, mut first) = start(portal).await;
    let files = ["900", "910", "999"];
    let ask = |files: &[&str]| -> BTreeSet<String> { files.iter().map(|&file| file.to_owned()).collect() };
    let of = |places: &Places, file: &str| places.of(&event(FILE_DOWNLOADED, file, now())).cloned();
    let falcon = Some(Whereabouts::Room(RoomId::Number(71)));

    let places = Places::look_up(ask(&files), &mut first).await.unwrap();
    let found = files.map(|file| of(&places, file));
    assert_eq!(found, [falcon.clone(), Some(Whereabouts::NoRoom), Some(Whereabouts::Gone)]);
    assert_eq!((of(&places, "901"), gaps(&first)), (None, vec![]));
    assert_eq!(places.of(&event(FOLDER_DOWNLOADED, "900", now())), None, "folders are numbered apart");

    let asked = sim.requests().len();
    let places = Places::look_up(ask(&files), &mut first).await.unwrap();
    assert_eq!((of(&places, "999"), sim.requests().len()), (Some(Whereabouts::Gone), asked), "nothing is asked again");

    sim.set_faults(vec![Fault::status(500).on("files/file")]);
    let mut second = later(&first, TimeDelta::days(2));
    let places = Places::look_up(ask(&["900", "902"]), &mut second).await.unwrap();
    assert_eq!([of(&places, "900"), of(&places, "902")], [falcon, Some(Whereabouts::Unseen)]);
    assert_eq!(gaps(&second), ["files"]);
    let places = Places::look_up(ask(&["910"]), &mut second).await.unwrap();
    assert_eq!(of(&places, "910"), Some(Whereabouts::NoRoom), "as it is remembered");
}

#[tokio::test]
async fn everybody_is_looked_up_once_and_visitors_never() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let id = mara.id;
    let (sim, mut first) = start(Scenario::empty(now()).with_person(mara)).await;
    let stranger = Uuid::from_u128(9);
    let ids = [id, GUEST_ACCOUNT, stranger, id];
    let found = people(ids, &mut first).await.unwrap();
    assert_eq!((found.len(), found[&id].name.raw(), sim.requests().len()), (1, "Mara Klein", 2));
    let found = accounts(ids, &mut first).await.unwrap();
    assert_eq!((found.len(), found[&id].person.name.raw(), sim.requests().len()), (1, "Mara Klein", 4));
    assert_eq!(gaps(&first), [""; 0]);

    sim.set_faults(vec![Fault::status(502).on("people")]);
    let mut second = later(&first, TimeDelta::hours(1));
    assert_eq!(people(ids, &mut second).await.unwrap()[&id].name.raw(), "Mara Klein", "remembered");
    assert_eq!(gaps(&second), ["people"]);
    let mut third = later(&first, TimeDelta::hours(1));
    assert_eq!(
        (accounts(ids, &mut third).await.unwrap().len(), gaps(&third)),
        (0, vec!["people"]),
        "nobody acts by memory"
    );
}

#[tokio::test]
async fn the_log_of_a_room_tells_between_rooms_of_one_title_and_some_rooms_have_none() {
    let mut portal = falcon().with_room(Room::vdr(72, "Falcon"));
    let author = portal.owner().id;
    portal.add_event(Event::new(FILE_UPLOADED, author, now() - TimeDelta::hours(1)).file(900, "a.docx").in_room(71));
    let (_sim, mut look) = start(portal).await;
    let mut logs = RoomLogs::default();
    let window = look.window;
    for room in [71, 72] {
        let gaps = read_room_log(&RoomId::Number(room), window, &mut logs, &mut look).await.unwrap();
        assert_eq!(gaps, Some(Vec::new()));
    }
    look.audit().await.unwrap().of_window_alone();
    let ids = look.archive.room_log(&RoomId::Number(71), window).await.unwrap();
    let upload = AuditEvent { id: ids[0], ..event(FILE_UPLOADED, "900", now()) };
    let place = Rooms::default().place_with_logs(&upload, &logs);
    assert_eq!(place, Place::Room(RoomId::Number(71), Attributed::Log));
    let elsewhere = RoomId::Text("sbox-7".to_owned());
    assert_eq!(read_room_log(&elsewhere, window, &mut logs, &mut look).await.unwrap(), None);
}
