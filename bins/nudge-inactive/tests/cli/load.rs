//! Many members in many rooms: what a run asks of the portal, and that it finds the right ones.

use portal_sim::{Event, Person, Room, Scenario};
use serde_json::Value;

use crate::common::{now, start_portal};

/// Members and rooms: 500 in 30 by default, all with `LOAD=full cargo test -p nudge-inactive --test cli load`.
fn size() -> (i32, i32) {
    if std::env::var("LOAD").as_deref() == Ok("full") { (5000, 300) } else { (500, 30) }
}

#[tokio::test]
async fn the_requests_grow_with_the_rooms_and_not_with_the_members() {
    let (members, rooms) = size();
    let mut portal = Scenario::empty(now());
    let mut people = Vec::new();
    for n in 0..members {
        let person = Person::new(&format!("member{n}@example.com"), "Member", &n.to_string());
        people.push(person.id);
        portal = portal.with_person(person);
    }
    let mut active = 0;
    for room in 0..rooms {
        let mut made = Room::vdr(1000 + room, &format!("Room {room}"));
        // everybody is in three rooms, and active in the first of them if their number is even
        made.members =
            (0..members).filter(|n| (0..3).any(|k| (n + k) % rooms == room)).map(|n| people[n as usize]).collect();
        portal.add_room(made);
    }
    for n in (0..members).step_by(2) {
        let at = now() - chrono::TimeDelta::minutes(i64::from(n) + 60);
        portal.add_event(Event::new(5064, people[n as usize], at).file(9000 + n, "a.docx").in_room(1000 + n % rooms));
        active += 1;
    }
    let setting = start_portal(portal).await;
    let before = setting.sim.requests().len();
    let ended = setting.run(&["--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len() as i32, 3 * members - active);
    let asked = (setting.sim.requests().len() - before) as i32;
    eprintln!("{members} members, {rooms} rooms: {asked} requests");
    // per room its members and its log, which is asked for twice where it is empty, besides the pages of the audit trail and a fixed few
    let pages = 2 * (active / 100 + 1);
    assert!(asked <= 3 * rooms + pages + 30, "{asked} requests");
}
