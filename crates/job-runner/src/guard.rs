//! Whether other users of this machine can read or change what a run relies on: key, passwords, tokens, settings, memory.
//!
//! Who can change the settings can send the key elsewhere, and who can change the memory can have findings forgotten.

use std::fmt;
use std::path::Path;

use job_store::files;

use crate::config;
use crate::environment::Environment;
use crate::program::Program;
use crate::secret::{CREDENTIALS_VARIABLE, KeyOrigin};
use crate::setup::Setup;

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

/// Looks at the mode and the owner of a file or a folder. What is not there exposes nothing, and systemd guards its credentials.
pub(crate) fn look(what: &str, path: &Path, private: Private, environment: &Environment) -> Option<Exposed> {
    let is_credential = environment.get(CREDENTIALS_VARIABLE).is_some_and(|folder| path.starts_with(folder));
    let found = files::exposure(path).ok().filter(|_| !is_credential)?;
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

/// Everything that others can read or change, except the API key, of which [`crate::secret`] tells.
pub(crate) fn exposed<P: Program>(setup: &Setup<'_, P>) -> Vec<Exposed> {
    let look = |what: &str, path: &Path, private| look(what, path, private, setup.environment);
    let mut exposed = Vec::new();
    for path in [&setup.args.portal_config, &setup.args.config].into_iter().flatten() {
        let private = if config::holds_secrets(path) { Private::Read } else { Private::Change };
        exposed.extend(look("the settings file", path, private));
    }
    if let Some(path) = setup.common.mail.password_file.as_ref().filter(|_| setup.common.mail.user.is_some()) {
        exposed.extend(look("the mail password in", path.as_path(), Private::Read));
    }
    if let Some(path) = &setup.common.outbound.ca_file {
        exposed.extend(look("the file of certificates", path.as_path(), Private::Change));
    }
    for (what, path) in P::secret_files(setup.config) {
        exposed.extend(look(what, path, Private::Read));
    }
    if let Ok(paths) = setup.state_paths() {
        exposed.extend(paths.store.parent().and_then(|folder| look("the state folder", folder, Private::Change)));
        exposed.extend(look("the store", &paths.store, Private::Read));
    }
    exposed
}

/// The same for the file that the API key comes from.
pub(crate) fn of_key(origin: &KeyOrigin) -> Option<Exposed> {
    match origin {
        KeyOrigin::Flag(path) | KeyOrigin::Setting(path) => {
            look("the API key in", path, Private::Read, &Environment::default())
        }
        // systemd guards the folder of credentials; the mode of a file in it means nothing
        KeyOrigin::Credential(_) | KeyOrigin::Environment => None,
    }
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
}
