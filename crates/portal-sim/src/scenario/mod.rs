//! The state of a simulated portal, and how tests build and change it.
//!
//! `file` reads scenario files, `traffic` invents ordinary work; the wire is none of this module's business.

mod builtin;
mod condition;
mod content;
mod content_file;
mod delivery;
mod entry;
mod file;
mod index;
mod model;
mod office;
mod row;
mod stored;
mod traffic;
mod truth;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

pub use builtin::BUILTIN;
pub use condition::{Condition, Entry, Restriction, Restrictions, TenantState, Words};
pub use content::{Content, EVERYONE, Folder, Group, Quota, Share, StoredFile, Version};
pub use delivery::Lateness;
pub use entry::ScenarioError;
pub use model::{Event, GUEST, Key, Login, Person, PersonKind, Place, Room, SYSTEM};
pub use office::{Incident, Office};
pub use row::{Reference, Stored};
pub use traffic::Traffic;
pub use truth::{Expected, ExpectedAddress, Innocent, Truth};

pub(crate) use content::{ARCHIVE, Location, ROOMS, RoomExtras, Session};
pub(crate) use index::Span;
pub(crate) use model::{digest, mix};

use crate::fault::{self, Fault, FaultKind};
use crate::limiter::Limits;
use crate::mail::MailServer;

const API_KEY_CREATED: i32 = 6058;

/// First insertion id of audit events: large enough to look like a portal that has lived.
const FIRST_EVENT_ID: i64 = 48_000;
/// First insertion id of logins.
const FIRST_LOGIN_ID: i64 = 900;

/// A whole portal at one instant.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name, as on the command line.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// The portal's clock; it stands still.
    pub now: DateTime<Utc>,
    /// The clock when the portal was described: accounts stay as old as they were then, however far the clock is moved.
    pub(crate) described: DateTime<Utc>,
    /// The portal's time zone.
    pub zone: Tz,
    /// What `settings` and `settings/version/build` say, and which version the portal behaves like; see the README.
    pub version: String,
    /// Self-hosted.
    pub standalone: bool,
    /// Whether the quota has the `audit` feature; without it the filters silently return the newest 20 rows.
    pub audit: bool,
    /// Accounts; the first owner is the portal's owner.
    pub people: Vec<Person>,
    /// API keys; the first is what [`crate::PortalSim::key`] returns.
    pub keys: Vec<Key>,
    /// Rooms, active and archived.
    pub rooms: Vec<Room>,
    /// The audit trail, in no particular order.
    pub events: Vec<Event>,
    /// The login history, in no particular order.
    pub logins: Vec<Login>,
    /// Groups, folders, files, shares, quota.
    pub content: Content,
    /// Misbehaviour that is still to come.
    pub faults: Vec<Fault>,
    /// Which limiters are on; none, unless somebody switches them on.
    pub limits: Limits,
    /// The mail server beside the portal, in scenarios that have one.
    pub mail_server: Option<MailServer>,
    /// What is true.
    pub truth: Truth,
    /// Whether the portal runs, what is hidden, who may enter.
    pub condition: Condition,
    last_event: i64,
    last_login: i64,
    index: index::Index,
}

impl Scenario {
    /// A portal in UTC with an owner (`olga@example.com`), the owner's unrestricted key, and nothing else: of what the
    /// records of every portal hold, one old event and one old login.
    #[must_use]
    pub fn empty(now: DateTime<Utc>) -> Scenario {
        let owner = Person::new("olga@example.com", "Olga", "Owner")
            .kind(PersonKind::Owner)
            .id(Uuid::from_u128(0x66fa_a6e4_f133_11ea_b126_00ff_eec8_b4ef));
        let mut scenario = Scenario {
            name: "empty".to_owned(),
            description: "an owner and nothing else".to_owned(),
            now,
            described: now,
            zone: chrono_tz::UTC,
            version: "3.7.2".to_owned(),
            standalone: false,
            audit: true,
            keys: vec![Key::of(&owner)],
            people: vec![owner],
            rooms: Vec::new(),
            events: Vec::new(),
            logins: Vec::new(),
            content: Content::default(),
            faults: Vec::new(),
            limits: Limits::default(),
            mail_server: None,
            truth: Truth::default(),
            condition: Condition::default(),
            last_event: FIRST_EVENT_ID,
            last_login: FIRST_LOGIN_ID,
            index: index::Index::default(),
        };
        scenario.begin();
        scenario
    }

    /// The same without the old event and the old login of every portal, for tests that count rows.
    #[must_use]
    pub fn bare(now: DateTime<Utc>) -> Scenario {
        let mut scenario = Scenario::empty(now);
        scenario.events.clear();
        scenario.logins.clear();
        scenario
    }

