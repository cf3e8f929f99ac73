//! What keeps runs of one program on one portal apart: the lock beside a file, or the lease of a store on a server.

use std::time::Duration;

use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Acquired, Error, Lease, Leased, OnServer, RunLock, Store};
use report::words::instant;
use tokio::time::timeout;
use tracing::debug;

use crate::state_path::State;
use crate::stop::Ended;

/// So long a lease lasts without being renewed, which happens every third of it: two renewals in a row may fail, and a host that dies keeps
/// the others waiting for no longer.
const LEASE: Duration = Duration::from_secs(90);

/// How long whoever has ended a command waits for its lease to end.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The lock or the lease, held by this process.
pub(crate) enum Hold {
    Lock(RunLock),
    Lease { store: Store, lease: Lease },
}

/// The result of asking for it.
pub(crate) enum Asked {
    Ours(Hold),
    Held(HeldBy),
}

/// Another run, which has it.
pub(crate) struct HeldBy {
    /// Since when, and for how long: by that run's own clock, or by the server's.
    since: Option<(DateTime<Utc>, TimeDelta)>,
    /// On which host, where that is not this one.
    holder: Option<String>,
}

impl HeldBy {
    /// Since when, if it is longer than that.
    pub(crate) fn longer_than(&self, limit: TimeDelta) -> Option<DateTime<Utc>> {
        self.since.filter(|(_, lasting)| *lasting > limit).map(|(since, _)| since)
    }

    /// As the beginning of a sentence: `another run`, `another run (host a, process 7)`.
    pub(crate) fn run(&self) -> String {
        let holder = self.holder.as_ref().map(|holder| format!(" ({holder})"));
        format!("another run{}", holder.unwrap_or_default())
    }

    /// The same of one that began long ago.
    pub(crate) fn run_of(&self, since: DateTime<Utc>) -> String {
        let holder = self.holder.as_ref().map(|holder| format!(" ({holder})"));
        format!("a run that began at {}{}", instant(since), holder.unwrap_or_default())
    }

    pub(crate) fn is_lease(&self) -> bool {
        self.holder.is_some()
    }
}

/// Asks for the lock or the lease of a state, without waiting. A store on a server is opened for that.
///
/// # Errors
/// The lock cannot be made, or the server cannot be used.
pub(crate) async fn take(state: &State, now: DateTime<Utc>) -> Result<Asked, Error> {
    let asked = take_of(state, now, async |place| Store::on_server(place).await).await?;
    if let Asked::Ours(Hold::Lease { store, .. }) = &asked
        && let Err(moved) = store.in_use().await
    {
        // while the lease was asked for
        if let Asked::Ours(hold) = asked {
            hold.end().await;
        }
        return Err(moved);
    }
    Ok(asked)
}

/// The same of a store that may have been moved, to move it.
///
/// # Errors
/// Those of [`take`].
pub(crate) async fn take_to_move(state: &State, now: DateTime<Utc>) -> Result<Asked, Error> {
    take_of(state, now, async |place| Store::on_server_to_move(place).await).await
}

async fn take_of(
    state: &State,
    now: DateTime<Utc>,
    open: impl AsyncFnOnce(&OnServer) -> Result<Store, Error>,
) -> Result<Asked, Error> {
    let server = match state {
        State::Files(paths) => {
            return Ok(match RunLock::acquire(&paths.lock, now)? {
                Acquired::Locked(lock) => Asked::Ours(Hold::Lock(lock)),
                Acquired::Held { since } => {
                    Asked::Held(HeldBy { since: since.map(|since| (since, now - since)), holder: None })
                }
            });
        }
        State::Server(server) => server,
    };
    let store = open(&server.place).await?;
    Ok(match store.lease(&myself(), LEASE).await? {
        Leased::Taken(lease) => Asked::Ours(Hold::Lease { store, lease }),
        Leased::Held { since, asked_at, holder } => {
            store.close().await;
            let since = since.zip(asked_at).map(|(since, asked_at)| (since, asked_at - since));
            Asked::Held(HeldBy { since, holder: Some(shown_holder(&holder)) })
        }
    })
}

/// What the holder of a lease said of itself, on one line.
pub(crate) fn shown_holder(holder: &str) -> String {
    PortalText::new(holder).for_terminal_within(200)
}

/// For whoever finds the lease held.
fn myself() -> String {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = "a host".to_owned();
    format!("{host}, process {}", std::process::id())
}

impl Hold {
    /// The store on a server that the lease is of; stores in files are opened by whoever has the lock.
    pub(crate) fn store(&self) -> Option<&Store> {
        match self {
            Hold::Lock(_) => None,
            Hold::Lease { store, .. } => Some(store),
        }
    }

    /// Whether an earlier run has had a store, so that one that is missing was taken away.
    pub(crate) fn had_store(&self) -> bool {
        match self {
            Hold::Lock(lock) => lock.had_store(),
            Hold::Lease { .. } => false,
        }
    }

    /// Notes for later runs that there is a store; a server needs no such note.
    ///
    /// # Errors
    /// The lock file cannot be written.
    pub(crate) fn note_store(&mut self) -> std::io::Result<()> {
        match self {
            Hold::Lock(lock) => lock.note_store(),
            Hold::Lease { .. } => Ok(()),
        }
    }

    /// Does some work with the store, which `open` opens where it is in a file, and lets the next run in, whatever becomes of the work. Of work
    /// that somebody has ended, a transaction may still wait in the server: then the lease ends with its time.
    ///
    /// # Errors
    /// Those of `open` and `work`.
    pub(crate) async fn with_store<T>(
        self,
        open: impl Future<Output = anyhow::Result<Store>>,
        work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let done = match &self {
            Hold::Lease { store, .. } => work(store).await,
            Hold::Lock(_) => match open.await {
                Ok(store) => {
                    let done = work(&store).await;
                    store.close().await;
                    done
                }
                Err(failure) => Err(failure),
            },
        };
        match &done {
            Err(failure) if failure.is::<Ended>() => drop(timeout(LONGEST_END, self.end()).await),
            _ => self.end().await,
        }
        done
    }

    /// Lets the next run in.
    pub(crate) async fn end(self) {
        if let Hold::Lease { store, lease } = self {
            if let Err(failure) = lease.end().await {
                debug!("the lease ends with its time: {:#}", anyhow::Error::new(failure));
            }
            store.close().await;
        }
    }
}

/// Whether a failure says that the lease has passed to another run.
pub(crate) fn is_lost(failure: &anyhow::Error) -> bool {
    failure.chain().any(|cause| matches!(cause.downcast_ref(), Some(Error::LeaseLost { .. })))
}
