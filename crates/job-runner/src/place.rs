//! Where a file is kept that must outlive a run although the state cannot be written: beside the lock or, second best and where the state is
//! on a server, in folders of this user for files of a session or for temporary ones.

use std::path::{Path, PathBuf};
use std::{fs, io};

use job_store::files;

use crate::state_path::State;

/// One place for such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// Set where others may make folders too: then this one must be ours.
    own_folder: Option<PathBuf>,
}

impl Place {
    /// All places of the file with this ending, best first.
    pub(crate) fn all(state: &State, ending: &str) -> Vec<Self> {
        let named = |path: PathBuf| {
            let mut path = path.into_os_string();
            path.push(".");
            path.push(ending);
            PathBuf::from(path)
        };
        let (own, spares) = state.beside();
        let spare = |(folder, path)| Place { path: named(path), own_folder: Some(folder) };
        let own = own.map(|path| Place { path: named(path), own_folder: None });
        own.into_iter().chain(spares.into_iter().map(spare)).collect()
    }

    /// Whether the file is there, and nobody else can have put it there.
    pub(crate) fn is_taken(&self) -> bool {
        self.path.is_file() && self.own_folder.as_ref().is_none_or(|folder| files::is_private_folder(folder))
    }

    /// Makes ready for writing.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let Some(folder) = &self.own_folder else { return Ok(()) };
        // not those above it: a session that has ended has no folder
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => files::create_private_folder(folder)?,
            found => found.map(|_| ())?,
        }
        if files::is_private_folder(folder) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Takes the file away, and the folder when nothing else is in it.
    pub(crate) fn clear(&self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        if let Some(folder) = &self.own_folder {
            // another file may be there still
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Place { path: path.to_owned(), own_folder: None }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Whoever may write into a folder for temporary files can make anything there, before us.
    #[test]
    fn what_others_can_have_put_there_is_not_ours() {
        let shared = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let folder = shared.path().join(name);
            Place { path: folder.join("x.spare"), own_folder: Some(folder) }
        };
        let ours = place("ours");
        ours.prepare().unwrap();
        fs::write(&ours.path, "").unwrap();
        assert!(ours.is_taken());
        assert_eq!(fs::metadata(shared.path().join("ours")).unwrap().permissions().mode() & 0o777, 0o700);
        symlink(shared.path().join("ours"), shared.path().join("link")).unwrap();
        assert!(!place("link").is_taken() && place("link").prepare().is_err());
        let open = place("open");
        open.prepare().unwrap();
        fs::write(&open.path, "").unwrap();
        fs::set_permissions(shared.path().join("open"), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!open.is_taken() && open.prepare().is_err());
        ours.clear().unwrap();
        assert!(!shared.path().join("ours").exists());
    }
}
