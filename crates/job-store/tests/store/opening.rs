//! Opening stores on real files: what is made, what is left alone, and what each kind of damage is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use job_store::{Error, Failure, Read, Store, Write};
use tempfile::TempDir;
use tokio::sync::Notify;

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state/docs.example.com.sqlite");
    (folder, path)
}

/// A store with `rows` rows in table `t`, still open.
async fn filled(path: &Path, rows: i64) -> Store {
    let store = Store::open(&url(path)).await.unwrap();
    let fill = move |write: &Write<'_>| {
        write.script("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")?;
        (0..rows)
            .try_for_each(|id| write.execute("INSERT INTO t VALUES (?, hex(zeroblob(500)))", &[id.into()]).map(|_| ()))
    };
    store.write("filling", fill).await.unwrap();
    store
}

async fn count(store: &Store) -> i64 {
    store.row("counting", "SELECT count(*) FROM t", [], |row| row.int(0)).await.unwrap().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_committed_is_there_after_reopening() {
    let (_folder, path) = folder();
    filled(&path, 3).await.close().await;
    let store = Store::open(&url(&path)).await.unwrap();
    assert_eq!(count(&store).await, 3);
    assert_eq!(store.path(), path);
}

#[tokio::test]
async fn connections_use_the_log_and_check_foreign_keys() {
    let (_folder, path) = folder();
    let store = Store::open(&url(&path)).await.unwrap();
    let look = |read: &Read<'_>| {
        let mode = read.row("PRAGMA journal_mode", &[], |row| Ok(row.text(0)?.to_owned()))?;
        Ok((mode, read.row("PRAGMA foreign_keys", &[], |row| row.flag(0))?))
    };
    let expected = (Some("wal".to_owned()), Some(true));
    assert_eq!(store.read("looking", look).await.unwrap(), expected);
    store.write_many("storing", |_| Ok(())).await.unwrap();
    assert_eq!(store.read("looking", look).await.unwrap(), expected, "also after one that did not");
}

#[tokio::test]
async fn a_transaction_that_is_given_up_leaves_nothing() {
    let (_folder, path) = folder();
    let store = filled(&path, 1).await;
    let give_up = |write: &Write<'_>| {
        write.execute("DELETE FROM t", &[])?;
        Err::<(), _>(Failure::other("enough"))
    };
    let given_up = store.write("trying", give_up).await;
    assert!(matches!(given_up, Err(Error::Database { doing: "trying", .. })), "{given_up:?}");
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn closing_folds_the_log_into_the_file() {
    let (_folder, path) = folder();
    let store = filled(&path, 3).await;
    let before = names(path.parent().unwrap());
    assert!(before.iter().any(|name| name.ends_with("-wal")), "{before:?}");
    store.close().await;
    assert_eq!(names(path.parent().unwrap()), ["docs.example.com.sqlite"]);
}

#[cfg(unix)]
#[tokio::test]
async fn new_files_and_folders_are_private_and_old_ones_keep_their_mode() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, path) = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();

    let store = filled(&path, 1).await;
    assert_eq!(mode(folder.path()), 0o755, "was there before");
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in names(path.parent().unwrap()) {
        assert_eq!(mode(&path.with_file_name(&name)), 0o600, "{name}");
    }
    store.close().await;

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    Store::open(&url(&path)).await.unwrap().close().await;
    assert_eq!(mode(&path), 0o640, "an operator may have chosen it");
}

