//! Whether other users of this machine can read or change what a run relies on: key, passwords, tokens, settings, memory.
//!
//! Who can change the settings can send the key elsewhere, and who can change the memory can have findings forgotten. Whoever may write
//! a folder may put another file in the place of one in it, whatever the mode of that file.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use job_store::files;
use tracing::warn;

use crate::config::{self, Settings};
use crate::environment::Environment;
use crate::secret::CREDENTIALS_VARIABLE;
use crate::setup::Setup;
use crate::state_path::State;

/// Something that others can read or change. Displays as one line, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) text: String,
    pub(crate) remedy: String,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.remedy)
    }
}

/// What nobody else may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Private {
    Read,
    Change,
}

/// Looks at the mode and the owner of a file or a folder. What is not there exposes nothing.
pub(crate) fn look(what: &str, path: &Path, private: Private, environment: &Environment) -> Option<Exposed> {
    let found = files::exposure(path).ok().filter(|_| !is_credential(path, environment))?;
    let shown = path.display();
    if let Some(owner) = found.stranger {
        let text = format!("{what} `{shown}` belongs to another user (number {owner}), who can change it");
        return Some(Exposed { text, remedy: "chown it to the user that runs this program".to_owned() });
    }
    let is_readable = private == Private::Read && found.is_readable;
    let verb = match (is_readable, found.is_writable) {
        (true, true) => "read and changed",
        (true, false) => "read",
        (false, true) => "changed",
        (false, false) => return None,
    };
    let text = format!("{what} `{shown}` can be {verb} by other users (mode {:03o})", found.mode & 0o777);
    let mode = match (path.is_dir(), private) {
        (true, _) => "700",
        (false, Private::Read) => "600",
        (false, Private::Change) => "go-w",
    };
    Some(Exposed { text, remedy: format!("chmod {mode} '{shown}'") })
}

/// A folder that leads to something private. Of one with the sticky bit, such as `/tmp`, others can replace nothing that is ours.
fn look_at_folder(folder: &Path) -> Option<Exposed> {
    const STICKY: u32 = 0o1000;
    /// Whom systems show where an owner is unknown to them, as in containers of unprivileged users.
    const UNKNOWN: u32 = 65_534;
    let found = files::exposure(folder).ok()?;
    let shown = folder.display();
    if let Some(owner) = found.stranger.filter(|owner| *owner != UNKNOWN) {
        let text =
            format!("the folder `{shown}` belongs to another user (number {owner}), who can replace what is in it");
        return Some(Exposed { text, remedy: "keep secrets, settings and memory in folders of your own".to_owned() });
    }
    let is_open = found.is_writable && found.mode & STICKY == 0;
    let text = format!("other users can replace what is in the folder `{shown}` (mode {:03o})", found.mode & 0o777);
    is_open.then(|| Exposed { text, remedy: format!("chmod go-w '{shown}'") })
}

impl<C: Settings> Setup<'_, C> {
    /// Logs what other users of this machine can read or change of what this program relies on, as runs do.
    pub fn warn_of_exposed(&self) {
        exposed(self).iter().for_each(|exposed| warn!("{exposed}"));
    }
}

