//! The first pass: what there was of everything, in memory that grows with people, rooms and days, not with events.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{ActClass, ActionId, AuditEvent, Place, PortalText, RoomId, Rooms, is_robot, title_in_context};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::period::Period;
use crate::question::Question;
use crate::topic::Topic;

/// Events of a topic that stand in the report; all of them are in the attachment.
pub(crate) const SHOWN: usize = 50;

/// Ids that stand beside a line.
pub(crate) const IDS_SHOWN: usize = 5;

/// How many, and which was the first and the last, so that a line can be followed to its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, id: i64) {
        if self.count == 0 {
            self.first = id;
        }
        self.count += 1;
        self.last = id;
    }

    /// `first` or `first … last`; nothing when there is none.
    pub(crate) fn ids(&self) -> String {
        match self.count {
            0 => String::new(),
            1 => self.first.to_string(),
            _ => format!("{} … {}", self.first, self.last),
        }
    }
}

/// The first ids of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) total: u64,
    pub(crate) first: Vec<i64>,
}

impl Ids {
    pub(crate) fn add(&mut self, id: i64) {
        self.total += 1;
        if self.first.len() < IDS_SHOWN {
            self.first.push(id);
        }
    }
}

/// One event as it stands in the table of a topic.
#[derive(Clone, Debug)]
pub(crate) struct TopicRow {
    pub(crate) id: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: PortalText,
    pub(crate) action: ActionId,
    /// The portal's sentence, where it has one.
    pub(crate) text: Option<PortalText>,
    pub(crate) context: Option<PortalText>,
}

#[derive(Debug, Default)]
pub(crate) struct TopicRows {
    pub(crate) tally: Tally,
    pub(crate) first: Vec<TopicRow>,
}

/// What somebody did.
#[derive(Debug)]
pub(crate) struct PersonRow {
    /// As it was first read.
    pub(crate) name: PortalText,
    pub(crate) events: Tally,
    pub(crate) by_class: BTreeMap<ActClass, u64>,
    /// The most downloads of one day.
    pub(crate) busiest: Option<(NaiveDate, Tally)>,
    today: Option<(NaiveDate, Tally)>,
}

/// A room, as surely as it is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RoomKey {
    Known(RoomId),
    /// One of several rooms of this title, or one of which only the title is known.
    Titled(PortalText),
}

#[derive(Debug, Default)]
pub(crate) struct RoomRow {
    /// As the last of its events named it: a room that is renamed later keeps its title here.
    pub(crate) title: Option<PortalText>,
    pub(crate) events: Tally,
    pub(crate) people: BTreeSet<Uuid>,
    pub(crate) by_class: BTreeMap<ActClass, u64>,
}

/// What has to be known to count an event.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) period: &'a Period,
    pub(crate) rooms: &'a Rooms,
    /// The accounts of our own programs.
    pub(crate) own: &'a BTreeSet<Uuid>,
}

/// Of a period, or of the one before it.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) events: Tally,
    /// Events that the settings leave out.
    pub(crate) left_out: u64,
    pub(crate) by_class: BTreeMap<ActClass, u64>,
    pub(crate) by_action: BTreeMap<ActionId, Tally>,
    pub(crate) by_day: BTreeMap<NaiveDate, Tally>,
    pub(crate) topics: BTreeMap<Topic, TopicRows>,
    pub(crate) people: BTreeMap<Uuid, PersonRow>,
    pub(crate) rooms: BTreeMap<RoomKey, RoomRow>,
    pub(crate) questions: BTreeMap<Question, Ids>,
    /// Accounts that were removed, with the event that says so.
    pub(crate) removed: BTreeMap<Uuid, (DateTime<Utc>, i64)>,
}

impl Summary {
    /// Takes in an event; they come in order.
    pub(crate) fn push(&mut self, event: &AuditEvent, context: Context<'_>) {
        let day = context.period.day(event.at);
        self.events.add(event.id);
        self.by_action.entry(event.action).or_default().add(event.id);
        self.by_day.entry(day).or_default().add(event.id);
        for topic in Topic::of(event, context.own) {
            self.topics.entry(topic).or_default().push(event);
        }
        if let Some(question) = Question::about(event.action) {
            self.questions.entry(question).or_default().add(event.id);
        }
        if event.action.is_removal_of_people() {
            let gone = event.target.iter().filter_map(|id| id.parse().ok());
            self.removed.extend(gone.map(|person: Uuid| (person, (event.at, event.id))));
        }
        let class = event.action.class();
        if let Some(class) = class {
            *self.by_class.entry(class).or_default() += 1;
        }
        let person = self.people.entry(event.actor).or_insert_with(|| PersonRow::new(&event.actor_name));
        person.push(event.id, class, day);
        let key = match context.rooms.place(event) {
            Place::Room(id, _) => RoomKey::Known(id),
            Place::OneOf { title, .. } | Place::UnknownRoom { title } => RoomKey::Titled(title),
            Place::Elsewhere => return,
        };
        let room = self.rooms.entry(key).or_default();
        room.events.add(event.id);
        room.title = title_in_context(event).or(room.title.take());
        if !is_robot(event.actor) {
            room.people.insert(event.actor);
        }
        if let Some(class) = class {
            *room.by_class.entry(class).or_default() += 1;
        }
    }

    /// Call after the last event.
    pub(crate) fn finish(&mut self) {
        self.people.values_mut().for_each(PersonRow::end_day);
    }

    pub(crate) fn of_class(&self, class: ActClass) -> u64 {
        self.by_class.get(&class).copied().unwrap_or(0)
    }

    pub(crate) fn of_topic(&self, topic: Topic) -> u64 {
        self.topics.get(&topic).map_or(0, |rows| rows.tally.count)
    }

    /// People who did something; the portal's own accounts are none.
    pub(crate) fn active_people(&self) -> usize {
        self.people.keys().filter(|id| !is_robot(**id)).count()
    }
}

impl RoomRow {
    pub(crate) fn of_class(&self, class: ActClass) -> u64 {
        self.by_class.get(&class).copied().unwrap_or(0)
    }
}

impl TopicRows {
    fn push(&mut self, event: &AuditEvent) {
        self.tally.add(event.id);
        if self.first.len() < SHOWN {
            self.first.push(TopicRow {
                id: event.id,
                at: event.at,
                actor: event.actor_name.clone(),
                action: event.action,
                text: event.text.clone(),
                context: event.context.clone(),
            });
        }
    }
}

impl PersonRow {
    fn new(name: &PortalText) -> Self {
        let name = name.clone();
        PersonRow { name, events: Tally::default(), by_class: BTreeMap::new(), busiest: None, today: None }
    }

    fn push(&mut self, id: i64, class: Option<ActClass>, day: NaiveDate) {
        self.events.add(id);
        let Some(class) = class else { return };
        *self.by_class.entry(class).or_default() += 1;
        if class == ActClass::Download {
            if self.today.as_ref().is_none_or(|(today, _)| *today != day) {
                self.end_day();
                self.today = Some((day, Tally::default()));
            }
            self.today.iter_mut().for_each(|(_, tally)| tally.add(id));
        }
    }

    fn end_day(&mut self) {
        let Some((day, tally)) = self.today.take() else { return };
        if self.busiest.is_none_or(|(_, most)| tally.count > most.count) {
            self.busiest = Some((day, tally));
        }
    }

    pub(crate) fn of_class(&self, class: ActClass) -> u64 {
        self.by_class.get(&class).copied().unwrap_or(0)
    }
}
