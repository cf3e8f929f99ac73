//! What was learned of the portal, its people, files and folders, each with the moment it was learned.
//!
//! A fact is asked for when there is none or it is too old, and remembered when the portal does not tell it any more: a folder
//! that was deleted keeps the weight it had, a person who cannot be looked up the name of yesterday.

use std::collections::HashMap;

use audit_model::{Person, PortalText};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Client, EntryId, ErrorKind, Portal};
use job_store::Row;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rows::{instant, micros};
use crate::{Archive, Error};

/// Plan, zone and version change rarely, and every run asks a question that shows whether the audit filter works.
const PORTAL_KEPT: TimeDelta = TimeDelta::hours(24);

/// TimeZoneSettingsUpdated.
const ZONE_CHANGED_SQL: &str = "SELECT EXISTS (SELECT 1 FROM audit_event WHERE at_us > ? AND action = 6001)";

/// Our clock and the portal's may differ by so much without anybody saying so.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// Something learned from the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    pub value: T,
    pub learned_at: DateTime<Utc>,
}

/// What came of a look. What is remembered cannot be had without saying what happens to the reason why it is old: match, or hand it to
/// [`LookUps`](crate::LookUps).
#[derive(Debug)]
#[must_use]
pub enum Looked<T> {
    /// The portal tells this, or told it a short while ago.
    Known(Fact<T>),
    /// The portal says that there is no such thing any more, or tells nothing of it.
    Gone { remembered: Option<Fact<T>> },
    /// The portal did not answer.
    Failed { remembered: Option<Fact<T>>, error: docspace_client::Error },
}

impl<T> Looked<T> {
    /// What an answer of this moment tells, beside what was remembered.
    pub fn of(
        answer: Result<Option<T>, docspace_client::Error>,
        remembered: Option<Fact<T>>,
        now: DateTime<Utc>,
    ) -> Self {
        match answer {
            Ok(Some(value)) => Looked::Known(Fact { value, learned_at: now }),
            Ok(None) => Looked::Gone { remembered },
            Err(error) if error.kind == ErrorKind::NotFound => Looked::Gone { remembered },
            Err(error) => Looked::Failed { remembered, error },
        }
    }
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlace {
    pub folder: EntryId,
    /// `None` outside rooms.
    pub room: Option<EntryId>,
}

/// The rooms that folders are in; `None` outside rooms.
pub type RoomsOfFolders = HashMap<EntryId, Option<EntryId>>;

/// `None` outside rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRoom(pub Option<EntryId>);

/// How much a folder holds, at any depth, as far as the key's account can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderWeight {
    pub files: u64,
    pub folders: u64,
}

/// The portal's own list of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownList {
    pub list: AddressList,
    /// What it was before its last change; `None` when no run has seen it change.
    pub before: Option<AddressList>,
    /// When it was last read as it was before.
    #[serde(default)]
    pub before_seen: Option<DateTime<Utc>>,
    /// When it was last read as it is.
    #[serde(default)]
    pub seen: Option<DateTime<Utc>>,
}

impl Archive {
    /// A person as the portal shows them now, else as they were remembered.
    ///
    /// # Errors
    /// Of the store.
    pub async fn person(&self, client: &Client, id: Uuid, now: DateTime<Utc>) -> Result<Looked<Person>, Error> {
        self.look("person", &id.to_string(), TimeDelta::zero(), now, client.person(id)).await
    }

