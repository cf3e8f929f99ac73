//! Which watched room an event belongs to: ask (which logs would tell?), fetch, apply.

use std::collections::BTreeSet;

use audit_model::{Attributed, AuditEvent, Coverage, Place, RoomId, RoomLogs, Rooms, Window};
use docspace_client::ErrorKind;
use event_archive::Archive;
use futures::TryStreamExt;
use job_runner::Job;
use tracing::warn;

use crate::rule::{Placed, RoomKey};

/// The rooms of a portal and which of them are watched.
pub(crate) struct Watched {
    pub(crate) rooms: Rooms,
    pub(crate) ids: BTreeSet<RoomId>,
}

impl Watched {
    /// The event with its room, if it happened in a watched one, or in one of which nobody knows more than the title: it may be
    /// a watched one that had another title then.
    pub(crate) fn place<'e>(&self, event: &'e AuditEvent, logs: &RoomLogs) -> Option<Placed<'e>> {
        match self.rooms.place_with_logs(event, logs) {
            Place::Room(id, attributed) if self.ids.contains(&id) => {
                let title = self.rooms.get(&id).map(|room| room.title.clone()).unwrap_or_default();
                Some(Placed { event, key: RoomKey::Known(id), title, candidates: Vec::new(), attributed })
            }
            Place::OneOf { title, candidates } if candidates.iter().any(|id| self.ids.contains(id)) => {
                let key = RoomKey::OneOf(title.clone());
                Some(Placed { event, key, title, candidates, attributed: Attributed::Title })
            }
            Place::UnknownRoom { title } => {
                let key = RoomKey::OneOf(title.clone());
                Some(Placed { event, key, title, candidates: Vec::new(), attributed: Attributed::Title })
            }
            Place::Room(..) | Place::OneOf { .. } | Place::Elsewhere => None,
        }
    }

    /// Rooms whose activity logs would tell where some event of the window happened.
    async fn questions(&self, archive: &Archive, window: Window) -> anyhow::Result<BTreeSet<RoomId>> {
        let mut asked = BTreeSet::new();
        // without a shared title nothing is open, and the events need not be gone through
        if self.rooms.twins().is_disjoint(&self.ids) {
            return Ok(asked);
        }
        let mut events = std::pin::pin!(archive.events(window));
        while let Some(event) = events.try_next().await? {
            let candidates = self.rooms.question(&event);
            if candidates.iter().any(|id| self.ids.contains(id)) {
                asked.extend(candidates);
            }
        }
        Ok(asked)
    }

    /// Reads the activity logs that are needed to tell rooms of one title apart. A log that cannot be read is a gap.
    pub(crate) async fn logs(&self, job: &Job, window: Window, coverage: &mut Coverage) -> anyhow::Result<RoomLogs> {
        let mut logs = RoomLogs::default();
        // rooms in third-party storage have no log
        let has_log = |room: &RoomId| matches!(room, RoomId::Number(_));
        for room in self.questions(&job.archive, window).await?.into_iter().filter(has_log) {
            let refreshed = job.archive.refresh_room_log(&job.client, &room, window, job.now).await?;
            match refreshed.error {
                // deleted since: what stands in none of the other logs stays open between the rooms
                Some(error) if error.kind == ErrorKind::NotFound => {}
                error => {
                    if let Some(error) = error {
                        warn!(room.id = %room, "{:#}", anyhow::Error::new(error));
                    }
                    coverage.add_room_log(refreshed.coverage, refreshed.gaps);
                }
            }
            logs.insert(&room, job.archive.room_log(&room, window).await?);
        }
        Ok(logs)
    }
}
