//! An office of any size at work: weekdays, working hours, lunch, several time zones, auto-saves, robots.
//!
//! Unlike [`super::Traffic`] it looks at the calendar, so what a day holds depends on the portal's `now`; what is
//! planted does not. There are no holidays.

use chrono::{DateTime, Datelike as _, Days, Duration, NaiveDate, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Scenario;
use super::entry::{ScenarioError, instant, number};
use super::model::{Event, Login, Person, PersonKind, Place, Room, mix};
use super::traffic::{self, Dice, OFFICE_ACTIONS, Traffic, signed};
use super::truth::Expected;

const FIRST_NAMES: &[&str] = &[
    "Ada", "Bruno", "Clara", "David", "Elif", "Farid", "Gina", "Hugo", "Ines", "Jonas", "Karin", "Leo", "Mina", "Nils",
    "Oona", "Pavel", "Quinn", "Rosa", "Sami", "Tilda", "Umar", "Vera", "Wim", "Xenia", "Yara", "Zeno",
];
const LAST_NAMES: &[&str] = &[
    "Abel", "Brandt", "Castro", "Dietz", "Engel", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kaya", "Lang",
    "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Torres", "Ueda", "Vogel", "Weber", "Young",
];
const PROJECTS: &[&str] =
    &["Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Pine", "Rowan", "Willow"];

/// First hours of the working day that somebody may have, and the hours they work from there on.
const HOURS: (u64, u64, i64) = (7, 10, 9);
/// Acts on distinct documents in one hour; twice this is far below twenty, so ordinary people stay ordinary.
const ACTS_AN_HOUR: usize = 6;
/// In a rush people do so many times as much an hour; still below twenty.
const RUSH: usize = 3;
/// How many files people work with in one room.
const FILES_PER_ROOM: u64 = 40;
/// One row in so many is a robot's.
const ROBOT_SHARE: usize = 40;
/// Rooms that one person works in.
const ROOMS_EACH: u64 = 3;
/// Id of the first generated room.
const FIRST_ROOM: i32 = 1001;
/// File ids of a room begin at a thousand times its own.
const FILES_FROM: i32 = 1000;

/// What to generate; the same numbers give the same portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    seed: u64,
    people: u32,
    rooms: i32,
    days: u32,
    events: usize,
    #[serde(default)]
    incidents: Vec<Incident>,
    #[serde(default)]
    rush_days: u32,
    #[serde(skip)]
    zone: Option<Tz>,
}

/// Somebody who takes far more files than their work needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// E-mail address; an account is made if there is none.
    pub person: String,
    /// The room's id; generated rooms are numbered from 1001.
    pub room: i32,
    /// How many files, each downloaded once.
    pub files: i32,
    /// The first download, relative to the portal's clock.
    pub since: String,
    /// The last one.
    pub until: String,
}

impl Office {
    /// Forty people in twelve rooms over thirty days, ten thousand events, nobody unusual.
    #[must_use]
    pub fn new(seed: u64) -> Office {
        Office {
            seed,
            people: 40,
            rooms: 12,
            days: 30,
            events: 10_000,
            incidents: Vec::new(),
            rush_days: 0,
            zone: None,
        }
    }

    /// So many people.
    #[must_use]
    pub fn people(mut self, people: u32) -> Office {
        self.people = people;
        self
    }

    /// So many rooms; three of four are virtual data rooms.
    #[must_use]
    pub fn rooms(mut self, rooms: i32) -> Office {
        self.rooms = rooms;
        self
    }

    /// So many days before the portal's clock, weekends included.
    #[must_use]
    pub fn days(mut self, days: u32) -> Office {
        self.days = days;
        self
    }

    /// So many audit events, not counting the incidents.
    #[must_use]
    pub fn events(mut self, events: usize) -> Office {
        self.events = events;
        self
    }

    /// With the last so many days the end of a quarter: everybody does three times as much as before.
    #[must_use]
    pub fn rush(mut self, days: u32) -> Office {
        self.rush_days = days;
        self
    }

    /// With the portal in this zone; most people work in it.
    #[must_use]
    pub fn zone(mut self, zone: Tz) -> Office {
        self.zone = Some(zone);
        self
    }

    /// With something to be found; it becomes part of the truth.
    #[must_use]
    pub fn incident(mut self, incident: Incident) -> Office {
        self.incidents.push(incident);
        self
    }

    /// The portal at this clock.
    ///
    /// # Errors
    /// When an incident names a time or a room that is not there, or there is nobody or no day to work.
    pub fn build(&self, now: DateTime<Utc>) -> Result<Scenario, ScenarioError> {
        let mut scenario = Scenario::bare(now);
        "office".clone_into(&mut scenario.name);
        scenario.description = format!("{} people, {} rooms, {} days", self.people, self.rooms, self.days);
        scenario.zone = self.zone.unwrap_or(scenario.zone);
        self.fill(&mut scenario)?;
        scenario.begin();
        number(&mut scenario);
        Ok(scenario)
    }

