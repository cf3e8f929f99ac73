//! Who asks, and whether their key reaches a route: keys, scopes, anonymous routes.
//!
//! What a person may do inside a route is that route's business.

use crate::portal::method::{Method, Need};
use crate::portal::reply::Failure;
use crate::scenario::{Key, Person, Scenario};
use crate::version::Ability;

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
    let found = header.and_then(credential).and_then(|text| live(scenario, text));
    let strict = scenario.can(Ability::ScopesOnAnonymousRoutes);
    if method.need == Need::Anybody || (anonymous && !strict) {
        return Ok(found.map_or(Caller::Anonymous, |(person, key)| Caller::Person { person, key }));
    }
    let Some((person, key)) = found else {
        let is_key = header.and_then(credential).is_some_and(is_key);
        return match (anonymous, is_key) {
            (true, true) => Err(Failure::Problem(403)),
            // a dead token counts as none
            (true, false) => Ok(Caller::Anonymous),
            (false, _) => Err(Failure::Empty(401)),
        };
    };
    if !reaches(key, needed(scenario, method.need), method.verb == "GET") {
        return Err(if anonymous { Failure::Problem(403) } else { Failure::Empty(403) });
    }
    Ok(Caller::Person { person, key })
}

/// Whose credential this is, whatever the route.
pub(super) fn identify<'a>(scenario: &'a Scenario, header: Option<&str>) -> Caller<'a> {
    match header.and_then(credential).and_then(|text| live(scenario, text)) {
        Some((person, key)) => Caller::Person { person, key },
        None => Caller::Anonymous,
    }
}

/// Notes that a key was used, also where it does not open the portal because its person is disabled.
pub(super) fn note_use(scenario: &mut Scenario, header: Option<&str>) {
    let now = scenario.now;
    let Some(text) = header.and_then(credential) else { return };
    let known = |key: &&mut Key| key.key == text && key.is_alive(now);
    if let Some(key) = scenario.keys.iter_mut().find(known) {
        key.used = Some(now);
    }
}

/// The key or token in a header.
fn credential(header: &str) -> Option<&str> {
    header.trim().strip_prefix("Bearer ")
}

/// Keys are told from tokens by their beginning.
fn is_key(text: &str) -> bool {
    text.starts_with("sk-")
}

/// The key and its owner, if both are active and the key has not expired.
fn live<'a>(scenario: &'a Scenario, text: &str) -> Option<(&'a Person, &'a Key)> {
    let known = !is_key(text) || scenario.can(Ability::Keys);
    let key = scenario.keys.iter().find(|key| known && key.key == text)?;
    let person = scenario.person(key.person)?;
    (key.is_alive(scenario.now) && person.status == 1).then_some((person, key))
}

/// What a portal of this version asks for.
fn needed(scenario: &Scenario, need: Need) -> Need {
    match need {
        Need::Global | Need::Groups if !scenario.can(Ability::GlobalScopes) => Need::Nothing,
        Need::Groups if !scenario.can(Ability::GroupScopes) => Need::Global,
        Need::Keys if scenario.can(Ability::ScopesOnKeys) => Need::Global,
        Need::Keys => Need::Nothing,
        need => need,
    }
}

fn reaches(key: &Key, need: Need, reading: bool) -> bool {
    let has = |scope: &str| key.scopes.iter().any(|known| known == scope);
    let whole = key.scopes.is_empty() || !is_key(&key.key);
    let global = || whole || has("*") || has("*:write") || (reading && has("*:read"));
    match need {
        Need::Nothing | Need::Anybody => true,
        Need::Global | Need::Keys => global(),
        Need::Area(area) => global() || has(&format!("{area}:write")) || (reading && has(&format!("{area}:read"))),
        Need::Groups => global() || has(if reading { "accounts:read" } else { "accounts:write" }),
    }
}
