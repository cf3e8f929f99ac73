//! What earlier runs did, in the journal: since when somebody is inactive in a room, and every mail, written down before it leaves.

use std::collections::BTreeMap;

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use job_store::{Journal, JournalEntry, JournalState, Store};
use safe_actions::{Actions, Intent};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::plan::{Past, Series, Step};

/// Somebody is inactive in a room: `started`, until activity makes it `done`.
const SERIES: &str = "inactive_since";
/// One step of one series. Version 1.0.0 wrote these beside its mails, which name the same steps.
const REMINDER: &str = "reminder";
/// One mail over all rooms of a person.
pub(super) const MAIL: &str = "reminder_mail";

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
    /// Carries mails out, and remembers how far each came.
    pub(super) actions: Actions,
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
    pub(crate) fn is_about(&self, steps: &[Step]) -> bool {
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

impl From<&Step> for ContentRoom {
    fn from(step: &Step) -> Self {
        ContentRoom { id: step.id.clone(), since: step.since, series: step.series, step_days: step.step_days }
    }
}

impl ContentRoom {
    pub(crate) fn step(&self, title: PortalText) -> Step {
        let ContentRoom { id, since, series, step_days } = self.clone();
        Step { id, title, since, series, step_days }
    }

    fn key(&self, person: Uuid) -> String {
        self.step(PortalText::default()).key(person)
    }
}

impl Content {
    fn keys(&self, person: Uuid) -> impl Iterator<Item = String> {
        self.rooms.iter().map(move |room| room.key(person))
    }
}

/// A mail to one person, as the journal keeps it. Its key says what it is about.
pub(crate) fn intent(person: Uuid, steps: &[Step]) -> serde_json::Result<Intent> {
    let content = Content { rooms: steps.iter().map(ContentRoom::from).collect(), tries: 0 };
    let (key, payload) = (mail_key(person, steps), serde_json::to_value(content)?);
    Ok(Intent { key, kind: MAIL.to_owned(), subject: person.to_string(), payload })
}

fn mail_key(person: Uuid, steps: &[Step]) -> String {
    let mut keys: Vec<String> = steps.iter().map(|step| step.key(person)).collect();
    keys.sort();
    format!("{MAIL} {person} {}", hex::encode(&Sha256::digest(keys.join("\n"))[..8]))
}

/// The same for the same mail, in every run: receivers can drop a copy by it. Series of another store begin at other moments, so that no
/// mail of theirs has the same.
pub(crate) fn message_id(key: &str, steps: &[Step], host: &str) -> String {
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
fn read(entry: &JournalEntry) -> Option<(Uuid, Content)> {
    Some((entry.subject.parse().ok()?, serde_json::from_value(entry.payload.clone()).ok()?))
}

impl Ledger {
    /// `now` is the moment of the run.
    pub(crate) async fn open(store: Store, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let actions = Actions::open(store.clone(), now).await?;
        Ok(Ledger { journal: Journal::open(store.clone()).await?, store, actions })
    }

    pub(crate) async fn past(&self) -> anyhow::Result<Past> {
        let mut past = Past { series: self.series().await?, ..Past::default() };
        past.reminded.extend(self.journal.of_kind(REMINDER).await?.into_iter().map(|entry| entry.key));
        let mails = self.journal.of_kind(MAIL).await?.into_iter();
        let mails = mails.filter_map(|entry| read(&entry).map(|(person, content)| (person, content, entry)));
        let (open, closed): (Vec<_>, Vec<_>) = mails.partition(|(.., entry)| entry.state.is_open());
        // one that was refused has not bothered anybody, and another may have taken its place
        let has_left = |content: &Content, entry: &JournalEntry| entry.state == JournalState::Done || content.tries > 0;
        let (left, stayed): (Vec<_>, Vec<_>) =
            closed.into_iter().partition(|(_, content, entry)| has_left(content, entry));
        for (person, content, _) in stayed {
            past.reminded.extend(content.keys(person));
        }
        for (person, content, entry) in open {
            let has_begun = matches!(entry.state, JournalState::Started | JournalState::Unknown);
            let may_have_left = has_begun || content.tries > 0;
            // what it is about is not done yet, also where version 1.0.0 wrote that it was begun
            content.keys(person).for_each(|key| {
                past.reminded.remove(&key);
            });
            let (state_at, intent) = (entry.updated_at, Intent::from(entry));
            let open = OpenMail { intent, content, may_have_left, at: state_at };
            past.open.entry(person).or_default().push(open);
        }
        // but for what another mail has told: a run may end between that and closing the one in whose place it went
        for (person, content, entry) in left {
            past.reminded.extend(content.keys(person));
            past.mails.entry(person).or_default().push(entry.updated_at);
            for room in &content.rooms {
                let series = past.series.get(&(person, room.id.clone()));
                if series.is_some_and(|series| series.number == room.series) {
                    past.sent.insert((person, room.id.clone()), (entry.updated_at, room.step_days));
                }
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
        // by moment, then by key
        let mut told = BTreeMap::new();
        for entry in self.journal.of_kind(REMINDER).await? {
            let step = entry.key.strip_prefix(&prefix).and_then(|rest| rest.split_once(' ')?.1.parse().ok());
            if let Some(days) = step {
                told.insert(entry.key, (days, entry.state, entry.updated_at));
            }
        }
        // a mail knows better than the steps that version 1.0.0 wrote beside it
        for entry in self.journal.of_kind(MAIL).await? {
            let Some((_, content)) = read(&entry).filter(|(receiver, _)| *receiver == person) else { continue };
            for one in content.rooms.iter().filter(|one| one.id == *room) {
                told.insert(one.key(person), (one.step_days, entry.state, entry.updated_at));
            }
        }
        let mut told: Vec<_> = told.into_values().collect();
        told.sort_by_key(|(days, _, at)| (*at, *days));
        Ok(told)
    }
}

fn series_key(person: Uuid, room: &RoomId) -> String {
    format!("{SERIES} {person} {room}")
}

#[cfg(test)]
mod tests;
