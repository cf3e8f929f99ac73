//! What the stored events tell of each document: what was done to it, and what has become of it since, by whomever.

use std::collections::{BTreeSet, HashMap};

use audit_model::{ActionId, AuditEvent, Place, PortalText, RoomId, Rooms, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Archive;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::restore::Subject;
use crate::rule::change::title_in;
use crate::rule::incident::place;
use crate::rule::kind::{Kind, document, is_purge};

/// How far before the first change names of documents are looked for among the events.
const NAMES_SOUGHT: TimeDelta = TimeDelta::days(30);

/// A document or a folder that was changed.
#[derive(Clone, Debug)]
pub(crate) struct Affected {
    pub(crate) id: String,
    pub(crate) is_folder: bool,
    pub(crate) kinds: BTreeSet<Kind>,
    /// How many events of the incident are about it, from the first to the last.
    pub(crate) events: u64,
    pub(crate) first: DateTime<Utc>,
    pub(crate) last: DateTime<Utc>,
    pub(crate) actor: Uuid,
    /// Where it was at the first of them.
    pub(crate) room: Option<RoomId>,
    pub(crate) room_title: PortalText,
    /// The event that gave it another name for the first time.
    pub(crate) first_rename: Option<i64>,
    /// When new content was put over the old for the first time, by whomever.
    pub(crate) overwritten: Option<DateTime<Utc>>,
    /// As the last event before tells it.
    pub(crate) title_before: Option<PortalText>,
    /// As the last event tells it.
    pub(crate) title_told: Option<PortalText>,
    pub(crate) fate: Fate,
}

/// What has become of it, as far as events tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Where it was.
    There,
    /// In the folder with this id.
    Moved(String),
    /// In the trash of this person, which nobody else can open.
    Trash(Uuid, PortalText),
    Gone,
}

impl Affected {
    /// Everything that the subject changed, in the order of the first changes. Asks the portal for nothing.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) async fn of(subject: &Subject, archive: &Archive, now: DateTime<Utc>) -> anyhow::Result<Vec<Affected>> {
        let rooms: Rooms = archive.rooms(subject.window).await?;
        let span = Window::new(subject.window.since - NAMES_SOUGHT, now.max(subject.window.until));
        let actions = Kind::actions().chain([ActionId::TRASH_EMPTIED]);
        let mut all = Collected::default();
        let mut events = std::pin::pin!(archive.events_of_actions(actions, span));
        while let Some(event) = events.try_next().await? {
            all.take(&event, subject, &rooms);
        }
        let mut affected: Vec<Affected> = all.affected.into_values().collect();
        affected.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
        Ok(affected)
    }

    fn new(event: &AuditEvent, key: &str, title_before: Option<PortalText>, rooms: &Rooms) -> Self {
        let folder = key.strip_prefix("folder ");
        let room = match rooms.place(event) {
            Place::Room(id, _) => Some(id),
            _ => None,
        };
        Affected {
            id: folder.unwrap_or(key).to_owned(),
            is_folder: folder.is_some(),
            kinds: BTreeSet::new(),
            events: 0,
            first: event.at,
            last: event.at,
            actor: event.actor,
            room,
            room_title: place(event),
            first_rename: None,
            overwritten: None,
            title_before,
            title_told: None,
            fate: Fate::There,
        }
    }

    /// Takes in what was done to it; events come in order of time.
    fn change(&mut self, event: &AuditEvent, kind: Kind) {
        match kind {
            Kind::Renamed => {
                self.first_rename.get_or_insert(event.id);
            }
            Kind::Overwritten => {
                self.overwritten.get_or_insert(event.at);
            }
            _ => {}
        }
        self.fate = match kind {
            Kind::Deleted => Fate::Trash(event.actor, event.actor_name.clone()),
            // a version went, not the document
            Kind::DeletedForGood if event.action == ActionId::FILE_VERSION_REMOVED => return,
            Kind::DeletedForGood | Kind::Purged | Kind::RoomDeleted => Fate::Gone,
            Kind::Moved | Kind::MovedOut => event.target.get(1).map_or(Fate::There, |to| Fate::Moved(to.clone())),
            Kind::Renamed | Kind::Overwritten | Kind::Created => Fate::There,
            _ => return,
        };
    }
}

#[derive(Default)]
struct Collected {
    affected: HashMap<String, Affected>,
    /// What documents are called by the last event about them.
    titles: HashMap<String, PortalText>,
}

