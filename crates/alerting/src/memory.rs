//! The rows of what people were told.

use std::collections::BTreeSet;
use std::fmt::Display;

use audit_model::{Counts, Course, Finding, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Statement, Table, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::matter::{Matter, Moment};

/// What is remembered of a matter after its end, and after the last run that found it: no ordinary window reaches that far.
const MEMORY: TimeDelta = TimeDelta::days(90);

/// Between the parts of a row: no setting can hold it.
const SEPARATOR: char = '\u{1e}';

/// The tables, for whoever looks after the store. A matter that no run has found since a moment does not go on.
pub const OUTBOX_TABLES: &[&Table] = &[
    &Table {
        name: "matter",
        holds: "what people were told: each finding as it was last found, with who it is about",
        key: "id",
        shown_as: "matter",
        columns: &["id", "since_us", "until_us", "told_us", "seen_us", "part", "finding"],
        texts: &["part", "finding"],
        old: Some("seen_us < ?"),
        open: Some("over_us IS NULL AND missing_us IS NULL"),
    },
    &Table {
        name: "waiting",
        holds: "alerts that no channel has taken yet",
        key: "alert, channel",
        shown_as: "waiting",
        columns: &["alert", "channel", "first_us", "json"],
        texts: &["json"],
        // are given up after seven days, and gone as soon as a report has said so
        old: None,
        open: Some("1 = 1"),
    },
];

/// Forgets what people were told of findings about somebody.
pub fn forgetting_matters(id: impl Display) -> Vec<Statement> {
    let about = format!("%\"person\":{{\"id\":\"{id}\"%");
    vec![("DELETE FROM matter WHERE finding LIKE ?".to_owned(), vec![Value::Text(about.into())])]
}

/// A matter, and the parts that have found it: what a look at one room has told is no news that a look at all of them has told.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) matter: Matter,
    parts: BTreeSet<String>,
}

impl Kept {
    fn and(self, other: Kept) -> Kept {
        Kept { matter: self.matter.and(other.matter), parts: self.parts.into_iter().chain(other.parts).collect() }
    }

    /// Whether whoever reads of this part was told: by a run of it, or by one that looks at everything.
    pub(crate) fn is_known_to(&self, part: &str) -> bool {
        self.parts.contains(part) || self.parts.contains("")
    }
}

/// What is known of the finding's matter; several that belong together by now as one.
pub(crate) async fn matter_of(
    connection: &mut SqliteConnection,
    finding: &Finding,
    now: DateTime<Utc>,
) -> Result<Option<Kept>, sqlx::Error> {
    Ok(matters_of(connection, finding, now).await?.into_iter().reduce(Kept::and))
}

/// Remembers that a finding was found, and whether people hear of it.
pub(crate) async fn remember(
    write: &mut SqliteConnection,
    finding: &Finding,
    moment: &Moment<'_>,
) -> Result<(), sqlx::Error> {
    let now = moment.now;
    let is_told = finding.state.is_told();
    let known = matters_of(write, finding, now).await?;
    for kept in &known {
        sqlx::query("DELETE FROM matter WHERE id = ?").bind(&kept.matter.id).execute(&mut *write).await?;
    }
    let new = || Kept { matter: Matter::new(finding, now), parts: BTreeSet::new() };
    let Some(Kept { matter, mut parts }) = known.into_iter().reduce(Kept::and).or_else(|| is_told.then(new)) else {
        return Ok(());
    };
    parts.insert(moment.part.to_owned());
    let parts: Vec<String> = parts.into_iter().collect();
    let matter = matter.found(finding, is_told, moment);
    let json = serde_json::to_string(finding).map_err(|failure| sqlx::Error::Encode(failure.into()))?;
    sqlx::query(
        "INSERT OR REPLACE INTO matter
         (id, fingerprint, part, course, since_us, until_us, acts, documents, severity, told_us, told_until_us, suppressed, seen_us,
          missing_us, over_us, finding)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&matter.id)
    .bind(&finding.fingerprint)
    .bind(parts.join(&SEPARATOR.to_string()))
    .bind(matter.course.map(number))
    .bind(matter.window.since.timestamp_micros())
    .bind(matter.window.until.timestamp_micros())
    .bind(stored(matter.counts.acts))
    .bind(stored(matter.counts.documents))
    .bind(rank(matter.severity))
    .bind(matter.told_at.timestamp_micros())
    .bind(matter.told_until.timestamp_micros())
    .bind(stored(matter.suppressed))
    .bind(now.timestamp_micros())
    .bind(matter.missing_since.map(|since| since.timestamp_micros()))
    .bind(matter.over_since.map(|since| since.timestamp_micros()))
    .bind(json)
    .execute(write)
    .await?;
    Ok(())
}

