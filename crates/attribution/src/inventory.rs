//! What rooms and folders hold, read before somebody takes it away: afterwards it lies in a trash that nobody else can list, or is gone.

use audit_model::RoomId;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ErrorKind, Room};
use event_archive::{Error, Holding, Look, Unlisted};
use futures::future::join_all;

/// What gaps of it are called.
pub const INVENTORY: &str = "inventory";

/// So often the rooms are read at least.
pub(crate) const READ_EVERY: TimeDelta = TimeDelta::hours(1);

/// So often they are read at most, however much is done to documents.
const READ_AT_MOST_EVERY: TimeDelta = TimeDelta::minutes(5);

/// So many documents that came or went are a reason to read the rooms again.
const MANY_CHANGES: u64 = 50;

/// Rooms whose folders a run lists; the next run goes on with the others.
const MOST_ROOMS: u32 = 10;

/// Of a room with more folders than this only those at its top are listed: a request tells a hundred.
const MOST_FOLDERS: u64 = 1_000;

/// Brings the inventory up to date: what every room holds, one request for a hundred of them, once an hour and after many changes; and
/// what the folders of a few rooms hold in which something has changed since they were listed. Call it after the audit trail was read.
///
/// # Errors
/// Only of the store. What the portal does not tell is a gap, but for a room that it hides: what is done to the folders in there cannot be
/// counted, and whoever asks for [`Weights`](crate::Weights) is told so.
pub async fn keep_inventory(look: &mut Look) -> Result<(), Error> {
    if is_due(look).await? {
        let Some(rooms) = look.rooms().await? else { return Ok(()) };
        let held: Vec<Holding> = rooms.into_iter().filter_map(holding).collect();
        look.archive.keep_rooms_held(&held, portal_now(look)).await?;
    }
    let rooms = look.archive.unlisted_rooms(MOST_ROOMS).await?;
    let look_at = async |room| (folders_in(room, look).await, portal_now(look));
    let looked = join_all(rooms.iter().map(look_at)).await;
    let mut failed = None;
    for (room, (folders, at)) in rooms.iter().zip(looked) {
        match folders {
            Ok(folders) => look.archive.keep_folders_held(room, &folders, at).await?,
            // the next run goes on
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.into_iter().for_each(|error| look.failed(INVENTORY, error));
    Ok(())
}

/// What is in somebody else's storage the portal does not count.
fn holding(room: Room) -> Option<Holding> {
    let RoomId::Number(_) = room.fact.id else { return None };
    let (files, folders) = (room.files?, room.folders?);
    let Room { fact, .. } = room;
    Some(Holding { folder: fact.id.clone(), files, folders, room: fact.id, parent: None, title: fact.title })
}

async fn folders_in(room: &Unlisted, look: &Look) -> Result<Vec<Holding>, docspace_client::Error> {
    if room.folders == 0 {
        return Ok(Vec::new());
    }
    let folders = match look.client.folders_in(&room.room, room.folders <= MOST_FOLDERS).await {
        Err(error) if matches!(error.kind, ErrorKind::MissingRight | ErrorKind::NotFound) => return Ok(Vec::new()),
        folders => folders?,
    };
    let holding = |folder: docspace_client::Folder| {
        let (files, folders) = (folder.files?, folder.folders?);
        let (room, parent) = (room.room.clone(), folder.parent);
        Some(Holding { folder: folder.id, files, folders, room, parent, title: folder.title })
    };
    Ok(folders.into_iter().filter_map(holding).collect())
}

/// When something was read that the portal has just told: not before what the answer shows had happened.
fn portal_now(look: &Look) -> DateTime<Utc> {
    look.client.portal_now().map_or(look.now, |now| now.max(look.now))
}

async fn is_due(look: &Look) -> Result<bool, Error> {
    let Some(read_at) = look.archive.inventory_read_at().await? else { return Ok(true) };
    let age = look.now - read_at;
    // it may have been read by a clock that was ahead
    if age >= READ_EVERY || age < -READ_AT_MOST_EVERY {
        return Ok(true);
    }
    if age < READ_AT_MOST_EVERY {
        return Ok(false);
    }
    let (changes, of_folders) = look.archive.changes_of_holdings(read_at).await?;
    Ok(of_folders > 0 || changes >= MANY_CHANGES)
}
