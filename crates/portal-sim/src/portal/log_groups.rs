//! A page of an activity log in groups: the highest id of each on top, the others in its `related`.

use std::cmp::Reverse;

use chrono::{DateTime, Timelike as _, Utc};
use uuid::Uuid;

use super::Context;
use super::log_data::LogRow;
use super::reply::Failure;
use crate::actions;
use crate::dates;
use crate::json::Json;

/// What the rows of a group have in common.
#[derive(PartialEq)]
enum Key {
    /// Done by one person within one minute, with the same folders where folders play a part.
    Act { action: i32, actor: Uuid, minute: DateTime<Utc>, parent: Option<i64>, folders: Option<(String, Option<i64>)> },
    /// Positions changed at one go, whoever did it and whenever.
    Batch(String),
    /// Positions changed one by one: all that have the same place stored with them.
    Index { action: i32, place: String },
}

/// The items of a page whose rows come by falling id. Rows that nobody interprets are left out.
pub(super) fn items(context: &Context<'_>, rows: &[LogRow<'_>]) -> Result<Vec<Json>, Failure> {
    let mut groups: Vec<(Option<Key>, Vec<Json>, &LogRow<'_>)> = Vec::new();
    for row in rows {
        let Some(item) = item(context, row)? else { continue };
        let key = key(row);
        match groups.iter_mut().find(|(known, ..)| key.is_some() && *known == key) {
            Some((_, items, _)) => items.push(item),
            None => groups.push((key, vec![item], row)),
        }
    }
    // sorted by the date that the reader sees, which in the spring hour is not the true one
    let zone = context.scenario.zone;
    groups.sort_by_key(|(_, _, top)| Reverse((dates::reported_other(top.event.at, zone), top.event.id)));
    let items = groups.into_iter().map(|(_, items, _)| {
        let mut items = items.into_iter();
        let top = items.next().unwrap_or(Json::Absent);
        top.and([("related", Json::List(items.collect()))])
    });
    Ok(items.collect())
}

fn key(row: &LogRow<'_>) -> Option<Key> {
    let action = row.action;
    if matches!(action, 5107 | 5111) {
        let batch = row.info.get("BatchId").and_then(serde_json::Value::as_str);
        return Some(match batch {
            Some(batch) => Key::Batch(batch.to_owned()),
            None => Key::Index { action, place: row.info_text.clone() },
        });
    }
    let (parent, folders) = match action {
        5011 | 5035 => (Some(row.parent()), None),
        5013 | 5015 | 5022 | 5024 => (None, Some((row.destination()?.to_owned(), row.source()))),
        5018 | 5027 | 5085 | 5094 | 5118 => (None, None),
        _ => return None,
    };
    let minute = row.event.at.with_second(0).and_then(|at| at.with_nanosecond(0))?;
    Some(Key::Act { action, actor: row.event.actor, minute, parent, folders })
}

fn item(context: &Context<'_>, row: &LogRow<'_>) -> Result<Option<Json>, Failure> {
    let Some(data) = row.data(context)? else { return Ok(None) };
    let key = actions::find(row.action).map_or("", |action| action.name.as_str());
    Ok(Some(Json::object([
        ("id", row.event.id.into()),
        ("action", Json::object([("id", row.action.into()), ("key", key.into())])),
        ("initiator", row.initiator(context)),
        ("date", dates::write_other(row.event.at, context.scenario.zone).into()),
        ("data", data),
    ])))
}
