//! `verify DIR`: whether the files of a report are still the ones that were written. Needs neither the portal nor the store.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use job_runner::Setup;
use job_runner::exit::Exit;
use sha2::{Digest, Sha256};

use crate::bundle::is_file;
use crate::config::Config;
use crate::manifest::{FILE_NAME, FileEntry, Manifest, SCHEMA};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) files: usize,
    /// What is wrong, a line each; empty when nothing is.
    pub(crate) problems: Vec<String>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {FILE_NAME} in {0}: a folder without it is no report, or one that was not finished")]
    NoManifest(String, #[source] io::Error),
    #[error("{FILE_NAME} in {0} is damaged")]
    Damaged(String, #[source] serde_json::Error),
    #[error("{FILE_NAME} in {0} has the form `{1}`, this version knows `{SCHEMA}`; use a newer version")]
    OtherForm(String, String),
}

pub(crate) fn read_manifest(folder: &Path) -> Result<Manifest, Error> {
    let place = || folder.display().to_string();
    let path = folder.join(FILE_NAME);
    if !is_file(&path) && std::fs::symlink_metadata(&path).is_ok() {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "it is a link, and a link can point to another file");
        return Err(Error::NoManifest(place(), why));
    }
    let bytes = std::fs::read(path).map_err(|source| Error::NoManifest(place(), source))?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| Error::Damaged(place(), source))?;
    if manifest.schema != SCHEMA {
        return Err(Error::OtherForm(place(), manifest.schema));
    }
    // it has one form only, and its digest covers what it says: any other byte was not written by us
    if manifest.sealed().map_err(|source| Error::Damaged(place(), source))? != bytes {
        let why = serde::de::Error::custom("it does not say what was written into it");
        return Err(Error::Damaged(place(), why));
    }
    Ok(manifest)
}

/// Compares every file of the manifest with what it was.
pub(crate) fn verify(folder: &Path) -> Result<Verified, Error> {
    let manifest = read_manifest(folder)?;
    let mut problems: Vec<String> = manifest.files.iter().filter_map(|file| problem(folder, file)).collect();
    problems.extend(strangers(folder, &manifest));
    Ok(Verified { files: manifest.files.len(), problems })
}

/// Files whose names say that they belong to the report, and that the manifest does not know. Anything else may lie there too.
fn strangers(folder: &Path, manifest: &Manifest) -> Vec<String> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return vec![format!("what else lies there cannot be seen: {error}")],
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with("compliance-report-") && !manifest.files.iter().any(|file| file.name == *name))
        .collect();
    names.sort();
    names.iter().map(|name| format!("{}: is no part of it", name.escape_debug())).collect()
}

fn problem(folder: &Path, file: &FileEntry) -> Option<String> {
    // a manifest could name a file elsewhere, and reading that would say something about it
    if file.name.contains(['/', '\\']) || file.name.starts_with('.') {
        return Some(format!("{:?}: not a name of a file of a report", file.name));
    }
    let (name, path) = (file.name.escape_debug(), folder.join(&file.name));
    // what a link leads to can be exchanged without a trace here, and a pipe never ends
    if !is_file(&path) && std::fs::symlink_metadata(&path).is_ok() {
        return Some(format!("{name}: is not a file"));
    }
    match hash_of(&path) {
        Err(error) => Some(format!("{name}: cannot be read: {error}")),
        Ok((bytes, _)) if bytes != file.bytes => {
            Some(format!("{name}: changed: it has {bytes} bytes, and had {}", file.bytes))
        }
        Ok((_, sha256)) if sha256 != file.sha256 => {
            Some(format!("{name}: changed: its SHA-256 is {sha256}, and was {}", file.sha256))
        }
        Ok(_) => None,
    }
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

/// `verify DIR`: says whether the files are what was written.
pub(crate) fn run(folder: &Path, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let verified = verify(folder)?;
    let shown = folder.display();
    if verified.problems.is_empty() {
        setup.print(&format!("{shown}: {} files, none changed\n", verified.files))?;
        return Ok(Exit::Concluded);
    }
    let lines: String = verified.problems.iter().map(|problem| format!("  - {problem}\n")).collect();
    setup.print(&format!("{shown}: NOT what was written\n{lines}"))?;
    Ok(Exit::Nothing)
}
