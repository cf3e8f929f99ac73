//! What the portal said about itself, remembered for a while so that not every run has to ask.

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Portal;

use crate::rows::{instant, micros};
use crate::{Archive, Error};

/// Plan, zone and version change rarely, and every run asks a question that shows whether the audit filter works.
const PORTAL_KEPT: TimeDelta = TimeDelta::hours(24);

impl Archive {
    /// What the portal said about itself within the last 24 hours; `None` when that is longer ago, or cannot be read any more.
    ///
    /// # Errors
    /// Of the store.
    pub async fn portal(&self, now: DateTime<Utc>) -> Result<Option<Portal>, Error> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT value, learned_us FROM portal_fact WHERE name = 'portal'")
                .fetch_optional(self.store().pool())
                .await
                .map_err(|source| self.failed("reading facts about the portal", source))?;
        Ok(row.and_then(|(value, learned)| {
            let age = now - instant(learned)?;
            let is_fresh = age >= TimeDelta::zero() && age < PORTAL_KEPT;
            is_fresh.then(|| serde_json::from_str(&value).ok()).flatten()
        }))
    }

    /// Remembers what the portal said about itself; `None` forgets it, so that the next run asks again.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_portal(&self, portal: Option<&Portal>, now: DateTime<Utc>) -> Result<(), Error> {
        let query = match portal.and_then(|portal| serde_json::to_string(portal).ok()) {
            Some(value) => sqlx::query(
                "INSERT INTO portal_fact (name, value, learned_us) VALUES ('portal', ?, ?)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, learned_us = excluded.learned_us",
            )
            .bind(value)
            .bind(micros(now)),
            None => sqlx::query("DELETE FROM portal_fact WHERE name = 'portal'"),
        };
        let done = query.execute(self.store().pool()).await;
        done.map(|_| ()).map_err(|source| self.failed("storing facts about the portal", source))
    }
}
