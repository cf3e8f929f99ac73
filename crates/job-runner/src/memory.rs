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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_value_of_a_name_is_remembered() {
        for store in job_store::testing::stores().await {
            let memory = Memory::open(&store).await.unwrap();
            assert_eq!(memory.get("name").await.unwrap(), None);
            let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
            for (value, seconds) in [("first", 0), ("\u{fc}ber \"alles\"\n", 1)] {
                memory.keep("name", value, at(seconds)).await.unwrap();
                memory.keep("other", "", at(7)).await.unwrap();
                assert_eq!(memory.get("name").await.unwrap(), Some((value.to_owned(), at(seconds))));
            }
        }
    }

    /// `runner.sql` is of the form that all tables on a server have.
    #[tokio::test]
    async fn the_portal_is_in_every_key() {
        let Some(place) = job_store::testing::place() else { return };
        let store = Store::on_server(&place).await.unwrap();
        crate::keeping::open_all(&store).await.unwrap();
        assert_eq!(job_store::testing::unlike_the_others(&store).await, [""; 0]);
    }
}
