//! Who may see the audit trail at all: the plan, the deployment's switch, a database that is down.

use super::reply::Failure;
use crate::scenario::Scenario;
use crate::version::Ability;

/// Whether the filters answer with the newest rows instead, on hosted and self-hosted portals alike.
pub(super) fn falls_back(scenario: &Scenario) -> bool {
    !scenario.audit || scenario.condition.history_hidden
}

/// The gate of the newest rows and of the lifetimes: it never looks at the plan.
pub(super) fn base(scenario: &Scenario) -> Result<(), Failure> {
    if scenario.standalone || !scenario.condition.history_hidden {
        return Ok(());
    }
    let message = "Your pricing plan does not support this option";
    let status = if scenario.can(Ability::BillingStatus) { 402 } else { 500 };
    Err(Failure::exception(status, message, "ASC.Core.Billing.BillingException", -2_146_233_088))
}

/// A database that is down is a 403 on PostgreSQL.
pub(super) fn database(scenario: &Scenario) -> Result<(), Failure> {
    if !scenario.condition.database_down {
        return Ok(());
    }
    let message = "An exception has been raised that is likely due to a transient failure.";
    Err(Failure::exception(403, message, "System.InvalidOperationException", -2_146_233_079))
}
