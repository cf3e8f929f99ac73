//! The states that the host labels of the recordings stand for. Rows come from the files in `tests/worlds`.
//!
//! Three runs were recorded, each with its own portals, so the file decides together with the label.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use portal_sim::{
    Entry, Event, Group, Key, Login, Person, PersonKind, PortalSim, Restriction, Room, Scenario, Stored, StoredFile,
    TenantState,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::common::at;
use crate::exchange::Exchange;

const OLGA: Uuid = Uuid::from_u128(0x66fa_a6e4_f133_11ea_b126_00ff_eec8_b4ef);
const ANNA: Uuid = Uuid::from_u128(0x5f0c_1a52_8d8e_4a53_9a53_0d8f_6b4d_7c11);
const IVAN: Uuid = Uuid::from_u128(0x1a2b_3c4d_0000_4000_8000_0000_0000_0001);
const TEAM: Uuid = Uuid::from_u128(0x7f0c_5b0e_6f0e_4b53_8f0f_2f3a_1d7c_9b11);
const BOB: Uuid = Uuid::from_u128(0x0d6b_d0a5_53b9_4b7c_9d1a_9f5f_0d2f_1c77);
/// Events and logins of the crowded portal, ten per second.
const CROWD: (i64, i64) = (250, 150);
/// When the recordings were made.
const NOW: &str = "2026-11-21T03:01:03Z";

