//! What the audit trail says about itself: names, mappers, lifetimes, and the reports.

use std::sync::LazyLock;

use serde::Deserialize;

use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Change, Context, gates};
use crate::actions::{self, ACTION_TYPES, ENTRY_TYPES, LOCATIONS, Names, PRODUCTS};
use crate::json::Json;
use crate::scenario::Event;

/// Names in the order of the portal's own declarations.
#[derive(Deserialize)]
struct Tables {
    actions: Vec<String>,
    mappers: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    product: String,
    module: String,
    actions: Vec<String>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/audit-names.json")).expect("the names in this crate are valid JSON")
});

/// The order of the products in the list of mappers.
const MAPPED_PRODUCTS: [&str; 4] = ["Documents", "Login", "Contacts", "Settings"];
/// Days that a lifetime may have.
const LIFETIMES: std::ops::RangeInclusive<i64> = 1..=180;
/// The audit events of a report about the audit trail, of one about logins, and of changed lifetimes.
const AUDIT_REPORT: i32 = 6028;
const LOGIN_REPORT: i32 = 6027;
const LIFETIMES_CHANGED: i32 = 6035;
/// The file that every report is written to.
const REPORT_FILE: i32 = 9550;

/// `GET security/audit/types`
pub(super) fn types(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    let names = |table: Names| Json::from(table.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    Ok(Answer::one(Json::object([
        ("actions", TABLES.actions.clone().into()),
        ("actionTypes", names(ACTION_TYPES)),
        ("productTypes", names(PRODUCTS)),
        ("moduleTypes", names(LOCATIONS)),
        ("entryTypes", names(ENTRY_TYPES)),
    ])))
}

/// `GET security/audit/mappers`: a product without the wanted module stays, with no modules.
pub(super) fn mappers(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let product = binder.named_or_empty("productType", "ProductType", PRODUCTS);
    let module = binder.named_or_empty("moduleType", "ModuleType", LOCATIONS);
    binder.done()?;
    context.caller.demand_admin()?;
    let number = |names: Names, name: &str| names.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    let products = MAPPED_PRODUCTS.iter().filter(|name| product.is_none() || number(PRODUCTS, name) == product);
    let rows = products.map(|name| {
        let modules = TABLES.mappers.iter().filter(|row| row.product == *name);
        let modules = modules.filter(|row| module.is_none() || number(LOCATIONS, &row.module) == module);
        Json::object([("productType", (*name).into()), ("modules", Json::List(modules.map(module_of).collect()))])
    });
    Ok(Answer::list(rows.collect()))
}

fn module_of(row: &Module) -> Json {
    let actions = row.actions.iter().map(|name| {
        let action = actions::id_of(name).and_then(actions::find);
        let none = "None";
        Json::object([
            ("messageAction", name.as_str().into()),
            ("actionType", action.and_then(|a| a.action_type_name()).unwrap_or(none).into()),
            ("entity", action.and_then(|a| a.entry_name()).unwrap_or(none).into()),
        ])
    });
    Json::object([("moduleType", row.module.as_str().into()), ("actions", Json::List(actions.collect()))])
}

/// `GET security/audit/settings/lifetime`
pub(super) fn lifetimes(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    let scenario = context.scenario;
    gates::base(scenario)?;
    gates::database(scenario)?;
    let condition = &scenario.condition;
    let saved = condition.lifetimes_saved.unwrap_or(scenario.now);
    Ok(Answer::one(Json::object([
        ("loginHistoryLifeTime", condition.login_lifetime.into()),
        ("auditTrailLifeTime", condition.audit_lifetime.into()),
        ("lastModified", saved.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
    ])))
}

static SETTINGS: Class = Class {
    name: "ASC.Core.Tenants.TenantAuditSettings",
    members: &[
        ("loginHistoryLifeTime", Shape::Int { bits: 32, nullable: false }),
        ("auditTrailLifeTime", Shape::Int { bits: 32, nullable: false }),
    ],
    required: &[],
};
static WRAPPER: Class = Class {
    name: "ASC.Core.Tenants.TenantAuditSettingsWrapper",
    members: &[("settings", Shape::Object(&SETTINGS))],
    required: &[],
};
static WRAPPER_SHAPE: Shape = Shape::Object(&WRAPPER);

/// `POST security/audit/settings/lifetime`
pub(super) fn change_lifetimes(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let body = binder.json(change.body, &WRAPPER_SHAPE, "");
    binder.done()?;
    change.context().caller.demand_admin()?;
    gates::full(change.scenario)?;
    let settings = body.get("settings");
    if *settings == Value::Null {
        return Err(Failure::null_reference());
    }
    let days = |member: &str, name: &str| {
        let days = settings.get(member).int().unwrap_or_default();
        let days = i32::try_from(days).ok().filter(|days| LIFETIMES.contains(&i64::from(*days)));
        days.ok_or_else(|| Failure::exception(400, name, "System.ArgumentException", -2_147_024_809))
    };
    let login = days("loginHistoryLifeTime", "LoginHistoryLifeTime")?;
    let audit = days("auditTrailLifeTime", "AuditTrailLifeTime")?;
    let now = change.scenario.now;
    let condition = &mut change.scenario.condition;
    condition.login_lifetime = login;
    condition.audit_lifetime = audit;
    condition.lifetimes_saved = Some(now);
    record(change, LIFETIMES_CHANGED);
    Ok(Answer::one(Json::object([("loginHistoryLifeTime", login.into()), ("auditTrailLifeTime", audit.into())])))
}

/// `POST security/audit/events/report`
pub(super) fn audit_report(change: &mut Change<'_>) -> Result<Answer, Failure> {
    report(change, AUDIT_REPORT)
}

/// `POST security/audit/login/report`
pub(super) fn login_report(change: &mut Change<'_>) -> Result<Answer, Failure> {
    report(change, LOGIN_REPORT)
}

/// The address of the file with the report; the file itself is not written.
fn report(change: &mut Change<'_>, action: i32) -> Result<Answer, Failure> {
    change.context().caller.demand_admin()?;
    gates::full(change.scenario)?;
    gates::database(change.scenario)?;
    record(change, action);
    Ok(Answer::one(report_address(change.base).into()))
}

/// Where a report can be opened.
pub(super) fn report_address(base: &str) -> String {
    format!("{base}/doceditor?fileId={REPORT_FILE}&options={{\"codePage\":65001}}")
}

fn record(change: &mut Change<'_>, action: i32) {
    let actor = change.caller.as_ref().map(|(person, _)| person.id).unwrap_or_default();
    let event = Event::new(action, actor, change.scenario.now);
    change.scenario.add_event(event);
}
