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
    /// When this run started, to the second.
    started: DateTime<Utc>,
    /// The last run that had a store, as the file says.
    seen: Option<SeenStore>,
}

/// The line that says when a run last had a store begins so. It outlives the runs.
const STORE_SEEN: &str = "store seen";

/// That a run has had a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenStore {
    /// When the last of these runs started; `None` when that cannot be read any more.
    pub at: Option<DateTime<Utc>>,
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

    /// Whether a run has had a store ([`note_store`](Self::note_store)), so that one that is missing was taken away. Takes and makes nothing;
    /// a file that cannot be read says nothing.
    pub fn seen_store(path: &Path) -> Option<SeenStore> {
        read_seen(&mut files::open_existing(path).ok()?)
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
                let seen = read_seen(&mut file);
                write_holder(&mut file, now, seen).map_err(failed)?;
                Ok(Acquired::Locked(Self { file, started: now, seen }))
            }
            Err(TryLockError::WouldBlock) => Ok(Acquired::Held { since: read_start(&mut file) }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Whether a run that held this lock has had a store ([`note_store`](Self::note_store)).
    pub fn had_store(&self) -> bool {
        self.seen.is_some()
    }

    /// Notes for all who look later that this run has a store.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_store(&mut self) -> io::Result<()> {
        let seen = SeenStore { at: Some(self.started) };
        write_holder(&mut self.file, self.started, Some(seen))?;
        self.seen = Some(seen);
        Ok(())
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file releases the lock. An old start time that could not be removed is overwritten by the next
        // holder.
        let _ = rewrite(&mut self.file, &seen_line(self.seen));
    }
}

fn write_holder(file: &mut File, now: DateTime<Utc>, seen: Option<SeenStore>) -> io::Result<()> {
    let seen = seen_line(seen);
    rewrite(file, &format!("pid {}\nstarted {}\n{seen}", std::process::id(), in_seconds(now)))
}

fn rewrite(file: &mut File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

fn in_seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn seen_line(seen: Option<SeenStore>) -> String {
    let line = |seen: SeenStore| format!("{STORE_SEEN} {}\n", seen.at.map(in_seconds).unwrap_or_default());
    seen.map(line).unwrap_or_default()
}

fn read_seen(file: &mut File) -> Option<SeenStore> {
    let mut text = String::new();
    // what is no text says nothing
    file.read_to_string(&mut text).ok()?;
    let at = text.lines().find_map(|line| line.strip_prefix(STORE_SEEN))?;
    Some(SeenStore { at: DateTime::parse_from_rfc3339(at.trim()).ok().map(|at| at.to_utc()) })
}

fn read_start(file: &mut File) -> Option<DateTime<Utc>> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let started = text.lines().find_map(|line| line.strip_prefix("started "))?;
    DateTime::parse_from_rfc3339(started).ok().map(|at| at.to_utc())
}
