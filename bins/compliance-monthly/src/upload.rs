//! The upload of a report: which files go, in which order, and what became of each.

pub(crate) mod sending;
pub(crate) mod target;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use ::report::words;
use anyhow::Context;
use audit_model::{Coverage, Gap, GapReason, Verdict};
use docspace_client::{Client, EntryId, Error};
use flate2::Compression;
use flate2::write::GzEncoder;
use job_runner::Job;
use job_store::files::{self, NamedTempFile};
use job_store::{Journal, JournalEntry, JournalState, Store};
use safe_actions::{ActionState, Actions, Intent};
use serde::Serialize;
use tracing::warn;

use crate::bundle::manifest::{FILE_NAME, FileEntry, MOST_BYTES, Manifest, hash_of};
use crate::config::Collision;
use crate::upload::sending::{Payload, Sending, could_be};
use crate::upload::target::Target;

const KIND: &str = "upload";

/// What became of one file, as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Action {
    pub(crate) kind: &'static str,
    pub(crate) file: String,
    /// As it stands in the portal.
    pub(crate) title: String,
    pub(crate) state: ActionState,
    pub(crate) reason: String,
    /// Id of the file in the portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<EntryId>,
}

/// A file that is to be uploaded.
pub(crate) struct Upload<'a> {
    pub(crate) entry: &'a FileEntry,
    pub(crate) title: String,
    /// Whether it goes compressed, because the portal does not take it otherwise.
    is_packed: bool,
}

/// The files of a report in the order in which they are uploaded: the manifest last. The page is left out, because the portal would
/// convert it. What is larger than the portal takes goes compressed.
pub(crate) fn uploads<'a>(
    files: &'a [FileEntry],
    manifest: &'a FileEntry,
    label: &str,
    most_bytes: u64,
) -> Vec<Upload<'a>> {
    let upload = |entry: &'a FileEntry, title: String| {
        let is_packed = entry.bytes > most_bytes;
        Upload { entry, title: if is_packed { format!("{title}.gz") } else { title }, is_packed }
    };
    let data = files.iter().filter(|file| !file.name.ends_with(".html"));
    let manifest = upload(manifest, manifest_title(label));
    data.map(|entry| upload(entry, entry.name.clone())).chain([manifest]).collect()
}

/// The manifests of this time that are in the folder, as far as they can be read.
///
/// # Errors
/// Of the portal.
pub(crate) async fn manifests_there(client: &Client, target: &Target, label: &str) -> Result<Vec<Manifest>, Error> {
    let title = manifest_title(label);
    let mut found = Vec::new();
    for file in client.folder_contents(&target.folder).await?.files {
        if could_be(&file.title, &title) && file.size_bytes <= MOST_BYTES {
            let mut bytes = Vec::new();
            client.read_file(&file.id, file.version, |part| bytes.extend_from_slice(part)).await?;
            found.extend(Manifest::parse(&bytes).ok());
        }
    }
    Ok(found)
}

fn manifest_title(label: &str) -> String {
    format!("compliance-report-{label}-{FILE_NAME}")
}

/// Whether a file is where it should be.
pub(crate) fn is_there(action: &Action) -> bool {
    matches!(action.state, ActionState::Done | ActionState::Already)
}

/// Why a report is not for others yet: a later run may see more. `may_be_incomplete` lets one go of which something could not be read,
/// but none of a time that is not over or has not settled.
pub(crate) fn why_held(coverage: &Coverage, may_be_incomplete: bool) -> Option<String> {
    if coverage.verdict() == Verdict::Nothing {
        return Some("nothing can be concluded".to_owned());
    }
    let holds = |gap: &&Gap| match gap.why {
        GapReason::NotSettled | GapReason::ClockSkew => true,
        // no run will ever see it, or none as long as the server is as it is
        GapReason::BeyondRetention
        | GapReason::UnreadableRow
        | GapReason::UnknownForm
        | GapReason::ThirdPartyStorage => false,
        _ => !may_be_incomplete,
    };
    let gap = coverage.gaps.iter().find(holds)?;
    Some(format!("a later run may see more ({}: {})", words::source(&gap.what), gap.explanation()))
}

