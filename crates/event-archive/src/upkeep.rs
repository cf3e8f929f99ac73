//! Looking after the store: what is in it, and forgetting what is old.

use audit_model::{SpanSet, Window};
use chrono::{DateTime, Utc};
use job_store::{Value, Write};

use crate::keep::replace_spans;
use crate::rows::micros;
use crate::{Archive, Error};

/// What is kept of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name of the source, for instance `audit`.
    pub source: String,
    /// The spans that were read completely, oldest first; of a source named `… (unreadable)` those that could not be read.
    pub covered: SpanSet,
}

/// Rows of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub table: &'static str,
    pub rows: u64,
}

/// The tables that grow with time, with their counting and their forgetting.
const TABLES: [(&str, &str, &str); 5] = [
    ("audit_event", "SELECT count(*) FROM audit_event", "DELETE FROM audit_event WHERE at_us < ? AND action <> 5074"),
    ("login_event", "SELECT count(*) FROM login_event", "DELETE FROM login_event WHERE at_us < ?"),
    ("room_log", "SELECT count(*) FROM room_log", "DELETE FROM room_log WHERE at_us < ?"),
    ("held", "SELECT count(*) FROM held", "DELETE FROM held WHERE until_us < ?"),
    ("listed_room", "SELECT count(*) FROM listed_room", "DELETE FROM listed_room WHERE listed_us < ?"),
];

impl Archive {
    /// How many rows each table holds.
    ///
    /// # Errors
    /// Of the store.
    pub async fn rows(&self) -> Result<Vec<Rows>, Error> {
        let mut counts = Vec::new();
        for (table, count, _) in TABLES {
            let rows = self.count("counting the rows", count, []).await?;
            counts.push(Rows { table, rows });
        }
        Ok(counts)
    }

    /// Which spans of which source are known completely, by name of the source.
    ///
    /// # Errors
    /// Of the store.
    pub async fn kept(&self) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT DISTINCT source FROM covered_span ORDER BY source";
        let sources = self.store().all("reading the covered spans", sql, [], |row| Ok(row.text(0)?.to_owned())).await?;
        let mut kept = Vec::new();
        for source in sources {
            let covered = self.covered(&source).await?;
            kept.push(Kept { source, covered });
        }
        Ok(kept)
    }

    /// Forgets all rows dated before `before`, and that their time was ever read, all or nothing. Titles of rooms are kept,
    /// and the events that tell of their deletion: without them a deleted room would be the twin of the next one of its title.
    ///
    /// Gives the number of rows forgotten. What rules still need is the caller's to know.
    ///
    /// # Errors
    /// Of the store.
    pub async fn prune(&self, before: DateTime<Utc>) -> Result<Vec<Rows>, Error> {
        let kept = self.kept().await?;
        let forget = move |write: &Write<'_>| {
            let mut forgotten = Vec::new();
            for (table, _, delete) in TABLES {
                let rows = write.execute(delete, &[Value::Int(micros(before))])?;
                forgotten.push(Rows { table, rows });
            }
            // names and addresses that no row has any more; the indexes of rows do not help, so all are gone through once
            write.execute(
                "DELETE FROM phrase WHERE id NOT IN (SELECT actor FROM audit_event UNION SELECT actor_name FROM audit_event
                 UNION SELECT ip FROM audit_event WHERE ip IS NOT NULL
                 UNION SELECT context FROM audit_event WHERE context IS NOT NULL
                 UNION SELECT details FROM audit_event WHERE details IS NOT NULL)",
                &[],
            )?;
            for Kept { source, mut covered } in kept {
                covered.remove(Window::new(DateTime::<Utc>::MIN_UTC, before));
                replace_spans(write, &source, &covered)?;
            }
            Ok(forgotten)
        };
        let forgotten = self.store().write_many("forgetting old rows", forget).await?;
        self.store().give_back_space("forgetting old rows").await?;
        Ok(forgotten)
    }
}
