//! How one file is sent, and how it is found again: what has its title and its bytes is it, whoever made it. What has its title alone,
//! and came by our account after the call, may be it in bytes that something on the way has changed: nobody knows, so nothing is sent
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use audit_model::PortalText;
use docspace_client::{Client, EntryId, Error, ErrorKind, File, OnTwin, UploadSession};
use job_store::{JournalEntry, JournalState};
use safe_actions::{Begun, Called, Effect, Intent, Trace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use uuid::Uuid;

use crate::bundle::manifest::FileEntry;
use crate::config::Collision;

/// What the journal keeps of an upload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Payload {
    folder: String,
    title: String,
    /// Its name in the folder of the report.
    file: String,
    sha256: String,
    bytes: u64,
    /// Whether the call may have left.
    has_begun: bool,
    /// Ids and versions of the files that could be taken for ours and were there before.
    before: BTreeMap<String, i64>,
    session: Option<String>,
    /// The file that it became.
    id: Option<EntryId>,
    /// And which version of that.
    version: Option<i64>,
}

/// What of an upload can be seen.
enum Seen {
    /// The file with its bytes.
    Ours(File),
    /// A file that may be it, with other bytes.
    Altered(File),
    Nothing,
}

impl Payload {
    /// Of an upload that was not begun.
    pub(crate) fn new(folder: &EntryId, title: &str, entry: &FileEntry) -> Self {
        Payload {
            folder: folder.to_string(),
            title: title.to_owned(),
            file: entry.name.clone(),
            sha256: entry.sha256.clone(),
            bytes: entry.bytes,
            ..Payload::default()
        }
    }

    fn of(intent: &Intent) -> Result<Self, String> {
        serde_json::from_value(intent.payload.clone())
            .map_err(|error| format!("its entry in the journal is damaged: {error}"))
    }

    /// The file that a finished upload became.
    pub(crate) fn file_of(entry: &JournalEntry) -> Option<EntryId> {
        serde_json::from_value::<Payload>(entry.payload.clone()).ok()?.id
    }

    fn folder(&self) -> EntryId {
        EntryId::from(self.folder.as_str())
    }
}

/// Sends files from one folder here.
pub(crate) struct Sending<'a> {
    client: &'a Client,
    /// Whom the files belong to that we make.
    me: Uuid,
    local: &'a Path,
    policy: Collision,
    chunk_bytes: u64,
    /// Sessions that earlier runs began and did not see the end of, by the key of the upload.
    left: BTreeMap<String, UploadSession>,
    /// Files that other uploads of ours have become.
    known: BTreeSet<String>,
    /// What was found, by the key of the upload.
    found: Mutex<BTreeMap<String, File>>,
}

impl<'a> Sending<'a> {
    /// `uploads` are all that the journal has.
    ///
    /// # Errors
    /// The portal does not say how much it takes at once.
    pub(crate) async fn new(
        client: &'a Client,
        me: Uuid,
        local: &'a Path,
        policy: Collision,
        uploads: &[JournalEntry],
    ) -> Result<Self, Error> {
        let payload = |entry: &JournalEntry| serde_json::from_value::<Payload>(entry.payload.clone()).ok();
        let session = |entry: &JournalEntry| {
            let payload = payload(entry)?;
            Some((entry.key.clone(), UploadSession { folder: payload.folder(), id: payload.session? }))
        };
        let left = uploads.iter().filter(|entry| entry.state.is_open()).filter_map(session).collect();
        let done = uploads.iter().filter(|entry| entry.state == JournalState::Done);
        let known = done.filter_map(|entry| Some(Payload::file_of(entry)?.to_string())).collect();
        let chunk_bytes = client.upload_chunk_bytes().await?;
        Ok(Sending { client, me, local, policy, chunk_bytes, left, known, found: Mutex::default() })
    }

