//! The activity logs of rooms, which tell where an event happened when several rooms have its title.

use audit_model::{Gap, RoomId, RoomLogs, Window};
use event_archive::{Error, Look};

/// Brings the activity log of a room up to date, adds it to `logs`, and gives what of it was not seen. `None` for a room in third-party
/// storage, which has no log.
///
/// # Errors
/// Only of the store.
pub async fn read_room_log(
    room: &RoomId,
    window: Window,
    logs: &mut RoomLogs,
    look: &mut Look,
) -> Result<Option<Vec<Gap>>, Error> {
    if !has_log(room) {
        return Ok(None);
    }
    let gaps = look.room_log(room, window).await?;
    logs.insert(room, look.archive.room_log(room, window).await?);
    Ok(Some(gaps))
}

/// Whether a room has an activity log: one in third-party storage has none.
pub fn has_log(room: &RoomId) -> bool {
    matches!(room, RoomId::Number(_))
}
