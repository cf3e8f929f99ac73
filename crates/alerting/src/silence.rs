//! Silences: what is not told for a time, why, and who said so. They end by themselves.

use std::collections::BTreeMap;

use audit_model::{Finding, Sentence, sayable};
use chrono::{DateTime, Utc};
use job_store::{Failure, Read, Row, Value, Write};
use report::words::instant as shown;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::memory::instant;
use crate::outbox::Outbox;

/// What a silence can be about.
pub const SILENCE_KEYS: [&str; 6] = ["rule", "person", "room", "severity", "matter", "fingerprint"];

const SILENCES_SQL: &str =
    "SELECT id, criteria, since_us, until_us, reason, author FROM silence WHERE until_us > ? ORDER BY until_us, id";

/// What is not told for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// What people call it, for instance `k3f9-q2mw`.
    pub id: String,
    /// What has to match, by the names of [`SILENCE_KEYS`]; never empty.
    pub criteria: BTreeMap<String, String>,
    pub since: DateTime<Utc>,
    /// Exclusive.
    pub until: DateTime<Utc>,
    pub reason: String,
    pub author: String,
}

impl Silence {
    /// A silence from this moment on.
    pub fn new(
        criteria: BTreeMap<String, String>,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        reason: &str,
        author: &str,
    ) -> Self {
        let told_apart = format!("{criteria:?} {} {} {author}", since.timestamp_micros(), until.timestamp_micros());
        let id = sayable(&Sha256::digest(told_apart));
        Silence { id, criteria, since, until, reason: reason.to_owned(), author: author.to_owned() }
    }

    /// Whether it is about the finding: every criterion matches.
    fn is_about(&self, finding: &Finding) -> bool {
        let room = finding.room.as_ref();
        self.criteria.iter().all(|(key, value)| match key.as_str() {
            "rule" => finding.rule == *value,
            "person" => finding.person.is_meant_by(value),
            "room" => room.is_some_and(|room| {
                room.title.raw() == value || room.id.iter().chain(&room.candidates).any(|id| id.to_string() == *value)
            }),
            "severity" => finding.severity.name() == value,
            "matter" => finding.matter.as_ref() == Some(value),
            "fingerprint" => finding.fingerprint == *value,
            // one that a later version wrote silences nothing
            _ => false,
        })
    }

    /// For people: why a finding is not told.
    fn sentence(&self) -> Sentence {
        let Silence { id, until, reason, author, .. } = self;
        Sentence::new(
            format!("silenced until {} by {author} ({id}): {reason}", shown(*until)),
            format!("stummgeschaltet bis {} von {author} ({id}): {reason}", until.format("%d.%m.%Y %H:%M:%S UTC")),
        )
    }
}

/// The sentence of the first silence that is about the finding; `None` where there is none.
pub(crate) fn silencing(silences: &[Silence], finding: &Finding) -> Option<Sentence> {
    silences.iter().find(|silence| silence.is_about(finding)).map(Silence::sentence)
}

pub(crate) fn silences(read: &Read<'_>, now: DateTime<Utc>) -> Result<Vec<Silence>, Failure> {
    read.all(SILENCES_SQL, &[now.timestamp_micros().into()], silence)
}

impl Outbox {
    /// The silences that have not ended, the next to end first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn silences(&self, now: DateTime<Utc>) -> Result<Vec<Silence>, Error> {
        let values = [now.timestamp_micros().into()];
        Ok(self.store.all("reading the silences", SILENCES_SQL, values, silence).await?)
    }

    /// Adds one; the same again changes nothing.
    ///
    /// # Errors
    /// Of the store.
    pub async fn silence(&self, silence: &Silence) -> Result<(), Error> {
        let silence = silence.clone();
        let add = move |write: &Write<'_>| {
            let criteria = serde_json::to_string(&silence.criteria).map_err(Failure::other)?;
            let sql = "INSERT INTO silence (id, criteria, since_us, until_us, reason, author) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO NOTHING";
            let values: [Value; 6] = [
                (&silence.id).into(),
                criteria.into(),
                silence.since.timestamp_micros().into(),
                silence.until.timestamp_micros().into(),
                (&silence.reason).into(),
                (&silence.author).into(),
            ];
            write.execute(sql, &values).map(|_| ())
        };
        Ok(self.store.write("adding a silence", add).await?)
    }

    /// Ends one now; `false` when none of this id goes on.
    ///
    /// # Errors
    /// Of the store.
    pub async fn end_silence(&self, id: &str, now: DateTime<Utc>) -> Result<bool, Error> {
        let (id, now) = (id.to_owned(), Value::from(now.timestamp_micros()));
        let end = move |write: &Write<'_>| {
            let sql = "UPDATE silence SET until_us = ? WHERE id = ? AND until_us > ?";
            Ok(write.execute(sql, &[now.clone(), (&id).into(), now])? > 0)
        };
        Ok(self.store.write("ending a silence", end).await?)
    }
}

fn silence(row: &Row<'_>) -> Result<Silence, Failure> {
    Ok(Silence {
        id: row.text(0)?.to_owned(),
        criteria: serde_json::from_str(row.text(1)?).map_err(Failure::other)?,
        since: instant(row.int(2)?),
        until: instant(row.int(3)?),
        reason: row.text(4)?.to_owned(),
        author: row.text(5)?.to_owned(),
    })
}
