//! `manifest.json`: what belongs to a report, with the hash of each file, so that a changed byte is noticed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use audit_model::Coverage;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Its name in the folder of a report.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// Version of the form of the manifest; a change that breaks readers raises it.
pub(crate) const SCHEMA: &str = "compliance-manifest/1";

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
    pub(crate) coverage: Value,
    pub(crate) counts: Counts,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Manifest {
    /// The bytes of the file, with the digest of what it says.
    pub(crate) fn sealed(&self) -> Result<Vec<u8>, serde_json::Error> {
        let open = Manifest { digest: String::new(), ..self.clone() };
        let digest = hex::encode(Sha256::digest(serde_json::to_vec(&open)?));
        let mut bytes = serde_json::to_vec_pretty(&Manifest { digest, ..open })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.coverage.get("complete") == Some(&Value::Bool(true))
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
    let path = folder.join(FILE_NAME);
    if !is_file(&path) && fs::symlink_metadata(&path).is_ok() {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "it is a link, and a link can point to another file");
        return Err(Unread::NoManifest(place(), why));
    }
    let bytes = fs::read(path).map_err(|source| Unread::NoManifest(place(), source))?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| Unread::Damaged(place(), source))?;
    if manifest.schema != SCHEMA {
        return Err(Unread::OtherForm(place(), manifest.schema));
    }
    // it has one form only, and its digest covers what it says: any other byte was not written by us
    if manifest.sealed().map_err(|source| Unread::Damaged(place(), source))? != bytes {
        let why = serde::de::Error::custom("it does not say what was written into it");
        return Err(Unread::Damaged(place(), why));
    }
    Ok(manifest)
}

/// Length and SHA-256 of a file.
pub(crate) fn hash_of(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hasher, mut length) = (File::open(path)?, Sha256::new(), 0);
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

/// Whether it is a file of its own: what a link leads to can be exchanged.
pub(crate) fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}
