//! Where entries are kept: the journal of the store.

use std::future::Future;

use alerting::{Alert, Outbox};
use anyhow::Context as _;
use audit_model::Bilingual;
use chrono::{DateTime, Utc};
use job_runner::Voice;
use job_store::{Journal, JournalState, Store, Write};
use serde_json::Value;

use crate::suspend::entry::{Entry, Said, State};
use crate::suspend::marker;
use crate::suspend::telling;

/// Where entries are kept.
pub(crate) trait Ledger: Sync {
    /// All entries, oldest first.
    fn entries(&self) -> impl Future<Output = anyhow::Result<Vec<Entry>>> + Send;

    /// Keeps an entry: on disk when this returns `true`, with a revision of one more. `false`: somebody has changed it since it was read, and it
    /// is as they left it.
    fn commit(&self, entry: &Entry) -> impl Future<Output = anyhow::Result<bool>> + Send;

    /// Whether this run still holds whatever keeps others off, asked right before a call.
    fn may_act(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Lets what entries say leave, for a short time: whoever is about to be suspended is announced before.
    fn deliver(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Name of suspensions in the journal.
const KIND: &str = "suspend";

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

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The same, which hands what entries say over to the alerts, in the commit that says it.
    pub(crate) fn speaking(self, voice: Voice) -> Self {
        Kept { voice: Some(voice), ..self }
    }

    /// Hands over what others have left to be told: a command, or a run that ended too soon. Gives the entries as they are then.
    pub(crate) async fn hand_on(&self) -> anyhow::Result<Vec<Entry>> {
        let entries = self.entries().await?;
        let is_left = |entry: &&Entry| entry.said.iter().any(|said| !said.is_handed_on);
        let left: Vec<&Entry> = entries.iter().filter(is_left).collect();
        if left.is_empty() {
            return Ok(entries);
        }
        for entry in left {
            self.commit(entry).await?;
        }
        self.entries().await
    }
}

/// How far an entry has come, in the words of the journal: what is open there is neither pruned nor passed over.
fn in_journal(state: State) -> JournalState {
    match state {
        State::Planned | State::Held | State::Waiting => JournalState::Planned,
        State::Intended | State::Done | State::Releasing | State::ReleaseFailed => JournalState::Started,
        // whoever is kept is off through this program, and stays so
        State::Unknown | State::Kept => JournalState::Unknown,
        State::Released | State::Settled => JournalState::Done,
        State::Failed | State::Dropped | State::Cancelled => JournalState::Failed,
    }
}

fn read(payload: Value, key: &str) -> anyhow::Result<Entry> {
    Bilingual::read(payload).with_context(|| format!("the journal's entry `{key}` cannot be read"))
}

impl Ledger for Kept {
    async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let entries = self.journal.of_kind(KIND).await?;
        entries.into_iter().map(|entry| read(entry.payload, &entry.key)).collect()
    }

    async fn commit(&self, entry: &Entry) -> anyhow::Result<bool> {
        let mut next = Entry { revision: entry.revision + 1, ..entry.clone() };
        let (key, subject) = (format!("{KIND} {}", entry.incident.id), entry.person().to_string());
        let (payload, revision, state) =
            (serde_json::to_value(Bilingual::new(next.clone()))?, entry.revision, in_journal(entry.state));
        let (journal, now) = (self.journal.clone(), self.now);
        let told = |said: &Said| self.voice.as_ref().map(|voice| telling::alert(voice, entry, said));
        let alerts: Vec<Option<Alert>> = entry.said.iter().map(told).collect();
        let channels = self.voice.as_ref().map(Voice::channels).unwrap_or_default();
        // whoever commits may not know what was handed over before
        for said in next.said.iter_mut().filter(|_| self.voice.is_some()) {
            said.is_handed_on = true;
        }
        let handed = serde_json::to_value(Bilingual::new(next))?;
        let keep = move |write: &Write<'_>| {
            let entry = (key.as_str(), KIND, subject.as_str());
            let Some(stands) = journal.plan_unchanged(write, entry, (revision, &payload), now)? else {
                return Ok(false);
            };
            let is_told = |n: usize| stands.payload["said"][n]["is_handed_on"] == true;
            let new = alerts.iter().enumerate().filter(|(n, _)| !is_told(*n)).filter_map(|(_, alert)| alert.clone());
            Outbox::wait(write, &new.collect::<Vec<_>>(), &channels, now)?;
            journal.advance(write, &key, state, &handed, now)?;
            Ok(true)
        };
        let is_kept = self.store.write("writing the journal", keep).await?;
        if is_kept {
            // before any call leaves
            marker::keep(self.store.path(), std::slice::from_ref(entry))?;
        }
        Ok(is_kept)
    }

