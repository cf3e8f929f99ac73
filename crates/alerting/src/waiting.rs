//! Alerts that wait for a channel: offering them, trying again later, and giving up aloud.

use audit_model::Severity;
use chrono::{DateTime, TimeDelta, Utc};
use tracing::warn;

use crate::channel::Channel;
use crate::deliver::{Failure, offer};
use crate::error::Error;
use crate::memory::{instant, rank};
use crate::outbox::Outbox;

/// How long an alert waits after its first, second, third, … failure; after each further one as long as after the last. A
/// receiver that restarts is back after minutes; one that is down for longer is not helped by more than a try an hour.
const PAUSES: [TimeDelta; 4] = [TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::minutes(15), LONGEST_PAUSE];

const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How long an alert is offered to a channel that does not take it. Over a week somebody has looked at the log.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(7);

/// A channel is offered at most so many alerts by one run. Whoever gets fifty looks into the report anyway, and a slow channel
/// must not make the run take longer than the pause between two runs. The others wait for the next run.
const MOST_PER_RUN: usize = 50;

/// Due is what waited long enough; and what waits longer than any pause, because a clock was wrong when it was put off.
const DUE_SQL: &str = "SELECT alert, json, tries, first_us FROM waiting
     WHERE channel = ?1 AND (next_us <= ?2 OR next_us > ?3)
     ORDER BY severity DESC, first_us, rowid";

/// What became of the alerts that were due.
#[derive(Debug, Default)]
pub struct Drained {
    /// How many were taken; one that two channels took counts twice.
    pub taken: usize,
    /// What was not taken, in the order of the tries; it waits on.
    pub refused: Vec<Refused>,
    /// How many alerts were not offered because the run had offered its channel enough.
    pub left: usize,
    /// How many critical alerts wait that no channel has taken up to now, in this run or an earlier one.
    pub critical: u64,
    /// Why the store could not note down what became of an alert. It may then arrive a second time, with the same id.
    pub store_error: Option<Error>,
}

/// One alert that a channel did not take.
#[derive(Debug)]
pub struct Refused {
    /// The alert's id.
    pub alert: String,
    pub failure: Failure,
}

/// An alert that a channel has not taken and is not offered any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapsed {
    /// The alert's id.
    pub alert: String,
    pub channel: String,
    /// One line of plain text, safe to show anywhere that takes plain text.
    pub subject: String,
    /// Whether another channel took it.
    pub reached: bool,
}

struct Due {
    alert: String,
    json: String,
    tries: i64,
    first: DateTime<Utc>,
}

impl Outbox {
    /// Offers to each channel what waits for it and is due: the most severe first, then the oldest, at most 50 each.
    ///
    /// What is taken waits no more. What is not is put off, at first for a minute, at last for an hour each time, and given up
    /// after seven days: then [`Outbox::lapsed`] tells it. A channel that could not be reached is not tried again by the same
    /// call, and everything that waits for it is put off.
    ///
    /// # Errors
    /// When what waits cannot be read. A store that fails later does not stop the delivery.
    pub async fn drain(&self, channels: &[Channel], now: DateTime<Utc>) -> Result<Drained, Error> {
        let mut drained = Drained::default();
        for channel in channels {
            let name = channel.name();
            let due = self.due(&name, now).await?;
            drained.left += due.len().saturating_sub(MOST_PER_RUN);
            let mut given_up = false;
            for row in due.iter().take(MOST_PER_RUN) {
                let noted = match offer(&row.json, channel, &mut given_up).await {
                    Ok(()) => {
                        drained.taken += 1;
                        self.taken(&row.alert, &name).await
                    }
                    Err(error) => {
                        let failure = Failure { channel: name.clone(), error };
                        drained.refused.push(Refused { alert: row.alert.clone(), failure });
                        self.put_off(row, &name, now).await
                    }
                };
                drained.store_error = drained.store_error.or(noted.err());
            }
        }
        drained.critical = self.critical().await?;
        Ok(drained)
    }

