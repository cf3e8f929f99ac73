//! What every run does with what is open: it takes back what nobody has confirmed.

use chrono::TimeDelta;
use docspace_client::{ApiKey, Client};
use job_runner::environment::Environment;
use job_runner::secret::find_key;
use job_runner::{Settled, Unsettled};
use tracing::warn;

use super::entry::{Entry, State};
use super::journal::Kept;
use super::marker;
use super::ownership::keep_ownership;
use super::portal::Live;
use super::run::{Ledger, follow};
use super::seen::{Clocks, is_past};
use crate::apply::run::Portal;
use crate::config::Config;

/// So long after its end others' writes are looked for that came to light late.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Settles what is open. A clock that is wrong keeps nobody from that: the deadline is kept by both clocks, and doubt counts as over.
///
/// # Errors
/// Of the store.
pub(crate) async fn settle(config: &Config, unsettled: &Unsettled) -> anyhow::Result<Settled> {
    let now = unsettled.now;
    let file = unsettled.store_file.as_deref();
    let forgotten = |entries: &[Entry]| file.and_then(|file| marker::forgotten(file, entries));
    let mut settled = Settled::default();
    let Some(store) = &unsettled.store else {
        settled.left = forgotten(&[]);
        return Ok(settled);
    };
    let kept = Kept::open(store.clone(), now).await;
    if unsettled.only_looks {
        let entries = async { anyhow::Ok(kept?.entries().await?) }.await.unwrap_or_default();
        settled.left = overdue(&entries, unsettled).or_else(|| forgotten(&entries));
        return Ok(settled);
    }
    let kept = kept?.speaking(unsettled.voice.clone());
    kept.hand_on().await?;
    settled.left = forgotten(&kept.entries().await?);
    let here = unsettled.client.portal_now().unwrap_or(now);
    let is_followed = |entry: &&Entry| entry.state.is_open() || entry.ended.is_some_and(|ended| here - ended < LATE);
    for entry in kept.entries().await?.iter().filter(is_followed) {
        let live = Live::new(client(config, &unsettled.client), unsettled.present());
        let Some(after) = follow((&kept, &live), &entry.id, (false, false)).await? else { continue };
        let said = after.said.iter().skip(entry.said.len());
        settled.said.extend(said.map(|said| said.words.to_string()));
        let is_due = after.state == State::Switched && is_past(&after, live.clocks());
        let is_new_conflict = after.state == State::Conflict && entry.state != State::Conflict;
        if after.state == State::Reverting || is_due || is_new_conflict {
            let last = after.said.last().map(|said| said.words.to_string());
            settled.left = settled.left.or(last.or(Some("the address list was not taken back".to_owned())));
        }
    }
    keep_ownership(&kept, store, now).await?;
    if let Some(file) = file {
        marker::clear(file, &kept.entries().await?);
    }
    if settled.left.is_some() {
        // the run may end before its report is told
        unsettled.voice.deliver(now).await;
    }
    Ok(settled)
}

/// What a run that changes nothing leaves to the next one.
fn overdue(entries: &[Entry], unsettled: &Unsettled) -> Option<String> {
    let clocks = Clocks { portal: unsettled.client.portal_now(), here: unsettled.present() };
    let is_overdue = |entry: &&Entry| entry.state.is_open() && is_past(entry, clocks);
    let entry = entries.iter().find(is_overdue)?;
    Some(format!(
        "the address list of plan {} is to be taken back ({}), and this run may not change anything",
        entry.intent.plan,
        entry.state.word()
    ))
}

/// The client with the key that may write, where there is one; else with that of the run, which the portal may refuse.
fn client(config: &Config, client: &Client) -> Client {
    let Some(path) = config.apply_key_file.as_ref().map(|path| path.as_path()) else { return client.with_details() };
    match find_key(Some(path), &Environment::default(), None) {
        Ok(found) => client.with_key(ApiKey::new(found.key)),
        Err(error) => {
            warn!("the key that may write the address list cannot be read: {error}");
            client.with_details()
        }
    }
}
