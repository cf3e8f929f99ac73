//! From events to changes: what kind each is, how much stands behind it, and which move left a room. Three steps: ask (what must be
//! known?), fetch, apply. Only the second talks to the portal.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use audit_model::{AuditEvent, Halves, Weight, Window, is_other_half, title_in_context};
use chrono::TimeDelta;
use docspace_client::EntryId;
use event_archive::Archive;
use futures::TryStreamExt;
use job_runner::Job;

use crate::kind::Kind;
use crate::rule::{Change, Detector};

/// Folders are listed, one request each, until so many were; the others count the configured weight.
const MOST_FOLDERS: usize = 300;

/// Destinations of moves are looked up, one request each, until so many were.
const MOST_DESTINATIONS: usize = 50;

/// How long it is believed what a folder holds: a run every minute asks once a day.
const FACTS_KEPT: TimeDelta = TimeDelta::hours(25);

/// What the audit trail alone does not tell.
#[derive(Default)]
pub(crate) struct Answers {
    /// How much folders hold, by their id.
    weights: HashMap<String, u64>,
    /// Folders that are in a room, by id.
    in_rooms: BTreeSet<String>,
    /// What a folder counts that nobody can list.
    pub(crate) folder_weight: u64,
}

impl Answers {
    /// Without asking the portal: every folder counts the same.
    pub(crate) fn unasked(folder_weight: u64) -> Self {
        Answers { folder_weight, ..Answers::default() }
    }

    /// Lists the folders, and looks up the destinations, that the events of a window leave open.
    pub(crate) async fn ask(job: &Job, window: Window, folder_weight: u64) -> anyhow::Result<Self> {
        let mut folders = BTreeSet::new();
        let mut destinations = BTreeSet::new();
        let mut before: Option<AuditEvent> = None;
        let mut events = std::pin::pin!(job.archive.events(window));
        while let Some(event) = events.try_next().await? {
            if event.action.is_about_whole_folder() && Kind::of(event.action).is_some() {
                folders.extend(event.target.first().map(|id| EntryId::from(id.as_str())));
            }
            if before.as_ref().is_some_and(|first| is_other_half(first, &event)) && title_in_context(&event).is_none() {
                destinations.extend(event.target.get(1).map(|id| EntryId::from(id.as_str())));
            }
            before = Some(event);
        }
        let weights = job.archive.weights_of_folders(&job.client, &folders, MOST_FOLDERS, FACTS_KEPT, job.now).await?;
        let mut in_rooms = BTreeSet::new();
        for folder in destinations.into_iter().take(MOST_DESTINATIONS) {
            // what cannot be looked up counts as outside: rather a finding too many than something that left unseen
            let path = job.client.folder_path(&folder).await.unwrap_or_default();
            if path.iter().any(|above| above.room_type.is_some()) {
                in_rooms.insert(folder.to_string());
            }
        }
        Ok(Answers { weights, in_rooms, folder_weight })
    }

    fn change(&self, event: AuditEvent) -> Option<Change> {
        let kind = Kind::of(event.action)?;
        let folder = event.target.first().filter(|_| event.action.is_about_whole_folder());
        let weight = match folder.map(|id| self.weights.get(id)) {
            None => Weight::ONE,
            Some(Some(files)) => Weight { documents: (*files).max(1), at_least: false },
            Some(None) => Weight { documents: self.folder_weight, at_least: true },
        };
        Some(Change { event: Arc::new(event), kind, weight })
    }

    /// Two halves say that something crossed a border; it left a room unless it came into one from outside.
    fn join(&self, later: &mut Change) {
        let came_in = later.event.target.get(1).is_some_and(|folder| self.in_rooms.contains(folder));
        let names_room = title_in_context(&later.event).is_some();
        if later.kind == Kind::Moved && (names_room || !came_in) {
            later.kind = Kind::MovedOut;
        }
    }
}

/// Hands the changes of a window to detectors, in order.
pub(crate) async fn feed(
    archive: &Archive,
    window: Window,
    answers: &Answers,
    detectors: &mut [Detector],
) -> anyhow::Result<u64> {
    let mut halves = Halves::default();
    let mut changes = 0;
    let mut take = |change: Change| {
        changes += 1;
        detectors.iter_mut().for_each(|detector| detector.push(&change));
    };
    let mut events = std::pin::pin!(archive.events(window));
    while let Some(event) = events.try_next().await? {
        let Some(change) = answers.change(event) else { continue };
        let is_one = |_: &Change, later: &mut Change| {
            answers.join(later);
            true
        };
        halves.push(change, is_one).for_each(&mut take);
    }
    halves.finish().for_each(&mut take);
    Ok(changes)
}
