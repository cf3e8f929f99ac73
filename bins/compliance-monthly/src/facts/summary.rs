//! The first pass: what there was of everything, in memory that grows with people, rooms and days, not with events.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{ActionId, AuditEvent, Place, PortalText, RoomId, Rooms, title_in_context};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::facts::people::{Actor, PersonRow};
use crate::facts::question::{Question, about};
use crate::facts::tally::{Classes, Tally};
use crate::facts::topic::Topic;
use crate::period::Period;

/// Events of a topic that stand in the report; all of them are in the attachment.
pub(crate) const SHOWN: usize = 50;

/// Events of one kind that the first page names one by one.
pub(crate) const NAMED: usize = 10;

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
    /// The title of the room, as it was then.
    pub(crate) room: Option<PortalText>,
    /// Ids of what was acted on.
    pub(crate) target: Vec<String>,
}

impl TopicRow {
    /// What the portal says besides the bare name of the action, such as the title of what was acted on; nothing where it has left a
    /// placeholder unfilled.
    pub(crate) fn said(&self) -> Option<&PortalText> {
        self.text.as_ref().filter(|text| text.raw() != self.action.to_string() && !text.raw().contains("{0}"))
    }

    /// The accounts among what was acted on.
    pub(crate) fn people(&self) -> impl Iterator<Item = Uuid> {
        self.target.iter().filter_map(|id| id.parse().ok())
    }
}

/// Events that somebody has to decide about.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) total: u64,
    pub(crate) first: Vec<TopicRow>,
}

#[derive(Debug, Default)]
pub(crate) struct TopicRows {
    pub(crate) tally: Tally,
    pub(crate) first: Vec<TopicRow>,
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
    pub(crate) by_class: Classes,
}

/// What has to be known to count an event.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) period: &'a Period,
    pub(crate) rooms: &'a Rooms,
    /// The accounts that the settings call robots.
    pub(crate) own: &'a BTreeSet<Uuid>,
}

/// Of a period, or of the one before it.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) events: Tally,
    /// SHA-256 of what they are: another one when any of them is another event.
    pub(crate) rows_hash: String,
    /// Events that the settings leave out.
    pub(crate) left_out: u64,
    pub(crate) by_class: Classes,
    pub(crate) by_action: BTreeMap<ActionId, Tally>,
    pub(crate) by_day: BTreeMap<NaiveDate, Tally>,
    pub(crate) topics: BTreeMap<Topic, TopicRows>,
    pub(crate) people: BTreeMap<Actor, PersonRow>,
    /// How many of them are people, and not robots by what the settings say.
    pub(crate) active_people: u64,
    /// How many events they did.
    pub(crate) by_people: u64,
    pub(crate) rooms: BTreeMap<RoomKey, RoomRow>,
    pub(crate) questions: BTreeMap<Question, Asked>,
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
        let asked = about(event.action).map(|(question, _)| self.questions.entry(question).or_default());
        let is_named = asked.is_some_and(|asked| asked.push(event));
        for topic in Topic::of(event, context.own) {
            self.topics.entry(topic).or_default().push(event, is_named);
        }
        if event.action.is_removal_of_people() {
            let gone = event.target.iter().filter_map(|id| id.parse().ok());
            self.removed.extend(gone.map(|person: Uuid| (person, (event.at, event.id))));
        }
        let class = event.action.class();
        if let Some(class) = class {
            self.by_class.add(class);
        }
        let actor = Actor::of(event);
        let is_person = actor.is_person() && !context.own.contains(&event.actor);
        self.by_people += u64::from(is_person);
        let person = self.people.entry(actor).or_insert_with(|| {
            self.active_people += u64::from(is_person);
            PersonRow::new(&event.actor_name)
        });
        person.push(event, class, day);
        let key = match context.rooms.place(event) {
            Place::Room(id, _) => RoomKey::Known(id),
            Place::OneOf { title, .. } | Place::UnknownRoom { title } => RoomKey::Titled(title),
            Place::Elsewhere => return,
        };
        let room = self.rooms.entry(key).or_default();
        room.events.add(event.id);
        room.title = title_in_context(event).or(room.title.take());
        if is_person {
            room.people.insert(event.actor);
        }
        if let Some(class) = class {
            room.by_class.add(class);
        }
    }

    /// Call after the last event.
    pub(crate) fn finish(&mut self) {
        self.people.values_mut().for_each(PersonRow::end_day);
    }

    pub(crate) fn of_topic(&self, topic: Topic) -> u64 {
        self.topics.get(&topic).map_or(0, |rows| rows.tally.count)
    }
}

