//! Work with a store: single statements, and several of one transaction. All of it is done on a thread for blocking work.

use std::borrow::Cow;
use std::ops::Deref;

use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use crate::postgres::{Server, Session};
use crate::statement::{Dictionary, Failure, Of, Row, Value};
use crate::store::{Engine, on_thread};
use crate::{Error, Store, each};

impl Store {
    /// The rows of an answer that has few. `doing` is what it is for, as a noun: `reading the rooms`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`].
    pub async fn all<T: Send + 'static>(
        &self,
        doing: &'static str,
        sql: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Value>>,
        row: impl FnMut(&Row<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let (sql, values) = (sql.into(), values.into());
        self.ask(doing, move |read| read.all(&sql, &values, row)).await
    }

    /// The first row of an answer.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`].
    pub async fn row<T: Send + 'static>(
        &self,
        doing: &'static str,
        sql: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Value>>,
        row: impl FnOnce(&Row<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let (sql, values) = (sql.into(), values.into());
        self.ask(doing, move |read| read.row(&sql, &values, row)).await
    }

    /// Does a statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`].
    pub async fn execute(
        &self,
        doing: &'static str,
        sql: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Value>>,
    ) -> Result<u64, Error> {
        let (sql, values) = (sql.into(), values.into());
        self.write(doing, move |write| write.execute(&sql, &values)).await
    }

    /// Does statements that have no values, one after the other, all or nothing.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`].
    pub async fn script(&self, doing: &'static str, sql: impl Into<Cow<'static, str>>) -> Result<(), Error> {
        let sql = sql.into();
        self.write(doing, move |write| write.script(&sql)).await
    }

    /// Reads what belongs together, all of one state of the store.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`]; and what `work` gives.
    pub async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Read<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let read = |with: With<'_>| match with {
            With::Sqlite(connection) => work(&Read(On::Sqlite(&*connection.transaction()?))),
            With::Postgres(server, session) => {
                server.begin_reading(session)?;
                committed(session, work)
            }
        };
        self.work(doing, read).await
    }

    /// One question, which a file answers without a transaction. On a server it needs one, to be sure whose rows it sees.
    async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Read<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let ask = |with: With<'_>| match with {
            With::Sqlite(connection) => work(&Read(On::Sqlite(connection))),
            With::Postgres(server, session) => {
                server.begin(session, "BEGIN")?;
                committed(session, work)
            }
        };
        self.work(doing, ask).await
    }

    /// Does some work in a transaction, all or nothing. It takes the write lock at once, so that it cannot fail halfway because another
    /// writer came first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`], for instance when another writer holds the lock for longer than ten
    /// seconds; and what `work` gives.
    pub async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let write = |with: With<'_>| match with {
            With::Sqlite(connection) => all_or_nothing(connection, work),
            With::Postgres(server, session) => {
                server.all_or_nothing(session, |session| work(&Write(Read(On::Postgres(session)))))
            }
        };
        self.work(doing, write).await
    }

    /// The same for rows by the thousand, without foreign keys: what is written so looks its references up in the same transaction, and to
    /// check them once more costs a third of the writing, and the whole table for each text that is forgotten.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub async fn write_many<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let write = |with: With<'_>| match with {
            With::Sqlite(connection) => {
                connection.execute_batch("PRAGMA foreign_keys = OFF")?;
                let done = all_or_nothing(connection, work)?;
                connection.execute_batch("PRAGMA foreign_keys = ON")?;
                Ok(done)
            }
            With::Postgres(server, session) => {
                server.all_or_nothing(session, |session| work(&Write(Read(On::Postgres(session)))))
            }
        };
        self.work(doing, write).await
    }

    /// Gives the space of what was deleted back to the disk; PostgreSQL does that by itself.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file, else [`Error::Database`].
    pub async fn give_back_space(&self, doing: &'static str) -> Result<(), Error> {
        let give_back = |with: With<'_>| match with {
            With::Sqlite(connection) => Ok(connection.execute_batch("VACUUM")?),
            With::Postgres(..) => Ok(()),
        };
        self.work(doing, give_back).await
    }

    /// Does some work with a connection, on a thread for blocking work.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(With<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        match self.engine() {
            Engine::Sqlite(connections) => {
                let connections = connections.clone();
                let permit = connections.permit().await.ok_or_else(|| connections.closed(doing))?;
                let work = move || {
                    let done = connections.with(&permit, |connection| work(With::Sqlite(connection)));
                    done.map_err(|failure| connections.failure(doing, failure))
                };
                on_thread(work).await
            }
            Engine::Postgres(server) => {
                let server = server.clone();
                let permit = server.permit().await.ok_or_else(|| server.closed(doing))?;
                let work = move || {
                    let done = server.with(&permit, |session| work(With::Postgres(&server, session)));
                    done.map_err(|failure| server.failure(doing, failure))
                };
                on_thread(work).await
            }
        }
    }
}

