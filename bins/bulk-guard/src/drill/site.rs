//! What a drill does at the portal, as its account, and what it sees there.

use std::path::Path;
use std::time::Duration;

use audit_model::{PersonStatus, RoomId};
use docspace_client::{ApiKey, Client, Error, OnTwin};
use futures::future::pending;
use job_runner::config::PathSetting;
use tokio::time::timeout;
use tracing::info;
use uuid::Uuid;

use crate::drill::course::{Drill, OwnRoom, RoomSeen};
use crate::secret_file;

/// The key of a drill's account, from the file that the settings name.
///
/// # Errors
/// As for all secret files: exit code 2.
pub(crate) fn key(path: &PathSetting) -> Result<ApiKey, job_runner::Error> {
    Ok(ApiKey::new(secret_file::read("drill.key_file", Path::new(path.as_path()))?))
}

/// The portal: as the account that the program watches with, and as the drill's own.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) watching: Client,
    /// `None` where there is no key any more.
    pub(crate) own: Option<Client>,
}

impl Site {
    /// Of the account; `None` when it could not be read.
    pub(crate) async fn status(&self, account: Uuid) -> Option<PersonStatus> {
        let read = self.watching.account(account).await.inspect_err(told).ok()?;
        read.and_then(|account| account.person.status)
    }

    /// The room of a drill, looked for by its title where no answer has told its id.
    pub(crate) async fn room(&self, drill: &Drill) -> RoomSeen {
        let Some(own) = &self.own else { return RoomSeen::Unread };
        let found = match &drill.room {
            OwnRoom::Refused => return RoomSeen::Gone,
            OwnRoom::Made(id) => own.room(id).await,
            OwnRoom::Asked => own.rooms().await.map(|rooms| {
                let title = drill.title();
                let is_it = |room: &docspace_client::Room| room.fact.title.raw() == title;
                rooms.into_iter().find(|room| is_it(room) && room.owner == Some(drill.account))
            }),
        };
        match found.inspect_err(told) {
            // whatever the id says, only a room of this title, which the account owns, is the drill's
            Ok(Some(room)) if room.owner != Some(drill.account) || room.fact.title.raw() != drill.title() => {
                RoomSeen::Unread
            }
            Ok(Some(room)) if room.archived => RoomSeen::Archived(room.fact.id),
            Ok(Some(room)) => RoomSeen::Active(room.fact.id),
            Ok(None) => RoomSeen::Gone,
            Err(_) => RoomSeen::Unread,
        }
    }

    pub(crate) async fn archive(&self, room: &RoomId) {
        if let Some(own) = &self.own
            && let Err(error) = own.archive_room(room).await
        {
            told(&error);
        }
    }

    pub(crate) async fn delete(&self, room: &RoomId) {
        if let Some(own) = &self.own
            && let Err(error) = own.delete_room(room).await
        {
            told(&error);
        }
    }
}

/// Puts one of the drill's documents into its room.
pub(crate) async fn upload(own: &Client, (drill, room): (&Drill, &RoomId), number: u64) -> Result<(), Error> {
    let title = format!("drill {number:02}.{}", drill.mark);
    own.upload(room, &title, b"bulk-guard drill\n", OnTwin::NewVersion).await.map(drop)
}

/// The portal works behind its answer.
pub(crate) async fn pause(length: Duration) {
    let _ = timeout(length, pending::<()>()).await;
}

fn told(error: &Error) {
    info!("{error}");
}