    /// Adds people, rooms, work and incidents to a portal.
    pub(super) fn fill(&self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        if self.people == 0 || self.rooms < 1 {
            return Err(ScenarioError::Traffic("at least one of `people` and of `rooms`"));
        }
        let mut dice = Dice::new(mix(self.seed));
        if scenario.people.iter().all(|person| person.kind != PersonKind::Owner) {
            scenario.people.push(Person::new("olga@example.com", "Olga", "Owner").kind(PersonKind::Owner));
        }
        let staff: Vec<Worker> = (0..self.people).map(|index| self.hire(index, scenario.zone, &mut dice)).collect();
        scenario.people.extend(staff.iter().map(|worker| worker.person.clone()));
        let rooms: Vec<Room> = (0..self.rooms).map(|index| open(index, scenario, &staff, &mut dice)).collect();
        scenario.rooms.extend(rooms.iter().cloned());
        let shifts = self.shifts(&staff, scenario.now, &mut dice);
        if shifts.is_empty() {
            return Err(ScenarioError::Traffic("a weekday within `days`"));
        }
        let robots = self.events / ROBOT_SHARE;
        let rows = self.events - robots;
        scenario.events.reserve(self.events);
        let all: usize = shifts.iter().map(|shift| shift.pace).sum();
        let mut before = 0;
        for shift in &shifts {
            // so that the shares add up to exactly `rows`
            let share = rows * (before + shift.pace) / all - rows * before / all;
            before += shift.pace;
            shift.work(share, &rooms, scenario, &mut dice);
        }
        self.automate(robots, &rooms, scenario, &mut dice);
        self.incidents.iter().try_for_each(|incident| incident.plant(scenario))
    }

    fn hire(&self, index: u32, zone: Tz, dice: &mut Dice) -> Worker {
        let (first, last) = (*dice.pick(FIRST_NAMES), *dice.pick(LAST_NAMES));
        let email = format!("{}.{}.{index}@example.com", first.to_lowercase(), last.to_lowercase());
        let mut person = Person::new(&email, first, last).kind(match index % 20 {
            0 => PersonKind::Admin,
            1..=3 => PersonKind::RoomAdmin,
            4 | 5 => PersonKind::Guest,
            _ => PersonKind::User,
        });
        let zone = match index % 10 {
            8 => chrono_tz::America::New_York,
            9 => chrono_tz::Asia::Kolkata,
            _ => zone,
        };
        let network = if zone == chrono_tz::America::New_York { "198.51.100" } else { "192.0.2" };
        person.ip = format!("{network}.{}", 1 + index % 250);
        let start = dice.between((HOURS.0, HOURS.1));
        let rooms = (0..ROOMS_EACH)
            .map(|_| i32::try_from(dice.below(u64::from(self.rooms.unsigned_abs()))).unwrap_or_default() + FIRST_ROOM)
            .collect();
        Worker { person, zone, start, lunch: start + dice.between((3, 4)), rooms }
    }

    /// Who works on which day, and in which hours; hours that have not begun are left out.
    fn shifts<'a>(&self, staff: &'a [Worker], now: DateTime<Utc>, dice: &mut Dice) -> Vec<Shift<'a>> {
        let mut shifts = Vec::new();
        for back in (0..u64::from(self.days)).rev() {
            for worker in staff {
                let today = now.with_timezone(&worker.zone).date_naive();
                let Some(day) = today.checked_sub_days(Days::new(back)) else { continue };
                // somebody is always ill or away
                let away = dice.below(14) == 0;
                if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || away {
                    continue;
                }
                let hours: Vec<DateTime<Utc>> =
                    worker.hours(day).filter(|hour| *hour + Duration::hours(1) <= now).collect();
                if !hours.is_empty() {
                    let pace = if back < u64::from(self.rush_days) { RUSH } else { 1 };
                    shifts.push(Shift { worker, hours, pace });
                }
            }
        }
        shifts
    }

    /// The document service saves around the clock, the clean-up deletes at night.
    fn automate(&self, rows: usize, rooms: &[Room], scenario: &mut Scenario, dice: &mut Dice) {
        let seconds = u64::from(self.days.max(1)) * 86_400;
        for index in 0..rows {
            let room = dice.pick(rooms);
            let at = scenario.now - Duration::seconds(dice.between((1, seconds)));
            let (action, name) = if index % 8 == 0 { (5018, "AutoCleanUp") } else { (5034, "DocsService") };
            let mut event = act(action, room, dice, at);
            event.initiator = Some(name.to_owned());
            scenario.events.push(signed(event, name));
        }
    }
}