/// A connection that some work may use.
pub(crate) enum With<'c> {
    Sqlite(&'c mut Connection),
    Postgres(&'c Server, &'c mut Session),
}

#[derive(Clone, Copy)]
enum On<'c> {
    Sqlite(&'c Connection),
    Postgres(&'c Session),
}

fn all_or_nothing<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Write<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&Write(Read(On::Sqlite(&transaction))))?;
    transaction.commit()?;
    Ok(done)
}

/// What `work` gives, once the transaction that it was asked in has ended.
fn committed<T>(session: &mut Session, work: impl FnOnce(&Read<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let done = work(&Read(On::Postgres(session)))?;
    session.script("COMMIT")?;
    Ok(done)
}

/// One state of a store.
pub struct Read<'c>(On<'c>);

impl Read<'_> {
    /// The rows of an answer.
    ///
    /// # Errors
    /// Of the statement, and of `row`.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &[Value],
        mut row: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let connection = match self.0 {
            On::Sqlite(connection) => connection,
            On::Postgres(session) => {
                let rows = session.query(sql, values)?;
                return rows.iter().map(|found| row(&Row::new(Of::Postgres(found), None))).collect();
            }
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut all = Vec::new();
        while let Some(found) = rows.next()? {
            all.push(row(&Row::new(Of::Sqlite(found), None))?);
        }
        Ok(all)
    }

    /// The first row of an answer.
    ///
    /// # Errors
    /// Of the statement, and of `row`.
    pub fn row<T>(
        &self,
        sql: &str,
        values: &[Value],
        row: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let connection = match self.0 {
            On::Sqlite(connection) => connection,
            On::Postgres(session) => {
                let rows = session.query(sql, values)?;
                return rows.first().map(|found| row(&Row::new(Of::Postgres(found), None))).transpose();
            }
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        rows.next()?.map(|found| row(&Row::new(Of::Sqlite(found), None))).transpose()
    }
}

/// A transaction that may write.
pub struct Write<'c>(Read<'c>);

impl<'c> Deref for Write<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Read<'c> {
        &self.0
    }
}

impl Write<'_> {
    /// Does one statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// Of the statement.
    pub fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, Failure> {
        match self.0.0 {
            On::Sqlite(connection) => Ok(connection.prepare_cached(sql)?.execute(params_from_iter(values))? as u64),
            On::Postgres(session) => session.execute(sql, values),
        }
    }

    /// Does statements that have no values, one after the other.
    ///
    /// # Errors
    /// Of the statements.
    pub fn script(&self, sql: &str) -> Result<(), Failure> {
        match self.0.0 {
            On::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            On::Postgres(session) => session.script(sql),
        }
    }

    /// Does one statement for each row of values.
    pub(crate) fn each(&self, sql: &str, rows: &[Vec<Value>]) -> Result<(), Failure> {
        match self.0.0 {
            On::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                for row in rows {
                    statement.execute(params_from_iter(row))?;
                }
            }
            On::Postgres(session) => {
                let rows: Vec<&[Value]> = rows.iter().map(Vec::as_slice).collect();
                session.execute_each(sql, &rows)?;
            }
        }
        Ok(())
    }

    /// Does one statement for each row of values, as many values as it has parameters, and where that changes nothing, the other one with
    /// the same values. Tells of each row whether anything changed.
    ///
    /// # Errors
    /// Of the statements.
    pub fn for_each(
        &self,
        [sql, otherwise]: [&str; 2],
        values: &[Value],
        dictionary: &Dictionary,
    ) -> Result<Vec<bool>, Failure> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        match self.0.0 {
            On::Sqlite(connection) => each::for_each(connection, [sql, otherwise], values, dictionary),
            On::Postgres(session) => session.for_each([sql, otherwise], values, dictionary),
        }
    }
}
