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
}

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
                write_holder(&mut file, now).map_err(failed)?;
                Ok(Acquired::Locked(Self { file }))
            }
            Err(TryLockError::WouldBlock) => Ok(Acquired::Held { since: read_start(&mut file) }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file releases the lock. An old start time that could not be removed is overwritten by the next
        // holder.
        let _ = self.file.set_len(0);
    }
}

fn write_holder(file: &mut File, now: DateTime<Utc>) -> io::Result<()> {
    let started = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("pid {}\nstarted {started}\n", std::process::id()).as_bytes())
}

fn read_start(file: &mut File) -> Option<DateTime<Utc>> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let started = text.lines().find_map(|line| line.strip_prefix("started "))?;
    DateTime::parse_from_rfc3339(started).ok().map(|at| at.to_utc())
}
