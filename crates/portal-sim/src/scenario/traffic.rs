//! Ordinary work, invented from a seed, and plain repetitions: many files, auto-saves, logins.
//!
//! Everything is relative to the portal's `now` and nothing looks at the calendar, so a scenario holds the same
//! rows, and the same truth, at every `now`.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Scenario;
use super::content::StoredFile;
use super::entry::{ScenarioError, actor, instant, length, person, room_of};
use super::model::{Event, Login, Person, mix};

/// What people ordinarily do, with repetitions for what they do more often: download, open, view, save, upload,
/// create, lock, rename, throw away.
pub(super) const OFFICE_ACTIONS: &[i32] = &[5009, 5009, 5054, 5054, 5064, 5034, 5034, 5011, 5000, 5006, 5001, 5017];
/// An upload over a file, which is there then.
const UPLOADED_OVER: i32 = 5099;
/// A save in the editor.
const SAVE: i32 = 5034;
/// A file got another name.
const RENAMED: i32 = 5001;
/// Acts of one sitting; far below twenty an hour, so that ordinary people stay ordinary.
const SITTING_ACTS: (u64, u64) = (2, 5);
/// Seconds between the acts of a sitting.
const ACT_GAP: (u64, u64) = (60, 360);
/// Minutes between the beginnings of two sittings of one person.
const SITTING_GAP: (u64, u64) = (90, 240);
/// How many files people work with in one room.
const FILES_PER_ROOM: i32 = 40;

/// Rows to invent; times are relative to the portal's clock, people are named by e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Traffic {
    /// People who work in sittings of a few acts, each sitting in one room.
    Office {
        /// Where the acts come from; the same seed gives the same acts.
        seed: u64,
        /// Who.
        people: Vec<String>,
        /// Where; a room named twice is visited twice as often.
        rooms: Vec<i32>,
        /// Beginning.
        since: String,
        /// End.
        until: String,
        /// What they do, drawn from this list instead of the usual one.
        actions: Option<Vec<i32>>,
    },
    /// Distinct files, one act each, evenly over the time; `at_once` of them share a second, as in a bulk download.
    Files {
        /// Who; `anonymous` for people who come through a link; or a robot, by `initiator`.
        person: Option<String>,
        /// The name of a robot, or the one that a visitor typed.
        initiator: Option<String>,
        /// Where.
        room: i32,
        /// Taken in turn.
        actions: Vec<i32>,
        /// How many.
        files: i32,
        /// Id of the first; the others follow.
        first_file: i32,
        /// Instant of the first act.
        since: String,
        /// Instant of the last act.
        until: String,
        /// How many share a second.
        #[serde(default = "one")]
        at_once: i32,
        /// From this address instead of the person's usual one.
        ip: Option<String>,
        /// What the names of the files end in besides, for instance `.locked`.
        #[serde(default)]
        ending: String,
    },
    /// The same file saved again and again, as the editor does.
    AutoSaves {
        /// Who.
        person: String,
        /// Where.
        room: i32,
        /// The file's id.
        file: i32,
        /// The file's title.
        title: String,
        /// First save.
        since: String,
        /// No save after this.
        until: String,
        /// Time between two saves.
        every: String,
    },
    /// Every person logs in once a day and out some hours later.
    Logins {
        /// Where the times come from.
        seed: u64,
        /// Who.
        people: Vec<String>,
        /// First day.
        since: String,
    },
}

fn one() -> i32 {
    1
}

/// Adds the invented rows to the scenario.
pub(crate) fn generate(traffic: &Traffic, scenario: &mut Scenario) -> Result<(), ScenarioError> {
    let now = scenario.now;
    check(traffic)?;
    match traffic {
        Traffic::Office { seed, people, rooms, since, until, actions } => {
            let span = (instant(since, now)?, instant(until, now)?);
            for room in rooms {
                room_of(scenario, *room)?;
            }
            for (index, email) in (0..).zip(people) {
                let who = person(scenario, email)?.id;
                let mut dice = Dice(mix(*seed) ^ mix(index + 1));
                office(scenario, &mut dice, who, rooms, span, actions.as_deref().unwrap_or(OFFICE_ACTIONS));
            }
        }
        Traffic::Files {
            person: email,
            initiator,
            room,
            actions,
            files,
            first_file,
            since,
            until,
            at_once,
            ip,
            ending,
        } => {
            let (since, until) = (instant(since, now)?, instant(until, now)?);
            room_of(scenario, *room)?;
            // a robot's rows carry an id that no account has
            let who = email.as_ref().map_or(Ok(Uuid::nil()), |email| actor(scenario, email))?;
            for file in 0..*files {
                let turn = file / at_once;
                let turns = ((files - 1) / at_once).max(1);
                let at = since + Duration::seconds((until - since).num_seconds() * i64::from(turn) / i64::from(turns));
                let action = actions[file as usize % actions.len()];
                let id = first_file + file;
                let title = format!("document {id}.docx{ending}");
                if action == UPLOADED_OVER {
                    scenario.content.files.push(StoredFile::new(id, *room, &title, who, at, b"x"));
                }
                let mut event = Event::new(action, who, at).file(id, &title).in_room(*room);
                if action == RENAMED {
                    event.texts.push(former_title(id, ending));
                }
                event.initiator.clone_from(initiator);
                event.ip.clone_from(ip);
                let name = scenario.person(who).map(Person::display_name).or_else(|| initiator.clone());
                scenario.add_event(signed(event, &name.unwrap_or_default()));
            }
        }
        Traffic::AutoSaves { person: email, room, file, title, since, until, every } => {
            let (mut at, until) = (instant(since, now)?, instant(until, now)?);
            let who = person(scenario, email)?.id;
            room_of(scenario, *room)?;
            while at <= until {
                let name = scenario.person(who).map(Person::display_name).unwrap_or_default();
                scenario.add_event(signed(Event::new(SAVE, who, at).file(*file, title).in_room(*room), &name));
                at += length(every)?;
            }
        }
        Traffic::Logins { seed, people, since } => {
            let since = instant(since, now)?;
            for (index, email) in (0..).zip(people) {
                let mut dice = Dice(mix(*seed) ^ mix(index + 1));
                logins(scenario, &mut dice, email, since)?;
            }
        }
    }
    Ok(())
}

