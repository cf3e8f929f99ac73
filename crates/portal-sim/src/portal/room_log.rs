//! The activity log of a room: pages by id, groups inside the page, raw counts.
//!
//! Simulated `data` members: files, folders, renamings, deletions and people; other tracked actions show title and id.

use std::cmp::Reverse;

use chrono::{DateTime, Timelike as _, Utc};
use uuid::Uuid;

use super::people::initiator;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rooms::folder_type;
use super::{Context, page};
use crate::actions;
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{Event, Place, ROOMS, Room};

/// Actions whose rows of one minute, person and room are shown as one.
const GROUPED: &[i32] = &[5011, 5035, 5015, 5013, 5024, 5022, 5018, 5027, 5085, 5094, 5118];

/// What rows of one group have in common.
type GroupKey = (i32, Uuid, DateTime<Utc>);

/// `GET files/folder/{id}/log`
pub(super) fn log(context: &Context<'_>, id: i32) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let (from, to) = (binder.date("fromDate"), binder.date("toDate"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    let scenario = context.scenario;
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    if id == ROOMS {
        return Ok(Answer { response: Json::List(Vec::new()), count: 0, total: Some(0) });
    }
    let room = scenario.room(id).ok_or_else(|| Failure::not_found("The required folder was not found"))?;
    if !scenario.may_read(person, room) {
        return Err(Failure::security());
    }
    if start < 0 {
        let message = "2201X: OFFSET must not be negative";
        return Err(Failure::exception(500, message, "Npgsql.PostgresException", -2_147_467_259));
    }
    let mut rows: Vec<&Event> = scenario
        .events
        .iter()
        .filter(|event| matches!(event.place, Place::Room { id, .. } if id == room.id))
        .filter(|event| actions::is_tracked(event.action))
        .filter(|event| from.is_none_or(|from| event.at >= from) && to.is_none_or(|to| event.at <= to))
        .collect();
    rows.sort_by_key(|event| Reverse(event.id));
    let total = length(rows.len());
    let rows = page(rows, start, count);
    let raw = length(rows.len());
    Ok(Answer { response: Json::List(items(context, room, &rows)), count: raw, total: Some(total) })
}

/// `GET files/file/{id}/log`: what happened to one file. A copy or move is told from the destination only.
pub(super) fn of_file(context: &Context<'_>, id: i32) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let (from, to) = (binder.date("fromDate"), binder.date("toDate"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    let (file, _) = super::files::readable_file(context, Some(id))?;
    let (target, scenario) = (id.to_string(), context.scenario);
    let here = super::files::place(scenario, file.folder);
    let mut rows: Vec<&Event> = scenario
        .events
        .iter()
        .filter(|event| event.target.first() == Some(&target) && actions::is_tracked(event.action))
        .filter(|event| actions::find(event.action).is_some_and(actions::Action::is_about_files))
        .filter(|event| from.is_none_or(|from| event.at >= from) && to.is_none_or(|to| event.at <= to))
        .collect();
    rows.sort_by_key(|event| Reverse(event.id));
    rows.dedup_by(|later, kept| {
        later.action == kept.action && later.target == kept.target && later.at == kept.at && later.place != kept.place
    });
    let total = length(rows.len());
    let rows = page(rows, start, count);
    let room = match here {
        Place::Room { id, .. } => scenario.room(id).cloned(),
        Place::None | Place::MyDocuments => None,
    };
    let room = room.unwrap_or_else(|| Room::vdr(file.folder, &scenario.folder_title(file.folder)));
    Ok(Answer { count: length(rows.len()), response: Json::List(items(context, &room, &rows)), total: Some(total) })
}

/// The page grouped: the highest id of a group on top, the others in its `related`.
fn items(context: &Context<'_>, room: &Room, rows: &[&Event]) -> Vec<Json> {
    let mut groups: Vec<Vec<&Event>> = Vec::new();
    for &event in rows {
        let key = group_key(event);
        match groups.iter_mut().find(|group| key.is_some() && group_key(group[0]) == key) {
            Some(group) => group.push(event),
            None => groups.push(vec![event]),
        }
    }
    // sorted by the date that the reader sees, which in the spring hour is not the true one
    groups.sort_by_key(|group| Reverse((dates::reported_other(group[0].at, context.scenario.zone), group[0].id)));
    groups
        .iter()
        .map(|group| {
            let related = group[1..].iter().map(|event| item(context, room, event)).collect();
            item(context, room, group[0]).and([("related", Json::List(related))])
        })
        .collect()
}

