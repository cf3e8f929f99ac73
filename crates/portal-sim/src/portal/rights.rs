//! What a person may do in a folder, room or section.

use super::Context;
use super::reply::Failure;
use crate::scenario::{Location, Person, PersonKind, Scenario};

/// What somebody may do in a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) download: bool,
    /// Change the content of files.
    pub(super) edit: bool,
    /// Make, upload, rename and delete entries.
    pub(super) create: bool,
    /// Settings of the room and its members.
    pub(super) manage: bool,
}

impl Rights {
    pub(super) const NONE: Rights = Rights { read: false, download: false, edit: false, create: false, manage: false };
    const ALL: Rights = Rights { read: true, download: true, edit: true, create: true, manage: true };
}

/// What this person may do in a folder, room or section.
pub(super) fn rights(scenario: &Scenario, person: &Person, folder: i32) -> Rights {
    match scenario.location(folder) {
        None => Rights::NONE,
        Some(Location::Mine(owner)) if owner == person.id => Rights::ALL,
        Some(Location::Trash(owner)) if owner == person.id => Rights { create: false, edit: false, ..Rights::ALL },
        Some(Location::Mine(_) | Location::Trash(_)) => Rights::NONE,
        Some(Location::Section) => Rights { read: true, download: true, ..Rights::NONE },
        Some(Location::Room(id)) => {
            let room = scenario.room(id).expect("a location names a room that is there");
            let extras = scenario.extras(room);
            let access = scenario.access_in(person.id, room);
            let manages = matches!(access, 1 | 9);
            let reads = access != 0 || person.kind.is_admin();
            let download = reads && (manages || access == 11 || !extras.deny_download);
            Rights {
                read: reads,
                download,
                edit: !room.archived && matches!(access, 1 | 9 | 10 | 11),
                create: !room.archived && matches!(access, 1 | 9 | 11),
                manage: !room.archived && manages,
            }
        }
    }
}

/// The rights of the caller, or the refusal of a place that is not there or may not be read.
pub(super) fn readable(context: &Context<'_>, folder: i32, missing: &str) -> Result<Rights, Failure> {
    if context.scenario.location(folder).is_none() {
        return Err(Failure::not_found(missing));
    }
    let Some(person) = context.caller.person() else {
        return Err(Failure::Refused { status: 401, message: "Access denied" });
    };
    let rights = rights(context.scenario, person, folder);
    if !rights.read {
        return Err(Failure::invalid_operation("You don't have enough permission to view the folder content"));
    }
    Ok(rights)
}

/// Room administrators and administrators may own rooms.
pub(super) fn may_own_rooms(person: &Person) -> bool {
    matches!(person.kind, PersonKind::Owner | PersonKind::Admin | PersonKind::RoomAdmin)
}
