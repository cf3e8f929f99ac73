//! The rows of what people were told.

use std::collections::BTreeSet;
use std::fmt::Display;

use audit_model::{Bilingual, Counts, Course, Finding, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Failure, Read, Row, Statement, Table, Value, Write};

use crate::matter::{CONDITION_LAPSES, Matter, Moment};

/// What is remembered of a matter after its end, and after the last run that found it: no ordinary window reaches that far.
const MEMORY: TimeDelta = TimeDelta::days(90);

/// Between the parts of a row: no setting can hold it.
const SEPARATOR: char = '\u{1e}';

const KEEP_SQL: &str = "INSERT INTO matter
     (id, fingerprint, part, course, since_us, until_us, acts, documents, severity, told_us, told_until_us, suppressed, seen_us,
      missing_us, over_us, finding)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The columns that [`matter`] reads, and the parts.
const MATTERS_SQL: &str =
    "SELECT id, course, since_us, until_us, acts, documents, severity, told_us, told_until_us, suppressed,
     missing_us, over_us, part FROM matter WHERE fingerprint = ? ORDER BY since_us, id";

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
        open: Some("over_us IS NULL AND (missing_us IS NULL OR course = 1)"),
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
    &Table {
        name: "delivery",
        holds: "what became of each alert in each channel",
        key: "alert, channel",
        shown_as: "delivery",
        columns: &["alert", "channel", "matter", "rule", "at_us", "subject", "answer"],
        texts: &["subject", "answer"],
        old: Some("at_us < ?"),
        // who was told that it began has to be told when it is over
        open: Some("matter IS NOT NULL AND matter IN (SELECT id FROM matter WHERE over_us IS NULL)"),
    },
    &Table {
        name: "thread",
        holds: "what receivers called the first alert about a matter",
        key: "matter, channel",
        shown_as: "thread",
        columns: &["matter", "channel", "reference", "at_us"],
        texts: &[],
        old: Some("at_us < ?"),
        open: Some("matter IN (SELECT id FROM matter)"),
    },
    &Table {
        name: "silence",
        holds: "what is not told for a time, why, and who said so",
        key: "id",
        shown_as: "silence",
        columns: &["id", "criteria", "since_us", "until_us", "reason", "author"],
        texts: &["criteria", "reason", "author"],
        old: Some("until_us < ?"),
        open: None,
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
pub(crate) fn matter_of(read: &Read<'_>, finding: &Finding, now: DateTime<Utc>) -> Result<Option<Kept>, Failure> {
    Ok(matters_of(read, finding, now)?.into_iter().reduce(Kept::and))
}

/// Remembers that a finding was found, and whether people hear of it; `is_held_back` when somebody has silenced it.
pub(crate) fn remember(
    write: &Write<'_>,
    finding: &Finding,
    is_held_back: bool,
    moment: &Moment<'_>,
) -> Result<(), Failure> {
    let now = moment.now;
    let is_told = finding.state.is_told();
    let known = matters_of(write, finding, now)?;
    for kept in &known {
        write.execute("DELETE FROM matter WHERE id = ?", &[(&kept.matter.id).into()])?;
    }
    let new = || Kept { matter: Matter::new(finding, now), parts: BTreeSet::new() };
    let Some(Kept { matter, mut parts }) = known.into_iter().reduce(Kept::and).or_else(|| is_told.then(new)) else {
        return Ok(());
    };
    parts.insert(moment.part.to_owned());
    let parts: Vec<String> = parts.into_iter().collect();
    let matter = matter.found(finding, is_told, is_held_back, moment);
    let json = serde_json::to_string(&Bilingual::new(finding.clone())).map_err(Failure::other)?;
    let micros = |at: DateTime<Utc>| at.timestamp_micros();
    let values: [Value; 16] = [
        (&matter.id).into(),
        (&finding.fingerprint).into(),
        parts.join(&SEPARATOR.to_string()).into(),
        matter.course.map(number).into(),
        micros(matter.window.since).into(),
        micros(matter.window.until).into(),
        stored(matter.counts.acts).into(),
        stored(matter.counts.documents).into(),
        rank(matter.severity).into(),
        micros(matter.told_at).into(),
        micros(matter.told_until).into(),
        stored(matter.suppressed).into(),
        micros(now).into(),
        matter.missing_since.map(micros).into(),
        matter.over_since.map(micros).into(),
        json.into(),
    ];
    // another finding may have had the same beginning
    write.execute("DELETE FROM matter WHERE id = ?", &values[..1])?;
    write.execute(KEEP_SQL, &values)?;
    Ok(())
}

/// What was found of the matter with this id, as it was last found, over the whole time that it was found in.
pub(crate) fn told_of(read: &Read<'_>, id: &str) -> Result<Option<Finding>, Failure> {
    let sql = "SELECT since_us, until_us, finding FROM matter WHERE id = ? AND finding IS NOT NULL";
    let told = |row: &Row<'_>| {
        let window = Window::new(instant(row.int(0)?), instant(row.int(1)?));
        // a row that a later version wrote otherwise is as good as none
        Ok(finding_in(row.text(2)?).map(|finding| Finding { window, ..finding }))
    };
    Ok(read.all(sql, &[id.into()], told)?.into_iter().flatten().next())
}

fn finding_in(json: &str) -> Option<Finding> {
    Bilingual::read(serde_json::from_str(json).ok()?).ok()
}

