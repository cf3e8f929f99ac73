//! The list of rooms, held against what is known of them.

use audit_model::{GapReason, RoomId, Window};
use chrono::TimeDelta;
use docspace_client::{Budget, Client};
use event_archive::Archive;
use portal_sim::{Event, Fault, FaultKind, PortalSim, Room, Scenario};

use crate::common::{client, empty_archive, now};

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

/// A portal in whose rooms nothing happens, and what an archive makes of its list of them.
struct World {
    sim: PortalSim,
    client: Client,
    archive: Archive,
}

impl World {
    async fn new(rooms: &[i32]) -> Self {
        let portal = rooms.iter().fold(Scenario::empty(now()), |portal, id| portal.with_room(Room::vdr(*id, "Falcon")));
        let sim = PortalSim::start(portal).await.unwrap();
        let client = client(&sim, Budget::default());
        World { sim, client, archive: empty_archive().await }
    }

    /// How many rooms a run sees, or why it sees none.
    async fn rooms(&self) -> Result<usize, GapReason> {
        self.archive.refresh_audit(&self.client, last_day(), now()).await.unwrap();
        let listed = self.archive.refresh_rooms(&self.client, last_day(), now()).await.unwrap();
        listed.map(|rooms| rooms.len()).map_err(|error| error.gap_reason())
    }

    /// From now on the list is empty, and says so itself.
    fn hide_rooms(&self) {
        let empty = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
        self.sim.set_faults(vec![Fault::new(empty).on("files/rooms")]);
    }

    fn delete(&self, room: i32) {
        self.sim.edit(|portal| portal.delete_room(room, now() - TimeDelta::minutes(30)));
    }
}

/// A proxy that empties answers, or a key whose account no longer sees the rooms.
#[tokio::test]
async fn an_empty_list_after_a_known_one_is_not_no_rooms() {
    let world = World::new(&[71]).await;
    assert_eq!(world.rooms().await, Ok(1));
    world.hide_rooms();
    assert_eq!(world.rooms().await, Err(GapReason::ListEmpty), "nothing happened in the room, and it is known");
    let known = world.archive.rooms(last_day()).await.unwrap();
    assert!(known.get(&RoomId::Number(71)).is_some(), "what is known stays known");
}

#[tokio::test]
async fn a_portal_whose_rooms_were_all_deleted_has_none() {
    let world = World::new(&[71, 72]).await;
    assert_eq!(world.rooms().await, Ok(2));
    world.delete(71);
    assert_eq!(world.rooms().await, Ok(1));
    world.hide_rooms();
    assert_eq!(world.rooms().await, Err(GapReason::ListEmpty), "the deletion of one does not hide the other");
    world.sim.set_faults(Vec::new());
    world.delete(72);
    assert_eq!(world.rooms().await, Ok(0));
}

#[tokio::test]
async fn a_portal_that_never_showed_a_room_has_none() {
    let world = World::new(&[]).await;
    assert_eq!(world.rooms().await, Ok(0));
}

/// Whoever makes, archives, renames or deletes a room leaves an event.
#[tokio::test]
async fn the_list_is_believed_for_an_hour_and_until_anything_happens() {
    let world = World::new(&[71]).await;
    let is_fresh = async |after: TimeDelta| world.archive.rooms_are_fresh(last_day(), now() + after).await.unwrap();
    assert!(!is_fresh(TimeDelta::zero()).await, "nobody has asked yet");
    world.rooms().await.unwrap();
    assert!(is_fresh(TimeDelta::zero()).await && is_fresh(TimeDelta::minutes(59)).await);
    assert!(!is_fresh(TimeDelta::hours(1)).await && !is_fresh(TimeDelta::minutes(-1)).await);
    world.sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::hours(1)).file(9, "a.docx").in_room(71));
    });
    world.archive.refresh_audit(&world.client, last_day(), now()).await.unwrap();
    assert!(!is_fresh(TimeDelta::zero()).await, "something happened");
    world.hide_rooms();
    assert_eq!(world.rooms().await, Err(GapReason::ListEmpty));
    assert!(!is_fresh(TimeDelta::zero()).await, "what could not be read is asked for again");
}