/// Somebody and their habits.
struct Worker {
    person: Person,
    zone: Tz,
    /// First hour of the day, on their own clock.
    start: i64,
    /// The hour in which they do nothing.
    lunch: i64,
    rooms: Vec<i32>,
}

impl Worker {
    /// The beginnings of the hours they work on this day.
    fn hours(&self, day: NaiveDate) -> impl Iterator<Item = DateTime<Utc>> {
        (self.start..self.start + HOURS.2).filter(|hour| *hour != self.lunch).filter_map(move |hour| {
            let local = day.and_hms_opt(u32::try_from(hour).ok()?, 0, 0)?;
            // an hour that the clock change skips is not worked
            self.zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
        })
    }
}

/// A day of somebody's work.
struct Shift<'a> {
    worker: &'a Worker,
    hours: Vec<DateTime<Utc>>,
    /// 1 on ordinary days.
    pace: usize,
}

impl Shift<'_> {
    /// So many rows: acts on documents, and what goes beyond a day's work as auto-saves of one document.
    fn work(&self, rows: usize, rooms: &[Room], scenario: &mut Scenario, dice: &mut Dice) {
        let person = &self.worker.person;
        let name = person.display_name();
        let acts = rows.min(self.hours.len() * ACTS_AN_HOUR * self.pace);
        let room_of = |id: i32| rooms.iter().find(|room| room.id == id).expect("people work in generated rooms");
        let mut add = |mut event: Event| {
            event.actor = person.id;
            event.ip = Some(person.ip.clone());
            scenario.events.push(signed(event, &name));
        };
        let places: Vec<&Room> = self.hours.iter().map(|_| room_of(*dice.pick(&self.worker.rooms))).collect();
        for index in 0..acts {
            let hour = index % self.hours.len();
            let at = self.hours[hour] + Duration::seconds(dice.between((0, 3599)));
            add(act(*dice.pick(OFFICE_ACTIONS), places[hour], dice, at));
        }
        let draft = act(5034, places[0], dice, self.hours[0]);
        for index in 0..rows - acts {
            let hour = self.hours[index % self.hours.len()];
            add(Event { at: hour + Duration::seconds(dice.between((0, 3599))), ..draft.clone() });
        }
        let began = self.hours[0] - Duration::seconds(dice.between((10, 900)));
        if dice.below(12) == 0 {
            scenario.logins.push(Login::failure(&person.email, &person.ip, began - Duration::seconds(20)));
        }
        scenario.logins.push(Login::success(person, began));
    }
}

/// An act on a file of this room, by nobody yet.
fn act(action: i32, room: &Room, dice: &mut Dice, at: DateTime<Utc>) -> Event {
    let file = room.id * FILES_FROM + i32::try_from(dice.below(FILES_PER_ROOM)).unwrap_or_default();
    let mut event = Event::new(action, Uuid::nil(), at).file(file, &format!("paper {file}.docx"));
    event.place = Place::Room { id: room.id, title: room.title.clone() };
    event
}

/// A room with those members who work in it.
fn open(index: i32, scenario: &Scenario, staff: &[Worker], dice: &mut Dice) -> Room {
    let id = FIRST_ROOM + index;
    let mut room = Room::vdr(id, &format!("{} {id}", dice.pick(PROJECTS)));
    if index % 4 == 3 {
        room = room.room_type(2);
    }
    room.created = scenario.now - Duration::days(400);
    room.owner = scenario.owner().id;
    room.members = staff.iter().filter(|worker| worker.rooms.contains(&id)).map(|worker| worker.person.id).collect();
    room
}

impl Incident {
    /// Adds the rows and says in the truth that they must be found.
    fn plant(&self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        if scenario.person_by_email(&self.person).is_none() {
            let mut person = Person::new(&self.person, "Mallory", "Quick");
            "203.0.113.66".clone_into(&mut person.ip);
            scenario.people.push(person);
        }
        let span = instant(&self.until, scenario.now)? - instant(&self.since, scenario.now)?;
        let traffic = Traffic::Files {
            person: Some(self.person.clone()),
            initiator: None,
            room: self.room,
            actions: vec![5009],
            files: self.files,
            first_file: self.room * FILES_FROM + 500,
            since: self.since.clone(),
            until: self.until.clone(),
            at_once: 1,
            ip: None,
            ending: String::new(),
        };
        traffic::generate(&traffic, scenario)?;
        scenario.truth.found.push(Expected {
            program: "vdr-watch".to_owned(),
            person: self.person.clone(),
            room: self.room,
            acts: usize::try_from(self.files).unwrap_or_default(),
            partly: false,
            within_hours: if span <= Duration::hours(1) { 1 } else { 24 },
            why: format!("downloads {} files within {} minutes", self.files, span.num_minutes()),
        });
        Ok(())
    }
}
