//! API keys: listing, making, switching off, deleting.

use chrono::Duration;
use uuid::Uuid;

use super::files::read;
use super::json_body::{Class, Shape, Value};
use super::people::{JOINED_DAYS, caller, short};
use super::reply::{Answer, Failure};
use super::{Change, Context};
use crate::dates;
use crate::json::Json;
use crate::scenario::{Key, Person, PersonKind};

/// What a key may be restricted to.
const PERMISSIONS: &[&str] = &[
    "*",
    "*:read",
    "*:write",
    "accounts.self:read",
    "accounts.self:write",
    "accounts:read",
    "accounts:write",
    "files:read",
    "files:write",
    "rooms:read",
    "rooms:write",
];
/// The longest name.
const MAX_NAME: usize = 30;
/// The longest life, in days.
const MAX_DAYS: i64 = 365;

/// The id of a key: made from its text, so it is the same in every run.
fn id(key: &Key) -> Uuid {
    let digits: String = key.key.chars().filter(char::is_ascii_hexdigit).collect();
    let number = |part: &str| {
        part.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, byte| crate::scenario::mix(hash ^ u64::from(byte)))
    };
    Uuid::from_u64_pair(number(&digits), number(&format!("{digits}:{}", key.key)))
}

/// A key as the portal shows it: masked.
pub(super) fn object(context: &Context<'_>, person: &Person, key: &Key) -> Json {
    drawn(context, person, key, None)
}

fn drawn(context: &Context<'_>, person: &Person, key: &Key, clear: Option<&str>) -> Json {
    let scenario = context.scenario;
    let postfix = key.key.get(key.key.len().saturating_sub(4)..).unwrap_or_default();
    let date = |at| dates::write_other(at, scenario.zone);
    let made = scenario.content.key_names.get(&key.key);
    let created = made.map_or(scenario.now - Duration::days(JOINED_DAYS), |(_, at)| *at);
    Json::object([
        ("id", id(key).to_string().into()),
        ("name", made.map_or("simulated", |(name, _)| name.as_str()).into()),
        ("key", clear.map_or_else(|| format!("sk-***{postfix}"), str::to_owned).into()),
        ("keyPostfix", postfix.into()),
        ("permissions", key.scopes.clone().into()),
        ("lastUsed", key.used.map(date).into()),
        ("createOn", date(created).into()),
        ("createBy", short(context.base, person)),
        ("expiresAt", key.expires.map(date).into()),
        ("isActive", key.active.into()),
    ])
}

/// `GET keys`: an administrator's answer lists everybody's; newest first.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let person = caller(context)?;
    let keys = context.scenario.keys.iter().rev().filter(|key| person.kind.is_admin() || key.person == person.id);
    let rows = keys.filter_map(|key| Some(object(context, context.scenario.person(key.person)?, key)));
    Ok(Answer::one(Json::List(rows.collect())))
}

/// `GET keys/permissions`
pub(super) fn permissions(_: &Context<'_>) -> Result<Answer, Failure> {
    Ok(Answer::one(PERMISSIONS.to_vec().into()))
}

const SCOPES: Shape = Shape::List { class: "System.Collections.Generic.List`1[System.String]", item: &Shape::Text };
const CREATE: Shape = Shape::Object(&Class {
    name: "ASC.People.ApiModels.RequestDto.CreateApiKeyRequestDto",
    members: &[
        ("name", Shape::Text),
        ("permissions", SCOPES),
        ("expiresInDays", Shape::Int { bits: 32, nullable: true }),
    ],
    required: &["name"],
});

fn scopes(value: &Value) -> Result<Vec<String>, Failure> {
    let scopes: Vec<String> = value.items().iter().filter_map(Value::text).map(str::to_owned).collect();
    if scopes.iter().any(|scope| !PERMISSIONS.contains(&scope.as_str())) {
        return Err(Failure::argument("Permissions are not valid."));
    }
    Ok(if scopes.iter().any(|scope| scope == "*") { Vec::new() } else { scopes })
}