    /// Gives the records what every portal's hold, where they hold nothing: the owner's key was made more than a year ago, and the owner
    /// signed in less than half a year ago.
    fn begin(&mut self) {
        let owner = self.owner().clone();
        if self.events.is_empty() {
            let made = Event::new(API_KEY_CREATED, owner.id, self.now - TimeDelta::days(400)).ip(&owner.ip);
            self.events.push(Event { id: FIRST_EVENT_ID, ..made });
        }
        if self.logins.is_empty() {
            let login = Login::success(&owner, self.now - TimeDelta::days(170));
            self.logins.push(Login { id: FIRST_LOGIN_ID, ..login });
        }
    }

    /// One of the scenarios of [`BUILTIN`], as seen at `now`; `None` for an unknown name.
    #[must_use]
    pub fn builtin(name: &str, now: DateTime<Utc>) -> Option<Scenario> {
        builtin::text(name).map(|text| file::load(text, now).expect("built-in scenarios are valid; a test loads each"))
    }

    /// A scenario from the text of a scenario file, as seen at `now`.
    ///
    /// # Errors
    /// When the text is not a scenario file, or names a person, room or time that is not there.
    pub fn from_json(text: &str, now: DateTime<Utc>) -> Result<Scenario, ScenarioError> {
        file::load(text, now)
    }

    /// Who must be found here, who must not, and what cannot be seen.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// With this time zone.
    #[must_use]
    pub fn with_zone(mut self, zone: Tz) -> Scenario {
        self.zone = zone;
        self
    }

