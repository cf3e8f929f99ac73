//! The server: connections to it, the lease's number, and what it says when something fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::encryption::Encryption;
use super::rewriting::as_postgres;
use super::session::{Session, within};
use super::url::ServerUrl;
use crate::error::{self, Error};
use crate::statement::{Failure, Why};

/// In use at a time: a run reads some streams within each other, and writes.
const MOST: u32 = 16;

/// How long a network may take to bring anything of what is sent, or an answer to whether the server is there.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// What the driver says of a server that has `ssl = off`.
const NO_TLS: &str = "server does not support TLS";

/// How long a server may take to answer: longer than any statement of ours needs, or waits for another run.
const LONGEST_ANSWER: Duration = Duration::from_secs(120);

/// The same of one that has not answered before.
const AFTER_SILENCE: Duration = Duration::from_secs(5);

/// How long the server waits for the next statement of a transaction that writes. A process that is stopped in one must not keep the lease
/// from the next run.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a store is on a server.
#[derive(Clone, Debug)]
pub struct OnServer {
    pub url: ServerUrl,
    /// The schema: a name of letters, digits and `_`.
    pub schema: String,
    /// Whose rows these are; other portals in the same schema are not seen.
    pub portal: String,
    /// Needed where [`ServerUrl::is_encrypted`] says so.
    pub encryption: Option<Encryption>,
}

#[derive(Debug)]
pub(crate) struct Server {
    config: Config,
    encryption: Option<Encryption>,
    schema: String,
    portal: String,
    /// For messages, without a password.
    name: PathBuf,
    io: Io,
    /// [`LONGEST_ANSWER`] and [`LONGEST_PAUSE`], in milliseconds; in tests less.
    patience: [AtomicU64; 2],
    idle: Mutex<Vec<Session>>,
    in_use: Arc<Semaphore>,
    /// The number of the lease that this run holds, and for how long it is taken.
    fence: Mutex<Option<(i64, Duration)>>,
}

/// Connections are served by a thread of their own, so that a run which judges for a minute does not lose them.
#[derive(Debug)]
struct Io {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Io {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let serve = move || {
            // it ends when the sender is dropped
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("postgresql".to_owned()).spawn(serve)?;
        Ok(Io { handle, _end: end })
    }
}

impl Server {
    /// Connects, and sees to the schema.
    pub(crate) fn connect(place: &OnServer) -> Result<Self, Error> {
        let name = PathBuf::from(format!("{}, schema {}", place.url, place.schema));
        let failed = |source: crate::error::Cause| Error::CannotConnect { path: name.clone(), source };
        if place.schema.is_empty() || !place.schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(failed("the name of a schema consists of letters, digits and `_`".into()));
        }
        if place.url.is_encrypted() && place.encryption.is_none() {
            return Err(failed("nobody has said which certificates are trusted".into()));
        }
        let mut config = place.url.config().clone();
        config.connect_timeout(CONNECT_TIMEOUT).application_name(&place.schema);
        // a statement to a server behind a network that is gone ends
        config.tcp_user_timeout(LONGEST_SILENCE).keepalives_idle(LONGEST_SILENCE / 3);
        config.keepalives_interval(LONGEST_SILENCE / 6).keepalives_retries(4);
        let io = Io::new().map_err(|error| failed(error.into()))?;
        let server = Server {
            config,
            encryption: place.encryption.clone(),
            schema: place.schema.clone(),
            portal: place.portal.clone(),
            name: name.clone(),
            io,
            patience: [LONGEST_ANSWER, LONGEST_PAUSE].map(|limit| AtomicU64::new(millis(limit))),
            idle: Mutex::default(),
            in_use: Arc::new(Semaphore::new(MOST as usize)),
            fence: Mutex::default(),
        };
        Ok(server)
    }

    /// For messages.
    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    /// Connects as a role that row security holds for; changes nothing.
    pub(crate) fn entered(&self) -> Result<Session, Error> {
        let failed = |source| Error::CannotConnect { path: self.name.clone(), source };
        let session = self.open().map_err(|error| self.not_connected(error))?;
        let role =
            "SELECT current_user::text, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)";
        let row = session.wait(session.client.query_one(role, &[])).map_err(|failure| failed(cause(failure)))?;
        if row.get(1) {
            return Err(Error::SeesAllPortals { path: self.name.clone(), role: row.get(0) });
        }
        Ok(session)
    }

