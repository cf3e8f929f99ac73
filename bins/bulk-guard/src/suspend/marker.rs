//! A file beside the store that says whose account is disabled through this program, or may be. The journal knows more; but a store can be
//! lost, or replaced by an older one, and then no run may pass for one that has nobody to release.

use std::io;
use std::path::{Path, PathBuf};

use audit_model::Sentence;
use job_store::files;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::suspend::entry::{Entry, State};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Off {
    pub(crate) incident: String,
    pub(crate) person: Uuid,
}

impl Off {
    /// What nobody remembers any more, and what to do about it.
    pub(crate) fn words(&self) -> Sentence {
        let person = self.person;
        Sentence::new(
            format!(
                "The account {person} was disabled through this program, or was about to be, and this program does not remember why: its store was lost, or replaced by an older one. So no term ends that. Restore the store from a backup. Or look at the account in the portal: to enable it, open Contacts as an administrator and enable the person there; where it is to stay disabled, delete the file that ends in `.suspended` beside the store."
            ),
            format!(
                "Das Konto {person} wurde über dieses Programm deaktiviert, oder das stand bevor, und dieses Programm weiß nicht mehr, warum: Sein Speicher ging verloren oder wurde durch einen älteren ersetzt. Deshalb endet das nicht von selbst. Stellen Sie den Speicher aus einer Sicherung wieder her. Oder sehen Sie sich das Konto im Portal an: Um es zu aktivieren, öffnen Sie als Administrator die Kontakte und aktivieren Sie die Person dort; soll es deaktiviert bleiben, löschen Sie die Datei neben dem Speicher, die auf `.suspended` endet."
            ),
        )
    }
}

fn path(store: &Path) -> PathBuf {
    store.with_extension("suspended")
}

/// Brings the file up to date with entries that have been committed. A store on a server has no file beside it.
///
/// # Errors
/// Of the system: then nobody is to be suspended.
pub(crate) fn keep(store: &Path, entries: &[Entry]) -> io::Result<()> {
    change(store, |known| {
        for entry in entries {
            let is_off = entry.state.is_under_way() || entry.state == State::Kept;
            let off = Off { incident: entry.incident.id.clone(), person: entry.person() };
            if !is_off {
                known.retain(|other| other.incident != off.incident);
            } else if !known.contains(&off) {
                known.push(off);
            }
        }
    })
}

/// Takes away what is not so any more.
///
/// # Errors
/// Of the system.
pub(crate) fn forget(store: &Path, incident: &str) -> io::Result<()> {
    change(store, |known| known.retain(|other| other.incident != incident))
}

/// Whom the journal does not know. `entries` are empty where there is no journal.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn forgotten(store: &Path, entries: &[Entry]) -> io::Result<Vec<Off>> {
    let mut known = look(store)?;
    known.retain(|off| entries.iter().all(|entry| entry.incident.id != off.incident));
    Ok(known)
}

fn change(store: &Path, change: impl FnOnce(&mut Vec<Off>)) -> io::Result<()> {
    if !store.is_file() {
        return Ok(());
    }
    let before = look(store)?;
    let mut after = before.clone();
    change(&mut after);
    match after.is_empty() {
        _ if after == before => Ok(()),
        true => std::fs::remove_file(path(store)),
        false => files::replace(&path(store), &serde_json::to_vec(&after)?, files::PRIVATE),
    }
}

fn look(store: &Path) -> io::Result<Vec<Off>> {
    let path = path(store);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()));
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| named(error.into())),
        // where there is no folder, no run has had a store
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(named(error)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::suspend::model::incident;

    /// Whoever is off stays in the file until the journal says how it ended, and whom no journal knows is forgotten.
    #[test]
    fn who_is_off_is_known_without_the_journal() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("docs.sqlite");
        let at: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let [mara, ben] = [7, 8].map(|person| Entry::new(incident(person, at), at));
        // a store on a server
        keep(&store, &[mara.clone().into_state(State::Done, None)])?;
        assert!(!path(&store).exists());
        std::fs::write(&store, "")?;
        for state in [State::Intended, State::Done, State::Releasing, State::ReleaseFailed, State::Unknown, State::Kept]
        {
            keep(&store, &[mara.clone().into_state(state, None)])?;
            assert_eq!(forgotten(&store, &[])?.len(), 1, "{state:?}");
            assert_eq!(forgotten(&store, std::slice::from_ref(&mara))?, [], "{state:?}");
        }
        keep(&store, &[ben.clone().into_state(State::Intended, None)])?;
        assert_eq!(forgotten(&store, std::slice::from_ref(&mara))?[0].person, ben.person());
        keep(&store, &[mara.into_state(State::Released, None)])?;
        forget(&store, &ben.incident.id)?;
        assert!(!path(&store).exists());
        std::fs::write(path(&store), "[")?;
        assert!(forgotten(&store, &[]).is_err());
        // where a folder was to be is a file
        assert_eq!(forgotten(&store.join("docs.sqlite"), &[])?, []);
        Ok(())
    }
}
