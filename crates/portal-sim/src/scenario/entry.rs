//! What the parts of a scenario file share: people and rooms by name, relative times, and why one of them is wrong.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::Scenario;
use super::model::{GUEST, Person, Room};
use crate::dates;

/// Every so many rows two neighbours swap their ids: on the portal id order is not date order either.
const SWAP_EVERY: usize = 17;

/// Stands in place of an address for people without an account, who come through a link.
const VISITOR: &str = "anonymous";

/// Why a scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not JSON, an unknown member, or a value of another type.
    #[error("the scenario is not valid; compare it with a file of fixtures/scenarios")]
    Syntax(#[source] serde_json::Error),
    /// `based_on` names no built-in scenario.
    #[error("`based_on` names no built-in scenario: {0:?}")]
    Base(String),
    /// The time zone is not known.
    #[error("`zone` is no IANA time zone: {0:?}")]
    Zone(String),
    /// A time that is not like `-3h12m`.
    #[error("not a time like -3h12m: {0:?}")]
    Time(String),
    /// An e-mail address that no person of the scenario has.
    #[error("no person of the scenario has the address {0:?}")]
    Person(String),
    /// Traffic that would never end or has nothing to choose from.
    #[error("traffic needs {0}")]
    Traffic(&'static str),
    /// An id that no room of the scenario has.
    #[error("the scenario has no room {0}")]
    Room(i32),
    /// A name that no group of the scenario has.
    #[error("the scenario has no group {0:?}")]
    Group(String),
}

/// Gives the rows their ids in the order of time, with a few neighbours swapped.
pub(super) fn number(scenario: &mut Scenario) {
    scenario.events.sort_by_key(|event| event.at);
    for (id, event) in (super::FIRST_EVENT_ID..).zip(&mut scenario.events) {
        event.id = id;
    }
    for pair in scenario.events.chunks_mut(SWAP_EVERY) {
        if let [first, second, ..] = pair {
            std::mem::swap(&mut first.id, &mut second.id);
        }
    }
    scenario.logins.sort_by_key(|login| login.at);
    for (id, login) in (super::FIRST_LOGIN_ID..).zip(&mut scenario.logins) {
        login.id = id;
    }
    scenario.recount();
}

/// The account with this address.
pub(super) fn person<'a>(scenario: &'a Scenario, email: &str) -> Result<&'a Person, ScenarioError> {
    scenario.person_by_email(email).ok_or_else(|| ScenarioError::Person(email.to_owned()))
}

/// The account that acts are booked on: a person's, or for [`VISITOR`] the one of everybody behind a link.
pub(super) fn actor(scenario: &Scenario, email: &str) -> Result<Uuid, ScenarioError> {
    if email == VISITOR { Ok(GUEST) } else { person(scenario, email).map(|person| person.id) }
}

/// The room with this id.
pub(super) fn room_of(scenario: &Scenario, id: i32) -> Result<&Room, ScenarioError> {
    scenario.room(id).ok_or(ScenarioError::Room(id))
}

/// The instant of a relative time.
pub(super) fn instant(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, ScenarioError> {
    Ok(now + length(text)?)
}

/// A length of time.
pub(super) fn length(text: &str) -> Result<Duration, ScenarioError> {
    dates::parse_relative(text).ok_or_else(|| ScenarioError::Time(text.to_owned()))
}
