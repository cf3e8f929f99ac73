//! The IP restrictions: the list, the switch, and the one operation that replaces both.
//!
//! Who is refused because of them is decided in `admission`.

use axum::http::{HeaderMap, header};

use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure, Output, Reply};
use super::{Change, Context, gates};
use crate::dotnet_ip;
use crate::json::Json;
use crate::scenario::{Restriction, Scenario};
use crate::version::Ability;

/// The hash of nothing, whatever the list holds; it is no legal `ETag` either.
const ETAG: &str = "W/D41D8CD98F00B204E9800998ECF8427E";
/// Only for conditional GET.
const CACHE: &str = "private, no-cache";
/// The column's length.
const MAX_LENGTH: usize = 50;
/// The portal's number in its installation.
pub(super) const TENANT: i32 = 2;
/// The audit event of a change.
const CHANGED: i32 = 6094;

static ENTRY: Class =
    Class { members: &[("ip", Shape::Text), ("forAdmin", Shape::Bool { nullable: false })], required: &["ip"] };
static ENTRY_SHAPE: Shape = Shape::Object(&ENTRY);
static BODY: Class = Class {
    members: &[("ipRestrictions", Shape::List { item: &ENTRY_SHAPE }), ("enable", Shape::Bool { nullable: true })],
    required: &["ipRestrictions"],
};
static BODY_SHAPE: Shape = Shape::Object(&BODY);
/// What old portals take for the switch.
static SWITCH_SHAPE: Shape =
    Shape::Object(&Class { members: &[("enable", Shape::Bool { nullable: false })], required: &[] });

/// `GET settings/iprestrictions`
pub(super) fn list(context: &Context<'_>) -> Result<Output, Failure> {
    context.caller.demand_admin()?;
    gates::database(context.scenario)?;
    let entries = &context.scenario.condition.restrictions.entries;
    if entries.iter().any(|entry| dotnet_ip::parse(&entry.ip).is_none()) {
        let message = "An invalid IP address was specified.";
        return Err(Failure::exception(500, message, "System.FormatException", -2_146_233_033));
    }
    let conditional = context.scenario.can(Ability::ConditionalRestrictions);
    if conditional && says(context.headers, header::IF_NONE_MATCH, ETAG) {
        return Ok(Reply::not_modified().into());
    }
    let rows = entries.iter().map(|entry| {
        Json::object([
            ("id", entry.id.into()),
            ("tenantId", TENANT.into()),
            ("ip", entry.ip.as_str().into()),
            ("forAdmin", entry.for_admin.into()),
        ])
    });
    let answer = Answer::list(rows.collect());
    if !conditional {
        return Ok(answer.into());
    }
    Ok(answer.with_header("etag", ETAG).and_header("cache-control", CACHE))
}

/// `GET settings/iprestrictions/settings`
pub(super) fn switch(context: &Context<'_>) -> Result<Output, Failure> {
    context.caller.demand_admin()?;
    gates::database(context.scenario)?;
    let restrictions = &context.scenario.condition.restrictions;
    let changed = restrictions.changed.unwrap_or(context.scenario.now);
    // month first, no zone: not an HTTP date
    let modified = changed.format("%m/%d/%Y %H:%M:%S").to_string();
    let conditional = context.scenario.can(Ability::ConditionalRestrictions);
    if conditional && says(context.headers, header::IF_MODIFIED_SINCE, &modified) {
        return Ok(Reply::not_modified().into());
    }
    let answer = Answer::one(Json::object([
        ("enable", restrictions.enabled.into()),
        ("lastModified", changed.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string().into()),
    ]));
    if !conditional {
        return Ok(answer.into());
    }
    Ok(answer.with_header("last-modified", &modified).and_header("cache-control", CACHE))
}

/// Whether a header has exactly this text; no list, quotes or star is understood.
fn says(headers: &HeaderMap, name: header::HeaderName, text: &str) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes() == text.as_bytes())
}

/// `PUT settings/iprestrictions`: replaces the list and the switch; on old portals the list only.
pub(super) fn put_list(change: &mut Change<'_>) -> Result<Output, Failure> {
    if change.scenario.can(Ability::ReplaceRestrictionsWhole) {
        return replace(change);
    }
    let body = read(change, &BODY_SHAPE)?;
    let entries = checked(change, &body)?;
    let echo = entries.iter().map(echoed).collect();
    remember(change.scenario);
    save_entries(change.scenario, entries);
    Ok(Answer::list(echo).into())
}

