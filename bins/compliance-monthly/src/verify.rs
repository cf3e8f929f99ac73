//! `verify DIR`: whether the files of a report are still the ones that were written. Needs neither the portal nor the store.

use std::path::{Path, PathBuf};

use ::report::words::plural;
use audit_model::PortalText;
use job_runner::Setup;
use job_runner::exit::Exit;
use serde_json::Value;

use crate::bundle::manifest::{FILE_NAME, FileEntry, Manifest, Unread, hash_of, read_manifest};
use crate::config::Config;
use crate::period::Period;

/// A report whose files were compared with its manifest.
#[derive(Debug)]
pub(crate) struct Verified {
    manifest: Manifest,
    /// What is wrong, a line each; empty when nothing is.
    problems: Vec<String>,
}

/// Compares every file of the manifest with what it was, and its digest with the one that was kept elsewhere.
fn verify(folder: &Path, digest: Option<&str>) -> Result<Verified, Unread> {
    let manifest = read_manifest(folder)?;
    let other = digest.filter(|digest| !digest.trim().eq_ignore_ascii_case(&manifest.digest));
    let mut problems: Vec<String> = other
        .map(|_| {
            format!(
                "{FILE_NAME}: not the one that was written then: its digest is {}, not the one given",
                manifest.digest
            )
        })
        .into_iter()
        .collect();
    problems.extend(manifest.files.iter().filter_map(|file| problem(folder, file)));
    problems.extend(strangers(folder, &manifest));
    Ok(Verified { manifest, problems })
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

/// `verify DIR…`: says of each report whether its files are what was written.
pub(crate) fn run(folders: &[PathBuf], digest: Option<&str>, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    if digest.is_some() && folders.len() > 1 {
        let why = "belongs to one report; give one folder with it".to_owned();
        return Err(job_runner::Error::setting("--digest", why).into());
    }
    let mut exit = Exit::Concluded;
    for folder in folders {
        let shown = folder.display();
        match verify(folder, digest) {
            Ok(Verified { manifest, problems }) if problems.is_empty() => {
                setup.print(&format!("{shown}: {}\n", unchanged(&manifest)))?;
            }
            Ok(Verified { problems, .. }) => {
                let lines: String = problems.iter().map(|problem| format!("  - {problem}\n")).collect();
                setup.print(&format!("{shown}: NOT what was written\n{lines}"))?;
                exit = Exit::Nothing;
            }
            // the only one is told as every failure is
            Err(error) if folders.len() == 1 => return Err(error.into()),
            Err(error) => {
                setup.print(&format!("{shown}: {:#}\n", anyhow::Error::new(error)))?;
                exit = Exit::Nothing;
            }
        }
    }
    Ok(exit)
}

/// `June 2026, https://docs.example.com: complete, 21 events, 12 logins; 7 files, none changed; digest …; unsigned`
fn unchanged(manifest: &Manifest) -> String {
    let url = manifest.portal.get("url").and_then(Value::as_str).unwrap_or_default();
    let url = PortalText::new(url).for_terminal();
    let label = || PortalText::new(manifest.period.label.as_str()).for_terminal();
    let period = Period::of(&manifest.period).map_or_else(label, |period| period.words());
    let seen = if manifest.is_complete() { "complete" } else { "INCOMPLETE" };
    let (events, logins) = (manifest.counts.events, manifest.counts.logins);
    format!(
        "{period}, {url}: {seen}, {}, {}; {}, none changed; digest {}; unsigned",
        plural(events, "event"),
        plural(logins, "login"),
        plural(manifest.files.len() as u64, "file"),
        manifest.digest,
    )
}
