//! Scenario files: JSON with times relative to the portal's `now`, so a scenario can be run at any instant.
//!
//! The format is described in the crate's README. Ids of rows are given here, in the order of time.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::condition::Words;
use super::content_file::ContentEntry;
use super::entry::{ScenarioError, actor, instant, number, person, room_of};
use super::model::{Event, Key, Login, Person, PersonKind, Room};
use super::office::Office;
use super::traffic::{self, Traffic};
use super::truth::Truth;
use super::{Scenario, builtin};
use crate::fault::Fault;
use crate::limiter::Limits;
use crate::mail::MailServer;

/// A scenario file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    /// A built-in scenario whose people, rooms, traffic, … come first.
    based_on: Option<String>,
    /// A clock that the scenario depends on; otherwise it can be run at any.
    now: Option<DateTime<Utc>>,
    zone: Option<String>,
    version: Option<String>,
    standalone: Option<bool>,
    audit: Option<bool>,
    #[serde(default)]
    people: Vec<PersonEntry>,
    #[serde(default)]
    keys: Vec<KeyEntry>,
    #[serde(default)]
    rooms: Vec<RoomEntry>,
    /// A generated office.
    office: Option<Office>,
    #[serde(default)]
    content: ContentEntry,
    #[serde(default)]
    traffic: Vec<Traffic>,
    #[serde(default)]
    events: Vec<EventEntry>,
    #[serde(default)]
    logins: Vec<LoginEntry>,
    #[serde(default)]
    faults: Vec<Fault>,
    restrictions: Option<RestrictionsEntry>,
    #[serde(default)]
    limits: LimitsEntry,
    mail_server: Option<MailServer>,
    words: Option<Words>,
    truth: Truth,
}

/// `true` for the portal's usual limits, or an object with some.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum LimitsEntry {
    All(bool),
    Some(Limits),
}

