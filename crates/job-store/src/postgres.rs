//! A store in PostgreSQL: one schema for a program, and the portal in every key. The server keeps the portals apart by row security, so no
//! statement of ours names them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::config::Host;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::error::{self, Error};
use crate::statement::{Dictionary, Failure, LookUp, Value, Why};

/// In use at a time: a run reads some streams within each other, and writes.
const MOST: u32 = 16;

/// Statements that are kept prepared: more than a program has that are always the same.
const PREPARED: usize = 200;

/// Questions on their way at a time, and rows handed over in one step.
pub(crate) const STEP: usize = 1_000;

/// Texts remembered while rows are read, at most, and those of one step more.
const REMEMBERED: usize = 20_000;

/// How long a server may take to answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a store is on a server.
#[derive(Clone)]
pub struct OnServer {
    /// `postgres://role@host/database`, or a folder of a socket as `host`. A password in it is not repeated anywhere.
    pub url: String,
    /// The schema: a name of letters, digits and `_`.
    pub schema: String,
    /// Whose rows these are; other portals in the same schema are not seen.
    pub portal: String,
}

impl OnServer {
    /// The server, database and schema for people, without a password; `None` for a URL that cannot be read.
    pub fn shown(&self) -> Option<String> {
        Some(named(&self.url.parse().ok()?, &self.schema))
    }
}

impl fmt::Debug for OnServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the URL may hold a password
        formatter
            .debug_struct("OnServer")
            .field("schema", &self.schema)
            .field("portal", &self.portal)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(crate) struct Server {
    config: Config,
    schema: String,
    portal: String,
    /// For messages, without a password.
    name: PathBuf,
    io: Io,
    idle: Mutex<Vec<Session>>,
    in_use: Arc<Semaphore>,
    /// Of the lease that this run holds.
    fence: Mutex<Option<i64>>,
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

/// One connection, and what is prepared in it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) handle: Handle,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Session {
    /// A statement of ours as this server takes it; prepared once.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.handle.block_on(self.client.prepare(&as_postgres(sql)))?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let statement = self.prepare(sql)?;
        Ok(self.handle.block_on(self.client.query(&statement, &parameters(values)))?)
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, Failure> {
        let statement = self.prepare(sql)?;
        Ok(self.handle.block_on(self.client.execute(&statement, &parameters(values)))?)
    }

    pub(crate) fn script(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.handle.block_on(self.client.batch_execute(sql))?)
    }
}

impl Session {
    /// What [`Write::for_each`](crate::Write::for_each) does, a thousand rows on their way at a time.
    pub(crate) fn for_each(
        &self,
        [sql, otherwise]: [&str; 2],
        values: &[Value],
        dictionary: &Dictionary,
    ) -> Result<Vec<bool>, Failure> {
        let numbers = self.numbers(values, dictionary)?;
        let number = |value: &Value| match value {
            Value::Shared(text) => numbers.get(text).map_or(Value::Null, |number| Value::Int(*number)),
            value => value.clone(),
        };
        let values: Vec<Value> = values.iter().map(number).collect();
        let width = self.prepare(sql)?.params().len().max(1);
        let rows: Vec<&[Value]> = values.chunks(width).collect();
        let mut changed = self.execute_each(sql, &rows)?;
        if !otherwise.is_empty() {
            let places: Vec<usize> = (0..rows.len()).filter(|place| !changed[*place]).collect();
            let rest: Vec<&[Value]> = places.iter().map(|place| rows[*place]).collect();
            for (place, now) in places.into_iter().zip(self.execute_each(otherwise, &rest)?) {
                changed[place] = now;
            }
        }
        Ok(changed)
    }

    /// Whether a statement changed anything, for each row of values, in order.
    fn execute_each(&self, sql: &str, rows: &[&[Value]]) -> Result<Vec<bool>, Failure> {
        let statement = self.prepare(sql)?;
        let mut changed = Vec::with_capacity(rows.len());
        for rows in rows.chunks(STEP) {
            let rows: Vec<_> = rows.iter().map(|row| parameters(row)).collect();
            let done = rows.iter().map(|row| self.client.execute(&statement, row));
            changed.extend(self.handle.block_on(try_join_all(done))?.into_iter().map(|rows| rows > 0));
        }
        Ok(changed)
    }

