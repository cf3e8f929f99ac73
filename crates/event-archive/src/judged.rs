//! What rules have judged: up to when, and which rows came late and wait for it. Such rows are stored together with the note that they
//! wait, so that a run that ends before it could tell anybody leaves them to the next one.
//!
//! Runs that look at everything, and runs that look at some rooms or people, remember this apart: what the latter pass over, the
//! former must find.

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use crate::rows::{instant, micros};
use crate::{Archive, Error, LateRow};

/// For runs that have not judged anything for so long, late rows are not kept any more: whoever looked at a person by hand does not
/// come back, and runs that were stopped for longer start over.
const KEPT_FOR_PARTS: TimeDelta = TimeDelta::days(14);

/// What runs look at; empty for everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part(String);

impl Part {
    pub(crate) fn new(part: &str) -> Self {
        Part(part.to_owned())
    }

    /// Name of the moment up to which its rules have judged.
    fn moment(&self) -> String {
        if self.0.is_empty() { "judged".to_owned() } else { format!("judged {}", self.0) }
    }
}

/// Notes the dates of late rows down, in the transaction that stores the rows: for this part, and for every other that is judged
/// regularly.
pub(crate) async fn wait(write: &mut SqliteConnection, late: &[DateTime<Utc>], part: &Part) -> Result<(), sqlx::Error> {
    for at in late {
        sqlx::query(
            "INSERT INTO unjudged (part, at_us) SELECT ?1, ?2
             UNION SELECT substr(name, 8), ?2 FROM moment WHERE (name = 'judged' OR name LIKE 'judged %') AND at_us > ?3
             ON CONFLICT DO NOTHING",
        )
        .bind(&part.0)
        .bind(micros(*at))
        .bind(micros(*at - KEPT_FOR_PARTS))
        .execute(&mut *write)
        .await?;
    }
    Ok(())
}

impl Archive {
    /// Up to when rules have judged the audit trail, of what these runs look at; `None` before their first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn judged_until(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.moment(&self.part().moment()).await
    }

    /// Remembers that rules have judged what was read of the window, and what came late before it.
    ///
    /// A window that begins after what was judged before leaves a hole, and does not count. One that ends before that is a repetition,
    /// and what came late waits on: it may be half of something that goes on after the window.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_judged(&self, window: Window) -> Result<(), Error> {
        let Some(read) = self.audit_read_until().await? else { return Ok(()) };
        let before = self.judged_until().await?;
        if before.is_some_and(|before| window.until < before) {
            return Ok(());
        }
        self.forget_unjudged(window.until).await?;
        if before.is_some_and(|before| window.since > before) {
            return Ok(());
        }
        let judged = before.into_iter().chain([read.min(window.until)]).max().unwrap_or(read);
        self.keep_moment(&self.part().moment(), judged).await
    }

    /// What came late in this run, and in earlier ones whose findings were not told; oldest first, each moment once.
    pub(crate) async fn unjudged(&self) -> Result<Vec<LateRow>, Error> {
        let dates: Vec<i64> = sqlx::query_scalar("SELECT at_us FROM unjudged WHERE part = ? ORDER BY at_us")
            .bind(&self.part().0)
            .fetch_all(self.store().pool())
            .await
            .map_err(|source| self.failed("reading what came late", source))?;
        Ok(dates.into_iter().filter_map(instant).map(|at| LateRow { at }).collect())
    }

    /// Rules have judged everything before this moment.
    async fn forget_unjudged(&self, until: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query("DELETE FROM unjudged WHERE part = ? AND at_us < ?")
            .bind(&self.part().0)
            .bind(micros(until))
            .execute(self.store().pool())
            .await
            .map_err(|source| self.failed("noting down what was judged", source))?;
        Ok(())
    }
}
