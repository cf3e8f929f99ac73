//! What became of every alert in every channel, and what receivers called the first about a matter.

use std::collections::HashSet;

use audit_model::Severity;
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Failure, Row, Value, Write};

use crate::alert::Alert;
use crate::error::Error;
use crate::memory::{instant, rank, severity_of};
use crate::outbox::Outbox;

/// What is noted is kept for so long, and of a matter that is not over for as long as that is remembered.
const MEMORY: TimeDelta = TimeDelta::days(90);

const NOTE_SQL: &str = "INSERT INTO delivery (alert, channel, matter, rule, severity, subject, at_us, outcome, answer)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (alert, channel) DO UPDATE SET at_us = excluded.at_us, outcome = excluded.outcome, answer = excluded.answer";

const FIRST_SQL: &str = "INSERT INTO thread (matter, channel, reference, at_us) VALUES (?, ?, ?, ?) ON CONFLICT (matter, channel) DO NOTHING";

const SINCE_SQL: &str = "SELECT alert, channel, matter, rule, severity, subject, at_us, outcome, answer FROM delivery
     WHERE at_us >= ? ORDER BY at_us DESC, alert, channel LIMIT ?";

const OF_SQL: &str = "SELECT alert, channel, matter, rule, severity, subject, at_us, outcome, answer FROM delivery
     WHERE matter = ? OR substr(alert, 1, ?) = ? ORDER BY at_us, alert, channel";

/// What became of an alert in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Waits,
    Taken,
    GivenUp,
    /// It was one of too many, and a summary that was taken counts it.
    Summed,
    /// The settings of the channel leave it out.
    LeftOut,
}

impl Outcome {
    const ALL: [Outcome; 5] = [Outcome::Waits, Outcome::Taken, Outcome::GivenUp, Outcome::Summed, Outcome::LeftOut];

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    fn of(number: i64) -> Outcome {
        usize::try_from(number).ok().and_then(|number| Outcome::ALL.get(number).copied()).unwrap_or(Outcome::Waits)
    }
}

/// One alert and one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The alert's id.
    pub alert: String,
    pub channel: String,
    pub matter: Option<String>,
    pub rule: String,
    pub severity: Severity,
    /// One line of plain text.
    pub subject: String,
    /// Of the last try; when it was kept, where nobody has tried.
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
    /// Why it was not taken; empty where it was, or where nobody has tried.
    pub answer: String,
}

impl Outbox {
    /// What became of the alerts since a moment, the newest first, at most so many.
    ///
    /// # Errors
    /// Of the store.
    pub async fn noted_since(&self, since: DateTime<Utc>, most: u32) -> Result<Vec<Noted>, Error> {
        let values = [since.timestamp_micros().into(), i64::from(most).into()];
        Ok(self.store.all("reading what became of alerts", SINCE_SQL, values, noted).await?)
    }

    /// What became of an alert, or of all alerts about a matter, in every channel, the oldest first. An id of an alert may be cut, but
    /// not to nothing, which means none.
    ///
    /// # Errors
    /// Of the store.
    pub async fn noted_of(&self, id: &str) -> Result<Vec<Noted>, Error> {
        if id.trim().is_empty() {
            return Ok(Vec::new());
        }
        let values = [id.into(), i64::try_from(id.chars().count()).unwrap_or(i64::MAX).into(), id.into()];
        Ok(self.store.all("reading what became of alerts", OF_SQL, values, noted).await?)
    }

    /// How many alerts the channel took one by one since a moment, and how many summaries.
    pub(crate) async fn taken_since(&self, channel: &str, since: DateTime<Utc>) -> Result<(u64, u64), Error> {
        let sql = "SELECT count(*), count(CASE WHEN rule = ? THEN 1 END) FROM delivery
             WHERE channel = ? AND outcome = ? AND at_us > ?";
        let values = [SUMMARY.into(), channel.into(), Outcome::Taken.number().into(), since.timestamp_micros().into()];
        let row = |row: &Row<'_>| Ok((row.int(0)?.unsigned_abs(), row.int(1)?.unsigned_abs()));
        let (all, summaries) = self.store.row("counting what was sent", sql, values, row).await?.unwrap_or_default();
        Ok((all.saturating_sub(summaries), summaries))
    }

