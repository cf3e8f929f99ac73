//! What can go wrong with a store, told apart by what the caller can do about it.

use std::path::{Path, PathBuf};

/// The cause below an error of the file: an I/O error or one of the database.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not be opened, migrated, locked or used.
///
/// After [`Corrupt`](Error::Corrupt), [`Emptied`](Error::Emptied), [`NewerSchema`](Error::NewerSchema) and [`CannotOpen`](Error::CannotOpen) a
/// program that only watches can go on with [`Store::temporary`](crate::Store::temporary).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL names a database that this version does not speak.
    #[error("store URL has the scheme `{scheme}`, only `sqlite:///absolute/path` is supported")]
    Scheme {
        /// What stands before `://`; the rest may hold a password and is not repeated.
        scheme: String,
    },
    /// The URL has no scheme, no absolute path, or options behind a `?`.
    #[error("store URL must be `sqlite:///absolute/path` without options")]
    Url,
    /// The file is damaged, or is no SQLite file at all.
    #[error("store {path} is damaged or no SQLite file; move it away to start with an empty one")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Cause,
    },
    /// The file has not a single byte. Stores are never made so: what was in it is lost.
    #[error("store {path} is empty, so what it held is lost; move it away to start with a new one")]
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the program has written these tables.
    #[error(
        "component `{component}` of store {path} has schema {found}, newer than the known {known}; update the program"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: &'static str,
        /// The highest step applied.
        found: u32,
        /// The highest step that this program has.
        known: u32,
    },
    /// The file or its folder cannot be made, read or written.
    #[error("cannot open store {path}; check its folder, the rights of this user and the space on disk")]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the operating system or SQLite said.
        #[source]
        source: Cause,
    },
    /// A step that was applied has been edited since: a mistake of whoever builds the program.
    #[error("step {number} of component `{component}` in store {path} differs from the one that was applied")]
    ChangedMigration {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: &'static str,
        /// The step.
        number: u32,
    },
    /// A step failed; it has left nothing behind, and the steps before it stay.
    #[error("cannot apply step {number} ({name}) of component `{component}` to store {path}")]
    Migration {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: &'static str,
        /// The step.
        number: u32,
        /// What the step is called.
        name: &'static str,
        /// What SQLite said.
        #[source]
        source: Cause,
    },
    /// A statement failed.
    #[error("{doing} failed in store {path}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What was being done, as a noun: `storing the events`.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: Cause,
    },
    /// A step of an intent that was never written down: a mistake of whoever builds the program.
    #[error("`{key}` does not stand in the journal of store {path}")]
    NotPlanned {
        /// The file.
        path: PathBuf,
        /// Of the intent.
        key: String,
    },
    /// An entry of the journal that nobody can have written.
    #[error("entry `{key}` in the journal of store {path} cannot be read; see whether it was done, then remove it")]
    UnreadableEntry {
        /// The file.
        path: PathBuf,
        /// Of the intent.
        key: String,
    },
    /// The lock file cannot be made, locked or written.
    #[error("cannot use lock file {path}; check its folder and the rights of this user")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Maps an error met while opening: damage, or else a file that cannot be opened.
    pub(crate) fn opening(path: &Path, source: sqlx::Error) -> Self {
        let is_damage = is_corruption(&source);
        let source = cause(source);
        if is_damage { Self::Corrupt { path: path.to_owned(), source } } else { Self::cannot_open(path, source) }
    }

    pub(crate) fn cannot_open(path: &Path, source: impl Into<Cause>) -> Self {
        Self::CannotOpen { path: path.to_owned(), source: source.into() }
    }
}

/// What SQLite or the operating system said, without the words of the layer between, which says the same once more.
pub(crate) fn cause(error: sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(said) => said.into_error(),
        sqlx::Error::Io(said) => Box::new(said),
        other => Box::new(other),
    }
}

/// Whether SQLite itself says that the file is damaged.
pub(crate) fn is_corruption(error: &sqlx::Error) -> bool {
    const SQLITE_CORRUPT: i32 = 11;
    const SQLITE_NOTADB: i32 = 26;
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i32>().ok());
    // sqlx reports the extended code; its low byte is the primary one.
    matches!(code.map(|code| code & 0xff), Some(SQLITE_CORRUPT | SQLITE_NOTADB))
}
