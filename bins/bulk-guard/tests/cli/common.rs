//! People and what they do, for all tests of this program.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::{Run, Setting};
use portal_sim::{Event, Folder, Person, PersonKind, Room, Scenario, StoredFile};

pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// On a busy machine a simulated portal is a slow one.
pub(crate) async fn setting(scenario: Scenario) -> Setting {
    let mut setting = Setting::new(env!("CARGO_BIN_EXE_bulk-guard"), scenario).await;
    setting.env.push(("BULK_GUARD_LOOK_UP_LIMIT", "10m"));
    setting
}

pub(crate) const RENAMED: i32 = 5001;
pub(crate) const OVERWRITTEN: i32 = 5002;
pub(crate) const DOWNLOADED: i32 = 5009;
pub(crate) const UPLOADED: i32 = 5011;
pub(crate) const COPIED: i32 = 5013;
pub(crate) const MOVED: i32 = 5015;
pub(crate) const DELETED: i32 = 5017;
pub(crate) const PURGED: i32 = 5018;
pub(crate) const FOLDER_DOWNLOADED: i32 = 5057;
pub(crate) const TRASH_EMPTIED: i32 = 5061;

/// An office of forty people besides the owner, four rooms, nothing happening.
pub(crate) fn office() -> Scenario {
    let mut portal = Scenario::empty(now());
    for room in 71..75 {
        portal = portal.with_room(Room::vdr(room, &format!("Project {room}")));
    }
    for n in 0..40 {
        portal.people.push(Person::new(&format!("person{n}@example.com"), "Person", &format!("N{n}")));
    }
    portal
}

/// Somebody new.
pub(crate) fn hire(portal: &mut Scenario, email: &str, kind: PersonKind) -> Person {
    let name = email.split('@').next().unwrap();
    let mut person = Person::new(email, "Mara", name).kind(kind);
    person.ip = "192.0.2.30".to_owned();
    portal.people.push(person.clone());
    person
}

/// One kind of thing done to so many files, evenly within so many minutes, ending so many minutes ago.
pub(crate) struct Burst {
    pub(crate) action: i32,
    pub(crate) files: i32,
    pub(crate) first: i32,
    pub(crate) minutes: i64,
    pub(crate) ended: i64,
}

impl Burst {
    pub(crate) fn new(action: i32, files: i32) -> Self {
        Burst { action, files, first: 9_000, minutes: 5, ended: 5 }
    }

    /// Adds the rows, spread over the given rooms, and the files under these names.
    pub(crate) fn by(&self, portal: &mut Scenario, person: &Person, rooms: &[i32], ending: &str) {
        for n in 0..self.files {
            let room = rooms[n as usize % rooms.len()];
            let left = TimeDelta::seconds(self.minutes * 60 * i64::from(self.files - n) / i64::from(self.files));
            let at = portal.now - TimeDelta::minutes(self.ended) - left;
            let title = format!("paper {n}.docx{ending}");
            let file = StoredFile::new(self.first + n, room, &title, person.id, at, b"x");
            portal.content.files.push(file);
            let event = Event::new(self.action, person.id, at).file(self.first + n, &title).ip(&person.ip);
            portal.add_event(event.in_room(room));
        }
    }
}

/// A folder that holds so many files, deleted as a whole.
pub(crate) fn folder_deleted(portal: &mut Scenario, person: &Person, folder: i32, files: i32, minutes_ago: i64) {
    let at = portal.now - TimeDelta::minutes(minutes_ago);
    let made = Folder { id: folder, parent: 71, title: format!("Folder {folder}"), author: person.id, created: at };
    portal.content.folders.push(made);
    for n in 0..files {
        let file = StoredFile::new(folder * 1000 + n, folder, "paper.docx", person.id, at, b"x");
        portal.content.files.push(file);
    }
    let mut event = Event::new(5026, person.id, at).file(folder, "Folder").in_room(71);
    event.target = vec![folder.to_string()];
    portal.add_event(event);
}

/// A folder of the owner's in room 71 that holds so many files.
pub(crate) fn filled(portal: &mut Scenario, folder: i32, files: i32) {
    let (author, at) = (portal.owner().id, portal.now - TimeDelta::days(9));
    let title = format!("Folder {folder}");
    portal.content.folders.push(Folder { id: folder, parent: 71, title, author, created: at });
    for n in 0..files {
        let file = StoredFile::new(folder * 1000 + n, folder, "paper.docx", author, at, b"x");
        portal.content.files.push(file);
    }
}

/// Somebody takes a whole folder of room 71 where only they can see it.
pub(crate) fn taken_away(portal: &mut Scenario, person: &Person, action: i32, folder: i32, minutes_ago: i64) {
    let at = portal.now - TimeDelta::minutes(minutes_ago);
    let own = portal.trash(person.id);
    portal.content.folders.iter_mut().filter(|one| one.id == folder).for_each(|one| one.parent = own);
    // a move to elsewhere is written as seen from both sides
    let is_move = action == 5025;
    let room = portal_sim::Place::Room { id: 71, title: String::new() };
    let sides = if is_move { vec![portal_sim::Place::MyDocuments, room] } else { vec![room] };
    for place in sides {
        let mut event = Event::new(action, person.id, at).ip(&person.ip);
        event.target = vec![folder.to_string()];
        event.target.extend(is_move.then(|| own.to_string()));
        event.place = place;
        portal.add_event(event);
    }
}

/// A month of ordinary days, one save an hour from nine to five.
pub(crate) fn ordinary_month(portal: &mut Scenario, person: &Person) {
    for day in 1..29 {
        for hour in 0..8 {
            let at = portal.now - TimeDelta::days(day) + TimeDelta::hours(hour);
            portal.add_event(Event::new(5034, person.id, at).file(5_000, "plan.docx").ip(&person.ip).in_room(71));
        }
    }
}

/// One of [`found`].
pub(crate) fn row(email: &str, severity: &str, may_act: bool) -> (String, String, bool) {
    (email.to_owned(), severity.to_owned(), may_act)
}

/// One of [`plan`].
pub(crate) fn step(email: &str, state: &str, why: &str) -> (String, String, String) {
    (email.to_owned(), state.to_owned(), why.to_owned())
}

/// Who was found, with severity and whether a plan may act, by e-mail address.
pub(crate) fn found(run: &Run) -> Vec<(String, String, bool)> {
    let report = run.json();
    let mut found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            (text(&finding["person"]["email"]), text(&finding["severity"]), finding["may_act"].as_bool().unwrap())
        })
        .collect();
    found.sort();
    found
}

/// What the plan says, by e-mail address: state and why it is held.
pub(crate) fn plan(run: &Run) -> Vec<(String, String, String)> {
    let report = run.json();
    let actions = report["actions"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut plan: Vec<_> = actions
        .map(|action| (text(&action["person"]["email"]), text(&action["state"]), text(&action["held"]["why"])))
        .collect();
    plan.sort();
    plan
}

pub(crate) async fn json(setting: &Setting, extra: &[&str]) -> Run {
    let run = setting.run(&[extra, &["--format", "json"]].concat()).await;
    cli_test::assert_keeps(&Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/bulk-guard-1.schema.json"), &run.stdout);
    run
}
