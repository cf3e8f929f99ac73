//! Which watched room an event belongs to, and how many documents stand behind it. Three steps: ask (what must be known?), fetch,
//! apply. Only the second talks to the portal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use audit_model::{
    ActClass, Attributed, AuditEvent, EntryKind, GapReason, Place, PortalText, RoomId, RoomLogs, Rooms, Weight, Window,
    is_other_half,
};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Archive, Look, LookUps, Looked};
use futures::TryStreamExt;
use job_runner::Job;

use crate::config::HEAVIEST_FOLDER;
use crate::rule::{Placed, RoomKey};

/// A run that would read more activity logs than this says that it did not.
const MOST_LOGS: usize = 200;

/// Folders are listed, one request each, until so many were; the others count the configured weight, and are a gap.
const MOST_FOLDERS: usize = 300;

/// Files of people who were found are looked up, two requests each, until so many were; the others are a gap.
const MOST_FILES: usize = 300;

/// How long it is believed what a folder holds and where a file is: a window of the usual length asks once. What a folder held before
/// something was done to it is not believed.
const FACTS_KEPT: TimeDelta = TimeDelta::hours(25);

/// The rooms of a portal and which of them are watched.
pub(crate) struct Watched {
    pub(crate) rooms: Rooms,
    pub(crate) ids: BTreeSet<RoomId>,
    /// What a folder counts that cannot be listed.
    pub(crate) folder_weight: u64,
}

/// What the audit trail alone does not tell about the events of a window.
#[derive(Default)]
pub(crate) struct Answers {
    logs: RoomLogs,
    /// How much folders hold, by their id.
    weights: HashMap<String, u64>,
    /// The room that a file is in, by the file's id.
    trees: HashMap<String, RoomId>,
    /// Files whose place could not be looked up.
    unplaced: BTreeSet<String>,
}

/// What must be asked to place and weigh the events of a window.
#[derive(Default)]
struct Questions {
    logs: BTreeSet<RoomId>,
    /// With the last moment at which something was done to them.
    folders: BTreeMap<RoomId, DateTime<Utc>>,
}

impl Watched {
    /// The event with its room, if it happened in a watched one, or in one of which nobody knows more than the title: it may be
    /// a watched one that had another title then.
    pub(crate) fn place(&self, event: AuditEvent, answers: &Answers) -> Option<Placed> {
        let by_tree = file_of(&event).and_then(|file| answers.trees.get(file));
        let (key, title, candidates, attributed) = match (self.rooms.place_with_logs(&event, &answers.logs), by_tree) {
            (Place::Room(id, attributed), _) => self.watched(id, attributed)?,
            (Place::OneOf { candidates, .. }, Some(room)) if candidates.contains(room) => {
                self.watched(room.clone(), Attributed::Tree)?
            }
            (Place::UnknownRoom { .. }, Some(room)) => self.watched(room.clone(), Attributed::Tree)?,
            (Place::OneOf { title, candidates }, _) => {
                candidates.iter().find(|id| self.ids.contains(id))?;
                (RoomKey::OneOf(title.clone()), title, candidates, Attributed::Title)
            }
            (Place::UnknownRoom { title }, None) => {
                (RoomKey::OneOf(title.clone()), title, Vec::new(), Attributed::Title)
            }
            (Place::Elsewhere, _) => return None,
        };
        let weight = self.weight(&event, answers);
        let is_unplaced = file_of(&event).is_some_and(|file| answers.unplaced.contains(file));
        Some(Placed { event: Arc::new(event), key, title, candidates, attributed, weight, is_unplaced })
    }

    fn watched(&self, id: RoomId, how: Attributed) -> Option<(RoomKey, PortalText, Vec<RoomId>, Attributed)> {
        let title = self.rooms.get(&id).map(|room| room.title.clone()).unwrap_or_default();
        self.ids.contains(&id).then(|| (RoomKey::Known(id), title, Vec::new(), how))
    }

    fn weight(&self, event: &AuditEvent, answers: &Answers) -> Weight {
        match event.target.first().filter(|_| event.action.is_about_whole_folder()) {
            None => Weight::ONE,
            Some(folder) => match answers.weights.get(folder) {
                // nobody downloads an empty folder: it was emptied since
                Some(0) if event.action.class() == Some(ActClass::Download) => self.unlisted(),
                Some(files) => Weight { documents: (*files).clamp(1, HEAVIEST_FOLDER), at_least: false },
                None => self.unlisted(),
            },
        }
    }

    fn unlisted(&self) -> Weight {
        Weight { documents: self.folder_weight, at_least: true }
    }

