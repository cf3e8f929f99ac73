//! The lease of a store on a server: what the lock file is for a store in a file, for hosts that share nothing but the server. It ends by
//! itself when its holder dies, so it has a number that only grows: whoever holds an older one changes nothing any more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::postgres::micros;
use crate::schema::{Component, Migration};
use crate::statement::Row;
use crate::store::{Engine, Store};
use crate::work::With;

const COMPONENT: Component = Component {
    name: "lease",
    steps: &[],
    on_server: &[Migration { number: 1, name: "leases", sql: include_str!("migrations/postgres/lease.sql") }],
};

/// By the clock of the server: those of hosts are not believed.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Lets the next run in.
const END: &str = "UPDATE lease SET until_us = 0 WHERE fence = ?";

/// The result of asking for the lease.
#[derive(Debug)]
pub enum Leased {
    /// It is ours until the value is ended or dropped, or the process has not renewed it for its whole time.
    Taken(Lease),
    /// Another run holds it.
    Held {
        /// When that run took it, by the clock of the server.
        since: Option<DateTime<Utc>>,
        /// What the server takes for now.
        asked_at: Option<DateTime<Utc>>,
        /// Where that run is, by its own account.
        holder: String,
    },
}

/// A lease held by this run, and renewed every third of its time. While it lasts, every write of this store and its clones fails with
/// [`Error::LeaseLost`] once it has passed to another run. One that is dropped is ended in the background, if the process lasts so long.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    fence: i64,
    has_ended: bool,
    _renewal: oneshot::Sender<()>,
}

impl Store {
    /// Asks for the lease of this portal, for so long from now on; `holder` is told to whoever finds it held. Whoever does not wait for the
    /// answer does not get it.
    ///
    /// # Errors
    /// Of the server; [`Error::Url`] for a store in a file, which has [`RunLock`](crate::RunLock).
    pub async fn lease(&self, holder: &str, time: Duration) -> Result<Leased, Error> {
        let Engine::Postgres(server) = self.engine() else { return Err(Error::Url) };
        self.migrate(&COMPONENT).await?;
        let take = format!(
            "INSERT INTO lease (job, holder, fence, since_us, until_us) VALUES ('run', ?1, 1, {NOW}, {NOW} + ?2)
             ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, since_us = excluded.since_us,
                 until_us = excluded.until_us
             WHERE lease.until_us < excluded.since_us RETURNING fence"
        );
        let (asker, _waiting) = oneshot::channel::<()>();
        let (server, store) = (server.clone(), self.clone());
        let values = [holder.into(), micros(time).into()];
        let work = move |with: With<'_>| {
            let With::Postgres(on, session) = with else { return Ok(None) };
            // a process that ends before it commits has taken nothing
            on.begin(session, "BEGIN")?;
            let taken = session.query(&take, &values)?;
            if asker.is_closed() {
                session.script("ROLLBACK")?;
                return Ok(None);
            }
            session.script("COMMIT")?;
            let Some(taken) = taken.first() else { return Ok(None) };
            let fence = taken.try_get(0)?;
            server.set_fence(Some((fence, time)));
            let (end, ended) = oneshot::channel();
            server.renew(fence, time, ended);
            Ok(Some(Lease { store, fence, has_ended: false, _renewal: end }))
        };
        if let Some(lease) = self.work("taking the lease", work).await? {
            return Ok(Leased::Taken(lease));
        }
        let sql = format!("SELECT since_us, {NOW}, holder FROM lease WHERE job = 'run'");
        let held = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?, row.text(2)?.to_owned()));
        let (since, now, holder) = self.row("looking who has the lease", sql, [], held).await?.unwrap_or_default();
        let (since, asked_at) = (DateTime::from_timestamp_micros(since), DateTime::from_timestamp_micros(now));
        Ok(Leased::Held { since, asked_at, holder })
    }

    /// Whether this run may still act: whatever holds it off others has not passed to one of them, and does not for the time of a lease
    /// from now on. A lock of a file lasts as long as its process.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]; others of the server, in which case nobody knows.
    pub async fn may_act(&self) -> Result<(), Error> {
        let look = |with: With<'_>| match with {
            With::Sqlite(_) => Ok(()),
            With::Postgres(server, session) => server.prolong(session),
        };
        match self.engine() {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(_) => self.work("checking the lease", look).await,
        }
    }
}

impl Lease {
    /// Lets the next run in.
    ///
    /// # Errors
    /// Of the server. The lease then ends with its time.
    pub async fn end(mut self) -> Result<(), Error> {
        let done = self.store.execute("ending the lease", END, [self.fence.into()]).await;
        self.has_ended = true;
        done?;
        if let Engine::Postgres(server) = self.store.engine() {
            server.set_fence(None);
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.has_ended
            && let Engine::Postgres(server) = self.store.engine()
        {
            server.in_background(END, self.fence);
        }
    }
}
