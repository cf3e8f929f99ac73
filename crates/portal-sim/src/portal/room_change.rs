//! Making, renaming, archiving and deleting rooms.

use super::files::read;
use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rooms::{ROOM_TYPES, room_object};
use super::{Change, entries, operations, titles};
use crate::scenario::{Room, RoomExtras, Share};
use serde_json::json;

/// The longest title that may be asked for.
const MAX_TITLE: usize = 170;

const LIFETIME: Shape = Shape::Object(&Class {
    name: "ASC.Files.Core.ApiModels.RoomDataLifetimeDto",
    members: &[
        ("deletePermanently", Shape::Bool { nullable: false }),
        ("period", Shape::Number { class: "ASC.Files.Core.VirtualRooms.RoomDataLifetimePeriod", nullable: false }),
        ("value", Shape::Int { bits: 32, nullable: true }),
        ("enabled", Shape::Bool { nullable: true }),
    ],
    required: &[],
});
const WATERMARK: Shape = Shape::Object(&Class {
    name: "ASC.Files.Core.ApiModels.RequestDto.WatermarkRequestDto",
    members: &[
        ("enabled", Shape::Bool { nullable: true }),
        ("additions", Shape::Number { class: "ASC.Files.Core.VirtualRooms.WatermarkAdditions", nullable: false }),
        ("text", Shape::Text),
        ("rotate", Shape::Int { bits: 32, nullable: false }),
        ("imageScale", Shape::Int { bits: 32, nullable: false }),
        ("imageUrl", Shape::Text),
    ],
    required: &[],
});
const LOGO: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.LogoRequest",
    members: &[
        ("tmpFile", Shape::Text),
        ("x", Shape::Int { bits: 32, nullable: false }),
        ("y", Shape::Int { bits: 32, nullable: false }),
        ("width", Shape::Int { bits: 32, nullable: false }),
        ("height", Shape::Int { bits: 32, nullable: false }),
    ],
    required: &[],
});
const TAGS: Shape =
    Shape::List { class: "System.Collections.Generic.IEnumerable`1[System.String]", item: &Shape::Text };
const SHARE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.FileShareParams",
    members: &[("shareTo", Shape::Guid { nullable: false }), ("access", Shape::Access), ("email", Shape::Text)],
    required: &[],
});
const CREATE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.CreateRoomRequestDto",
    members: &[
        ("title", Shape::Text),
        ("roomType", Shape::Named { class: "ASC.Files.Core.ApiModels.RequestDto.RoomType", names: ROOM_TYPES }),
        ("quota", Shape::Int { bits: 64, nullable: true }),
        ("indexing", Shape::Bool { nullable: true }),
        ("denyDownload", Shape::Bool { nullable: true }),
        ("lifetime", LIFETIME),
        ("watermark", WATERMARK),
        ("logo", LOGO),
        ("tags", TAGS),
        ("color", Shape::Text),
        ("cover", Shape::Text),
        ("private", Shape::Bool { nullable: false }),
        (
            "share",
            Shape::List {
                class: "System.Collections.Generic.IEnumerable`1[ASC.Files.ApiModels.RequestDto.FileShareParams]",
                item: &SHARE,
            },
        ),
    ],
    required: &["title", "roomType"],
});

/// What the validation says about the members of a room.
fn check(binder: &mut Binder<'_>, body: &Value) {
    let long = |value: &Value, limit: usize| value.text().is_some_and(|text| text.chars().count() > limit);
    let mut too_long = |key: &str, name: &str, value: &Value, limit: usize| {
        if long(value, limit) {
            let text = format!("The field {name} must be a string with a maximum length of {limit}.");
            binder.error(key, text);
        }
    };
    too_long("Title", "Title", body.get("title"), MAX_TITLE);
    too_long("Color", "Color", body.get("color"), 6);
    too_long("Cover", "Cover", body.get("cover"), 50);
    too_long("Watermark.Text", "Text", body.get("watermark").get("text"), 255);
    let mut outside = |key: &str, name: &str, value: &Value, (low, high): (i64, i64)| {
        if value.int().is_some_and(|number| !(low..=high).contains(&number)) {
            binder.error(key, format!("The field {name} must be between {low} and {high}."));
        }
    };
    outside("Lifetime.Value", "Value", body.get("lifetime").get("value"), (1, 999));
    // absent numbers are 0, which is out of range for the size of a logo
    let logo = body.get("logo");
    if *logo != Value::Null {
        let number = |name: &str| Value::Int(logo.get(name).int().unwrap_or(0));
        outside("Logo.X", "X", &number("x"), (0, 1280));
        outside("Logo.Y", "Y", &number("y"), (0, 1280));
        outside("Logo.Width", "Width", &number("width"), (1, 1280));
        outside("Logo.Height", "Height", &number("height"), (1, 1280));
    }
    if body.get("lifetime").get("period").int().is_some_and(|period| !(0..=2).contains(&period)) {
        binder.error("Lifetime.Period", "The field Period is invalid.".to_owned());
    }
}

