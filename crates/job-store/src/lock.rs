//! The lock that keeps two runs of one program on one portal apart.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::error::Error;
use crate::files;

/// The result of asking for the lock.
#[derive(Debug)]
pub enum Acquired {
    /// It is ours until the value is dropped or the process ends.
    Locked(RunLock),
    /// Another run holds it.
    Held {
        /// When that run started, by its own account; `None` when the file does not say, as in the instant in which
        /// the other run has the lock but has not written yet.
        since: Option<DateTime<Utc>>,
    },
}

/// A lock held by this run; dropping it lets the next run in.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    /// Whether the file says that a run has had a store.
    has_store: bool,
}

/// The line that says so. It outlives the runs.
const HAS_STORE: &str = "store made";

/// A run that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// When it started, by its own account; `None` when the file does not say.
    pub since: Option<DateTime<Utc>>,
}

impl RunLock {
    /// Who holds the lock, without taking it or making anything; `None` when nobody does.
    ///
    /// A run that starts in the instant of this look finds the lock held, and leaves its work to the next one.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] when there is a file that cannot be read.
    pub fn holder(path: &Path) -> Result<Option<Holder>, Error> {
        let failed = |source| Error::Lock { path: path.to_owned(), source };
        let mut file = match files::open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(Holder { since: read_start(&mut file) })),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Tries to take the lock, without waiting; `now` is the start of this run, kept to the second.
    ///
    /// The file and missing folders are made as private as the store. The file stays after the run: removing it would
    /// let two runs lock two different files of one name.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] when the file cannot be made, locked or written.
    pub fn acquire(path: &Path, now: DateTime<Utc>) -> Result<Acquired, Error> {
        let failed = |source| Error::Lock { path: path.to_owned(), source };
        let mut file = files::open_private(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let mut before = String::new();
                // what is no text says nothing
                let _ = file.read_to_string(&mut before);
                let has_store = before.lines().any(|line| line == HAS_STORE);
                write_holder(&mut file, now, has_store).map_err(failed)?;
                Ok(Acquired::Locked(Self { file, has_store }))
            }
            Err(TryLockError::WouldBlock) => Ok(Acquired::Held { since: read_start(&mut file) }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Whether a run that held this lock has had a store ([`note_store`](Self::note_store)), so that one that is missing was taken away.
    pub fn had_store(&self) -> bool {
        self.has_store
    }

    /// Notes for all later holders that there is a store.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_store(&mut self) -> io::Result<()> {
        if !self.has_store {
            self.file.write_all(format!("{HAS_STORE}\n").as_bytes())?;
            self.has_store = true;
        }
        Ok(())
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file releases the lock. An old start time that could not be removed is overwritten by the next
        // holder.
        let _ = self.file.set_len(0);
        if self.has_store {
            let _ = self.file.seek(SeekFrom::Start(0)).and_then(|_| writeln!(self.file, "{HAS_STORE}"));
        }
    }
}

fn write_holder(file: &mut File, now: DateTime<Utc>, has_store: bool) -> io::Result<()> {
    let started = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    let rest = if has_store { format!("{HAS_STORE}\n") } else { String::new() };
    file.write_all(format!("pid {}\nstarted {started}\n{rest}", std::process::id()).as_bytes())
}

fn read_start(file: &mut File) -> Option<DateTime<Utc>> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let started = text.lines().find_map(|line| line.strip_prefix("started "))?;
    DateTime::parse_from_rfc3339(started).ok().map(|at| at.to_utc())
}
