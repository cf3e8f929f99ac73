//! One small portal on which every program has something to find, and more than a page to read from every long source; the same
//! people on a day on which nobody does anything unusual; and the same with hostile names.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Folder, Group, Login, Person, PersonKind, Room, Scenario, Share, StoredFile};

/// The moment at which the portal stands still.
const NOW: &str = "2026-11-20T09:00:00Z";
/// Watched closely: somebody takes too much out of it.
const FALCON: i32 = 71;
/// Two rooms with one title, so that only their logs tell where something happened.
const EAGLES: [i32; 2] = [72, 73];
/// No data room: somebody renames too much in it.
const MARKETING: i32 = 81;
/// A folder of the first room, and one of the last.
const FOLDERS: [(i32, i32); 2] = [(710, FALCON), (810, MARKETING)];

const DOWNLOADED: i32 = 5009;
const FOLDER_DOWNLOADED: i32 = 5057;
const UPLOADED: i32 = 5011;
const RENAMED: i32 = 5001;
const FOLDER_DELETED: i32 = 5026;

fn person(name: &str, kind: PersonKind) -> Person {
    Person::new(&format!("{name}@example.com"), name, "Test").kind(kind)
}

/// The ids of all who do too much somewhere, whatever program looks.
pub(super) fn busy() -> [String; 3] {
    ["mallory", "ursula", "gil"].map(|name| person(name, PersonKind::User).id.to_string())
}

/// Where every program finds somebody.
pub(crate) fn world() -> Scenario {
    busy_world(str::to_owned)
}

fn busy_world(title_of: fn(&str) -> String) -> Scenario {
    let mut portal = inhabited(title_of);
    unusual_activity(&mut portal);
    let mut greta = portal.person_by_email("greta@example.com").unwrap().clone();
    greta.ip = "203.0.113.77".to_owned();
    portal.add_login(Login::success(&greta, portal.now - TimeDelta::hours(22)));
    logins(&mut portal);
    portal
}

/// Every member of every room puts one document into it, and everybody signs in from the office.
pub(crate) fn quiet_world() -> Scenario {
    let mut portal = inhabited(str::to_owned);
    let now = portal.now;
    let rooms: Vec<Room> = portal.rooms.iter().filter(|room| !room.archived).cloned().collect();
    let shares = portal.content.shares.clone();
    for room in rooms {
        let groups = shares.iter().filter(|share| share.room == room.id).map(|share| share.subject);
        let of_groups = groups.flat_map(|id| portal.content.groups.iter().filter(move |group| group.id == id));
        let of_groups: Vec<_> = of_groups.flat_map(|group| group.members.clone()).collect();
        for (n, &member) in room.members.iter().chain(&of_groups).enumerate() {
            let file = 20_000 + room.id * 10 + i32::try_from(n).unwrap();
            let at = now - TimeDelta::hours(6) + TimeDelta::minutes(n as i64);
            portal.add_event(Event::new(UPLOADED, member, at).file(file, "minutes.docx").in_room(room.id));
        }
    }
    logins(&mut portal);
    portal
}

/// Everything that people can name has a name that a terminal, a browser or a spreadsheet would follow.
pub(crate) fn hostile_world() -> Scenario {
    let mut portal = busy_world(|title| format!("@{title}\u{1b}[2J\r\n<script>"));
    for person in &mut portal.people {
        "=HYPERLINK(\"x\")<script>".clone_into(&mut person.first_name);
        "\u{1b}[31m\u{202e}<img src=x>".clone_into(&mut person.last_name);
    }
    for event in &mut portal.events {
        if let Some(title) = event.texts.first_mut() {
            *title = format!("+{title}\u{7}\u{202e}<script>");
        }
    }
    portal
}