#[tokio::test]
async fn other_schemes_are_named_without_the_rest_of_the_url() {
    let error = Store::open("postgres://vdr:secret@db.example.com/vdr").await.unwrap_err();
    assert!(matches!(&error, Error::Scheme { scheme } if scheme == "postgres"));
    let text = error.to_string();
    assert!(text.contains("postgres") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn only_absolute_paths_without_options_are_taken() {
    for url in
        ["/var/lib/x.sqlite", "sqlite://x.sqlite", "sqlite:///x.sqlite?mode=memory", "sqlite:///", "sqlite::memory:"]
    {
        assert!(matches!(Store::open(url).await, Err(Error::Url)), "{url}");
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_not_called_damage() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().to_owned(), file.join("below/a.sqlite")] {
        let error = Store::open(&url(&path)).await.unwrap_err();
        assert!(matches!(&error, Error::CannotOpen { path: named, .. } if *named == path), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_missing_right_is_not_called_damage() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    filled(&path, 1).await.close().await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        return; // the superuser may do everything
    }
    assert!(matches!(Store::open(&url(&path)).await, Err(Error::CannotOpen { .. })));
    assert!(matches!(Store::snapshot_of(&path).await, Err(Error::CannotOpen { .. })));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(matches!(Store::open(&url(&path)).await, Err(Error::CannotOpen { .. })));
    assert_eq!(count(&Store::snapshot_of(&path).await.unwrap()).await, 1, "reading is enough for a dry run");
}

#[tokio::test]
async fn damage_is_told_apart_and_the_file_is_kept() {
    let (_folder, path) = folder();
    filled(&path, 200).await.close().await;
    let whole = fs::read(&path).unwrap();
    let damaged: [Vec<u8>; 3] = [
        b"this is no database, but it is long enough to look at".repeat(20),
        [b"garbage garbage ".as_slice(), &whole[16..]].concat(),
        whole[..whole.len() / 2].to_vec(),
    ];
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        let opened = Store::open(&url(&path)).await;
        assert!(matches!(&opened, Err(Error::Corrupt { path: named, .. }) if *named == path), "{opened:?}");
        let snapshot = Store::snapshot_of(&path).await;
        assert!(matches!(&snapshot, Err(Error::Corrupt { path: named, .. }) if *named == path), "{snapshot:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[tokio::test]
async fn damage_met_later_is_told_apart_from_a_wrong_statement() {
    let (_folder, path) = folder();
    filled(&path, 200).await.close().await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[8192..].fill(0xff);
    fs::write(&path, &bytes).unwrap();

    let store = Store::open(&url(&path)).await.unwrap();
    let damage = store.row("reading", "SELECT sum(length(text)) FROM t", [], |row| row.int(0)).await;
    assert!(matches!(damage, Err(Error::Corrupt { .. })), "{damage:?}");
    let mistake = store.row("reading", "SELECT nothing FROM t", [], |row| row.int(0)).await;
    assert!(matches!(mistake, Err(Error::Database { doing: "reading", .. })), "{mistake:?}");
}

#[tokio::test]
async fn a_temporary_store_is_a_private_file_that_goes() {
    let store = Store::temporary().await.unwrap();
    let path = store.path().to_owned();
    store.script("filling", "CREATE TABLE t (id INTEGER)").await.unwrap();
    let clone = store.clone();
    drop(store);
    assert_eq!(count(&clone).await, 0, "a clone keeps it");
    assert!(path.exists());
    clone.close().await;
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_snapshot_leaves_a_quiet_original_as_it_was() {
    let (_folder, path) = folder();
    filled(&path, 50).await.close().await;
    let before = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());

    let snapshot = Store::snapshot_of(&path).await.unwrap();
    assert_eq!(count(&snapshot).await, 50);
    assert_eq!(snapshot.execute("emptying", "DELETE FROM t", []).await.unwrap(), 50);
    assert_eq!(names(path.parent().unwrap()), ["docs.example.com.sqlite"]);
    snapshot.close().await;

    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap()), before);
    assert_eq!(names(path.parent().unwrap()), ["docs.example.com.sqlite"]);
}

#[tokio::test]
async fn a_snapshot_of_a_store_in_use_holds_what_was_committed() {
    let (_folder, path) = folder();
    let store = filled(&path, 50).await;
    let (deleted, wait) = (Arc::new(Notify::new()), std::sync::mpsc::channel::<()>());
    let (notify, (go_on, waiting)) = (deleted.clone(), wait);
    let delete = move |write: &Write<'_>| {
        write.execute("DELETE FROM t", &[])?;
        notify.notify_one();
        waiting.recv().map_err(Failure::other)
    };
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.write("emptying", delete).await }
    });
    deleted.notified().await;
    let log = path.with_file_name("docs.example.com.sqlite-wal");
    let before = (fs::read(&path).unwrap(), fs::read(&log).unwrap());

    let snapshot = Store::snapshot_of(&path).await.unwrap();
    assert_eq!(count(&snapshot).await, 50, "the open deletion is not part of it");
    assert_eq!((fs::read(&path).unwrap(), fs::read(&log).unwrap()), before);
    go_on.send(()).unwrap();
    writer.await.unwrap().unwrap();
    assert_eq!((count(&store).await, count(&snapshot).await), (0, 50));
}

#[tokio::test]
async fn a_snapshot_reads_what_a_crash_left_in_the_log() {
    let (folder, path) = folder();
    let store = filled(&path, 50).await;
    // The state of the disk when a process dies: file and log, nothing folded.
    let crashed = folder.path().join("crashed.sqlite");
    let log = folder.path().join("crashed.sqlite-wal");
    fs::copy(&path, &crashed).unwrap();
    fs::copy(path.with_file_name("docs.example.com.sqlite-wal"), &log).unwrap();
    store.close().await;
    let before = (fs::read(&crashed).unwrap(), fs::read(&log).unwrap());

    let snapshot = Store::snapshot_of(&crashed).await.unwrap();
    assert_eq!(count(&snapshot).await, 50);
    assert_eq!((fs::read(&crashed).unwrap(), fs::read(&log).unwrap()), before);
}

