//! A file beside the store that says that a list is being applied. The journal knows more; but a store can be lost or damaged, and then no run
//! may pass for one that has nothing to take back.

use std::path::{Path, PathBuf};

use job_store::files;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::entry::Entry;

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    id: String,
    plan: String,
    /// The script that restores the list by hand.
    restore: PathBuf,
}

fn path(store: &Path) -> PathBuf {
    store.with_extension("applying")
}

/// Says that an application begins. A store on a server has no file beside it.
pub(super) fn set(store: &Path, entry: &Entry, restore: &Path) -> anyhow::Result<()> {
    if !store.exists() {
        return Ok(());
    }
    let marker = Marker { id: entry.id.clone(), plan: entry.intent.plan.clone(), restore: restore.to_owned() };
    Ok(files::replace(&path(store), &serde_json::to_vec(&marker)?, files::PRIVATE)?)
}

/// Takes the file away once the journal says that the application has ended.
pub(super) fn clear(store: &Path, entries: &[Entry]) {
    let Some(marker) = look(store) else { return };
    let is_over = entries.iter().any(|entry| entry.id == marker.id && !entry.state.is_open());
    if is_over && let Err(error) = std::fs::remove_file(path(store)) {
        warn!("{} cannot be deleted: {error}", path(store).display());
    }
}

/// Of an application that the journal does not know: what to do. `entries` are empty where there is no journal.
pub(super) fn forgotten(store: &Path, entries: &[Entry]) -> Option<String> {
    let marker = look(store).filter(|marker| entries.iter().all(|entry| entry.id != marker.id))?;
    Some(format!(
        "plan {} was being applied, and what this program remembers of that is gone or cannot be read, so nothing is taken back: repair the \
         store; or look at the portal's address list, which `sh {}` writes as it was before, and delete {}",
        marker.plan,
        marker.restore.display(),
        path(store).display()
    ))
}

fn look(store: &Path) -> Option<Marker> {
    let text = std::fs::read(path(store)).ok()?;
    // half a file says as much: it is written before anything is sent
    Some(serde_json::from_slice(&text).unwrap_or_else(|_| Marker {
        id: String::new(),
        plan: "of which only this file is left".to_owned(),
        restore: store.with_file_name("restore-ID.sh"),
    }))
}
