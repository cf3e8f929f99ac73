//! Where applications are kept: the journal of the store.

use alerting::{Alert, Outbox};
use anyhow::{Context as _, bail};
use audit_model::Bilingual;
use chrono::{DateTime, Utc};
use job_runner::{Setup, Voice};
use job_store::{Journal, JournalState, Store, Write};
use serde_json::Value;
use tracing::warn;

use super::entry::{Entry, State};
use super::marker;
use super::run::Ledger;
use super::telling::alert;
use crate::config::Config;

/// Name of applications in the journal.
pub(super) const KIND: &str = "address_list";

/// So often a decision is written that others get in the way of.
const TRIES: u32 = 10;

/// The journal of a store, on either engine.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    store: Store,
    journal: Journal,
    now: DateTime<Utc>,
    voice: Option<Voice>,
}

impl Kept {
    /// Opens the journal. `now` is the moment of the run.
    pub(crate) async fn open(store: Store, now: DateTime<Utc>) -> anyhow::Result<Self> {
        Ok(Kept { journal: Journal::open(store.clone()).await?, store, now, voice: None })
    }

    /// The same, which hands what entries say over to the alerts, in the commit that says it.
    pub(crate) fn speaking(self, voice: Voice) -> Self {
        Kept { voice: Some(voice), ..self }
    }

    /// The same for a command. What keeps its alerts from being made, such as a channel with a mistake, keeps nobody from acting: the next
    /// run hands them over.
    pub(crate) async fn speaking_of(self, setup: &Setup<'_, Config>) -> Self {
        match setup.voice(&self.store).await {
            Ok(voice) => self.speaking(voice),
            Err(failure) => {
                warn!("no alerts are sent before the next run: {failure:#}");
                self
            }
        }
    }

    /// Sends what waits, for a few seconds at most. Not beside another process that is `busy`: that sends it.
    pub(crate) async fn deliver(&self, busy: Option<&str>) {
        if let (Some(voice), None) = (&self.voice, busy) {
            voice.deliver(self.now).await;
        }
    }

    /// Changes an entry as somebody has decided, whatever another process keeps of it meanwhile.
    ///
    /// # Errors
    /// Of the store, and that others are never done with it.
    pub(crate) async fn decide(&self, id: &str, change: impl Fn(&Entry) -> Entry) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let Some(entry) = self.entries().await?.into_iter().find(|entry| entry.id == id) else { return Ok(()) };
            let changed = change(&entry);
            if changed == entry || self.commit(&changed).await? {
                return Ok(());
            }
        }
        bail!("the journal's entry `{id}` is changed all the time, so nothing could be decided about it")
    }

    /// Hands over what commands have left to be told.
    pub(crate) async fn hand_on(&self) -> anyhow::Result<()> {
        let is_left = |entry: &Entry| entry.said.iter().any(|said| !said.is_handed_on);
        for entry in self.entries().await?.into_iter().filter(is_left) {
            self.commit(&entry).await?;
        }
        Ok(())
    }
}

fn in_journal(state: State) -> JournalState {
    match state {
        State::Planned => JournalState::Planned,
        State::Widened | State::Narrowed | State::Switched | State::Reverting => JournalState::Started,
        State::Confirmed | State::Restored => JournalState::Done,
        State::Conflict | State::Refused => JournalState::Failed,
    }
}

fn read(payload: Value, key: &str) -> anyhow::Result<Entry> {
    Bilingual::read(payload).with_context(|| format!("the journal's entry `{key}` cannot be read"))
}

