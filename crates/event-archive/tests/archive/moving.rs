//! An archive of a portal's events that moves to a server and back. `EVENTS=1000000 cargo test -p event-archive --test archive moving -- --nocapture`
//! says how large it is on both.

use std::time::Instant;

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
    let began = Instant::now();
    let moving = Move { from, to, tables: ARCHIVE_TABLES, replace: false, now: now() };
    let moved = moving.run(|_| Ok(())).await.unwrap();
    println!("moved from {} in {:.1?}", from.path().display(), began.elapsed());
    moved
}

#[tokio::test]
async fn events_move_to_a_server_and_back() {
    let Some(server) = place() else { return };
    let events = std::env::var("EVENTS").map_or(1_500, |events| events.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let file = opened(&folder, "first.sqlite").await;
    let window = Window::new(now() - TimeDelta::days(DAYS), now());
    let office = Office::new(7).people(150).rooms(24).days(DAYS as u32).events(events).build(now()).unwrap();
    let (sim, client, _) = start(office).await;
    let archive = Archive::open(file.clone()).await.unwrap();
    let read = archive.refresh_audit(&client, window, now()).await.unwrap();
    assert!(read.gaps.is_empty(), "{:?}", read.gaps);
    drop(sim);
    let count = "SELECT count(*) FROM audit_event";
    let rows = file.row("counting", count, [], |row| row.int(0)).await.unwrap();
    println!("{rows:?} events");

    let on_server = OnServer { schema: "archive_alone".to_owned(), ..server };
    let server = Store::on_server_to_move(&on_server).await.unwrap();
    Archive::open(server.clone()).await.unwrap();
    let there = moved(&file, &server).await;
    let sizes = "SELECT CAST(sum(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
    let size = server.row("measuring", sizes, [], |row| row.int(0)).await.unwrap();
    println!("PostgreSQL: {size:?} bytes");
    let back = opened(&folder, "second.sqlite").await;
    assert_eq!(moved(&server, &back).await, there);
    assert_eq!(back.row("counting", count, [], |row| row.int(0)).await.unwrap(), rows);
    for (store, name) in [(file, "first.sqlite"), (back, "second.sqlite")] {
        drop(archive.clone());
        store.close().await;
        println!("{name}: {} bytes", std::fs::metadata(folder.path().join(name)).unwrap().len());
    }
    server.close().await;
}