    /// What the audit trail leaves open about the events of a window.
    async fn questions(&self, archive: &Archive, window: Window) -> anyhow::Result<Questions> {
        let mut questions = Questions::default();
        let mut before: Option<AuditEvent> = None;
        let mut events = std::pin::pin!(archive.events(window));
        while let Some(event) = events.try_next().await? {
            let candidates = self.rooms.question(&event);
            if candidates.iter().any(|id| self.ids.contains(id)) {
                questions.logs.extend(candidates);
            }
            let place = self.rooms.place(&event);
            // two halves that name no room: something went between a section of the portal and a room that only its log tells
            if place == Place::Elsewhere && before.as_ref().is_some_and(|first| is_other_half(first, &event)) {
                questions.logs.extend(self.ids.iter().cloned());
            }
            let matters = match &place {
                Place::Room(id, _) => self.ids.contains(id),
                Place::OneOf { candidates, .. } => candidates.iter().any(|id| self.ids.contains(id)),
                Place::UnknownRoom { .. } | Place::Elsewhere => false,
            };
            if matters && event.action.is_about_whole_folder() {
                questions.folders.extend(event.target.first().map(|id| (RoomId::from(id.as_str()), event.at)));
            }
            before = Some(event);
        }
        Ok(questions)
    }

    /// Reads the activity logs and lists the folders that are needed to place and weigh the events of the window. A log or a folder that
    /// cannot be read is a gap.
    pub(crate) async fn ask(&self, job: &Job, window: Window, look: &mut Look) -> anyhow::Result<Answers> {
        let Questions { logs, folders } = self.questions(&job.archive, window).await?;
        let mut answers = Answers::default();
        // rooms in third-party storage have no log
        let has_log = |room: &&RoomId| matches!(room, RoomId::Number(_));
        if logs.len() > MOST_LOGS {
            look.gap("room_log", window, GapReason::BudgetExhausted);
        }
        for room in logs.iter().filter(has_log).take(MOST_LOGS) {
            // of a room that is gone, what stands in none of the other logs stays open between the rooms
            look.room_log(room, window).await?;
            answers.logs.insert(room, job.archive.room_log(room, window).await?);
        }
        let mut weighed = LookUps::of("folders", "hidden_folders", MOST_FOLDERS, job.now);
        for (folder, last) in &folders {
            if !weighed.may_ask() {
                break;
            }
            let max_age = believed_for(*last, job.now);
            let looked = job.archive.weight_of_folder(&job.client, folder, max_age, job.now).await?;
            if let Some(known) = weighed.take(looked) {
                answers.weights.insert(folder.to_string(), known.value.files);
            }
        }
        look.finish(weighed);
        Ok(answers)
    }

    /// Looks up where these files are; what cannot be looked up is a gap. True when that changes anything.
    pub(crate) async fn ask_trees(
        &self,
        job: &Job,
        files: &BTreeSet<String>,
        answers: &mut Answers,
        look: &mut Look,
    ) -> anyhow::Result<bool> {
        let mut placed = LookUps::of("files", "hidden_files", MOST_FILES, job.now);
        for file in files {
            if !placed.may_ask() {
                answers.unplaced.insert(file.clone());
                continue;
            }
            let looked =
                job.archive.place_of_file(&job.client, &RoomId::from(file.as_str()), FACTS_KEPT, job.now).await?;
            if matches!(looked, Looked::Failed { remembered: None, .. }) {
                answers.unplaced.insert(file.clone());
            }
            if let Some(room) = placed.take(looked).and_then(|place| place.value.room) {
                answers.trees.insert(file.clone(), room);
            }
        }
        look.finish(placed);
        Ok(!answers.trees.is_empty() || !answers.unplaced.is_empty())
    }
}

/// How old what is known of a folder may be: learned after what was last done to it.
fn believed_for(last: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - last).min(FACTS_KEPT)
}

/// The id of the file that an event is about.
pub(crate) fn file_of(event: &AuditEvent) -> Option<&String> {
    let is_file = event.action.info().is_some_and(|info| info.entries.contains(&EntryKind::File));
    event.target.first().filter(|_| is_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it held this morning says nothing of what was in it at its download this evening.
    #[test]
    fn a_folder_is_weighed_again_after_what_was_last_done_to_it() {
        let evening = DateTime::UNIX_EPOCH + TimeDelta::days(2);
        assert_eq!(believed_for(evening, evening + TimeDelta::minutes(5)), TimeDelta::minutes(5));
        assert_eq!(believed_for(evening - TimeDelta::days(2), evening), FACTS_KEPT);
    }
}
