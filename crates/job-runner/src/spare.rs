//! The memory of runs without memory: what they tell is remembered in a file of its own, so that the next run without memory does not tell
//! it again, and what they could not send waits there.

use alerting::{Channel, Lapsed, Outbox};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use job_store::Store;
use tracing::{debug, error};
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

/// Sends what runs without memory have left waiting, in the zone of the report; when nothing waits there any more, nobody needs their
/// file.
pub(crate) async fn clear(state: &State, channels: &[Channel], now: DateTime<Tz>) {
    for place in Place::all(state, "spare").into_iter().filter(Place::is_taken) {
        let is_empty = match open(&place).await {
            Err(_) => true,
            Ok((spare, outbox)) => {
                let waits = send_on(&outbox, channels, now).await;
                spare.close().await;
                // what cannot be counted may be something
                waits.is_ok_and(|waits| waits == 0)
            }
        };
        if is_empty && let Err(failure) = place.clear() {
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

/// How many alerts wait on.
async fn send_on(outbox: &Outbox, channels: &[Channel], now: DateTime<Tz>) -> Result<u64, alerting::Error> {
    outbox.drain(channels, now).await?;
    let lapsed = outbox.lapsed(channels).await?;
    for Lapsed { alert, channel, .. } in &lapsed {
        error!(alert, channel, "alert of a run without memory given up; its report has said what it was about");
    }
    outbox.forget(&lapsed).await?;
    outbox.waiting().await
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

#[cfg(test)]
mod tests {
    use alerting::{Alert, AlertContext, Moment};
    use audit_model::{Coverage, Finding, Person, Window};
    use chrono_tz::UTC;

    use super::*;
    use crate::environment::Environment;
    use crate::state_path::state_paths;

    fn state_in(folder: &std::path::Path) -> State {
        let portal = "https://docs.example.com".parse().unwrap();
        State::Files(state_paths("vdr-watch", &portal, Some(folder), &Environment::default()).unwrap())
    }

    /// A channel that fails puts an alert off, and a channel that is gone has none due: neither is nothing.
    #[tokio::test]
    async fn the_file_stays_until_everything_in_it_has_left() {
        let (folder, now) = (tempfile::tempdir().unwrap(), "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let state = state_in(folder.path());
        let dead = [Channel::file(folder.path().join("missing/alerts.ndjson"))];
        let portal_url = "https://docs.example.com".parse().unwrap();
        let coverage = Coverage::default();
        let context = AlertContext {
            program: "vdr-watch",
            version: "1.0.0",
            portal_url: &portal_url,
            time_zone: None,
            coverage: &coverage,
        };
        let moment = Moment { now, quiet: TimeDelta::hours(1), seen_until: None, part: "" };
        let spare = Spare::open(&state, now).await.unwrap();
        let person = Person::named(Uuid::from_u128(1), "Anna Example".into());
        let window = Window::new(now - TimeDelta::hours(1), now);
        let found = Finding::new("unusual_activity", "unusual_activity:1".to_owned(), person, window);
        let mut alerts = [Alert::from_finding(&found, &context)];
        spare.outbox.keep::<Finding>(&[], &[], &mut alerts, &dead, &moment).await.unwrap();
        spare.outbox.drain(&dead, now).await.unwrap();
        spare.close().await;
        let is_there = || Place::all(&state, "spare").iter().any(Place::is_taken);

        clear(&state, &dead, (now + TimeDelta::seconds(10)).with_timezone(&UTC)).await;
        assert!(is_there(), "it was put off for a minute");
        let path = folder.path().join("alerts.ndjson");
        let renamed = [Channel::file(&path)];
        clear(&state, &renamed, (now + TimeDelta::seconds(20)).with_timezone(&UTC)).await;
        assert!(is_there(), "it waits for the channel that is there now");
        clear(&state, &renamed, (now + TimeDelta::seconds(30)).with_timezone(&UTC)).await;
        assert!(!is_there());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