/// People, rooms, what is in them, and what has happened long before.
fn inhabited(title_of: fn(&str) -> String) -> Scenario {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let mut portal = Scenario::empty(now).with_zone(chrono_tz::Europe::Berlin);
    let kinds = [("greta", PersonKind::Guest), ("anna", PersonKind::Admin)];
    for name in ["anna", "chen", "dora", "emil", "fatima", "gil", "greta", "mallory", "ursula"] {
        let kind = kinds.iter().find(|(known, _)| *known == name).map_or(PersonKind::User, |(_, kind)| *kind);
        portal = portal.with_person(person(name, kind));
    }
    // more than a page of people who do nothing and are nowhere
    for n in 0..100 {
        portal = portal.with_person(person(&format!("extra{n}"), PersonKind::User));
    }
    let id = |portal: &Scenario, name: &str| portal.person_by_email(&format!("{name}@example.com")).unwrap().id;
    let rooms = [
        (FALCON, "Falcon", 8, vec!["chen", "dora", "greta", "mallory"]),
        (EAGLES[0], "Eagle", 8, vec!["chen", "emil"]),
        (EAGLES[1], "Eagle", 8, vec!["chen", "ursula"]),
        (MARKETING, "Marketing", 2, vec!["chen", "gil"]),
    ];
    for (room, title, room_type, members) in rooms {
        let mut built = Room::vdr(room, &title_of(title)).room_type(room_type);
        built.members = members.into_iter().map(|name| id(&portal, name)).collect();
        built.created = now - TimeDelta::days(200);
        portal = portal.with_room(built);
    }
    // more than a page of rooms in which nothing happens any more
    for n in 0..100 {
        let mut old = Room::vdr(1_000 + n, &format!("Old {n}"));
        old.archived = true;
        old.created = now - TimeDelta::days(300);
        portal = portal.with_room(old);
    }
    let mut auditors = Group::new("Auditors");
    auditors.members = vec![id(&portal, "fatima")];
    let group = auditors.id;
    portal = portal.with_group(auditors);
    portal.share(Share { room: EAGLES[0], subject: group, access: 10 });
    let owner = portal.owner().id;
    for (folder, room) in FOLDERS {
        let created = now - TimeDelta::days(100);
        portal.content.folders.push(Folder {
            id: folder,
            parent: room,
            title: "Signed".to_owned(),
            author: owner,
            created,
        });
        for n in 1..4 {
            portal =
                portal.with_file(StoredFile::new(folder * 10 + n, folder, &format!("{n}.pdf"), owner, created, b"x"));
        }
    }
    // the records reach back further than any window
    portal.add_event(Event::new(DOWNLOADED, owner, now - TimeDelta::days(75)).file(7101, "1.pdf").in_room(FALCON));
    portal
}

fn unusual_activity(portal: &mut Scenario) {
    let now = portal.now;
    let id = |portal: &Scenario, name: &str| portal.person_by_email(&format!("{name}@example.com")).unwrap().id;
    // somebody works everywhere, in October and yesterday
    let chen = id(portal, "chen");
    for n in 0..110 {
        let at = now - TimeDelta::days(29) + TimeDelta::hours(2 * n);
        let file = 9_000 + i32::try_from(n).unwrap();
        portal.add_event(Event::new(UPLOADED, chen, at).file(file, &format!("{file}.docx")).in_room(FALCON));
    }
    for (n, room) in [FALCON, EAGLES[0], EAGLES[1], MARKETING].into_iter().enumerate() {
        let at = now - TimeDelta::hours(20 + n as i64);
        portal.add_event(Event::new(UPLOADED, chen, at).file(8_000 + room, "note.docx").in_room(room));
    }
    // takes 130 documents and a folder out of a data room
    let mallory = id(portal, "mallory");
    for n in 0..130 {
        let at = now - TimeDelta::hours(3) + TimeDelta::seconds(20 * i64::from(n));
        portal.add_event(Event::new(DOWNLOADED, mallory, at).file(10_000 + n, &format!("{n}.docx")).in_room(FALCON));
    }
    let mut taken = Event::new(FOLDER_DOWNLOADED, mallory, now - TimeDelta::hours(2)).file(FOLDERS[0].0, "Signed");
    taken = taken.in_room(FALCON);
    portal.add_event(taken);
    // puts 30 into one of two rooms with the same title
    let ursula = id(portal, "ursula");
    for n in 0..30 {
        let at = now - TimeDelta::hours(5) + TimeDelta::minutes(i64::from(n));
        portal.add_event(Event::new(UPLOADED, ursula, at).file(11_000 + n, &format!("{n}.docx")).in_room(EAGLES[1]));
    }
    // renames 110 documents within eight minutes, and deletes a folder
    let gil = id(portal, "gil");
    for n in 0..110 {
        let at = now - TimeDelta::minutes(28) + TimeDelta::seconds(4 * i64::from(n));
        let mut renamed = Event::new(RENAMED, gil, at).file(12_000 + n, &format!("{n}.docx")).in_room(MARKETING);
        renamed.texts.push(format!("{n}.docx.locked"));
        portal.add_event(renamed);
        let title = format!("{n}.docx.locked");
        portal.content.files.push(StoredFile::new(12_000 + n, MARKETING, &title, gil, now - TimeDelta::days(9), b"x"));
    }
    let deleted = Event::new(FOLDER_DELETED, gil, now - TimeDelta::minutes(20)).file(FOLDERS[1].0, "Signed");
    portal.add_event(deleted.in_room(MARKETING));
}

/// Sign-ins of twelve people from the office, a few in October and more than a page within a day.
fn logins(portal: &mut Scenario) {
    let now = portal.now;
    for n in 0..40 {
        let who = portal.people[n % 12].clone();
        portal.add_login(Login::success(&who, now - TimeDelta::days(28) + TimeDelta::hours(4 * n as i64)));
    }
    for n in 0..108 {
        let who = portal.people[n % 12].clone();
        portal.add_login(Login::success(&who, now - TimeDelta::hours(20) + TimeDelta::minutes(10 * n as i64)));
    }
}
