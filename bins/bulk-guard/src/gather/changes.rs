//! From events to changes: what kind each is, how much stands behind it, and which move left a room. Three steps: ask (what must be
//! known?), fetch, apply. Only the second talks to the portal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use attribution::{Behind, FACTS_KEPT, Folders, Weights};
use audit_model::{ActionId, AuditEvent, Halves, Weight, Window, title_in_context};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use event_archive::{Archive, FolderRoom, Look, LookUps};
use futures::TryStreamExt;
use job_runner::Job;
use uuid::Uuid;

use crate::drill::book::Spent;
use crate::rule::change::Change;
use crate::rule::kind::{Kind, folder_named, is_deletion_for_good, is_purge};

/// Destinations of moves are looked up, one request each, until so many were; the others are a gap.
const MOST_DESTINATIONS: usize = 50;

/// Emptying a full trash takes minutes; its end is one event.
const EMPTYING_TAKES: TimeDelta = TimeDelta::hours(1);

/// What tells of changes, and when a trash was emptied.
fn asked_for() -> impl Iterator<Item = ActionId> {
    Kind::actions().chain([ActionId::TRASH_EMPTIED])
}

/// An event, as [`Halves`] takes them.
struct Seen(AuditEvent);

impl AsRef<AuditEvent> for Seen {
    fn as_ref(&self) -> &AuditEvent {
        &self.0
    }
}

/// What the audit trail alone does not tell.
#[derive(Default)]
pub(crate) struct Answers {
    weights: Weights,
    /// Folders that are in a room, by id.
    in_rooms: BTreeSet<String>,
    /// When somebody emptied the trash.
    emptied: Vec<(Uuid, DateTime<Utc>)>,
    /// What a folder counts that nobody can list.
    pub(crate) folder_weight: u64,
    /// Drills that are over.
    spent: Spent,
}

impl Answers {
    /// Without asking the portal: folders weigh what is remembered of them.
    pub(crate) async fn remembered(
        (archive, spent): (&Archive, Spent),
        window: Window,
        folder_weight: u64,
    ) -> anyhow::Result<Self> {
        let mut folders = Folders::default();
        let mut events = std::pin::pin!(archive.events_of_actions(asked_for(), window));
        while let Some(event) = events.try_next().await? {
            folders.recall(&event);
        }
        let weights = folders.remembered(archive).await?;
        Ok(Answers { weights, folder_weight, spent, ..Answers::default() })
    }

    /// Weighs the folders, and looks up the destinations, that the events of a window leave open; what cannot be looked up is a gap. For what
    /// happened before `new`, and was judged by earlier runs, nothing new is asked.
    pub(crate) async fn ask(
        job: &Job,
        (window, new): (Window, DateTime<Utc>),
        (folder_weight, spent): (u64, Spent),
        look: &mut Look,
    ) -> anyhow::Result<Self> {
        let mut folders = Folders::default();
        // and whether something new went there
        let mut destinations: BTreeMap<EntryId, bool> = BTreeMap::new();
        let mut emptied = Vec::new();
        let mut halves = Halves::default();
        let mut events = std::pin::pin!(job.archive.events_of_actions(asked_for(), window));
        while let Some(event) = events.try_next().await? {
            if spent.includes(&event) {
                continue;
            }
            if event.action == ActionId::TRASH_EMPTIED {
                emptied.push((event.actor, event.at));
            }
            let Some(kind) = Kind::of(event.action) else { continue };
            // what people do among their own documents nobody else can list, and nobody needs to know
            let is_own = title_in_context(&event).is_none() && !matches!(kind, Kind::Moved | Kind::RoomDeleted);
            if event.at < new || is_own {
                folders.recall(&event);
            } else if is_deletion_for_good(&event) {
                folders.ask_for_deleted(&event);
            } else {
                folders.ask(&event);
            }
            if kind == Kind::Moved {
                let ask = |first: &Seen, later: &mut Seen| {
                    let destination = later.0.target.get(1).map(|id| EntryId::from(id.as_str()));
                    if title_in_context(&first.0).is_none() || title_in_context(&later.0).is_none() {
                        let is_new = later.0.at >= new;
                        destination.into_iter().for_each(|id| *destinations.entry(id).or_default() |= is_new);
                    }
                    true
                };
                halves.push(Seen(event), ask).for_each(drop);
            }
        }
        let weights = folders.weigh(look).await?;
        let readings = look.archive.readings(destinations.keys()).await?;
        let mut in_rooms: BTreeSet<String> = readings.keys().map(ToString::to_string).collect();
        let unread = destinations.iter().filter(|(folder, _)| !readings.contains_key(folder));
        let (new, old): (Vec<_>, Vec<_>) = unread.partition(|(_, is_new)| **is_new);
        let mut found =
            LookUps::of(audit_model::Source::Destinations.name(), "hidden_destinations", MOST_DESTINATIONS, job.now);
        let ask = async |(folder, _): &(&EntryId, &bool)| {
            look.archive.room_of_folder(&look.client, folder, FACTS_KEPT, job.now).await
        };
        let mut known: Vec<(&EntryId, FolderRoom)> =
            found.each(new, ask).await?.into_iter().map(|((folder, _), known)| (folder, known.value)).collect();
        look.finish(found);
        for (folder, _) in old {
            known.extend(look.archive.remembered_room(folder).await?.map(|known| (folder, known.value)));
        }
        // what cannot be looked up counts as outside: rather a finding too many than something that left unseen
        in_rooms.extend(known.into_iter().filter(|(_, room)| room.0.is_some()).map(|(folder, _)| folder.to_string()));
        Ok(Answers { weights, in_rooms, emptied, folder_weight, spent })
    }

