//! In which folders the documents of findings are: ten titles that differ in one digit tell less than the name of their folder.

use std::collections::BTreeMap;

use audit_model::RoomId;
use docspace_client::EntryId;
use job_runner::Job;
use tracing::warn;

use crate::rule::{Found, InFolder};

/// With fewer documents their own titles say enough.
const LEAST_DOCUMENTS: usize = 5;

/// The documents of larger rooms are not listed: a request tells a hundred.
const MOST_DOCUMENTS: u64 = 1_000;

/// Rooms listed in a run.
const MOST_ROOMS: usize = 5;

/// The folders that somebody reads of.
const FOLDERS_NAMED: usize = 5;

/// Adds the folders that the documents are in now, as far as the portal tells: a room is listed once. That is no gap: the findings are
/// whole without.
///
/// # Errors
/// Of the store.
pub(super) async fn name(found: &mut [Found], job: &Job) -> Result<(), event_archive::Error> {
    let mut rooms: BTreeMap<RoomId, BTreeMap<String, EntryId>> = BTreeMap::new();
    for Found { finding, detail } in found {
        let Some(room @ RoomId::Number(_)) = finding.room.as_ref().and_then(|room| room.id.clone()) else { continue };
        let is_small = detail.share_of_room.is_some_and(|share| share.documents <= MOST_DOCUMENTS);
        if !is_small || detail.documents.len() < LEAST_DOCUMENTS {
            continue;
        }
        if !rooms.contains_key(&room) {
            if rooms.len() == MOST_ROOMS {
                continue;
            }
            let files = job.client.files_in(&room).await.unwrap_or_else(|error| {
                warn!(room.id = %room, "the folders of a finding are not known: {:#}", anyhow::Error::new(error));
                Vec::new()
            });
            let folders = files.into_iter().filter_map(|file| Some((file.id.to_string(), file.folder?)));
            rooms.insert(room.clone(), folders.collect());
        }
        let mut counts: BTreeMap<&EntryId, u64> = BTreeMap::new();
        let folders = detail.documents.iter().filter_map(|document| rooms[&room].get(document));
        folders.filter(|folder| **folder != room).for_each(|folder| *counts.entry(folder).or_default() += 1);
        let readings = job.archive.readings(counts.keys().copied()).await?;
        let title = |folder: &EntryId| Some(readings.get(folder)?.last()?.holding.title.clone());
        let folders =
            counts.into_iter().map(|(id, documents)| InFolder { id: id.clone(), title: title(id), documents });
        detail.folders = folders.collect();
        detail.folders.sort_by_key(|folder| std::cmp::Reverse(folder.documents));
        detail.folders.truncate(FOLDERS_NAMED);
    }
    Ok(())
}
