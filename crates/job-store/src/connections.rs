//! Connections of a store: each is used by one thread at a time, and kept for the next.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, is_damage, said};
use crate::statement::{Failure, Why};

/// What is deleted is overwritten: a name that was forgotten is not found in the file either.
pub(crate) const FORGETS: &str = "PRAGMA secure_delete = ON";

/// In use at a time: far more than readers that stand within each other.
const MOST: u32 = 64;

/// So many statements of a connection stay prepared for the next time. One takes some kilobytes.
const PREPARED: usize = 64;

/// Makes an empty store of a file that may be there.
pub(crate) fn create(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    log_ahead(&connection)?;
    connection.close().map_err(|(_, error)| error)
}

/// The file remembers this.
fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}

/// Opens a file for reading; one that nobody else has open without locks, and without a log beside it.
pub(crate) fn open_untouched(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !immutable {
        return Connection::open_with_flags(path, flags);
    }
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC).to_string();
    let uri = format!("file:{}?immutable=1", path.replace("%2F", "/"));
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
}

#[derive(Debug)]
pub(crate) struct Connections {
    path: PathBuf,
    /// A commit survives a power cut.
    durable: bool,
    busy_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
    in_use: Arc<Semaphore>,
}

/// The right to use one.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Connections {
    pub(crate) fn new(path: &Path, durable: bool, busy_timeout: Duration) -> Self {
        let in_use = Arc::new(Semaphore::new(MOST as usize));
        Connections { path: path.to_owned(), durable, busy_timeout, idle: Mutex::new(Vec::new()), in_use }
    }

    /// Waits until one may be used; `None` when the store was closed.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        self.in_use.clone().acquire_owned().await.ok()
    }

    pub(crate) fn failure(&self, doing: &'static str, Failure(why): Failure) -> Error {
        let path = self.path.clone();
        match why {
            Why::Known(error) => *error,
            Why::Sqlite(source) if is_damage(&source) => Error::Corrupt { path, source: said(&source) },
            Why::Postgres(source) => Error::Database { path, doing, source: source.into() },
            Why::Sqlite(source) => Error::Database { path, doing, source: said(&source) },
            Why::Silence(_) => Error::Database { path, doing, source: "no answer".into() },
            Why::Other(source) => Error::Database { path, doing, source },
        }
    }

    /// Nothing more can be done with a store that was closed.
    pub(crate) fn closed(&self, doing: &'static str) -> Error {
        Error::Database { path: self.path.clone(), doing, source: "the store was closed".into() }
    }

    /// Does some work with a connection, on the thread of whoever calls. One whose work failed is not used again.
    pub(crate) fn with<T, E: From<rusqlite::Error>>(
        &self,
        _permit: &Permit,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| self.open(), Ok)?;
        let done = work(&mut connection)?;
        // a transaction that SQLite ended by itself leaves none behind
        if connection.is_autocommit() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(done)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        let synchronous = if self.durable { "FULL" } else { "OFF" };
        connection
            .execute_batch(&format!("PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; {FORGETS}"))?;
        Ok(connection)
    }

    /// Looks whether this is a store, and keeps the connection.
    pub(crate) fn look(&self) -> rusqlite::Result<()> {
        let connection = self.open()?;
        log_ahead(&connection)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(())
    }

    /// Waits for what is in use, and closes all.
    pub(crate) async fn close(&self) {
        let _all = self.in_use.acquire_many(MOST).await;
        self.in_use.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
