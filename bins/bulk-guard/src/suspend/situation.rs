//! What is so for a whole run, as the portal and the store say now.

use chrono::{DateTime, Utc};
use docspace_client::Client;
use event_archive::Archive;
use job_store::{Journal, JournalState, Store, Write};
use serde_json::json;

use crate::config::Config;
use crate::drill::book;
use crate::suspend::seen::{Asked, Situation};
use crate::suspend::terms::FRESH;

/// What whoever starts a run knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) asked: Asked,
    /// `--since` or `--until` was given.
    pub(crate) has_window: bool,
    pub(crate) is_dry_run: bool,
    pub(crate) has_lock: bool,
    /// When a channel last took a test alert.
    pub(crate) proven_at: Option<DateTime<Utc>>,
}

/// Asks what is so. `now` is the present, by the portal's clock where that is known.
///
/// # Errors
/// The portal does not tell whose key it is; of the store.
pub(crate) async fn situation(
    config: &Config,
    client: &Client,
    (store, archive): (&Store, &Archive),
    given: Given,
    now: DateTime<Utc>,
) -> anyhow::Result<Situation> {
    let Given { asked, has_window, is_dry_run, has_lock, proven_at } = given;
    let own = client.identity().await?.person.id;
    let enforced_since = enforced_since(config, store, is_dry_run, now).await?;
    let key_ends = match enforced_since {
        Some(_) => client.key().await?.and_then(|key| key.expires),
        None => None,
    };
    let looked = archive.judged().await?.looked;
    let is_after_pause = looked.is_none_or(|looked| now - looked > FRESH);
    let drill = book::at_work(store, now).await?;
    let asked_by = (!config.asked_by.is_empty()).then(|| config.asked_by.clone());
    Ok(Situation {
        own,
        enforced_since,
        asked,
        asked_by,
        drill,
        has_window,
        is_after_pause,
        is_dry_run,
        has_lock,
        proven_at,
        key_ends,
    })
}

/// Name in the journal of when the settings said `enforce`; open for as long as they do.
const KIND: &str = "enforce";

/// Since when the settings say `enforce`, as far as runs have seen; `None`: they do not. Notes it.
///
/// # Errors
/// Of the store.
pub(crate) async fn enforced_since(
    config: &Config,
    store: &Store,
    is_dry_run: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<DateTime<Utc>>> {
    let journal = Journal::open(store.clone()).await?;
    let open = journal.open_of_kind(KIND).await?;
    let since = open.iter().map(|entry| entry.created_at).max();
    match (config.is_enforcing(), since) {
        (true, Some(since)) => Ok(Some(since)),
        (true, None) if is_dry_run => Ok(Some(now)),
        (true, None) => {
            let key = format!("{KIND} {}", now.to_rfc3339());
            let note = move |write: &Write<'_>| journal.plan(write, (&key, KIND, ""), &json!({}), now).map(drop);
            store.write("noting that the settings say `enforce`", note).await?;
            Ok(Some(now))
        }
        (false, _) if is_dry_run => Ok(None),
        (false, _) => {
            if !open.is_empty() {
                let end = move |write: &Write<'_>| {
                    let done = |key: &str| journal.advance(write, key, JournalState::Done, &json!({}), now);
                    open.iter().try_for_each(|entry| done(&entry.key))
                };
                store.write("noting that the settings do not say `enforce` any more", end).await?;
            }
            Ok(None)
        }
    }
}