    /// Where a file is, or was when it was last seen; learned at most `max_age` ago where the portal still tells.
    ///
    /// # Errors
    /// Of the store.
    pub async fn place_of_file(
        &self,
        client: &Client,
        file: &EntryId,
        max_age: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Looked<FilePlace>, Error> {
        self.place_of_one_file(client, file, &mut RoomsOfFolders::new(), (max_age, now)).await
    }

    /// The same for one of many files: what a run has learned of folders stands in `rooms`, and each is asked for once.
    ///
    /// # Errors
    /// Of the store.
    pub async fn place_of_one_file(
        &self,
        client: &Client,
        file: &EntryId,
        rooms: &mut RoomsOfFolders,
        (max_age, now): (TimeDelta, DateTime<Utc>),
    ) -> Result<Looked<FilePlace>, Error> {
        let ask = async {
            let Some(folder) = client.file(file).await?.and_then(|file| file.folder) else { return Ok(None) };
            if let Some(room) = rooms.get(&folder) {
                return Ok(Some(FilePlace { folder, room: room.clone() }));
            }
            let path = client.folder_path(&folder).await?;
            let room = path.into_iter().find(|above| above.room_type.is_some()).map(|room| room.id);
            rooms.insert(folder.clone(), room.clone());
            Ok(Some(FilePlace { folder, room }))
        };
        self.look("file", &file.to_string(), max_age, now, ask).await
    }

    /// Where a file was when it was last seen, without asking.
    ///
    /// # Errors
    /// Of the store.
    pub async fn remembered_place(&self, file: &EntryId) -> Result<Option<Fact<FilePlace>>, Error> {
        self.fact("file", &file.to_string()).await
    }

    /// What is remembered of how much a folder holds, without asking.
    ///
    /// # Errors
    /// Of the store.
    pub async fn remembered_weight(&self, folder: &EntryId) -> Result<Option<Fact<FolderWeight>>, Error> {
        self.fact("folder", &folder.to_string()).await
    }

    /// What is remembered of the room that a folder is in, without asking.
    ///
    /// # Errors
    /// Of the store.
    pub async fn remembered_room(&self, folder: &EntryId) -> Result<Option<Fact<FolderRoom>>, Error> {
        self.fact("room of folder", &folder.to_string()).await
    }

    /// The room that a folder is in, or is, when that was last seen.
    ///
    /// # Errors
    /// Of the store.
    pub async fn room_of_folder(
        &self,
        client: &Client,
        folder: &EntryId,
        max_age: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Looked<FolderRoom>, Error> {
        let ask = async {
            let path = client.folder_path(folder).await?;
            let room = path.into_iter().find(|above| above.room_type.is_some());
            Ok(Some(FolderRoom(room.map(|room| room.id))))
        };
        self.look("room of folder", &folder.to_string(), max_age, now, ask).await
    }

    /// What a file is called, or was when it was last seen.
    ///
    /// # Errors
    /// Of the store.
    pub async fn title_of_file(
        &self,
        client: &Client,
        file: &EntryId,
        max_age: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Looked<PortalText>, Error> {
        let ask = async { Ok(client.file(file).await?.map(|file| file.title)) };
        self.look("title of file", &file.to_string(), max_age, now, ask).await
    }

    /// How much a folder holds, or held when it was last seen.
    ///
    /// # Errors
    /// Of the store.
    pub async fn weight_of_folder(
        &self,
        client: &Client,
        folder: &EntryId,
        max_age: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Looked<FolderWeight>, Error> {
        let ask = async {
            let itself = client.folder_path(folder).await?.pop();
            let weight = itself.and_then(|it| Some(FolderWeight { files: it.files?, folders: it.folders? }));
            Ok(weight)
        };
        self.look("folder", &folder.to_string(), max_age, now, ask).await
    }

    /// What the portal said about itself within the last 24 hours, unless somebody has changed its zone since.
    ///
    /// # Errors
    /// Of the store.
    pub async fn portal(&self, now: DateTime<Utc>) -> Result<Option<Portal>, Error> {
        let known = self.fact("portal", "").await?;
        let Some(fact) = known.filter(|fact| is_fresh(fact, PORTAL_KEPT, now)) else { return Ok(None) };
        let since = [micros(fact.learned_at - CLOCKS_DIFFER).into()];
        let has_new_zone = self.says("reading the events", ZONE_CHANGED_SQL, since).await?;
        Ok((!has_new_zone).then_some(fact.value))
    }

    /// Remembers what the portal said about itself; `None` forgets it, so that the next run asks again.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_portal(&self, portal: Option<&Portal>, now: DateTime<Utc>) -> Result<(), Error> {
        if let Some(portal) = portal {
            return self.keep_fact("portal", "", portal, now).await;
        }
        let sql = "DELETE FROM fact WHERE kind = 'portal'";
        self.store().execute("forgetting facts about the portal", sql, []).await?;
        Ok(())
    }

    /// The portal's own list of addresses when it was last read; the fact is as old as the list is known to be so.
    ///
    /// # Errors
    /// Of the store.
    pub async fn address_list(&self) -> Result<Option<Fact<KnownList>>, Error> {
        self.fact("address list", "").await
    }

    /// Remembers the portal's own list of addresses, and what it was before if it has changed.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_address_list(&self, list: &AddressList, now: DateTime<Utc>) -> Result<(), Error> {
        let known = match self.address_list().await? {
            Some(Fact { value, learned_at }) if value.list == *list => {
                let value = KnownList { seen: Some(now), ..value };
                return self.keep_fact("address list", "", &value, learned_at).await;
            }
            known => known.map(|fact| fact.value),
        };
        let before_seen = known.as_ref().and_then(|known| known.seen);
        let value =
            KnownList { list: list.clone(), before: known.map(|known| known.list), before_seen, seen: Some(now) };
        self.keep_fact("address list", "", &value, now).await
    }

    async fn look<T: Serialize + DeserializeOwned>(
        &self,
        kind: &'static str,
        name: &str,
        max_age: TimeDelta,
        now: DateTime<Utc>,
        ask: impl Future<Output = Result<Option<T>, docspace_client::Error>>,
    ) -> Result<Looked<T>, Error> {
        let known: Option<Fact<T>> = self.fact(kind, name).await?;
        let remembered = match known {
            Some(fact) if is_fresh(&fact, max_age, now) => return Ok(Looked::Known(fact)),
            known => known,
        };
        let looked = Looked::of(ask.await, remembered, now);
        if let Looked::Known(fact) = &looked {
            self.keep_fact(kind, name, &fact.value, now).await?;
        }
        Ok(looked)
    }

    /// What a program has remembered of its own under this kind and name.
    ///
    /// # Errors
    /// Of the store.
    pub async fn fact<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<Fact<T>>, Error> {
        let sql = "SELECT value, learned_us FROM fact WHERE kind = ? AND name = ?";
        let fact = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?));
        let row = self.store().row("reading facts", sql, [kind.into(), name.into()], fact).await?;
        // a form that an older version wrote is as good as none
        Ok(row.and_then(|(value, learned)| {
            Some(Fact { value: serde_json::from_str(&value).ok()?, learned_at: instant(learned)? })
        }))
    }

    /// Remembers something in place of what was remembered under this kind and name.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_fact<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        value: &T,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let value = serde_json::to_string(value).expect("facts are plain data");
        let sql = "INSERT INTO fact (kind, name, value, learned_us) VALUES (?, ?, ?, ?)
             ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, learned_us = excluded.learned_us";
        let values = [kind.into(), name.into(), value.into(), micros(at).into()];
        self.store().execute("storing facts", sql, values).await?;
        Ok(())
    }
}

/// Learned less than `max_age` ago, and not in the future of a clock that was set back.
fn is_fresh<T>(fact: &Fact<T>, max_age: TimeDelta, now: DateTime<Utc>) -> bool {
    let age = now - fact.learned_at;
    age >= TimeDelta::zero() && age < max_age
}
