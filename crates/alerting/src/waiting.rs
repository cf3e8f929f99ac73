//! Alerts that wait for a channel: offering them, trying again later, and giving up aloud.

use std::collections::HashSet;
use std::time::Instant;

use audit_model::Severity;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use job_store::{Row, Value, Write};

use crate::channel::{Channel, Sent};
use crate::deliver::{Failure, offer};
use crate::error::{Error, in_full};
use crate::history::{self, Outcome};
use crate::memory::rank;
use crate::outbox::Outbox;
use crate::turn::Due;

/// How long an alert waits after its first, second, third, … failure; after each further one as long as after the last. A
/// receiver that restarts is back after minutes; one that is down for longer is not helped by more than a try an hour.
const PAUSES: [TimeDelta; 4] = [TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::minutes(15), LONGEST_PAUSE];

pub(crate) const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How long an alert is offered to a channel that does not take it. Over a week somebody has looked at the log.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(7);

const LAPSED_SQL: &str = "SELECT alert, channel, json, reached FROM waiting WHERE next_us IS NULL ORDER BY rowid";

const FORGET_SQL: &str = "DELETE FROM waiting WHERE alert = ? AND channel = ?";

/// What became of the alerts that were due.
#[derive(Debug, Default)]
pub struct Drained {
    /// How many were taken; one that two channels took counts twice.
    pub taken: usize,
    /// What was not taken, in the order of the tries; it waits on.
    pub refused: Vec<Refused>,
    /// How many alerts were not offered because the run had offered its channel enough.
    pub left: usize,
    /// How many wait for something else than a try: the end of quiet hours, or, if they say that a matter is over, its beginning.
    pub held: usize,
    /// How many critical alerts wait that no channel has taken up to now, in this run or an earlier one.
    pub critical: u64,
    /// Why the store could not note down what became of an alert. It may then arrive a second time, with the same id.
    pub store_error: Option<Error>,
    /// Another run has taken over meanwhile: it offers what waits, and `critical` was not counted.
    pub is_taken_over: bool,
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

impl Outbox {
    /// Offers to each channel what waits for it and is due: the most severe first, then the oldest, at most 50 each. In the quiet hours of
    /// a channel, by the zone of `now`, only what is critical; above its limits, one alert that counts the rest.
    ///
    /// No alert overtakes an earlier one about the same matter: an end is not offered before the receiver has taken what has begun.
    ///
    /// What is taken waits no more. What is not is put off, at first for a minute, at last for an hour each time, and given up
    /// after seven days: then [`Outbox::lapsed`] tells it. A channel that could not be reached is not tried again by the same
    /// call, and everything that waits for it is put off. It ends when another run has taken over
    /// ([`Drained::is_taken_over`]).
    ///
    /// # Errors
    /// When what waits cannot be read. A store that fails later does not stop the delivery.
    pub async fn drain<Z: TimeZone>(&self, channels: &[Channel], now: DateTime<Z>) -> Result<Drained, Error> {
        let mut drained = Drained::default();
        let (time, now, started) = (now.naive_local().time(), now.to_utc(), Instant::now());
        for channel in channels {
            let mut turn = self.turn(channel, time, now).await?;
            drained.left += turn.left;
            drained.held += turn.held;
            let (mut given_up, mut not_begun) = (false, HashSet::new());
            while let Some(row) = turn.due.pop_front() {
                if row.is_end() && row.matter().is_some_and(|matter| not_begun.contains(matter)) {
                    drained.held += 1;
                    continue;
                }
                if self.is_taken_over().await {
                    return Ok(Drained { is_taken_over: true, ..drained });
                }
                let name = channel.name();
                let thread = self.reference(row.matter(), name).await?;
                let leaves_at = now + TimeDelta::from_std(started.elapsed()).unwrap_or_default();
                let sent = offer(&row.json, channel, thread.as_deref(), leaves_at, &mut given_up).await;
                let noted = match sent {
                    Ok(sent) => {
                        drained.taken += 1;
                        self.taken(&row, name, sent, now).await
                    }
                    Err(error) => {
                        let answer = in_full(&error);
                        let failure = Failure { channel: name.to_owned(), error };
                        drained.refused.push(Refused { alert: row.alert.clone(), failure });
                        not_begun.extend(row.matter().map(str::to_owned));
                        self.put_off(&row, name, answer, now).await
                    }
                };
                // nobody has noted this one, so the other run offers it again
                drained.is_taken_over |= noted.as_ref().is_err_and(Error::is_taken_over);
                drained.store_error = drained.store_error.or(noted.err());
                if drained.is_taken_over {
                    return Ok(drained);
                }
            }
        }
        drained.critical = self.critical().await?;
        Ok(drained)
    }

