//! The store of a run, and what a run goes on with when its store fails, whenever that is: a temporary one for what it reads, and a spare
//! one for what it tells.

use std::path::Path;

use alerting::Outbox;
use anyhow::Context;
use chrono::{DateTime, Utc};
use event_archive::Archive;
use job_store::Store;
use report::words::instant;

use crate::explained::Explained;
use crate::former;
use crate::gone;
use crate::spare::Spare;
use crate::state_path::{StatePaths, url_of};

/// What a run remembers with.
pub(crate) struct Stores {
    pub(crate) store: Store,
    pub(crate) archive: Archive,
    pub(crate) outbox: Outbox,
    /// Set when this is not the memory of earlier runs.
    pub(crate) lost: Option<Lost>,
    /// Set when this is a new one in the place of one that somebody has taken away.
    pub(crate) gone: Option<String>,
    /// What people must know of where it is.
    pub(crate) note: Option<String>,
}

/// That a run has no memory.
pub(crate) struct Lost {
    /// For the report: why, and since when.
    pub(crate) note: String,
    /// Whether a report that has nothing else to say says this.
    pub(crate) is_news: bool,
    /// Where what is told meanwhile is remembered.
    spare: Option<Spare>,
}

impl Stores {
    /// The store behind `paths`; in a dry run a copy of it. `had_store` tells a store that was taken away from one that never was, and a dry
    /// run, which has no lock, looks itself.
    ///
    /// # Errors
    /// When it cannot be used; then [`without_memory`](Self::without_memory).
    pub(crate) async fn open(paths: &StatePaths, part: &str, dry_run: bool, had_store: bool) -> anyhow::Result<Self> {
        // `--state`, and a setting in a file that was named without a folder, may be relative
        let absolute = |path: &Path| std::path::absolute(path).context("cannot tell the current folder");
        if dry_run {
            let found = former::find(paths);
            let gone = gone::look(paths).map(|gone| format!("{gone}; this dry run has none"));
            let stores = Stores::of(Store::snapshot_of(&absolute(found.path)?).await?, part).await?;
            return Ok(Stores { note: found.note, gone, ..stores });
        }
        former::adopt(paths).context("cannot take over the store of an earlier version")?;
        let gone = (had_store && !paths.store.exists()).then(|| {
            let store = paths.store.display();
            format!("the memory of earlier runs is gone, because {store} no longer exists; this run has created a new one, and does not know what was reported before or left open")
        });
        let stores = Stores::of(Store::open(&url_of(&absolute(&paths.store)?)).await?, part).await?;
        Ok(Stores { gone, ..stores })
    }

    async fn of(store: Store, part: &str) -> anyhow::Result<Self> {
        let archive = Archive::open(store.clone()).await?.for_part(part);
        let outbox = Outbox::open(store.clone()).await?;
        Ok(Stores { store, archive, outbox, lost: None, gone: None, note: None })
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
        let spare = if dry_run { None } else { Spare::open(paths, now).await };
        let (since, is_news) = spare.as_ref().map_or((None, true), |spare| (Some(spare.since), spare.is_news));
        let since = match since.filter(|since| *since < now) {
            Some(since) => format!("; no run has had one since {}", instant(since)),
            // it is the first
            None if spare.is_some() || dry_run => String::new(),
            None => "; what it reports cannot be remembered elsewhere either".to_owned(),
        };
        let note = format!("this run has no memory of earlier ones: {}{since}", Explained::of(why));
        let outbox = spare.as_ref().map_or(stores.outbox, |spare| spare.outbox.clone());
        Ok(Stores { outbox, lost: Some(Lost { note, is_news, spare }), ..stores })
    }

    pub(crate) fn has_memory(&self) -> bool {
        self.lost.is_none()
    }

    /// The report has said that there is no memory.
    pub(crate) async fn told(&self, now: DateTime<Utc>) {
        if let Some(Lost { spare: Some(spare), .. }) = &self.lost {
            spare.told(now).await;
        }
    }

    pub(crate) async fn close(self) {
        if let Some(Lost { spare: Some(spare), .. }) = self.lost {
            spare.close().await;
        }
        self.store.close().await;
    }
}

/// Whether a failure is one of the store, so that the same work may succeed with another one.
pub(crate) fn is_of_store(failure: &anyhow::Error) -> bool {
    failure.chain().any(|cause| cause.is::<job_store::Error>())
}