    async fn may_act(&self) -> anyhow::Result<()> {
        Ok(self.store.may_act().await?)
    }

    async fn deliver(&self) {
        if let Some(voice) = &self.voice {
            voice.deliver(self.now).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use audit_model::Sentence;

    use super::*;
    use crate::suspend::entry::{Decided, Decision, Topic};
    use crate::suspend::model::incident;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_763_629_200_123).expect("a date")
    }

    /// On both engines: an entry comes back as it was, and whoever commits an older one is refused, and changes nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_somebody_has_changed_meanwhile_stays() -> anyhow::Result<()> {
        for store in job_store::testing::stores().await {
            let kept = Kept::open(store.clone(), now()).await?;
            let new = Entry::new(incident(7, now()), now());
            assert!(kept.commit(&new).await?);
            let read = kept.entries().await?;
            assert_eq!(read, [Entry { revision: 1, ..new.clone() }]);
            let run = read[0].clone().into_state(State::Waiting, None);
            let mut operator = read[0].clone().into_state(State::Cancelled, Some("a migration".into()));
            let who = "olga@example.com".to_owned();
            operator.decisions.push(Decision {
                what: Decided::Cancelled,
                who,
                why: "a migration".to_owned(),
                at: now(),
            });
            assert!(kept.commit(&operator).await?);
            assert!(!kept.commit(&run).await?, "{:?}", store.path());
            assert!(!kept.commit(&new).await?, "{:?}", store.path());
            assert_eq!(kept.entries().await?, [Entry { revision: 2, ..operator }]);
            kept.may_act().await?;
        }
        Ok(())
    }

    /// An entry of a version that knew no German is read, is told nothing again, and can be read by that version when this one has written it.
    #[tokio::test]
    async fn an_entry_of_a_version_that_knew_no_german_is_read_and_goes_on() -> anyhow::Result<()> {
        let store = Store::temporary().await?;
        let kept = Kept::open(store.clone(), now()).await?;
        let words = || Sentence::new("about to be suspended", "wird gleich gesperrt");
        let spoken = Entry::new(incident(7, now()), now()).say(Topic::Warning, now(), words());
        let old = serde_json::to_value(Entry { revision: 1, ..spoken.clone() })?;
        assert_eq!((&old["said"][0]["words"], old.get("de")), (&"about to be suspended".into(), None));
        let journal = kept.journal.clone();
        let plan = move |write: &Write<'_>| journal.plan(write, ("suspend 7 1", KIND, "7"), &old, now()).map(drop);
        store.write("an older version", plan).await?;
        let read = kept.entries().await?.remove(0);
        assert_eq!(read.said[0].words, "about to be suspended");
        assert!(!read.said[0].words.has_german() && !read.incident.reason.has_german());
        assert_eq!(read.clone().say(Topic::Warning, now(), words()), read, "said before");
        assert!(kept.commit(&Entry { revision: 1, ..spoken.clone() }).await?);
        assert_eq!(kept.entries().await?, [Entry { revision: 2, ..spoken.clone() }], "in both languages");
        let payload = kept.journal.of_kind(KIND).await?.remove(0).payload;
        let by_old: Entry = serde_json::from_value(payload)?;
        assert_eq!(by_old.said[0].words, "about to be suspended");
        Ok(())
    }
}