impl From<&AuditEvent> for TopicRow {
    fn from(event: &AuditEvent) -> Self {
        TopicRow {
            id: event.id,
            at: event.at,
            actor: event.actor_name.clone(),
            action: event.action,
            text: event.text.clone(),
            context: event.context.clone(),
            room: title_in_context(event),
            target: event.target.clone(),
        }
    }
}

impl Asked {
    /// Whether the first page names it.
    fn push(&mut self, event: &AuditEvent) -> bool {
        self.total += 1;
        let is_named = self.first.len() < NAMED;
        if is_named {
            self.first.push(event.into());
        }
        is_named
    }
}

impl TopicRows {
    /// What the first page names has a row, however many there are.
    fn push(&mut self, event: &AuditEvent, is_named: bool) {
        self.tally.add(event.id);
        if is_named || self.first.len() < SHOWN {
            self.first.push(event.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{GUEST_ACCOUNT, SYSTEM_ACCOUNT, Window, testing};
    use chrono::TimeDelta;
    use chrono_tz::Tz;

    use super::*;

    fn event(id: i64, actor: Uuid, name: &str, action: i32, target: &str) -> AuditEvent {
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(2 * id);
        AuditEvent { id, actor, actor_name: name.into(), ..testing::event(action, target, at) }
    }

    fn summed(events: &[AuditEvent], own: &[Uuid]) -> Summary {
        let window = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(9));
        let period = Period { window, zone: Tz::UTC };
        let own = own.iter().copied().collect();
        let mut summary = Summary::default();
        for event in events {
            summary.push(event, Context { period: &period, rooms: &Rooms::default(), own: &own });
        }
        summary.finish();
        summary
    }

    /// One document, a hundred and fifty times, is one document.
    #[test]
    fn downloads_of_a_day_are_counted_by_document() {
        let bob = Uuid::from_u128(7);
        let mut events: Vec<AuditEvent> = (0..150).map(|id| event(id, bob, "Bob", 5009, "9417")).collect();
        events.push(event(150, bob, "Bob", 5009, "9418"));
        events.extend([151, 152].map(|id| event(id, bob, "Bob", 5057, "250")));
        // the next day, fewer of them
        events
            .push(AuditEvent { at: DateTime::UNIX_EPOCH + TimeDelta::days(1), ..event(153, bob, "Bob", 5009, "9417") });
        let summary = summed(&events, &[]);
        let busiest = summary.people.values().next().unwrap().busiest.unwrap();
        assert_eq!((busiest.documents, busiest.folders, busiest.events.count), (2, 1, 153));
        assert_eq!(busiest.day, DateTime::UNIX_EPOCH.date_naive());
    }

    #[test]
    fn workers_share_an_id_and_visitors_are_nobody() {
        let bot = Uuid::from_u128(8);
        let events = [
            event(1, Uuid::nil(), "DocsService", 5018, "1"),
            event(2, Uuid::nil(), "AutoCleanUp", 5018, "2"),
            event(3, SYSTEM_ACCOUNT, "System", 5018, "3"),
            event(4, GUEST_ACCOUNT, "Guest", 5009, "4"),
            event(5, bot, "Backup bot", 5009, "5"),
            event(6, Uuid::from_u128(7), "Bob", 5009, "6"),
        ];
        let summary = summed(&events, &[bot]);
        let names: BTreeSet<&str> = summary.people.values().map(|row| row.name.raw()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
        assert_eq!((summary.active_people, summary.by_people), (1, 1));
    }

    /// What the first page names stands in a table, behind however many other events.
    #[test]
    fn named_events_have_a_row() {
        let olga = Uuid::from_u128(9);
        let mut events: Vec<AuditEvent> = (0..60).map(|id| event(id, olga, "Olga", 6060, "1")).collect();
        events.extend((60..80).map(|id| event(id, olga, "Olga", 6094, "1")));
        let summary = summed(&events, &[]);
        let rows: Vec<i64> = summary.topics[&Topic::Settings].first.iter().map(|row| row.id).collect();
        let asked = &summary.questions[&Question::AddressListChanged];
        assert_eq!((asked.total, asked.first.len()), (20, NAMED));
        assert!(asked.first.iter().all(|row| rows.contains(&row.id)), "{rows:?}");
        assert_eq!(rows.len(), SHOWN + NAMED);
    }
}
