//! How many files rooms and folders held, and when that was so: what was in a folder can be asked for only as long as it is there.

use std::collections::BTreeMap;

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use docspace_client::EntryId;
use futures::TryStreamExt;
use job_store::{Row, Select, Value, Write};

use crate::rows::{instant, micros};
use crate::{Archive, Error};

/// When the rooms were last read for the inventory.
const READ: &str = "inventory";

/// The newest reading of every folder that is a room.
const ROOMS_SQL: &str = "SELECT held.folder, held.files, held.folders FROM held
    WHERE held.folder = held.room AND held.until_us >= ?
    AND NOT EXISTS (SELECT 1 FROM listed_room AS listed WHERE listed.room = held.room
        AND listed.files = held.files AND listed.folders = held.folders)
    ORDER BY held.files DESC, held.folder LIMIT ?";

const HELD_SQL: &str =
    "INSERT INTO held (folder, since_us, until_us, files, folders, room, title, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (folder, since_us) DO UPDATE SET until_us = excluded.until_us, files = excluded.files,
    folders = excluded.folders, room = excluded.room, title = excluded.title, parent = excluded.parent";

const LISTED_SQL: &str = "INSERT INTO listed_room (room, files, folders, listed_us) VALUES (?, ?, ?, ?)
    ON CONFLICT (room) DO UPDATE SET files = excluded.files, folders = excluded.folders,
    listed_us = excluded.listed_us";

/// Of so many folders.
fn readings_sql(folders: usize) -> String {
    let list = vec!["?"; folders].join(", ");
    format!(
        "SELECT folder, since_us, until_us, files, folders, room, title, parent FROM held WHERE folder IN ({list})
        ORDER BY folder, since_us"
    )
}

/// Folders asked for at once, so that no statement has more parameters than any database takes.
const FOLDERS_AT_ONCE: usize = 10_000;

/// What changes how many files there are, and where.
const CHANGES_SQL: &str = "SELECT count(*), count(*) FILTER (WHERE action IN (5022, 5023, 5024, 5025, 5026, 5027, 5074))
    FROM audit_event WHERE at_us >= ? AND action IN (5000, 5011, 5012, 5013, 5014, 5015, 5016, 5017, 5018, 5022, 5023, 5024,
        5025, 5026, 5027, 5035, 5061, 5074)";

/// What a room or a folder holds at any depth, as far as the key's account can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    pub folder: EntryId,
    pub files: u64,
    pub folders: u64,
    /// That it is in, or is.
    pub room: RoomId,
    /// The folder or the room that it is in; a room has none.
    pub parent: Option<EntryId>,
    pub title: PortalText,
}

/// A holding, and the time in which it was read so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub holding: Holding,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// A room whose folders were not listed since what it holds has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    pub room: RoomId,
    pub files: u64,
    pub folders: u64,
}

fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

