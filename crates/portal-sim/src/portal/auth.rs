//! Who asks, and whether their key reaches a route: keys, scopes, anonymous routes.
//!
//! What a person may do inside a route is that route's business.

use crate::portal::reply::Failure;
use crate::portal::route::Method;
use crate::scenario::{Key, Person, Scenario};

/// Which scopes a route asks for; verbs other than GET want the `write` ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any live key.
    Nothing,
    /// `*:read` or `*:write`.
    Global,
    /// The same, or `AREA:read` or `AREA:write`.
    Area(&'static str),
    /// Any credential or none: a bad one counts as none.
    Anybody,
    /// A global one, or exactly `AREA:read`, as reading groups does.
    ReadOnly(&'static str),
}

/// A caller who may use the route.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// Nobody signed in; only on anonymous routes.
    Anonymous,
    /// The owner of the key.
    Person { person: &'a Person, key: &'a Key },
}

impl<'a> Caller<'a> {
    /// The account that asks.
    pub(crate) fn person(self) -> Option<&'a Person> {
        match self {
            Caller::Anonymous => None,
            Caller::Person { person, .. } => Some(person),
        }
    }

    /// The account and the key, to keep while the portal changes.
    pub(crate) fn cloned(self) -> Option<(Person, Key)> {
        match self {
            Caller::Anonymous => None,
            Caller::Person { person, key } => Some((person.clone(), key.clone())),
        }
    }

    pub(crate) fn is_admin(self) -> bool {
        self.person().is_some_and(|person| person.kind.is_admin())
    }

    /// Security routes and the quota are for the owner and administrators.
    pub(crate) fn demand_admin(self) -> Result<(), Failure> {
        if self.is_admin() {
            return Ok(());
        }
        Err(Failure::access_denied("ASC.Common.Security.Authorizing.AuthorizingException", -2_146_233_088))
    }
}

/// Judges the `Authorization` header for a route and verb.
///
/// A dead key is 401 with an empty body, a missing scope 403 with an empty body; on anonymous routes both are bare
/// problem details. Without a key an anonymous route is open.
pub(super) fn authorize_for<'a>(
    scenario: &'a Scenario,
    header: Option<&str>,
    method: &Method,
) -> Result<Caller<'a>, Failure> {
    let anonymous = method.anonymous;
    let key = header.and_then(|header| header.trim().strip_prefix("Bearer ")).filter(|key| key.starts_with("sk-"));
    let Some(text) = key else {
        // no other credential is simulated, and an unknown one counts as none
        return if anonymous { Ok(Caller::Anonymous) } else { Err(Failure::Empty(401)) };
    };
    let found = live(scenario, text);
    if method.need == Need::Anybody {
        return Ok(found.map_or(Caller::Anonymous, |(person, key)| Caller::Person { person, key }));
    }
    let Some((person, key)) = found else {
        return Err(if anonymous { Failure::Problem(403) } else { Failure::Empty(401) });
    };
    if !reaches(key, method.need, method.verb == "GET") {
        return Err(if anonymous { Failure::Problem(403) } else { Failure::Empty(403) });
    }
    Ok(Caller::Person { person, key })
}

/// Whose credential this is, whatever the route.
pub(super) fn identify<'a>(scenario: &'a Scenario, header: Option<&str>) -> Caller<'a> {
    let text = header.and_then(|header| header.trim().strip_prefix("Bearer "));
    match text.and_then(|text| live(scenario, text)) {
        Some((person, key)) => Caller::Person { person, key },
        None => Caller::Anonymous,
    }
}

/// The key and its owner, if both are active and the key has not expired.
fn live<'a>(scenario: &'a Scenario, text: &str) -> Option<(&'a Person, &'a Key)> {
    let key = scenario.keys.iter().find(|key| key.key == text)?;
    let person = scenario.person(key.person)?;
    let alive = key.active && key.expires.is_none_or(|expires| expires > scenario.now) && person.status == 1;
    alive.then_some((person, key))
}

fn reaches(key: &Key, need: Need, reading: bool) -> bool {
    let has = |scope: &str| key.scopes.iter().any(|known| known == scope);
    let global = || key.scopes.is_empty() || has("*") || has("*:write") || (reading && has("*:read"));
    match need {
        Need::Nothing | Need::Anybody => true,
        Need::Global => global(),
        Need::Area(area) => global() || has(&format!("{area}:write")) || (reading && has(&format!("{area}:read"))),
        Need::ReadOnly(area) => global() || has(&format!("{area}:read")),
    }
}
