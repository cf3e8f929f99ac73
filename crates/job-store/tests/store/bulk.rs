//! Rows by the thousand: none is lost at the end of a step, after a failure, or when a text is shared.

use std::sync::Arc;

use futures::TryStreamExt;
use job_store::{Dictionary, Error, Failure, Row, Rows, Select, Store, Value, Write};

static WORDS: Dictionary = Dictionary {
    text: "SELECT value FROM word WHERE id = ?",
    number: "SELECT id FROM word WHERE value = ?",
    add: "INSERT INTO word (value) VALUES (?) RETURNING id",
};

const INSERT: &str = "INSERT INTO t (id, word) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE t SET word = ?2 WHERE id = ?1 AND word <> ?2";

/// A store with rows 0 to `rows`, which share three words.
async fn filled(rows: i64) -> Store {
    let store = Store::temporary().await.unwrap();
    let tables = "CREATE TABLE word (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;
         CREATE TABLE t (id INTEGER PRIMARY KEY, word INTEGER REFERENCES word) STRICT";
    store.script("making tables", tables).await.unwrap();
    let changed = add(&store, (0..rows).map(|id| (id, ["a", "b", "c"][id as usize % 3]))).await.unwrap();
    assert_eq!(changed.len(), rows as usize);
    store
}

async fn add(store: &Store, rows: impl Iterator<Item = (i64, &'static str)>) -> Result<Vec<bool>, Error> {
    let values: Vec<Value> = rows.flat_map(|(id, word)| [Value::Int(id), Value::Shared(word.into())]).collect();
    store.write("storing", move |write| write.for_each([INSERT, UPDATE], &values, &WORDS)).await
}

fn read<T: Send + 'static>(store: &Store, row: impl FnMut(&Row<'_>) -> Result<T, Failure> + Send + 'static) -> Rows<T> {
    let sql = "SELECT id, word FROM t ORDER BY id".into();
    store.rows(Select { doing: "reading", sql, values: Vec::new(), dictionary: Some(&WORDS) }, row)
}

async fn ids(store: &Store) -> Vec<i64> {
    read(store, |row| row.int(0)).try_collect().await.unwrap()
}

#[tokio::test]
async fn every_row_comes_once_and_in_order_however_many_steps_it_takes() {
    for rows in [0, 1, 1_000, 2_500] {
        assert_eq!(ids(&filled(rows).await).await, (0..rows).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn rows_that_share_a_text_share_its_memory() {
    let store = filled(10).await;
    let words: Vec<Arc<str>> = read(&store, |row| Ok(row.shared(1)?.unwrap())).try_collect().await.unwrap();
    assert_eq!(words.iter().map(|word| &**word).collect::<String>(), "abcabcabca");
    assert!(Arc::ptr_eq(&words[0], &words[9]));
    let stored = store.row("counting", "SELECT count(*) FROM word", [], |row| row.int(0)).await.unwrap();
    assert_eq!(stored, Some(3));
}

/// What cannot be understood is an error, and never the end.
#[tokio::test]
async fn a_failure_is_no_end() {
    let store = filled(2_500).await;
    let mut rows = read(&store, |row| if row.int(0)? < 1_500 { row.int(0) } else { row.text(0).map(|_| 0) });
    let mut came = 0;
    let error = loop {
        match rows.try_next().await {
            Ok(row) => came += row.map(|_| 1).expect("an error comes before the end"),
            Err(error) => break error,
        }
    };
    assert!(came <= 1_500 && matches!(error, Error::Database { doing: "reading", .. }), "{came} {error}");
    assert_eq!(ids(&store).await.len(), 2_500, "the next reader has a connection that works");
}

#[tokio::test]
#[should_panic(expected = "a mistake in the program")]
async fn neither_is_a_panic() {
    let mut rows = read(&filled(3).await, |_| -> Result<(), Failure> { panic!("a mistake in the program") });
    let _ = rows.try_next().await;
}

#[tokio::test]
async fn rows_that_are_there_are_told_apart_and_nothing_of_a_failed_transaction_stays() {
    let store = filled(3).await;
    // there already, there with another word, and new
    let changed = add(&store, [(1, "b"), (2, "a"), (3, "d")].into_iter()).await.unwrap();
    assert_eq!(changed, [false, true, true]);
    let words: Vec<Arc<str>> = read(&store, |row| Ok(row.shared(1)?.unwrap())).try_collect().await.unwrap();
    assert_eq!(words.iter().map(|word| &**word).collect::<String>(), "abad");
    let half = |write: &Write<'_>| {
        write.execute("DELETE FROM t", &[])?;
        write.execute("DELETE FROM nothing_of_this_name", &[])
    };
    assert!(matches!(store.write("forgetting", half).await, Err(Error::Database { doing: "forgetting", .. })));
    assert_eq!(ids(&store).await, [0, 1, 2, 3]);
}

/// New rows are stored by some at once; those among them that are there already are told apart all the same.
#[tokio::test]
async fn one_row_that_is_there_among_many_that_are_new_is_told_apart_wherever_it_stands() {
    for there in 0..60 {
        let store = filled(0).await;
        // the second one with the same word
        add(&store, [(there, "a"), (there + 30, "b")].into_iter()).await.unwrap();
        let changed = add(&store, (0..90).map(|id| (id, ["b", "c"][id as usize % 30 / 15]))).await.unwrap();
        let words: Vec<(i64, Arc<str>)> =
            read(&store, |row| Ok((row.int(0)?, row.shared(1)?.unwrap()))).try_collect().await.unwrap();
        let as_given: Vec<_> = (0..90).map(|id| (id, ["b", "c"][id as usize % 30 / 15].into())).collect();
        assert_eq!(words, as_given, "{there}");
        let unchanged: Vec<i64> = (0..90).filter(|id| !changed[*id as usize]).collect();
        let is_alike = (there + 30) % 30 < 15;
        assert_eq!(unchanged, if is_alike { vec![there + 30] } else { vec![] }, "{there}");
    }
}

#[tokio::test]
async fn a_reader_that_stops_early_keeps_nobody_from_closing() {
    let store = filled(5_000).await;
    let (other, mut rows) = (store.clone(), read(&store, |row| row.int(0)));
    assert_eq!(rows.try_next().await.unwrap(), Some(0));
    drop(rows);
    store.close().await;
    assert!(add(&other, [(1, "a")].into_iter()).await.is_err());
}
