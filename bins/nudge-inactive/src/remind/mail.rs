//! One mail over all rooms of a person: what it is about, and how the journal keeps it.

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use job_store::JournalEntry;
use safe_actions::Intent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::body::RemindedRoom;

/// One mail over all rooms of a person.
pub(super) const MAIL: &str = "reminder_mail";

impl RemindedRoom {
    /// Names the reminder: the same in every run.
    pub(crate) fn key(&self, person: Uuid) -> String {
        format!("{}{}", series_prefix(person, &self.id, self.series), self.step_days)
    }
}

/// What the names of all reminders of one series begin with.
pub(super) fn series_prefix(person: Uuid, room: &RoomId, series: u32) -> String {
    format!("reminder {person} {room} {series} ")
}

/// A mail that was begun by an earlier run, and of which nobody knows that it arrived.
#[derive(Clone, Debug)]
pub(crate) struct OpenMail {
    pub(crate) intent: Intent,
    pub(crate) content: Content,
    /// Whether a server may have it, of which nobody knows.
    pub(crate) may_have_left: bool,
    /// When it was tried last.
    pub(crate) at: DateTime<Utc>,
}

impl OpenMail {
    /// Whether it is about these steps and nothing else.
    pub(crate) fn is_about(&self, steps: &[RemindedRoom]) -> bool {
        let is_there = |kept: &ContentRoom| steps.iter().any(|step| ContentRoom::from(step) == *kept);
        self.content.rooms.len() == steps.len() && self.content.rooms.iter().all(is_there)
    }
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) rooms: Vec<ContentRoom>,
    /// How often it may have left without anybody knowing: counted before it leaves, and taken back when it surely has not.
    pub(crate) tries: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentRoom {
    pub(crate) id: RoomId,
    pub(crate) since: DateTime<Utc>,
    pub(crate) series: u32,
    pub(crate) step_days: u32,
}

impl From<&RemindedRoom> for ContentRoom {
    fn from(step: &RemindedRoom) -> Self {
        ContentRoom { id: step.id.clone(), since: step.since, series: step.series, step_days: step.step_days }
    }
}

impl ContentRoom {
    pub(crate) fn step(&self, title: PortalText) -> RemindedRoom {
        let ContentRoom { id, since, series, step_days } = self.clone();
        RemindedRoom { id, title, since, series, step_days }
    }

    pub(super) fn key(&self, person: Uuid) -> String {
        self.step(PortalText::default()).key(person)
    }
}

impl Content {
    pub(super) fn keys(&self, person: Uuid) -> impl Iterator<Item = String> {
        self.rooms.iter().map(move |room| room.key(person))
    }
}

/// A mail to one person, as the journal keeps it. Its key says what it is about.
pub(crate) fn intent(person: Uuid, steps: &[RemindedRoom]) -> serde_json::Result<Intent> {
    let content = Content { rooms: steps.iter().map(ContentRoom::from).collect(), tries: 0 };
    let (key, payload) = (mail_key(person, steps), serde_json::to_value(content)?);
    Ok(Intent { key, kind: MAIL.to_owned(), subject: person.to_string(), payload })
}

pub(super) fn mail_key(person: Uuid, steps: &[RemindedRoom]) -> String {
    let mut keys: Vec<String> = steps.iter().map(|step| step.key(person)).collect();
    keys.sort();
    format!("{MAIL} {person} {}", hex::encode(&Sha256::digest(keys.join("\n"))[..8]))
}

/// The same for the same mail, in every run: receivers can drop a copy by it. Series of another store begin at other moments, so that no
/// mail of theirs has the same.
pub(crate) fn message_id(key: &str, steps: &[RemindedRoom], host: &str) -> String {
    let mut begun: Vec<String> = steps.iter().map(|step| format!("{} {}", step.id, step.since.to_rfc3339())).collect();
    begun.sort();
    let named = format!("{key}\n{}", begun.join("\n"));
    format!("{}@{host}", hex::encode(&Sha256::digest(named)[..16]))
}

/// The content of a mail, as the journal keeps it.
pub(crate) fn content(intent: &Intent) -> Option<Content> {
    serde_json::from_value(intent.payload.clone()).ok()
}

/// The same mail with so many tries.
pub(crate) fn with_tries(mut intent: Intent, tries: u32) -> Intent {
    intent.payload["tries"] = tries.into();
    intent
}

/// Person and content of a mail.
pub(super) fn read(entry: &JournalEntry) -> Option<(Uuid, Content)> {
    Some((entry.subject.parse().ok()?, serde_json::from_value(entry.payload.clone()).ok()?))
}
