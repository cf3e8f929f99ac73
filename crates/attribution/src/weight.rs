//! How many documents stand behind an action on a whole folder: what was in it before.

use std::collections::BTreeMap;

use audit_model::{AuditEvent, GapReason, PortalText, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use event_archive::{Archive, Error, Look, LookUps};

use crate::FACTS_KEPT;
use crate::inventory::READ_EVERY;
use crate::since_read::{Held, SinceRead};

/// Names the gap of folders of which nobody knows what they held.
const HIDDEN_FOLDERS: &str = "hidden_folders";

/// Folders are listed, one request each, until so many were; the others stay unlisted, and are a gap.
const MOST_FOLDERS: usize = 300;

/// A folder that the inventory does not know was made after it was read.
const MADE_WITHIN: TimeDelta = TimeDelta::hours(2);

/// The folder is still there afterwards.
const FOLDER_DOWNLOADED: i32 = 5057;

/// Folders to weigh.
#[derive(Clone, Debug, Default)]
pub struct Folders(BTreeMap<EntryId, Asked>);

/// What was done to a folder.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// When something was done to it.
    at: Vec<DateTime<Utc>>,
    /// What is known of it otherwise than by the inventory must have been learned after this; `None` asks the portal for nothing.
    learned_after: Option<DateTime<Utc>>,
    /// Some of that left it where it was, so that it can be listed.
    is_left: bool,
}

impl Folders {
    /// Asks for the folder that an event is about as a whole, if it is. Where the inventory does not know it, it is listed, after the event.
    pub fn ask(&mut self, event: &AuditEvent) {
        self.note(event, Some(event.at));
    }

    /// The same for a folder that the event deleted for good: what is remembered of it is all that there is.
    pub fn ask_for_deleted(&mut self, event: &AuditEvent) {
        self.note(event, Some(DateTime::UNIX_EPOCH));
    }

    /// The same for an event that an earlier run has judged: what that learned is remembered, and nothing new is asked.
    pub fn recall(&mut self, event: &AuditEvent) {
        self.note(event, None);
    }

    fn note(&mut self, event: &AuditEvent, learned_after: Option<DateTime<Utc>>) {
        if let Some(folder) = folder_of(event) {
            let asked = self.0.entry(folder).or_default();
            asked.at.push(event.at);
            asked.is_left |= leaves_in_place(event);
            asked.learned_after = asked.learned_after.max(learned_after);
        }
    }

    /// Takes from the inventory what the folders held, and lists those that it does not know. What the portal does not tell any more is as it
    /// was remembered; what cannot be had is a gap.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn weigh(self, look: &mut Look) -> Result<Weights, Error> {
        let mut weights = self.known(&look.archive).await?;
        let mut look_ups = LookUps::of(Source::Folders.name(), HIDDEN_FOLDERS, MOST_FOLDERS, look.now);
        let unknown = self.0.into_iter().filter(|(folder, asked)| !weights.knows(folder, asked));
        let unknown =
            unknown.filter_map(|(folder, asked)| Some((folder, believed_for(asked.learned_after?, look.now))));
        let unknown: Vec<(EntryId, TimeDelta)> = unknown.collect();
        let ask = async |(folder, max_age): &(EntryId, TimeDelta)| {
            look.archive.weight_of_folder(&look.client, folder, *max_age, look.now).await
        };
        let listed = look_ups.each(unknown, ask).await?;
        weights.listed.extend(listed.into_iter().map(|((folder, _), known)| (folder, known.value.files)));
        look.finish(look_ups);
        Ok(weights)
    }

    /// What is remembered of the folders, without asking the portal.
    ///
    /// # Errors
    /// Of the store.
    pub async fn remembered(mut self, archive: &Archive) -> Result<Weights, Error> {
        self.0.values_mut().for_each(|asked| asked.learned_after = None);
        self.known(archive).await
    }

    /// The inventory, and for what earlier runs have judged what those have learned.
    async fn known(&self, archive: &Archive) -> Result<Weights, Error> {
        let moments = self.0.iter().map(|(folder, asked)| (folder.clone(), asked.at.clone())).collect();
        let since_read = SinceRead::learn(&moments, (MADE_WITHIN, READ_EVERY), archive).await?;
        let mut weights = Weights { since_read, ..Weights::default() };
        for (folder, asked) in &self.0 {
            if asked.learned_after.is_none() && !weights.knows(folder, asked) {
                let remembered = archive.remembered_weight(folder).await?;
                weights.listed.extend(remembered.map(|known| (folder.clone(), known.value.files)));
            }
        }
        Ok(weights)
    }
}

