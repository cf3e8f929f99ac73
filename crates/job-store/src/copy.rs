//! A copy of what a server holds of one portal, for whoever only looks: nothing is made or changed there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::error::Error;
use crate::moving::{on_server, verdict};
use crate::postgres::{OnServer, Server, Session};
use crate::statement::{Failure, Of, Row};
use crate::store::{Engine, Store, on_thread};

/// Rows that are on their way at a time.
const STEP: usize = 1_000;

impl Store {
    /// Fills the tables of this store, a file, with the rows that a server holds of this portal, all of one state of the server; where
    /// `wanted` names tables, only those. The components have made the tables before; a column that only one side has is left out. `false`
    /// when the server has no such schema yet.
    ///
    /// # Errors
    /// Of both stores, those of [`in_use`](Self::in_use) for the one on the server, [`Error::NewerSchema`] when a newer program has written
    /// there, and [`Error::Url`] when this one is on a server.
    pub async fn copy_from_server(
        &self,
        place: &OnServer,
        wanted: Option<&'static [&'static str]>,
    ) -> Result<bool, Error> {
        const DOING: &str = "copying the rows of the server";
        let Engine::Sqlite(connections) = self.engine() else { return Err(Error::Url) };
        let (connections, place, histories) = (connections.clone(), place.clone(), self.histories().clone());
        let permit = connections.permit().await.ok_or_else(|| connections.closed(DOING))?;
        let copied = move || {
            let server = Server::connect(&place)?;
            let session = server.entered()?;
            let marks = on_server(&session).map_err(|failure| server.failure(DOING, failure))?;
            verdict(&marks, server.name())?;
            let steps = steps(&session).map_err(|failure| server.failure(DOING, failure))?;
            if let Some((component, found, known)) = histories.newer(&steps) {
                return Err(Error::NewerSchema { path: server.name().to_owned(), component, found, known });
            }
            let copied = connections.with(&permit, |connection| copy((&server, &session), connection, wanted));
            copied.map_err(|failure| server.failure(DOING, failure))
        };
        on_thread(copied).await
    }
}

/// How far each component of the server was brought.
fn steps(session: &Session) -> Result<BTreeMap<String, u32>, Failure> {
    if session.query("SELECT 1 WHERE to_regclass('component_schema') IS NOT NULL", &[])?.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session.query("SELECT component, max(number) FROM component_schema GROUP BY component", &[])?;
    let step = |row: &tokio_postgres::Row| {
        let number: i64 = row.try_get(1)?;
        Ok((row.try_get(0)?, u32::try_from(number).map_err(Failure::other)?))
    };
    rows.iter().map(step).collect()
}

fn copy(
    (server, session): (&Server, &Session),
    connection: &mut Connection,
    wanted: Option<&[&str]>,
) -> Result<bool, Failure> {
    server.begin_reading(session)?;
    // there is no current schema where there is none of that name
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()";
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in session.query(sql, &[])? {
        there.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
    }
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    let transaction = connection.transaction()?;
    for (table, mut columns) in tables(&transaction)? {
        let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&table.as_str()));
        let Some(known) = there.get(&table).filter(|_| is_wanted) else { continue };
        columns.retain(|column| known.contains(column));
        // what SQLite has without being told keeps the order of rows
        columns.extend(known.contains("rowid").then(|| "rowid".to_owned()));
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
        copy_table(session, &transaction, &table, &columns)?;
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    session.script("COMMIT")?;
    Ok(!there.is_empty())
}

/// The tables of components, with their columns.
fn tables(connection: &Connection) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let sql = "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'component_schema' ORDER BY t.name, c.cid";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
        match tables.last_mut().filter(|(last, _)| *last == table) {
            Some((_, columns)) => columns.push(column),
            None => tables.push((table, vec![column])),
        }
    }
    Ok(tables)
}

fn copy_table(session: &Session, connection: &Connection, table: &str, columns: &[String]) -> Result<(), Failure> {
    let names = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; columns.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO {table} ({names}) VALUES ({places})"))?;
    session.script(&format!("DECLARE copied NO SCROLL CURSOR FOR SELECT {names} FROM \"{table}\""))?;
    // what it gives is known by now, and another one for the next table, so it is not kept
    let fetch = session.wait(session.client.prepare(&format!("FETCH FORWARD {STEP} FROM copied")))?;
    loop {
        let rows = session.wait(session.client.query(&fetch, &[]))?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let row = Row::new(Of::Postgres(row), None);
            for place in 0..columns.len() {
                insert.raw_bind_parameter(place + 1, row.value(place)?)?;
            }
            insert.raw_execute()?;
        }
    }
    session.script("CLOSE copied")
}
