//! The upload of a report: each file once, found again after a crash, and read back before it counts as done.
//!
//! Every step is written into the journal before the portal is asked for it. What a broken call has done is found by looking: the
//! file is ours when it was not there before, we made it, and its bytes are the ones that we sent.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use audit_model::PortalText;
use chrono::{DateTime, Utc};
use docspace_client::{Client, EntryId, Error, ErrorKind, File, OnTwin, UploadSession};
use job_store::{Journal, JournalState, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use uuid::Uuid;

use crate::config::Collision;
use crate::manifest::{FILE_NAME, FileEntry};
use crate::target::Target;

const KIND: &str = "upload";

/// What became of one file, as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Action {
    pub(crate) kind: &'static str,
    pub(crate) file: String,
    /// As it stands in the portal.
    pub(crate) title: String,
    pub(crate) state: State,
    pub(crate) reason: String,
    /// Id of the file in the portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<EntryId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Held,
    Done,
    Failed,
    Already,
}

/// What the journal keeps of an upload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Intent {
    folder: String,
    title: String,
    sha256: String,
    bytes: u64,
    /// Ids and versions of the files that could be taken for ours and were there before.
    before: BTreeMap<String, i64>,
    session: Option<String>,
    /// The file that it became.
    id: Option<EntryId>,
    reason: Option<String>,
}

/// A file that is to be uploaded.
pub(crate) struct Upload<'a> {
    pub(crate) entry: &'a FileEntry,
    pub(crate) title: String,
}

/// The files of a report in the order in which they are uploaded: the manifest last. The page is left out, because the portal would
/// convert it.
pub(crate) fn uploads<'a>(files: &'a [FileEntry], manifest: &'a FileEntry, label: &str) -> Vec<Upload<'a>> {
    let data = files.iter().filter(|file| !file.name.ends_with(".html"));
    let mut all: Vec<Upload<'a>> = data.map(|entry| Upload { entry, title: entry.name.clone() }).collect();
    all.push(Upload { entry: manifest, title: format!("compliance-report-{label}-{FILE_NAME}") });
    all
}

impl Upload<'_> {
    pub(crate) fn action(&self, state: State, reason: impl Into<String>) -> Action {
        Action {
            kind: KIND,
            file: self.entry.name.clone(),
            title: self.title.clone(),
            state,
            reason: reason.into(),
            id: None,
        }
    }
}

/// Carries out uploads into one folder.
pub(crate) struct Uploader<'a> {
    client: &'a Client,
    store: &'a Store,
    journal: Journal,
    target: &'a Target,
    /// Whom the files belong to that we make.
    me: Uuid,
    policy: Collision,
    chunk_bytes: u64,
    now: DateTime<Utc>,
}

/// How one try ended.
enum Ended {
    Done(File),
    /// Surely not there.
    Failed(String),
    /// Perhaps there.
    Unknown(String),
}

impl<'a> Uploader<'a> {
    pub(crate) async fn new(
        (client, store): (&'a Client, &'a Store),
        target: &'a Target,
        me: Uuid,
        policy: Collision,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let journal = Journal::open(store.clone()).await?;
        let chunk_bytes = client.upload_chunk_bytes().await?;
        Ok(Uploader { client, store, journal, target, me, policy, chunk_bytes, now })
    }