fn group_key(event: &Event) -> Option<GroupKey> {
    let action = alias(event.action);
    let minute = event.at.with_second(0).and_then(|at| at.with_nanosecond(0))?;
    GROUPED.contains(&action).then_some((action, event.actor, minute))
}

/// Some actions are shown under another number.
fn alias(action: i32) -> i32 {
    match action {
        5016 => 5015,
        5014 => 5013,
        5025 => 5024,
        5023 => 5022,
        5044 | 5099 => 5034,
        other => other,
    }
}

fn item(context: &Context<'_>, room: &Room, event: &Event) -> Json {
    let action = alias(event.action);
    let key = actions::find(action).map_or("", |action| action.name.as_str());
    Json::object([
        ("id", event.id.into()),
        ("action", Json::object([("id", action.into()), ("key", key.into())])),
        ("initiator", initiator(context.scenario, context.base, event.actor)),
        ("date", dates::write_other(event.at, context.scenario.zone).into()),
        ("data", data(context, room, event, action)),
    ])
}

/// The part that depends on the action.
fn data(context: &Context<'_>, room: &Room, event: &Event, action: i32) -> Json {
    let text = |index: usize| Json::from(event.texts.get(index).map(String::as_str));
    let id = || event.target.first().and_then(|id| id.parse::<i64>().ok()).unwrap_or_default();
    let title_then = if let Place::Room { title, .. } = &event.place { title } else { &room.title };
    let parent = || {
        [
            ("parentTitle", title_then.as_str().into()),
            ("parentId", room.id.into()),
            ("parentType", folder_type(room.room_type).into()),
        ]
    };
    let view_url = || format!("{}/filehandler.ashx?action=download&fileid={}", context.base, id());
    let seen = || Json::object([("accessibility", accessibility(event))]);
    let own_id = || [("id", id().into())];
    match action {
        5000 => seen().and([("title", text(0))]).and(parent()).and(own_id()),
        5001 => seen()
            .and([("viewUrl", view_url().into()), ("oldTitle", text(0)), ("newTitle", text(1))])
            .and(parent_id_first(parent()))
            .and(own_id()),
        5006 | 5007 | 5011 | 5034 | 5120 | 5121 => {
            seen().and([("viewUrl", view_url().into()), ("title", text(0))]).and(parent()).and(own_id())
        }
        5019 => Json::object([("title", text(0))]).and(parent()).and([("type", 0.into())]).and(own_id()),
        5035 => Json::object([("title", text(0))]).and(parent()).and(own_id()),
        5071 | 5155 => Json::object([("oldTitle", text(0)), ("newTitle", text(1)), ("id", id().into())]),
        5075 | 5084 | 5085 | 5118 => {
            let about = event.about.unwrap_or_default();
            Json::object([("user", initiator(context.scenario, context.base, about)), ("access", text(1))])
        }
        5080 | 5081 | 5102 | 5103 => Json::Absent,
        5070 | 5072 | 5073 | 5100 | 5106 | 5109 | 5110 | 5112..=5117 => {
            Json::object([("title", title_then.as_str().into()), ("id", id().into())])
        }
        _ => Json::object([("title", text(0)), ("id", id().into())]),
    }
}

/// Renamings put the parent's id before its title.
fn parent_id_first([title, id, kind]: [(&str, Json); 3]) -> [(&str, Json); 3] {
    [id, title, kind]
}

/// What the editor can do with a file of this extension; all of it for text documents, nothing for the others.
fn accessibility(event: &Event) -> Json {
    let document = event.texts.first().is_some_and(|title| title.ends_with(".docx"));
    Json::object([
        ("ImageView", false.into()),
        ("MediaView", false.into()),
        ("WebView", document.into()),
        ("WebEdit", document.into()),
        ("WebReview", document.into()),
        ("WebCustomFilterEditing", false.into()),
        ("WebRestrictedEditing", false.into()),
        ("WebComment", document.into()),
        ("CanConvert", false.into()),
        ("MustConvert", false.into()),
    ])
}
