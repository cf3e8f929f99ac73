//! The memory of what people were told, and the step that writes it together with the alerts that wait.

use std::borrow::{Borrow, BorrowMut};

use audit_model::{Counts, Finding, FindingState, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Component, Migration, Store};
use sqlx::SqliteConnection;

use crate::alert::Alert;
use crate::channel::Channel;
use crate::error::Error;
use crate::told::{Told, has_more, state_of};

const COMPONENT: Component = Component {
    name: "outbox",
    steps: &[Migration { number: 1, name: "told and waiting", sql: include_str!("migrations/1_outbox.sql") }],
};

/// What is remembered of a matter after its end, and after the last run that found it: no ordinary window reaches that far.
const MEMORY: TimeDelta = TimeDelta::days(90);

const OVERLAPPING_SQL: &str = "SELECT since_us, until_us, acts, documents, severity, told_us, suppressed FROM told
     WHERE fingerprint = ? AND since_us < ? AND until_us > ?";

const REMEMBER_SQL: &str = "INSERT INTO told
     (fingerprint, since_us, until_us, acts, documents, severity, told_us, suppressed, seen_us)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

const WAIT_SQL: &str = "INSERT INTO waiting (alert, channel, json, severity, tries, first_us, next_us, reached)
     VALUES (?, ?, ?, ?, 0, ?, ?, 0) ON CONFLICT DO NOTHING";

/// What people were told of one portal, and the alerts that wait for their channels.
///
/// A run goes through it in this order, and can be killed between any two steps: what it found is then told by the next run,
/// or waits and is offered by it.
/// 1. [`judge`](Self::judge) says what is new, and [`lapsed`](Self::lapsed) what was given up.
/// 2. With channels, [`keep`](Self::keep) writes what is told now, and the alerts, at once.
/// 3. The report is printed. Without channels that was the delivery, and only now `keep` remembers it.
///    [`forget`](Self::forget) what was given up and now stands in the report.
/// 4. [`drain`](Self::drain) offers what waits.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) store: Store,
}

impl Outbox {
    /// Opens the outbox in a store, creating or updating its tables.
    ///
    /// # Errors
    /// [`Error::Outbox`], for instance that a newer program has written the tables.
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Outbox { store })
    }

    /// Sets the state of every finding, by what was told of its fingerprint in a time that overlaps its own. A finding that
    /// has grown gets a reason that says what was told before. Gives how many are held back although they have more acts
    /// than were told. What the rule has silenced stays so. Writes nothing.
    ///
    /// `quiet` is how long a growth to less than twice as many acts can wait.
    ///
    /// # Errors
    /// Of the store; the findings are then as they were.
    pub async fn judge<F: BorrowMut<Finding>>(
        &self,
        findings: &mut [F],
        quiet: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut findings: Vec<&mut Finding> = findings.iter_mut().map(BorrowMut::borrow_mut).collect();
        if findings.is_empty() {
            return Ok(0);
        }
        let failed = |source| self.store.error("reading what was told", source);
        let mut connection = self.store.pool().acquire().await.map_err(failed)?;
        let mut told = Vec::new();
        for finding in findings.iter() {
            told.push(overlapping(&mut connection, &finding.fingerprint, finding.window).await.map_err(failed)?);
        }
        let mut suppressed = 0;
        for (finding, told) in findings.iter_mut().zip(told).filter(|(f, _)| f.state != FindingState::Silenced) {
            finding.state = state_of(finding, told.as_ref(), quiet, now);
            match (finding.state, told) {
                (FindingState::Grown, Some(told)) => finding.reasons.push(told.compared_with(finding)),
                (FindingState::Known, Some(told)) if has_more(finding, &told) => suppressed += 1,
                _ => {}
            }
        }
        Ok(suppressed)
    }

    /// Remembers that the new and grown findings are told, and lets every alert wait for every channel: all of it or nothing.
    /// Known findings that have more to say are counted, and the next alert about them says how often that happened.
    ///
    /// Channels are told apart by their names. What ended 90 days ago, and was not found since, is forgotten.
    ///
    /// # Errors
    /// Of the store; nothing is remembered then, and the next run tells the findings again.
    pub async fn keep<F: Borrow<Finding>>(
        &self,
        findings: &[F],
        alerts: &mut [Alert],
        channels: &[Channel],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let findings: Vec<&Finding> = findings.iter().map(Borrow::borrow).collect();
        if findings.is_empty() && alerts.is_empty() {
            return Ok(());
        }
        let mut write = self.store.begin().await?;
        self.keep_in(&mut write, &findings, alerts, channels, now)
            .await
            .map_err(|source| self.store.error("storing what is told", source))?;
        write.commit().await.map_err(|source| self.store.error("storing what is told", source))?;
        Ok(())
    }

    async fn keep_in(
        &self,
        write: &mut SqliteConnection,
        findings: &[&Finding],
        alerts: &mut [Alert],
        channels: &[Channel],
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        for alert in alerts {
            let told = overlapping(write, &alert.fingerprint, alert.window).await?;
            alert.suppressed = told.map_or(0, |told| told.suppressed);
            let json = alert.to_json();
            for channel in channels {
                sqlx::query(WAIT_SQL)
                    .bind(&alert.id)
                    .bind(channel.name())
                    .bind(&json)
                    .bind(rank(alert.severity))
                    .bind(now.timestamp_micros())
                    .bind(now.timestamp_micros())
                    .execute(&mut *write)
                    .await?;
            }
        }
        for finding in findings {
            match finding.state {
                FindingState::New | FindingState::Grown => remember(write, finding, now).await?,
                FindingState::Known => count_seen(write, finding, now).await?,
                FindingState::Silenced => {}
            }
        }
        let limit = (now - MEMORY).timestamp_micros();
        sqlx::query("DELETE FROM told WHERE until_us < ? AND seen_us < ?")
            .bind(limit)
            .bind(limit)
            .execute(write)
            .await?;
        Ok(())
    }
}