impl Upload<'_> {
    pub(crate) fn action(&self, state: ActionState, reason: impl Into<String>) -> Action {
        Action {
            kind: KIND,
            file: self.entry.name.clone(),
            title: self.title.clone(),
            state,
            reason: reason.into(),
            id: None,
        }
    }

    /// The same bytes under the same title in the same folder are one upload, however often it is asked for.
    fn key(&self, target: &Target) -> String {
        format!("{KIND} {} {} {}", target.folder, self.title, self.entry.sha256)
    }

    /// `sent` is what goes to the portal.
    fn intent(&self, target: &Target, sent: &FileEntry) -> Result<Intent, serde_json::Error> {
        let payload = serde_json::to_value(Payload::new(&target.folder, &self.title, sent))?;
        Ok(Intent { key: self.key(target), kind: KIND.to_owned(), subject: self.title.clone(), payload })
    }
}

/// Uploads the files of a report into one folder, each once.
pub(crate) struct Uploader<'a> {
    actions: Actions,
    sending: Sending<'a>,
    target: &'a Target,
    local: &'a Path,
    /// The largest file that the portal takes.
    most_bytes: u64,
    /// What earlier runs have uploaded, by key.
    done: BTreeMap<String, JournalEntry>,
}

impl<'a> Uploader<'a> {
    /// Settles what earlier runs left open. `local` is the folder of the report.
    ///
    /// # Errors
    /// Of the store, and of the portal when it does not say how much it takes at once.
    pub(crate) async fn new(
        job: &'a Job,
        store: &Store,
        target: &'a Target,
        local: &'a Path,
        policy: Collision,
    ) -> anyhow::Result<Self> {
        let journal = Journal::open(store.clone()).await?;
        let actions = Actions::open(store.clone(), job.now).await?;
        let sending =
            Sending::new(&job.client, job.portal.me.person.id, local, policy, &journal.of_kind(KIND).await?).await?;
        actions.settle(KIND, &sending).await?;
        let all = journal.of_kind(KIND).await?.into_iter();
        let done = all.filter(|entry| entry.state == JournalState::Done).map(|entry| (entry.key.clone(), entry));
        let most_bytes = job.client.upload_file_bytes().await?;
        Ok(Uploader { actions, sending, target, local, most_bytes, done: done.collect() })
    }

    /// Uploads the files of a report, the manifest last, and only when all others are there.
    pub(crate) async fn apply_all(&self, files: &[FileEntry], manifest: &FileEntry, label: &str) -> Vec<Action> {
        let uploads = uploads(files, manifest, label, self.most_bytes);
        let mut actions: Vec<Action> = Vec::new();
        for upload in &uploads {
            let is_last = actions.len() + 1 == uploads.len();
            if is_last && !actions.iter().all(is_there) {
                let why = "it goes last, when all other files are there";
                actions.push(upload.action(ActionState::Held, why));
                continue;
            }
            let action = self.apply(upload).await;
            actions.push(action.unwrap_or_else(|error| upload.action(ActionState::Failed, format!("{error:#}"))));
        }
        actions
    }

    /// Uploads a file unless that was done before. What the portal refuses is told in the action.
    ///
    /// # Errors
    /// Of the store and the disk.
    async fn apply(&self, upload: &Upload<'_>) -> anyhow::Result<Action> {
        if let Some(entry) = self.done.get(&upload.key(self.target)) {
            match self.sending.is_still_there(entry).await {
                Ok(Some(id)) => {
                    let reason = "uploaded by an earlier run";
                    return Ok(Action { id: Some(id), ..upload.action(ActionState::Already, reason) });
                }
                Ok(None) => {
                    warn!(file = upload.entry.name, "it was uploaded by an earlier run and deleted there since")
                }
                Err(why) => return Ok(upload.action(ActionState::Unknown, why)),
            }
        }
        let packed = if upload.is_packed { Some(pack(self.local, upload.entry)?) } else { None };
        let sent = packed.as_ref().map_or(upload.entry, |(sent, _)| sent);
        if sent.bytes > self.most_bytes {
            let why = format!(
                "the portal takes files of at most {} bytes, and this one has {} even when compressed; have the portal's owner raise that \
                 limit, or hand on {} by another way: it is whole in {}",
                words::number(self.most_bytes),
                words::number(sent.bytes),
                upload.entry.name,
                self.local.display(),
            );
            return Ok(upload.action(ActionState::Failed, why));
        }
        let outcome = self.actions.apply(upload.intent(self.target, sent)?, &self.sending).await?;
        let found = self.sending.found(&outcome.intent);
        let id = found.as_ref().map(|file| file.id.clone());
        Ok(match outcome.state {
            ActionState::Done => {
                let numbered = found.as_ref().filter(|file| file.title.raw() != upload.title).map(|file| {
                    let title = file.title.for_terminal();
                    format!(", as \"{title}\" because the title was taken; this one counts")
                });
                let version = found.as_ref().filter(|file| file.version > 1);
                let version = version.map(|file| format!(", as version {}", file.version));
                let outdated = self.outdated(upload, id.as_ref());
                let reason = ["read back and compared".to_owned()].into_iter().chain(numbered).chain(version);
                let reason = reason.chain([outdated]);
                Action { id, ..upload.action(ActionState::Done, reason.collect::<String>()) }
            }
            ActionState::Already => Action { id, ..upload.action(ActionState::Already, "the same file is there") },
            state => upload.action(state, outcome.reason.unwrap_or_default()),
        })
    }