/// What a renamed document was called before: without the ending, or with the one of an attack where somebody renames it back.
fn former_title(id: i32, ending: &str) -> String {
    format!("document {id}.docx{}", if ending.is_empty() { ".locked" } else { "" })
}

/// Refuses what would never end or has nothing to choose from.
fn check(traffic: &Traffic) -> Result<(), ScenarioError> {
    let demand = |good: bool, what| if good { Ok(()) } else { Err(ScenarioError::Traffic(what)) };
    match traffic {
        Traffic::Office { rooms, actions, .. } => {
            demand(!rooms.is_empty(), "at least one of `rooms`")?;
            demand(actions.as_ref().is_none_or(|list| !list.is_empty()), "at least one of `actions`")
        }
        Traffic::Files { actions, at_once, .. } => {
            demand(!actions.is_empty(), "at least one of `actions`")?;
            demand(*at_once > 0, "`at_once` of at least 1")
        }
        Traffic::AutoSaves { every, .. } => demand(length(every)? > Duration::zero(), "`every` above zero"),
        Traffic::Logins { .. } => Ok(()),
    }
}

fn office(
    scenario: &mut Scenario,
    dice: &mut Dice,
    who: Uuid,
    rooms: &[i32],
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    actions: &[i32],
) {
    let mut sitting = since + Duration::minutes(dice.between((0, SITTING_GAP.1)));
    while sitting < until {
        let room = *dice.pick(rooms);
        let mut at = sitting;
        for _ in 0..dice.between(SITTING_ACTS) {
            let action = *dice.pick(actions);
            let file = room * 1000 + i32::try_from(dice.below(FILES_PER_ROOM as u64)).unwrap_or_default();
            if at < until {
                let name = scenario.person(who).map(Person::display_name).unwrap_or_default();
                let event = Event::new(action, who, at).file(file, &format!("paper {file}.docx")).in_room(room);
                scenario.add_event(signed(event, &name));
            }
            at += Duration::seconds(dice.between(ACT_GAP));
        }
        sitting += Duration::minutes(dice.between(SITTING_GAP));
    }
}

/// Saves also say in words who saved.
pub(super) fn signed(mut event: Event, name: &str) -> Event {
    if event.action == SAVE {
        event.texts.push(name.to_owned());
    }
    event
}

fn logins(scenario: &mut Scenario, dice: &mut Dice, email: &str, since: DateTime<Utc>) -> Result<(), ScenarioError> {
    let who = person(scenario, email)?.clone();
    let mut day = since;
    while day < scenario.now {
        let at = day + Duration::seconds(dice.between((0, 4 * 3600)));
        // one day in eight somebody types the password wrongly first
        if dice.below(8) == 0 {
            let failed = Login::failure(&who.email, &who.ip, at - Duration::seconds(20));
            scenario.add_login(failed);
        }
        let mut logout = Login::success(&who, at + Duration::seconds(dice.between((4 * 3600, 9 * 3600))));
        logout.action = 1006;
        logout.login = Some(who.display_name());
        for login in [Login::success(&who, at), logout] {
            if login.at < scenario.now {
                scenario.add_login(login);
            }
        }
        day += Duration::days(1);
    }
    Ok(())
}

/// `SplitMix64`: the same numbers from the same seed on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number from zero up to, and without, `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % bound
    }

    /// A number between these two, both included.
    pub(super) fn between(&mut self, (low, high): (u64, u64)) -> i64 {
        i64::try_from(low + self.below(high - low + 1)).expect("the ranges of this module are small")
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}
