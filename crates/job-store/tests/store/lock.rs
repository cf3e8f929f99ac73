//! The run lock: two holders, release, crash, and what the file says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use job_store::{Acquired, Error, Holder, RunLock, SeenStore};
use tempfile::TempDir;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn locked(path: &Path, now: &str) -> RunLock {
    match RunLock::acquire(path, at(now)).unwrap() {
        Acquired::Locked(lock) => lock,
        Acquired::Held { since } => panic!("held since {since:?}"),
    }
}

/// The start of the run that holds the lock.
fn held_since(path: &Path) -> Option<DateTime<Utc>> {
    match RunLock::acquire(path, at("2026-11-20T12:00:00Z")).unwrap() {
        Acquired::Locked(_) => panic!("nobody holds it"),
        Acquired::Held { since } => since,
    }
}

#[test]
fn the_second_is_told_since_when_the_first_holds_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state/run.lock");
    let first = locked(&path, "2026-11-20T09:00:01Z");
    assert_eq!(held_since(&path), Some(at("2026-11-20T09:00:01Z")));
    assert_eq!(held_since(&path), Some(at("2026-11-20T09:00:01Z")), "asking does not disturb it");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("pid {}\nstarted 2026-11-20T09:00:01Z\n", std::process::id())
    );
    drop(first);
    let second = locked(&path, "2026-11-20T09:10:00Z");
    assert_eq!(held_since(&path), Some(at("2026-11-20T09:10:00Z")));
    drop(second);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

/// The mark outlives the runs, also those that had no store.
#[test]
fn the_last_run_that_had_a_store_is_remembered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.lock");
    assert_eq!(RunLock::seen_store(&path), None);
    let mut first = locked(&path, "2026-11-20T09:00:01Z");
    assert_eq!((first.had_store(), RunLock::seen_store(&path)), (false, None));
    first.note_store().unwrap();
    let seen = Some(SeenStore { at: Some(at("2026-11-20T09:00:01Z")) });
    assert_eq!(RunLock::seen_store(&path), seen, "while it runs");
    drop(first);
    assert_eq!(RunLock::seen_store(&path), seen, "after it");
    let mut second = locked(&path, "2026-11-20T09:10:00Z");
    assert_eq!((second.had_store(), RunLock::seen_store(&path)), (true, seen));
    second.note_store().unwrap();
    assert_eq!(held_since(&path), Some(at("2026-11-20T09:10:00Z")));
    drop(second);
    assert_eq!(RunLock::seen_store(&path), Some(SeenStore { at: Some(at("2026-11-20T09:10:00Z")) }));
    fs::write(&path, "store seen 2026-11-").unwrap();
    assert_eq!(RunLock::seen_store(&path), Some(SeenStore { at: None }), "cut short");
}

#[test]
fn a_holder_that_has_not_written_yet_has_no_start() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.lock");
    let lock = locked(&path, "2026-11-20T09:00:01Z");
    for text in ["", "pid 12\n", "pid 12\nstarted 2026-11-"] {
        fs::write(&path, text).unwrap();
        assert_eq!(held_since(&path), None, "{text:?}");
    }
    drop(lock);
}

#[test]
fn other_portals_have_other_locks() {
    let folder = TempDir::new().unwrap();
    let _one = locked(&folder.path().join("one.lock"), "2026-11-20T09:00:01Z");
    let _two = locked(&folder.path().join("two.lock"), "2026-11-20T09:00:01Z");
}

#[test]
fn a_path_that_cannot_be_a_file_is_an_error() {
    let folder = TempDir::new().unwrap();
    let error = RunLock::acquire(folder.path(), at("2026-11-20T09:00:01Z")).unwrap_err();
    assert!(matches!(error, Error::Lock { path, .. } if path == folder.path()));
}

const HOLD: &str = "JOB_STORE_TEST_HOLD";

/// Not a test of its own: the process that `a_killed_run_does_not_hold_the_lock` starts and kills.
#[test]
#[ignore = "run by another test, in a process of its own"]
fn hold_until_killed() {
    let Some(path) = std::env::var_os(HOLD).map(PathBuf::from) else { return };
    let _lock = locked(&path, "2026-11-20T09:00:01Z");
    println!("holding");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn a_killed_run_does_not_hold_the_lock() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.lock");
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::hold_until_killed", "--ignored", "--nocapture"])
        .env(HOLD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")), "the holder ended early");
    assert_eq!(held_since(&path), Some(at("2026-11-20T09:00:01Z")));
    holder.kill().unwrap();
    holder.wait().unwrap();
    locked(&path, "2026-11-20T09:10:00Z");
}

#[test]
fn a_look_tells_the_holder_and_makes_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state").join("run.lock");
    assert_eq!(RunLock::holder(&path).unwrap(), None);
    assert!(!path.parent().unwrap().exists());
    let held = locked(&path, "2026-11-20T09:00:01Z");
    let holder = RunLock::holder(&path).unwrap();
    assert_eq!(holder, Some(Holder { since: Some(at("2026-11-20T09:00:01Z")) }));
    drop(held);
    assert_eq!(RunLock::holder(&path).unwrap(), None);
    locked(&path, "2026-11-20T09:10:00Z");
}
