//! The list of API keys, and how a key is shown.

use chrono::Duration;
use uuid::Uuid;

use super::Context;
use super::auth::Caller;
use super::people::caller;
use super::person_shape::{JOINED_DAYS, short};
use super::reply::{Answer, Failure};
use crate::dates;
use crate::json::Json;
use crate::scenario::{Key, Person};

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
    let scenario = context.scenario;
    let postfix = key.key.get(key.key.len().saturating_sub(4)..).unwrap_or_default();
    let date = |at| dates::write_other(at, scenario.zone);
    Json::object([
        ("id", id(key).to_string().into()),
        ("name", "simulated".into()),
        ("key", format!("sk-***{postfix}").into()),
        ("keyPostfix", postfix.into()),
        ("permissions", key.scopes.clone().into()),
        ("lastUsed", key.used.map(date).into()),
        ("createOn", date(scenario.now - Duration::days(JOINED_DAYS)).into()),
        ("createBy", short(context.base, person)),
        ("expiresAt", key.expires.map(date).into()),
        ("isActive", key.active.into()),
    ])
}

/// `GET keys/@self`
pub(super) fn own(context: &Context<'_>) -> Result<Answer, Failure> {
    let Caller::Person { person, key } = context.caller else { return Err(Failure::Empty(401)) };
    Ok(Answer::one(object(context, person, key)))
}

/// `GET keys`: an administrator's answer lists everybody's; newest first.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let person = caller(context)?;
    let keys = context.scenario.keys.iter().rev().filter(|key| person.kind.is_admin() || key.person == person.id);
    let rows = keys.filter_map(|key| Some(object(context, context.scenario.person(key.person)?, key)));
    Ok(Answer::one(Json::List(rows.collect())))
}