    /// As a portal of this version, such as `3.1.1`.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Scenario {
        version.clone_into(&mut self.version);
        self
    }

    /// With or without the audit feature in the quota.
    #[must_use]
    pub fn with_audit(mut self, audit: bool) -> Scenario {
        self.audit = audit;
        self
    }

    /// With the same order of equal dates on every page.
    #[must_use]
    pub fn with_stable_order(mut self) -> Scenario {
        self.condition.stable_order = true;
        self
    }

    /// With another person.
    #[must_use]
    pub fn with_person(mut self, person: Person) -> Scenario {
        self.people.push(person);
        self
    }

    /// With another key. The first key stays the one that [`crate::PortalSim::key`] returns.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Scenario {
        self.keys.push(key);
        self
    }

    /// With another room, see [`Scenario::add_room`].
    #[must_use]
    pub fn with_room(mut self, room: Room) -> Scenario {
        self.add_room(room);
        self
    }

    /// With another event, see [`Scenario::add_event`].
    #[must_use]
    pub fn with_event(mut self, event: Event) -> Scenario {
        self.add_event(event);
        self
    }

    /// With another login, see [`Scenario::add_login`].
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Scenario {
        self.add_login(login);
        self
    }

    /// With misbehaviour.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Scenario {
        self.faults.push(fault);
        self
    }

    /// Adds a room; one without an owner gets the portal's.
    pub fn add_room(&mut self, mut room: Room) {
        if room.owner.is_nil() {
            room.owner = self.owner().id;
        }
        self.rooms.push(room);
    }

    /// With these limiters on.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Scenario {
        self.limits = limits;
        self
    }

    /// Adds an event and returns its id.
    ///
    /// Filled in where missing: the id, the room's title at that time, the person's usual address.
    pub fn add_event(&mut self, mut event: Event) -> i64 {
        if event.id == 0 {
            event.id = self.last_event + 1;
        }
        if event.ip.is_none() {
            event.ip = self.person(event.actor).map(|person| person.ip.clone());
        }
        event.place = self.place_at(event.place, event.at);
        let id = event.id;
        self.last_event = self.last_event.max(id);
        self.events.push(event);
        id
    }

    /// A place in a room with what is missing: the title at that time, and whether the room is an AI agent.
    fn place_at(&self, place: Place, at: DateTime<Utc>) -> Place {
        let Place::Room { id, title } = place else { return place };
        let Some(room) = self.room(id) else { return Place::Room { id, title } };
        let title = if title.is_empty() { room.title_at(at).to_owned() } else { title };
        if room.is_agent() { Place::Agent { id, title } } else { Place::Room { id, title } }
    }

    /// Adds an entry to the IP restrictions, without looking at the text: anything can stand in the table.
    pub fn restrict(&mut self, ip: &str, for_admin: bool) {
        let restrictions = &mut self.condition.restrictions;
        restrictions.last_id += 1;
        restrictions.entries.push(Restriction { id: restrictions.last_id, ip: ip.to_owned(), for_admin });
    }

    /// The same while the portal runs, by whoever has the database: no event tells of it, and a process that remembers the list goes by the
    /// one before it, with [`FaultKind::Stale`].
    pub fn restrict_in_the_table(&mut self, ip: &str) {
        let restrictions = &mut self.condition.restrictions;
        restrictions.earlier.push((restrictions.entries.clone(), restrictions.enabled));
        self.restrict(ip, false);
    }

    /// Adds a login and returns its id; an id of 0 is replaced by the next one.
    pub fn add_login(&mut self, mut login: Login) -> i64 {
        if login.id == 0 {
            login.id = self.last_login + 1;
        }
        let id = login.id;
        self.last_login = self.last_login.max(id);
        self.logins.push(login);
        id
    }

    /// Lets rows arrive, with times relative to the clock.
    pub(crate) fn receive(&mut self, traffic: &[Traffic]) -> Result<(), ScenarioError> {
        traffic.iter().try_for_each(|traffic| traffic::generate(traffic, self))
    }

    /// Replaces the faults, if the rows they bring can be made here.
    pub(crate) fn order(&mut self, faults: Vec<Fault>) -> Result<(), ScenarioError> {
        let mut trial = Scenario::empty(self.now);
        trial.people.clone_from(&self.people);
        trial.rooms.clone_from(&self.rooms);
        for fault in &faults {
            match &fault.kind {
                FaultKind::Arrive { traffic } => trial.receive(traffic)?,
                FaultKind::Meanwhile { request, .. } => drop(entry::person(self, &request.by)?),
                FaultKind::AccountChanges { person, by, .. } => {
                    for email in std::iter::once(person).chain(by) {
                        entry::person(self, email)?;
                    }
                }
                _ => {}
            }
        }
        self.faults = faults;
        fault::resolve(&mut self.faults, self.now);
        Ok(())
    }

    /// Puts rows that came since the last request into the index.
    pub(crate) fn reindex(&mut self) {
        self.index.catch_up(&self.events, &self.logins);
    }

    /// Throws the index away, after somebody may have changed rows in place.
    pub(crate) fn forget_index(&mut self) {
        self.index = index::Index::default();
    }

    /// The audit rows between two dates: those of an action, or else the listed ones, of a person or of all.
    ///
    /// With an action the person is not looked at.
    pub(crate) fn audit_rows(
        &self,
        action: Option<i32>,
        actor: Option<Uuid>,
        bounds: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    ) -> Span<'_, Event> {
        let positions = match (action, actor) {
            (Some(action), _) => self.index.of_action(&self.events, action),
            (None, Some(actor)) => self.index.of_actor(&self.events, actor),
            (None, None) => self.index.listed(&self.events),
        };
        Span::new(&self.events, positions, bounds)
    }

    /// The whole login history by date.
    pub(crate) fn login_rows(&self) -> Span<'_, Login> {
        Span::new(&self.logins, self.index.logins(&self.logins), (None, None))
    }

    /// The rows of a folder's or file's activity log, oldest first.
    pub(crate) fn events_about(&self, reference: Reference) -> impl Iterator<Item = &Event> {
        self.index.about(&self.events, reference).iter().map(|position| &self.events[*position as usize])
    }

    /// Takes the highest ids from the rows, after somebody numbered them anew.
    fn recount(&mut self) {
        self.last_event = self.events.iter().map(|event| event.id).max().unwrap_or(FIRST_EVENT_ID);
        self.last_login = self.logins.iter().map(|login| login.id).max().unwrap_or(FIRST_LOGIN_ID);
    }

    /// Gives a room a new title from `at` on, and writes the event (5071) that the portal writes then.
    ///
    /// Its `context` names the old title. Does nothing for a room that is not there.
    pub fn rename_room(&mut self, room: i32, title: &str, at: DateTime<Utc>) {
        let Some(found) = self.rooms.iter_mut().find(|r| r.id == room) else { return };
        let old = std::mem::replace(&mut found.title, title.to_owned());
        found.former.push((at, old.clone()));
        let renamed = if found.is_agent() { 5155 } else { 5071 };
        let mut event = Event::new(renamed, found.owner, at).in_room(room);
        event.target = vec![room.to_string()];
        event.texts = vec![old.clone(), title.to_owned()];
        event.place = Place::Room { id: room, title: old };
        self.add_event(event);
    }

    /// Deletes a room for good: its events stay, its activity log and its facts are gone.
    ///
    /// Writes the event (5074) of the deletion. Does nothing for a room that is not there.
    pub fn delete_room(&mut self, room: i32, at: DateTime<Utc>) {
        let Some(position) = self.rooms.iter().position(|known| known.id == room) else { return };
        let gone = self.rooms.remove(position);
        let mut event = Event::new(if gone.is_agent() { 5156 } else { 5074 }, gone.owner, at);
        event.target = vec![room.to_string()];
        event.texts = vec![gone.title.clone()];
        let place = Place::Room { id: room, title: gone.title.clone() };
        event.place = if gone.is_agent() { Place::Agent { id: room, title: gone.title } } else { place };
        self.add_event(event);
    }

    /// The portal's owner.
    ///
    /// # Panics
    /// When somebody removed every owner from `people`.
    #[must_use]
    pub fn owner(&self) -> &Person {
        self.people.iter().find(|p| p.kind == PersonKind::Owner).expect("every portal has an owner")
    }

    /// The account with this id.
    #[must_use]
    pub fn person(&self, id: Uuid) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// The account with this e-mail address, in any case.
    #[must_use]
    pub fn person_by_email(&self, email: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.email.eq_ignore_ascii_case(email))
    }

    /// The room with this id.
    #[must_use]
    pub fn room(&self, id: i32) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }
}
