//! Disabling and enabling accounts of a simulated portal: one at a time, once, and read back.

use audit_model::{ActionId, PersonStatus, Window};
use docspace_client::{AccountSwitch, ErrorKind};
use portal_sim::{Fault, FaultKind, Key, Person, PersonKind, PortalSim, RequestLine, Scenario};
use uuid::Uuid;

use crate::common::client;

const ANNA: Uuid = Uuid::from_u128(0x1a2b_0000_0000_4000_8000_0000_0000_0001);
const BEN: Uuid = Uuid::from_u128(0x1a2b_0000_0000_4000_8000_0000_0000_0002);

fn portal() -> Scenario {
    let person = |id, email: &str| Person::new(email, "Anna", "Lind").id(id).kind(PersonKind::User);
    let empty = Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap());
    empty.with_person(person(ANNA, "anna@example.com")).with_person(person(BEN, "ben@example.com"))
}

fn puts(sim: &PortalSim) -> Vec<String> {
    let is_put = |request: &RequestLine| request.method == "PUT";
    sim.requests().into_iter().filter(is_put).map(|request| request.target).collect()
}

#[tokio::test]
async fn one_account_is_switched_off_and_on_and_the_trail_names_it() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let client = client(&sim, &sim.key());
    for (to, status) in
        [(AccountSwitch::Disabled, PersonStatus::Disabled), (AccountSwitch::Enabled, PersonStatus::Active)]
    {
        let answer = client.switch_account(ANNA, to).await.unwrap();
        let read = client.account(ANNA).await.unwrap().unwrap();
        assert_eq!((answer.person.status, read.person.status), (Some(status), Some(status)));
        let other = client.account(BEN).await.unwrap().unwrap();
        assert_eq!(other.person.status, Some(PersonStatus::Active));
    }
    assert_eq!(puts(&sim), ["/api/2.0/people/status/Terminated", "/api/2.0/people/status/Active"]);
    let day = Window::new("2026-11-20T00:00:00Z".parse().unwrap(), "2026-11-21T00:00:00Z".parse().unwrap());
    let rows = client.audit_slice(day).await.rows;
    let own = client.identity().await.unwrap().person.id;
    let switched: Vec<_> = rows.iter().filter(|row| row.action == ActionId(4020)).collect();
    assert!(switched.iter().all(|row| row.actor == own && row.target == [ANNA.to_string()]));
    assert_eq!(switched.len(), 2);
}

/// Whether somebody must act, whether it may have been done, and what the account is afterwards.
#[tokio::test]
async fn a_failure_says_whether_it_may_have_been_done_and_is_not_repeated() {
    let faults = [
        (FaultKind::Reset, (false, true), PersonStatus::Active),
        (FaultKind::DoneThenReset, (false, true), PersonStatus::Disabled),
        (FaultKind::ResetInside, (false, true), PersonStatus::Disabled),
        (FaultKind::DoneThenStatus { status: 500 }, (false, true), PersonStatus::Disabled),
        (FaultKind::Status { status: 503, body: None }, (false, true), PersonStatus::Active),
        (FaultKind::TooManyRequests { retry_after: None }, (false, false), PersonStatus::Active),
        (FaultKind::Unpaid, (true, false), PersonStatus::Active),
    ];
    for (kind, expected, status) in faults {
        let sim = PortalSim::start(portal()).await.unwrap();
        let client = client(&sim, &sim.key());
        sim.set_faults(vec![Fault::new(kind.clone()).method("PUT")]);
        let error = client.switch_account(ANNA, AccountSwitch::Disabled).await.unwrap_err();
        assert_eq!((error.needs_somebody(), error.may_have_acted()), expected, "{kind:?}: {error}");
        assert!(error.to_string().starts_with("cannot disable an account: "), "{error}");
        assert_eq!(puts(&sim).len(), 1, "{kind:?}");
        let read = client.account(ANNA).await.unwrap().unwrap();
        assert_eq!(read.person.status, Some(status), "{kind:?}");
    }
}

#[tokio::test]
async fn every_refusal_is_the_same_and_changes_nothing() {
    let of_directory =
        Person { is_ldap: true, ..Person::new("dora@example.com", "Dora", "Ray").kind(PersonKind::User) };
    let id = of_directory.id;
    let sim = PortalSim::start(portal().with_person(of_directory)).await.unwrap();
    let owner = portal().owner().id;
    let client = client(&sim, &sim.key());
    for id in [owner, id, Uuid::from_u128(7)] {
        let error = client.switch_account(id, AccountSwitch::Disabled).await.unwrap_err();
        assert_eq!((error.kind.clone(), error.may_have_acted()), (ErrorKind::MissingRight, false), "{error}");
    }
}

#[tokio::test]
async fn a_portal_without_seats_says_so() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let client = client(&sim, &sim.key());
    client.switch_account(ANNA, AccountSwitch::Disabled).await.unwrap();
    sim.edit(|scenario| scenario.content.quota.free_seats = 1);
    let error = client.switch_account(ANNA, AccountSwitch::Enabled).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.may_have_acted()), (ErrorKind::NoSeat, false));
    let said = error.to_string();
    assert!(said.starts_with("cannot enable an account: the portal has no free seat for the account (402)"), "{said}");
}

#[tokio::test]
async fn a_key_that_only_reads_is_told_which_scope_is_missing() {
    let owner = portal().owner().clone();
    let key = Key { key: format!("sk-{}", "a".repeat(64)), ..Key::of(&owner).scopes(&["*:read"]) };
    let sim = PortalSim::start(portal().with_key(key.clone())).await.unwrap();
    let error = client(&sim, &key.key).switch_account(ANNA, AccountSwitch::Disabled).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::MissingScope { .. }), "{error}");
}
