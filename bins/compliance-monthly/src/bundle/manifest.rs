//! `manifest.json`: what belongs to a report, with the hash of each file, so that a changed byte is noticed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use audit_model::{Coverage, Verdict};
use chrono::NaiveDate;
use job_store::files::open_plain;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Its name in the folder of a report.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// Version of the form of the manifest; a change that breaks readers raises it.
pub(crate) const SCHEMA: &str = "compliance-manifest/1";

/// That the names in the files are pseudonyms.
pub(crate) const PSEUDONYM: &str = "pseudonym";

/// Far more than a manifest with a long list of important documents has.
pub(crate) const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    /// Hexadecimal, lower case.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// Events, logins, people or rooms in it, without headings; absent for the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: String,
    pub(crate) program: BTreeMap<String, String>,
    pub(crate) portal: Value,
    pub(crate) period: PeriodFacts,
    /// What was asked: the filters and the limits that shape the report.
    pub(crate) query: Value,
    /// `pseudonym` where people are not named in the files; absent where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<String>,
    pub(crate) coverage: Value,
    pub(crate) counts: Counts,
    /// Absent from reports of version 1.0.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reading: Option<Reading>,
    /// In the order in which they were written; not the manifest itself.
    pub(crate) files: Vec<FileEntry>,
    /// SHA-256 of this manifest as it is with nothing here.
    pub(crate) digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeriodFacts {
    pub(crate) label: String,
    pub(crate) first_day: NaiveDate,
    pub(crate) last_day: NaiveDate,
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) time_zone: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) logins: u64,
    pub(crate) left_out: u64,
    /// Ids of the first and the last event in order of time; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event: Option<i64>,
}

/// How often the period was read, and what came late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// All of it was read again, or for the first time, so long after its end as `recheck` says.
    pub(crate) is_rechecked: bool,
    /// Events and logins that the portal stored after it had been read completely for the first time.
    pub(crate) late_rows: u64,
}

impl Manifest {
    /// What the manifest says, in one number that changes with every byte of it.
    pub(crate) fn sealed(&self) -> Result<Manifest, serde_json::Error> {
        let open = Manifest { digest: String::new(), ..self.clone() };
        let digest = hex::encode(Sha256::digest(serde_json::to_vec(&open)?));
        Ok(Manifest { digest, ..open })
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Of the file itself, which it does not list.
    pub(crate) fn entry(&self) -> Result<FileEntry, serde_json::Error> {
        let bytes = self.bytes()?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Ok(FileEntry { name: FILE_NAME.to_owned(), sha256, bytes: bytes.len() as u64, rows: None })
    }

    /// Reads what [`bytes`](Self::bytes) wrote.
    ///
    /// # Errors
    /// Of the form; any other byte than was written.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let manifest: Manifest = serde_json::from_slice(bytes)?;
        // it has one form only, and its digest covers what it says: any other byte was not written by us
        if manifest.schema == SCHEMA && manifest.sealed()?.bytes()? != bytes {
            return Err(serde::de::Error::custom("it does not say what was written into it"));
        }
        Ok(manifest)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.coverage.get("complete") == Some(&Value::Bool(true))
    }

    /// Whether this report saw more than another one of the same time. What the portal has recorded does not get fewer: of two that call
    /// themselves complete the one with fewer rows is wrong, whoever is to blame.
    pub(crate) fn saw_more_than(&self, verdict: Verdict, counts: &Counts) -> bool {
        match verdict {
            // who belongs to what a report is restricted to can change
            Verdict::Complete => self.counts.seen() + self.counts.left_out > counts.seen() + counts.left_out,
            Verdict::Incomplete => self.is_complete() || self.counts.seen() > counts.seen(),
            Verdict::Nothing => self.is_complete() || self.counts.seen() > 0,
        }
    }
}

impl Counts {
    fn seen(&self) -> u64 {
        self.events + self.logins
    }
}

/// Coverage without what only this run can know: how many rows came late.
pub(crate) fn lasting(coverage: &Coverage) -> Value {
    let mut coverage = serde_json::to_value(coverage).unwrap_or_default();
    for source in ["audit", "logins"] {
        if let Some(source) = coverage.get_mut(source).and_then(Value::as_object_mut) {
            source.remove("late_rows");
        }
    }
    coverage
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error("cannot read {FILE_NAME} in {0}: a folder without it is no report, or one that was not finished")]
    NoManifest(String, #[source] io::Error),
    #[error("{FILE_NAME} in {0} is damaged")]
    Damaged(String, #[source] serde_json::Error),
    #[error("{FILE_NAME} in {0} has the form `{1}`, this version knows `{SCHEMA}`; use a newer version")]
    OtherForm(String, String),
}

pub(crate) fn read_manifest(folder: &Path) -> Result<Manifest, Unread> {
    let place = || folder.display().to_string();
    let damaged = |source| Unread::Damaged(place(), source);
    let mut bytes = Vec::new();
    open_plain(&folder.join(FILE_NAME))
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| Unread::NoManifest(place(), source))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(damaged(serde::de::Error::custom("it is far larger than a manifest can be")));
    }
    let manifest = Manifest::parse(&bytes).map_err(damaged)?;
    if manifest.schema != SCHEMA {
        return Err(Unread::OtherForm(place(), manifest.schema));
    }
    Ok(manifest)
}

/// Length and SHA-256 of a file. A link is not followed.
pub(crate) fn hash_of(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hasher, mut length) = (open_plain(path)?, Sha256::new(), 0);
    let mut part = vec![0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => return Ok((length, hex::encode(hasher.finalize()))),
            read => {
                hasher.update(&part[..read]);
                length += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(is_complete: bool, events: u64) -> Manifest {
        Manifest {
            schema: SCHEMA.to_owned(),
            program: BTreeMap::new(),
            portal: json!({}),
            period: PeriodFacts {
                label: "2026-06".to_owned(),
                first_day: NaiveDate::default(),
                last_day: NaiveDate::default(),
                since: String::new(),
                until: String::new(),
                time_zone: "UTC".to_owned(),
            },
            query: json!({}),
            names: None,
            coverage: json!({ "complete": is_complete }),
            counts: Counts { events, ..Counts::default() },
            reading: None,
            files: Vec::new(),
            digest: String::new(),
        }
    }

    #[test]
    fn a_report_that_saw_less_gives_way() {
        let of = |events| Counts { events, ..Counts::default() };
        for (there, verdict, events, saw_more) in [
            (manifest(true, 20), Verdict::Complete, 19, true),
            (manifest(true, 20), Verdict::Complete, 20, false),
            (manifest(false, 20), Verdict::Complete, 19, true),
            (manifest(false, 20), Verdict::Complete, 21, false),
            (manifest(true, 20), Verdict::Incomplete, 30, true),
            (manifest(false, 20), Verdict::Incomplete, 19, true),
            (manifest(false, 20), Verdict::Incomplete, 20, false),
            (manifest(false, 20), Verdict::Nothing, 0, true),
            (manifest(false, 0), Verdict::Nothing, 0, false),
        ] {
            assert_eq!(there.saw_more_than(verdict, &of(events)), saw_more, "{verdict:?} {events}");
        }
    }

    #[test]
    fn what_was_sealed_is_read_back_and_nothing_else() {
        let sealed = manifest(true, 3).sealed().unwrap();
        let bytes = sealed.bytes().unwrap();
        assert_eq!(Manifest::parse(&bytes).unwrap(), sealed);
        let forged = Manifest { counts: Counts { events: 2, ..Counts::default() }, ..sealed };
        assert!(Manifest::parse(&forged.bytes().unwrap()).is_err());
    }
}
