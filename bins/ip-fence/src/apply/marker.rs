//! A file beside the store that says that a list is being applied. The journal knows more; but a store can be lost or damaged, and then no run
//! may pass for one that has nothing to take back.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use job_store::files;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::entry::Entry;
use super::restore;

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    id: String,
    plan: String,
    /// The script that restores the list by hand.
    restore: PathBuf,
}

pub(super) const ENDING: &str = "applying";

fn path(store: &Path) -> PathBuf {
    store.with_extension(ENDING)
}

/// Says that an application is open, before the journal does. A store on a server has no file beside it.
///
/// # Errors
/// The file cannot be written, of an application that has not begun: one that is to be taken back goes on without.
pub(super) fn keep(store: &Path, entry: &Entry) -> anyhow::Result<()> {
    // of an application that the journal does not know it must not get lost
    if look(store).is_some() || !store.exists() {
        return Ok(());
    }
    let restore = restore::beside(store, &entry.id);
    let marker = Marker { id: entry.id.clone(), plan: entry.intent.plan.clone(), restore };
    match files::replace(&path(store), &serde_json::to_vec(&marker)?, files::PRIVATE) {
        Err(error) if !entry.puts.is_empty() => warn!("if the store is lost, no run will notice: {error}"),
        written => written?,
    }
    Ok(())
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

/// What a run says that can look at nothing, neither at the journal nor at the portal.
pub(super) fn waits(store: &Path) -> Option<String> {
    let marker = look(store)?;
    Some(format!(
        "plan {} was being applied, as {} says, and this run has not looked whether its list is to be taken back: correct what is wrong, and \
         run again; or run `sh {}`, which writes the list as it was before",
        marker.plan,
        path(store).display(),
        marker.restore.display()
    ))
}

fn look(store: &Path) -> Option<Marker> {
    let text = match std::fs::read(path(store)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return None,
        // one that cannot be read says as much as half of one: it is written before anything is sent
        text => text.unwrap_or_default(),
    };
    Some(serde_json::from_slice(&text).unwrap_or_else(|_| Marker {
        id: String::new(),
        plan: "of which only this file is left".to_owned(),
        restore: restore::beside(store, "ID"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever cannot read the file does not know that nothing is open.
    #[test]
    fn a_file_that_cannot_be_read_says_that_something_is_open() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("docs.sqlite");
        assert!(forgotten(&store, &[]).is_none() && waits(&store).is_none());
        // whoever runs the tests may read every file, and no folder as one
        std::fs::create_dir(path(&store))?;
        assert!(forgotten(&store, &[]).is_some() && waits(&store).is_some());
        Ok(())
    }
}
