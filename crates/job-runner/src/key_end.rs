//! A key that dies soon is announced before it does: by ordinary runs, once a week.

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Client;
use job_store::Store;
use tracing::debug;

use crate::memory::Memory;

/// So long before its end a key is worth a word: time for a person on holiday to come back and make a new one.
pub(crate) const NOTICE: TimeDelta = TimeDelta::days(21);

/// How often it is announced: often enough that three announcements come before the end, seldom enough to be read.
const EVERY: TimeDelta = TimeDelta::days(7);

/// The end of a key rarely changes, and each question costs the portal two slow hashes.
const ASKED_EVERY: TimeDelta = TimeDelta::hours(24);

/// Names in the memory.
const END: &str = "key_end";
const TOLD: &str = "key_end_told";

/// What this run knows of the end of its key.
#[derive(Debug, Default)]
pub(crate) struct KeyWatch {
    /// `None` for never, and when nobody can tell.
    pub(crate) expires: Option<DateTime<Utc>>,
    /// What this run has to say about it.
    pub(crate) note: Option<String>,
}

impl KeyWatch {
    /// Looks the end up, at the portal once a day (`may_ask`). Failing at it is no failure of the run.
    pub(crate) async fn look(store: &Store, client: &Client, may_ask: bool, now: DateTime<Utc>) -> Self {
        let looked = async {
            let memory = Memory::open(store).await?;
            let Some(expires) = end(&memory, client, may_ask, now).await? else { return Ok(KeyWatch::default()) };
            // the portal's clock decides when a key is dead
            let there = client.portal_clock().unwrap_or(now);
            let told = memory.get(TOLD).await?.filter(|(which, _)| *which == expires.to_rfc3339()).map(|(_, at)| at);
            let note = is_due(expires, there, told, now).then(|| note(expires, there));
            anyhow::Ok(KeyWatch { expires: Some(expires), note })
        };
        looked.await.unwrap_or_else(|failure| {
            debug!("the end of the key is not known: {failure:#}");
            KeyWatch::default()
        })
    }

    /// The note was printed.
    pub(crate) async fn told(&self, store: &Store, now: DateTime<Utc>) {
        let (Some(expires), Some(_)) = (self.expires, &self.note) else { return };
        let kept = async { Memory::open(store).await?.keep(TOLD, &expires.to_rfc3339(), now).await };
        if let Err(failure) = kept.await {
            debug!("the end of the key will be told again: {:#}", anyhow::Error::new(failure));
        }
    }
}

/// When the key dies, as remembered for a day under the key's own last digits: a new key is asked about at once.
async fn end(
    memory: &Memory<'_>,
    client: &Client,
    may_ask: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<DateTime<Utc>>> {
    let name = format!("{END} {}", client.key_postfix());
    let known = memory.get(&name).await?;
    let is_fresh = known.as_ref().is_some_and(|(_, at)| (TimeDelta::zero()..ASKED_EVERY).contains(&(now - *at)));
    if may_ask && !is_fresh {
        let expires = client.key().await?.and_then(|facts| facts.expires);
        memory.keep(&name, &expires.map(|at| at.to_rfc3339()).unwrap_or_default(), now).await?;
        return Ok(expires);
    }
    Ok(known.and_then(|(value, _)| DateTime::parse_from_rfc3339(&value).ok()).map(|at| at.to_utc()))
}

/// Whether the end is to be told: it is near, and was not told within a week. `there` is the portal's clock, `now` ours.
fn is_due(expires: DateTime<Utc>, there: DateTime<Utc>, told: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let was_told = told.is_some_and(|told| (TimeDelta::zero()..EVERY).contains(&(now - told)));
    expires - there < NOTICE && !was_told
}

fn note(expires: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let date = expires.date_naive();
    format!(
        "the API key expires on {date}, {}; create a new key and put it in place of the old one",
        in_days(expires, now)
    )
}

/// How long until `at`, in whole days.
pub(crate) fn in_days(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match (at - now).num_days() {
        ..=0 => "within a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    #[test]
    fn the_end_is_told_three_weeks_before_and_then_weekly() {
        let end = day(100);
        for (now, told, expected) in [
            (78, None, false),
            (79, None, false),
            (80, None, true),
            (81, Some(80), false),
            (86, Some(80), false),
            (87, Some(80), true),
            (99, Some(87), true),
            (101, Some(99), false),
            // a clock that was set back
            (85, Some(90), true),
        ] {
            assert_eq!(is_due(end, day(now), told.map(day), day(now)), expected, "day {now}, told {told:?}");
        }
    }

    #[test]
    fn the_portals_clock_decides_how_near_it_is() {
        assert!(is_due(day(100), day(80), None, day(10)));
        assert!(!is_due(day(100), day(10), None, day(80)));
        assert_eq!(
            note(day(100), day(95)),
            "the API key expires on 1970-04-11, in 5 days; create a new key and put it in place of the old one"
        );
        assert!(note(day(100), day(100)).contains("within a day"));
    }
}
