//! The list of rooms and one room.

use std::cmp::Reverse;

use super::Context;
use super::auth::may_read;
use super::page;
use super::people::short;
use super::query::Binder;
use super::reply::{Answer, Failure};
use crate::actions::Names;
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{Person, Room};

/// Folder id of the "Rooms" section.
pub(super) const ROOMS: i32 = 3;
/// Folder id of the archive.
const ARCHIVE: i32 = 4;

const ROOM_TYPES: Names = &[
    ("FillingFormsRoom", 1),
    ("EditingRoom", 2),
    ("CustomRoom", 5),
    ("PublicRoom", 6),
    ("VirtualDataRoom", 8),
    ("AiRoom", 9),
];
const SEARCH_AREAS: Names = &[
    ("Active", 0),
    ("Archive", 1),
    ("Any", 2),
    ("RecentByLinks", 3),
    ("Templates", 4),
    ("Knowledge", 5),
    ("ResultStorage", 6),
    ("AiAgents", 7),
];
const SORT_ORDERS: Names = &[("Ascending", 0), ("Descending", 1)];

/// `GET files/rooms`: one object that holds the rooms, with its own `count` and `total`.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let types = binder.list("type", ROOM_TYPES);
    let area = binder.named_or_empty("searchArea", "SearchArea", SEARCH_AREAS).unwrap_or(0);
    let (count, start) = (binder.count(), binder.start_index());
    let descending = binder.named_or_empty("sortOrder", "SortOrder", SORT_ORDERS) == Some(1);
    let sort = binder.text("sortBy").unwrap_or_default().to_ascii_lowercase();
    binder.finish().map_err(Failure::Validation)?;
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    if start < 0 {
        let message = "Specified argument was out of the range of valid values. (Parameter 'startIndex')";
        return Err(Failure::exception(400, message, "System.ArgumentOutOfRangeException", -2_146_233_086));
    }
    let mut rooms: Vec<&Room> = context
        .scenario
        .rooms
        .iter()
        .filter(|room| types.is_empty() || types.contains(&room.room_type))
        .filter(|room| match area {
            0 => !room.archived,
            1 => room.archived,
            2 => true,
            _ => false,
        })
        .filter(|room| may_read(person, room))
        .collect();
    rooms.sort_by_key(|room| room.id);
    match sort.as_str() {
        "az" => rooms.sort_by_key(|room| room.title.to_lowercase()),
        "roomtype" => rooms.sort_by_key(|room| room.room_type),
        "dateandtimecreation" => rooms.sort_by_key(|room| room.created),
        "dateandtime" => rooms.sort_by_key(|room| updated(room)),
        // the caller's saved order; new callers have "last changed first"
        _ => rooms.sort_by_key(|room| Reverse(updated(room))),
    }
    if descending {
        rooms.reverse();
    }
    let total = length(rooms.len());
    let folders: Vec<Json> = page(rooms, start, count).into_iter().map(|room| folder(context, person, room)).collect();
    let shown = length(folders.len());
    let section = if area == 1 { (ARCHIVE, "Archive", 20) } else { (ROOMS, "Rooms", 14) };
    Ok(Answer::one(Json::object([
        ("files", Json::List(Vec::new())),
        ("folders", Json::List(folders)),
        ("current", current(section)),
        (
            "pathParts",
            Json::List(vec![Json::object([
                ("id", section.0.into()),
                ("title", section.1.into()),
                ("folderType", section.2.into()),
            ])]),
        ),
        ("startIndex", start.into()),
        ("count", shown.into()),
        ("total", total.into()),
        ("new", 0.into()),
    ])))
}

/// `GET files/rooms/{id}`; `None` for an id that is no number, which third-party code answers on the portal.
pub(super) fn one(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let room = id
        .and_then(|id| context.scenario.room(id))
        .ok_or_else(|| Failure::not_found("The required folder was not found"))?;
    let Some(person) = context.caller.person() else {
        return Err(Failure::Refused { status: 401, message: "Access denied" });
    };
    if !may_read(person, room) {
        let message = "You don't have enough permission to view the folder content";
        return Err(Failure::exception(403, message, "System.InvalidOperationException", -2_146_233_079));
    }
    Ok(Answer::one(folder(context, person, room)))
}

/// The portal calls a room changed when it is renamed, among other things; here nothing else counts.
fn updated(room: &Room) -> chrono::DateTime<chrono::Utc> {
    room.former.last().map_or(room.created, |(at, _)| *at)
}

fn folder(context: &Context<'_>, reader: &Person, room: &Room) -> Json {
    let scenario = context.scenario;
    let vdr = room.room_type == 8;
    let owner = scenario.person(room.owner).unwrap_or_else(|| scenario.owner());
    let date = |at| Json::from(dates::write_other(at, scenario.zone));
    let own = room.owner == reader.id;
    Json::object([
        ("parentId", (if room.archived { ARCHIVE } else { ROOMS }).into()),
        ("filesCount", 40.into()),
        ("foldersCount", 0.into()),
        ("new", 0.into()),
        ("mute", false.into()),
        ("tags", Json::List(Vec::new())),
        (
            "logo",
            Json::object([
                ("original", "".into()),
                ("large", "".into()),
                ("medium", "".into()),
                ("small", "".into()),
                ("color", "6191F2".into()),
            ]),
        ),
        ("pinned", false.into()),
        ("roomType", room.room_type.into()),
        ("private", false.into()),
        ("indexing", vdr.into()),
        ("denyDownload", false.into()),
        ("inRoom", (own || room.members.contains(&reader.id)).into()),
        ("fileEntryType", 1.into()),
        ("id", room.id.into()),
        ("rootFolderId", (if room.archived { ARCHIVE } else { ROOMS }).into()),
        ("canShare", false.into()),
        (
            "security",
            Json::object([
                ("Read", true.into()),
                ("Create", (own && !room.archived).into()),
                ("EditRoom", (own && !room.archived).into()),
                ("Download", true.into()),
            ]),
        ),
        ("title", room.title.as_str().into()),
        ("access", 0.into()),
        ("shared", false.into()),
        ("sharedForUser", (!room.members.is_empty()).into()),
        ("sharedExternal", false.into()),
        ("parentShared", false.into()),
        ("shortWebUrl", "".into()),
        ("created", date(room.created)),
        ("createdBy", short(context.base, owner)),
        ("updated", date(updated(room))),
        ("rootFolderType", (if room.archived { 20 } else { 14 }).into()),
        ("updatedBy", short(context.base, owner)),
        ("isFavorite", false.into()),
    ])
}

/// The section itself, as a folder.
fn current((id, title, kind): (i32, &str, i32)) -> Json {
    Json::object([
        ("parentId", 0.into()),
        ("filesCount", 0.into()),
        ("foldersCount", 0.into()),
        ("new", 0.into()),
        ("mute", false.into()),
        ("pinned", false.into()),
        ("private", false.into()),
        ("indexing", false.into()),
        ("denyDownload", false.into()),
        ("fileEntryType", 1.into()),
        ("id", id.into()),
        ("rootFolderId", id.into()),
        ("canShare", false.into()),
        ("security", Json::object([("Read", true.into()), ("Create", true.into())])),
        ("title", title.into()),
        ("access", 0.into()),
        ("shared", false.into()),
        ("rootFolderType", kind.into()),
    ])
}