impl Ledger for Kept {
    async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let entries = self.journal.of_kind(KIND).await?;
        let entries = entries.into_iter().map(|entry| read(entry.payload, &entry.key));
        let mut entries = entries.collect::<anyhow::Result<Vec<Entry>>>()?;
        // the journal's order is that of this machine's clock, which somebody may have set
        entries.sort_by_key(|entry| entry.accepted);
        Ok(entries)
    }

    async fn commit(&self, entry: &Entry) -> anyhow::Result<bool> {
        if entry.state.is_open() {
            marker::keep(self.store.path(), entry)?;
        }
        let mut next = Entry { revision: entry.revision + 1, ..entry.clone() };
        let tenant = entry.intent.tenant.map_or_else(|| "unknown".to_owned(), |tenant| tenant.to_string());
        let (key, subject) = (format!("{KIND} {}", entry.id), format!("tenant {tenant}"));
        let (payload, revision, state) =
            (serde_json::to_value(Bilingual::new(next.clone()))?, entry.revision, in_journal(entry.state));
        let (journal, now) = (self.journal.clone(), self.now);
        let new = next.said.iter().filter(|said| !said.is_handed_on);
        let alerts: Vec<Alert> =
            new.filter_map(|said| self.voice.as_ref().map(|voice| alert(voice, entry, said))).collect();
        let channels = self.voice.as_ref().map(Voice::channels).unwrap_or_default();
        next.said.iter_mut().filter(|_| self.voice.is_some()).for_each(|said| said.is_handed_on = true);
        let handed = serde_json::to_value(Bilingual::new(next))?;
        let keep = move |write: &Write<'_>| {
            if journal.plan_unchanged(write, (&key, KIND, &subject), (revision, &payload), now)?.is_none() {
                return Ok(false);
            }
            Outbox::wait(write, &alerts, &channels, now)?;
            journal.advance(write, &key, state, &handed, now)?;
            Ok(true)
        };
        Ok(self.store.write("writing the journal", keep).await?)
    }

    async fn may_act(&self) -> anyhow::Result<()> {
        Ok(self.store.may_act().await?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::entry::Topic;
    use super::super::testing::{entry, written};
    use super::super::words;
    use super::*;

    /// Also of a list that was confirmed, and is to be taken back later.
    #[tokio::test]
    async fn a_file_says_that_a_list_is_open_for_as_long_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("docs.example.com.sqlite");
        let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
        let kept = Kept::open(store, DateTime::UNIX_EPOCH).await.unwrap();
        let is_open = async || {
            marker::clear(&path, &kept.entries().await.unwrap());
            marker::forgotten(&path, &[]).is_some()
        };
        let mut entry = entry();
        for (state, open) in [
            (State::Planned, true),
            (State::Switched, true),
            (State::Confirmed, false),
            (State::Reverting, true),
            (State::Restored, false),
            (State::Reverting, true),
        ] {
            entry.state = state;
            assert!(kept.commit(&entry).await.unwrap());
            entry.revision += 1;
            assert_eq!(is_open().await, open, "{state:?}");
        }
        assert!(marker::forgotten(&path, std::slice::from_ref(&entry)).is_none());
        let older = Entry { id: "a0".to_owned(), revision: 0, ..entry };
        assert!(kept.commit(&older).await.unwrap());
        assert!(marker::forgotten(&path, &[older]).unwrap().contains("plan"), "an older store was put back");
    }

    /// A clock that was ahead and was set: what came last is still what is confirmed and taken back.
    #[tokio::test]
    async fn the_portals_clock_says_what_came_last() {
        let store = Store::temporary().await.unwrap();
        let first = entry();
        let later = first.accepted + TimeDelta::hours(1);
        let second = Entry { id: "a2".to_owned(), accepted: later, ..first.clone() };
        for (entry, now) in [(&first, later + TimeDelta::hours(3)), (&second, later)] {
            let kept = Kept::open(store.clone(), now).await.unwrap();
            assert!(kept.commit(entry).await.unwrap());
        }
        let kept = Kept::open(store, later).await.unwrap();
        let ids: Vec<String> = kept.entries().await.unwrap().into_iter().map(|entry| entry.id).collect();
        assert_eq!(ids, ["a1", "a2"]);
    }

    /// An entry of a version that knew no German is read, and that version can read what this one has written.
    #[tokio::test]
    async fn an_entry_of_a_version_that_knew_no_german_is_read() {
        let store = Store::temporary().await.unwrap();
        let kept = Kept::open(store.clone(), entry().accepted).await.unwrap();
        let mut spoken = entry();
        spoken.say(Topic::Switched, written(), words::switched(&entry()));
        let old = serde_json::to_value(Entry { revision: 1, ..spoken.clone() }).unwrap();
        let english = spoken.said[0].words.english().to_owned();
        assert_eq!((old["said"][0]["words"].as_str(), old.get("de")), (Some(english.as_str()), None));
        let (journal, now) = (kept.journal.clone(), entry().accepted);
        let plan =
            move |write: &Write<'_>| journal.plan(write, ("address_list a1", KIND, "tenant 2"), &old, now).map(drop);
        store.write("an older version", plan).await.unwrap();
        let mut read = kept.entries().await.unwrap().remove(0);
        assert_eq!((&*read.said[0].words, read.said[0].words.has_german()), (english.as_str(), false));
        read.say(Topic::Switched, written(), words::switched(&entry()));
        assert_eq!(read.said.len(), 1, "said before");
        assert!(kept.commit(&Entry { revision: 1, ..spoken.clone() }).await.unwrap());
        assert_eq!(kept.entries().await.unwrap(), [Entry { revision: 2, ..spoken }], "in both languages");
        let payload = kept.journal.of_kind(KIND).await.unwrap().remove(0).payload;
        assert_eq!(serde_json::from_value::<Entry>(payload).unwrap().said[0].words, english);
    }
}