/// The bursts of the run's part that have not ended, as they were last found.
pub(crate) async fn open_bursts(
    connection: &mut SqliteConnection,
    part: &str,
) -> Result<Vec<(String, Finding)>, sqlx::Error> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT id, part, finding FROM matter WHERE course = 0 AND over_us IS NULL AND finding IS NOT NULL
         ORDER BY severity DESC, since_us, id",
    )
    .fetch_all(connection)
    .await?;
    let of_part = rows.into_iter().filter(|(_, parts, _)| parts_of(parts).contains(part));
    // a row that a later version wrote otherwise is left to it
    Ok(of_part.filter_map(|(id, _, json)| Some((id, serde_json::from_str(&json).ok()?))).collect())
}

/// When the first burst of the part began that has not ended.
pub(crate) async fn open_since(
    connection: &mut SqliteConnection,
    part: &str,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT part, since_us FROM matter WHERE course = 0 AND over_us IS NULL")
            .fetch_all(connection)
            .await?;
    let of_part = rows.into_iter().filter(|(parts, _)| parts_of(parts).contains(part));
    Ok(of_part.map(|(_, since)| instant(since)).min())
}

/// People hear that a burst which is not found any more is over.
pub(crate) async fn end(write: &mut SqliteConnection, id: &str, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let end = sqlx::query("UPDATE matter SET over_us = ? WHERE id = ?").bind(now.timestamp_micros()).bind(id);
    end.execute(write).await?;
    Ok(())
}

/// Notes which conditions a run that has seen everything did not find, of those that runs of its part have found before; a run that looks
/// at everything misses those of every part. Those that it found were written at this moment.
pub(crate) async fn note_missing(write: &mut SqliteConnection, moment: &Moment<'_>) -> Result<(), sqlx::Error> {
    let now = moment.now.timestamp_micros();
    let select = "SELECT id, part FROM matter WHERE course = 1 AND missing_us IS NULL AND seen_us <> ?";
    let rows: Vec<(String, String)> = sqlx::query_as(select).bind(now).fetch_all(&mut *write).await?;
    for (id, parts) in rows {
        if moment.part.is_empty() || parts_of(&parts).contains(moment.part) {
            let missed = sqlx::query("UPDATE matter SET missing_us = ? WHERE id = ?").bind(now).bind(id);
            missed.execute(&mut *write).await?;
        }
    }
    Ok(())
}

pub(crate) async fn forget_old(write: &mut SqliteConnection, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let limit = (now - MEMORY).timestamp_micros();
    let old = sqlx::query("DELETE FROM matter WHERE until_us < ? AND seen_us < ?").bind(limit).bind(limit);
    old.execute(write).await?;
    Ok(())
}

/// The matters that a finding is about: more than one when it joins what were several up to now.
async fn matters_of(
    connection: &mut SqliteConnection,
    finding: &Finding,
    now: DateTime<Utc>,
) -> Result<Vec<Kept>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM matter WHERE fingerprint = ? ORDER BY since_us, id");
    let rows = select.bind(&finding.fingerprint).fetch_all(connection).await?;
    let kept = |row| Ok(Kept { matter: matter(row)?, parts: parts_of(&row.try_get::<String, _>("part")?) });
    let mut matters = rows.iter().map(kept).collect::<Result<Vec<Kept>, sqlx::Error>>()?;
    matters.retain(|kept| kept.matter.is_about(finding, now));
    Ok(matters)
}

fn parts_of(text: &str) -> BTreeSet<String> {
    text.split(SEPARATOR).map(str::to_owned).collect()
}

fn matter(row: &SqliteRow) -> Result<Matter, sqlx::Error> {
    let at = |column: &str| row.try_get::<i64, _>(column).map(instant);
    let maybe = |column: &str| row.try_get::<Option<i64>, _>(column).map(|micros| micros.map(instant));
    let count = |column: &str| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(Matter {
        id: row.try_get("id")?,
        course: row.try_get::<Option<i64>, _>("course")?.map(course),
        window: Window::new(at("since_us")?, at("until_us")?),
        counts: Counts { acts: count("acts")?, documents: count("documents")? },
        severity: severity_of(row.try_get("severity")?),
        told_at: at("told_us")?,
        told_until: at("told_until_us")?,
        suppressed: count("suppressed")?,
        missing_since: maybe("missing_us")?,
        over_since: maybe("over_us")?,
    })
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn number(course: Course) -> i64 {
    match course {
        Course::Burst => 0,
        Course::Condition => 1,
    }
}

fn course(number: i64) -> Course {
    if number == 1 { Course::Condition } else { Course::Burst }
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

/// Rows are only ever written from instants, so what does not fit is damage: it reads as long ago, and nothing is kept quiet.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
