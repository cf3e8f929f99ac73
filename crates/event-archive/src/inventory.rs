//! How many files rooms and folders held, and when that was so: what was in a folder can be asked for only as long as it is there.

use std::collections::BTreeMap;

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use docspace_client::EntryId;
use futures::TryStreamExt;
use job_store::{Select, Value};

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

/// Of so many folders.
fn readings_sql(folders: usize) -> String {
    let list = vec!["?"; folders].join(", ");
    format!(
        "SELECT folder, since_us, until_us, files, folders, room, title FROM held WHERE folder IN ({list})
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

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
        let (all, folders): (i64, i64) = sqlx::query_as(CHANGES_SQL)
            .bind(micros(since))
            .fetch_one(self.store().pool())
            .await
            .map_err(|source| self.failed("counting the changes", source))?;
        Ok((all.unsigned_abs(), folders.unsigned_abs()))
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
        let failed = |source| self.failed("storing what folders hold", source);
        let known = self.readings(holdings.iter().map(|holding| &holding.folder)).await?;
        let mut write = self.store().begin().await?;
        for holding in holdings {
            let last = known.get(&holding.folder).and_then(|readings| readings.last());
            // what was read otherwise, or when a clock was ahead, begins anew
            let since = last.filter(|last| last.holding == *holding && last.until <= at).map_or(at, |last| last.since);
            sqlx::query(
                "INSERT INTO held (folder, since_us, until_us, files, folders, room, title) VALUES (?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (folder, since_us) DO UPDATE SET until_us = excluded.until_us, files = excluded.files,
                 folders = excluded.folders, room = excluded.room, title = excluded.title",
            )
            .bind(holding.folder.to_string())
            .bind(micros(since))
            .bind(micros(at))
            .bind(number(holding.files))
            .bind(number(holding.folders))
            .bind(holding.room.to_string())
            .bind(holding.title.raw())
            .execute(&mut *write)
            .await
            .map_err(failed)?;
        }
        if let Some(Unlisted { room, files, folders }) = listed {
            sqlx::query(
                "INSERT INTO listed_room (room, files, folders, listed_us) VALUES (?, ?, ?, ?)
                 ON CONFLICT (room) DO UPDATE SET files = excluded.files, folders = excluded.folders,
                 listed_us = excluded.listed_us",
            )
            .bind(room.to_string())
            .bind(number(*files))
            .bind(number(*folders))
            .bind(micros(at))
            .execute(&mut *write)
            .await
            .map_err(failed)?;
        }
        write.commit().await.map_err(failed)
    }

    /// The rooms of the last reading whose folders were not listed since what they hold has changed, the fullest first, at most so many.
    ///
    /// # Errors
    /// Of the store.
    pub async fn unlisted_rooms(&self, most: u32) -> Result<Vec<Unlisted>, Error> {
        let Some(read_at) = self.inventory_read_at().await? else { return Ok(Vec::new()) };
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(ROOMS_SQL)
            .bind(micros(read_at))
            .bind(i64::from(most))
            .fetch_all(self.store().pool())
            .await
            .map_err(|source| self.failed("reading what folders hold", source))?;
        let unlisted = rows.into_iter().map(|(room, files, folders)| Unlisted {
            room: RoomId::from(room.as_str()),
            files: files.unsigned_abs(),
            folders: folders.unsigned_abs(),
        });
        Ok(unlisted.collect())
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
