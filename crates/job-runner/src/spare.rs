//! The memory of runs without memory: what they tell is remembered in a file of its own, so that the next run without memory does not tell
//! it again, and what they could not send waits there.

use alerting::{Channel, Outbox};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;
use tracing::debug;
use uuid::Uuid;

use crate::keeping::open_all;
use crate::memory::Memory;
use crate::naming::NamesKey;
use crate::place::Place;
use crate::rights::{self, About};
use crate::state_path::{State, url_of};

/// The reports of runs without memory say so once an hour.
const TOLD_EVERY: TimeDelta = TimeDelta::hours(1);

/// Names in it.
const SINCE: &str = "without_memory";
const TOLD: &str = "without_memory_told";
const LAST: &str = "without_memory_last";

/// The open file.
pub(crate) struct Spare {
    store: Store,
    pub(crate) outbox: Outbox,
    /// Since when there is no memory.
    pub(crate) since: DateTime<Utc>,
    /// Whether a report that has nothing else to say says this.
    pub(crate) is_news: bool,
}

impl Spare {
    /// The one of an earlier run, else a new one in the best place that can be written. `None` when there is no such place: then what is
    /// told is told again.
    pub(crate) async fn open(state: &State, now: DateTime<Utc>) -> Option<Self> {
        let (old, new): (Vec<Place>, Vec<Place>) = Place::all(state, "spare").into_iter().partition(Place::is_taken);
        for place in old.iter().chain(&new) {
            match Self::open_at(place, now).await {
                Ok(spare) => return Some(spare),
                Err(failure) => debug!("nothing can be remembered in {}: {failure:#}", place.path.display()),
            }
        }
        None
    }

    async fn open_at(place: &Place, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let (store, outbox) = open(place).await?;
        let memory = Memory::open(&store).await?;
        // a file that can be read and not written remembers nothing
        memory.keep(LAST, "", now).await?;
        let since = match memory.get(SINCE).await? {
            Some((_, since)) => since,
            None => {
                memory.keep(SINCE, "", now).await?;
                now
            }
        };
        let told = memory.get(TOLD).await?.map(|(_, told)| told);
        let is_news = told.is_none_or(|told| !(TimeDelta::zero()..TOLD_EVERY).contains(&(now - told)));
        Ok(Spare { store, outbox, since, is_news })
    }

    /// A report has said that there is no memory.
    pub(crate) async fn told(&self, now: DateTime<Utc>) {
        if !self.is_news {
            return;
        }
        let kept = async { Memory::open(&self.store).await?.keep(TOLD, "", now).await };
        if let Err(failure) = kept.await {
            debug!("the next report says again that there is no memory: {:#}", anyhow::Error::new(failure));
        }
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// Sends what runs without memory have left waiting; then nobody needs their file any more.
pub(crate) async fn clear(state: &State, channels: &[Channel], now: DateTime<Utc>) {
    for place in Place::all(state, "spare").into_iter().filter(Place::is_taken) {
        let waits = match open(&place).await {
            Err(_) => false,
            Ok((spare, outbox)) => {
                let drained = outbox.drain(channels, now).await;
                spare.close().await;
                drained.is_ok_and(|drained| drained.left > 0 || !drained.refused.is_empty() || drained.critical > 0)
            }
        };
        if !waits && let Err(failure) = place.clear() {
            debug!("the memory of runs without memory stays: {failure}");
        }
    }
}

/// Everything that runs without memory have left about somebody, and in which files.
pub(crate) async fn about(
    state: &State,
    (person, key): (&str, Option<&NamesKey>),
) -> anyhow::Result<Vec<(String, About)>> {
    let mut found = Vec::new();
    for place in Place::all(state, "spare").into_iter().filter(Place::is_taken) {
        let store = Store::snapshot_of(&std::path::absolute(&place.path)?).await?;
        let archive = open_all(&store).await?;
        match rights::about(&store, &archive, person, key).await {
            Ok(about) => found.push((place.path.display().to_string(), about)),
            // nothing is kept about them there
            Err(failure) if failure.is::<crate::Error>() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

/// Makes somebody nameless in what runs without memory have left, and says so.
pub(crate) async fn forget(
    state: &State,
    person: (&str, Option<&NamesKey>),
    reason: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    for place in Place::all(state, "spare").into_iter().filter(Place::is_taken) {
        let (store, _) = open(&place).await?;
        match rights::forget(&store, person, reason, Uuid::new_v4(), now).await {
            Ok(_) => text
                .push_str(&format!("nameless in {}, too, which runs without memory have left\n", place.path.display())),
            // nothing is kept about them there
            Err(failure) if failure.is::<crate::Error>() => {}
            Err(failure) => return Err(failure),
        }
        store.close().await;
    }
    Ok(text)
}

async fn open(place: &Place) -> anyhow::Result<(Store, Outbox)> {
    place.prepare()?;
    let store = Store::open(&url_of(&std::path::absolute(&place.path)?)).await?;
    let outbox = Outbox::open(store.clone()).await?;
    Ok((store, outbox))
}
