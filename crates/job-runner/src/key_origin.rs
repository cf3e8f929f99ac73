//! Which place the API key came from, in words.

use std::fmt;
use std::path::{Path, PathBuf};

/// The variable that holds the key itself, as the published samples name it.
pub(crate) const KEY_VARIABLE: &str = "DOCSPACE_API_KEY";

/// Which of the four places the key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The file of `--key-file`.
    Flag(PathBuf),
    /// `DOCSPACE_API_KEY`.
    Environment,
    /// The credential in `$CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
    /// The file of the setting `key_file`.
    Setting(PathBuf),
}

impl KeyOrigin {
    /// The file, if it was one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Flag(path) | Self::Credential(path) | Self::Setting(path) => Some(path),
            Self::Environment => None,
        }
    }
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(path) => write!(f, "`{}` (flag --key-file)", path.display()),
            Self::Environment => write!(f, "environment variable {KEY_VARIABLE}"),
            Self::Credential(path) => write!(f, "`{}` (credential)", path.display()),
            Self::Setting(path) => write!(f, "`{}` (setting `key_file`)", path.display()),
        }
    }
}
