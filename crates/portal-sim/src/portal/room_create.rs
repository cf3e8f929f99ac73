//! Making rooms.

use super::files::read;
use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::room_shape::room_object;
use super::rooms::ROOM_TYPES;
use super::{Change, rights, titles};
use crate::scenario::{Room, RoomExtras, Share};
use serde_json::json;

/// The longest title that may be asked for.
const MAX_TITLE: usize = 170;

const LIFETIME: Shape = Shape::Object(&Class {
    members: &[
        ("deletePermanently", Shape::Bool { nullable: false }),
        ("period", Shape::Number),
        ("value", Shape::Int { bits: 32, nullable: true }),
        ("enabled", Shape::Bool { nullable: true }),
    ],
    required: &[],
});
const WATERMARK: Shape = Shape::Object(&Class {
    members: &[
        ("enabled", Shape::Bool { nullable: true }),
        ("additions", Shape::Number),
        ("text", Shape::Text),
        ("rotate", Shape::Int { bits: 32, nullable: false }),
        ("imageScale", Shape::Int { bits: 32, nullable: false }),
        ("imageUrl", Shape::Text),
    ],
    required: &[],
});
const LOGO: Shape = Shape::Object(&Class {
    members: &[
        ("tmpFile", Shape::Text),
        ("x", Shape::Int { bits: 32, nullable: false }),
        ("y", Shape::Int { bits: 32, nullable: false }),
        ("width", Shape::Int { bits: 32, nullable: false }),
        ("height", Shape::Int { bits: 32, nullable: false }),
    ],
    required: &[],
});
const TAGS: Shape = Shape::List { item: &Shape::Text };
const SHARE: Shape = Shape::Object(&Class {
    members: &[("shareTo", Shape::Guid), ("access", Shape::Access), ("email", Shape::Text)],
    required: &[],
});
const CREATE: Shape = Shape::Object(&Class {
    members: &[
        ("title", Shape::Text),
        ("roomType", Shape::Named { names: ROOM_TYPES }),
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
        ("share", Shape::List { item: &SHARE }),
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
    if !rights::may_own_rooms(&owner) {
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
