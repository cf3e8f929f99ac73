//! Rows that came late and that no rule has judged yet. They are stored together with the row, so that a run that ends before it
//! could tell anybody leaves them to the next one.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::rows::{instant, micros};
use crate::{Archive, Error, LateRow};

/// Notes the dates of late rows down, in the transaction that stores the rows.
pub(crate) async fn keep(write: &mut SqliteConnection, late: &[DateTime<Utc>]) -> Result<(), sqlx::Error> {
    for at in late {
        let insert = sqlx::query("INSERT INTO unjudged (at_us) VALUES (?) ON CONFLICT DO NOTHING");
        insert.bind(micros(*at)).execute(&mut *write).await?;
    }
    Ok(())
}

impl Archive {
    /// What came late in this run, and in earlier ones whose findings were not told; oldest first, each moment once.
    pub(crate) async fn unjudged(&self) -> Result<Vec<LateRow>, Error> {
        let dates: Vec<i64> = sqlx::query_scalar("SELECT at_us FROM unjudged ORDER BY at_us")
            .fetch_all(self.store().pool())
            .await
            .map_err(|source| self.failed("reading what came late", source))?;
        Ok(dates.into_iter().filter_map(instant).map(|at| LateRow { at }).collect())
    }

    /// Rules have judged everything before this moment.
    pub(crate) async fn forget_unjudged(&self, until: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query("DELETE FROM unjudged WHERE at_us < ?")
            .bind(micros(until))
            .execute(self.store().pool())
            .await
            .map_err(|source| self.failed("noting down what was judged", source))?;
        Ok(())
    }
}