/// A file of `tests/worlds`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    people: Vec<PersonRow>,
    #[serde(default)]
    elsewhere: Vec<PersonRow>,
    #[serde(default)]
    rooms: Vec<RoomRow>,
    /// Folders and files by their place.
    #[serde(default)]
    entries: Vec<Entry>,
    /// Rooms and their members who only fill forms.
    #[serde(default)]
    fillers: Vec<(i32, Uuid)>,
    /// Rooms that the user is not in.
    #[serde(default)]
    private: Vec<i32>,
    events: Vec<EventRow>,
    #[serde(default)]
    logins: Vec<LoginRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonRow {
    id: Uuid,
    first_name: String,
    last_name: String,
    email: String,
    kind: PersonKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomRow {
    id: i32,
    title: String,
    room_type: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRow {
    id: i64,
    at: DateTime<Utc>,
    actor: Uuid,
    action: i32,
    initiator: Option<String>,
    stored: Stored,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginRow {
    id: i64,
    at: DateTime<Utc>,
    user: Uuid,
    login: Option<String>,
    action: i32,
    stored: Stored,
}

/// Whether the exchanges of a file build on each other.
pub(crate) fn is_stateful(file: &str) -> bool {
    file.starts_with("iprestrictions")
}

/// Whether the exchange comes from the run whose actions did nothing.
pub(crate) fn is_stand_in(exchange: &Exchange) -> bool {
    exchange.host == "docs"
}

/// Starts the portal of this file and host label.
pub(crate) async fn start(file: &str, host: &str) -> PortalSim {
    PortalSim::start(world(file, host)).await.expect("the simulator starts")
}

/// What happened between the exchanges, outside the portal's API.
pub(crate) fn prepare(file: &str, exchange: &Exchange, sim: &PortalSim) {
    let row = exchange.name.strip_prefix("row in the table: ").and_then(|rest| rest.split(" | ").next());
    let emptied = exchange.name.starts_with("switch on, list empty");
    let down = file == "database-down-postgresql" && !matches!(exchange.name.as_str(), "before" | "after restart");
    sim.edit(|scenario| {
        scenario.condition.database_down = down;
        let restrictions = &mut scenario.condition.restrictions;
        if let Some(ip) = row {
            restrictions.entries = vec![Restriction { id: 1, ip: ip.to_owned(), for_admin: false }];
            restrictions.enabled = true;
        }
        if emptied {
            restrictions.entries.clear();
        }
    });
}

/// The dates of the portal's rows, by id.
#[derive(Default)]
pub(crate) struct Dates {
    events: BTreeMap<i64, String>,
    logins: BTreeMap<i64, String>,
}

impl Dates {
    pub(crate) fn of(sim: &PortalSim) -> Dates {
        let mut dates = Dates::default();
        sim.edit(|scenario| {
            dates.events = scenario.events.iter().map(|event| (event.id, event.at.to_rfc3339())).collect();
            dates.logins = scenario.logins.iter().map(|login| (login.id, login.at.to_rfc3339())).collect();
        });
        dates
    }

    /// Those of the rows that the exchange asks for.
    pub(crate) fn asked(&self, exchange: &Exchange) -> &BTreeMap<i64, String> {
        if exchange.path().to_ascii_lowercase().contains("/login/") { &self.logins } else { &self.events }
    }
}

fn world(file: &str, host: &str) -> Scenario {
    if host == "docs" {
        return files_and_people();
    }
    let mut scenario = Scenario::bare(at(NOW)).with_zone(zone(file, host));
    scenario.people.clear();
    scenario.keys.clear();
    let name = if file.starts_with("activity-log") { rows_of_the_log(host) } else { rows(host) };
    if let Some(name) = name {
        load(name, &mut scenario);
    }
    match host {
        "many" => crowd(&mut scenario),
        "poison" => poison(&mut scenario),
        "login" => logins(&mut scenario),
        _ => {}
    }
    scenario.standalone = host.starts_with("standalone");
    scenario.audit = !host.contains("noaudit");
    scenario.condition.history_hidden = host.contains("hidden");
    scenario.condition.unpaid = host == "unpaid";
    scenario.condition.tenant = match host {
        "suspended" => TenantState::Suspended,
        "restoring" => TenantState::Restoring,
        "unknown" => TenantState::Unknown,
        _ => TenantState::Active,
    };
    callers(&mut scenario);
    scenario
}

/// The portal that the requests about files, rooms and people ask: the entries that they name exist.
fn files_and_people() -> Scenario {
    let owner = Person::new("olga@example.com", "Olga", "Owner").kind(PersonKind::Owner);
    let ann = Person::new("ann@example.com", "Ann", "Other").id(OLGA);
    let ivan = Person::new("ivan.petrov@example.com", "Ivan", "Petrov").id(IVAN);
    let plus = Person::new("a+b@example.com", "Plus", "Sign");
    let mut file = StoredFile::new(81234, 4217, "file.docx", owner.id, at(NOW), b"content");
    file.versions.push(file.versions[0].clone());
    let group = |name: &str, id| {
        let mut group = Group::new(name);
        group.id = id;
        group.members = vec![IVAN];
        group
    };
    let mut scenario = Scenario::empty(at(NOW));
    scenario.keys = vec![Key::of(&owner)];
    scenario.people = vec![owner, ann, ivan, plus];
    // one number stands for a person, a group and a key in the recordings
    let scenario = scenario.with_group(group("First", OLGA)).with_group(group("Second", TEAM));
    scenario.with_room(Room::vdr(4217, "Room").room_type(2)).with_file(file)
}

/// The portal's zone. Windows names are understood, unknown ones count as UTC.
fn zone(file: &str, host: &str) -> Tz {
    match host {
        _ if file.ends_with("dst-newyork") => chrono_tz::America::New_York,
        "berlin" | "dst" | "windows" => chrono_tz::Europe::Berlin,
        "newyork" => chrono_tz::America::New_York,
        "kolkata" => chrono_tz::Asia::Kolkata,
        "moscow" => chrono_tz::Europe::Moscow,
        "london" => chrono_tz::Europe::London,
        "stjohns" => chrono_tz::America::St_Johns,
        _ => chrono_tz::UTC,
    }
}

fn rows(host: &str) -> Option<&'static str> {
    match host {
        "many" | "poison" | "login" | "empty" | "ip" => None,
        "noaudit" | "hidden" => Some("newest"),
        host if host.starts_with("standalone") => Some("newest"),
        host if host.starts_with("dst") => Some("audit-dst"),
        _ => Some("audit"),
    }
}

fn rows_of_the_log(host: &str) -> Option<&'static str> {
    Some(if host == "noaudit" { "activity-log-empty" } else { "activity-log" })
}

fn load(name: &str, scenario: &mut Scenario) {
    let path = format!("{}/tests/worlds/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let world: World = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    scenario.people.extend(world.people.into_iter().map(PersonRow::build));
    scenario.condition.elsewhere.extend(world.elsewhere.into_iter().map(PersonRow::build));
    for row in world.rooms {
        let mut room = Room::vdr(row.id, &row.title).room_type(row.room_type);
        if !world.private.contains(&row.id) {
            room.members.push(BOB);
        }
        scenario.add_room(room);
    }
    scenario.condition.entries = world.entries;
    scenario.condition.fillers = world.fillers;
    for row in world.events {
        let mut event = Event::new(row.action, row.actor, row.at).id(row.id);
        event.initiator = row.initiator;
        event.stored = Some(row.stored);
        scenario.add_event(event);
    }
    for row in world.logins {
        let mut login = Login::failure("", "", row.at);
        (login.id, login.user, login.login, login.action) = (row.id, row.user, row.login, row.action);
        login.stored = Some(row.stored);
        scenario.add_login(login);
    }
}

impl PersonRow {
    fn build(self) -> Person {
        Person::new(&self.email, &self.first_name, &self.last_name).id(self.id).kind(self.kind)
    }
}

/// Owner, administrator and user with their keys. Where the world does not know them, nobody there has their ids.
fn callers(scenario: &mut Scenario) {
    for (text, id, kind) in [
        ("sk-owner", OLGA, PersonKind::Owner),
        ("sk-admin", ANNA, PersonKind::Admin),
        ("sk-user", BOB, PersonKind::User),
    ] {
        let person = scenario.person(id).cloned().unwrap_or_else(|| {
            let person = Person::new(&format!("{text}@example.com"), "Some", "Body").kind(kind);
            scenario.people.push(person.clone());
            person
        });
        let mut key = Key::of(&person);
        text.clone_into(&mut key.key);
        scenario.keys.push(key);
    }
}

/// What the request is sent with: a key with the scopes that its text names (`sk-admin.a:read+b:write`) is made, and a
/// request of the run without credentials gets the owner's.
pub(crate) fn sign(sim: &PortalSim, exchange: &mut Exchange) {
    if is_stand_in(exchange) && exchange.header("Authorization").is_none() {
        exchange.headers.push(("Authorization".to_owned(), format!("Bearer {}", sim.key())));
    }
    let Some(text) = exchange.header("Authorization").and_then(|value| value.strip_prefix("Bearer ")) else { return };
    let Some((caller, scopes)) = text.split_once('.') else { return };
    sim.edit(|scenario| {
        if scenario.keys.iter().any(|key| key.key == text) {
            return;
        }
        let Some(mut key) = scenario.keys.iter().find(|key| key.key == caller).cloned() else { return };
        text.clone_into(&mut key.key);
        key.scopes = scopes.split('+').map(str::to_owned).collect();
        scenario.keys.push(key);
    });
}

fn upload(id: i64, at: DateTime<Utc>, title: &str, target: i64) -> Event {
    let mut event = Event::new(5011, ANNA, at).id(id);
    event.stored = Some(Stored {
        description: Some(serde_json::json!([title]).to_string()),
        target: Some(target.to_string()),
        ip: Some("203.0.113.7".to_owned()),
        browser: Some("Chrome 131".to_owned()),
        platform: Some("Windows 10".to_owned()),
        page: Some("https://portal.example/rooms/shared/71/filter?folder=71".to_owned()),
        references: Vec::new(),
    });
    event
}

/// Many rows, ten per second.
fn crowd(scenario: &mut Scenario) {
    let first = at("2025-02-01T12:00:00Z");
    for index in 0..CROWD.0 {
        scenario.add_event(upload(5000 + index, first + Duration::seconds(index / 10), &format!("m{index}"), index));
    }
    for index in 0..CROWD.1 {
        let mut login = Login::failure("", "203.0.113.7", first + Duration::seconds(index / 10));
        (login.id, login.user, login.login, login.action) = (5000 + index, ANNA, None, 1029);
        scenario.add_login(login);
    }
}

/// Ten events and three logins, one of each unreadable.
fn poison(scenario: &mut Scenario) {
    let first = at("2025-02-01T12:00:00Z");
    for index in 0..10 {
        let mut event = upload(3000 + index, first + Duration::seconds(index), "good.docx", 1);
        if index == 5 {
            event.action = 5076;
            event.stored = Some(Stored { description: Some(r#"["{x}"]"#.to_owned()), ..Stored::default() });
        }
        scenario.add_event(event);
    }
    for index in 0..3 {
        let mut login = Login::failure("", "", first + Duration::seconds(index));
        (login.id, login.user, login.login, login.action) = (3000 + index, ANNA, None, 1029);
        let ip = (index != 1).then(|| "203.0.113.7".to_owned());
        login.stored = Some(Stored { ip, ..Stored::default() });
        scenario.add_login(login);
    }
}

/// Thirty logins of two people in turn, every third one failed.
fn logins(scenario: &mut Scenario) {
    for index in 0..30 {
        let mut login = Login::failure("", "203.0.113.7", at("2025-02-01T12:00:00Z") + Duration::seconds(index));
        login.id = 4000 + index;
        login.user = if index % 2 == 1 { ANNA } else { BOB };
        login.login = None;
        login.action = if index % 3 == 0 { 1013 } else { 1029 };
        scenario.add_login(login);
    }
}
