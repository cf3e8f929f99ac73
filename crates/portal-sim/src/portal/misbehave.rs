//! What a fault makes of an answer. Which requests it hits is in `fault`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Outcome;
use super::reply::{Echo, Failure, too_many};
use super::wire::Manner;
use crate::fault::{Effects, FaultKind};
use crate::limiter::Refusal;
use crate::scenario::{Scenario, TenantState};

/// What a fault hides for the length of one request.
pub(super) struct Real {
    audit: bool,
    tenant: TenantState,
    unpaid: bool,
}

/// Puts the portal into the state that the faults want; [`restore`] undoes it.
pub(super) fn pretend(scenario: &mut Scenario, effects: &Effects) -> Real {
    let real = Real { audit: scenario.audit, tenant: scenario.condition.tenant, unpaid: scenario.condition.unpaid };
    scenario.audit &= !effects.fallback;
    match effects.answer {
        Some(FaultKind::Suspended) => scenario.condition.tenant = TenantState::Suspended,
        Some(FaultKind::Unpaid) => scenario.condition.unpaid = true,
        _ => {}
    }
    real
}

pub(super) fn restore(scenario: &mut Scenario, real: Real) {
    scenario.audit = real.audit;
    scenario.condition.tenant = real.tenant;
    scenario.condition.unpaid = real.unpaid;
}

/// The answer of a fault that does not need to know the route's own.
pub(super) fn instead(kind: &FaultKind, echo: &Echo<'_>, now: DateTime<Utc>) -> Option<Outcome> {
    let limited = |limit, retry_after: Option<u32>| {
        Outcome::Reply(too_many(Refusal { limit, retry_after: retry_after.map(i64::from) }, now))
    };
    Some(match kind {
        FaultKind::Status { status, body } => Outcome::Reply(echo.fault(*status, *body)),
        // the day's limit is the one that says how long to wait
        FaultKind::TooManyRequests { retry_after } => {
            limited(if retry_after.is_some() { 10_000 } else { 1500 }, *retry_after)
        }
        FaultKind::Limited { by, retry_after } => limited(by.usual(), *retry_after),
        FaultKind::Reset => Outcome::Reset,
        _ => return None,
    })
}

/// How the body of the true answer travels.
pub(super) fn manner(kind: Option<&FaultKind>) -> Manner {
    match kind {
        Some(FaultKind::Truncated) => Manner::Truncated,
        Some(FaultKind::ResetInside) => Manner::ResetInside,
        Some(FaultKind::Slow { pieces, pause_ms }) => {
            Manner::Slow { pieces: *pieces, pause: Duration::from_millis(*pause_ms) }
        }
        _ => Manner::Whole,
    }
}

/// The 402 of a tariff whose seats are taken.
pub(super) fn no_seat() -> Failure {
    let message = "The number of users is at the limit of the current plan.";
    Failure::exception(402, message, "ASC.Core.Tenants.TenantQuotaException", -2_146_233_088)
}
