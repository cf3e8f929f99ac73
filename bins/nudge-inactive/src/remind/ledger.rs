//! What earlier runs did, in the journal: since when somebody is inactive in a room, and every mail, written down before it leaves.

use std::collections::BTreeMap;

use audit_model::RoomId;
use chrono::{DateTime, Utc};
use job_store::{Journal, JournalEntry, JournalState, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::plan::{Past, Series, Step};

/// Somebody is inactive in a room: `started`, until activity makes it `done`.
const SERIES: &str = "inactive_since";
/// One step of one series.
const REMINDER: &str = "reminder";
/// One mail over all rooms of a person.
const MAIL: &str = "reminder_mail";

/// A mail of which the fate is unknown so many times is given up: there may be as many copies of it.
const MOST_TRIES: u32 = 3;

/// A series as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptSeries {
    person: Uuid,
    room: RoomId,
    since: DateTime<Utc>,
    number: u32,
}

pub(crate) struct Ledger {
    store: Store,
    journal: Journal,
}

/// A mail that was begun by an earlier run, and of which nobody knows that it arrived.
#[derive(Clone, Debug)]
pub(crate) struct OpenMail {
    pub(crate) key: String,
    pub(crate) person: Uuid,
    pub(crate) content: Content,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) rooms: Vec<ContentRoom>,
    /// How often it may have left without anybody knowing.
    pub(crate) tries: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentRoom {
    pub(crate) id: RoomId,
    pub(crate) since: DateTime<Utc>,
    pub(crate) series: u32,
    pub(crate) step_days: u32,
}

impl From<&Step> for ContentRoom {
    fn from(step: &Step) -> Self {
        ContentRoom { id: step.id.clone(), since: step.since, series: step.series, step_days: step.step_days }
    }
}

impl ContentRoom {
    fn step(&self) -> Step {
        let ContentRoom { id, since, series, step_days } = self.clone();
        Step { id, title: Default::default(), since, series, step_days }
    }
}

/// Names a mail by what it is about.
pub(crate) fn mail_key(person: Uuid, steps: &[Step]) -> String {
    let mut keys: Vec<String> = steps.iter().map(|step| step.key(person)).collect();
    keys.sort();
    format!("{MAIL} {person} {}", hex::encode(&Sha256::digest(keys.join("\n"))[..8]))
}

/// The same for the same mail, in every run: receivers can drop a copy by it.
pub(crate) fn message_id(key: &str, host: &str) -> String {
    format!("{}@{host}", hex::encode(&Sha256::digest(key)[..16]))
}

impl Ledger {
    pub(crate) async fn open(store: Store) -> anyhow::Result<Self> {
        Ok(Ledger { journal: Journal::open(store.clone()).await?, store })
    }

    pub(crate) async fn past(&self) -> anyhow::Result<Past> {
        let mut past = Past { series: self.series().await?, ..Past::default() };
        for entry in self.journal.of_kind(REMINDER).await? {
            past.reminded.insert(entry.key);
        }
        for entry in self.journal.of_kind(MAIL).await? {
            // one that was refused has not bothered anybody
            if let (Ok(person), true) = (entry.subject.parse(), entry.state != JournalState::Failed) {
                past.mails.entry(person).or_default().push(entry.updated_at);
            }
        }
        Ok(past)
    }

    async fn series(&self) -> anyhow::Result<BTreeMap<(Uuid, RoomId), Series>> {
        let open = self.journal.open_of_kind(SERIES).await?;
        let read = |entry: JournalEntry| {
            let kept: KeptSeries = serde_json::from_value(entry.payload).ok()?;
            Some(((kept.person, kept.room), Series { since: kept.since, number: kept.number }))
        };
        Ok(open.into_iter().filter_map(read).collect())
    }

    /// Notes who is inactive where from now on, also in place of a series that was interrupted, and who is not any more.
    pub(crate) async fn note_series(
        &self,
        begun: &[(Uuid, RoomId)],
        ended: &[(Uuid, RoomId)],
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let mut write = self.store.begin().await?;
        for (person, room) in begun {
            let key = series_key(*person, room);
            let subject = format!("{person} {room}");
            let first = KeptSeries { person: *person, room: room.clone(), since: now, number: 0 };
            let kept =
                self.journal.plan(&mut write, (&key, SERIES, &subject), &serde_json::to_value(&first)?, now).await?;
            let before: KeptSeries = serde_json::from_value(kept.payload).unwrap_or(first);
            let payload = serde_json::to_value(KeptSeries { since: now, number: before.number + 1, ..before })?;
            self.journal.advance(&mut write, &key, JournalState::Started, &payload, now).await?;
        }
        for (person, room) in ended {
            let (key, subject) = (series_key(*person, room), format!("{person} {room}"));
            // what stands there keeps its number for the next one
            let kept = self.journal.plan(&mut write, (&key, SERIES, &subject), &json!({}), now).await?;
            self.journal.advance(&mut write, &key, JournalState::Done, &kept.payload, now).await?;
        }
        write.commit().await?;
        Ok(())
    }

