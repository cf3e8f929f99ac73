//! Rooms, their titles over time, and which room an event belongs to.
//!
//! Only a room's own events carry its id. Nearly every other event names the room by the title it had at that moment, behind a
//! word in the reader's language, and titles are not unique. So: by target, else by title when one room had it, else the
//! activity logs of the rooms in question, joined by event id. What remains is said, not guessed.
//!
//! The word tells rooms from AI agents, which may have the same titles. What it means is learnt from events that carry an id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{AuditEvent, PortalText};

pub use self::placer::Placer;

mod placer;

/// The portal's number for the room type "virtual data room".
pub const VIRTUAL_DATA_ROOM: i32 = 8;

/// The portal's number for an AI agent, which is stored like a room and listed elsewhere.
pub const AI_AGENT_ROOM: i32 = 9;

/// A room created this much after an event can still be its room: reported dates are up to an hour late when clocks are set back.
const CREATION_MARGIN: TimeDelta = TimeDelta::hours(1);

/// Id of a room: a number, or text for rooms in third-party storage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RoomId {
    Number(i64),
    Text(String),
}

impl From<&str> for RoomId {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| RoomId::Text(text.to_owned()), RoomId::Number)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomId::Number(number) => write!(f, "{number}"),
            RoomId::Text(text) => f.write_str(&PortalText::new(text.as_str()).for_terminal()),
        }
    }
}

/// How an event was tied to a room, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attributed {
    /// The event names the room by id.
    Target,
    /// The room's activity log lists the event.
    Log,
    /// Only one room had that title then.
    Title,
    /// The document is in that room now, or was when it was last looked at.
    Tree,
}

/// What is known about a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomFact {
    pub id: RoomId,
    pub title: PortalText,
    /// The portal's number; absent for a room that only events tell of.
    pub room_type: Option<i32>,
    pub created: Option<DateTime<Utc>>,
}

impl RoomFact {
    /// Whether it is a virtual data room, or may have been one.
    pub fn may_be_vdr(&self) -> bool {
        self.room_type.is_none_or(|kind| kind == VIRTUAL_DATA_ROOM)
    }

    /// Whether an entry of a list in the settings means this room: by id, blanks around it do not count, or by its exact title.
    /// An entry of nothing means none.
    pub fn is_meant_by(&self, entry: &str) -> bool {
        !entry.trim().is_empty() && (self.title.raw() == entry || self.id == RoomId::from(entry.trim()))
    }
}

/// Where an event happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Room(RoomId, Attributed),
    /// In one of several rooms that have had this title.
    OneOf {
        title: PortalText,
        candidates: Vec<RoomId>,
    },
    /// In a room of which nothing else is known; or in an agent, where nobody knows what the word before its title means.
    UnknownRoom {
        title: PortalText,
    },
    /// Not in a room, as far as the portal says, or in an agent of which nothing else is known.
    Elsewhere,
}

impl Place {
    /// The rooms whose activity logs would tell where the event happened; empty when it is known, or when no log shows such events.
    pub fn question(&self, event: &AuditEvent) -> &[RoomId] {
        match self {
            Place::OneOf { candidates, .. } if event.action.is_in_room_log() => candidates,
            _ => &[],
        }
    }
}

/// All rooms that are known, those of the past included.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    by_id: BTreeMap<RoomId, RoomFact>,
    by_title: HashMap<String, BTreeSet<RoomId>>,
    /// When rooms were deleted, where an event says so.
    deleted: BTreeMap<RoomId, DateTime<Utc>>,
    /// What stands before titles, in whichever languages it was read.
    words: BTreeMap<String, Word>,
}

/// What bears a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    Room,
    Agent,
}