/// What a run relies on: the words that come before its name, the path, and what nobody else may do with it.
type Kept = (&'static str, PathBuf, Private);

fn kept<C: Settings>(setup: &Setup<'_, C>) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    // a key that cannot be used is told elsewhere
    if let Ok(found) = setup.key()
        && let Some(path) = found.origin.path()
    {
        kept.push(("the API key in", path.to_owned(), Private::Read));
    }
    for path in setup.args.portal_config.iter().chain(&setup.args.config) {
        let private = if config::holds_secrets(path) { Private::Read } else { Private::Change };
        kept.push(("the settings file", path.clone(), private));
    }
    if let Some(path) = setup.common.mail.password_file.as_ref().filter(|_| setup.common.mail.user.is_some()) {
        kept.push(("the mail password in", path.as_path().to_owned(), Private::Read));
    }
    if let Some(path) = &setup.common.state_password_file {
        kept.push(("the password for the state in", path.as_path().to_owned(), Private::Read));
    }
    kept.extend(setup.names_key_file().map(|path| ("the key of pseudonyms in", path, Private::Read)));
    for path in [&setup.common.outbound.ca_file, &setup.common.mail.ca_file].into_iter().flatten() {
        kept.push(("the file of certificates", path.as_path().to_owned(), Private::Change));
    }
    if let Some(path) = &setup.common.alerts.file.path {
        kept.push(("the file of alerts", path.as_path().to_owned(), Private::Read));
    }
    if let Some(path) = &setup.common.alerts.webhook.secret_file {
        kept.push(("the secret of the webhook in", path.as_path().to_owned(), Private::Read));
    }
    for channel in config::channels::read(&setup.common.alerts.channel).into_iter().flatten() {
        let files = channel.kind.secrets.iter().filter_map(|secret| channel.secret_file(secret));
        kept.extend(files.map(|path| ("a secret of a channel in", PathBuf::from(path), Private::Read)));
        kept.extend(channel.file().map(|path| ("the file of alerts", PathBuf::from(path), Private::Read)));
    }
    kept.extend(setup.config.secret_files().into_iter().map(|(what, path)| (what, path.to_owned(), Private::Read)));
    if let Ok(State::Files(paths)) = setup.state() {
        let folder = paths.store.parent().map(Path::to_owned);
        kept.extend(folder.map(|folder| ("the state folder", folder, Private::Change)));
        kept.push(("the store", paths.store, Private::Read));
    }
    kept
}

/// Everything that others can read or change, and the folders in which they can replace it.
pub(crate) fn exposed<C: Settings>(setup: &Setup<'_, C>) -> Vec<Exposed> {
    let kept = kept(setup);
    let mut exposed: Vec<Exposed> =
        kept.iter().filter_map(|(what, path, private)| look(what, path, *private, setup.environment)).collect();
    exposed.extend(folders(&kept, setup.environment).iter().filter_map(|folder| look_at_folder(folder)));
    exposed
}

/// All folders above what is kept, each once, without those that were looked at by themselves.
fn folders(kept: &[Kept], environment: &Environment) -> BTreeSet<PathBuf> {
    let paths = kept.iter().map(|(_, path, _)| path).filter(|path| !is_credential(path, environment));
    let absolute = paths.filter_map(|path| std::path::absolute(path).ok());
    let mut folders: BTreeSet<PathBuf> =
        absolute.flat_map(|path| path.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>()).collect();
    folders.retain(|folder| kept.iter().all(|(_, path, _)| std::path::absolute(path).ok().as_ref() != Some(folder)));
    folders
}

/// systemd guards its credentials, and the modes of files among them mean nothing.
fn is_credential(path: &Path, environment: &Environment) -> bool {
    environment.get(CREDENTIALS_VARIABLE).is_some_and(|folder| path.starts_with(folder))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_others_can_do_is_said_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "").unwrap();
        let none = Environment::default();
        let shown = path.display();
        for (mode, private, expected) in [
            (0o600, Private::Read, None),
            (0o644, Private::Change, None),
            (0o640, Private::Read, Some(("read by other users (mode 640)", "chmod 600"))),
            (0o622, Private::Read, Some(("changed by other users (mode 622)", "chmod 600"))),
            (0o666, Private::Read, Some(("read and changed by other users (mode 666)", "chmod 600"))),
            (0o664, Private::Change, Some(("changed by other users (mode 664)", "chmod go-w"))),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = look("the token in", &path, private, &none).map(|exposed| exposed.to_string());
            let expected =
                expected.map(|(verb, remedy)| format!("the token in `{shown}` can be {verb}: {remedy} '{shown}'"));
            assert_eq!(told, expected, "{mode:o}");
        }
        let credentials = [(CREDENTIALS_VARIABLE, folder.path().display().to_string())].into_iter().collect();
        assert_eq!(look("the token in", &path, Private::Read, &credentials), None);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let told = look("the state folder", folder.path(), Private::Change, &none).unwrap();
        assert!(
            told.text.contains("changed by other users (mode 777)") && told.remedy.starts_with("chmod 700"),
            "{told}"
        );
        assert_eq!(look("the store", &folder.path().join("missing"), Private::Read, &none), None);
    }
    #[test]
    fn whoever_may_write_a_folder_may_replace_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let kept = [
            ("the settings file", inner.join("job.toml"), Private::Change),
            ("the state folder", folder.path().join("state"), Private::Change),
            ("the store", folder.path().join("state/store"), Private::Read),
        ];
        let none = Environment::default();
        let above = folders(&kept, &none);
        assert!(above.contains(&inner) && above.contains(folder.path()) && above.contains(Path::new("/")));
        assert!(!above.contains(&folder.path().join("state")), "it is told by itself");
        let credentials = [(CREDENTIALS_VARIABLE, folder.path().display().to_string())].into_iter().collect();
        assert_eq!(folders(&kept, &credentials), BTreeSet::new());
        let shown = inner.display();
        for (mode, expected) in [(0o755, None), (0o1777, None), (0o777, Some("777")), (0o2775, Some("775"))] {
            std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = look_at_folder(&inner).map(|exposed| exposed.to_string());
            let expected = expected.map(|mode| {
                format!("other users can replace what is in the folder `{shown}` (mode {mode}): chmod go-w '{shown}'")
            });
            assert_eq!(told, expected, "{mode:o}");
        }
    }
}
