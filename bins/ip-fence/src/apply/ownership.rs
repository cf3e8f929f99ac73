//! Whose entries are whose, as the journal says: also where the process that confirmed or took back has ended in between.

use chrono::{DateTime, Utc};
use event_archive::Archive;
use job_store::Store;

use super::entry::{Entry, State};
use super::journal::Kept;
use super::run::Ledger as _;
use crate::plan::file::ownership::own_entries_confirmed;

/// Remembers what became ours with the last list that was confirmed, and forgets what of it was taken back. Twice is as once.
///
/// # Errors
/// Of the store.
pub(super) async fn keep_ownership(kept: &Kept, store: &Store, now: DateTime<Utc>) -> anyhow::Result<()> {
    let entries = kept.entries().await?;
    let archive = Archive::open(store.clone()).await?;
    let mut is_restored = false;
    for entry in entries.iter().filter(|entry| entry.is_owned && entry.state == State::Restored) {
        is_restored = true;
        let mut own = archive.own_entries().await?;
        own.retain(|own| own.plan != entry.intent.plan);
        archive.keep_own_entries(&own, now).await?;
        owned(kept, entry, false).await?;
    }
    let Some(last) = entries.iter().rfind(|entry| entry.state == State::Confirmed) else { return Ok(()) };
    // what was taken back may have removed what an earlier one had made ours
    let is_known = last.is_owned && !is_restored;
    if let (false, Some(plan), Some(confirmation)) = (is_known, &last.plan, &last.confirmation) {
        own_entries_confirmed(&archive, plan, confirmation.at).await?;
        owned(kept, last, true).await?;
    }
    Ok(())
}

async fn owned(kept: &Kept, entry: &Entry, is_owned: bool) -> anyhow::Result<()> {
    kept.decide(&entry.id, |entry| Entry { is_owned, ..entry.clone() }).await
}