    /// Uploads a file unless that was done before. What the portal refuses is told in the action.
    ///
    /// # Errors
    /// Of the store and of the local file.
    pub(crate) async fn apply(&self, upload: &Upload<'_>, folder: &Path) -> anyhow::Result<Action> {
        let FileEntry { name, sha256, bytes, .. } = upload.entry;
        let key = format!("{KIND} {} {} {sha256}", self.target.folder, upload.title);
        let fresh = Intent {
            folder: self.target.folder.to_string(),
            title: upload.title.clone(),
            sha256: sha256.clone(),
            bytes: *bytes,
            ..Intent::default()
        };
        let mut write = self.store.begin().await?;
        let subject = (key.as_str(), KIND, upload.title.as_str());
        let known = self.journal.plan(&mut write, subject, &serde_json::to_value(&fresh)?, self.now).await?;
        write.commit().await.context("cannot write the journal")?;
        let mut intent: Intent = serde_json::from_value(known.payload).unwrap_or(fresh);
        match known.state {
            JournalState::Done => match self.is_still_there(&intent).await {
                Ok(true) => {
                    let id = intent.id.clone();
                    let reason = "uploaded by an earlier run".to_owned();
                    return Ok(Action { id, ..upload.action(State::Already, reason) });
                }
                Ok(false) => warn!(file = name, "it was uploaded by an earlier run and deleted there since"),
                Err(error) => return Ok(upload.action(State::Failed, unsure(&error))),
            },
            JournalState::Started | JournalState::Unknown => {
                info!(file = name, "looking for what an earlier run may have uploaded");
                match self.find(&intent).await {
                    Ok(Some(file)) => {
                        self.note(&key, JournalState::Done, &mut intent, Some(&file), None).await?;
                        let reason = "uploaded by an earlier run, which could not see that it was".to_owned();
                        return Ok(Action { id: Some(file.id), ..upload.action(State::Already, reason) });
                    }
                    Ok(None) => self.forget(&intent).await,
                    Err(error) => return Ok(upload.action(State::Failed, unsure(&error))),
                }
            }
            JournalState::Planned | JournalState::Failed => {}
        }
        let ended = self.try_once(&key, &mut intent, upload, &folder.join(name)).await?;
        let (state, file, reason) = match &ended {
            Ended::Done(file) => (JournalState::Done, Some(file), None),
            Ended::Failed(reason) => (JournalState::Failed, None, Some(reason)),
            Ended::Unknown(reason) => (JournalState::Unknown, None, Some(reason)),
        };
        self.note(&key, state, &mut intent, file, reason.cloned()).await?;
        Ok(match ended {
            Ended::Done(file) => {
                let numbered = if file.title.raw() == upload.title {
                    String::new()
                } else {
                    format!(", as \"{}\" because the title was taken", file.title.for_terminal())
                };
                let version = if file.version > 1 { format!(", as version {}", file.version) } else { String::new() };
                let reason = format!("read back and compared{numbered}{version}");
                Action { id: Some(file.id), ..upload.action(State::Done, reason) }
            }
            Ended::Failed(reason) | Ended::Unknown(reason) => upload.action(State::Failed, reason),
        })
    }

    async fn try_once(
        &self,
        key: &str,
        intent: &mut Intent,
        upload: &Upload<'_>,
        path: &Path,
    ) -> anyhow::Result<Ended> {
        let there = match self.client.folder_contents(&self.target.folder).await {
            Ok(contents) => contents.files,
            Err(error) => return Ok(Ended::Failed(said(&error))),
        };
        if self.policy == Collision::Fail && there.iter().any(|file| is_same_title(&file.title, &upload.title)) {
            let reason = "a file of that title is there already, and `on_collision` is \"fail\"".to_owned();
            return Ok(Ended::Failed(reason));
        }
        let similar = there.iter().filter(|file| could_be(&file.title, &upload.title));
        intent.before = similar.map(|file| (file.id.to_string(), file.version)).collect();
        intent.session = None;
        self.note(key, JournalState::Started, intent, None, None).await?;
        let sent = match intent.bytes > self.chunk_bytes {
            true => self.send_in_chunks(key, intent, path).await?,
            false => {
                let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                self.client.upload(&self.target.folder, &intent.title, &content, self.on_twin()).await
            }
        };
        let file = match sent {
            Ok(file) => file,
            Err(error) if !error.may_have_acted() => return Ok(Ended::Failed(said(&error))),
            Err(error) => {
                warn!("{:#}", anyhow::Error::new(error));
                return Ok(match self.find(intent).await {
                    Ok(Some(file)) => Ended::Done(file),
                    Ok(None) => {
                        Ended::Unknown("it broke off, and is not there yet; the next run looks again".to_owned())
                    }
                    Err(error) => Ended::Unknown(unsure(&error)),
                });
            }
        };
        Ok(match self.hash_of(&file).await {
            Ok(hash) if hash == intent.sha256 => Ended::Done(file),
            Ok(_) => Ended::Failed(format!(
                "what the portal gives back of file {} are other bytes than were sent; look at it there",
                file.id
            )),
            Err(error) => Ended::Unknown(unsure(&error)),
        })
    }

