//! What a store says of itself: that it is moved to another one, or filled from one.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::TakenBack;
use crate::error::Error;
use crate::postgres::Session;
use crate::schema::{Component, Migration};
use crate::statement::{Failure, Of, Row};
use crate::store::{Engine, Store};

pub(super) const COMPONENT: Component = Component {
    name: "move",
    steps: &[Migration { number: 1, name: "moved stores", sql: include_str!("../migrations/move_1.sql") }],
    on_server: &[Migration { number: 1, name: "moved stores", sql: include_str!("../migrations/postgres/move.sql") }],
};

/// Where the other store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// It is the source, and this one the target.
    From,
    /// It is the target, and this one the source.
    To,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::From => "from",
            Side::To => "to",
        }
    }
}

/// One of at most two.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(super) side: Side,
    /// Of the move.
    pub(super) id: String,
    /// The name of the other store.
    pub(super) other: String,
    pub(super) ended: Option<DateTime<Utc>>,
}

/// Makes the tables.
pub(super) async fn prepare(store: &Store) -> Result<(), Error> {
    store.migrate(&COMPONENT).await
}

/// What follows from the marks of a store for whoever wants to use it.
///
/// # Errors
/// [`Error::MovedAway`], [`Error::HalfMoved`].
pub(crate) fn verdict(marks: &[Mark], path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    match marks {
        [.., Mark { side: Side::To, ended: Some(at), other, .. }] => {
            Err(Error::MovedAway { path, to: other.clone(), at: *at })
        }
        [Mark { side: Side::From, ended: None, other, .. }, ..] => Err(Error::HalfMoved { path, from: other.clone() }),
        _ => Ok(()),
    }
}

const MARKS: &str = "SELECT side, move, other, ended_us FROM moved ORDER BY side";

const TABLE_ON_SERVER: &str =
    "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'moved'";

/// The marks of a store on a server, for whoever makes nothing there.
pub(crate) fn on_server(session: &Session) -> Result<Vec<Mark>, Failure> {
    if session.query(TABLE_ON_SERVER, &[])?.is_empty() {
        return Ok(Vec::new());
    }
    session.query(MARKS, &[])?.iter().map(|row| mark(&Row::new(Of::Postgres(row), None))).collect()
}

/// The marks of a store: `From` before `To`. Most stores have none, and no table for them.
pub(super) async fn read(store: &Store) -> Result<Vec<Mark>, Error> {
    let doing = "looking whether the store was moved";
    let table = match store.engine() {
        Engine::Sqlite(_) => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'moved'",
        Engine::Postgres(_) => TABLE_ON_SERVER,
    };
    if store.row(doing, table, [], |_| Ok(())).await?.is_none() {
        return Ok(Vec::new());
    }
    store.all(doing, MARKS, [], mark).await
}

fn mark(row: &Row<'_>) -> Result<Mark, Failure> {
    Ok(Mark {
        side: if row.text(0)? == "to" { Side::To } else { Side::From },
        id: row.text(1)?.to_owned(),
        other: row.text(2)?.to_owned(),
        ended: row.optional_int(3)?.and_then(DateTime::from_timestamp_micros),
    })
}

/// One that no other move has.
pub(super) async fn new_id(store: &Store) -> Result<String, Error> {
    let sql = match store.engine() {
        Engine::Sqlite(_) => "SELECT lower(hex(randomblob(16)))",
        Engine::Postgres(_) => "SELECT replace(gen_random_uuid()::text, '-', '')",
    };
    let id = store.row("beginning a move", sql, [], |row| Ok(row.text(0)?.to_owned())).await?;
    Ok(id.unwrap_or_default())
}

/// Marks a store. The target forgets what it said before; a source still says from where it was filled.
pub(super) async fn begin(store: &Store, side: Side, id: &str, other: &Store, now: DateTime<Utc>) -> Result<(), Error> {
    let other = other.path().display().to_string();
    let row = [side.name().into(), id.into(), other.into(), now.timestamp_micros().into()];
    store
        .write("beginning a move", move |write| {
            let earlier = match side {
                Side::From => "DELETE FROM moved",
                Side::To => "DELETE FROM moved WHERE side = 'to'",
            };
            write.execute(earlier, &[])?;
            write.execute("DELETE FROM moved_table", &[])?;
            write.execute("INSERT INTO moved (side, move, other, begun_us) VALUES (?, ?, ?, ?)", &row)
        })
        .await?;
    Ok(())
}

/// Says that the move has ended.
pub(super) async fn end(store: &Store, side: Side, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let values = [now.timestamp_micros().into(), side.name().into(), id.into()];
    store
        .write("ending a move", move |write| {
            write.execute("DELETE FROM moved_table", &[])?;
            let sql = "UPDATE moved SET ended_us = ? WHERE side = ? AND move = ? AND ended_us IS NULL";
            write.execute(sql, &values)
        })
        .await?;
    Ok(())
}

/// Forgets that a store was moved away, unless the other one goes on from there.
pub(super) async fn take_back(store: &Store, other: Option<&Store>) -> Result<TakenBack, Error> {
    let ended = read(store).await?.into_iter().find(|mark| mark.side == Side::To && mark.ended.is_some());
    let Some(Mark { id, other: name, ended: Some(at), .. }) = ended else { return Ok(TakenBack::NotMoved) };
    if let Some(other) = other {
        let theirs = read(other).await?;
        if theirs.iter().any(|mark| mark.side == Side::From && mark.id == id) && verdict(&theirs, other.path()).is_ok()
        {
            return Ok(TakenBack::StillThere);
        }
    }
    store.execute("taking the store back", "DELETE FROM moved WHERE side = 'to'", []).await?;
    Ok(TakenBack::Done { other: name, at })
}