impl Default for LimitsEntry {
    fn default() -> LimitsEntry {
        LimitsEntry::All(false)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    id: Uuid,
    first_name: String,
    last_name: String,
    email: String,
    #[serde(default)]
    kind: PersonKind,
    #[serde(default = "active")]
    status: i32,
    ip: String,
    /// Comes from a directory.
    #[serde(default)]
    ldap: bool,
}

fn active() -> i32 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    person: String,
    key: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    expires: Option<String>,
    used: Option<String>,
    from: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomEntry {
    id: i32,
    title: String,
    #[serde(rename = "type")]
    room_type: i32,
    #[serde(default)]
    archived: bool,
    created: String,
    owner: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    former: Vec<FormerTitle>,
    /// When it was deleted; its events stay.
    deleted: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerTitle {
    until: String,
    title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    at: String,
    action: i32,
    person: String,
    room: Option<i32>,
    file: Option<i32>,
    #[serde(default)]
    texts: Vec<String>,
    about: Option<String>,
    ip: Option<String>,
    #[serde(default)]
    poison: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginEntry {
    at: String,
    person: String,
    #[serde(default)]
    failed: bool,
    /// What was typed instead of the person's address.
    typed: Option<String>,
    ip: Option<String>,
    country: Option<String>,
    page: Option<String>,
    #[serde(default)]
    poison: bool,
}

/// The IP restrictions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RestrictionsEntry {
    #[serde(default)]
    enabled: bool,
    /// Addresses, for everybody.
    #[serde(default)]
    entries: Vec<String>,
    /// Addresses that count for administrators only.
    #[serde(default)]
    for_admin: Vec<String>,
    #[serde(default)]
    trusts_callers: bool,
}

/// Reads a scenario file and gives every row its instant and its id.
pub(super) fn load(text: &str, now: DateTime<Utc>) -> Result<Scenario, ScenarioError> {
    let mut scenario = Scenario::bare(now);
    scenario.people.clear();
    scenario.keys.clear();
    apply(text, &mut scenario)?;
    if scenario.people.iter().all(|person| person.kind != PersonKind::Owner) {
        return Err(ScenarioError::Person("an owner".to_owned()));
    }
    let owner_key = Key::of(scenario.owner());
    scenario.keys.insert(0, owner_key);
    scenario.begin();
    number(&mut scenario);
    Ok(scenario)
}

fn apply(text: &str, scenario: &mut Scenario) -> Result<(), ScenarioError> {
    let file: File = serde_json::from_str(text).map_err(ScenarioError::Syntax)?;
    // first, because what the base holds is relative to the clock too
    scenario.now = file.now.unwrap_or(scenario.now);
    if let Some(base) = &file.based_on {
        apply(builtin::text(base).ok_or_else(|| ScenarioError::Base(base.clone()))?, scenario)?;
    }
    let now = scenario.now;
    scenario.name = file.name;
    scenario.description = file.description;
    scenario.truth = file.truth;
    if let Some(zone) = file.zone {
        scenario.zone = zone.parse().map_err(|_| ScenarioError::Zone(zone))?;
    }
    scenario.version = file.version.unwrap_or_else(|| std::mem::take(&mut scenario.version));
    scenario.condition.words = file.words.unwrap_or_else(|| std::mem::take(&mut scenario.condition.words));
    scenario.standalone = file.standalone.unwrap_or(scenario.standalone);
    scenario.audit = file.audit.unwrap_or(scenario.audit);
    scenario.mail_server = file.mail_server.or(scenario.mail_server);
    scenario.people.extend(file.people.into_iter().map(PersonEntry::build));
    for key in file.keys {
        let person = person(scenario, &key.person)?;
        let mut built = Key::of(person);
        built.key = key.key.unwrap_or(built.key);
        built.scopes = key.scopes;
        built.expires = key.expires.map(|text| instant(&text, now)).transpose()?;
        built.used = key.used.map(|text| instant(&text, now)).transpose()?;
        built.from = key.from;
        scenario.keys.push(built);
    }
    let mut deleted = Vec::new();
    for room in file.rooms {
        deleted.extend(room.deleted.as_deref().map(|at| Ok((room.id, instant(at, now)?))).transpose()?);
        room.add(scenario)?;
    }
    file.content.add(scenario)?;
    if let Some(office) = &file.office {
        office.fill(scenario)?;
    }
    for entry in file.events {
        let event = entry.build(scenario)?;
        scenario.add_event(event);
    }
    for entry in file.logins {
        let login = entry.build(scenario)?;
        scenario.add_login(login);
    }
    for traffic in &file.traffic {
        traffic::generate(traffic, scenario)?;
    }
    for (room, at) in deleted {
        scenario.delete_room(room, at);
    }
    let faults = scenario.faults.drain(..).chain(file.faults).collect();
    scenario.order(faults)?;
    if let Some(restrictions) = file.restrictions {
        restrictions.apply(scenario);
    }
    scenario.limits = match file.limits {
        LimitsEntry::All(true) => Limits::usual(),
        LimitsEntry::All(false) => scenario.limits,
        LimitsEntry::Some(limits) => limits,
    };
    Ok(())
}

impl PersonEntry {
    fn build(self) -> Person {
        Person {
            id: self.id,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            kind: self.kind,
            status: self.status,
            ip: self.ip,
            is_ldap: self.ldap,
            culture: None,
        }
    }
}

impl RoomEntry {
    /// Adds the room, and for every former title the event of the renaming.
    fn add(self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        let now = scenario.now;
        let mut titles: Vec<String> = self.former.iter().map(|former| former.title.clone()).collect();
        titles.push(self.title);
        let mut room = Room::vdr(self.id, &titles[0]).room_type(self.room_type);
        room.archived = self.archived;
        room.created = instant(&self.created, now)?;
        room.owner = person(scenario, &self.owner)?.id;
        for member in &self.members {
            room.members.push(person(scenario, member)?.id);
        }
        scenario.add_room(room);
        for (former, next) in self.former.iter().zip(&titles[1..]) {
            scenario.rename_room(self.id, next, instant(&former.until, now)?);
        }
        Ok(())
    }
}

impl EventEntry {
    fn build(self, scenario: &Scenario) -> Result<Event, ScenarioError> {
        let at = instant(&self.at, scenario.now)?;
        let actor = actor(scenario, &self.person)?;
        let mut event = if self.poison { Event::poison(actor, at) } else { Event::new(self.action, actor, at) };
        if let Some(room) = self.room {
            room_of(scenario, room)?;
            event = event.in_room(room);
            event.target = vec![room.to_string()];
        }
        if let Some(file) = self.file {
            event.target = vec![file.to_string()];
        }
        if !self.texts.is_empty() {
            event.texts = self.texts;
        }
        event.about = self.about.map(|email| person(scenario, &email).map(|p| p.id)).transpose()?;
        event.ip = self.ip;
        Ok(event)
    }
}

impl LoginEntry {
    fn build(self, scenario: &Scenario) -> Result<Login, ScenarioError> {
        let at = instant(&self.at, scenario.now)?;
        let person = person(scenario, &self.person)?;
        let mut login =
            if self.failed { Login::failure(&person.email, &person.ip, at) } else { Login::success(person, at) };
        login.ip = self.ip.unwrap_or(login.ip);
        login.login = self.typed.or(login.login);
        (login.country, login.page) = (self.country, self.page);
        if self.poison {
            login.stored = Login::poison(person, at).stored;
        }
        Ok(login)
    }
}

impl RestrictionsEntry {
    fn apply(self, scenario: &mut Scenario) {
        let entries = self.entries.into_iter().map(|ip| (ip, false));
        for (ip, for_admin) in entries.chain(self.for_admin.into_iter().map(|ip| (ip, true))) {
            scenario.restrict(&ip, for_admin);
        }
        scenario.condition.restrictions.enabled = self.enabled;
        scenario.condition.restrictions.trusts_callers = self.trusts_callers;
    }
}