    /// The numbers of all shared texts; new ones are added.
    fn numbers(&self, values: &[Value], dictionary: &Dictionary) -> Result<HashMap<Arc<str>, i64>, Failure> {
        let shared = values.iter().filter_map(|value| if let Value::Shared(text) = value { Some(text) } else { None });
        let texts: BTreeSet<&Arc<str>> = shared.collect();
        let texts: Vec<[Value; 1]> = texts.into_iter().map(|text| [Value::Text(text.clone())]).collect();
        let mut numbers = HashMap::with_capacity(texts.len());
        let mut missing = texts;
        for sql in [dictionary.number, dictionary.add] {
            let statement = self.prepare(sql)?;
            let mut unknown = Vec::new();
            for texts in missing.chunks(STEP) {
                let asked: Vec<_> = texts.iter().map(|text| parameters(text)).collect();
                let answers = asked.iter().map(|text| self.client.query_opt(&statement, text));
                for (text, row) in texts.iter().zip(self.handle.block_on(try_join_all(answers))?) {
                    match (row, &text[0]) {
                        (Some(row), Value::Text(text)) => drop(numbers.insert(text.clone(), row.try_get(0)?)),
                        _ => unknown.push(text.clone()),
                    }
                }
            }
            missing = unknown;
        }
        Ok(numbers)
    }
}

/// The texts of a dictionary, as rows ask for them.
pub(crate) struct ServerTexts<'s> {
    session: &'s Session,
    find: Statement,
    known: RefCell<HashMap<i64, Option<Arc<str>>>>,
    /// In these columns rows have asked for texts.
    columns: RefCell<BTreeSet<usize>>,
}

impl<'s> ServerTexts<'s> {
    pub(crate) fn of(dictionary: &Dictionary, session: &'s Session) -> Result<Self, Failure> {
        let find = session.prepare(dictionary.text)?;
        Ok(ServerTexts { session, find, known: RefCell::default(), columns: RefCell::default() })
    }

    /// Asks at once for what these rows will ask for one after the other.
    pub(crate) fn foresee(&self, rows: &[tokio_postgres::Row]) -> Result<(), Failure> {
        let mut known = self.known.borrow_mut();
        if known.len() > REMEMBERED {
            known.clear();
        }
        let columns = self.columns.borrow();
        let mut numbers = BTreeSet::new();
        for row in rows {
            for column in columns.iter() {
                numbers.extend(row.try_get::<_, Option<i64>>(*column)?.filter(|number| !known.contains_key(number)));
            }
        }
        let numbers: Vec<i64> = numbers.into_iter().collect();
        for numbers in numbers.chunks(STEP) {
            let asked: Vec<[&(dyn ToSql + Sync); 1]> = numbers.iter().map(|number| [number as _]).collect();
            let answers = asked.iter().map(|number| self.session.client.query_opt(&self.find, number));
            for (number, row) in numbers.iter().zip(self.session.handle.block_on(try_join_all(answers))?) {
                known.insert(*number, row.map(|row| row.try_get::<_, &str>(0).map(Arc::from)).transpose()?);
            }
        }
        Ok(())
    }
}

impl LookUp for ServerTexts<'_> {
    fn text(&self, column: usize, number: i64) -> Result<Option<Arc<str>>, Failure> {
        self.columns.borrow_mut().insert(column);
        if let Some(text) = self.known.borrow().get(&number) {
            return Ok(text.clone());
        }
        let row = self.session.handle.block_on(self.session.client.query_opt(&self.find, &[&number]))?;
        let text: Option<Arc<str>> = row.map(|row| row.try_get::<_, &str>(0).map(Arc::from)).transpose()?;
        self.known.borrow_mut().insert(number, text.clone());
        Ok(text)
    }
}

/// As the driver takes them.
pub(crate) fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Placeholders with numbers, and the portal in the key that a conflict is about. No statement of ours has a `?` in a text.
fn as_postgres(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    let mut number = 0;
    let mut rest = sql.chars().peekable();
    while let Some(next) = rest.next() {
        text.push(if next == '?' { '$' } else { next });
        // `?3` has its number
        if next == '?' && !rest.peek().is_some_and(char::is_ascii_digit) {
            number += 1;
            text.push_str(&number.to_string());
        }
    }
    text.replace("ON CONFLICT (", "ON CONFLICT (portal, ")
}