impl Collected {
    fn take(&mut self, event: &AuditEvent, subject: &Subject, rooms: &Rooms) {
        if event.action == ActionId::TRASH_EMPTIED {
            let is_in_it = |one: &&mut Affected| matches!(&one.fate, Fate::Trash(owner, _) if *owner == event.actor);
            self.affected.values_mut().filter(is_in_it).for_each(|one| one.fate = Fate::Gone);
            return;
        }
        let kind = match Kind::of(event.action) {
            Some(Kind::DeletedForGood) if is_purge(event) => Kind::Purged,
            Some(kind) => kind,
            None => return,
        };
        let key = document(event);
        // that event names the number of a version
        let title = title_in(event).filter(|_| event.action != ActionId::FILE_RESTORE_VERSION);
        if kind.is_change() {
            let is_own = subject.includes(event);
            if is_own && !self.affected.contains_key(&key) {
                let before = self.titles.get(&key).filter(|_| kind != Kind::Created).cloned();
                self.affected.insert(key.clone(), Affected::new(event, &key, before, rooms));
            }
            if let Some(one) = self.affected.get_mut(&key) {
                one.change(event, kind);
                if is_own {
                    one.kinds.insert(kind);
                    one.events += 1;
                    one.last = event.at;
                }
                if title.is_some() {
                    one.title_told.clone_from(&title);
                }
            }
        }
        self.titles.extend(title.map(|title| (key, title)));
    }
}

impl Subject {
    fn includes(&self, event: &AuditEvent) -> bool {
        self.person.is_none_or(|person| event.actor == person)
            && self.room.as_ref().is_none_or(|room| place(event) == *room)
            && self.window.contains(event.at)
    }
}

#[cfg(test)]
mod tests {
    use audit_model::testing;
    use chrono::DateTime;

    use super::*;

    const MARA: u128 = 1;
    const BEN: u128 = 2;

    /// One event a minute; Mara's of the first ten minutes are the incident.
    fn collected(events: &[(u128, i32, &[&str])]) -> Vec<Affected> {
        let at = |minute: usize| DateTime::from_timestamp(minute as i64 * 60, 0).unwrap();
        let subject = Subject { person: Some(Uuid::from_u128(MARA)), room: None, window: Window::new(at(0), at(10)) };
        let mut all = Collected::default();
        for (minute, (actor, action, target)) in events.iter().enumerate() {
            let event = AuditEvent {
                actor: Uuid::from_u128(*actor),
                actor_name: "Mara".into(),
                context: Some("Rooms: Falcon".into()),
                target: target.iter().map(|id| (*id).to_owned()).collect(),
                ..testing::event(*action, "", at(minute))
            };
            all.take(&event, &subject, &Rooms::default());
        }
        let mut affected: Vec<Affected> = all.affected.into_values().collect();
        affected.sort_by(|a, b| a.id.cmp(&b.id));
        affected
    }

    fn fates(events: &[(u128, i32, &[&str])]) -> Vec<Fate> {
        collected(events).into_iter().map(|one| one.fate).collect()
    }

    #[test]
    fn where_something_is_follows_whatever_anybody_did_to_it_last() {
        let trash = Fate::Trash(Uuid::from_u128(MARA), "Mara".into());
        assert_eq!(fates(&[(MARA, 5017, &["1"])]), std::slice::from_ref(&trash));
        assert_eq!(fates(&[(MARA, 5017, &["1"]), (BEN, 5061, &[])]), [trash], "that was another trash");
        assert_eq!(fates(&[(MARA, 5017, &["1"]), (MARA, 5061, &[])]), [Fate::Gone]);
        assert_eq!(fates(&[(MARA, 5018, &["1"])]), [Fate::Gone]);
        assert_eq!(fates(&[(MARA, 5119, &["1"])]), [Fate::There], "a version went");
        assert_eq!(fates(&[(MARA, 5015, &["1", "80"])]), [Fate::Moved("80".to_owned())]);
        assert_eq!(fates(&[(MARA, 5017, &["1"]), (BEN, 5015, &["1", "71"])]), [Fate::Moved("71".to_owned())]);
        assert_eq!(fates(&[(BEN, 5017, &["1"]), (MARA, 5009, &["2"])]), [], "neither did Mara change");
    }

    #[test]
    fn a_folder_and_a_file_of_one_number_are_two_and_each_counts_its_own_events() {
        let affected =
            collected(&[(MARA, 5001, &["1"]), (MARA, 5002, &["1"]), (BEN, 5002, &["1"]), (MARA, 5026, &["1"])]);
        let shown: Vec<(bool, u64)> = affected.iter().map(|one| (one.is_folder, one.events)).collect();
        assert!(shown.contains(&(false, 2)) && shown.contains(&(true, 1)) && shown.len() == 2, "{shown:?}");
        let file = affected.iter().find(|one| !one.is_folder).unwrap();
        assert_eq!(file.overwritten, DateTime::from_timestamp(60, 0));
        assert_eq!(file.kinds, BTreeSet::from([Kind::Overwritten, Kind::Renamed]));
    }
}
