//! Renaming files, and archiving and deleting a room, on a simulated portal.

use docspace_client::{ErrorKind, OnTwin};
use portal_sim::{Fault, FaultKind, Key, Person, PersonKind, PortalSim, Room, Scenario};

use crate::common::client;

/// Rita may make rooms, and Olga owns room 71.
fn portal() -> (Scenario, Key) {
    let rita = Person::new("rita@example.com", "Rita", "Room").kind(PersonKind::RoomAdmin);
    let key = Key::of(&rita).scopes(&["rooms:write", "files:write", "accounts.self:read"]);
    let portal = Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap()).with_person(rita).with_key(key.clone());
    (portal.with_room(Room::vdr(71, "Alpha")), key)
}

#[tokio::test]
async fn a_room_of_ones_own_ends_without_a_trace() {
    let (portal, key) = portal();
    let sim = PortalSim::start(portal).await.unwrap();
    let rita = client(&sim, &sim.key()).with_key(docspace_client::ApiKey::new(key.key.clone().into()));
    let room = rita.create_data_room("Exercise").await.unwrap().fact.id;
    let file = rita.upload(&room, "one.x7q", b"1", OnTwin::KeepBoth).await.unwrap();
    let renamed = rita.rename_file(&file.id, "one again.x7q").await.unwrap();
    assert_eq!((renamed.title.raw(), renamed.version), ("one again.x7q", 1));
    // the portal keeps the extension
    assert_eq!(rita.rename_file(&file.id, "two.docx").await.unwrap().title.raw(), "two.docx.x7q");
    // an active room is not deleted, and the answer does not say so
    rita.delete_room(&room).await.unwrap();
    assert!(!rita.room(&room).await.unwrap().unwrap().archived);
    rita.archive_room(&room).await.unwrap();
    assert!(rita.room(&room).await.unwrap().unwrap().archived);
    rita.delete_room(&room).await.unwrap();
    assert_eq!((rita.room(&room).await.unwrap(), rita.file(&file.id).await.unwrap()), (None, None));
    let error = rita.delete_room(&room).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot delete a room: "), "{error}");
}

#[tokio::test]
async fn a_room_of_somebody_else_stays() {
    let (portal, key) = portal();
    let sim = PortalSim::start(portal).await.unwrap();
    let rita = client(&sim, &key.key);
    rita.archive_room(&"71".into()).await.unwrap();
    let mut is_archived = true;
    sim.edit(|portal| is_archived = portal.rooms[0].archived);
    assert!(!is_archived);
    sim.edit(|portal| portal.rooms[0].archived = true);
    rita.delete_room(&"71".into()).await.unwrap();
    sim.edit(|portal| assert_eq!(portal.rooms.len(), 1));
}

/// No change is sent twice, whatever breaks.
#[tokio::test]
async fn a_call_that_breaks_is_not_repeated() {
    let (portal, key) = portal();
    let sim = PortalSim::start(portal).await.unwrap();
    let rita = client(&sim, &key.key);
    let room = rita.create_data_room("Exercise").await.unwrap().fact.id;
    let file = rita.upload(&room, "one.x7q", b"1", OnTwin::KeepBoth).await.unwrap();
    let before = sim.requests().len();
    sim.set_faults(vec![Fault::new(FaultKind::DoneThenReset)]);
    let errors = [
        rita.rename_file(&file.id, "two.x7q").await.unwrap_err(),
        rita.archive_room(&room).await.unwrap_err(),
        rita.delete_room(&room).await.unwrap_err(),
    ];
    assert!(errors.iter().all(docspace_client::Error::may_have_acted), "{errors:?}");
    assert_eq!(sim.requests().len() - before, 3);
}
