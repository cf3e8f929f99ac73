//! Files that programs make: private, whole, and never through a link.

#![cfg(unix)]

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use chrono::DateTime;
use job_store::files::{self, PRIVATE, READABLE};
use job_store::{Acquired, RunLock, Store};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A folder with a file that belongs to somebody, and links to it.
fn trap(links: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("victim"), "precious").unwrap();
    for link in links {
        symlink("victim", folder.path().join(link)).unwrap();
    }
    folder
}

#[test]
fn a_file_is_replaced_in_one_step_and_a_link_of_its_name_is_not_followed() {
    let folder = trap(&["report.csv", "report.part", ".report.csv.part"]);
    let path = folder.path().join("report.csv");
    for (text, how, expected) in [("one", PRIVATE, 0o600), ("two", READABLE, 0o644), ("three", PRIVATE, 0o600)] {
        files::replace(&path, text.as_bytes(), how).unwrap();
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), mode(&path)), (text, expected));
        assert!(!std::fs::symlink_metadata(&path).unwrap().is_symlink());
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("victim")).unwrap(), "precious");
    assert_eq!(names(folder.path()), [".report.csv.part", "report.csv", "report.part", "victim"]);
    assert!(files::replace(&folder.path().join("missing/report.csv"), b"", PRIVATE).is_err());
}

#[test]
fn what_is_written_piece_by_piece_has_a_name_that_nobody_can_guess() {
    let folder = TempDir::new().unwrap();
    let parts: Vec<_> = (0..2).map(|_| files::begin(folder.path(), "events.csv").unwrap()).collect();
    let made = names(folder.path());
    assert_ne!(made[0], made[1]);
    assert!(made.iter().all(|name| name.starts_with(".events.csv.") && name.ends_with(".part")), "{made:?}");
    assert!(parts.iter().all(|part| mode(part.path()) == 0o600));
    std::mem::forget(parts);
    std::fs::write(folder.path().join("events.csv"), "").unwrap();
    std::fs::write(folder.path().join(".other.part"), "").unwrap();
    files::sweep(folder.path(), "events");
    assert_eq!(names(folder.path()), [".other.part", "events.csv"]);
}

#[test]
fn lines_are_appended_to_a_private_file_and_not_through_a_link() {
    let folder = trap(&["alerts.ndjson"]);
    let refused = files::open_append(&folder.path().join("alerts.ndjson")).unwrap_err();
    assert!(refused.to_string().contains("is a link"), "{refused}");
    let path = folder.path().join("other.ndjson");
    for line in ["one\n", "two\n"] {
        files::open_append(&path).unwrap().write_all(line.as_bytes()).unwrap();
    }
    assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("one\ntwo\n", 0o600));
    assert_eq!(std::fs::read_to_string(folder.path().join("victim")).unwrap(), "precious");
}

#[test]
fn a_lock_is_no_link() {
    let folder = trap(&["docs.example.com.lock"]);
    let path = folder.path().join("docs.example.com.lock");
    let refused = RunLock::acquire(&path, DateTime::UNIX_EPOCH).unwrap_err();
    assert!(format!("{:?}", refused).contains("is a link"), "{refused:?}");
    assert!(RunLock::holder(&path).is_err());
    assert_eq!(std::fs::read_to_string(folder.path().join("victim")).unwrap(), "precious");
    let path = folder.path().join("state/other.lock");
    assert!(matches!(RunLock::acquire(&path, DateTime::UNIX_EPOCH), Ok(Acquired::Locked(_))));
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

/// A store that an administrator has put elsewhere goes on; one that a link would make elsewhere does not.
#[tokio::test]
async fn a_store_is_not_made_through_a_link() {
    let folder = TempDir::new().unwrap();
    let (link, target) = (folder.path().join("link.sqlite"), folder.path().join("target.sqlite"));
    symlink(&target, &link).unwrap();
    let url = |path: &Path| format!("sqlite://{}", path.display());
    assert!(Store::open(&url(&link)).await.is_err());
    assert!(!target.exists());
    Store::open(&url(&target)).await.unwrap().close().await;
    Store::open(&url(&link)).await.unwrap().close().await;
}

#[test]
fn modes_tell_what_others_may_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "").unwrap();
    for (mode, readable, writable) in
        [(0o600, false, false), (0o640, true, false), (0o604, true, false), (0o622, false, true), (0o666, true, true)]
    {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let exposure = files::exposure(&path).unwrap();
        assert_eq!((exposure.mode, exposure.is_readable, exposure.is_writable), (mode, readable, writable));
        assert_eq!(exposure.stranger, None);
    }
    assert!(files::exposure(&folder.path().join("missing")).is_err());
}

#[test]
fn a_local_folder_is_no_network_file_system() {
    assert_eq!(files::network_file_system(Path::new("/proc")), None);
}
