//! Storing what was read: rows, and the spans that they make up.

use audit_model::SpanSet;
use chrono::{DateTime, Utc};
use job_store::{Failure, Value, Write};

use crate::archive::{unknown_form_name, unreadable_name};
use crate::rows::{PHRASES, micros};
use crate::source::Source;
use crate::{Archive, Error, judged};

/// So many rows are few.
const A_PAGE: usize = 100;

/// Values of a row of the widest table.
const MOST_COLUMNS: usize = 13;

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
        let mut values = Vec::with_capacity(rows.len() * MOST_COLUMNS);
        // oldest first, as they were stored by the portal: a table is cheapest to write from its beginning to its end
        rows.iter().rev().for_each(|row| source.values(row, &mut values));
        let was_read = |at: DateTime<Utc>| spans.before.iter().any(|span| span.contains(at));
        let dates: Vec<_> = rows.iter().rev().map(|row| Some(source.at(row)).filter(|at| was_read(*at))).collect();
        let (statements, part) = ([source.insert_sql(), source.update_sql()], self.part().clone());
        let spans = [
            (name.to_owned(), spans.covered.clone()),
            (unreadable_name(name), spans.bad.clone()),
            (unknown_form_name(name), spans.odd.clone()),
        ];
        let store = move |write: &Write<'_>| {
            let is_new = write.for_each(statements, &values, &PHRASES)?;
            let late: Vec<_> =
                dates.into_iter().zip(is_new).filter(|(_, is_new)| *is_new).filter_map(|(at, _)| at).collect();
            if let Some(source) = S::WAITS_AS {
                judged::wait(write, &late, (source, &part))?;
            }
            spans.iter().try_for_each(|(source, covered)| replace_spans(write, source, covered))?;
            Ok(late)
        };
        let doing = "storing the rows";
        // for few rows, to switch the check of foreign keys off and on costs more than the check: all statements are prepared anew
        let is_page = rows.len() <= A_PAGE;
        let late =
            if is_page { self.store().write(doing, store).await } else { self.store().write_many(doing, store).await };
        Ok(late?)
    }
}

pub(crate) fn replace_spans(write: &Write<'_>, source: &str, covered: &SpanSet) -> Result<(), Failure> {
    let source = Value::Text(source.into());
    write.execute("DELETE FROM covered_span WHERE source = ?", std::slice::from_ref(&source))?;
    for span in covered.iter() {
        let span = [source.clone(), Value::Int(micros(span.since)), Value::Int(micros(span.until))];
        write.execute("INSERT INTO covered_span (source, since_us, until_us) VALUES (?, ?, ?)", &span)?;
    }
    Ok(())
}
