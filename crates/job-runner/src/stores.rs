//! The store of a run, and what a run goes on with when its store fails, whenever that is: a temporary one for what it reads, and a spare
//! one for what it tells.

use alerting::Outbox;
use anyhow::Context;
use chrono::{DateTime, Utc};
use event_archive::Archive;
use job_store::{OnServer, Store};
use report::words::instant;

use crate::explained::Explained;
use crate::former;
use crate::gone;
use crate::keeping::open_all;
use crate::spare::Spare;
use crate::state_path::{State, StatePaths, url_of};

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
    /// Whoever holds the lease of the store closes it.
    is_leased: bool,
}

/// That a run has no memory.
pub(crate) struct Lost {
    /// For the report: why, and since when.
    pub(crate) note: String,
    /// Whether a report that has nothing else to say says this.
    pub(crate) is_news: bool,
    /// Where what is told meanwhile is remembered.
    spare: Option<Spare>,
    /// Another run has the lease by now.
    is_passed_on: bool,
}

impl Stores {
    /// The store of a run; in a dry run a copy of it. `on_server` is the one that its lease is of, or why there is none. `had_store` tells
    /// a file that was taken away from one that never was, and a dry run, which has no lock, looks itself.
    ///
    /// # Errors
    /// When it cannot be used; then [`without_memory`](Self::without_memory).
    pub(crate) async fn open(
        state: &State,
        on_server: Option<anyhow::Result<Store>>,
        part: &str,
        dry_run: bool,
        had_store: bool,
    ) -> anyhow::Result<Self> {
        if let Some(store) = on_server {
            return Ok(Stores { is_leased: true, ..Stores::of(store?, part).await? });
        }
        let State::Files(paths) = state else {
            return Stores::of(copy_of(state).await?.store, part).await;
        };
        if dry_run {
            let gone = gone::look(paths).map(|gone| format!("{gone}; this dry run has none"));
            let copy = copy_of(state).await?;
            let stores = Stores::of(copy.store, part).await?;
            return Ok(Stores { note: copy.note, gone, ..stores });
        }
        former::adopt(paths).context("cannot take over the store of an earlier version")?;
        let gone = (had_store && !paths.store.exists()).then(|| {
            let store = paths.store.display();
            format!("the memory of earlier runs is gone, because {store} no longer exists; this run has created a new one, and does not know what was reported before or left open")
        });
        let stores = Stores::of(open_file(paths).await?, part).await?;
        Ok(Stores { gone, ..stores })
    }

    async fn of(store: Store, part: &str) -> anyhow::Result<Self> {
        let archive = Archive::open(store.clone()).await?.for_part(part);
        let outbox = Outbox::open(store.clone()).await?;
        Ok(Stores { store, archive, outbox, lost: None, gone: None, note: None, is_leased: false })
    }

    /// A temporary store, because the other one has failed.
    ///
    /// # Errors
    /// There is no room for temporary files either.
    pub(crate) async fn without_memory(
        why: &anyhow::Error,
        state: &State,
        part: &str,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let stores = Stores::of(Store::temporary().await?, part).await?;
        let spare = if dry_run { None } else { Spare::open(state, now).await };
        let (since, is_news) = spare.as_ref().map_or((None, true), |spare| (Some(spare.since), spare.is_news));
        let since = match since.filter(|since| *since < now) {
            Some(since) => format!("; no run has had one since {}", instant(since)),
            // it is the first
            None if spare.is_some() || dry_run => String::new(),
            None => "; what it reports cannot be remembered elsewhere either".to_owned(),
        };
        let note = format!("this run has no memory of earlier ones: {}{since}", Explained::of(why));
        let outbox = spare.as_ref().map_or(stores.outbox, |spare| spare.outbox.clone());
        Ok(Stores { outbox, lost: Some(Lost { note, is_news, spare, is_passed_on: false }), ..stores })
    }

    /// A temporary store of a run that has lost its lease: the run that has it now knows and tells everything.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub(crate) async fn without_lease(why: &anyhow::Error, part: &str) -> anyhow::Result<Self> {
        let stores = Stores::of(Store::temporary().await?, part).await?;
        let lost = Lost { note: Explained::of(why).to_string(), is_news: true, spare: None, is_passed_on: true };
        Ok(Stores { lost: Some(lost), ..stores })
    }

    pub(crate) fn has_memory(&self) -> bool {
        self.lost.is_none()
    }

    /// Whether another run has the lease by now, and so tells, sends and writes everything.
    pub(crate) fn is_passed_on(&self) -> bool {
        self.lost.as_ref().is_some_and(|lost| lost.is_passed_on)
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
        if !self.is_leased {
            self.store.close().await;
        }
    }
}

/// Whether a failure is one of the store, so that the same work may succeed with another one.
pub(crate) fn is_of_store(failure: &anyhow::Error) -> bool {
    failure.chain().any(|cause| cause.is::<job_store::Error>())
}

/// A store to look at.
pub(crate) struct Copy {
    pub(crate) store: Store,
    /// Whether there is something that it is a copy of; else it is empty.
    pub(crate) is_there: bool,
    /// What people must know of where that is.
    pub(crate) note: Option<String>,
}

/// A temporary copy, so that a run at work is not disturbed and nothing of the store changes.
pub(crate) async fn copy_of(state: &State) -> anyhow::Result<Copy> {
    match state {
        State::Files(paths) => {
            let found = former::find(paths);
            // `--state`, and a setting in a file that was named without a folder, may be relative
            let path = std::path::absolute(found.path).context("cannot tell the current folder")?;
            let store = Store::snapshot_of(&path).await?;
            store.in_use_as(&path).await?;
            Ok(Copy { is_there: path.exists(), store, note: found.note })
        }
        State::Server(server) => {
            let (store, is_there) = copied(&server.place, None).await?;
            Ok(Copy { store, is_there, note: None })
        }
    }
}

/// What a server remembers in some tables, or in all, as such a copy; and whether there is anything.
pub(crate) async fn copied(place: &OnServer, wanted: Option<&'static [&'static str]>) -> anyhow::Result<(Store, bool)> {
    let store = Store::temporary().await?;
    open_all(&store).await?;
    let is_there = store.copy_from_server(place, wanted).await?;
    Ok((store, is_there))
}

/// Opens the store.
pub(crate) async fn open_store(state: &State) -> anyhow::Result<Store> {
    match state {
        State::Files(paths) => open_file(paths).await,
        State::Server(server) => Ok(Store::on_server(&server.place).await?),
    }
}

/// Opens the store in its file, under the name that it has.
async fn open_file(paths: &StatePaths) -> anyhow::Result<Store> {
    let path = std::path::absolute(former::find(paths).path).context("cannot tell the current folder")?;
    Ok(Store::open(&url_of(&path)).await?)
}
