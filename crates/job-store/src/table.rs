//! What the tables of a store hold of people: to forget what is old, and to show, rewrite or remove what is kept about somebody.
//!
//! Every component describes each of its tables, so that nothing is left out of any of this.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use crate::bulk::Select;
use crate::error::Error;
use crate::statement::{Failure, Value};
use crate::store::Store;
use crate::work::Write;

/// Rows forgotten by one transaction: a run that waits for the lock meanwhile waits for less than a second.
const STEP: u64 = 5_000;

/// One table.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// What it holds, in words: `sign-ins`.
    pub holds: &'static str,
    /// The columns that tell one row from all others, separated by commas.
    pub key: &'static str,
    /// What it is read from to be shown: itself, or a view of it.
    pub shown_as: &'static str,
    /// The columns that are shown.
    pub columns: &'static [&'static str],
    /// The columns of the table itself in whose texts people may be named.
    pub texts: &'static [&'static str],
    /// Which rows are older than the moment that `?` stands for, in microseconds, and not needed any more. `None`: the component forgets
    /// them by itself, or there is nothing in it that has an age.
    pub old: Option<&'static str>,
    /// Which rows stay whatever their age, because something in them has not ended.
    pub open: Option<&'static str>,
}

/// Rows that were forgotten of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    pub table: &'static str,
    pub rows: u64,
    /// Whether older ones are left, because there were too many for one go.
    pub more: bool,
}

/// A row as texts, in the order of [`Table::columns`].
pub type Shown = Vec<Option<String>>;

/// A statement and its values.
pub type Statement = (String, Vec<Value>);

impl Store {
    /// Forgets rows older than a moment, some at a time, of each table at most so many times 5000.
    ///
    /// # Errors
    /// Of the store; what was forgotten before that stays forgotten.
    pub async fn prune(
        &self,
        tables: &[&'static Table],
        before: DateTime<Utc>,
        most_steps: u32,
    ) -> Result<Vec<Pruned>, Error> {
        let before = before.timestamp_micros();
        let mut all = Vec::new();
        for table in tables {
            let Some(old) = table.old else { continue };
            let (name, key) = (table.name, table.key);
            let sql =
                format!("DELETE FROM {name} WHERE ({key}) IN (SELECT {key} FROM {name} WHERE {old} LIMIT {STEP})");
            let mut pruned = Pruned { table: name, rows: 0, more: true };
            for _ in 0..most_steps {
                let sql = sql.clone();
                let step = move |write: &Write<'_>| write.execute(&sql, &[Value::Int(before)]);
                let rows = self.write("forgetting old rows", step).await?;
                pruned.rows += rows;
                pruned.more = rows == STEP;
                if !pruned.more {
                    break;
                }
            }
            all.push(pruned);
        }
        Ok(all)
    }

    /// How many rows of a table there are, or stay because they are open.
    ///
    /// # Errors
    /// Of the store.
    pub async fn count(&self, table: &'static Table, open: bool) -> Result<u64, Error> {
        let condition = match (open, table.open) {
            (false, _) => "1 = 1",
            (true, Some(open)) => open,
            (true, None) => return Ok(0),
        };
        let sql = format!("SELECT count(*) FROM {} WHERE {condition}", table.name);
        let count = self.row("counting the rows", sql, [], |row| row.int(0)).await?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// The rows of a table in which something is found, as they are shown.
    ///
    /// # Errors
    /// Of the store.
    pub async fn shown(
        &self,
        table: &'static Table,
        is_about: impl Fn(&Shown) -> bool + Send + 'static,
    ) -> Result<Vec<Shown>, Error> {
        let columns: Vec<String> = table.columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.shown_as, table.columns[0]);
        let select = Select { doing: "reading what is kept", sql: sql.into(), values: Vec::new(), dictionary: None };
        let many = table.columns.len();
        let rows = self.rows(select, move |row| {
            let texts = (0..many).map(|column| Ok(row.optional_text(column)?.map(str::to_owned)));
            let shown = texts.collect::<Result<Shown, Failure>>()?;
            Ok(is_about(&shown).then_some(shown))
        });
        let rows: Vec<Option<Shown>> = rows.try_collect().await?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// The texts of a table, each once for each column.
    ///
    /// # Errors
    /// Of the store.
    pub async fn texts(&self, table: &'static Table) -> Result<Vec<(&'static str, String)>, Error> {
        let mut all = Vec::new();
        for column in table.texts.iter().copied() {
            let sql = format!("SELECT DISTINCT {column} FROM {} WHERE {column} IS NOT NULL", table.name);
            all.extend(
                self.all("reading what is kept", sql, [], move |row| Ok((column, row.text(0)?.to_owned()))).await?,
            );
        }
        Ok(all)
    }

    /// What puts other texts in the place of those of a table: a statement for each. Two texts never become one.
    ///
    /// # Errors
    /// Of the store.
    pub async fn rewriting(
        &self,
        table: &'static Table,
        rewrite: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<Statement>, Error> {
        let mut used: HashMap<(&str, String), u32> = HashMap::new();
        let mut statements = Vec::new();
        for (column, text) in self.texts(table).await? {
            let Some(mut new) = rewrite(&text) else { continue };
            let times = used.entry((column, new.clone())).or_default();
            *times += 1;
            if *times > 1 && table.key.contains(column) {
                new = format!("{new} ({times})");
            }
            let sql = format!("UPDATE {} SET {column} = ? WHERE {column} = ?", table.name);
            statements.push((sql, vec![Value::Text(new.into()), Value::Text(text.into())]));
        }
        Ok(statements)
    }

    /// Does statements in their order, all or nothing, as [`write_many`](Self::write_many) does: texts that they remove are no row's any
    /// more. Gives the number of rows that they changed.
    ///
    /// # Errors
    /// Of the store.
    pub async fn write_all(&self, doing: &'static str, statements: Vec<Statement>) -> Result<u64, Error> {
        let work = move |write: &Write<'_>| {
            statements.iter().try_fold(0, |rows, (sql, values)| Ok(rows + write.execute(sql, values)?))
        };
        self.write_many(doing, work).await
    }

    /// Rewrites the file, so that nothing that was forgotten is left in it.
    ///
    /// # Errors
    /// Of the store, for instance that there is no room for a second file of its size.
    pub async fn compact(&self) -> Result<(), Error> {
        self.give_back_space("rewriting the file").await
    }
}
