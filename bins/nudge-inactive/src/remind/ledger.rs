//! What earlier runs did, in the journal: since when somebody is inactive in a room, and every mail, written down before it leaves.

use std::collections::BTreeMap;

use audit_model::RoomId;
use chrono::{DateTime, Utc};
use job_store::{Failure, Journal, JournalEntry, JournalState, Store, Write};
use safe_actions::{Actions, Intent};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::mail::{Content, MAIL, OpenMail, read};
use super::plan::{Past, Series};

/// Somebody is inactive in a room: `started`, until activity makes it `done`.
const SERIES: &str = "inactive_since";
/// One step of one series. Version 1.0.0 wrote these beside its mails, which name the same steps.
const REMINDER: &str = "reminder";

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
        let (journal, begun, ended) = (self.journal.clone(), begun.to_vec(), ended.to_vec());
        let note = move |write: &Write<'_>| {
            begun.into_iter().try_for_each(|of| note_begun(write, &journal, of, now))?;
            for (person, room) in ended {
                let (key, subject) = (series_key(person, &room), format!("{person} {room}"));
                // what stands there keeps its number for the next one
                let kept = journal.plan(write, (&key, SERIES, &subject), &json!({}), now)?;
                journal.advance(write, &key, JournalState::Done, &kept.payload, now)?;
            }
            Ok(())
        };
        Ok(self.store.write("writing the journal", note).await?)
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

fn note_begun(
    write: &Write<'_>,
    journal: &Journal,
    (person, room): (Uuid, RoomId),
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let (key, subject) = (series_key(person, &room), format!("{person} {room}"));
    let first = KeptSeries { person, room, since: now, number: 0 };
    let payload = serde_json::to_value(&first).map_err(Failure::other)?;
    let kept = journal.plan(write, (&key, SERIES, &subject), &payload, now)?;
    let before: KeptSeries = serde_json::from_value(kept.payload).unwrap_or(first);
    let next = KeptSeries { since: now, number: before.number + 1, ..before };
    let payload = serde_json::to_value(next).map_err(Failure::other)?;
    journal.advance(write, &key, JournalState::Started, &payload, now)
}

fn series_key(person: Uuid, room: &RoomId) -> String {
    format!("{SERIES} {person} {room}")
}

#[cfg(test)]
mod tests;
