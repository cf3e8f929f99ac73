//! Stores of version 1.0.0, which in a folder of several programs did not bear the program's name. The first run gives them their present
//! one; whatever only reads finds them under either.

use std::io;
use std::path::{Path, PathBuf};

use crate::state_path::StatePaths;

/// The store as it is found: where it should be, or where version 1.0.0 has left it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FoundStore<'a> {
    pub(crate) path: &'a Path,
    /// For people, when it still has its former name.
    pub(crate) note: Option<String>,
}

/// Looks for the store, and changes nothing.
pub(crate) fn find(paths: &StatePaths) -> FoundStore<'_> {
    match former(paths) {
        Some(path) => {
            let (found, present) = (path.display(), paths.store.display());
            let note = format!(
                "the store is {found}, as version 1.0.0 has called it; the next run takes it over as {present}"
            );
            FoundStore { path, note: Some(note) }
        }
        None => FoundStore { path: &paths.store, note: None },
    }
}

/// Gives a store of version 1.0.0 its present name. Where several programs shared one, the first that runs takes it.
pub(crate) fn adopt(paths: &StatePaths) -> io::Result<()> {
    let Some(former) = former(paths) else { return Ok(()) };
    // what a crash left unwritten belongs to it, and has to be there before the store is
    for ending in ["-wal", ""] {
        let beside = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        match std::fs::rename(beside(former), beside(&paths.store)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !ending.is_empty() => {}
            renamed => renamed?,
        }
    }
    Ok(())
}

fn former(paths: &StatePaths) -> Option<&Path> {
    paths.former_store.as_deref().filter(|former| former.is_file() && !paths.store.exists())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::environment::Environment;
    use crate::state_path::state_paths;

    #[test]
    fn a_store_of_before_is_found_and_then_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let of = |program| {
            let portal = "https://docs.example.com".parse().unwrap();
            state_paths(program, &portal, Some(folder.path()), &Environment::default()).unwrap()
        };
        let old = folder.path().join("docs.example.com.sqlite");
        fs::write(&old, "store").unwrap();
        fs::write(folder.path().join("docs.example.com.sqlite-wal"), "rest").unwrap();
        let [first, second] = ["vdr-watch", "bulk-guard"].map(of);
        for paths in [&first, &second] {
            let found = find(paths);
            assert!(found.path == old && found.note.unwrap().contains("takes it over"));
        }
        for paths in [&first, &second, &first] {
            adopt(paths).unwrap();
            assert_eq!(find(paths), FoundStore { path: &paths.store, note: None });
        }
        assert_eq!(fs::read_to_string(&first.store).unwrap(), "store");
        assert_eq!(fs::read_to_string(folder.path().join("vdr-watch-docs.example.com.sqlite-wal")).unwrap(), "rest");
        assert!(!old.exists() && !second.store.exists());
    }
}
