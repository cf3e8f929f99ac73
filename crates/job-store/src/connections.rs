//! Plain connections of a store, for work that goes through many rows: each is used by one thread at a time, and kept for the next.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, is_damage};

/// What is deleted is overwritten: a name that was forgotten is not found in the file either.
pub(crate) const FORGETS: &str = "PRAGMA secure_delete = ON";

/// In use at a time: far more than readers that stand within each other.
const MOST: u32 = 64;

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

    /// `None` when the store was closed.
    pub(crate) fn permit(&self) -> Option<Permit> {
        self.in_use.clone().try_acquire_owned().ok()
    }

    pub(crate) fn failure(&self, doing: &'static str, source: rusqlite::Error) -> Error {
        let (path, is_damage) = (self.path.clone(), is_damage(&source));
        let source = Box::new(source);
        if is_damage { Error::Corrupt { path, source } } else { Error::Database { path, doing, source } }
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
        let synchronous = if self.durable { "FULL" } else { "OFF" };
        // what is written by the thousand looks its references up in the same transaction: to check them once more costs a third of the
        // writing, and the whole table for each text that is forgotten
        connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF; {FORGETS}"))?;
        Ok(connection)
    }

    /// Waits for what is in use, and closes all.
    pub(crate) async fn close(&self) {
        let _all = self.in_use.acquire_many(MOST).await;
        self.in_use.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
