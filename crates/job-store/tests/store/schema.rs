//! Migrations on real files: repeated, interrupted, edited, newer.

use job_store::{Component, Error, Migration, Row, Store};
use tempfile::TempDir;

const TABLES: Migration =
    Migration { number: 1, name: "tables", sql: "CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER)" };
const ROWS: Migration =
    Migration { number: 2, name: "rows", sql: "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)" };
/// Its first statements work; the last one does not.
const BROKEN: Migration = Migration {
    number: 2,
    name: "broken",
    sql: "CREATE TABLE c (id INTEGER); INSERT INTO a VALUES (7); INSERT INTO missing VALUES (1)",
};

const ONE: Component = Component { name: "archive", steps: &[TABLES], on_server: &[] };
const TWO: Component = Component { name: "archive", steps: &[TABLES, ROWS], on_server: &[] };
const FAILING: Component = Component { name: "archive", steps: &[TABLES, BROKEN], on_server: &[] };

async fn tables(store: &Store) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    store.all("reading", sql, [], |row| Ok(row.text(0)?.to_owned())).await.unwrap()
}

async fn applied(store: &Store) -> Vec<(String, i64, String)> {
    let sql = "SELECT component, number, name FROM component_schema ORDER BY component, number";
    let step = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?, row.text(2)?.to_owned()));
    store.all("reading", sql, [], step).await.unwrap()
}

async fn rows_in_a(store: &Store) -> i64 {
    store.row("counting", "SELECT count(*) FROM a", [], |row| row.int(0)).await.unwrap().unwrap()
}

#[tokio::test]
async fn steps_are_applied_once_and_in_order() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/a.sqlite", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    store.migrate(&ONE).await.unwrap();
    store.close().await;

    let store = Store::open(&url).await.unwrap();
    for _ in 0..3 {
        store.migrate(&TWO).await.unwrap();
    }
    assert_eq!(tables(&store).await, ["a", "b", "component_schema"]);
    assert_eq!(rows_in_a(&store).await, 1);
    assert_eq!(applied(&store).await, [("archive".into(), 1, "tables".into()), ("archive".into(), 2, "rows".into())]);
}

#[tokio::test]
async fn a_failing_step_leaves_nothing_and_the_steps_before_it_stay() {
    let store = Store::temporary().await.unwrap();
    let error = store.migrate(&FAILING).await.unwrap_err();
    assert!(matches!(error, Error::Migration { component: "archive", number: 2, name: "broken", .. }), "{error:?}");
    assert_eq!(tables(&store).await, ["a", "b", "component_schema"]);
    assert_eq!(rows_in_a(&store).await, 0);
    assert_eq!(applied(&store).await, [("archive".into(), 1, "tables".into())]);

    store.migrate(&TWO).await.unwrap();
    assert_eq!(rows_in_a(&store).await, 1);
}

#[tokio::test]
async fn two_openers_do_not_apply_a_step_twice() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/a.sqlite", folder.path().display());
    let (one, two) = (Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap());
    let (first, second) = tokio::join!(one.migrate(&TWO), two.migrate(&TWO));
    first.unwrap();
    second.unwrap();
    assert_eq!(rows_in_a(&one).await, 1);
}

#[tokio::test]
async fn a_newer_schema_is_judged_per_component_and_changes_nothing() {
    let store = Store::temporary().await.unwrap();
    store.migrate(&TWO).await.unwrap();
    let error = store.migrate(&ONE).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { component: "archive", found: 2, known: 1, .. }), "{error:?}");
    let dropped = Component { name: "archive", steps: &[], on_server: &[] };
    assert!(matches!(store.migrate(&dropped).await, Err(Error::NewerSchema { found: 2, known: 0, .. })));

    let other = Component {
        name: "outbox",
        steps: &[Migration { number: 1, name: "outbox", sql: "CREATE TABLE outbox (id INTEGER)" }],
        on_server: &[],
    };
    store.migrate(&other).await.unwrap();
    assert_eq!(tables(&store).await, ["a", "b", "component_schema", "outbox"]);
}

#[tokio::test]
async fn an_edited_step_is_refused_before_later_ones_run() {
    let store = Store::temporary().await.unwrap();
    store.migrate(&ONE).await.unwrap();
    let edited = Component {
        name: "archive",
        steps: &[Migration { number: 1, name: "tables", sql: "CREATE TABLE a (id TEXT)" }, ROWS],
        on_server: &[],
    };
    let error = store.migrate(&edited).await.unwrap_err();
    assert!(matches!(error, Error::ChangedMigration { component: "archive", number: 1, .. }), "{error:?}");
    assert_eq!(rows_in_a(&store).await, 0);
}

#[tokio::test]
#[should_panic(expected = "steps of component `archive` must be numbered from 1")]
async fn a_gap_in_the_numbers_is_a_mistake() {
    let store = Store::temporary().await.unwrap();
    let _ = store.migrate(&Component { name: "archive", steps: &[ROWS], on_server: &[] }).await;
}