    /// The reminders of one person about one room: step, how far it came, when that was.
    pub(crate) async fn told(
        &self,
        person: Uuid,
        room: &RoomId,
    ) -> anyhow::Result<Vec<(u32, JournalState, DateTime<Utc>)>> {
        let prefix = format!("{REMINDER} {person} {room} ");
        let read = |entry: JournalEntry| {
            let rest = entry.key.strip_prefix(&prefix)?;
            Some((rest.split_once(' ')?.1.parse().ok()?, entry.state, entry.updated_at))
        };
        Ok(self.journal.of_kind(REMINDER).await?.into_iter().filter_map(read).collect())
    }

    pub(crate) async fn open_mails(&self) -> anyhow::Result<Vec<OpenMail>> {
        let open = self.journal.open_of_kind(MAIL).await?;
        let read = |entry: JournalEntry| {
            let content = serde_json::from_value(entry.payload).ok()?;
            Some(OpenMail { person: entry.subject.parse().ok()?, key: entry.key, content })
        };
        Ok(open.into_iter().filter_map(read).collect())
    }

    /// Writes down that a mail is about to leave, with every step in it. Nothing leaves before this is on disk.
    pub(crate) async fn begin(&self, mail: &OpenMail, now: DateTime<Utc>) -> anyhow::Result<()> {
        let subject = mail.person.to_string();
        let mut write = self.store.begin().await?;
        for room in &mail.content.rooms {
            let key = room.step().key(mail.person);
            self.journal.plan(&mut write, (&key, REMINDER, &subject), &json!({ "mail": mail.key }), now).await?;
            self.journal.advance(&mut write, &key, JournalState::Started, &json!({ "mail": mail.key }), now).await?;
        }
        let payload = serde_json::to_value(&mail.content)?;
        self.journal.plan(&mut write, (&mail.key, MAIL, &subject), &payload, now).await?;
        self.journal.advance(&mut write, &mail.key, JournalState::Started, &payload, now).await?;
        write.commit().await?;
        Ok(())
    }

    /// Notes what became of a mail, and of all steps in it. One that may still arrive, or may be tried again, stays open.
    pub(crate) async fn settle(&self, mail: &OpenMail, state: JournalState, now: DateTime<Utc>) -> anyhow::Result<()> {
        // that it was not taken for now says nothing about the mail: servers are down, and some defer everybody's first try
        let tries = mail.content.tries + u32::from(state != JournalState::Planned);
        let state = if state.is_open() && tries >= MOST_TRIES { JournalState::Failed } else { state };
        let mut write = self.store.begin().await?;
        let payload = serde_json::to_value(Content { tries, ..mail.content.clone() })?;
        self.journal.advance(&mut write, &mail.key, state, &payload, now).await?;
        for room in &mail.content.rooms {
            let key = room.step().key(mail.person);
            self.journal.advance(&mut write, &key, state, &json!({ "mail": mail.key }), now).await?;
        }
        write.commit().await?;
        Ok(())
    }
}

fn series_key(person: Uuid, room: &RoomId) -> String {
    format!("{SERIES} {person} {room}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody is reminded twice because of an upgrade: the keys stand in stores, the other is what mail servers drop copies by.
    #[test]
    fn names_of_mails_stay_from_version_to_version() {
        let anna = Uuid::from_u128(2);
        let step = |id: &str, series, step_days| {
            let since = "2026-10-01T00:00:00Z".parse().unwrap();
            Step { id: RoomId::from(id), title: "Falcon".into(), since, series, step_days }
        };
        let key = mail_key(anna, &[step("sbox-7", 2, 14), step("71", 1, 1)]);
        assert_eq!(key, "reminder_mail 00000000-0000-0000-0000-000000000002 5c518cb99a2acd1f");
        assert_eq!(message_id("reminder_mail 1", "example.com"), "7528564f7989602153c10fc206bd244c@example.com");
    }
}
