//! Folders and files as objects.
//!
//! Rooms have more members than other folders; they are drawn in `room_shape`.

use chrono::{DateTime, Utc};

use super::person_shape::{initiator, short};
use super::rights::{Rights, rights};
use super::room_shape::{folder_type, room_object};
use super::{Context, titles};
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{ARCHIVE, Folder, Location, ROOMS, Scenario, StoredFile};

/// Number of the section that a folder belongs to, and its kind.
pub(super) fn root(scenario: &Scenario, folder: i32) -> (i32, i32) {
    match scenario.location(folder) {
        Some(Location::Room(id)) if scenario.room(id).is_some_and(|room| room.archived) => (ARCHIVE, 20),
        Some(Location::Mine(owner)) => (scenario.my_documents(owner), 5),
        Some(Location::Trash(owner)) => (scenario.trash(owner), 3),
        _ if folder == ARCHIVE => (ARCHIVE, 20),
        _ => (ROOMS, 14),
    }
}

/// The folder type of the room that a folder is in, but not of the room itself.
fn parent_room_type(scenario: &Scenario, folder: i32) -> Option<i32> {
    match scenario.location(folder) {
        Some(Location::Room(id)) => scenario.room(id).map(|room| folder_type(room.room_type)),
        _ => None,
    }
}

fn date(context: &Context<'_>, at: DateTime<Utc>) -> Json {
    dates::write_other(at, context.scenario.zone).into()
}

fn author(context: &Context<'_>, id: uuid::Uuid) -> Json {
    context
        .scenario
        .person(id)
        .map_or_else(|| initiator(context.scenario, context.base, id), |person| short(context.base, person))
}

/// A folder inside a room or a personal section.
pub(super) fn folder(context: &Context<'_>, folder: &Folder) -> Json {
    let scenario = context.scenario;
    let (files, folders, _) = scenario.totals(folder.id);
    let (root_id, root_type) = root(scenario, folder.id);
    let rights = context.caller.person().map_or(Rights::NONE, |person| rights(scenario, person, folder.id));
    plain_folder(folder.id, folder.parent, &folder.title, (files, folders), (root_id, root_type), rights).and([
        ("shortWebUrl", "".into()),
        ("created", date(context, folder.created)),
        ("createdBy", author(context, folder.author)),
        ("updated", date(context, folder.created)),
        ("rootFolderType", root_type.into()),
        ("parentRoomType", parent_room_type(scenario, folder.id).into()),
        ("updatedBy", author(context, folder.author)),
        ("isFavorite", false.into()),
    ])
}

/// A section, as the current folder of a list.
pub(super) fn section(context: &Context<'_>, id: i32) -> Json {
    let scenario = context.scenario;
    let (root_id, root_type) = root(scenario, id);
    let rights = context.caller.person().map_or(Rights::NONE, |person| rights(scenario, person, id));
    let (files, folders, _) = scenario.totals(id);
    plain_folder(id, 0, &scenario.folder_title(id), (files, folders), (root_id, root_type), rights)
        .and([("rootFolderType", root_type.into())])
}

fn plain_folder(
    id: i32,
    parent: i32,
    title: &str,
    (files, folders): (usize, usize),
    (root_id, _): (i32, i32),
    rights: Rights,
) -> Json {
    Json::object([
        ("parentId", parent.into()),
        ("filesCount", length(files).into()),
        ("foldersCount", length(folders).into()),
        ("new", 0.into()),
        ("mute", false.into()),
        ("pinned", false.into()),
        ("private", false.into()),
        ("indexing", false.into()),
        ("denyDownload", false.into()),
        ("fileEntryType", 1.into()),
        ("id", id.into()),
        ("rootFolderId", root_id.into()),
        ("canShare", rights.manage.into()),
        (
            "security",
            Json::object([
                ("Read", rights.read.into()),
                ("Create", rights.create.into()),
                ("Delete", rights.create.into()),
                ("EditRoom", false.into()),
                ("Rename", rights.create.into()),
                ("Download", rights.download.into()),
            ]),
        ),
        ("title", title.into()),
        ("access", 0.into()),
        ("shared", false.into()),
        ("sharedForUser", false.into()),
        ("sharedExternal", false.into()),
        ("parentShared", false.into()),
    ])
}

/// A room, folder or section, whichever the id is.
pub(super) fn any_folder(context: &Context<'_>, id: i32) -> Json {
    let scenario = context.scenario;
    if let (Some(room), Some(person)) = (scenario.room(id), context.caller.person()) {
        return room_object(context, person, room);
    }
    scenario.folder(id).map_or_else(|| section(context, id), |found| folder(context, found))
}

