//! A room as an object.

use super::Context;
use super::person_shape::short;
use super::rights::rights;
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{ARCHIVE, Person, ROOMS, Room};

/// The portal calls a room changed when it is renamed, among other things; here nothing else counts.
pub(super) fn updated(room: &Room) -> chrono::DateTime<chrono::Utc> {
    room.former.last().map_or(room.created, |(at, _)| *at)
}

/// A room as this reader sees it.
pub(super) fn room_object(context: &Context<'_>, reader: &Person, room: &Room) -> Json {
    let scenario = context.scenario;
    let extras = scenario.extras(room);
    let (files, folders, space) = scenario.totals(room.id);
    let rights = rights(scenario, reader, room.id);
    let access = scenario.access_in(reader.id, room);
    let direct = scenario.content.shares.iter().any(|share| share.room == room.id && share.subject == reader.id);
    let shared = scenario.content.shares.iter().any(|share| share.room == room.id);
    let owner = scenario.person(room.owner).unwrap_or_else(|| scenario.owner());
    let date = |at| Json::from(dates::write_other(at, scenario.zone));
    let own = room.owner == reader.id;
    let lifetime = extras.lifetime.map(|(permanently, period, value, enabled)| {
        Json::object([
            ("deletePermanently", permanently.into()),
            ("period", period.into()),
            ("value", value.into()),
            ("enabled", enabled.into()),
        ])
    });
    let watermark = extras.watermark.map(|(additions, text, rotate)| {
        Json::object([
            ("additions", additions.into()),
            ("text", text.into()),
            ("rotate", rotate.into()),
            ("imageScale", 0.into()),
            ("imageHeight", 0.into()),
            ("imageWidth", 0.into()),
        ])
    });
    Json::object([
        ("parentId", (if room.archived { ARCHIVE } else { ROOMS }).into()),
        ("filesCount", length(files).into()),
        ("foldersCount", length(folders).into()),
        ("new", 0.into()),
        ("mute", false.into()),
        ("tags", extras.tags.into()),
        (
            "logo",
            Json::object([
                ("original", "".into()),
                ("large", "".into()),
                ("medium", "".into()),
                ("small", "".into()),
                ("color", extras.color.into()),
            ]),
        ),
        ("pinned", false.into()),
        ("roomType", room.room_type.into()),
        ("private", extras.private.into()),
        ("indexing", extras.indexing.into()),
        ("denyDownload", extras.deny_download.into()),
        ("lifetime", lifetime.into()),
        ("watermark", watermark.into()),
        ("inRoom", (own || room.members.contains(&reader.id)).into()),
        ("usedSpace", i64::try_from(space).ok().filter(|_| reader.kind.is_admin() || own).into()),
        ("fileEntryType", 1.into()),
        ("id", room.id.into()),
        ("rootFolderId", (if room.archived { ARCHIVE } else { ROOMS }).into()),
        ("canShare", false.into()),
        (
            "security",
            Json::object([
                ("Read", rights.read.into()),
                ("Create", rights.create.into()),
                ("EditRoom", rights.manage.into()),
                ("EditAccess", rights.manage.into()),
                ("Download", rights.download.into()),
            ]),
        ),
        ("title", room.title.as_str().into()),
        // the record of the caller, which neither owners nor administrators have
        ("access", (if own || !(direct || access != 0) { 0 } else { access }).into()),
        ("shared", false.into()),
        ("sharedForUser", (shared || !room.members.is_empty()).into()),
        ("sharedExternal", false.into()),
        ("parentShared", false.into()),
        ("shortWebUrl", "".into()),
        ("created", date(room.created)),
        ("createdBy", short(context.base, owner)),
        ("updated", date(updated(room))),
        ("rootFolderType", root_type(room).into()),
        ("updatedBy", short(context.base, owner)),
        ("isFavorite", false.into()),
    ])
}

/// The type of the section that a room is in.
fn root_type(room: &Room) -> i32 {
    match (room.is_agent(), room.archived) {
        (true, _) => 34,
        (false, true) => 20,
        (false, false) => 14,
    }
}

/// The folder type of a room of this type.
pub(super) fn folder_type(room_type: i32) -> i32 {
    match room_type {
        1 => 15,
        2 => 16,
        6 => 22,
        8 => 29,
        _ => 19,
    }
}
