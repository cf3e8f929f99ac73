//! What the portal says about itself: settings, version, quota.

use chrono::Offset as _;
use uuid::Uuid;

use super::Context;
use super::reply::{Answer, Failure};
use crate::json::{Json, length};
use crate::scenario::{PersonKind, TenantState};
use crate::version::Ability;

/// `GET settings`: a signed-in caller learns the time zone, anybody else does not.
pub(super) fn portal(context: &Context<'_>) -> Result<Answer, Failure> {
    let scenario = context.scenario;
    let known = context.caller.person().is_some();
    let zone = scenario.now.with_timezone(&scenario.zone).offset().fix().local_minus_utc();
    let zone = if known { zone } else { 0 };
    let sign = if zone < 0 { "-" } else { "" };
    let owner = if known { scenario.owner().id } else { Uuid::nil() };
    Ok(Answer::one(Json::object([
        ("timezone", known.then(|| scenario.condition.zone_name.as_deref().unwrap_or(scenario.zone.name())).into()),
        ("trustedDomains", known.then(Vec::<String>::new).into()),
        ("trustedDomainsType", 0.into()),
        ("culture", "en-US".into()),
        ("utcOffset", format!("{sign}{:02}:{:02}:00", zone.abs() / 3600, zone.abs() / 60 % 60).into()),
        // whole hours only: fractions such as Newfoundland's are not written here
        ("utcHoursOffset", (zone / 3600).into()),
        ("greetingSettings", "Simulated portal".into()),
        ("ownerId", owner.to_string().into()),
        ("nameSchemaId", known.then_some("Common").into()),
        ("docSpace", true.into()),
        ("standalone", scenario.standalone.into()),
        ("baseDomain", "example.com".into()),
        ("version", scenario.version.as_str().into()),
        ("tenantStatus", tenant_status(scenario.condition.tenant).into()),
        ("tenantAlias", "simulated".into()),
    ])))
}

/// `GET files/settings`: only what uploads depend on.
pub(super) fn files(context: &Context<'_>) -> Result<Answer, Failure> {
    let chunk = i64::try_from(context.scenario.content.quota.chunk).unwrap_or(i64::MAX);
    Ok(Answer::one(Json::object([("chunkUploadSize", chunk.into())])))
}

/// `GET settings/version/build`
pub(super) fn build(context: &Context<'_>) -> Result<Answer, Failure> {
    Ok(Answer::one(Json::object([
        ("docSpace", context.scenario.version.as_str().into()),
        ("documentServer", "9.0.4".into()),
    ])))
}

/// `GET portal`: only the number, which everybody is told.
pub(super) fn tenant(_context: &Context<'_>) -> Result<Answer, Failure> {
    Ok(Answer::one(Json::object([("tenantId", super::restrictions::TENANT.into())])))
}

/// `GET portal/quota`: for administrators, on older portals for all but guests; `audit` tells whether the audit filters are obeyed.
pub(super) fn quota(context: &Context<'_>) -> Result<Answer, Failure> {
    let kind = context.caller.person().map(|person| person.kind);
    if context.scenario.can(Ability::QuotaForAdministrators) || kind == Some(PersonKind::Guest) {
        context.caller.demand_admin()?;
    }
    let audit = context.scenario.audit;
    let features = if audit { "audit,ldap,sso,customization,thirdparty,restore,oauth" } else { "thirdparty,oauth" };
    let quota = context.scenario.content.quota;
    let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let many = i64::from(i32::MAX);
    Ok(Answer::one(Json::object([
        ("tenantId", (-2).into()),
        ("name", (if audit { "admin" } else { "startup" }).into()),
        ("price", (if audit { 15 } else { 0 }).into()),
        ("productId", audit.then_some("1002").into()),
        ("visible", false.into()),
        ("wallet", false.into()),
        ("features", features.into()),
        ("maxFileSize", bytes(quota.file_size).into()),
        ("maxTotalSize", bytes(if kind == Some(PersonKind::User) { 0 } else { quota.space }).into()),
        ("countUser", length(quota.free_seats).into()),
        ("countRoomAdmin", length(quota.paid_seats).into()),
        ("usersInRoom", many.into()),
        ("countRoom", length(quota.rooms).into()),
        ("nonProfit", false.into()),
        ("trial", false.into()),
        ("free", (!audit).into()),
        ("update", false.into()),
        ("audit", audit.into()),
        ("docsEdition", false.into()),
        ("ldap", audit.into()),
        ("sso", audit.into()),
        ("statistic", false.into()),
        ("branding", false.into()),
        ("customization", audit.into()),
        ("lifetime", false.into()),
        ("automationApi", false.into()),
        ("custom", false.into()),
        ("restore", audit.into()),
        ("oauth", true.into()),
        ("contentSearch", false.into()),
        ("thirdParty", true.into()),
        ("year", false.into()),
        ("countFreeBackup", 0.into()),
        ("backup", false.into()),
        ("countAIAgent", 0.into()),
        ("aiTools", false.into()),
    ])))
}

/// The portal's number for its state.
fn tenant_status(state: TenantState) -> i32 {
    match state {
        TenantState::Active | TenantState::Unknown => 0,
        TenantState::Suspended => 1,
        TenantState::Restoring => 4,
    }
}