/// A word that stands before titles.
#[derive(Clone, Debug, Default)]
struct Word {
    /// What events that carry an id were about behind it.
    told: BTreeSet<RoomKind>,
    /// The titles that were read behind it.
    titles: BTreeSet<String>,
    /// First and last event with it.
    used: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Word {
    fn was_in_use(&self, at: DateTime<Utc>) -> bool {
        self.used.is_some_and(|(first, last)| (first..=last).contains(&at))
    }
}

impl Rooms {
    /// Takes in a room; titles it had before are kept, and so is what the fact does not say.
    pub fn learn(&mut self, mut fact: RoomFact) {
        self.by_title.entry(fact.title.raw().to_owned()).or_default().insert(fact.id.clone());
        if let Some(known) = self.by_id.get(&fact.id) {
            fact.room_type = fact.room_type.or(known.room_type);
            fact.created = fact.created.or(known.created);
        }
        self.by_id.insert(fact.id.clone(), fact);
    }

    /// Takes in what a room's own event says: the id, and the title at that moment (of a renamed room: the one before).
    ///
    /// Returns that as a fact if the room was not known by this title.
    pub fn learn_from(&mut self, event: &AuditEvent) -> Option<RoomFact> {
        let (id, is_agent) = match room_named_by(event) {
            Some(id) => (id, false),
            None => (agent_named_by(event)?, true),
        };
        if event.action.is_deletion_of_room() {
            self.deleted.insert(id.clone(), event.at);
        }
        let (word, title) = words_of(event)?;
        let title = PortalText::new(title);
        // some events of an agent are those of a room
        let kind = if is_agent { Some(RoomKind::Agent) } else { self.kind(&id) };
        if let Some(kind) = kind {
            self.learn_word(word, kind);
        }
        let is_agent = is_agent || self.told(word) == Some(RoomKind::Agent);
        let room_type = is_agent.then_some(AI_AGENT_ROOM);
        let is_new = self.by_title.entry(title.raw().to_owned()).or_default().insert(id.clone());
        let fact = RoomFact { id, title, room_type, created: None };
        self.by_id.entry(fact.id.clone()).or_insert_with(|| fact.clone());
        is_new.then_some(fact)
    }

    pub fn get(&self, id: &RoomId) -> Option<&RoomFact> {
        self.by_id.get(id)
    }

    /// All rooms, by id.
    pub fn iter(&self) -> impl Iterator<Item = &RoomFact> {
        self.by_id.values()
    }

    /// When the room was deleted, where an event says so.
    pub fn deleted_at(&self, id: &RoomId) -> Option<DateTime<Utc>> {
        self.deleted.get(id).copied()
    }

    /// Where the event happened, as far as the event itself and the known titles tell.
    pub fn place(&self, event: &AuditEvent) -> Place {
        match Told::by(event) {
            Told::Room(id) => Place::Room(id, Attributed::Target),
            Told::Context(context) => self.place_in(context, event.at),
            Told::Nothing => Place::Elsewhere,
        }
    }

    /// Where an event with this context happened at that time.
    fn place_in(&self, context: &PortalText, at: DateTime<Utc>) -> Place {
        let Some((word, title)) = split(context) else { return Place::Elsewhere };
        let mut candidates = self.candidates(word, title, at);
        match candidates.len() {
            0 if self.told(word) == Some(RoomKind::Agent) => Place::Elsewhere,
            0 => Place::UnknownRoom { title: PortalText::new(title) },
            1 => Place::Room(candidates.remove(0), Attributed::Title),
            _ => Place::OneOf { title: PortalText::new(title), candidates },
        }
    }

    /// Rooms that share a title, of now or before, with another.
    pub fn twins(&self) -> BTreeSet<RoomId> {
        self.by_title.values().filter(|rooms| rooms.len() > 1).flatten().cloned().collect()
    }

    /// Where the event happened, with what the activity logs say about those that the event itself and the titles leave open.
    pub fn place_with_logs(&self, event: &AuditEvent, logs: &RoomLogs) -> Place {
        logs.tell(self.place(event), event)
    }