/// `POST files/rooms`
pub(super) fn create(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &CREATE, "", check)?;
    let room_type = i32::try_from(body.get("roomType").int().unwrap_or(0)).unwrap_or(0);
    let title = body.get("title").text().ok_or_else(|| Failure::null_argument("title"))?;
    let title = titles::clean(title);
    if title.is_empty() {
        return Err(Failure::argument("The value cannot be an empty string. (Parameter 'title')"));
    }
    if !ROOM_TYPES.iter().any(|(_, known)| *known == room_type) {
        let text = format!("(Parameter 'roomType')\nActual value was {room_type}.");
        return Err(Failure::out_of_range(&text));
    }
    let owner = change.person()?;
    if !entries::may_own_rooms(&owner) {
        return Err(Failure::invalid_operation("You don't have enough permission to create"));
    }
    let quota = change.scenario.content.quota;
    if change.scenario.rooms.iter().filter(|room| !room.archived).count() >= quota.rooms {
        return Err(Failure::quota("The number of rooms exceeds the maximum allowed by your tariff"));
    }
    let id = change.scenario.next_entry();
    let mut room = Room::vdr(id, &title).room_type(room_type);
    (room.owner, room.created) = (owner.id, change.scenario.now);
    let extras = extras(&room, &body);
    change.scenario.add_room(room);
    change.room_row(5070, id, &[&title], &[]);
    for (chosen, action) in [
        (body.get("indexing").bool() == Some(true), 5114),
        (extras.deny_download, 5109),
        (extras.lifetime.is_some(), 5116),
        (extras.watermark.is_some(), 5112),
    ] {
        if chosen {
            let life = extras.lifetime.map_or(json!(null), |(permanently, period, value, _)| {
                json!({"DeletePermanently": permanently, "Period": period, "Value": value})
            });
            let more = [("LifeTime", life)];
            change.room_row(action, id, &[&title], if action == 5116 { &more } else { &[] });
        }
    }
    if !extras.tags.is_empty() {
        let tags: Vec<&str> = extras.tags.iter().map(String::as_str).collect();
        change.room_row(5078, id, &tags, &[]);
    }
    // members are taken only for private rooms
    if extras.private {
        for share in body.get("share").items() {
            let subject = share.get("shareTo").guid();
            let access = share.get("access").int().and_then(|access| i32::try_from(access).ok()).unwrap_or(0);
            if let Some(subject) = subject.filter(|subject| change.scenario.person(*subject).is_some()) {
                change.scenario.share(Share { room: id, subject, access });
            }
        }
    }
    change.scenario.content.extras.insert(id, extras);
    answer(change, id)
}

fn extras(room: &Room, body: &Value) -> RoomExtras {
    let mut extras = RoomExtras::of(room);
    let flag = |name: &str| body.get(name).bool();
    extras.indexing = flag("indexing").unwrap_or(false);
    extras.deny_download = flag("denyDownload").unwrap_or(false);
    extras.private = flag("private").unwrap_or(false);
    let tags = body.get("tags").items().iter().filter_map(Value::text);
    extras.tags = tags.filter(|tag| !tag.trim().is_empty()).map(str::to_owned).collect();
    if let Some(color) = body.get("color").text() {
        color.clone_into(&mut extras.color);
    }
    let lifetime = body.get("lifetime");
    if *lifetime != Value::Null {
        let number = |name: &str| lifetime.get(name).int().unwrap_or(0);
        let permanently = lifetime.get("deletePermanently").bool().unwrap_or(false);
        let enabled = lifetime.get("enabled").bool().unwrap_or(false);
        extras.lifetime = Some((permanently, number("period"), number("value"), enabled));
    }
    let watermark = body.get("watermark");
    if watermark.get("enabled").bool() == Some(true) {
        let number = |name: &str| watermark.get(name).int().unwrap_or(0);
        let text = watermark.get("text").text().map(str::to_owned);
        extras.watermark = Some((number("additions"), text, number("rotate")));
    }
    extras
}

fn answer(change: &Change<'_>, id: i32) -> Result<Answer, Failure> {
    let context = change.context();
    let room = context.scenario.room(id).ok_or_else(Failure::null_reference)?;
    Ok(Answer::one(room_object(&context, &change.person()?, room)))
}

