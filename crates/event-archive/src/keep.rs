//! Storing what was read: rows, and the spans that they make up.

use std::collections::HashSet;

use audit_model::SpanSet;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::archive::{unknown_form_name, unreadable_name};
use crate::phrases::Phrases;
use crate::rows::{instant, micros};
use crate::source::Source;
use crate::{Archive, Error, judged};

/// Rows stored by one statement: enough that a statement's own cost does not count, and no more than a page.
const ROWS_AT_ONCE: usize = 100;

/// What is known of a source's time once its rows are stored.
pub(crate) struct Spans<'s> {
    /// What earlier runs had read: rows dated there that are new came late.
    pub(crate) before: &'s SpanSet,
    pub(crate) covered: &'s SpanSet,
    /// What holds an unreadable row.
    pub(crate) bad: &'s SpanSet,
    /// What holds a row of an unknown form.
    pub(crate) odd: &'s SpanSet,
}

impl Archive {
    /// Stores rows, newest first, and the spans they make up, all or nothing. Gives the dates of the rows that came late.
    pub(crate) async fn keep<S: Source>(
        &self,
        source: &S,
        name: &str,
        rows: &[S::Row],
        spans: Spans<'_>,
    ) -> Result<Vec<DateTime<Utc>>, Error> {
        let failed = |source| self.failed("storing the rows", source);
        let mut texts = HashSet::new();
        rows.iter().for_each(|row| source.phrases(row, &mut texts));
        // oldest first, as they were stored by the portal: a table is cheapest to write from its beginning to its end
        let was_read = |at: DateTime<Utc>| spans.before.iter().any(|span| span.contains(at));
        let (again, first_time): (Vec<_>, Vec<_>) = rows.iter().rev().partition(|row| was_read(source.at(row)));
        let mut write = self.store().begin().await?;
        let phrases = Phrases::of(&texts, &mut write).await.map_err(failed)?;
        for some in first_time.chunks(ROWS_AT_ONCE) {
            let done = insert(source, some, &phrases).build().persistent(is_usual(some)).execute(&mut *write).await;
            done.map_err(failed)?;
        }
        let mut late = Vec::new();
        for some in again.chunks(ROWS_AT_ONCE) {
            let mut insert = insert(source, some, &phrases);
            insert.push(" RETURNING at_us");
            let new: Vec<i64> =
                insert.build_query_scalar().persistent(is_usual(some)).fetch_all(&mut *write).await.map_err(failed)?;
            late.extend(new.into_iter().filter_map(instant));
        }
        if let Some(source) = S::WAITS_AS {
            judged::wait(&mut write, &late, (source, self.part())).await.map_err(failed)?;
        }
        replace_spans(&mut write, name, spans.covered).await.map_err(failed)?;
        replace_spans(&mut write, &unreadable_name(name), spans.bad).await.map_err(failed)?;
        replace_spans(&mut write, &unknown_form_name(name), spans.odd).await.map_err(failed)?;
        write.commit().await.map_err(failed)?;
        Ok(late)
    }
}

/// Only statements of the usual length are kept prepared: others hardly come again.
fn is_usual<T>(rows: &[T]) -> bool {
    rows.len() == ROWS_AT_ONCE
}

fn insert<S: Source>(source: &S, rows: &[&S::Row], phrases: &Phrases) -> QueryBuilder<sqlx::Sqlite> {
    let mut insert = QueryBuilder::new(source.insert_sql());
    insert.push_values(rows, |mut columns, row| source.bind(row, phrases, &mut columns));
    insert.push(source.conflict_sql());
    insert
}

pub(crate) async fn replace_spans(
    write: &mut SqliteConnection,
    source: &str,
    covered: &SpanSet,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM covered_span WHERE source = ?").bind(source).execute(&mut *write).await?;
    for span in covered.iter() {
        sqlx::query("INSERT INTO covered_span (source, since_us, until_us) VALUES (?, ?, ?)")
            .bind(source)
            .bind(micros(span.since))
            .bind(micros(span.until))
            .execute(&mut *write)
            .await?;
    }
    Ok(())
}