    /// Takes in what a word before titles means, as an earlier run has learnt it.
    pub fn learn_word(&mut self, word: &str, kind: RoomKind) {
        self.words.entry(word.to_owned()).or_default().told.insert(kind);
    }

    /// The words before titles of which events that carry an id have told what they mean.
    pub fn words(&self) -> impl Iterator<Item = (&str, RoomKind)> {
        self.words.iter().flat_map(|(word, known)| known.told.iter().map(|kind| (word.as_str(), *kind)))
    }

    /// Whether a room and an agent have had one title. Only then does it matter which contexts were used when.
    pub fn share_titles_with_agents(&self) -> bool {
        self.by_title.values().any(|bearers| self.are_mixed(bearers))
    }

    /// Whether both rooms and agents are among them.
    fn are_mixed<'i>(&self, ids: impl IntoIterator<Item = &'i RoomId>) -> bool {
        let mut kinds = ids.into_iter().filter_map(|id| self.kind(id));
        let first = kinds.next();
        kinds.any(|kind| Some(kind) != first)
    }

    /// Takes in that events had this context, from the first of them to the last.
    pub fn note_context(&mut self, context: &PortalText, (first, last): (DateTime<Utc>, DateTime<Utc>)) {
        let Some((word, title)) = split(context) else { return };
        let word = self.words.entry(word.to_owned()).or_default();
        word.titles.insert(title.to_owned());
        let (known_first, known_last) = word.used.unwrap_or((first, last));
        word.used = Some((known_first.min(first), known_last.max(last)));
    }

    /// What the word means, where events that carry an id were all about one kind behind it.
    pub fn told(&self, word: &str) -> Option<RoomKind> {
        only(&self.words.get(word)?.told)
    }

    /// Whether the event names its place by a title alone, behind a word that no event has told to mean a room: an AI agent that is not
    /// known may bear the title.
    pub fn may_be_agent(&self, event: &AuditEvent) -> bool {
        words_of(event).is_some_and(|(word, _)| self.told(word) != Some(RoomKind::Room))
    }

    /// What the word means, else what has borne the titles behind it, where that was always of one kind.
    fn meaning(&self, word: &str) -> Option<RoomKind> {
        let known = self.words.get(word)?;
        if !known.told.is_empty() {
            return only(&known.told);
        }
        let bearers = known.titles.iter().filter_map(|title| {
            let kinds: Option<BTreeSet<RoomKind>> = self.by_title.get(title)?.iter().map(|id| self.kind(id)).collect();
            only(&kinds?)
        });
        only(&bearers.collect())
    }

    /// What an event of that time was about behind the word, where rooms and agents have had one title. The reader has one language at a
    /// time: while one word stood for rooms, another did not.
    fn meaning_at(&self, word: &str, at: DateTime<Utc>) -> Option<RoomKind> {
        self.meaning(word).or_else(|| {
            let others = self.words.iter().filter(|(other, known)| *other != word && known.was_in_use(at));
            let others: BTreeSet<RoomKind> = others.filter_map(|(other, _)| self.meaning(other)).collect();
            only(&others).map(|other| if other == RoomKind::Room { RoomKind::Agent } else { RoomKind::Room })
        })
    }

    /// `None` where only events tell of it.
    fn kind(&self, id: &RoomId) -> Option<RoomKind> {
        let room_type = self.by_id.get(id)?.room_type?;
        Some(if room_type == AI_AGENT_ROOM { RoomKind::Agent } else { RoomKind::Room })
    }

    /// Rooms that have had the title and existed at that time, by id, and are of the kind that the word means.
    fn candidates(&self, word: &str, title: &str, at: DateTime<Utc>) -> Vec<RoomId> {
        let mut candidates = self.bearers(title, at);
        let meant = if self.are_mixed(&candidates) { self.meaning_at(word, at) } else { self.told(word) };
        if let Some(meant) = meant {
            candidates.retain(|id| self.kind(id).is_none_or(|kind| kind == meant));
        }
        candidates
    }