    /// The matters of which the channel took an alert that was no summary.
    pub(crate) async fn matters_taken(&self, channel: &str) -> Result<HashSet<String>, Error> {
        let sql = "SELECT DISTINCT matter FROM delivery WHERE channel = ? AND outcome = ? AND matter IS NOT NULL";
        let values = [channel.into(), Outcome::Taken.number().into()];
        let matters = self.store.all("reading what was sent", sql, values, |row| Ok(row.text(0)?.to_owned())).await?;
        Ok(matters.into_iter().collect())
    }

    /// What the receiver called the first alert about the matter.
    pub(crate) async fn reference(&self, matter: Option<&str>, channel: &str) -> Result<Option<String>, Error> {
        let Some(matter) = matter else { return Ok(None) };
        let sql = "SELECT reference FROM thread WHERE matter = ? AND channel = ?";
        let values = [matter.into(), channel.into()];
        Ok(self.store.row("reading a thread", sql, values, |row| Ok(row.text(0)?.to_owned())).await?)
    }
}

/// The rule of alerts that count others.
pub(crate) const SUMMARY: &str = "summary";

/// Notes what became of an alert in a channel.
pub(crate) fn note(
    write: &Write<'_>,
    alert: &Alert,
    channel: &str,
    (outcome, answer): (Outcome, &str),
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let values: [Value; 9] = [
        (&alert.id).into(),
        channel.into(),
        alert.matter.as_deref().into(),
        (&alert.rule).into(),
        rank(alert.severity).into(),
        (&alert.subject).into(),
        now.timestamp_micros().into(),
        outcome.number().into(),
        answer.into(),
    ];
    write.execute(NOTE_SQL, &values)?;
    Ok(())
}

/// Remembers what the receiver called the first alert about a matter.
pub(crate) fn note_reference(
    write: &Write<'_>,
    (matter, channel, reference): (&str, &str, &str),
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    write.execute(FIRST_SQL, &[matter.into(), channel.into(), reference.into(), now.timestamp_micros().into()])?;
    Ok(())
}

/// Whether the channel has got an alert about the matter, or will.
pub(crate) fn has_begun(write: &Write<'_>, matter: Option<&str>, channel: &str) -> Result<bool, Failure> {
    let Some(matter) = matter else { return Ok(false) };
    let sql = "SELECT 1 FROM delivery WHERE matter = ? AND channel = ? AND outcome IN (0, 1, 3)";
    Ok(!write.all(sql, &[matter.into(), channel.into()], |_| Ok(()))?.is_empty())
}

pub(crate) fn forget_old(write: &Write<'_>, now: DateTime<Utc>) -> Result<(), Failure> {
    let limit = Value::from((now - MEMORY).timestamp_micros());
    // whoever was told that it began has to be told when it is over
    let is_over = "matter IS NULL OR matter NOT IN (SELECT id FROM matter WHERE over_us IS NULL)";
    write.execute(&format!("DELETE FROM delivery WHERE at_us < ? AND ({is_over})"), std::slice::from_ref(&limit))?;
    write.execute("DELETE FROM silence WHERE until_us < ?", std::slice::from_ref(&limit))?;
    write.execute("DELETE FROM thread WHERE at_us < ? AND matter NOT IN (SELECT id FROM matter)", &[limit])?;
    Ok(())
}

fn noted(row: &Row<'_>) -> Result<Noted, Failure> {
    Ok(Noted {
        alert: row.text(0)?.to_owned(),
        channel: row.text(1)?.to_owned(),
        matter: row.optional_text(2)?.map(str::to_owned),
        rule: row.text(3)?.to_owned(),
        severity: severity_of(row.int(4)?),
        subject: row.text(5)?.to_owned(),
        at: instant(row.int(6)?),
        outcome: Outcome::of(row.int(7)?),
        answer: row.text(8)?.to_owned(),
    })
}
