//! What tells who joined a room, which language somebody reads, and which rooms carry a tag.

use audit_model::{RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, Directory, ErrorKind};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Event, Fault, FaultKind, Group, Person, PortalSim, Room, Scenario, Share};
use secrecy::SecretString;
use url::Url;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

async fn start(portal: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(portal).await.unwrap();
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    (sim, Client::new(http, base, key, RetryPolicy::immediate(), Budget::default()))
}

#[tokio::test]
async fn the_log_of_a_room_says_whose_membership_changed() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let mut portal = Scenario::empty(now()).with_person(mara.clone()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    let mut joined = Event::new(5085, olga, now() - TimeDelta::days(2)).in_room(71);
    joined.target = vec!["71".to_owned()];
    joined.about = Some(mara.id);
    let joined = portal.add_event(joined);
    let upload = portal.add_event(Event::new(5011, olga, now() - TimeDelta::days(1)).file(900, "a.docx").in_room(71));
    let (_sim, client) = start(portal).await;
    let mut log = client.room_log(&RoomId::Number(71), Window::new(now() - TimeDelta::days(3), now())).await.rows;
    log.sort_by_key(|entry| entry.event);
    let told: Vec<_> = log.iter().map(|entry| (entry.event, entry.about)).collect();
    assert_eq!(told, [(joined, Some(mara.id)), (upload, None)]);
}

#[tokio::test]
async fn a_member_has_the_language_they_chose() {
    let mut mara = Person::new("mara@example.com", "Mara", "Klein");
    mara.culture = Some("de".to_owned());
    let mut room = Room::vdr(71, "Falcon");
    room.members = vec![mara.id];
    let (_sim, client) = start(Scenario::empty(now()).with_person(mara).with_room(room)).await;
    let members = client.members(&RoomId::Number(71)).await.unwrap();
    let languages: Vec<_> = members.iter().map(|member| member.account.culture.as_deref()).collect();
    assert_eq!(languages, [None, Some("de")]);
}

#[tokio::test]
async fn rooms_are_found_by_tag() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Eagle"));
    portal.tag_room(72, "deal \"42\"");
    let (_sim, client) = start(portal).await;
    let found = client.rooms_with_tag("deal \"42\"").await.unwrap();
    assert_eq!(found.iter().map(|room| room.fact.id.clone()).collect::<Vec<_>>(), [RoomId::Number(72)]);
    assert_eq!(client.rooms_with_tag("deal").await.unwrap(), []);
}

/// The list of groups says how many people are in each.
#[tokio::test]
async fn a_group_that_has_people_is_never_shown_empty() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let (mut board, nobody) = (Group::new("Board"), Group::new("Nobody"));
    board.members.push(mara.id);
    let portal = Scenario::empty(now()).with_person(mara.clone()).with_group(board.clone()).with_group(nobody.clone());
    let (sim, client) = start(portal).await;
    let mut directory = Directory::default();
    directory.read_groups(&client).await.unwrap();
    directory.read_members(board.id, &client).await.unwrap();
    assert_eq!(directory.members[&board.id], [mara.id]);
    let empty = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
    sim.set_faults(vec![Fault::new(empty).on("people/filter")]);
    let refused = directory.read_members(board.id, &client).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::IncompleteList { read: 0, total: 1 });
    directory.read_members(nobody.id, &client).await.unwrap();
}

/// So does the group itself, which is asked only when a room says that nobody is in it through the group.
#[tokio::test]
async fn a_group_that_has_people_is_never_empty_in_a_room() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let (mut board, nobody) = (Group::new("Board"), Group::new("Nobody"));
    board.members.push(mara.id);
    let shares = [&board, &nobody].map(|group| Share { room: 71, subject: group.id, access: 2 });
    let mut portal = Scenario::empty(now()).with_person(mara.clone()).with_room(Room::vdr(71, "Falcon"));
    portal = portal.with_group(board).with_group(nobody);
    shares.into_iter().for_each(|share| portal.share(share));
    let (sim, client) = start(portal).await;
    let members = client.members(&RoomId::Number(71)).await.unwrap();
    assert!(members.iter().any(|member| member.account.person.id == mara.id && !member.is_direct));
    let empty = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
    sim.set_faults(vec![Fault::new(empty).on("files/folder/*/group/*/share")]);
    let refused = client.members(&RoomId::Number(71)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::IncompleteList { read: 0, total: 1 });
}