    /// Whether another run holds the lease of the store by now, and so tells and sends everything.
    pub async fn is_taken_over(&self) -> bool {
        matches!(self.store.may_act().await, Err(job_store::Error::LeaseLost { .. }))
    }

    /// Alerts that were given up, so that the report can say so; call [`Outbox::forget`] when it has.
    ///
    /// Before, it sees to the alerts of channels that are not configured any more: they wait for those that are instead,
    /// as the settings of these say, unless one of them has it already; what none of them takes is given up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn lapsed(&self, channels: &[Channel]) -> Result<Vec<Lapsed>, Error> {
        let doing = "reading what was given up";
        let names: Vec<String> = channels.iter().map(|channel| channel.name().to_owned()).collect();
        let known = "SELECT DISTINCT channel FROM waiting WHERE next_us IS NOT NULL ORDER BY channel";
        let known = self.store.all(doing, known, [], |row| Ok(row.text(0)?.to_owned())).await?;
        for gone in known.iter().filter(|channel| !names.contains(channel)) {
            self.hand_over(gone, channels).await?;
        }
        let lapsed = |row: &Row<'_>| {
            let (alert, channel) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            let json: serde_json::Value = serde_json::from_str(row.text(2)?).unwrap_or_default();
            let subject = json["subject"].as_str().unwrap_or_default().to_owned();
            Ok(Lapsed { alert, channel, subject, reached: row.flag(3)? })
        };
        Ok(self.store.all(doing, LAPSED_SQL, [], lapsed).await?)
    }

    /// Forgets alerts that were given up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn forget(&self, lapsed: &[Lapsed]) -> Result<(), Error> {
        let rows: Vec<[Value; 2]> =
            lapsed.iter().map(|lapsed| [&lapsed.alert, &lapsed.channel].map(Value::from)).collect();
        let forget =
            move |write: &Write<'_>| rows.iter().try_for_each(|row| write.execute(FORGET_SQL, row).map(|_| ()));
        Ok(self.store.write("forgetting what was given up", forget).await?)
    }

    async fn taken(&self, row: &Due, channel: &str, sent: Sent, now: DateTime<Utc>) -> Result<(), Error> {
        let (row, channel) = (row.clone(), channel.to_owned());
        let taken = move |write: &Write<'_>| {
            for (done, outcome) in
                [(&row, Outcome::Taken)].into_iter().chain(row.stands_for.iter().map(|one| (one, Outcome::Summed)))
            {
                let key = [Value::from(&done.alert), Value::from(&channel)];
                write.execute(FORGET_SQL, &key)?;
                write.execute("UPDATE waiting SET reached = 1 WHERE alert = ?", &key[..1])?;
                let Some(alert) = &done.value else { continue };
                history::note(write, alert, &channel, (outcome, ""), now)?;
            }
            if let (Some(matter), Some(reference)) = (row.matter(), &sent.reference) {
                history::note_reference(write, (matter, &channel, reference), now)?;
            }
            Ok(())
        };
        Ok(self.store.write("noting down that an alert was taken", taken).await?)
    }

    async fn put_off(&self, row: &Due, channel: &str, answer: String, now: DateTime<Utc>) -> Result<(), Error> {
        let (row, channel) = (row.clone(), channel.to_owned());
        let put_off = move |write: &Write<'_>| {
            let rows = if row.stands_for.is_empty() { std::slice::from_ref(&row) } else { &row.stands_for };
            for row in rows {
                let next = next_try(row.tries, row.first, now).map(|next| next.timestamp_micros());
                let sql = "UPDATE waiting SET tries = tries + 1, next_us = ? WHERE alert = ? AND channel = ?";
                write.execute(sql, &[next.into(), (&row.alert).into(), (&channel).into()])?;
                let outcome = if next.is_some() { Outcome::Waits } else { Outcome::GivenUp };
                let Some(alert) = &row.value else { continue };
                history::note(write, alert, &channel, (outcome, &answer), now)?;
            }
            Ok(())
        };
        Ok(self.store.write("putting an alert off", put_off).await?)
    }

    /// How many alerts wait, those included that were given up and stand in no report yet; one for two channels counts twice.
    ///
    /// # Errors
    /// Of the store.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM waiting";
        let count = self.store.row("counting the alerts that wait", sql, [], |row| row.int(0)).await?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    async fn critical(&self) -> Result<u64, Error> {
        let sql = "SELECT count(DISTINCT alert) FROM waiting WHERE severity = ? AND reached = 0";
        let values = [rank(Severity::Critical).into()];
        let count = self.store.row("counting the critical alerts", sql, values, |row| row.int(0)).await?;
        Ok(count.unwrap_or_default().unsigned_abs())
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