/// Whoever moves a damaged store away may leave its log behind. It is not the log of the next one.
#[tokio::test]
async fn a_log_that_was_left_behind_is_not_read_into_a_new_store() {
    let (folder, path) = folder();
    let store = filled(&path, 50).await;
    let log = path.with_file_name("docs.example.com.sqlite-wal");
    let kept = folder.path().join("kept");
    fs::copy(&log, &kept).unwrap();
    store.close().await;
    fs::remove_file(&path).unwrap();
    fs::copy(&kept, &log).unwrap();
    let store = Store::open(&url(&path)).await.unwrap();
    let tables = store.row("counting", "SELECT count(*) FROM sqlite_schema", [], |row| row.int(0)).await.unwrap();
    assert_eq!((tables, store.damage().await.unwrap()), (Some(0), None));
}

/// A copy that was cut off names people as well as a whole one does.
#[tokio::test]
async fn a_backup_takes_away_what_a_killed_one_has_left() {
    let (folder, path) = folder();
    filled(&path, 3).await.close().await;
    for left in [".b.sqlite.x7RG3l.part", ".other.sqlite.x7RG3l.part"] {
        std::fs::write(folder.path().join(left), "").unwrap();
    }
    let file = folder.path().join("b.sqlite");
    Store::backup(&path, &file).await.unwrap();
    let there = names(folder.path());
    assert!(
        there.contains(&"b.sqlite".to_owned()) && there.contains(&".other.sqlite.x7RG3l.part".to_owned()),
        "{there:?}"
    );
    assert!(!there.contains(&".b.sqlite.x7RG3l.part".to_owned()), "{there:?}");
    // one that is there stays as it is
    assert!(Store::backup(&path, &file).await.is_err());
}

#[tokio::test]
async fn a_snapshot_of_a_missing_file_is_an_empty_store() {
    let (_folder, path) = folder();
    let snapshot = Store::snapshot_of(&path).await.unwrap();
    snapshot.script("filling", "CREATE TABLE t (id INTEGER)").await.unwrap();
    assert!(!path.parent().unwrap().exists(), "nothing is made beside the original");
}

/// A store that was cut to nothing is no new one, whether its log is still there or not.
#[tokio::test]
async fn a_file_of_no_bytes_is_a_store_that_was_emptied() {
    let (_folder, path) = folder();
    filled(&path, 3).await.close().await;
    for log in [None, Some("rest of a log")] {
        fs::write(&path, "").unwrap();
        if let Some(log) = log {
            fs::write(path.with_file_name("docs.example.com.sqlite-wal"), log).unwrap();
        }
        for opened in [Store::open(&url(&path)).await, Store::snapshot_of(&path).await] {
            assert!(matches!(&opened, Err(Error::Emptied { path: named }) if *named == path), "{opened:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

/// However early a process dies: the name stands for a whole store, or for nothing.
#[tokio::test]
async fn a_new_store_gets_its_name_when_it_is_whole() {
    let (_folder, path) = folder();
    fs::create_dir(path.parent().unwrap()).unwrap();
    let (rest, others) = (".docs.example.com.sqlite.Ab12.part", ".docs.example.org.sqlite.Ab12.part");
    for name in [rest, others] {
        fs::write(path.with_file_name(name), "").unwrap();
    }
    let store = Store::open(&url(&path)).await.unwrap();
    // nothing has been written into it by us, and a process that dies now leaves it as it is
    assert_eq!(&fs::read(&path).unwrap()[..15], b"SQLite format 3");
    store.close().await;
    assert_eq!(names(path.parent().unwrap()), [others, "docs.example.com.sqlite"]);
}

/// SQLite ends a transaction by itself when the disk is full. The next one must not be taken for a part of it.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_does_not_spoil_the_next_one() {
    let store = Store::temporary().await.unwrap();
    let full = "CREATE TABLE row (id INTEGER); CREATE TRIGGER full BEFORE INSERT ON row WHEN new.id = 1
                BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END";
    store.script("filling the disk", full).await.unwrap();
    for _ in 0..8 {
        store.execute("storing", "INSERT INTO row VALUES (1)", []).await.unwrap_err();
        assert_eq!(store.execute("storing", "INSERT INTO row VALUES (2)", []).await.unwrap(), 1);
    }
}

/// The chain of an error is printed in one line: nothing may stand there twice.
#[tokio::test]
async fn an_error_says_once_what_sqlite_said() {
    let store = Store::temporary().await.unwrap();
    let error = store.row("reading the rows", "SELECT nonsense FROM nowhere", [], |row| row.int(0)).await.unwrap_err();
    let mut chain = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        chain.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    assert_eq!(chain.matches("no such table").count(), 1, "{chain}");
}
