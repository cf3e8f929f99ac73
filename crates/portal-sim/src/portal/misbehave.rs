//! What a fault makes of an answer. Which requests it hits is in `fault`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Outcome;
use super::manner::Manner;
use super::reply::{self, Echo, too_many};
use crate::fault::{Effects, FaultKind, Remembered};
use crate::limiter::Refusal;
use crate::scenario::{Lateness, Quota, Restrictions, Scenario, TenantState};

/// What a fault hides for the length of one request.
pub(super) struct Real {
    audit: bool,
    tenant: TenantState,
    unpaid: bool,
    quota: Quota,
    lateness: Lateness,
    switch_is_stuck: bool,
    /// Where a read sees older ones.
    restrictions: Option<Restrictions>,
}

/// Puts the portal into the state that the faults want; [`restore`] undoes it.
pub(super) fn pretend(scenario: &mut Scenario, effects: &Effects) -> Real {
    let real = Real {
        audit: scenario.audit,
        tenant: scenario.condition.tenant,
        unpaid: scenario.condition.unpaid,
        quota: scenario.content.quota,
        lateness: scenario.content.lateness,
        switch_is_stuck: scenario.condition.restrictions.switch_is_stuck,
        restrictions: (!effects.stale.is_empty()).then(|| scenario.condition.restrictions.clone()),
    };
    scenario.audit &= !effects.fallback;
    let restrictions = &mut scenario.condition.restrictions;
    restrictions.switch_is_stuck |= effects.lost_switch;
    for (changes, what) in &effects.stale {
        let (entries, enabled) = restrictions.before(*changes);
        let entries = entries.to_vec();
        if *what != Some(Remembered::Switch) {
            restrictions.entries = entries;
        }
        if *what != Some(Remembered::List) {
            restrictions.enabled = enabled;
        }
    }
    if let Some(late) = effects.late {
        scenario.content.lateness = Lateness { shuffle: scenario.content.lateness.shuffle, ..late };
    }
    match effects.answer {
        Some(FaultKind::Suspended) => scenario.condition.tenant = TenantState::Suspended,
        Some(FaultKind::Unpaid) => scenario.condition.unpaid = true,
        Some(FaultKind::FullSeats) => {
            scenario.content.quota.paid_seats = 0;
            scenario.content.quota.free_seats = 0;
        }
        _ => {}
    }
    real
}

pub(super) fn restore(scenario: &mut Scenario, real: Real) {
    scenario.audit = real.audit;
    scenario.condition.tenant = real.tenant;
    scenario.condition.unpaid = real.unpaid;
    scenario.content.quota = real.quota;
    scenario.content.lateness = real.lateness;
    scenario.condition.restrictions.switch_is_stuck = real.switch_is_stuck;
    if let Some(restrictions) = real.restrictions {
        scenario.condition.restrictions = restrictions;
    }
}

/// The answer of a fault that does not need to know the route's own.
pub(super) fn instead(kind: &FaultKind, echo: &Echo<'_>, now: DateTime<Utc>) -> Option<Outcome> {
    let limited = |limit, retry_after: Option<u32>| {
        Outcome::Reply(too_many(Refusal { limit, retry_after: retry_after.map(i64::from) }, now))
    };
    Some(match kind {
        FaultKind::Status { status, body } => Outcome::Reply(echo.fault(*status, *body)),
        FaultKind::Exception { status, class, message } => {
            Outcome::Reply(reply::error(*status, message, class.as_str().into(), "   at Portal.Simulated()".into(), 0))
        }
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
