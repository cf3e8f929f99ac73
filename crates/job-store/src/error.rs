//! What can go wrong with a store, told apart by what the caller can do about it.

mod refused;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use refused::{failed, refused};

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
    #[error("{}", self.said())]
    Scheme {
        /// What stands before `://`; the rest may hold a password and is not repeated.
        scheme: String,
    },
    /// The URL has no scheme, no absolute path, or options behind a `?`.
    #[error("{}", self.said())]
    Url,
    /// The file is damaged, or is no SQLite file at all.
    #[error("{}", self.said())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Cause,
    },
    /// The file has not a single byte. Stores are never made so: what was in it is lost.
    #[error("{}", self.said())]
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the program has written these tables.
    #[error("{}", self.said())]
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
    #[error("{}", self.said())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the operating system or SQLite said.
        #[source]
        source: Cause,
    },
    /// A step that was applied has been edited since: a mistake of whoever builds the program.
    #[error("{}", self.said())]
    ChangedMigration {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: &'static str,
        /// The step.
        number: u32,
    },
    /// A step failed; it has left nothing behind, and the steps before it stay.
    #[error("{}", self.said())]
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
    #[error("{}", self.said())]
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
    #[error("{}", self.said())]
    NotPlanned {
        /// The file.
        path: PathBuf,
        /// Of the intent.
        key: String,
    },
    /// An entry of the journal that nobody can have written.
    #[error("{}", self.said())]
    UnreadableEntry {
        /// The file.
        path: PathBuf,
        /// Of the intent.
        key: String,
    },
    /// The server cannot be reached, or does not let this role in.
    #[error("{}", self.said())]
    CannotConnect {
        /// The store, without a password.
        path: PathBuf,
        /// What the server or the operating system said.
        #[source]
        source: Cause,
    },
    /// The certificate of the server is not accepted.
    #[error("{}", self.said())]
    Certificate {
        /// The store, without a password.
        path: PathBuf,
        /// What is wrong with it and what to do about it: the rest of a sentence.
        fault: String,
    },
    /// The server offers no encryption, and plain text was not asked for.
    #[error("{}", self.said())]
    NotEncrypted {
        /// The store, without a password.
        path: PathBuf,
    },
    /// The role is one that row security does not hold for, so that it would mix the rows of all portals.
    #[error("{}", self.said())]
    SeesAllPortals {
        /// The store.
        path: PathBuf,
        /// The role.
        role: String,
    },
    /// What was set for this connection is not what is set in it: something between here and the server gives each transaction the connection of
    /// somebody else, so that it would mix the rows of all portals.
    #[error("{}", self.said())]
    SharedConnection {
        /// The store.
        path: PathBuf,
    },
    /// Another run has taken the lease over, because this one did not renew it in time. Nothing of the transaction was kept.
    #[error("{}", self.said())]
    LeaseLost {
        /// The store.
        path: PathBuf,
    },
    /// Everything that was in it is in another store now, which is the one to use.
    #[error("{}", self.said())]
    MovedAway {
        /// The store.
        path: PathBuf,
        /// The other store, as it was called then.
        to: String,
        /// When the move ended.
        at: DateTime<Utc>,
    },
    /// A move into this store has not ended; the other store is still the one to use.
    #[error("{}", self.said())]
    HalfMoved {
        /// The store.
        path: PathBuf,
        /// The other store, as it was called then.
        from: String,
    },
    /// A move into a store that holds something.
    #[error("{}", self.said())]
    NotEmpty {
        /// The store.
        path: PathBuf,
        /// One of the tables that hold something.
        table: &'static str,
        /// How many rows it has.
        rows: u64,
    },
    /// A move from a store to itself.
    #[error("{}", self.said())]
    SameStore {
        /// The store.
        path: PathBuf,
    },
    /// A move between stores that do not have the same tables.
    #[error("{}", self.said())]
    Unlike {
        /// One store.
        path: PathBuf,
        /// The other one.
        other: PathBuf,
        /// What only one of them has, or has otherwise.
        what: String,
    },
    /// After a move, this table was not the same in both stores. The source is still the one to use.
    #[error("{}", self.said())]
    Differs {
        /// The target.
        path: PathBuf,
        /// The source.
        other: PathBuf,
        /// The table.
        table: &'static str,
    },
    /// The lock file cannot be made, locked or written.
    #[error("{}", self.said())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What is the matter, without a full stop.
    pub fn meaning(&self) -> String {
        match self {
            Error::Scheme { scheme, .. } => {
                format!("store URL has the scheme `{scheme}`, only `sqlite:///absolute/path` is supported")
            }
            Error::Url => "store URL must be `sqlite:///absolute/path` without options".to_owned(),
            Error::Corrupt { path, .. } => format!("store {path} is damaged or no SQLite file", path = path.display()),
            Error::Emptied { path } => format!("store {path} is empty, so what it held is lost", path = path.display()),
            Error::NewerSchema { component, path, found, known, .. } => format!(
                "component `{component}` of store {path} has schema {found}, newer than the known {known}",
                path = path.display()
            ),
            Error::CannotOpen { path, .. } => format!("cannot open store {path}", path = path.display()),
            Error::ChangedMigration { number, component, path, .. } => format!(
                "step {number} of component `{component}` in store {path} differs from the one that was applied",
                path = path.display()
            ),
            Error::Migration { number, name, component, path, .. } => format!(
                "cannot apply step {number} ({name}) of component `{component}` to store {path}",
                path = path.display()
            ),
            Error::Database { doing, path, .. } => format!("{doing} failed in store {path}", path = path.display()),
            Error::NotPlanned { key, path, .. } => {
                format!("`{key}` does not stand in the journal of store {path}", path = path.display())
            }
            Error::UnreadableEntry { key, path, .. } => {
                format!("entry `{key}` in the journal of store {path} cannot be read", path = path.display())
            }
            Error::CannotConnect { path, .. } => format!("cannot connect to store {path}", path = path.display()),
            Error::Certificate { path, fault } => {
                format!("the certificate of the server of store {path} {fault}", path = path.display())
            }
            Error::NotEncrypted { path } => {
                format!("the server of store {path} does not encrypt, so nothing was sent to it", path = path.display())
            }
            Error::SeesAllPortals { path, role } => {
                format!(
                    "role {role} of store {path} is not bound by row security, which keeps portals apart",
                    path = path.display()
                )
            }
            Error::SharedConnection { path } => {
                format!(
                    "connections to store {path} are shared with others, so portals could not be kept apart",
                    path = path.display()
                )
            }
            Error::LeaseLost { path } => {
                format!(
                    "the lease of store {path} has passed to another run, so this one has stopped",
                    path = path.display()
                )
            }
            Error::MovedAway { path, to, at } => format!(
                "store {path} was moved to {to} on {date} and is not used any more",
                path = path.display(),
                date = at.date_naive()
            ),
            Error::HalfMoved { path, from } => format!(
                "the move from {from} to store {path} has not ended, so this store is not used yet",
                path = path.display()
            ),
            Error::NotEmpty { path, table, rows } => {
                let rows = if *rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
                format!(
                    "store {path} already holds something ({rows} in table `{table}`), and a move replaces nothing that is in use",
                    path = path.display()
                )
            }
            Error::SameStore { path } => format!("store {path} cannot be moved to itself", path = path.display()),
            Error::Unlike { path, other, what } => format!(
                "{what} is not the same in store {path} and in store {other}",
                path = path.display(),
                other = other.display()
            ),
            Error::Differs { path, other, table } => format!(
                "table `{table}` of store {path} is not the same as that of store {other}, which stays the one to use",
                path = path.display(),
                other = other.display()
            ),
            Error::Lock { path, .. } => format!("cannot use lock file {path}", path = path.display()),
        }
    }

    /// What to do about it, without a full stop; `None` where nobody but the program's makers can do something.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Error::Corrupt { .. } | Error::Emptied { .. } => Some("move it away to start with an empty one"),
            Error::NewerSchema { .. } => Some("update the program"),
            Error::CannotOpen { .. } => Some("check its folder, the rights of this user and the space on disk"),
            Error::CannotConnect { source, .. } => Some(refused(&**source)),
            Error::Database { source, .. } => failed(&**source),
            Error::NotEncrypted { .. } => Some(
                "switch `ssl` on at the server; where the network is trusted, `sslmode=disable` in the URL asks for plain text",
            ),
            Error::SeesAllPortals { .. } => Some(
                "create a role of its own with CREATE ROLE … LOGIN NOSUPERUSER NOBYPASSRLS, and grant it CREATE on the database",
            ),
            Error::SharedConnection { .. } => Some(
                "name the server itself in the address, and no pooler that keeps a connection for a transaction only",
            ),
            Error::MovedAway { .. } => Some(
                "set `state` to the store that it was moved to; where that one is lost, `store take-back` lets this one be used again",
            ),
            Error::HalfMoved { .. } => {
                Some("repeat `store move`, which goes on where it stopped, or set `state` to the other store")
            }
            Error::NotEmpty { .. } => Some("name an empty store; a file can be moved away"),
            Error::Unlike { .. } => Some("use the version of the program that wrote both"),
            Error::Differs { .. } => Some("repeat `store move`"),
            Error::UnreadableEntry { .. } => Some("see whether it was done, then remove it"),
            Error::Lock { .. } => Some("check its folder and the rights of this user"),
            _ => None,
        }
    }

    /// Both, as people read it.
    fn said(&self) -> String {
        let remedy = self.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        format!("{}{remedy}", self.meaning())
    }

    /// Maps an error met while opening: damage, or else a file that cannot be opened.
    pub(crate) fn opening(path: &Path, source: rusqlite::Error) -> Self {
        if is_damage(&source) {
            return Self::Corrupt { path: path.to_owned(), source: said(&source) };
        }
        Self::cannot_open(path, said(&source))
    }

    pub(crate) fn cannot_open(path: &Path, source: impl Into<Cause>) -> Self {
        Self::CannotOpen { path: path.to_owned(), source: source.into() }
    }
}

/// What SQLite says, once: below its words, its error has a number with the same words again.
pub(crate) fn said(error: &rusqlite::Error) -> Cause {
    error.to_string().into()
}

/// Whether SQLite itself says that the file is damaged.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}
