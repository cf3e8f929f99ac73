//! What every run does with what is open: it takes back what nobody has confirmed.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
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
    let entries = kept.entries().await?;
    settled.left = forgotten(&entries);
    let clocks = Clocks { portal: unsettled.client.portal_now(), here: unsettled.present() };
    for entry in entries.iter().filter(|entry| is_followed(entry, clocks)) {
        let live = Live::new(client(config, &unsettled.client), unsettled.present());
        let Some(after) = follow((&kept, &live), &entry.id, (false, false)).await? else { continue };
        let said = after.said.iter().skip(entry.said.len());
        settled.said.extend(said.map(|said| said.words.to_string()));
        settled.left = settled.left.or(left(entry.state, &after, live.clocks()));
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

/// Whether a run looks at an application: it is open, or others' writes may still come to light. Either clock may have been wrong when it
/// ended, so both have to say that it is long ago.
pub(super) fn is_followed(entry: &Entry, clocks: Clocks) -> bool {
    let is_late = |ended: Option<DateTime<Utc>>, now: DateTime<Utc>| ended.is_some_and(|ended| now - ended < LATE);
    let portal = clocks.portal.unwrap_or(clocks.here);
    entry.state.is_open() || is_late(entry.ended, portal) || is_late(entry.ended_here, clocks.here)
}

/// Why a run that has followed an application, which was in the state `before`, ends with 1.
pub(super) fn left(before: State, after: &Entry, clocks: Clocks) -> Option<String> {
    let is_due = after.state.is_open() && is_past(after, clocks);
    let is_new_conflict = after.state == State::Conflict && before != State::Conflict;
    let is_left = after.state == State::Reverting || is_due || is_new_conflict;
    let last = after.said.last().map(|said| said.words.to_string());
    is_left.then(|| last.unwrap_or_else(|| "the address list was not taken back".to_owned()))
}

/// The lists that may have to be taken back, of a run that cannot look: of one store, or of all in a folder.
pub(crate) fn waits_beside(place: &Path) -> Vec<String> {
    let beside = std::fs::read_dir(place).into_iter().flatten().filter_map(Result::ok).map(|file| file.path());
    let mut stores: Vec<PathBuf> = if place.is_dir() { beside.collect() } else { vec![place.to_owned()] };
    stores.retain(|path| !place.is_dir() || path.extension().is_some_and(|ending| ending == marker::ENDING));
    stores.sort();
    stores.iter().filter_map(|store| marker::waits(store)).collect()
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
