//! One row of the audit trail, as an object.
//!
//! The row's members and their order are the portal's; what is stored comes from the scenario.

use super::reply::Failure;
use super::{audit_text, shown_ip};
use crate::actions;
use crate::dates;
use crate::json::Json;
use crate::scenario::{Event, GUEST, SYSTEM, Scenario, Stored};

/// Whether the sentence of this action is made in a way of its own.
pub(super) fn is_special(action: i32) -> bool {
    audit_text::QUOTAS.contains(&action) || audit_text::OAUTH.contains(&action)
}

/// One row, or the failure that the whole page dies of.
pub(super) fn row(scenario: &Scenario, event: &Event, shorten: bool) -> Result<Json, Failure> {
    let action = actions::find(event.action).filter(|a| a.is_mapped()).ok_or_else(Failure::null_reference)?;
    if event.poison {
        return Err(audit_text::unreadable("{x}"));
    }
    let Stored { description, target, ip, browser, platform, page, .. } = event.columns();
    let texts = audit_text::texts(description.as_deref());
    let texts = texts.as_deref();
    Ok(Json::object([
        ("id", event.id.into()),
        ("date", dates::write_event(event.at, scenario.zone).into()),
        ("user", actor_name(scenario, event).into()),
        ("userId", event.actor.to_string().into()),
        ("action", audit_text::sentence(action, texts, target.as_deref(), shorten)?.into()),
        ("actionId", event.action.into()),
        ("ip", ip.as_deref().map(shown_ip).into()),
        ("country", "".into()),
        ("city", "".into()),
        ("browser", browser.into()),
        ("platform", platform.into()),
        ("page", page.into()),
        ("actionType", action.action_type().into()),
        ("product", action.product().into()),
        ("location", action.location().into()),
        ("target", target.filter(|ids| !ids.is_empty()).map(|ids| split(&ids)).into()),
        ("entries", action.entries().into()),
        ("context", audit_text::context(action, texts, &scenario.condition.words)?.into()),
    ]))
}

/// Ids as they stand between the commas, blanks and empty ones included.
fn split(ids: &str) -> Vec<String> {
    ids.split(',').map(str::to_owned).collect()
}

pub(super) fn actor_name(scenario: &Scenario, event: &Event) -> String {
    match (event.actor, scenario.person(event.actor)) {
        (_, Some(person)) => person.display_name(),
        (SYSTEM, None) => "System Account".to_owned(),
        (GUEST, None) => "Anonymous".to_owned(),
        _ => event.initiator.clone().unwrap_or_else(|| "Unknown Account".to_owned()),
    }
}
