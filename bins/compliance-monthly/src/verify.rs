//! `verify DIR`: whether the files of a report are still the ones that were written. Needs neither the portal nor the store.

use std::path::Path;

use job_runner::Setup;
use job_runner::exit::Exit;

use crate::config::Config;
use crate::manifest::{FileEntry, Manifest, Unread, hash_of, is_file, read_manifest};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) files: usize,
    /// What is wrong, a line each; empty when nothing is.
    pub(crate) problems: Vec<String>,
}

/// Compares every file of the manifest with what it was.
pub(crate) fn verify(folder: &Path) -> Result<Verified, Unread> {
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