impl Archive {
    /// When the rooms were last read for the inventory.
    ///
    /// # Errors
    /// Of the store.
    pub async fn inventory_read_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.moment(READ).await
    }

    /// How many events since then changed how many files there are, and how many of those were about whole folders.
    ///
    /// # Errors
    /// Of the store.
    pub async fn changes_of_holdings(&self, since: DateTime<Utc>) -> Result<(u64, u64), Error> {
        let counts = |row: &Row<'_>| Ok((row.int(0)?.unsigned_abs(), row.int(1)?.unsigned_abs()));
        let changes = self.store().row("counting the changes", CHANGES_SQL, [micros(since).into()], counts).await?;
        Ok(changes.unwrap_or_default())
    }

    /// Remembers what all rooms hold.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_rooms_held(&self, rooms: &[Holding], at: DateTime<Utc>) -> Result<(), Error> {
        self.keep_held(rooms, at, None).await?;
        self.keep_moment(READ, at).await
    }

    /// Remembers what the folders of a room hold, and that they were listed when it held so much.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_folders_held(
        &self,
        room: &Unlisted,
        folders: &[Holding],
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.keep_held(folders, at, Some(room)).await
    }

    async fn keep_held(&self, holdings: &[Holding], at: DateTime<Utc>, listed: Option<&Unlisted>) -> Result<(), Error> {
        let known = self.readings(holdings.iter().map(|holding| &holding.folder)).await?;
        let row = |holding: &Holding| -> [Value; 8] {
            let last = known.get(&holding.folder).and_then(|readings| readings.last());
            // what was read otherwise, or when a clock was ahead, begins anew
            let since = last.filter(|last| last.holding == *holding && last.until <= at).map_or(at, |last| last.since);
            [
                holding.folder.to_string().into(),
                micros(since).into(),
                micros(at).into(),
                number(holding.files),
                number(holding.folders),
                holding.room.to_string().into(),
                holding.title.raw().into(),
                holding.parent.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            ]
        };
        let held: Vec<[Value; 8]> = holdings.iter().map(row).collect();
        let listed = listed.map(|Unlisted { room, files, folders }| {
            [room.to_string().into(), number(*files), number(*folders), micros(at).into()]
        });
        let keep = move |write: &Write<'_>| {
            held.iter().try_for_each(|row| write.execute(HELD_SQL, row).map(|_| ()))?;
            listed.iter().try_for_each(|row| write.execute(LISTED_SQL, row).map(|_| ()))
        };
        Ok(self.store().write("storing what folders hold", keep).await?)
    }

    /// The rooms of the last reading whose folders were not listed since what they hold has changed, the fullest first, at most so many.
    ///
    /// # Errors
    /// Of the store.
    pub async fn unlisted_rooms(&self, most: u32) -> Result<Vec<Unlisted>, Error> {
        let Some(read_at) = self.inventory_read_at().await? else { return Ok(Vec::new()) };
        let unlisted = |row: &Row<'_>| {
            let (room, files, folders) = (RoomId::from(row.text(0)?), row.int(1)?, row.int(2)?);
            Ok(Unlisted { room, files: files.unsigned_abs(), folders: folders.unsigned_abs() })
        };
        let values = [micros(read_at).into(), i64::from(most).into()];
        Ok(self.store().all("reading what folders hold", ROOMS_SQL, values, unlisted).await?)
    }

    /// What is remembered of these folders, oldest first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn readings<'f>(
        &self,
        folders: impl IntoIterator<Item = &'f EntryId>,
    ) -> Result<BTreeMap<EntryId, Vec<Reading>>, Error> {
        let asked: Vec<Value> = folders.into_iter().map(|folder| Value::Text(folder.to_string().into())).collect();
        let mut readings: BTreeMap<EntryId, Vec<Reading>> = BTreeMap::new();
        for asked in asked.chunks(FOLDERS_AT_ONCE) {
            let (sql, values) = (readings_sql(asked.len()).into(), asked.to_vec());
            let select = Select { doing: "reading what folders hold", sql, values, dictionary: None };
            let mut rows = self.store().rows(select, |row| {
                let folder = EntryId::from(row.text(0)?);
                let holding = Holding {
                    folder: folder.clone(),
                    files: row.int(3)?.unsigned_abs(),
                    folders: row.int(4)?.unsigned_abs(),
                    room: RoomId::from(row.text(5)?),
                    title: PortalText::new(row.text(6)?),
                    // earlier versions did not ask
                    parent: Some(row.text(7)?).filter(|parent| !parent.is_empty()).map(EntryId::from),
                };
                let span = instant(row.int(1)?).zip(instant(row.int(2)?));
                Ok(span.map(|(since, until)| (folder, Reading { holding, since, until })))
            });
            while let Some(row) = rows.try_next().await? {
                row.into_iter().for_each(|(folder, reading)| readings.entry(folder).or_default().push(reading));
            }
        }
        Ok(readings)
    }
}
