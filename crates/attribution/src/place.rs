//! Which room a document is in today: all that tells where something happened when neither its title nor a log does.

use std::collections::{BTreeSet, HashMap};

use audit_model::{AuditEvent, EntryKind, RoomId, Source};
use chrono::TimeDelta;
use docspace_client::EntryId;
use event_archive::{Error, Fact, FilePlace, Look, LookUps, Looked, RoomsOfFolders};

use crate::FACTS_KEPT;

/// Files are looked up, two requests each, until so many were; the others are a gap.
const MOST_FILES: usize = 300;

/// What is remembered of files that are not there any more.
const GONE: &str = "gone file";

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

impl Whereabouts {
    fn of(place: Fact<FilePlace>) -> Self {
        place.value.room.map_or(Whereabouts::NoRoom, Whereabouts::Room)
    }
}

/// Whether the portal said a short while ago that there is no such file: none comes back that was deleted for good.
async fn is_known_gone(file: &str, look: &Look) -> Result<bool, Error> {
    let gone: Option<Fact<bool>> = look.archive.fact(GONE, file).await?;
    Ok(gone.is_some_and(|gone| (TimeDelta::zero()..FACTS_KEPT).contains(&(look.now - gone.learned_at))))
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
            let id = EntryId::from(file.as_str());
            let whereabouts = if is_known_gone(&file, look).await? {
                look.archive.remembered_place(&id).await?.map_or(Whereabouts::Gone, Whereabouts::of)
            } else if look_ups.may_ask() {
                let looked =
                    look.archive.place_of_one_file(&look.client, &id, &mut rooms, (FACTS_KEPT, look.now)).await?;
                let has_failed = matches!(looked, Looked::Failed { .. });
                if matches!(looked, Looked::Gone { .. }) {
                    look.archive.keep_fact(GONE, &file, &true, look.now).await?;
                }
                match look_ups.take(looked) {
                    Some(place) => Whereabouts::of(place),
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