/// Another title for a room, with the row that names both; its `context` has the old one.
pub(super) fn rename(change: &mut Change<'_>, id: i32, title: &str) {
    let now = change.scenario.now;
    let Some(room) = change.scenario.rooms.iter_mut().find(|room| room.id == id) else { return };
    if room.title == title {
        return;
    }
    let old = std::mem::replace(&mut room.title, title.to_owned());
    room.former.push((now, old.clone()));
    change.room_row(5071, id, &[title], &[("RoomOldTitle", json!(old))]);
}

const UPDATE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.UpdateRoomRequest",
    members: &[
        ("title", Shape::Text),
        ("quota", Shape::Int { bits: 64, nullable: true }),
        ("indexing", Shape::Bool { nullable: true }),
        ("denyDownload", Shape::Bool { nullable: true }),
        ("lifetime", LIFETIME),
        ("watermark", WATERMARK),
        ("logo", LOGO),
        ("tags", TAGS),
        ("color", Shape::Text),
        ("cover", Shape::Text),
    ],
    required: &[],
});

/// `PUT files/rooms/{id}`: an unknown room is a refusal here, not a 404.
pub(super) fn update(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let body = read(change, &UPDATE, "UpdateRoom", check)?;
    let denied = || Failure::invalid_operation("You don't have enough permission to edit the room");
    let id = id.filter(|id| change.scenario.room(*id).is_some()).ok_or_else(denied)?;
    let person = change.person()?;
    if !entries::rights(change.scenario, &person, id).manage {
        return Err(denied());
    }
    if let Some(title) = body.get("title").text().map(titles::clean).filter(|title| !title.is_empty()) {
        rename(change, id, &title);
    }
    let room = change.scenario.room(id).ok_or_else(denied)?;
    let mut extras = change.scenario.extras(room);
    let mut rows: Vec<i32> = Vec::new();
    let mut switch = |name: &str, place: &mut bool, on: i32, off: i32| {
        if let Some(wanted) = body.get(name).bool().filter(|wanted| wanted != place) {
            *place = wanted;
            rows.push(if wanted { on } else { off });
        }
    };
    switch("indexing", &mut extras.indexing, 5114, 5115);
    switch("denyDownload", &mut extras.deny_download, 5109, 5110);
    if let Some(color) = body.get("color").text().filter(|color| *color != extras.color) {
        color.clone_into(&mut extras.color);
        rows.push(5102);
    }
    change.scenario.content.extras.insert(id, extras);
    let title = change.scenario.folder_title(id);
    for action in rows {
        change.room_row(action, id, &[&title], &[]);
    }
    answer(change, id)
}

const ARCHIVE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.ArchiveRoomRequest",
    members: &[("deleteAfter", Shape::Bool { nullable: false })],
    required: &[],
});

/// `PUT files/rooms/{id}/archive` and `/unarchive`: an administrator may do it to any room.
pub(super) fn archive(change: &mut Change<'_>, id: Option<i32>, archived: bool) -> Result<Answer, Failure> {
    let body = read(change, &ARCHIVE, "ArchiveRoom", |_, _| {})?;
    let forget = body.get("deleteAfter").bool().unwrap_or(false);
    let person = change.person()?;
    let room = id.and_then(|id| change.scenario.room(id)).ok_or_else(|| Failure::not_found("Item not found"))?;
    let (id, was) = (room.id, room.archived);
    if room.owner != person.id && !person.kind.is_admin() {
        // asynchronous: the refusal is only in the operation
        return operations::one(change, 0, "You don't have enough permission to move the room", forget);
    }
    if let Some(room) = change.scenario.rooms.iter_mut().find(|room| room.id == id) {
        room.archived = archived;
    }
    if was != archived {
        let title = change.scenario.folder_title(id);
        change.room_row(if archived { 5072 } else { 5073 }, id, &[&title], &[]);
    }
    operations::one(change, 0, "", forget)
}

/// `DELETE files/rooms/{id}`: only out of the archive; one row, whatever was in it.
pub(super) fn delete(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let body = read(change, &ARCHIVE, "DeleteRoom", |_, _| {})?;
    let forget = body.get("deleteAfter").bool().unwrap_or(false);
    let person = change.person()?;
    let room = id.and_then(|id| change.scenario.room(id)).ok_or_else(|| Failure::not_found("Item not found"))?;
    let (id, title) = (room.id, room.title.clone());
    if !room.archived || (room.owner != person.id && !person.kind.is_admin()) {
        return operations::one(change, 2, "You don't have enough permission to delete the room", forget);
    }
    change.room_row(5074, id, &[&title], &[]);
    change.scenario.rooms.retain(|room| room.id != id);
    operations::one(change, 2, "", forget)
}
