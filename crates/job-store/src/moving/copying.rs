//! Copying a table some rows at a time, in the order of its key, and comparing what has come of it.

use futures::TryStreamExt;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::shape::Shape;
use crate::bulk::Select;
use crate::error::Error;
use crate::statement::{Failure, Row, Value};
use crate::store::{Engine, Store};

/// Rows copied in one transaction.
const STEP: usize = 2_000;

/// All rows of a table, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) rows: u64,
    sum: u128,
}

impl Digest {
    pub(super) fn in_words(self) -> String {
        format!("{:032x}", self.sum)
    }

    fn add(&mut self, row: u128) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(row);
    }
}

/// The key of the last row that was copied.
pub(super) async fn copied_up_to(to: &Store, table: &'static str) -> Result<Option<Vec<Value>>, Error> {
    let sql = "SELECT last_key FROM moved_table WHERE name = ?";
    let key = |row: &Row<'_>| from_json(row.text(0)?);
    to.row("looking how far the copy is", sql, [table.into()], key).await
}

fn to_json(key: &[Value]) -> String {
    let value = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Int(number) => Json::from(*number),
        Value::Text(text) | Value::Shared(text) => Json::from(&**text),
    };
    Json::Array(key.iter().map(value).collect()).to_string()
}

fn from_json(text: &str) -> Result<Vec<Value>, Failure> {
    let values: Vec<Json> = serde_json::from_str(text).map_err(Failure::other)?;
    let value = |value: Json| match value {
        Json::String(text) => Value::from(text),
        number => number.as_i64().map_or(Value::Null, Value::Int),
    };
    Ok(values.into_iter().map(value).collect())
}

impl Shape {
    fn listed(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|column| format!("\"{column}\"")).collect();
        quoted.join(", ")
    }

    fn key_listed(&self) -> String {
        let quoted: Vec<String> = self.columns[..self.key].iter().map(|column| format!("\"{column}\"")).collect();
        quoted.join(", ")
    }

    /// Copies the rows that follow this key, at most so many; gives the key of the last one and how many there were.
    pub(super) async fn copy_some(
        &self,
        from: &Store,
        to: &Store,
        last: Option<Vec<Value>>,
    ) -> Result<Option<(Vec<Value>, u64)>, Error> {
        let (table, listed, key) = (self.table, self.listed(), self.key_listed());
        let places = vec!["?"; self.key].join(", ");
        let follows = if last.is_some() { format!("WHERE ({key}) > ({places})") } else { String::new() };
        let sql = format!("SELECT {listed} FROM {table} {follows} ORDER BY {key} LIMIT {STEP}");
        let width = self.columns.len();
        let values = move |row: &Row<'_>| (0..width).map(|column| row.value(column)).collect::<Result<Vec<_>, _>>();
        let rows = from.all("reading what is moved", sql, last.unwrap_or_default(), values).await?;
        let Some(last) = rows.last().map(|row| row[..self.key].to_vec()) else { return Ok(None) };
        let count = rows.len() as u64;
        let places = vec!["?"; width].join(", ");
        let insert = format!("INSERT INTO {table} ({listed}) VALUES ({places})");
        let so_far = [table.into(), to_json(&last).into()];
        to.write_many("storing what is moved", move |write| {
            write.each(&insert, &rows)?;
            let sql = "INSERT INTO moved_table (name, last_key) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET last_key = excluded.last_key";
            write.execute(sql, &so_far)
        })
        .await?;
        Ok(Some((last, count)))
    }

    pub(super) async fn digest(&self, store: &Store) -> Result<Digest, Error> {
        let sql = format!("SELECT {} FROM {}", self.listed(), self.table).into();
        let select = Select { doing: "comparing what was moved", sql, values: Vec::new(), dictionary: None };
        let width = self.columns.len();
        let rows = store.rows(select, move |row| digest_of(row, width));
        let add = |mut digest: Digest, row| async move {
            digest.add(row);
            Ok(digest)
        };
        rows.try_fold(Digest::default(), add).await
    }

    pub(super) async fn count(&self, store: &Store) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM {}", self.table);
        let count = store.row("counting the rows", sql, [], |row| row.int(0)).await?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// Removes every row, some at a time, and how far it was copied.
    pub(super) async fn empty(&self, store: &Store) -> Result<(), Error> {
        let (table, key) = (self.table, self.key_listed());
        let forget = "DELETE FROM moved_table WHERE name = ?";
        store.execute("emptying a table", forget, [table.into()]).await?;
        loop {
            let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} LIMIT {STEP})");
            let removed = store.write_many("emptying a table", move |write| write.execute(&sql, &[])).await?;
            if removed < STEP as u64 {
                return Ok(());
            }
        }
    }

    /// Lets a server number the next rows after those that have their numbers already.
    pub(super) async fn number_on(&self, store: &Store) -> Result<(), Error> {
        if matches!(store.engine(), Engine::Sqlite(_)) {
            return Ok(());
        }
        let sql = "SELECT column_name::text FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'YES'";
        let doing = "numbering what comes next";
        let columns = store.all(doing, sql, [self.table.into()], |row| Ok(row.text(0)?.to_owned())).await?;
        for column in columns {
            let table = self.table;
            store
                .write(doing, move |write| {
                    // other portals take their numbers from the same sequence, and none of them may be given twice
                    write.script(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))?;
                    let sequence = format!("pg_get_serial_sequence(quote_ident(current_schema()) || '.{table}', '{column}')");
                    let sql = format!(
                        "SELECT setval({sequence}, greatest(nextval({sequence}), (SELECT coalesce(max(\"{column}\"), 0) FROM {table})))"
                    );
                    write.row(&sql, &[], |_| Ok(()))
                })
                .await?;
        }
        Ok(())
    }
}

/// The beginning of a hash of one row.
fn digest_of(row: &Row<'_>, width: usize) -> Result<u128, Failure> {
    let mut hash = Sha256::new();
    for column in 0..width {
        match row.value(column)? {
            Value::Null => hash.update([0]),
            Value::Int(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
            }
            Value::Text(text) | Value::Shared(text) => {
                // as a server has it
                let text = text.replace('\0', "\u{2400}");
                hash.update([2]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(&text);
            }
        }
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    Ok(u128::from_be_bytes(first))
}
