//! What a program means to do outside of its store, written down before and after each step, so that a crash in between is found
//! and settled by the next run. Which steps there are, and how they are looked up, is the caller's.

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::schema::{Component, Migration};
use crate::statement::{Failure, Row, Value};
use crate::store::Store;
use crate::table::{Shown, Statement, Table};
use crate::work::Write;

const COMPONENT: Component = Component {
    name: "journal",
    steps: &[Migration { number: 1, name: "entries", sql: include_str!("migrations/journal_1.sql") }],
    on_server: &[Migration { number: 1, name: "entries", sql: include_str!("migrations/postgres/journal.sql") }],
};

/// Which rows are open: somebody has still to find out or to act.
const OPEN: &str = "state NOT IN ('done', 'failed')";

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
    open: Some(OPEN),
}];

/// To whom or to what a row of the table, as it is shown ([`Store::shown`]), is still open; `None`: it is settled.
pub fn open_subject(row: &Shown) -> Option<&str> {
    let [.., subject, state, _payload] = row.as_slice() else { return None };
    let state = JournalState::ALL.into_iter().find(|known| Some(known.name()) == state.as_deref())?;
    subject.as_deref().filter(|_| state.is_open())
}

/// Ends as failed whatever is open for a subject, upper or lower case, or for a part of it: `SUBJECT …`.
pub fn giving_up(subject: &str) -> Statement {
    let sql = "UPDATE journal_entry SET state = 'failed' WHERE (lower(subject) = ? OR lower(subject) LIKE ?)";
    (format!("{sql} AND {OPEN}"), vec![Value::Text(subject.into()), Value::Text(format!("{subject} %").into())])
}

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
    pub payload: serde_json::Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "key, kind, subject, state, payload, created_us, updated_us";

/// The journal in a store.
///
/// Steps are taken inside a transaction ([`Store::write`]) and count once it has ended, so that they can be taken together with
/// what else belongs to them. End it with `started` before the call leaves: that is what the next run goes by.
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
    /// Of the statements; [`Error::UnreadableEntry`] for what stands there.
    pub fn plan(
        &self,
        write: &Write<'_>,
        (key, kind, subject): (&str, &str, &str),
        payload: &serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<JournalEntry, Failure> {
        let sql = "INSERT INTO journal_entry (key, kind, subject, state, payload, created_us, updated_us)
                   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING";
        let (state, now) = (JournalState::Planned.name(), now.timestamp_micros());
        let payload = payload.to_string();
        write.execute(
            sql,
            &[key.into(), kind.into(), subject.into(), state.into(), payload.into(), now.into(), now.into()],
        )?;
        let sql = format!("SELECT {COLUMNS} FROM journal_entry WHERE key = ?");
        let stands = write.row(&sql, &[key.into()], |row| self.entry(row))?;
        stands.ok_or_else(|| self.not_planned(key))
    }

    /// The same for an entry that several may change, each with a member `revision` that counts its changes: gives what stands before `payload`
    /// [replaces](Self::advance) it. `None`: somebody has changed it since `revision`. What stands like `payload` is the same change once more.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan).
    pub fn plan_unchanged(
        &self,
        write: &Write<'_>,
        entry: (&str, &str, &str),
        (revision, payload): (u64, &serde_json::Value),
        now: DateTime<Utc>,
    ) -> Result<Option<JournalEntry>, Failure> {
        let stands = self.plan(write, entry, payload, now)?;
        let is_unchanged = stands.payload == *payload || stands.payload["revision"] == revision;
        Ok(is_unchanged.then_some(stands))
    }

    /// Says how far an intent has come; the payload replaces the one before.
    ///
    /// # Errors
    /// [`Error::NotPlanned`] for a key that does not stand in the journal; of the statement.
    pub fn advance(
        &self,
        write: &Write<'_>,
        key: &str,
        state: JournalState,
        payload: &serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let sql = "UPDATE journal_entry SET state = ?, payload = ?, updated_us = ? WHERE key = ?";
        let values = [state.name().into(), payload.to_string().into(), now.timestamp_micros().into(), key.into()];
        if write.execute(sql, &values)? == 0 {
            return Err(self.not_planned(key));
        }
        Ok(())
    }

    fn not_planned(&self, key: &str) -> Failure {
        Error::NotPlanned { path: self.store.path().to_owned(), key: key.to_owned() }.into()
    }

    /// The intents of a kind that are neither done nor failed, oldest first, then by key.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Database`] or [`Error::UnreadableEntry`].
    pub async fn open_of_kind(&self, kind: &str) -> Result<Vec<JournalEntry>, Error> {
        self.entries(kind, &format!("AND {OPEN}")).await
    }

    /// All intents of a kind, oldest first, then by key.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Database`] or [`Error::UnreadableEntry`].
    pub async fn of_kind(&self, kind: &str) -> Result<Vec<JournalEntry>, Error> {
        self.entries(kind, "").await
    }

    async fn entries(&self, kind: &str, which: &str) -> Result<Vec<JournalEntry>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM journal_entry WHERE kind = ? {which} ORDER BY created_us, key");
        let journal = self.clone();
        self.store.all("reading the journal", sql, [kind.into()], move |row| journal.entry(row)).await
    }

    /// Rows are only ever written by [`plan`](Self::plan) and [`advance`](Self::advance), so one that does not fit is damage. It must
    /// not pass for an intent that is settled.
    fn entry(&self, row: &Row<'_>) -> Result<JournalEntry, Failure> {
        let (key, state, payload) = (row.text(0)?, row.text(3)?, row.text(4)?);
        let (kind, subject) = (row.text(1)?, row.text(2)?);
        let (created, updated) = (row.int(5)?, row.int(6)?);
        let decoded = || {
            Some(JournalEntry {
                state: JournalState::ALL.into_iter().find(|known| known.name() == state)?,
                payload: serde_json::from_str(payload).ok()?,
                created_at: DateTime::from_timestamp_micros(created)?,
                updated_at: DateTime::from_timestamp_micros(updated)?,
                key: key.to_owned(),
                kind: kind.to_owned(),
                subject: subject.to_owned(),
            })
        };
        let unreadable = || Error::UnreadableEntry { path: self.store.path().to_owned(), key: key.to_owned() };
        decoded().ok_or_else(|| unreadable().into())
    }
}
