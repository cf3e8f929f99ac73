//! What the portal says about itself to those who are signed in: tariff, tenant, head count, sessions.

use chrono::Duration;
use uuid::Uuid;

use super::Context;
use super::people::caller;
use super::reply::{Answer, Failure};
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::PersonKind;

/// The portal's number in its installation.
pub(super) const TENANT: i32 = 2;
/// The plan that every simulated portal with the audit feature is on, as the quota names it.
const PLAN: i32 = -2;
/// Days until the plan is due.
const DUE_DAYS: i64 = 30;
/// A date that was never set.
const UNSET: &str = "0001-01-01T00:00:00";

/// `GET portal/tariff`: ordinary people learn its state, room administrators the date too, administrators all of it.
/// The free plan is "paid" as well.
pub(super) fn tariff(context: &Context<'_>) -> Result<Answer, Failure> {
    let (scenario, kind) = (context.scenario, caller(context)?.kind);
    let admin = kind.is_admin();
    let due = scenario.audit && (admin || kind == PersonKind::RoomAdmin);
    let due = due.then(|| dates::write_other(scenario.now + Duration::days(DUE_DAYS), scenario.zone));
    let quota = Json::object([("id", PLAN.into()), ("quantity", 1.into()), ("wallet", false.into())]);
    Ok(Answer::one(Json::object([
        ("openSource", admin.then_some(false).into()),
        ("enterprise", admin.then_some(scenario.standalone).into()),
        ("developer", admin.then_some(false).into()),
        ("id", i32::from(admin).into()),
        ("state", (if scenario.condition.unpaid { 3 } else { 1 }).into()),
        ("dueDate", due.into()),
        ("quotas", admin.then(|| Json::List(vec![quota])).into()),
    ])))
}

/// `GET portal`: only administrators learn more than the portal's number.
pub(super) fn portal(context: &Context<'_>) -> Result<Answer, Failure> {
    let scenario = context.scenario;
    let admin = caller(context)?.kind.is_admin();
    let owner = if admin { scenario.owner().id } else { Uuid::nil() };
    Ok(Answer::one(Json::object([
        ("tenantAlias", admin.then_some("simulated").into()),
        ("calls", false.into()),
        ("creationDateTime", UNSET.into()),
        ("tenantId", TENANT.into()),
        ("industry", 0.into()),
        ("language", admin.then_some("en-US").into()),
        ("lastModified", UNSET.into()),
        ("name", admin.then_some("Simulated portal").into()),
        ("ownerId", owner.to_string().into()),
        ("spam", false.into()),
        ("status", 0.into()),
        ("statusChangeDate", UNSET.into()),
        ("timeZone", admin.then(|| scenario.zone.name()).into()),
        ("trustedDomainsType", 0.into()),
        ("version", 0.into()),
        ("versionChanged", UNSET.into()),
    ])))
}

/// `GET portal/userscount`: active people, for administrators.
pub(super) fn user_count(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    let active = context.scenario.people.iter().filter(|person| person.status == 1).count();
    Ok(Answer::one(length(active).into()))
}

/// `GET security/activeconnections`: the caller's own sessions; a key has none.
pub(super) fn sessions(context: &Context<'_>) -> Result<Answer, Failure> {
    caller(context)?;
    Ok(Answer::one(Json::object([("loginEvent", 0.into()), ("items", Json::List(Vec::new()))])))
}