    /// The file of an upload, once it was found.
    pub(crate) fn found(&self, intent: &Intent) -> Option<File> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&intent.key).cloned()
    }

    /// Whether the file of a finished upload can still be seen, wherever it was moved to; its id. What somebody else threw away lies
    /// in their trash, which is closed to us.
    ///
    /// # Errors
    /// Why that could not be seen.
    pub(crate) async fn is_still_there(&self, entry: &JournalEntry) -> Result<Option<EntryId>, String> {
        let payload: Payload = serde_json::from_value(entry.payload.clone()).unwrap_or_default();
        if let Some(id) = &payload.id {
            return self.by_id(id).await.map(|file| file.map(|file| file.id)).map_err(|error| unsure(&error));
        }
        match self.search(&payload).await {
            Ok(Seen::Ours(file)) => Ok(Some(file.id)),
            Ok(Seen::Altered(_) | Seen::Nothing) => Ok(None),
            Err(error) => Err(unsure(&error)),
        }
    }

    async fn by_id(&self, id: &EntryId) -> Result<Option<File>, Error> {
        match self.client.file(id).await {
            Ok(found) => Ok(found.filter(|file| !file.in_trash)),
            Err(error) if error.kind == ErrorKind::MissingRight => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What an upload has become.
    async fn seen(&self, payload: &Payload) -> Result<Seen, Error> {
        let Some(id) = &payload.id else { return self.search(payload).await };
        let Some(file) = self.by_id(id).await? else {
            // somebody has deleted it: of what else is there only the same bytes are ours
            let found = self.search(payload).await?;
            return Ok(if matches!(found, Seen::Altered(_)) { Seen::Nothing } else { found });
        };
        let version = payload.version.unwrap_or(file.version);
        if self.hash_of(&File { version, ..file.clone() }).await? == payload.sha256 {
            return Ok(Seen::Ours(file));
        }
        // an answer without effect names a file that is another one by now
        let is_another = self.known.contains(&id.to_string()) || !could_be(&file.title, &payload.title);
        if is_another { self.search(payload).await } else { Ok(Seen::Altered(file)) }
    }

    /// The same by title, bytes, author and version, of a call that did not say which file it has made.
    async fn search(&self, payload: &Payload) -> Result<Seen, Error> {
        let mut altered = None;
        for file in self.client.folder_contents(&payload.folder()).await?.files {
            let id = file.id.to_string();
            let is_new = payload.before.get(&id).is_none_or(|version| file.version > *version);
            if !is_new || !could_be(&file.title, &payload.title) {
                continue;
            }
            if file.size_bytes == payload.bytes && self.hash_of(&file).await? == payload.sha256 {
                return Ok(Seen::Ours(file));
            }
            let is_mine = file.updated_by.or(file.author).is_none_or(|author| author == self.me);
            if payload.has_begun && is_mine && !self.known.contains(&id) {
                altered.get_or_insert(file);
            }
        }
        Ok(altered.map_or(Seen::Nothing, Seen::Altered))
    }

    async fn hash_of(&self, file: &File) -> Result<String, Error> {
        let mut hasher = Sha256::new();
        self.client.read_file(&file.id, file.version, |part| hasher.update(part)).await?;
        Ok(hex::encode(hasher.finalize()))
    }

    /// Chunks that nobody will make a file of.
    async fn forget(&self, session: &UploadSession) {
        if let Err(error) = self.client.forget_upload(session).await {
            // the portal forgets it by itself after twelve hours
            warn!("{:#}", anyhow::Error::new(error));
        }
    }

    async fn send(&self, begun: &mut Begun<'_>, payload: &mut Payload) -> Result<Sent, job_store::Error> {
        let path = self.local.join(&payload.file);
        let unread = |error: std::io::Error| Ok(Sent::Unread(format!("cannot read {}: {error}", path.display())));
        if payload.bytes <= self.chunk_bytes {
            let content = match std::fs::read(&path) {
                Ok(content) => content,
                Err(error) => return unread(error),
            };
            let sent = self.client.upload(&payload.folder(), &payload.title, &content, self.on_twin()).await;
            return Ok(Sent::Answered(sent));
        }
        let mut file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) => return unread(error),
        };
        let begun_there =
            self.client.begin_upload(&payload.folder(), &payload.title, payload.bytes, self.on_twin()).await;
        let session = match begun_there {
            Ok(session) => session,
            Err(error) => return Ok(Sent::Answered(Err(error))),
        };
        payload.session = Some(session.id.clone());
        note(begun, payload).await?;
        for number in 1.. {
            let mut chunk = Vec::new();
            if let Err(error) = Read::by_ref(&mut file).take(self.chunk_bytes).read_to_end(&mut chunk) {
                return unread(error);
            }
            if chunk.is_empty() {
                break;
            }
            if let Err(error) = self.client.send_chunk(&session, number, &chunk).await {
                return Ok(Sent::Answered(Err(error)));
            }
        }
        Ok(Sent::Answered(self.client.end_upload(&session).await))
    }

    fn on_twin(&self) -> OnTwin {
        match self.policy {
            Collision::KeepBoth | Collision::Fail => OnTwin::KeepBoth,
            Collision::NewVersion => OnTwin::NewVersion,
        }
    }
}

