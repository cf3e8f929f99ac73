//! Making a virtual data room on a simulated portal: what is sent, and what each failure says about the effect.

use audit_model::RoomId;
use docspace_client::{Error, ErrorKind};
use portal_sim::{Fault, FaultKind, Key, Person, PersonKind, PortalSim, Scenario};

use crate::common::client;

fn portal() -> Scenario {
    Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap())
}

fn posts(sim: &PortalSim) -> usize {
    sim.requests().iter().filter(|request| request.method == "POST").count()
}

#[tokio::test]
async fn a_room_is_made_and_read_back() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let client = client(&sim, &sim.key());
    let made = client.create_data_room("Acme – due diligence").await.unwrap();
    assert_eq!((made.fact.title.raw(), made.fact.room_type, made.archived), ("Acme – due diligence", Some(8), false));
    assert!(matches!(made.fact.id, RoomId::Number(_)));
    assert_eq!(client.room(&made.fact.id).await.unwrap(), Some(made.clone()));
    assert_eq!(client.rooms().await.unwrap(), [made]);
}

/// Each failure: whether somebody must act, whether it may have been done, and how many rooms there really are afterwards.
#[tokio::test]
async fn a_failure_says_whether_it_may_have_been_done_and_is_not_repeated() {
    let faults = [
        (FaultKind::Reset, (false, true), 0),
        (FaultKind::ResetInside, (false, true), 1),
        (FaultKind::Truncated, (false, true), 1),
        (FaultKind::DoneThenStatus { status: 500 }, (false, true), 1),
        (FaultKind::Status { status: 503, body: None }, (false, true), 0),
        (FaultKind::TooManyRequests { retry_after: None }, (false, false), 0),
        (FaultKind::Unpaid, (true, false), 0),
        (FaultKind::Blocked, (true, false), 0),
    ];
    for (kind, expected, rooms) in faults {
        let sim = PortalSim::start(portal()).await.unwrap();
        let client = client(&sim, &sim.key());
        sim.set_faults(vec![Fault::new(kind.clone()).method("POST")]);
        let error: Error = client.create_data_room("Falcon").await.unwrap_err();
        assert_eq!((error.needs_somebody(), error.may_have_acted()), expected, "{kind:?}: {error}");
        assert!(error.to_string().starts_with("cannot make a virtual data room: "), "{error}");
        assert_eq!(posts(&sim), 1, "{kind:?}");
        assert_eq!(client.rooms().await.unwrap().len(), rooms, "{kind:?}");
    }
}

#[tokio::test]
async fn a_key_that_only_reads_is_told_which_scope_is_missing() {
    let owner = portal().owner().clone();
    let key = Key { key: format!("sk-{}", "a".repeat(64)), ..Key::of(&owner).scopes(&["*:read"]) };
    let user = Person::new("bob@example.com", "Bob", "Ray").kind(PersonKind::User);
    let of_user = Key::of(&user);
    let sim =
        PortalSim::start(portal().with_key(key.clone()).with_person(user).with_key(of_user.clone())).await.unwrap();
    let error = client(&sim, &key.key).create_data_room("Falcon").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingScope { needs: "rooms:write or *:write" });
    assert!(error.needs_somebody());
    let error = client(&sim, &of_user.key).create_data_room("Falcon").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingRight);
    let both = Key { key: format!("sk-{}", "b".repeat(64)), ..Key::of(&owner).scopes(&["*:read", "rooms:write"]) };
    sim.edit(|portal| portal.keys.push(both.clone()));
    assert!(client(&sim, &both.key).create_data_room("Falcon").await.is_ok());
}
