//! A portal whose members are known to be active, inactive, or not to be judged, and why.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Group, Login, Person, PersonKind, Room, Scenario, Share, StoredFile};
use uuid::Uuid;

pub(crate) const FALCON: i32 = 71;
pub(crate) const EAGLE: i32 = 72;
pub(crate) const HAWK: i32 = 73;

fn person(name: &str, kind: PersonKind) -> Person {
    Person::new(&format!("{}@example.com", name.to_lowercase()), name, "Test").kind(kind)
}

/// People by first name; the address is `name@example.com`.
pub(crate) fn id(portal: &Scenario, name: &str) -> Uuid {
    portal.person_by_email(&format!("{}@example.com", name.to_lowercase())).unwrap().id
}

fn share(portal: &mut Scenario, room: i32, subject: Uuid, access: i32) {
    portal.share(Share { room, subject, access });
}

/// The event that the portal writes when somebody joins a room.
fn joins(portal: &mut Scenario, room: i32, who: &str, at: DateTime<Utc>, action: i32) {
    let mut event = Event::new(action, portal.owner().id, at).in_room(room);
    event.target = vec![room.to_string()];
    event.about = Some(id(portal, who));
    portal.add_event(event);
}

fn opens(portal: &mut Scenario, who: &str, room: i32, file: i32, at: DateTime<Utc>) {
    let actor = id(portal, who);
    portal.add_event(Event::new(5064, actor, at).file(file, "plan.docx").in_room(room));
}

/// Three rooms; see the events below for who is what.
pub(crate) fn world(now: DateTime<Utc>) -> Scenario {
    let ago = |days: i64| now - TimeDelta::days(days);
    let mut portal = Scenario::empty(now).with_zone(chrono_tz::Europe::Berlin);
    for (name, kind) in [
        ("Viewer", PersonKind::User),
        ("Guest", PersonKind::Guest),
        ("Grouped", PersonKind::User),
        ("Overridden", PersonKind::User),
        ("Returned", PersonKind::User),
        ("Renamed", PersonKind::User),
        ("Mover", PersonKind::User),
        ("Asleep", PersonKind::RoomAdmin),
        ("Earlier", PersonKind::User),
        ("Robot", PersonKind::User),
        ("Worker", PersonKind::User),
    ] {
        portal = portal.with_person(person(name, kind));
    }
    let mut gone = person("Disabled", PersonKind::User);
    gone.status = 2;
    let mut invited = person("Invited", PersonKind::Guest);
    invited.status = 4;
    portal = portal.with_person(gone).with_person(invited);
    for (room, title) in [(FALCON, "Falcon"), (EAGLE, "Eagle"), (HAWK, "Hawk")] {
        portal = portal.with_room(Room::vdr(room, title));
    }
    let mut auditors = Group::new("Auditors");
    auditors.members = vec![id(&portal, "Grouped"), id(&portal, "Overridden")];
    let group = auditors.id;
    portal = portal.with_group(auditors);
    share(&mut portal, FALCON, group, 2);
    for (name, access) in [
        ("Viewer", 2),
        ("Guest", 10),
        ("Overridden", 11),
        ("Returned", 10),
        ("Renamed", 10),
        ("Mover", 10),
        ("Earlier", 2),
        ("Robot", 10),
        ("Disabled", 10),
        ("Invited", 2),
    ] {
        let id = id(&portal, name);
        share(&mut portal, FALCON, id, access);
    }
    for (room, name, access) in [(EAGLE, "Mover", 10), (EAGLE, "Asleep", 9), (HAWK, "Worker", 10)] {
        let id = id(&portal, name);
        share(&mut portal, room, id, access);
    }
    for person in portal
        .people
        .clone()
        .iter()
        .filter(|person| ["olga@example.com", "viewer@example.com"].contains(&&*person.email))
    {
        portal.add_login(Login::success(person, ago(3)));
    }
    // the room had another title when this one worked in it
    portal.rename_room(FALCON, "Falcon (2026)", ago(10));
    opens(&mut portal, "Renamed", FALCON, 900, ago(20));
    // active only by viewing
    opens(&mut portal, "Viewer", FALCON, 900, ago(3));
    // left and came back four days ago
    joins(&mut portal, FALCON, "Returned", ago(200), 5085);
    joins(&mut portal, FALCON, "Returned", ago(100), 5084);
    joins(&mut portal, FALCON, "Returned", ago(4), 5085);
    // moved a file from Falcon to Eagle: two rows, one act in each room
    let mover = id(&portal, "Mover");
    for room in [EAGLE, FALCON] {
        let mut moved = Event::new(5015, mover, ago(5)).file(901, "moved.docx").in_room(room);
        moved.target.push(EAGLE.to_string());
        portal.add_event(moved);
    }
    // seen before the period only
    opens(&mut portal, "Earlier", FALCON, 900, ago(50));
    let robot = id(&portal, "Robot");
    portal.add_event(Event::new(5034, robot, ago(1)).file(900, "plan.docx").in_room(FALCON));
    opens(&mut portal, "Worker", HAWK, 950, ago(2));
    // what there is to miss in Falcon
    let olga = portal.owner().id;
    for (file, title) in [(910, "Budget 2027.xlsx"), (911, "<b>offer</b>.pdf"), (912, "Gone.docx")] {
        let at = ago(6) + TimeDelta::minutes(i64::from(file));
        portal.add_event(Event::new(5011, olga, at).file(file, title).in_room(FALCON));
        if file != 912 {
            portal = portal.with_file(StoredFile::new(file, FALCON, title, olga, at, b"text"));
        }
    }
    portal
}

/// Who is inactive in which room, as (room, name), by the truth of [`world`].
pub(crate) const INACTIVE: [(i32, &str); 5] =
    [(FALCON, "guest"), (FALCON, "grouped"), (FALCON, "overridden"), (FALCON, "earlier"), (EAGLE, "asleep")];