/// The bursts of the run's part that have not ended, as they were last found.
pub(crate) fn open_bursts(read: &Read<'_>, part: &str) -> Result<Vec<(String, Finding)>, Failure> {
    let sql = "SELECT id, part, finding FROM matter WHERE course = 0 AND over_us IS NULL AND finding IS NOT NULL
         ORDER BY severity DESC, since_us, id";
    let burst = |row: &Row<'_>| {
        let (id, is_of_part, json) = (row.text(0)?.to_owned(), parts_of(row.text(1)?).contains(part), row.text(2)?);
        // a row that a later version wrote otherwise is left to it
        Ok(is_of_part.then(|| finding_in(json)).flatten().map(|finding| (id, finding)))
    };
    Ok(read.all(sql, &[], burst)?.into_iter().flatten().collect())
}

/// The conditions that are over, and of which nobody was told that, as they were last found: runs that saw everything have not found them for
/// seven days, and so has this one, which looks at them. Nothing in a run that does not see everything.
pub(crate) fn lapsed_conditions(read: &Read<'_>, moment: &Moment<'_>) -> Result<Vec<(String, Finding)>, Failure> {
    if moment.seen_until.is_none() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id, part, finding FROM matter
         WHERE course = 1 AND over_us IS NULL AND missing_us <= ? AND finding IS NOT NULL ORDER BY severity DESC, since_us, id";
    let condition = |row: &Row<'_>| {
        let (id, parts, json) = (row.text(0)?.to_owned(), row.text(1)?, row.text(2)?);
        // as above
        let finding = looks_at(moment, parts).then(|| finding_in(json)).flatten();
        Ok(finding.map(|finding| (id, Finding { course: Course::Condition, ..finding })))
    };
    let limit = (moment.now - CONDITION_LAPSES).timestamp_micros();
    Ok(read.all(sql, &[limit.into()], condition)?.into_iter().flatten().collect())
}

/// Whether a run looks at what runs of these parts have found: one that looks at everything looks at every part.
fn looks_at(moment: &Moment<'_>, parts: &str) -> bool {
    moment.part.is_empty() || parts_of(parts).contains(moment.part)
}

/// When the first burst of the part began that has not ended.
pub(crate) fn open_since(read: &Read<'_>, part: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    let sql = "SELECT part, since_us FROM matter WHERE course = 0 AND over_us IS NULL";
    let since = |row: &Row<'_>| {
        let since = row.int(1)?;
        Ok(parts_of(row.text(0)?).contains(part).then(|| instant(since)))
    };
    Ok(read.all(sql, &[], since)?.into_iter().flatten().min())
}

/// People hear that a burst or a condition which is not found any more is over.
pub(crate) fn end(write: &Write<'_>, id: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    write.execute("UPDATE matter SET over_us = ? WHERE id = ?", &[now.timestamp_micros().into(), id.into()])?;
    Ok(())
}

/// Notes which conditions a run that has seen everything did not find, of those that runs of its part have found before; a run that looks
/// at everything misses those of every part. Those that it found were written at this moment.
pub(crate) fn note_missing(write: &Write<'_>, moment: &Moment<'_>) -> Result<(), Failure> {
    let now = moment.now.timestamp_micros();
    let select = "SELECT id, part FROM matter WHERE course = 1 AND missing_us IS NULL AND seen_us <> ?";
    let rows = write.all(select, &[now.into()], |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))?;
    for (id, parts) in rows {
        if looks_at(moment, &parts) {
            write.execute("UPDATE matter SET missing_us = ? WHERE id = ?", &[now.into(), id.into()])?;
        }
    }
    Ok(())
}

pub(crate) fn forget_old(write: &Write<'_>, now: DateTime<Utc>) -> Result<(), Failure> {
    let limit = (now - MEMORY).timestamp_micros();
    write.execute("DELETE FROM matter WHERE until_us < ? AND seen_us < ?", &[limit.into(), limit.into()])?;
    Ok(())
}

/// The matters that a finding is about: more than one when it joins what were several up to now.
fn matters_of(read: &Read<'_>, finding: &Finding, now: DateTime<Utc>) -> Result<Vec<Kept>, Failure> {
    let kept = |row: &Row<'_>| Ok(Kept { matter: matter(row)?, parts: parts_of(row.text(12)?) });
    let mut matters = read.all(MATTERS_SQL, &[(&finding.fingerprint).into()], kept)?;
    matters.retain(|kept| kept.matter.is_about(finding, now));
    Ok(matters)
}

fn parts_of(text: &str) -> BTreeSet<String> {
    text.split(SEPARATOR).map(str::to_owned).collect()
}

/// A row of [`MATTERS_SQL`].
fn matter(row: &Row<'_>) -> Result<Matter, Failure> {
    let at = |column| row.int(column).map(instant);
    let maybe = |column| row.optional_int(column).map(|micros| micros.map(instant));
    let count = |column| row.int(column).map(i64::unsigned_abs);
    Ok(Matter {
        id: row.text(0)?.to_owned(),
        course: row.optional_int(1)?.map(course),
        window: Window::new(at(2)?, at(3)?),
        counts: Counts { acts: count(4)?, documents: count(5)? },
        severity: severity_of(row.int(6)?),
        told_at: at(7)?,
        told_until: at(8)?,
        suppressed: count(9)?,
        missing_since: maybe(10)?,
        over_since: maybe(11)?,
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

pub(crate) fn severity_of(rank: i64) -> Severity {
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
