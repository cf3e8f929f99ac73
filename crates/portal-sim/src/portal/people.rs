//! Single people.

use uuid::Uuid;

use super::Context;
use super::person_shape::{full, user_name};
use super::reply::{Answer, Failure};
use crate::scenario::{Person, PersonKind, Scenario};

/// `GET people/@self`
pub(super) fn own(context: &Context<'_>) -> Result<Answer, Failure> {
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    Ok(Answer::one(full(context, person, true)))
}

/// `GET people/{userid}`, by id or user name. Administrators and room administrators see everybody, others themselves.
pub(super) fn one(context: &Context<'_>, name: &str) -> Result<Answer, Failure> {
    let caller = caller(context)?;
    let person = by_name(context.scenario, name).ok_or_else(|| Failure::not_found("The user could not be found"))?;
    if person.id != caller.id && matches!(caller.kind, PersonKind::User | PersonKind::Guest) {
        return Err(Failure::security());
    }
    Ok(Answer::one(full(context, person, false)))
}

/// The account by user name, or by id in any form.
pub(super) fn by_name<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a Person> {
    let by_id = || Uuid::try_parse(name).ok().and_then(|id| scenario.person(id));
    scenario.people.iter().find(|person| user_name(person).eq_ignore_ascii_case(name)).or_else(by_id)
}

/// Who asks.
pub(super) fn caller<'a>(context: &Context<'a>) -> Result<&'a Person, Failure> {
    context.caller.person().ok_or(Failure::Empty(401))
}