    /// Says which files of ours bear the title with what the report said before.
    fn outdated(&self, upload: &Upload<'_>, now: Option<&EntryId>) -> String {
        let key = upload.key(self.target);
        let place = format!("{KIND} {} {} ", self.target.folder, upload.title);
        let others = self.done.values().filter(|entry| entry.key != key && entry.key.starts_with(&place));
        let ids = others.filter_map(Payload::file_of).filter(|id| Some(id) != now);
        ids.map(|old| format!("; file {old} is outdated")).collect()
    }
}

/// The file compressed, beside it, until it is dropped; the same bytes give the same bytes.
fn pack(folder: &Path, entry: &FileEntry) -> anyhow::Result<(FileEntry, NamedTempFile)> {
    let failed = || format!("cannot compress {} in {}", entry.name, folder.display());
    let mut file = files::begin(folder, &format!("{}.gz", entry.name)).with_context(failed)?;
    let mut plain = File::open(folder.join(&entry.name)).with_context(failed)?;
    let mut encoder = GzEncoder::new(&mut file, Compression::fast());
    io::copy(&mut plain, &mut encoder).and_then(|_| encoder.finish().map(|_| ())).with_context(failed)?;
    let (bytes, sha256) = hash_of(file.path()).with_context(failed)?;
    let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((FileEntry { name, sha256, bytes, rows: None }, file))
}

#[cfg(test)]
mod tests {
    use audit_model::{SourceCoverage, Window};
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn the_page_stays_here_and_the_manifest_goes_last() {
        let entry = |name: &str| FileEntry { name: name.to_owned(), sha256: String::new(), bytes: 1, rows: None };
        let files = [
            FileEntry { bytes: 101, ..entry("compliance-report-2026-06-events.csv") },
            entry("compliance-report-2026-06.html"),
            entry("compliance-report-2026-06.txt"),
        ];
        let manifest = entry(FILE_NAME);
        let titles = |most_bytes| -> Vec<String> {
            uploads(&files, &manifest, "2026-06", most_bytes).into_iter().map(|upload| upload.title).collect()
        };
        let expected = [
            "compliance-report-2026-06-events.csv",
            "compliance-report-2026-06.txt",
            "compliance-report-2026-06-manifest.json",
        ];
        assert_eq!(titles(101), expected);
        assert_eq!(titles(100)[0], "compliance-report-2026-06-events.csv.gz");
        assert_eq!(titles(100)[1..], expected[1..]);
    }

    #[test]
    fn what_a_later_run_may_see_holds_a_report_back() {
        let span = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::hours(1));
        let with = |why| Coverage { audit: Some(SourceCoverage::default()), ..Coverage::unseen("audit", span, why) };
        for (why, by_default, when_allowed) in [
            (GapReason::PortalError, true, false),
            (GapReason::BudgetExhausted, true, false),
            (GapReason::Interrupted, true, false),
            (GapReason::KeyRefused, true, false),
            (GapReason::StoreError, true, false),
            (GapReason::UnstablePaging, true, false),
            (GapReason::NotSettled, true, true),
            (GapReason::ClockSkew, true, true),
            (GapReason::UnreadableRow, false, false),
            (GapReason::BeyondRetention, false, false),
        ] {
            let held = [false, true].map(|may_be_incomplete| why_held(&with(why), may_be_incomplete).is_some());
            assert_eq!(held, [by_default, when_allowed], "{why:?}");
        }
        let complete = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
        assert_eq!(why_held(&complete, false), None);
        assert!(why_held(&Coverage::unseen("audit", span, GapReason::UnreadableRow), true).is_some());
    }
}
