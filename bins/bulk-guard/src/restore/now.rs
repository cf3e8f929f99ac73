//! What only the portal tells: where documents are, their versions, former names, and who owns the rooms.
//!
//! Rooms are listed, a hundred documents a request, where that takes fewer requests than asking for each document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use audit_model::{PortalText, RoomId, Window};
use chrono::TimeDelta;
use docspace_client::{Client, EntryId, Error, File, Room};
use uuid::Uuid;

use crate::restore::affected::{Affected, Fate};

/// Rows on a page of a list.
const PAGE: u64 = 100;

/// After so many failures no more is asked.
const MOST_FAILURES: usize = 5;

/// What the portal has told.
#[derive(Debug, Default)]
pub(crate) struct Now {
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    /// Names of the rooms' owners.
    pub(crate) owners: HashMap<Uuid, PortalText>,
    /// By id; `None`: not there, or where the key cannot look.
    pub(crate) files: HashMap<String, Option<File>>,
    /// The room that a file was listed in.
    pub(crate) listed_in: HashMap<String, RoomId>,
    /// Oldest first, of those whose content was overwritten.
    pub(crate) versions: HashMap<String, Vec<File>>,
    /// By the event that renamed it.
    pub(crate) former_titles: HashMap<i64, PortalText>,
    /// Files in folders that were moved as a whole, by the folder.
    pub(crate) inside: HashMap<String, Vec<File>>,
    /// What could not be asked, as clauses.
    pub(crate) open: Vec<String>,
    failures: usize,
}

impl Now {
    /// Only reads. What cannot be read is in `open`.
    pub(crate) async fn ask(client: &Client, affected: &[Affected]) -> Now {
        let mut now = Now::default();
        if affected.is_empty() {
            return now;
        }
        let rooms = now.told("the rooms could not be listed", client.rooms().await).unwrap_or_default();
        now.rooms = rooms.into_iter().map(|room| (room.fact.id.clone(), room)).collect();
        now.list_rooms(client, affected).await;
        now.ask_for_files(client, affected).await;
        now.ask_for_versions(client, affected).await;
        now.ask_for_former_titles(client, affected).await;
        now.ask_for_folders(client, affected).await;
        now.ask_for_owners(client, affected).await;
        now
    }

    /// The answer, or `None` after taking down why there is none.
    fn told<T>(&mut self, what: &str, answer: Result<T, Error>) -> Option<T> {
        answer.map_err(|error| self.fail(what, &error)).ok()
    }

    fn fail(&mut self, what: &str, error: &Error) {
        self.failures += 1;
        let words = format!("{what}: {error}");
        if !self.open.contains(&words) {
            self.open.push(words);
        }
    }

    fn may_ask(&self) -> bool {
        self.failures < MOST_FAILURES
    }

    async fn list_rooms(&mut self, client: &Client, affected: &[Affected]) {
        let mut wanted: BTreeMap<&RoomId, BTreeSet<&str>> = BTreeMap::new();
        for one in affected.iter().filter(|one| one.is_sought()) {
            wanted.extend(one.room.iter().filter(|_| one.fate == Fate::There).map(|room| (room, BTreeSet::new())));
        }
        for one in affected.iter().filter(|one| one.is_sought() && one.fate == Fate::There) {
            if let Some(ids) = one.room.as_ref().and_then(|room| wanted.get_mut(room)) {
                ids.insert(&one.id);
            }
        }
        for (room, ids) in wanted {
            let pages = self.rooms.get(room).and_then(|room| room.files).map(|files| files.div_ceil(PAGE));
            if pages.is_none_or(|pages| pages >= ids.len() as u64) || !self.may_ask() {
                continue;
            }
            let files = self.told("the files of a room could not be listed", client.files_in(room).await);
            for file in files.into_iter().flatten() {
                let id = file.id.to_string();
                if ids.contains(id.as_str()) {
                    self.listed_in.insert(id.clone(), room.clone());
                    self.files.insert(id, Some(file));
                }
            }
        }
    }

    async fn ask_for_files(&mut self, client: &Client, affected: &[Affected]) {
        for one in affected.iter().filter(|one| one.is_sought()) {
            if self.files.contains_key(&one.id) || !self.may_ask() {
                continue;
            }
            let asked = client.file(&EntryId::from(one.id.as_str())).await;
            // what the key may not see is no failure: the list says so
            let answer = match asked {
                Err(error) if error.kind == docspace_client::ErrorKind::MissingRight => Ok(None),
                answer => answer,
            };
            if let Some(file) = self.told("some documents could not be looked up", answer) {
                self.files.insert(one.id.clone(), file);
            }
        }
    }

    async fn ask_for_versions(&mut self, client: &Client, affected: &[Affected]) {
        for one in affected.iter().filter(|one| one.overwritten.is_some()) {
            let has_several = self.file(one).is_some_and(|file| file.version > 1);
            if !has_several || !self.may_ask() {
                continue;
            }
            let versions = client.versions_of(&EntryId::from(one.id.as_str())).await;
            if let Some(versions) = self.told("some versions could not be looked up", versions) {
                self.versions.insert(one.id.clone(), versions);
            }
        }
    }

    async fn ask_for_former_titles(&mut self, client: &Client, affected: &[Affected]) {
        let mut spans: BTreeMap<&RoomId, Window> = BTreeMap::new();
        for one in affected.iter().filter(|one| one.first_rename.is_some()) {
            let own = Window::new(one.first, one.last + TimeDelta::seconds(1));
            if let Some(room) = &one.room {
                spans
                    .entry(room)
                    .and_modify(|span| *span = Window::new(span.since.min(own.since), span.until.max(own.until)))
                    .or_insert(own);
            }
        }
        for (room, span) in spans {
            if !self.may_ask() {
                return;
            }
            let slice = client.room_log(room, span).await;
            if let Some(error) = &slice.error {
                self.fail("some former names could not be read", error);
            } else if !slice.gaps.is_empty() {
                self.open.push("some former names could not be read".to_owned());
            }
            let named = slice.rows.into_iter().filter_map(|row| Some((row.event, row.former_title?)));
            self.former_titles.extend(named);
        }
    }

    async fn ask_for_folders(&mut self, client: &Client, affected: &[Affected]) {
        for one in affected.iter().filter(|one| one.is_folder && matches!(one.fate, Fate::Moved(_))) {
            if self.may_ask() {
                let files = client.files_in(&EntryId::from(one.id.as_str())).await;
                let files = self.told("some folders could not be listed", files);
                self.inside.extend(files.map(|files| (one.id.clone(), files)));
            }
        }
    }

    async fn ask_for_owners(&mut self, client: &Client, affected: &[Affected]) {
        let rooms: BTreeSet<&RoomId> = affected.iter().filter_map(|one| one.room.as_ref()).collect();
        let owners: BTreeSet<Uuid> = rooms.into_iter().filter_map(|room| self.rooms.get(room)?.owner).collect();
        for owner in owners {
            if self.may_ask() {
                let person = self.told("some owners of rooms could not be looked up", client.person(owner).await);
                self.owners.extend(person.flatten().map(|person| (owner, person.name)));
            }
        }
    }

    /// The document as it is now, where the portal shows it.
    pub(crate) fn file(&self, one: &Affected) -> Option<&File> {
        self.files.get(&one.id)?.as_ref()
    }
}

impl Affected {
    /// Whether the portal may show it to others than whoever has deleted it.
    fn is_sought(&self) -> bool {
        !self.is_folder && matches!(self.fate, Fate::There | Fate::Moved(_))
    }
}