/// Names as a gap that there was a folder which nobody could weigh, unless a gap says so: such a folder is never an all-clear.
pub fn note_hidden_folders(look: &mut Look, window: Window) {
    if !look.coverage().gaps.iter().any(|gap| gap.what.ends_with("folders")) {
        look.gap(HIDDEN_FOLDERS, window, GapReason::NotThere);
    }
}

/// How old what is known of a folder may be: learned after what was last done to it.
fn believed_for(last: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - last).min(FACTS_KEPT)
}

/// The folder that an event is about as a whole.
fn folder_of(event: &AuditEvent) -> Option<EntryId> {
    let folder = event.target.first().filter(|_| event.action.is_about_whole_folder());
    folder.map(|id| EntryId::from(id.as_str()))
}

/// Whether the folder is still there afterwards: it was downloaded or copied.
fn leaves_in_place(event: &AuditEvent) -> bool {
    matches!(event.action.0, 5022 | 5023 | FOLDER_DOWNLOADED)
}

/// How many files folders held, at any depth, as far as the key's account can see.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    since_read: SinceRead,
    /// As they were listed afterwards.
    listed: BTreeMap<EntryId, u64>,
}

/// What stands behind an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// One document, or whatever else the event is about.
    One,
    /// A folder with so many files, which can be none.
    Folder { files: u64 },
    /// A folder of which everything was counted before: it was in folders that went, or that the person has just downloaded.
    Counted,
    /// A folder of which nobody knows how much it held.
    UnlistedFolder,
}

impl Weights {
    /// What stood behind the event, and behind none before it. What that counts is a matter of rules.
    pub fn behind(&self, event: &AuditEvent) -> Behind {
        let Some(folder) = folder_of(event) else { return Behind::One };
        let (at, since_read) = ((event.at, event.id), &self.since_read);
        let nowhere = PortalText::default();
        let place = event.context.as_ref().unwrap_or(&nowhere);
        let whole = |files| Held { files, gone: 0 };
        let listed = || self.listed.get(&folder).copied().map(whole);
        let held = since_read.held_of_read(&folder, at);
        let held = held.or_else(|| listed().filter(|_| leaves_in_place(event)));
        let held = held.or_else(|| since_read.held_of_made(&folder, at, place)).or_else(listed);
        // rather what it held later than nothing
        let later = || since_read.readings(&folder).first().map(|reading| whole(reading.holding.files));
        let Some(held) = held.or_else(later) else { return Behind::UnlistedFolder };
        let by = (at, event.actor);
        let before = match event.action.0 {
            FOLDER_DOWNLOADED if since_read.is_downloaded_with_outer(&folder, by) => held.files,
            FOLDER_DOWNLOADED => since_read.downloaded_of(&folder, by),
            _ if leaves_in_place(event) => 0,
            _ if since_read.is_gone_with_outer(&folder, at) => held.files,
            5026 | 5027 | 5074 => since_read.one_by_one(&folder, at, (event.actor, place)),
            _ => 0,
        };
        match held.files.saturating_sub(before) {
            0 if held.gone + before > 0 => Behind::Counted,
            files => Behind::Folder { files },
        }
    }

    /// The folders around the one that the event is about as a whole, and their room, right before the event. Whoever counts documents of
    /// several kinds of action together needs them: what was downloaded with an inner folder may be deleted with an outer one.
    pub fn around(&self, event: &AuditEvent) -> Vec<EntryId> {
        folder_of(event).map(|folder| self.since_read.outer(&folder, (event.at, event.id)).0).unwrap_or_default()
    }

    /// Whether the portal need not be asked for a folder.
    fn knows(&self, folder: &EntryId, asked: &Asked) -> bool {
        let is_new = |at: DateTime<Utc>| !asked.is_left && self.since_read.is_made(folder, at);
        asked.at.iter().all(|at| self.since_read.read(folder, *at).is_some() || is_new(*at))
    }

    /// The title of a folder or a room, as it was last read.
    pub fn title_of(&self, event: &AuditEvent) -> Option<&PortalText> {
        self.since_read.readings(&folder_of(event)?).last().map(|reading| &reading.holding.title)
    }
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