    /// Alerts that were given up, so that the report can say so; call [`Outbox::forget`] when it has.
    ///
    /// Before, it sees to the alerts of channels that are not configured any more: they wait for those that are instead,
    /// unless one of them has it already; where there is no channel at all, they are given up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn lapsed(&self, channels: &[Channel]) -> Result<Vec<Lapsed>, Error> {
        let failed = |source| self.store.error("reading what was given up", source);
        let names: Vec<String> = channels.iter().map(Channel::name).collect();
        let known: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT channel FROM waiting WHERE next_us IS NOT NULL ORDER BY channel")
                .fetch_all(self.store.pool())
                .await
                .map_err(failed)?;
        for gone in known.iter().filter(|channel| !names.contains(channel)) {
            self.hand_over(gone, &names).await?;
        }
        let rows: Vec<(String, String, String, bool)> = sqlx::query_as(
            "SELECT alert, channel, json ->> 'subject', reached FROM waiting WHERE next_us IS NULL ORDER BY rowid",
        )
        .fetch_all(self.store.pool())
        .await
        .map_err(failed)?;
        let lapsed = |(alert, channel, subject, reached)| Lapsed { alert, channel, subject, reached };
        Ok(rows.into_iter().map(lapsed).collect())
    }

    /// Forgets alerts that were given up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn forget(&self, lapsed: &[Lapsed]) -> Result<(), Error> {
        for Lapsed { alert, channel, .. } in lapsed {
            sqlx::query("DELETE FROM waiting WHERE alert = ? AND channel = ?")
                .bind(alert)
                .bind(channel)
                .execute(self.store.pool())
                .await
                .map_err(|source| self.store.error("forgetting what was given up", source))?;
        }
        Ok(())
    }

    async fn due(&self, channel: &str, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(DUE_SQL)
            .bind(channel)
            .bind(now.timestamp_micros())
            .bind((now + LONGEST_PAUSE).timestamp_micros())
            .fetch_all(self.store.pool())
            .await
            .map_err(|source| self.store.error("reading the alerts that wait", source))?;
        let due = |(alert, json, tries, first)| Due { alert, json, tries, first: instant(first) };
        Ok(rows.into_iter().map(due).collect())
    }

    async fn taken(&self, alert: &str, channel: &str) -> Result<(), Error> {
        let failed = |source| self.store.error("noting down that an alert was taken", source);
        let mut write = self.store.begin().await?;
        let delete = sqlx::query("DELETE FROM waiting WHERE alert = ? AND channel = ?").bind(alert).bind(channel);
        delete.execute(&mut *write).await.map_err(failed)?;
        let others = sqlx::query("UPDATE waiting SET reached = 1 WHERE alert = ?").bind(alert);
        others.execute(&mut *write).await.map_err(failed)?;
        write.commit().await.map_err(failed)?;
        Ok(())
    }

    async fn put_off(&self, row: &Due, channel: &str, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query("UPDATE waiting SET tries = tries + 1, next_us = ? WHERE alert = ? AND channel = ?")
            .bind(next_try(row.tries, row.first, now).map(|next| next.timestamp_micros()))
            .bind(&row.alert)
            .bind(channel)
            .execute(self.store.pool())
            .await
            .map_err(|source| self.store.error("putting an alert off", source))?;
        Ok(())
    }

    async fn critical(&self) -> Result<u64, Error> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(DISTINCT alert) FROM waiting WHERE severity = ? AND reached = 0")
                .bind(rank(Severity::Critical))
                .fetch_one(self.store.pool())
                .await
                .map_err(|source| self.store.error("counting the critical alerts", source))?;
        Ok(count.unsigned_abs())
    }

    /// Lets what waits for a channel that is gone wait for those that are there.
    async fn hand_over(&self, gone: &str, names: &[String]) -> Result<(), Error> {
        let failed = |source| self.store.error("handing alerts over to another channel", source);
        let mut write = self.store.begin().await?;
        let dropped = sqlx::query("DELETE FROM waiting WHERE channel = ? AND reached = 1 AND next_us IS NOT NULL")
            .bind(gone)
            .execute(&mut *write)
            .await
            .map_err(failed)?
            .rows_affected();
        if names.is_empty() {
            let given_up = sqlx::query("UPDATE waiting SET next_us = NULL WHERE channel = ?").bind(gone);
            given_up.execute(&mut *write).await.map_err(failed)?;
        }
        for name in names {
            sqlx::query(
                "INSERT INTO waiting (alert, channel, json, severity, tries, first_us, next_us, reached)
                 SELECT alert, ?, json, severity, 0, first_us, first_us, 0 FROM waiting
                 WHERE channel = ? AND next_us IS NOT NULL ON CONFLICT DO NOTHING",
            )
            .bind(name)
            .bind(gone)
            .execute(&mut *write)
            .await
            .map_err(failed)?;
        }
        let moved = sqlx::query("DELETE FROM waiting WHERE channel = ? AND next_us IS NOT NULL").bind(gone);
        moved.execute(&mut *write).await.map_err(failed)?;
        write.commit().await.map_err(failed)?;
        if dropped > 0 {
            warn!(
                channel = gone,
                "alerts dropped that waited for a channel that is not configured any more, and that another took: {dropped}"
            );
        }
        Ok(())
    }
}

/// When an alert that has just failed once more is offered again; `None` when it has waited for too long.
fn next_try(failures_before: i64, first: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let failures_before = usize::try_from(failures_before).unwrap_or_default();
    let pause = PAUSES.get(failures_before).copied().unwrap_or(LONGEST_PAUSE);
    (now - first < GIVE_UP_AFTER).then_some(now + pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_end_after_a_week() {
        let first: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let minutes: Vec<i64> =
            (0..6).map(|tries| (next_try(tries, first, first).unwrap() - first).num_minutes()).collect();
        assert_eq!(minutes, [1, 5, 15, 60, 60, 60]);
        let week = first + TimeDelta::days(7);
        let last = week - TimeDelta::seconds(1);
        assert_eq!(next_try(200, first, last), Some(last + TimeDelta::hours(1)));
        assert_eq!(next_try(200, first, week), None);
    }
}