/// Everything that was told with this fingerprint about times that overlap the window, as one.
async fn overlapping(
    connection: &mut SqliteConnection,
    fingerprint: &str,
    window: Window,
) -> Result<Option<Told>, sqlx::Error> {
    let rows: Vec<(i64, i64, i64, i64, i64, i64, i64)> = sqlx::query_as(OVERLAPPING_SQL)
        .bind(fingerprint)
        .bind(window.until.timestamp_micros())
        .bind(window.since.timestamp_micros())
        .fetch_all(connection)
        .await?;
    let told = rows.into_iter().map(|(since, until, acts, documents, severity, at, suppressed)| Told {
        window: Window::new(instant(since), instant(until)),
        counts: Counts { acts: acts.unsigned_abs(), documents: documents.unsigned_abs() },
        severity: severity_of(severity),
        at: instant(at),
        suppressed: suppressed.unsigned_abs(),
    });
    Ok(told.reduce(Told::and))
}

/// Replaces what was told of the finding's time by the union of it and the finding.
async fn remember(write: &mut SqliteConnection, finding: &Finding, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let before = overlapping(write, &finding.fingerprint, finding.window).await?;
    let Told { window, counts, severity, at, suppressed } = Told::now_with(finding, before, now);
    sqlx::query("DELETE FROM told WHERE fingerprint = ? AND since_us < ? AND until_us > ?")
        .bind(&finding.fingerprint)
        .bind(finding.window.until.timestamp_micros())
        .bind(finding.window.since.timestamp_micros())
        .execute(&mut *write)
        .await?;
    sqlx::query(REMEMBER_SQL)
        .bind(&finding.fingerprint)
        .bind(window.since.timestamp_micros())
        .bind(window.until.timestamp_micros())
        .bind(stored(counts.acts))
        .bind(stored(counts.documents))
        .bind(rank(severity))
        .bind(at.timestamp_micros())
        .bind(stored(suppressed))
        .bind(now.timestamp_micros())
        .execute(write)
        .await?;
    Ok(())
}

async fn count_seen(write: &mut SqliteConnection, finding: &Finding, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let told = overlapping(write, &finding.fingerprint, finding.window).await?;
    let held_back = told.is_some_and(|told| has_more(finding, &told));
    sqlx::query(
        "UPDATE told SET seen_us = ?, suppressed = suppressed + ?
         WHERE fingerprint = ? AND since_us < ? AND until_us > ?",
    )
    .bind(now.timestamp_micros())
    .bind(i64::from(held_back))
    .bind(&finding.fingerprint)
    .bind(finding.window.until.timestamp_micros())
    .bind(finding.window.since.timestamp_micros())
    .execute(write)
    .await?;
    Ok(())
}

/// Rows are only ever written from instants, so what does not fit is damage: it reads as long ago, and nothing is kept quiet.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

fn severity_of(rank: i64) -> Severity {
    match rank {
        ..=0 => Severity::Info,
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        4.. => Severity::Critical,
    }
}
