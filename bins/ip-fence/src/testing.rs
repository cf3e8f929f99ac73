//! People, policies and rows for the tests of this program.

use ::report::words::Clock;
use audit_model::{ActionId, Person, PersonStatus, PortalRole, PortalText};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Account, Directory};
use uuid::Uuid;

use crate::policy::{Policy, parse};
use crate::rule::Rulebook;
use crate::rule::found::Case;
use crate::rule::sighting::{Sighting, Source};
use crate::rule::then::Then;

pub(crate) const OLGA: Uuid = Uuid::from_u128(1);
pub(crate) const ANNA: Uuid = Uuid::from_u128(2);
pub(crate) const BOB: Uuid = Uuid::from_u128(3);
pub(crate) const GIL: Uuid = Uuid::from_u128(4);
pub(crate) const HANA: Uuid = Uuid::from_u128(5);

/// An owner, an admin, a user, somebody disabled, a guest.
pub(crate) fn directory() -> Directory {
    let people = [
        (OLGA, "olga", PortalRole::Owner, PersonStatus::Active),
        (ANNA, "anna", PortalRole::DocspaceAdmin, PersonStatus::Active),
        (BOB, "bob", PortalRole::User, PersonStatus::Active),
        (GIL, "gil", PortalRole::User, PersonStatus::Disabled),
        (HANA, "hana", PortalRole::Guest, PersonStatus::Active),
    ];
    let account = |(id, name, role, status): (Uuid, &str, PortalRole, PersonStatus)| {
        let email = Some(PortalText::new(format!("{name}@example.com")));
        let person = Person { email, role: Some(role), status: Some(status), ..Person::named(id, name.into()) };
        Account { person, is_ldap: false, is_sso: false, culture: None }
    };
    people.into_iter().map(account).collect()
}

/// A policy that allows these entries to olga, anna and bob.
pub(crate) fn policy(entries: &[&str]) -> Policy {
    policy_of(&format!(
        "default = \"report\"\n[[rule]]\nlabel = \"office\"\npeople = [\"olga@example.com\", \"anna@example.com\", \"bob@example.com\"]\nallow = {entries:?}\n"
    ))
}

pub(crate) fn policy_of(text: &str) -> Policy {
    Policy::resolve(parse(text).unwrap(), &directory(), None, now().date_naive(), false).unwrap()
}

/// A rulebook for everybody on a public portal, who are what they always were.
pub(crate) fn book<'a>(policy: &'a Policy, directory: &'a Directory, then: &'a Then) -> Rulebook<'a> {
    let clock = Clock(chrono_tz::Tz::Europe__Berlin);
    Rulebook { policy, directory, then, service_accounts: &[], is_public: true, only: None, clock }
}

pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// The same findings, each of whose reasons is said in German, too.
pub(crate) fn spoken(found: Vec<Case>) -> Vec<Case> {
    let reasons = || found.iter().flat_map(|found| &found.finding.reasons);
    assert_eq!(audit_model::testing::untranslated(reasons()), [""; 0]);
    found
}

/// A row so many seconds before now.
fn row(source: Source, user: Uuid, action: i32, ip: &str, seconds: i64) -> Sighting {
    Sighting {
        source,
        // later rows have higher ids
        id: 1_000_000 - seconds,
        at: now() - TimeDelta::seconds(seconds),
        user,
        user_name: "somebody".into(),
        login: None,
        action: ActionId(action),
        text: None,
        ip: (!ip.is_empty()).then(|| ip.into()),
        ip_was_set: false,
        country: None,
        city: None,
        browser: None,
        platform: None,
        targets: Vec::new(),
    }
}

pub(crate) fn login(user: Uuid, ip: &str, seconds: i64) -> Sighting {
    row(Source::Logins, user, 1029, ip, seconds)
}

pub(crate) fn act(user: Uuid, ip: &str, seconds: i64) -> Sighting {
    row(Source::Audit, user, 5009, ip, seconds)
}

pub(crate) fn failed(typed: &str, ip: &str, seconds: i64) -> Sighting {
    Sighting { login: Some(typed.into()), ..row(Source::Logins, audit_model::GUEST_ACCOUNT, 1013, ip, seconds) }
}