    /// Sees whether the role is one that row security holds for, and makes the schema.
    pub(crate) fn look(&self) -> Result<(), Error> {
        let failed = |source| Error::CannotConnect { path: self.name.clone(), source };
        let session = self.entered()?;
        let schema = &self.schema;
        // two that make it at once get in each other's way even with IF NOT EXISTS
        let make = format!(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{schema}')); CREATE SCHEMA IF NOT EXISTS \"{schema}\"; COMMIT"
        );
        let found =
            session.wait(session.client.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&self.schema]));
        if found.map_err(|failure| failed(cause(failure)))?.is_none() {
            session.script(&make).map_err(|failure| failed(cause(failure)))?;
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(())
    }

    /// Why there is no connection, by what can be done about it.
    fn not_connected(&self, failure: Failure) -> Error {
        let path = self.name.clone();
        let error = match failure.0 {
            Why::Postgres(error) => error,
            Why::Known(error) => return *error,
            other => return Error::CannotConnect { path, source: cause(Failure(other)) },
        };
        if let Some(fault) = self.encryption.as_ref().and_then(|encryption| (encryption.explain)(&error)) {
            return Error::Certificate { path, fault };
        }
        let source = std::error::Error::source(&error).map(ToString::to_string);
        if self.encryption.is_some() && source.as_deref() == Some(NO_TLS) {
            return Error::NotEncrypted { path };
        }
        Error::CannotConnect { path, source: said(error) }
    }

    fn open(&self) -> Result<Session, Failure> {
        let handle = self.io.handle.clone();
        let (client, portal) = within(&handle, CONNECT_TIMEOUT, self.client())??;
        // a connection is new for us, and not for the server: it is kept for others at the same time, as far as anybody can tell
        if !portal.is_empty() {
            return Err(self.is_shared());
        }
        Ok(Session::new(client, handle, self.patience(0)))
    }

    fn is_shared(&self) -> Failure {
        Error::SharedConnection { path: self.name.clone() }.into()
    }

    /// Begins a transaction, in which the rows of this portal are seen.
    pub(crate) fn begin(&self, session: &Session, begin: &str) -> Result<(), Failure> {
        let asked = format!("{begin}; SELECT current_setting('job.portal', true)");
        let said = session.wait(session.client.simple_query(&asked))?;
        let portal = said.iter().find_map(|said| match said {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        if portal == Some(self.portal.as_str()) { Ok(()) } else { Err(self.is_shared()) }
    }

    /// Whoever has waited once for a server that says nothing does not wait so long again.
    fn mind_silence(&self, failure: &Failure) {
        if matches!(failure.0, Why::Silence(_)) {
            self.patience[0].fetch_min(millis(AFTER_SILENCE), Ordering::Relaxed);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn patience(&self, of: usize) -> Duration {
        Duration::from_millis(self.patience[of].load(Ordering::Relaxed))
    }

    /// Waits for no longer than this, in connections that are opened from now on.
    #[cfg(feature = "testing")]
    pub(crate) fn be_impatient(&self, limit: Duration) {
        self.patience.iter().for_each(|patience| patience.store(millis(limit), Ordering::Relaxed));
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Connects; on the thread of the connections. Gives whose rows were seen there before, which is nobody's.
    async fn client(&self) -> Result<(Client, String), tokio_postgres::Error> {
        // what breaks a connection is what the client's next statement says
        let client = match &self.encryption {
            Some(encryption) => {
                let (client, connection) = self.config.connect(encryption.connectors()).await?;
                self.io.handle.spawn(connection);
                client
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                self.io.handle.spawn(connection);
                client
            }
        };
        let before =
            client.query_one("SELECT coalesce(current_setting('job.portal', true), '')", &[]).await?.try_get(0)?;
        let sql = "SELECT set_config('job.portal', $1, false), set_config('search_path', $2, false)";
        client.query_one(sql, &[&self.portal, &format!("\"{}\"", self.schema)]).await?;
        client.batch_execute("SET client_min_messages = warning; SET TIME ZONE 'UTC'").await?;
        Ok((client, before))
    }

    /// Begins a transaction in which all answers are of one state of the store.
    pub(crate) fn begin_reading(&self, session: &Session) -> Result<(), Failure> {
        self.begin(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// Waits until one may be used; `None` when the store was closed.
    pub(crate) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.in_use.clone().acquire_owned().await.ok()
    }

    /// Does some work with a connection, on the thread of whoever calls. One whose work failed is not used again.
    pub(crate) fn with<T>(
        &self,
        _permit: &OwnedSemaphorePermit,
        work: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let idle = idle.filter(|session| !session.client.is_closed());
        let mut session = idle.map_or_else(|| self.open(), Ok)?;
        let done = work(&mut session).inspect_err(|failure| self.mind_silence(failure))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(done)
    }

    /// Does some work in a transaction: one at a time for each portal, and none that was begun with a lease which is lost.
    pub(crate) fn all_or_nothing<T>(
        &self,
        session: &Session,
        work: impl FnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let pause = millis(self.patience(1));
        self.begin(session, &format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = {pause}"))?;
        let lock = "SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext(current_setting('job.portal')))";
        session.query(lock, &[])?;
        self.check_fence(session)?;
        let done = work(session)?;
        session.script("COMMIT")?;
        Ok(done)
    }

    /// The row of the lease cannot change until the transaction ends.
    pub(crate) fn check_fence(&self, session: &Session) -> Result<(), Failure> {
        let Some((fence, _)) = self.fence() else { return Ok(()) };
        let held = "SELECT 1 FROM lease WHERE fence = ? AND until_us > 0 FOR SHARE";
        if session.query(held, &[fence.into()])?.is_empty() {
            return Err(Error::LeaseLost { path: self.name.clone() }.into());
        }
        Ok(())
    }

    /// The lease lasts from now on for its whole time again, also where that was over and nobody has taken it.
    pub(crate) fn prolong(&self, session: &Session) -> Result<(), Failure> {
        let Some((fence, time)) = self.fence() else { return Ok(()) };
        match session.execute(RENEW, &[micros(time).into(), fence.into()])? {
            0 => Err(Error::LeaseLost { path: self.name.clone() }.into()),
            _ => Ok(()),
        }
    }

    fn fence(&self) -> Option<(i64, Duration)> {
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_fence(&self, fence: Option<(i64, Duration)>) {
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner) = fence;
    }

    /// Renews the lease with this number every third of its time, until the sender is dropped or another run has it.
    pub(crate) fn renew(self: &Arc<Self>, fence: i64, time: Duration, mut ended: oneshot::Receiver<()>) {
        let server = Arc::downgrade(self);
        let renew = async move {
            let sql = as_postgres(RENEW);
            while tokio::time::timeout(time / 3, &mut ended).await.is_err() {
                let Some(server) = server.upgrade() else { return };
                let renewed = async {
                    let (client, _) = server.client().await?;
                    client.execute(&sql, &[&micros(time), &fence]).await
                };
                // a server that is away for a moment is asked again; the next write finds out what has become of the lease
                if tokio::time::timeout(time / 3, renewed)
                    .await
                    .is_ok_and(|renewed| renewed.is_ok_and(|rows| rows == 0))
                {
                    return;
                }
            }
        };
        self.io.handle.spawn(renew);
    }

    /// Does a statement about the lease with this number that nobody waits for, if the process lasts so long.
    pub(crate) fn in_background(self: &Arc<Self>, sql: &'static str, fence: i64) {
        let server = Arc::clone(self);
        self.io.handle.spawn(async move {
            if let Ok((client, _)) = server.client().await {
                // the lease otherwise ends with its time
                let _ = client.execute(&as_postgres(sql), &[&fence]).await;
            }
        });
    }

    pub(crate) fn failure(&self, doing: &'static str, Failure(why): Failure) -> Error {
        let path = self.name.clone();
        match why {
            Why::Known(error) => *error,
            other => Error::Database { path, doing, source: cause(Failure(other)) },
        }
    }

    pub(crate) fn closed(&self, doing: &'static str) -> Error {
        Error::Database { path: self.name.clone(), doing, source: "the store was closed".into() }
    }

    /// Waits for what is in use, and closes all.
    pub(crate) async fn close(&self) {
        let _all = self.in_use.acquire_many(MOST).await;
        self.in_use.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// As long as a lease is held nobody is asked for the moment: the server's clock counts.
const RENEW: &str = "UPDATE lease SET until_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + ?1 WHERE fence = ?2 AND until_us > 0";

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Why something failed, in the server's words or in ours.
fn cause(Failure(why): Failure) -> error::Cause {
    match why {
        Why::Postgres(source) => said(source),
        Why::Known(error) => error,
        Why::Sqlite(source) => error::said(&source),
        Why::Silence(patience) => format!("no answer within {} s", patience.as_secs()).into(),
        Why::Other(source) => source,
    }
}

/// What the server said, and not that it said something.
fn said(error: tokio_postgres::Error) -> crate::error::Cause {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()).into(),
        None => error.into(),
    }
}