impl Server {
    /// Connects, and sees to the schema.
    pub(crate) fn connect(place: &OnServer) -> Result<Self, Error> {
        let config: Config = place.url.parse().map_err(|_| Error::Url)?;
        let name = PathBuf::from(named(&config, &place.schema));
        let failed = |source: crate::error::Cause| Error::CannotConnect { path: name.clone(), source };
        if !is_on_this_machine(&config) {
            return Err(failed("only a socket or an address of this machine is supported".into()));
        }
        if place.schema.is_empty() || !place.schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Error::Url);
        }
        let mut config = config;
        config.connect_timeout(CONNECT_TIMEOUT).application_name(&place.schema);
        let io = Io::new().map_err(|error| failed(error.into()))?;
        let server = Server {
            config,
            schema: place.schema.clone(),
            portal: place.portal.clone(),
            name: name.clone(),
            io,
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
        let session = self.open().map_err(|error| failed(said(error)))?;
        let role =
            "SELECT current_user::text, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)";
        let row = self.io.handle.block_on(session.client.query_one(role, &[])).map_err(|error| failed(said(error)))?;
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
        let found = self
            .io
            .handle
            .block_on(session.client.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&self.schema]));
        if found.map_err(|error| failed(said(error)))?.is_none() {
            self.io.handle.block_on(session.client.batch_execute(&make)).map_err(|error| failed(said(error)))?;
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(())
    }

    fn open(&self) -> Result<Session, tokio_postgres::Error> {
        let handle = self.io.handle.clone();
        let client = handle.block_on(self.client())?;
        Ok(Session { client, handle, prepared: Mutex::default() })
    }

    /// Connects; on the thread of the connections.
    async fn client(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(NoTls).await?;
        // what breaks it is what the client's next statement says
        self.io.handle.spawn(connection);
        let sql = "SELECT set_config('job.portal', $1, false), set_config('search_path', $2, false)";
        client.query_one(sql, &[&self.portal, &format!("\"{}\"", self.schema)]).await?;
        client.batch_execute("SET client_min_messages = warning; SET TIME ZONE 'UTC'").await?;
        Ok(client)
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
        let done = work(&mut session)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(done)
    }

    /// Does some work in a transaction: one at a time for each portal, and none that was begun with a lease which is lost.
    pub(crate) fn all_or_nothing<T>(
        &self,
        session: &Session,
        work: impl FnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        session.script("BEGIN")?;
        let lock = "SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext(current_setting('job.portal')))";
        session.query(lock, &[])?;
        self.check_fence(session)?;
        let done = work(session)?;
        session.script("COMMIT")?;
        Ok(done)
    }

    /// The row of the lease cannot change until the transaction ends.
    pub(crate) fn check_fence(&self, session: &Session) -> Result<(), Failure> {
        let Some(fence) = self.fence() else { return Ok(()) };
        let held = "SELECT 1 FROM lease WHERE fence = ? AND until_us > 0 FOR SHARE";
        if session.query(held, &[fence.into()])?.is_empty() {
            return Err(Error::LeaseLost { path: self.name.clone() }.into());
        }
        Ok(())
    }

    pub(crate) fn fence(&self) -> Option<i64> {
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_fence(&self, fence: Option<i64>) {
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner) = fence;
    }

    /// Renews the lease with this number every third of its time, until the sender is dropped or another run has it.
    pub(crate) fn renew(self: &Arc<Self>, fence: i64, time: Duration, mut ended: oneshot::Receiver<()>) {
        let server = Arc::downgrade(self);
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let renew = async move {
            // as long as one is held nobody is asked for the moment: the server's clock counts
            let sql = "UPDATE lease SET until_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $1 WHERE fence = $2 AND until_us > 0";
            while tokio::time::timeout(time / 3, &mut ended).await.is_err() {
                let Some(server) = server.upgrade() else { return };
                let renewed = async {
                    let client = server.client().await?;
                    client.execute(sql, &[&micros, &fence]).await
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

    pub(crate) fn failure(&self, doing: &'static str, Failure(why): Failure) -> Error {
        let path = self.name.clone();
        match why {
            Why::Known(error) => *error,
            Why::Sqlite(source) => Error::Database { path, doing, source: error::said(&source) },
            Why::Postgres(source) => Error::Database { path, doing, source: said(source) },
            Why::Other(source) => Error::Database { path, doing, source },
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

/// What the server said, and not that it said something.
fn said(error: tokio_postgres::Error) -> crate::error::Cause {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()).into(),
        None => error.into(),
    }
}

/// Without a password.
fn named(config: &Config, schema: &str) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => "localhost".to_owned(),
    };
    format!("postgres://{host}/{}, schema {schema}", config.get_dbname().unwrap_or_default())
}

fn is_on_this_machine(config: &Config) -> bool {
    let is_near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(host) => host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    };
    config.get_hosts().iter().all(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_get_numbers_and_the_portal_in_their_keys() {
        for (ours, theirs) in [
            ("SELECT a FROM t WHERE b = ? AND c < ?", "SELECT a FROM t WHERE b = $1 AND c < $2"),
            ("SELECT ?3 || ?1, ?2 FROM t", "SELECT $3 || $1, $2 FROM t"),
            (
                "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                "INSERT INTO t (a) VALUES ($1) ON CONFLICT (portal, a) DO UPDATE SET b = excluded.b",
            ),
            ("INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES ($1) ON CONFLICT DO NOTHING"),
        ] {
            assert_eq!(as_postgres(ours), theirs);
        }
    }

    #[test]
    fn no_message_holds_a_password() {
        let config: Config = "postgres://vdr:secret@127.0.0.1:5433/audit".parse().unwrap();
        assert_eq!(named(&config, "vdr_watch"), "postgres://127.0.0.1/audit, schema vdr_watch");
    }
}
