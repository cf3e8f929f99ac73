//! An archive of a portal's events that moves to a server and back. `EVENTS=1000000 cargo test -p event-archive --test archive moving -- --nocapture`
//! says besides how large so many are on both.

use audit_model::Window;
use chrono::TimeDelta;
use event_archive::{ARCHIVE_TABLES, Archive};
use job_store::testing::place;
use job_store::{Move, MovedTable, OnServer, Store};
use portal_sim::Office;
use tempfile::TempDir;

use crate::common::{now, start};

/// How much history the events are spread over.
const DAYS: i64 = 60;

async fn opened(folder: &TempDir, name: &str) -> Store {
    let store = Store::open_to_move(&format!("sqlite://{}/{name}", folder.path().display())).await.unwrap();
    Archive::open(store.clone()).await.unwrap();
    store
}

async fn moved(from: &Store, to: &Store) -> Vec<MovedTable> {
    let moving = Move { from, to, tables: ARCHIVE_TABLES, replace: false, now: now() };
    moving.run(|_| Ok(())).await.unwrap()
}

async fn number(store: &Store, sql: &'static str) -> i64 {
    store.row("looking", sql, [], |row| row.int(0)).await.unwrap().unwrap()
}

const COUNT: &str = "SELECT count(*) FROM audit_event";

#[tokio::test]
async fn events_move_to_a_server_and_back() {
    let Some(place) = place() else { return };
    let place = OnServer { schema: "archive_alone".to_owned(), ..place };
    let folder = TempDir::new().unwrap();
    let first = opened(&folder, "first.sqlite").await;
    let window = Window::new(now() - TimeDelta::days(DAYS), now());
    let office = Office::new(7).people(150).rooms(24).days(DAYS as u32).events(2_500).build(now()).unwrap();
    let (_sim, client) = start(office).await;
    let archive = Archive::open(first.clone()).await.unwrap();
    let read = archive.refresh_audit(&client, window, now()).await.unwrap();
    assert!(read.gaps.is_empty(), "{:?}", read.gaps);
    let events = number(&first, COUNT).await;
    assert!(events >= 2_000, "{events}");

    let server = Store::on_server_to_move(&place).await.unwrap();
    Archive::open(server.clone()).await.unwrap();
    let there = moved(&first, &server).await;
    let second = opened(&folder, "second.sqlite").await;
    assert_eq!(moved(&server, &second).await, there);
    assert_eq!(number(&second, COUNT).await, events);

    if let Ok(many) = std::env::var("EVENTS") {
        measure(many.parse().unwrap(), &folder, second, &server).await;
    }
}

/// The same events many times over, each time with other ids and at other moments, on both engines.
#[expect(clippy::print_stdout, reason = "whoever asks for a measurement reads the output")]
async fn measure(many: i64, folder: &TempDir, file: Store, server: &Store) {
    let times = many / number(server, COUNT).await;
    let ids = number(server, "SELECT max(id) - min(id) + 1 FROM audit_event").await;
    for store in [&file, server] {
        let repeat = format!(
            "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context, details)
             WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {times} - 1)
             SELECT id + i * {ids}, at_us + i * 1000003, actor, actor_name, action, text, ip, target, context, details
             FROM counted, audit_event ORDER BY 1"
        );
        store.script("repeating", repeat).await.unwrap();
    }
    let size = number(
        server,
        "SELECT CAST(sum(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
    )
    .await;
    println!("{} events in PostgreSQL: {size} bytes", number(server, COUNT).await);
    let events = number(&file, COUNT).await;
    file.close().await;
    let size = std::fs::metadata(folder.path().join("second.sqlite")).unwrap().len();
    println!("{events} events in SQLite: {size} bytes");
}