    /// Rooms and agents that have had the title and existed at that time, by id.
    fn bearers(&self, title: &str, at: DateTime<Utc>) -> Vec<RoomId> {
        let Some(rooms) = self.by_title.get(title) else { return Vec::new() };
        let existed = |id: &&RoomId| {
            let created = self.by_id.get(id).and_then(|room| room.created);
            let deleted = self.deleted.get(*id);
            created.is_none_or(|created| created <= at + CREATION_MARGIN)
                && deleted.is_none_or(|deleted| at <= *deleted + CREATION_MARGIN)
        };
        rooms.iter().filter(existed).cloned().collect()
    }
}

/// Which room's activity log lists an event, for the rooms whose logs were read.
#[derive(Clone, Debug, Default)]
pub struct RoomLogs(HashMap<i64, Vec<RoomId>>);

impl RoomLogs {
    /// Takes in the log of a room: the ids of the events in it.
    pub fn insert(&mut self, room: &RoomId, events: impl IntoIterator<Item = i64>) {
        for event in events {
            self.0.entry(event).or_default().push(room.clone());
        }
    }

    /// The place, or what the logs tell of it where it leaves open which room it was.
    fn tell(&self, place: Place, event: &AuditEvent) -> Place {
        match (place, self.room_of(event.id)) {
            (Place::OneOf { .. } | Place::Elsewhere, Some(room)) => Place::Room(room.clone(), Attributed::Log),
            (place, _) => place,
        }
    }

    /// The one room whose log lists the event; `None` when no log does, or more than one.
    fn room_of(&self, event: i64) -> Option<&RoomId> {
        match self.0.get(&event)?.as_slice() {
            [room] => Some(room),
            _ => None,
        }
    }
}

/// What an event itself tells of its place.
enum Told<'e> {
    Room(RoomId),
    Context(&'e PortalText),
    Nothing,
}

impl<'e> Told<'e> {
    fn by(event: &'e AuditEvent) -> Self {
        // anybody can give a tag any name
        if event.action.is_about_tag() {
            return Told::Nothing;
        }
        match (room_named_by(event), &event.context) {
            (Some(id), _) => Told::Room(id),
            (None, Some(context)) => Told::Context(context),
            (None, None) => Told::Nothing,
        }
    }
}

/// Agents have titles of their own, which may be those of rooms.
fn agent_named_by(event: &AuditEvent) -> Option<RoomId> {
    event.action.is_about_agent().then(|| event.target.first())?.map(|target| RoomId::from(target.as_str()))
}

fn room_named_by(event: &AuditEvent) -> Option<RoomId> {
    event.action.is_about_room().then(|| event.target.first())?.map(|target| RoomId::from(target.as_str()))
}

/// The title that the room of an event had then, from behind the localised prefix of its context; `None` for events outside rooms,
/// and for those that could forge it. A title is no key: others may have it, or have had it.
///
/// The title itself cannot hold a colon (the portal replaces it), so the first one ends the prefix.
pub fn title_in_context(event: &AuditEvent) -> Option<PortalText> {
    words_of(event).map(|(_, title)| PortalText::new(title))
}

fn words_of(event: &AuditEvent) -> Option<(&str, &str)> {
    if event.action.is_about_tag() {
        return None;
    }
    split(event.context.as_ref()?)
}

/// The word before a title, and the title.
fn split(context: &PortalText) -> Option<(&str, &str)> {
    context.raw().split_once(": ").filter(|(_, title)| !title.is_empty())
}

