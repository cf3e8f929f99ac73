//! What a program means to do outside of its store, written down before and after each step, so that a crash in between is found
//! and settled by the next run. Which steps there are, and how they are looked up, is the caller's.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Sqlite, Transaction};

use crate::error::Error;
use crate::schema::{Component, Migration};
use crate::store::Store;
use crate::table::Table;

const COMPONENT: Component = Component {
    name: "journal",
    steps: &[Migration { number: 1, name: "entries", sql: include_str!("migrations/journal_1.sql") }],
};

/// The table, for whoever looks after the store. What somebody is still to be told or spared by what was done stays: entries whose subject
/// has one that is open.
pub const JOURNAL_TABLES: &[&Table] = &[&Table {
    name: "journal_entry",
    holds: "what this program did, or was about to do: to whom or to what, and how it ended",
    key: "key",
    shown_as: "journal_entry",
    columns: &["created_us", "updated_us", "kind", "key", "subject", "state", "payload"],
    texts: &["key", "subject", "payload"],
    old: Some(
        "updated_us < ? AND state IN ('done', 'failed') AND NOT EXISTS (SELECT 1 FROM journal_entry AS other
         WHERE (other.subject = journal_entry.subject OR other.subject LIKE journal_entry.subject || ' %')
         AND other.state NOT IN ('done', 'failed'))",
    ),
    open: Some("state NOT IN ('done', 'failed')"),
}];

/// How far an intent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JournalState {
    /// Written down, nothing done yet.
    Planned,
    /// The call may have left: after a crash nobody knows whether it arrived.
    Started,
    /// Done, and seen to be done.
    Done,
    /// Refused, or seen to have had no effect.
    Failed,
    /// The call left and its fate could not be seen.
    Unknown,
}

impl JournalState {
    const ALL: [JournalState; 5] =
        [JournalState::Planned, JournalState::Started, JournalState::Done, JournalState::Failed, JournalState::Unknown];

    /// The word that stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            JournalState::Planned => "planned",
            JournalState::Started => "started",
            JournalState::Done => "done",
            JournalState::Failed => "failed",
            JournalState::Unknown => "unknown",
        }
    }

    /// Whether somebody has still to find out or to act.
    pub fn is_open(self) -> bool {
        !matches!(self, JournalState::Done | JournalState::Failed)
    }
}

/// One intent and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Names the intent; the same intent has the same key in every run.
    pub key: String,
    /// What is done, for instance `create_room`.
    pub kind: String,
    /// To whom or to what.
    pub subject: String,
    pub state: JournalState,
    /// Whatever the next run needs to settle it.
    pub payload: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

type Row = (String, String, String, String, String, i64, i64);

const COLUMNS: &str = "key, kind, subject, state, payload, created_us, updated_us";

/// The journal in a store.
///
/// Steps are taken inside a transaction of [`Store::begin`] and count once it is committed, so that they can be taken together with
/// what else belongs to them. Commit `started` before the call leaves: that is what the next run goes by.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Store,
}

impl Journal {
    /// Opens the journal of a store, creating or updating its table.
    ///
    /// # Errors
    /// Those of [`Store::migrate`].
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Journal { store })
    }

    /// Writes an intent down, unless its key stands there already. Gives what stands.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Database`].
    pub async fn plan(
        &self,
        write: &mut Transaction<'_, Sqlite>,
        (key, kind, subject): (&str, &str, &str),
        payload: &Value,
        now: DateTime<Utc>,
    ) -> Result<JournalEntry, Error> {
        let sql = "INSERT INTO journal_entry (key, kind, subject, state, payload, created_us, updated_us)
                   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING";
        sqlx::query(sql)
            .bind(key)
            .bind(kind)
            .bind(subject)
            .bind(JournalState::Planned.name())
            .bind(payload.to_string())
            .bind(now.timestamp_micros())
            .bind(now.timestamp_micros())
            .execute(&mut **write)
            .await
            .map_err(|source| self.store.error("writing the journal", source))?;
        let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM journal_entry WHERE key = ?"));
        let row = sqlx::query_as(sql).bind(key).fetch_one(&mut **write).await;
        self.entry(row.map_err(|source| self.store.error("reading the journal", source))?)
    }

    /// Says how far an intent has come; the payload replaces the one before.
    ///
    /// # Errors
    /// [`Error::NotPlanned`] for a key that does not stand in the journal; [`Error::Corrupt`] or [`Error::Database`].
    pub async fn advance(
        &self,
        write: &mut Transaction<'_, Sqlite>,
        key: &str,
        state: JournalState,
        payload: &Value,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let done = sqlx::query("UPDATE journal_entry SET state = ?, payload = ?, updated_us = ? WHERE key = ?")
            .bind(state.name())
            .bind(payload.to_string())
            .bind(now.timestamp_micros())
            .bind(key)
            .execute(&mut **write)
            .await
            .map_err(|source| self.store.error("writing the journal", source))?;
        match done.rows_affected() {
            0 => Err(Error::NotPlanned { path: self.store.path().to_owned(), key: key.to_owned() }),
            _ => Ok(()),
        }
    }

    /// The intents of a kind that are neither done nor failed, oldest first, then by key.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Database`].
    pub async fn open_of_kind(&self, kind: &str) -> Result<Vec<JournalEntry>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM journal_entry WHERE kind = ? AND state NOT IN ('done', 'failed') ORDER BY created_us, key"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kind).fetch_all(self.store.pool()).await;
        let rows: Vec<Row> = rows.map_err(|source| self.store.error("reading the journal", source))?;
        rows.into_iter().map(|row| self.entry(row)).collect()
    }

    /// All intents of a kind, oldest first, then by key.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Database`].
    pub async fn of_kind(&self, kind: &str) -> Result<Vec<JournalEntry>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM journal_entry WHERE kind = ? ORDER BY created_us, key");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kind).fetch_all(self.store.pool()).await;
        let rows: Vec<Row> = rows.map_err(|source| self.store.error("reading the journal", source))?;
        rows.into_iter().map(|row| self.entry(row)).collect()
    }

    /// Rows are only ever written by [`plan`](Self::plan) and [`advance`](Self::advance), so one that does not fit is damage. It must
    /// not pass for an intent that is settled.
    fn entry(&self, (key, kind, subject, state, payload, created, updated): Row) -> Result<JournalEntry, Error> {
        let decoded = || {
            Some(JournalEntry {
                state: JournalState::ALL.into_iter().find(|known| known.name() == state)?,
                payload: serde_json::from_str(&payload).ok()?,
                created_at: DateTime::from_timestamp_micros(created)?,
                updated_at: DateTime::from_timestamp_micros(updated)?,
                key: key.clone(),
                kind,
                subject,
            })
        };
        decoded().ok_or_else(|| Error::UnreadableEntry { path: self.store.path().to_owned(), key: key.clone() })
    }
}
