//! Which tables and columns there are, as the engines themselves say.

use std::collections::BTreeSet;

use super::marks;
use crate::error::Error;
use crate::statement::Row;
use crate::store::{Engine, Store};

/// Tables that belong to a store and not to what it holds.
const OF_THE_STORE: [&str; 4] = ["component_schema", "lease", "moved", "moved_table"];

const READING: &str = "reading what tables there are";

/// A table that is the same in both stores.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) table: &'static str,
    /// Its columns, those of the key first.
    pub(super) columns: Vec<String>,
    /// How many belong to the key.
    pub(super) key: usize,
}

/// What one engine says of a table.
#[derive(Debug, PartialEq, Eq)]
struct Columns {
    key: Vec<String>,
    others: BTreeSet<String>,
}

impl Shape {
    /// `None` when they are not alike.
    pub(super) async fn of(table: &'static str, from: &Store, to: &Store) -> Result<Option<Self>, Error> {
        let (mut ours, mut theirs) = (columns(from, table).await?, columns(to, table).await?);
        // the order in which SQLite has numbered the rows by itself, for which PostgreSQL has a column where somebody asks for it
        if ours.others.contains(ROW_NUMBER) != theirs.others.contains(ROW_NUMBER) {
            ours.others.remove(ROW_NUMBER);
            theirs.others.remove(ROW_NUMBER);
        }
        if ours != theirs || ours.key.is_empty() {
            return Ok(None);
        }
        let key = ours.key.len();
        Ok(Some(Shape { table, columns: ours.key.into_iter().chain(ours.others).collect(), key }))
    }
}

/// What SQLite calls the number of a row whose table has no column for it.
const ROW_NUMBER: &str = "rowid";

async fn columns(store: &Store, table: &'static str) -> Result<Columns, Error> {
    let named = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?));
    let sql = match store.engine() {
        Engine::Sqlite(_) => {
            "SELECT name, pk FROM pragma_table_info(?1) UNION ALL
             SELECT 'rowid', 0 FROM pragma_table_list(?1) WHERE NOT wr AND NOT EXISTS (
                 SELECT 1 FROM pragma_table_info(?1) WHERE pk > 0 GROUP BY 1 = 1 HAVING count(*) = 1 AND max(type) = 'INTEGER')
             ORDER BY 2"
        }
        Engine::Postgres(_) => {
            "SELECT attname::text, coalesce(array_position(indkey::int2[], attnum), 0)::int8
             FROM pg_attribute JOIN pg_index ON indrelid = attrelid AND indisprimary
             WHERE attrelid = (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ?1)
                 AND attnum > 0 AND NOT attisdropped AND attname <> 'portal'
             ORDER BY 2"
        }
    };
    let mut columns = Columns { key: Vec::new(), others: BTreeSet::new() };
    for (name, place) in store.all(READING, sql, [table.into()], named).await? {
        if place > 0 {
            columns.key.push(name);
        } else {
            columns.others.insert(name);
        }
    }
    Ok(columns)
}

/// The tables of a store.
pub(super) async fn tables(store: &Store) -> Result<BTreeSet<String>, Error> {
    let sql = match store.engine() {
        Engine::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Engine::Postgres(_) => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        }
    };
    let tables = store.all(READING, sql, [], |row| Ok(row.text(0)?.to_owned())).await?;
    Ok(tables.into_iter().filter(|table| !OF_THE_STORE.contains(&table.as_str())).collect())
}

/// The components of a store, and the last step of each.
pub(super) async fn components(store: &Store) -> Result<BTreeSet<(String, i64)>, Error> {
    let sql = "SELECT component, max(number) FROM component_schema GROUP BY component";
    let components = store.all(READING, sql, [], |row| Ok((row.text(0)?.to_owned(), row.int(1)?))).await?;
    let is_of_the_store = |(name, _): &(String, i64)| name == "lease" || name == marks::COMPONENT.name;
    Ok(components.into_iter().filter(|component| !is_of_the_store(component)).collect())
}