    async fn send_in_chunks(&self, key: &str, intent: &mut Intent, path: &Path) -> anyhow::Result<Result<File, Error>> {
        let begun = self.client.begin_upload(&self.target.folder, &intent.title, intent.bytes, self.on_twin()).await;
        let session = match begun {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        intent.session = Some(session.id.clone());
        self.note(key, JournalState::Started, intent, None, None).await?;
        let failed = || format!("cannot read {}", path.display());
        let mut file = std::fs::File::open(path).with_context(failed)?;
        let mut number = 0;
        loop {
            let mut chunk = Vec::new();
            Read::by_ref(&mut file).take(self.chunk_bytes).read_to_end(&mut chunk).with_context(failed)?;
            if chunk.is_empty() {
                break;
            }
            number += 1;
            if let Err(error) = self.client.send_chunk(&session, number, &chunk).await {
                return Ok(Err(error));
            }
        }
        Ok(self.client.end_upload(&session).await)
    }

    /// Whether the file of a finished upload can still be seen, wherever it was moved to. What somebody else threw away lies in
    /// their trash, which is closed to us.
    async fn is_still_there(&self, intent: &Intent) -> Result<bool, Error> {
        let Some(id) = &intent.id else { return Ok(true) };
        match self.client.file(id).await {
            Ok(found) => Ok(found.is_some_and(|file| !file.in_trash)),
            Err(error) if error.kind == ErrorKind::MissingRight => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The file that an upload has become, if it has.
    async fn find(&self, intent: &Intent) -> Result<Option<File>, Error> {
        for file in self.client.folder_contents(&self.target.folder).await?.files {
            let is_new = intent.before.get(&file.id.to_string()).is_none_or(|version| file.version > *version);
            let is_mine = file.updated_by.or(file.author).is_none_or(|author| author == self.me);
            let fits = is_new && is_mine && file.size_bytes == intent.bytes && could_be(&file.title, &intent.title);
            if fits && self.hash_of(&file).await? == intent.sha256 {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    async fn hash_of(&self, file: &File) -> Result<String, Error> {
        let mut hasher = Sha256::new();
        self.client.read_file(&file.id, file.version, |part| hasher.update(part)).await?;
        Ok(hex::encode(hasher.finalize()))
    }

    /// Chunks that nobody will make a file of.
    async fn forget(&self, intent: &Intent) {
        let Some(id) = &intent.session else { return };
        let session = UploadSession { folder: self.target.folder.clone(), id: id.clone() };
        if let Err(error) = self.client.forget_upload(&session).await {
            // the portal forgets it by itself after twelve hours
            warn!("{:#}", anyhow::Error::new(error));
        }
    }

    async fn note(
        &self,
        key: &str,
        state: JournalState,
        intent: &mut Intent,
        file: Option<&File>,
        reason: Option<String>,
    ) -> anyhow::Result<()> {
        intent.id = file.map(|file| file.id.clone());
        intent.reason = reason;
        let mut write = self.store.begin().await?;
        self.journal.advance(&mut write, key, state, &serde_json::to_value(&intent)?, self.now).await?;
        write.commit().await.context("cannot write the journal")
    }

    fn on_twin(&self) -> OnTwin {
        match self.policy {
            Collision::KeepBoth | Collision::Fail => OnTwin::KeepBoth,
            Collision::NewVersion => OnTwin::NewVersion,
        }
    }
}

/// What the portal said, in one line.
pub(crate) fn said(error: &Error) -> String {
    error.to_string()
}

fn unsure(error: &Error) -> String {
    format!("whether it is there could not be seen, the next run looks again: {error}")
}

/// Some portals compare titles without regard to case.
fn is_same_title(there: &PortalText, title: &str) -> bool {
    there.raw().to_lowercase() == title.to_lowercase()
}

/// Whether the portal may have given this title to an upload of that one: the same, or with a number.
fn could_be(there: &PortalText, title: &str) -> bool {
    let (stem, end) = title.rsplit_once('.').unwrap_or((title, ""));
    let there = there.raw();
    if there.eq_ignore_ascii_case(title) {
        return true;
    }
    let middle =
        there.strip_prefix(stem).and_then(|rest| rest.strip_suffix(end)).and_then(|rest| rest.strip_suffix('.'));
    let number = middle.and_then(|middle| middle.strip_prefix(" (")).and_then(|middle| middle.strip_suffix(')'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_may_have_got_a_number() {
        for (there, fits) in [
            ("report-2026-06.txt", true),
            ("report-2026-06 (1).txt", true),
            ("report-2026-06 (12).txt", true),
            ("Report-2026-06.txt", true),
            ("report-2026-06 ().txt", false),
            ("report-2026-06 (x).txt", false),
            ("report-2026-06 (1).csv", false),
            ("report-2026-061.txt", false),
            ("report-2026-05.txt", false),
        ] {
            assert_eq!(could_be(&PortalText::new(there), "report-2026-06.txt"), fits, "{there}");
        }
    }

    #[test]
    fn the_page_stays_here_and_the_manifest_goes_last() {
        let entry = |name: &str| FileEntry { name: name.to_owned(), sha256: String::new(), bytes: 1, rows: None };
        let files = [
            entry("compliance-report-2026-06-events.csv"),
            entry("compliance-report-2026-06.html"),
            entry("compliance-report-2026-06.txt"),
        ];
        let manifest = entry(FILE_NAME);
        let titles: Vec<String> =
            uploads(&files, &manifest, "2026-06").into_iter().map(|upload| upload.title).collect();
        let expected = [
            "compliance-report-2026-06-events.csv",
            "compliance-report-2026-06.txt",
            "compliance-report-2026-06-manifest.json",
        ];
        assert_eq!(titles, expected);
    }
}