/// How sending ended.
enum Sent {
    Answered(Result<File, Error>),
    /// Nothing of it will be made a file.
    Unread(String),
}

async fn note(begun: &mut Begun<'_>, payload: &Payload) -> Result<(), job_store::Error> {
    // only text and numbers are in it
    begun.note(serde_json::to_value(payload).unwrap_or_default()).await
}

impl Effect for Sending<'_> {
    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, job_store::Error> {
        let mut payload = match Payload::of(begun.intent()) {
            Ok(payload) => payload,
            Err(why) => return Ok(Called::Refused(why)),
        };
        if let Some(session) = self.left.get(&begun.intent().key) {
            self.forget(session).await;
        }
        let there = match self.client.folder_contents(&payload.folder()).await {
            Ok(contents) => contents.files,
            Err(error) => return Ok(Called::Refused(error.to_string())),
        };
        if self.policy == Collision::Fail && there.iter().any(|file| is_same_title(&file.title, &payload.title)) {
            let why = "a file of that title is there already, and `on_collision` is \"fail\"";
            return Ok(Called::Refused(why.to_owned()));
        }
        let similar = there.iter().filter(|file| could_be(&file.title, &payload.title));
        payload.before = similar.map(|file| (file.id.to_string(), file.version)).collect();
        payload.has_begun = true;
        note(begun, &payload).await?;
        match self.send(begun, &mut payload).await? {
            Sent::Answered(Ok(file)) => {
                (payload.id, payload.version) = (Some(file.id), Some(file.version));
                note(begun, &payload).await?;
                Ok(Called::Done)
            }
            Sent::Unread(why) => Ok(Called::Refused(why)),
            Sent::Answered(Err(error)) if !error.may_have_acted() => Ok(Called::Refused(error.to_string())),
            Sent::Answered(Err(error)) => {
                let why = format!("it broke off, and a run in five minutes looks whether it is there: {error}");
                warn!("{:#}", anyhow::Error::new(error));
                Ok(Called::Broke(why))
            }
        }
    }

    async fn look(&self, intent: &Intent) -> Trace {
        let payload = match Payload::of(intent) {
            Ok(payload) => payload,
            Err(why) => return Trace::Unclear(why),
        };
        match self.seen(&payload).await {
            Ok(Seen::Ours(file)) => {
                info!(file = payload.file, "it is there");
                self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(intent.key.clone(), file);
                Trace::Happened
            }
            Ok(Seen::Altered(file)) => {
                warn!(file = %file.id, "the portal gives back other bytes than were sent; look at it there");
                Trace::Unclear(altered(&file))
            }
            Ok(Seen::Nothing) => Trace::NotHappened,
            Err(error) => Trace::Unclear(unsure(&error)),
        }
    }
}

fn altered(file: &File) -> String {
    format!(
        "the portal gives back other bytes than were sent, so something on the way changes them (a virus scanner, a watermark, a proxy). \
         Look at file {} there. The next run looks again: it is done when the bytes are right. To have it sent again, delete it there",
        file.id
    )
}

fn unsure(error: &Error) -> String {
    format!("whether it is there could not be seen, the next run looks again: {error}")
}

/// Some portals compare titles without regard to case.
fn is_same_title(there: &PortalText, title: &str) -> bool {
    there.raw().to_lowercase() == title.to_lowercase()
}

/// Whether the portal may have given this title to an upload of that one: the same, or with a number.
pub(crate) fn could_be(there: &PortalText, title: &str) -> bool {
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
}