/// The way from the section to this folder.
pub(super) fn path_ids(scenario: &Scenario, folder: i32) -> Vec<i32> {
    let mut ids = vec![folder];
    let mut at = folder;
    while let Some(found) = scenario.folder(at) {
        at = found.parent;
        ids.push(at);
    }
    if scenario.room(at).is_some() {
        ids.push(root(scenario, at).0);
    }
    ids.reverse();
    ids
}

/// The same as parts with title and kind.
pub(super) fn path_parts(scenario: &Scenario, folder: i32) -> Json {
    let part = |id: i32| {
        let room = scenario.room(id);
        let kind = match room {
            Some(room) => folder_type(room.room_type),
            None if scenario.folder(id).is_some() => 0,
            None => root(scenario, id).1,
        };
        Json::object([
            ("id", id.into()),
            ("title", scenario.folder_title(id).into()),
            ("roomType", room.map(|room| room.room_type).into()),
            ("folderType", kind.into()),
        ])
    };
    Json::List(path_ids(scenario, folder).into_iter().map(part).collect())
}

/// A file in one of its versions; `None` is the newest.
pub(super) fn file(context: &Context<'_>, file: &StoredFile, version: Option<usize>) -> Json {
    let scenario = context.scenario;
    let index = version.unwrap_or(file.versions.len()).clamp(1, file.versions.len());
    let shown = &file.versions[index - 1];
    let number = length(index);
    let size = shown.content.len();
    let (root_id, root_type) = root(scenario, file.folder);
    let rights = context.caller.person().map_or(Rights::NONE, |person| rights(scenario, person, file.folder));
    let first = file.versions.first().map_or(shown.at, |first| first.at);
    let base = context.base;
    let edits = matches!(titles::extension(&file.title).as_str(), ".docx" | ".xlsx" | ".pptx");
    let old = if index < file.versions.len() { format!("&version={index}") } else { String::new() };
    Json::object([
        ("folderId", file.folder.into()),
        ("version", number.into()),
        ("versionGroup", number.into()),
        ("contentLength", titles::size_text(size).into()),
        ("pureContentLength", (size > 0).then_some(length(size)).into()),
        ("fileStatus", i32::from(file.busy).into()),
        ("mute", false.into()),
        ("viewUrl", format!("{base}/filehandler.ashx?action=download&fileid={}{old}", file.id).into()),
        ("webUrl", format!("{base}/doceditor?fileid={}&version={index}", file.id).into()),
        ("fileType", titles::file_type(&file.title).into()),
        ("fileExst", titles::extension(&file.title).into()),
        ("comment", shown.comment.into()),
        ("thumbnailStatus", 0.into()),
        ("formFillingStatus", 0.into()),
        ("viewAccessibility", accessibility(&file.title)),
        ("fileEntryType", 2.into()),
        ("id", file.id.into()),
        ("rootFolderId", root_id.into()),
        ("canShare", rights.manage.into()),
        (
            "security",
            Json::object([
                ("Read", rights.read.into()),
                ("Edit", (rights.edit && edits).into()),
                ("Delete", rights.create.into()),
                ("Rename", rights.create.into()),
                ("ReadHistory", rights.read.into()),
                ("Lock", rights.create.into()),
                ("Copy", rights.read.into()),
                ("Move", rights.create.into()),
                ("Download", rights.download.into()),
            ]),
        ),
        ("title", file.title.as_str().into()),
        ("access", 0.into()),
        ("shared", false.into()),
        ("sharedForUser", false.into()),
        ("sharedExternal", false.into()),
        ("parentShared", false.into()),
        ("shortWebUrl", "".into()),
        ("created", date(context, first)),
        ("createdBy", author(context, file.author)),
        ("updated", date(context, shown.at)),
        ("rootFolderType", root_type.into()),
        ("parentRoomType", parent_room_type(scenario, file.folder).into()),
        ("updatedBy", author(context, shown.author)),
    ])
}

/// What viewer and editor can do with a file of this title.
fn accessibility(title: &str) -> Json {
    let tail = titles::extension(title);
    let kind = titles::file_type(title);
    let edits = matches!(tail.as_str(), ".docx" | ".xlsx" | ".pptx");
    let converts = titles::converted(title).is_some();
    Json::object([
        ("ImageView", (kind == 4).into()),
        ("MediaView", (kind == 2 || kind == 3).into()),
        ("WebView", matches!(kind, 5..=7 | 10).into()),
        ("WebEdit", edits.into()),
        ("WebReview", (tail == ".docx").into()),
        ("WebCustomFilterEditing", (tail == ".xlsx").into()),
        ("WebRestrictedEditing", false.into()),
        ("WebComment", edits.into()),
        ("CanConvert", matches!(kind, 5..=7).into()),
        ("MustConvert", converts.into()),
    ])
}
