//! Which room a document is in today: all that tells where something happened when neither its title nor a log does.

use std::collections::{BTreeSet, HashMap};

use audit_model::{AuditEvent, EntryKind, RoomId, Source};
use docspace_client::EntryId;
use event_archive::{Error, Look, LookUps, Looked, RoomsOfFolders};

use crate::FACTS_KEPT;

/// Files are looked up, two requests each, until so many were; the others are a gap.
const MOST_FILES: usize = 300;

/// The id of the file that an event is about.
pub fn file_of(event: &AuditEvent) -> Option<&str> {
    let is_file = event.action.info().is_some_and(|info| info.entries.contains(&EntryKind::File));
    event.target.first().filter(|_| is_file).map(String::as_str)
}

/// Where a file is, or was when it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    Room(RoomId),
    /// Outside all rooms.
    NoRoom,
    /// There is no such file any more, and nobody remembers where it was.
    Gone,
    /// The portal did not tell, or was not asked any more.
    Unseen,
}

/// Where files are.
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<String, Whereabouts>);

impl Places {
    /// Looks up where these files are. What cannot be had is a gap.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn look_up(files: BTreeSet<String>, look: &mut Look) -> Result<Self, Error> {
        let mut places = Places::default();
        let mut look_ups = LookUps::of(Source::Files.name(), "hidden_files", MOST_FILES, look.now);
        let mut rooms = RoomsOfFolders::new();
        for file in files {
            let whereabouts = if look_ups.may_ask() {
                let id = EntryId::from(file.as_str());
                let looked =
                    look.archive.place_of_one_file(&look.client, &id, &mut rooms, (FACTS_KEPT, look.now)).await?;
                let has_failed = matches!(looked, Looked::Failed { .. });
                match look_ups.take(looked).map(|place| place.value.room) {
                    Some(Some(room)) => Whereabouts::Room(room),
                    Some(None) => Whereabouts::NoRoom,
                    None if has_failed => Whereabouts::Unseen,
                    None => Whereabouts::Gone,
                }
            } else {
                Whereabouts::Unseen
            };
            places.0.insert(file, whereabouts);
        }
        look.finish(look_ups);
        Ok(places)
    }

    /// Where the file is that the event is about; `None` for an event about no file, and for files that nobody looked up.
    pub fn of(&self, event: &AuditEvent) -> Option<&Whereabouts> {
        file_of(event).and_then(|file| self.0.get(file))
    }
}