    /// Whether somebody emptied their trash at some time from a moment on.
    pub(crate) fn has_emptied(&self, person: Uuid, since: DateTime<Utc>) -> bool {
        self.emptied.iter().any(|(actor, at)| *actor == person && *at >= since)
    }

    fn change(&self, event: AuditEvent) -> Option<Change> {
        if self.spent.includes(&event) {
            return None;
        }
        let kind = match Kind::of(event.action)? {
            Kind::DeletedForGood if is_purge(&event) => Kind::Purged,
            kind => kind,
        };
        let is_own =
            |(actor, at): &(Uuid, DateTime<Utc>)| *actor == event.actor && (*at - event.at).abs() <= EMPTYING_TAKES;
        if kind == Kind::Purged && self.emptied.iter().any(is_own) {
            return None;
        }
        let weight = match self.weights.behind(&event) {
            Behind::One => Weight::ONE,
            Behind::Folder { files } => Weight { documents: files.max(1), at_least: false },
            Behind::Counted => Weight { documents: 0, at_least: false },
            Behind::UnlistedFolder => Weight { documents: self.folder_weight, at_least: true },
        };
        let folder = self.weights.title_of(&event).cloned();
        let around = self.weights.around(&event).iter().map(|id| folder_named(id).into()).collect();
        Some(Change { event: Arc::new(event), kind, weight, folder, around })
    }

    /// Two halves say that something crossed a border; it left a room unless it came into one from outside. The halves may have been
    /// stored in either order.
    fn join(&self, first: &Change, later: &mut Change) {
        let came_in = later.event.target.get(1).is_some_and(|folder| self.in_rooms.contains(folder));
        let names_room = |change: &Change| title_in_context(&change.event).is_some();
        if later.kind == Kind::Moved && (!came_in || (names_room(first) && names_room(later))) {
            later.kind = Kind::MovedOut;
        }
    }
}

/// Hands the changes of a window over, in order, and counts them.
pub(crate) async fn feed(
    archive: &Archive,
    window: Window,
    answers: &Answers,
    mut take: impl FnMut(&Change),
) -> anyhow::Result<u64> {
    let mut halves = Halves::default();
    let mut changes = 0;
    let mut take = |change: Change| {
        changes += 1;
        take(&change);
    };
    let mut events = std::pin::pin!(archive.events_of_actions(asked_for(), window));
    while let Some(event) = events.try_next().await? {
        let Some(change) = answers.change(event) else { continue };
        let is_one = |first: &Change, later: &mut Change| {
            answers.join(first, later);
            true
        };
        halves.push(change, is_one).for_each(&mut take);
    }
    halves.finish().for_each(&mut take);
    Ok(changes)
}
