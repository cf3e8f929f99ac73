//! How many documents stand behind an action on a whole folder.

use std::collections::BTreeMap;

use audit_model::AuditEvent;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use event_archive::{Error, Look, LookUps};

use crate::FACTS_KEPT;

/// Folders are listed, one request each, until so many were; the others stay unlisted, and are a gap.
const MOST_FOLDERS: usize = 300;

/// Folders to weigh, each with the last moment at which something was done to it.
#[derive(Clone, Debug, Default)]
pub struct Folders(BTreeMap<EntryId, DateTime<Utc>>);

impl Folders {
    /// Asks for the folder that an event is about as a whole, if it is: what is known of it must have been learned after the event.
    pub fn ask(&mut self, event: &AuditEvent) {
        self.note(event, event.at);
    }

    /// The same for a folder that the event deleted for good: what is remembered of it is all that there is.
    pub fn ask_for_deleted(&mut self, event: &AuditEvent) {
        self.note(event, DateTime::UNIX_EPOCH);
    }

    fn note(&mut self, event: &AuditEvent, at: DateTime<Utc>) {
        if let Some(folder) = folder_of(event) {
            let last = self.0.entry(folder).or_insert(at);
            *last = at.max(*last);
        }
    }

    /// Lists the folders. What the portal does not tell any more is as it was remembered; what cannot be had is a gap.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn weigh(self, look: &mut Look) -> Result<Weights, Error> {
        let mut weights = Weights::default();
        let mut look_ups = LookUps::of("folders", "hidden_folders", MOST_FOLDERS, look.now);
        for (folder, last) in self.0 {
            if !look_ups.may_ask() {
                break;
            }
            let max_age = believed_for(last, look.now);
            let looked = look.archive.weight_of_folder(&look.client, &folder, max_age, look.now).await?;
            if let Some(known) = look_ups.take(looked) {
                weights.0.insert(folder, known.value.files);
            }
        }
        look.finish(look_ups);
        Ok(weights)
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

/// How many files folders hold, at any depth, as far as the key's account can see.
#[derive(Clone, Debug, Default)]
pub struct Weights(BTreeMap<EntryId, u64>);

/// What stands behind an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// One document, or whatever else the event is about.
    One,
    /// A folder with so many files, which can be none.
    Folder { files: u64 },
    /// A folder of which nobody knows how much it holds.
    UnlistedFolder,
}

impl Weights {
    /// What stands behind the event. What that counts is a matter of rules.
    pub fn behind(&self, event: &AuditEvent) -> Behind {
        let Some(folder) = folder_of(event) else { return Behind::One };
        self.0.get(&folder).map_or(Behind::UnlistedFolder, |files| Behind::Folder { files: *files })
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
