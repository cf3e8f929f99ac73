//! What a run tells the next one about itself, by name. Nothing here is needed to be right, so callers may do without.

use chrono::{DateTime, Utc};
use job_store::{Component, Error, Migration, Row, Store, Table};

const COMPONENT: Component = Component {
    name: "runner",
    steps: &[Migration {
        number: 1,
        name: "what runs remember of themselves",
        sql: include_str!("migrations/1_remembered.sql"),
    }],
    on_server: &[Migration {
        number: 1,
        name: "what runs remember of themselves",
        sql: include_str!("migrations/postgres/runner.sql"),
    }],
};

/// The table, for whoever looks after the store.
pub(crate) const TABLES: &[&Table] = &[&Table {
    name: "remembered",
    holds: "what a run tells the next one about itself, and that somebody was forgotten",
    key: "name",
    shown_as: "remembered",
    columns: &["name", "at_us", "value"],
    texts: &["value"],
    old: Some("at_us < ?"),
    open: None,
}];

/// The table, in an open store.
#[derive(Debug)]
pub(crate) struct Memory<'a> {
    store: &'a Store,
}

impl<'a> Memory<'a> {
    pub(crate) async fn open(store: &'a Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Memory { store })
    }

    /// The value, and when it was remembered.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<(String, DateTime<Utc>)>, Error> {
        let sql = "SELECT value, at_us FROM remembered WHERE name = ?";
        let value = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?));
        let row = self.store.row("reading what an earlier run remembered", sql, [name.into()], value).await?;
        Ok(row.and_then(|(value, at)| Some((value, DateTime::from_timestamp_micros(at)?))))
    }

    pub(crate) async fn keep(&self, name: &str, value: &str, at: DateTime<Utc>) -> Result<(), Error> {
        let sql = "INSERT INTO remembered (name, value, at_us) VALUES (?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, at_us = excluded.at_us";
        let values = [name.into(), value.into(), at.timestamp_micros().into()];
        self.store.execute("remembering something for the next run", sql, values).await?;
        Ok(())
    }
}
