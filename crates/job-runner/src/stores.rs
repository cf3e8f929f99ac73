//! The store of a run, and what a run goes on with when its store fails, whenever that is: a temporary one for what it reads, and a file
//! beside the lock for what it tells, so that the next run without memory does not tell it again.

use std::fs;
use std::path::{Path, PathBuf};

use alerting::{Channel, Outbox};
use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use event_archive::Archive;
use job_store::Store;
use tracing::debug;

use crate::memory::Memory;
use crate::state_path::StatePaths;

/// The reports of runs without memory say so once an hour.
const TOLD_EVERY: TimeDelta = TimeDelta::hours(1);

/// Names in the memory of the file beside the lock.
const SINCE: &str = "without_memory";
const TOLD: &str = "without_memory_told";

/// What a run remembers with.
pub(crate) struct Stores {
    pub(crate) store: Store,
    pub(crate) archive: Archive,
    pub(crate) outbox: Outbox,
    /// Set when this is not the memory of earlier runs.
    pub(crate) lost: Option<Lost>,
}

/// That a run has no memory.
pub(crate) struct Lost {
    /// For the report: why, and since when.
    pub(crate) note: String,
    /// Whether a report that has nothing else to say says this.
    pub(crate) is_news: bool,
    /// Where what is told meanwhile is remembered.
    spare: Option<Store>,
}

impl Stores {
    /// The store behind `paths`; in a dry run a copy of it.
    ///
    /// # Errors
    /// When it cannot be used; then [`without_memory`](Self::without_memory).
    pub(crate) async fn open(paths: &StatePaths, part: &str, dry_run: bool) -> anyhow::Result<Self> {
        // `--state`, and a setting in a file that was named without a folder, may be relative
        let path = std::path::absolute(&paths.store).context("cannot tell the current folder")?;
        let store = match dry_run {
            true => Store::snapshot_of(&path).await?,
            false => {
                paths.adopt_former_store().context("cannot take over the store of an earlier version")?;
                Store::open(&url_of(&path)).await?
            }
        };
        Stores::of(store, part).await
    }

    async fn of(store: Store, part: &str) -> anyhow::Result<Self> {
        let archive = Archive::open(store.clone()).await?.for_part(part);
        let outbox = Outbox::open(store.clone()).await?;
        Ok(Stores { store, archive, outbox, lost: None })
    }

    /// A temporary store, because the other one has failed.
    ///
    /// # Errors
    /// There is no room for temporary files either.
    pub(crate) async fn without_memory(
        why: &anyhow::Error,
        paths: &StatePaths,
        part: &str,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let stores = Stores::of(Store::temporary().await?, part).await?;
        let spare = match dry_run {
            true => None,
            false => open_spare(&spare_path(paths)).await,
        };
        let mut outbox = stores.outbox;
        let (mut since, mut is_news) = (now, true);
        if let Some((spare, spare_outbox)) = &spare {
            outbox = spare_outbox.clone();
            (since, is_news) = remembered(spare, now).await.unwrap_or((now, true));
        }
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let note = format!("this run has no memory, and none has had any since {since}: {why:#}");
        let lost = Lost { note, is_news, spare: spare.map(|(spare, _)| spare) };
        Ok(Stores { outbox, lost: Some(lost), ..stores })
    }

    pub(crate) fn has_memory(&self) -> bool {
        self.lost.is_none()
    }

    /// The report has said that there is no memory.
    pub(crate) async fn told(&self, now: DateTime<Utc>) {
        let Some(Lost { is_news: true, spare: Some(spare), .. }) = &self.lost else { return };
        let kept = async { Memory::open(spare).await?.keep(TOLD, "", now).await };
        if let Err(failure) = kept.await {
            debug!("the next report says again that there is no memory: {:#}", anyhow::Error::new(failure));
        }
    }

    pub(crate) async fn close(self) {
        if let Some(Lost { spare: Some(spare), .. }) = self.lost {
            spare.close().await;
        }
        self.store.close().await;
    }
}

/// Sends what runs without memory have left waiting; then nobody needs their file any more.
pub(crate) async fn clear_spare(paths: &StatePaths, channels: &[Channel], now: DateTime<Utc>) {
    let path = spare_path(paths);
    if !path.exists() {
        return;
    }
    let waits = match open_spare(&path).await {
        None => false,
        Some((spare, outbox)) => {
            let drained = outbox.drain(channels, now).await;
            spare.close().await;
            drained.is_ok_and(|drained| drained.left > 0 || !drained.refused.is_empty() || drained.critical > 0)
        }
    };
    if !waits && let Err(failure) = fs::remove_file(&path) {
        debug!("the memory of runs without memory stays: {failure}");
    }
}

/// Whether a failure is one of the store, so that the same work may succeed with another one.
pub(crate) fn is_of_store(failure: &anyhow::Error) -> bool {
    failure.chain().any(|cause| cause.is::<job_store::Error>() || cause.is::<sqlx::Error>())
}

/// `None` when there is no room for it: then what is told is told again.
async fn open_spare(path: &Path) -> Option<(Store, Outbox)> {
    let opened = async {
        let path = std::path::absolute(path)?;
        let store = Store::open(&url_of(&path)).await?;
        let outbox = Outbox::open(store.clone()).await?;
        anyhow::Ok((store, outbox))
    };
    opened.await.inspect_err(|failure| debug!("what is told will be told again: {failure:#}")).ok()
}

/// Since when there is no memory, and whether that is to be told again.
async fn remembered(spare: &Store, now: DateTime<Utc>) -> Result<(DateTime<Utc>, bool), job_store::Error> {
    let memory = Memory::open(spare).await?;
    let since = match memory.get(SINCE).await? {
        Some((_, since)) => since,
        None => {
            memory.keep(SINCE, "", now).await?;
            now
        }
    };
    let told = memory.get(TOLD).await?.map(|(_, told)| told);
    let is_news = told.is_none_or(|told| !(TimeDelta::zero()..TOLD_EVERY).contains(&(now - told)));
    Ok((since, is_news))
}

fn spare_path(paths: &StatePaths) -> PathBuf {
    paths.lock.with_extension("spare")
}

fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}
