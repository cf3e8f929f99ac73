//! The archive itself: opening it and reading events out of it in order.

use audit_model::{AuditEvent, SourceCoverage, SpanSet, Window};
use futures::{Stream, StreamExt};
use job_store::{Component, Migration, Store};
use sqlx::{Sqlite, Transaction};

use crate::Error;
use crate::rows::{EventRow, from_row, instant, micros, to_row};

const COMPONENT: Component = Component {
    name: "archive",
    steps: &[Migration {
        number: 1,
        name: "events, covered spans, room titles",
        sql: include_str!("migrations/1_events.sql"),
    }],
};

/// What one portal said, kept in a store.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
}

impl Archive {
    /// Opens the archive in a store, creating or updating its tables.
    ///
    /// # Errors
    /// Those of `job_store::Store::migrate`, for instance that a newer program has written the tables.
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Archive { store })
    }

    /// The events of the window in order of (time, id), streamed.
    pub fn events(&self, window: Window) -> impl Stream<Item = Result<AuditEvent, Error>> + '_ {
        sqlx::query_as::<_, EventRow>(
            "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
             WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id",
        )
        .bind(micros(window.since))
        .bind(micros(window.until))
        .fetch(self.store.pool())
        .map(|row| row.map(from_row).map_err(|source| self.failed("reading the events", source)))
    }

    /// How many events of the window are stored, and the dates of the first and the last.
    pub(crate) async fn summary(&self, window: Window) -> Result<SourceCoverage, Error> {
        let (rows, oldest, newest): (i64, Option<i64>, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(at_us), max(at_us) FROM audit_event WHERE at_us >= ? AND at_us < ?")
                .bind(micros(window.since))
                .bind(micros(window.until))
                .fetch_one(self.store.pool())
                .await
                .map_err(|source| self.failed("counting the events", source))?;
        Ok(SourceCoverage {
            rows: rows.unsigned_abs(),
            oldest: oldest.and_then(instant),
            newest: newest.and_then(instant),
            ..SourceCoverage::default()
        })
    }

    /// The spans of a source that were read completely.
    pub(crate) async fn covered(&self, source: &str) -> Result<SpanSet, Error> {
        let spans: Vec<(i64, i64)> = sqlx::query_as("SELECT since_us, until_us FROM covered_span WHERE source = ?")
            .bind(source)
            .fetch_all(self.store.pool())
            .await
            .map_err(|source| self.failed("reading the covered spans", source))?;
        Ok(spans.into_iter().filter_map(|(since, until)| Some(Window::new(instant(since)?, instant(until)?))).collect())
    }

    /// Stores rows and the spans they make up, all or nothing. Gives the events that were not stored before.
    pub(crate) async fn keep(&self, source: &str, events: &[AuditEvent], covered: &SpanSet) -> Result<Vec<i64>, Error> {
        let mut write = self.store.begin().await?;
        let mut fresh = Vec::new();
        for event in events {
            if insert(&mut write, event).await.map_err(|source| self.failed("storing the events", source))? {
                fresh.push(event.id);
            }
        }
        self.replace_spans(&mut write, source, covered)
            .await
            .map_err(|e| self.failed("storing the covered spans", e))?;
        write.commit().await.map_err(|source| self.failed("storing the events", source))?;
        Ok(fresh)
    }

    async fn replace_spans(
        &self,
        write: &mut Transaction<'static, Sqlite>,
        source: &str,
        covered: &SpanSet,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM covered_span WHERE source = ?").bind(source).execute(&mut **write).await?;
        for span in covered.iter() {
            sqlx::query("INSERT INTO covered_span (source, since_us, until_us) VALUES (?, ?, ?)")
                .bind(source)
                .bind(micros(span.since))
                .bind(micros(span.until))
                .execute(&mut **write)
                .await?;
        }
        Ok(())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn failed(&self, doing: &'static str, source: sqlx::Error) -> Error {
        Error::from(self.store.error(doing, source))
    }
}

/// Whether the event was new.
async fn insert(write: &mut Transaction<'static, Sqlite>, event: &AuditEvent) -> Result<bool, sqlx::Error> {
    let (id, at_us, actor, actor_name, action, text, ip, target, context) = to_row(event);
    let done = sqlx::query(
        "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(at_us)
    .bind(actor)
    .bind(actor_name)
    .bind(action)
    .bind(text)
    .bind(ip)
    .bind(target)
    .bind(context)
    .execute(&mut **write)
    .await?;
    Ok(done.rows_affected() == 1)
}
