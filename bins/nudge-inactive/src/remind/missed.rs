//! What somebody missed in a room: how many documents others made or changed, and the titles of some.

use std::collections::{BTreeMap, HashMap};

use attribution::FACTS_KEPT;
use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use docspace_client::Access;
use event_archive::Looked;
use job_runner::Job;
use tracing::warn;
use uuid::Uuid;

use crate::gather::Changed;

/// Titles in a mail.
const TITLES: usize = 5;

/// Documents that are looked up per room, three requests each: some are gone by now.
const LOOKED_UP: usize = 10;

/// Looks up titles once per room.
pub(crate) struct Missed<'a> {
    job: &'a Job,
    changed: &'a BTreeMap<RoomId, Vec<Changed>>,
    titles: HashMap<RoomId, Vec<(Uuid, DateTime<Utc>, PortalText)>>,
}

impl<'a> Missed<'a> {
    pub(crate) fn new(job: &'a Job, changed: &'a BTreeMap<RoomId, Vec<Changed>>) -> Self {
        Missed { job, changed, titles: HashMap::new() }
    }

    /// How many documents others have made or changed since somebody was last seen, and up to five titles, newest first; none for
    /// somebody who may not read all of the room.
    pub(crate) async fn of(
        &mut self,
        room: &RoomId,
        (person, access): (Uuid, Access),
        last: Option<DateTime<Utc>>,
    ) -> anyhow::Result<(u64, Vec<PortalText>)> {
        let changed = self.changed.get(room).map(Vec::as_slice).unwrap_or_default();
        let is_news = |by: Uuid, at: DateTime<Utc>| by != person && last.is_none_or(|last| at > last);
        let count = changed.iter().filter(|change| is_news(change.by, change.at)).count() as u64;
        if count == 0 || !reads_everything(access) {
            return Ok((count, Vec::new()));
        }
        if !self.titles.contains_key(room) {
            let titles = self.look_up(room, changed).await?;
            self.titles.insert(room.clone(), titles);
        }
        let titles = self.titles[room].iter().filter(|(by, at, _)| is_news(*by, *at));
        Ok((count, titles.map(|(.., title)| title.clone()).take(TITLES).collect()))
    }

    /// Titles of today, of documents that are still in the room.
    async fn look_up(
        &self,
        room: &RoomId,
        changed: &[Changed],
    ) -> anyhow::Result<Vec<(Uuid, DateTime<Utc>, PortalText)>> {
        let mut titles = Vec::new();
        for change in changed.iter().take(LOOKED_UP) {
            let id = RoomId::from(change.file.as_str());
            let file = match self.job.client.file(&id).await {
                Ok(Some(file)) if file.in_room && !file.in_trash => file,
                Ok(_) => continue,
                Err(error) => {
                    warn!(file.id = %id, "{:#}", anyhow::Error::new(error));
                    continue;
                }
            };
            // a title more or less in a mail decides nothing
            let place = match self.job.archive.place_of_file(&self.job.client, &id, FACTS_KEPT, self.job.now).await? {
                Looked::Known(place) => place,
                Looked::Gone { .. } => continue,
                Looked::Failed { error, .. } => {
                    warn!(file.id = %id, "{:#}", anyhow::Error::new(error));
                    continue;
                }
            };
            if place.value.room.as_ref() == Some(room) {
                titles.push((change.by, change.at, file.title));
            }
        }
        Ok(titles)
    }
}

/// Who fills in forms sees only those that are for them.
fn reads_everything(access: Access) -> bool {
    const READS: [i32; 8] = [1, 2, 5, 6, 8, 9, 10, 11];
    READS.contains(&access.0)
}