/// `POST keys`: the only answer that holds the key itself.
pub(super) fn create(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &CREATE, "", |binder, body| {
        match body.get("name") {
            Value::Null if body != &Value::Null => binder.error("Name", "The Name field is required.".to_owned()),
            Value::Text(name) if name.trim().is_empty() => {
                binder.error("Name", "The Name field is required.".to_owned());
            }
            Value::Text(name) if name.chars().count() > MAX_NAME => {
                binder.error("Name", "Incorrect name. Length must be less than 30".to_owned());
            }
            _ => {}
        }
        if body.get("expiresInDays").int().is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            binder.error("ExpiresInDays", format!("The field ExpiresInDays must be between 1 and {MAX_DAYS}."));
        }
    })?;
    let person = change.person()?;
    if person.kind == PersonKind::Guest {
        return Err(Failure::security());
    }
    let scopes = scopes(body.get("permissions"))?;
    let name = body.get("name").text().unwrap_or_default().to_owned();
    let digits: String = (0..2).map(|part| change.scenario.next_id(41 + part).simple().to_string()).collect();
    let now = change.scenario.now;
    let expires = body.get("expiresInDays").int().map(|days| now + Duration::days(days));
    let key = Key { key: format!("sk-{digits}"), scopes, expires, ..Key::of(&person) };
    change.scenario.keys.push(key.clone());
    change.scenario.content.key_names.insert(key.key.clone(), (name, now));
    row(change, 6058, &key);
    Ok(Answer::one(drawn(&change.context(), &person, &key, Some(&key.key))))
}

fn row(change: &mut Change<'_>, action: i32, key: &Key) {
    let name = change.scenario.content.key_names.get(&key.key).map_or("simulated", |(name, _)| name).to_owned();
    change.write_row(action, |mut event| {
        event.target = vec![id(key).to_string()];
        event.texts = vec![name];
        event
    });
}

/// The key, if the caller may touch it; an unknown one is one of the portal's null references.
fn touchable(change: &Change<'_>, wanted: Uuid) -> Result<Key, Failure> {
    let person = change.person()?;
    let key = change.scenario.keys.iter().find(|key| id(key) == wanted).ok_or_else(Failure::null_reference)?;
    if key.person == person.id || person.kind.is_admin() { Ok(key.clone()) } else { Err(Failure::security()) }
}

const UPDATE: Shape = Shape::Object(&Class {
    name: "ASC.People.ApiModels.RequestDto.UpdateApiKeyRequest",
    members: &[("name", Shape::Text), ("permissions", SCOPES), ("isActive", Shape::Bool { nullable: true })],
    required: &[],
});

/// `PUT keys/{keyId}`
pub(super) fn update(change: &mut Change<'_>, wanted: Uuid) -> Result<Answer, Failure> {
    let body = read(change, &UPDATE, "Changed", |binder, body| {
        if body.get("name").text().is_some_and(|name| name.chars().count() > MAX_NAME) {
            binder.error("Name", "Incorrect name. Length must be less than 30".to_owned());
        }
    })?;
    let key = touchable(change, wanted)?;
    let permissions = body.get("permissions");
    let scopes = if *permissions == Value::Null { None } else { Some(scopes(permissions)?) };
    let now = change.scenario.now;
    if let Some(name) = body.get("name").text() {
        change.scenario.content.key_names.insert(key.key.clone(), (name.to_owned(), now));
    }
    if let Some(known) = change.scenario.keys.iter_mut().find(|known| known.key == key.key) {
        known.active = body.get("isActive").bool().unwrap_or(known.active);
        known.scopes = scopes.unwrap_or_else(|| std::mem::take(&mut known.scopes));
    }
    row(change, 6059, &key);
    Ok(Answer::one(true.into()))
}

/// `DELETE keys/{keyId}`
pub(super) fn delete(change: &mut Change<'_>, wanted: Uuid) -> Result<Answer, Failure> {
    let key = touchable(change, wanted)?;
    change.scenario.keys.retain(|known| known.key != key.key);
    row(change, 6060, &key);
    Ok(Answer::one(true.into()))
}