fn only(kinds: &BTreeSet<RoomKind>) -> Option<RoomKind> {
    let mut kinds = kinds.iter();
    kinds.next().filter(|_| kinds.next().is_none()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn event(action: i32, target: &str, context: &str) -> AuditEvent {
        let context = (!context.is_empty()).then(|| context.into());
        AuditEvent { context, ..testing::event(action, target, DateTime::from_timestamp(1_000_000, 0).unwrap()) }
    }

    fn room(id: i64, title: &str) -> RoomFact {
        RoomFact { id: RoomId::Number(id), title: title.into(), room_type: Some(VIRTUAL_DATA_ROOM), created: None }
    }

    fn rooms(facts: &[RoomFact]) -> Rooms {
        let mut rooms = Rooms::default();
        facts.iter().cloned().for_each(|fact| rooms.learn(fact));
        rooms
    }

    #[test]
    fn a_rooms_own_event_names_it() {
        let place = rooms(&[]).place(&event(5085, "71", "Rooms: whatever"));
        assert_eq!(place, Place::Room(RoomId::Number(71), Attributed::Target));
    }

    #[test]
    fn a_title_that_one_room_had_is_enough_in_any_language() {
        let known = rooms(&[room(71, "Alpha"), room(72, "Beta")]);
        for context in ["Rooms: Alpha", "Räume: Alpha", "Комнаты: Alpha"] {
            let place = known.place(&event(5009, "9417", context));
            assert_eq!(place, Place::Room(RoomId::Number(71), Attributed::Title));
        }
        assert_eq!(known.place(&event(5009, "9417", "My documents")), Place::Elsewhere);
        assert_eq!(known.place(&event(5009, "9417", "Rooms: Gamma")), Place::UnknownRoom { title: "Gamma".into() });
    }

    #[test]
    fn twins_are_not_guessed() {
        let known = rooms(&[room(71, "Alpha"), room(72, "Alpha")]);
        let place = known.place(&event(5009, "9417", "Rooms: Alpha"));
        assert_eq!(
            place,
            Place::OneOf { title: "Alpha".into(), candidates: vec![RoomId::Number(71), RoomId::Number(72)] }
        );
    }

    #[test]
    fn a_log_tells_twins_apart_where_it_can() {
        let known = rooms(&[room(71, "Alpha"), room(72, "Alpha")]);
        let upload = event(5011, "9417", "Rooms: Alpha");
        assert_eq!(known.place(&upload).question(&upload), [RoomId::Number(71), RoomId::Number(72)]);
        let mut logs = RoomLogs::default();
        logs.insert(&RoomId::Number(72), [1]);
        assert_eq!(known.place_with_logs(&upload, &logs), Place::Room(RoomId::Number(72), Attributed::Log));
        let download = event(5009, "9417", "Rooms: Alpha");
        assert_eq!(known.place(&download).question(&download), []);
    }

    #[test]
    fn a_twin_made_later_is_no_candidate() {
        let mut later = room(72, "Alpha");
        later.created = DateTime::from_timestamp(2_000_000, 0);
        let place = rooms(&[room(71, "Alpha"), later]).place(&event(5009, "9417", "Rooms: Alpha"));
        assert_eq!(place, Place::Room(RoomId::Number(71), Attributed::Title));
    }

    #[test]
    fn a_renamed_room_keeps_its_former_title() {
        let mut known = rooms(&[room(71, "New name")]);
        let renamed = event(5071, "71", "Rooms: Old name");
        assert_eq!(known.learn_from(&renamed).unwrap().title.raw(), "Old name");
        assert_eq!(known.learn_from(&renamed), None);
        assert_eq!(known.get(&RoomId::Number(71)).unwrap().title.raw(), "New name");
        let place = known.place(&event(5009, "9417", "Rooms: Old name"));
        assert_eq!(place, Place::Room(RoomId::Number(71), Attributed::Title));
    }

    #[test]
    fn a_room_deleted_before_we_looked_is_learned_from_its_events() {
        let mut known = rooms(&[]);
        let fact = known.learn_from(&event(5074, "90", "Rooms: Gone")).unwrap();
        assert!(fact.may_be_vdr());
        let place = known.place(&event(5009, "9417", "Rooms: Gone"));
        assert_eq!(place, Place::Room(RoomId::Number(90), Attributed::Title));
    }

    #[test]
    fn a_tag_cannot_forge_a_room() {
        let known = rooms(&[room(71, "Alpha")]);
        assert_eq!(known.place(&event(5076, "", "Rooms: Alpha")), Place::Elsewhere);
    }

    /// Rooms and AI agents have titles of their own kind behind the same form of context.
    #[test]
    fn an_agent_with_a_rooms_title_is_not_the_room() {
        let mut known = rooms(&[room(71, "Alpha")]);
        known.learn_from(&event(5154, "90", "AI agents: Alpha"));
        let place = known.place(&event(5009, "9417", "AI agents: Alpha"));
        assert_ne!(place, Place::Room(RoomId::Number(71), Attributed::Title));
    }

    fn agent(id: i64, title: &str) -> RoomFact {
        RoomFact { room_type: Some(AI_AGENT_ROOM), ..room(id, title) }
    }

    fn download(context: &str) -> AuditEvent {
        event(5009, "9417", context)
    }

    #[test]
    fn the_word_before_a_title_tells_a_room_from_an_agent() {
        let mut known = rooms(&[room(71, "Alpha"), agent(96, "Alpha")]);
        let open = Place::OneOf { title: "Alpha".into(), candidates: vec![RoomId::Number(71), RoomId::Number(96)] };
        assert_eq!(known.place(&download("Räume: Alpha")), open, "nothing tells what the word means");
        assert!(known.may_be_agent(&download("Räume: Alpha")));
        known.learn_from(&event(5085, "71", "Räume: Alpha"));
        assert!(!known.may_be_agent(&download("Räume: Alpha")));
        assert_eq!(known.place(&download("Räume: Alpha")), Place::Room(RoomId::Number(71), Attributed::Title));
        assert_eq!(known.place(&download("KI-Agenten: Alpha")), open, "another language, perhaps");
        known.learn_from(&event(5085, "96", "KI-Agenten: Alpha"));
        assert_eq!(known.place(&download("KI-Agenten: Alpha")), Place::Room(RoomId::Number(96), Attributed::Title));
        assert_eq!(known.place(&download("KI-Agenten: Beta")), Place::Elsewhere, "an agent that nobody knows");
    }

    /// Where no event carries an id: the reader has one language at a time.
    #[test]
    fn a_word_means_what_bears_the_titles_behind_it_and_another_one_beside_it_does_not() {
        let mut known = rooms(&[room(71, "Alpha"), agent(96, "Alpha"), room(72, "Beta")]);
        let at = download("").at;
        known.note_context(&"Räume: Alpha".into(), (at - TimeDelta::hours(9), at + TimeDelta::hours(9)));
        known.note_context(&"KI-Agenten: Alpha".into(), (at, at));
        assert!(matches!(known.place(&download("KI-Agenten: Alpha")), Place::OneOf { .. }));
        known.note_context(&"Räume: Beta".into(), (at, at));
        assert_eq!(known.place(&download("Räume: Alpha")), Place::Room(RoomId::Number(71), Attributed::Title));
        assert_eq!(known.place(&download("KI-Agenten: Alpha")), Place::Room(RoomId::Number(96), Attributed::Title));
        // after the reader has changed the language, nothing is known of the new word
        let later = AuditEvent { at: at + TimeDelta::hours(10), ..download("Salles : Alpha") };
        assert!(matches!(known.place(&later), Place::OneOf { .. }));
    }

    /// Of some languages both words may be one.
    #[test]
    fn a_word_for_both_kinds_decides_nothing() {
        let mut known = rooms(&[room(71, "Alpha"), agent(96, "Alpha")]);
        known.learn_from(&event(5085, "71", "Spaces: Alpha"));
        known.learn_from(&event(5085, "96", "Spaces: Alpha"));
        assert!(matches!(known.place(&download("Spaces: Alpha")), Place::OneOf { .. }));
    }
}
