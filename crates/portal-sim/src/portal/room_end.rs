//! Archiving rooms, and deleting them for good.
//!
//! The portal works behind its answer; here the work is done at once, but the answer does not say so.

use super::deletion::{operation, remove_tree};
use super::files::{NO_FOLDER, read};
use super::json_body::{Class, Shape};
use super::reply::{Answer, Failure};
use super::{Change, rights};

const END: Shape =
    Shape::Object(&Class { members: &[("deleteAfter", Shape::Bool { nullable: false })], required: &[] });

/// An operation that moves.
const MOVE: i32 = 0;
/// An operation that deletes.
const DELETE: i32 = 2;

/// `PUT files/rooms/{id}/archive` and `…/unarchive`
pub(super) fn archive(change: &mut Change<'_>, id: Option<i32>, archived: bool) -> Result<Answer, Failure> {
    read(change, &END, "ArchiveRoom", |_, _| {})?;
    let room = found(change, id)?;
    if !may_end(change, room)? {
        return operation(change, MOVE, "You don't have enough permission to move the folder");
    }
    let Some(room) = change.scenario.rooms.iter_mut().find(|one| one.id == room) else {
        return operation(change, MOVE, NO_FOLDER);
    };
    if room.archived != archived {
        let (id, title) = (room.id, room.title.clone());
        change.room_row(if archived { 5072 } else { 5073 }, id, &[&title], &[]);
        change.scenario.rooms.iter_mut().filter(|one| one.id == id).for_each(|one| one.archived = archived);
    }
    operation(change, MOVE, "")
}

/// `DELETE files/rooms/{id}`: an archived room, with all that is in it; one row for the room.
pub(super) fn delete(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    read(change, &END, "DeleteRoom", |_, _| {})?;
    let id = found(change, id)?;
    let room = change.scenario.room(id).filter(|room| room.archived);
    let Some(title) = room.map(|room| room.title.clone()).filter(|_| may_end(change, id).is_ok_and(|may| may)) else {
        return operation(change, DELETE, "You don't have enough permission to delete the folder");
    };
    change.room_row(5074, id, &[&title], &[]);
    remove_tree(change, id);
    change.scenario.rooms.retain(|room| room.id != id);
    change.scenario.content.shares.retain(|share| share.room != id);
    operation(change, DELETE, "")
}

fn found(change: &Change<'_>, id: Option<i32>) -> Result<i32, Failure> {
    let room = id.and_then(|id| change.scenario.room(id));
    room.map(|room| room.id).ok_or_else(|| Failure::not_found("The required folder was not found"))
}

/// Its owner and DocSpace admins, and of a room that is active those who manage it.
fn may_end(change: &Change<'_>, id: i32) -> Result<bool, Failure> {
    let person = change.person()?;
    let is_owner = change.scenario.room(id).is_some_and(|room| room.owner == person.id);
    Ok(is_owner || person.kind.is_admin() || rights::rights(change.scenario, &person, id).manage)
}