/// `PUT settings/iprestrictions/settings`: the same as the other one; on old portals the switch only, unguarded.
pub(super) fn put_switch(change: &mut Change<'_>) -> Result<Output, Failure> {
    if change.scenario.can(Ability::ReplaceRestrictionsWhole) {
        return replace(change);
    }
    let body = read(change, &SWITCH_SHAPE)?;
    gates::database(change.scenario)?;
    let enable = body.get("enable").bool().unwrap_or_default();
    remember(change.scenario);
    save_switch(change.scenario, enable);
    Ok(Answer::one(Json::object([("enable", enable.into())])).into())
}

/// Replaces the list and the switch.
fn replace(change: &mut Change<'_>) -> Result<Output, Failure> {
    let body = read(change, &BODY_SHAPE)?;
    let enable = body.get("enable").bool();
    if enable == Some(true) && body.get("ipRestrictions").items().is_empty() {
        return Err(argument("Add at least 1 allowed IP address."));
    }
    let entries = checked(change, &body)?;
    let echo = entries.iter().map(echoed).collect();
    // leaving the switch out turns it on, unless there is nothing to restrict to
    let enabled = enable.unwrap_or(!entries.is_empty());
    remember(change.scenario);
    save_entries(change.scenario, entries);
    save_switch(change.scenario, enabled);
    if change.scenario.can(Ability::RestrictionsAudited) {
        change.write_row(CHANGED, |event| event);
    }
    Ok(Answer::one(Json::object([("ipRestrictions", Json::List(echo)), ("enable", enable.into())])).into())
}

/// The body, of a caller who may send it.
fn read(change: &Change<'_>, shape: &'static Shape) -> Result<Value, Failure> {
    let mut binder = Binder::new(change.query);
    let body = binder.json(change.body, shape, "");
    binder.done()?;
    change.context().caller.demand_admin()?;
    Ok(body)
}

/// The entries of a body that the portal can store.
fn checked(change: &Change<'_>, body: &Value) -> Result<Vec<(String, bool)>, Failure> {
    let mut entries = Vec::new();
    for entry in body.get("ipRestrictions").items() {
        if *entry == Value::Null {
            return Err(Failure::null_reference());
        }
        let ip = entry.get("ip").text().filter(|ip| dotnet_ip::parse(ip).is_some());
        let ip = ip.ok_or_else(|| argument("IpRestrictions"))?;
        entries.push((ip.to_owned(), entry.get("forAdmin").bool().unwrap_or_default()));
    }
    gates::database(change.scenario)?;
    if entries.iter().any(|(ip, _)| ip.encode_utf16().count() > MAX_LENGTH) {
        let message = format!("The field Ip must be a string or array type with a maximum length of '{MAX_LENGTH}'.");
        return Err(argument(&message));
    }
    Ok(entries)
}

fn echoed((ip, for_admin): &(String, bool)) -> Json {
    Json::object([("ip", ip.as_str().into()), ("forAdmin", (*for_admin).into())])
}

/// Keeps what is about to change, for processes that learn of it late.
fn remember(scenario: &mut Scenario) {
    let restrictions = &mut scenario.condition.restrictions;
    restrictions.earlier.push((restrictions.entries.clone(), restrictions.enabled));
}

fn save_entries(scenario: &mut Scenario, entries: Vec<(String, bool)>) {
    let restrictions = &mut scenario.condition.restrictions;
    restrictions.entries.clear();
    for (ip, for_admin) in entries {
        restrictions.last_id += 1;
        restrictions.entries.push(Restriction { id: restrictions.last_id, ip, for_admin });
    }
}

fn save_switch(scenario: &mut Scenario, enabled: bool) {
    let now = scenario.now;
    let restrictions = &mut scenario.condition.restrictions;
    if !restrictions.switch_is_stuck {
        restrictions.enabled = enabled;
        restrictions.changed = Some(now);
    }
}

fn argument(message: &str) -> Failure {
    Failure::exception(400, message, "System.ArgumentException", -2_147_024_809)
}
