//! What only the portal tells: where documents are, their versions, former names, and who owns the rooms.
//!
//! Rooms are listed, a hundred documents a request, where that takes fewer requests than asking for each document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use audit_model::{PortalText, RoomId, Window};
use chrono::TimeDelta;
use docspace_client::{Client, EntryId, Error, ErrorKind, File, Room};
use futures::future::join_all;
use uuid::Uuid;

use crate::restore::affected::{Affected, Fate};

/// Rows on a page of a list.
const PAGE: u64 = 100;

/// After so many failures no more is asked.
const MOST_FAILURES: usize = 5;

/// Questions that wait for their answers at a time.
const AT_ONCE: usize = 3;

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

    /// Asks about one thing after the other, some at once, for as long as it may. Gives what was told, in their order.
    async fn each<I, T>(
        &mut self,
        what: &str,
        things: impl IntoIterator<Item = I>,
        ask: impl AsyncFn(&I) -> Result<T, Error>,
    ) -> Vec<(I, T)> {
        let mut told = Vec::new();
        let mut things = things.into_iter().peekable();
        while things.peek().is_some() && self.may_ask() {
            let at_once = AT_ONCE.min(MOST_FAILURES - self.failures);
            let things: Vec<I> = things.by_ref().take(at_once).collect();
            let answers = join_all(things.iter().map(|thing| ask(thing))).await;
            for (thing, answer) in things.into_iter().zip(answers) {
                told.extend(self.told(what, answer).map(|answer| (thing, answer)));
            }
        }
        told
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
        let sought = affected.iter().filter(|one| one.is_sought()).map(|one| one.id.as_str());
        let unknown: BTreeSet<&str> = sought.filter(|id| !self.files.contains_key(*id)).collect();
        let ask = async |id: &&str| match client.file(&EntryId::from(*id)).await {
            // what the key may not see is no failure: the list says so
            Err(error) if error.kind == ErrorKind::MissingRight => Ok(None),
            answer => answer,
        };
        let told = self.each("some documents could not be looked up", unknown, ask).await;
        self.files.extend(told.into_iter().map(|(id, file)| (id.to_owned(), file)));
    }

    async fn ask_for_versions(&mut self, client: &Client, affected: &[Affected]) {
        let overwritten = affected.iter().filter(|one| one.overwritten.is_some());
        let has_several = |one: &&Affected| self.file(one).is_some_and(|file| file.version > 1);
        let several: BTreeSet<&str> = overwritten.filter(has_several).map(|one| one.id.as_str()).collect();
        let ask = async |id: &&str| client.versions_of(&EntryId::from(*id)).await;
        let told = self.each("some versions could not be looked up", several, ask).await;
        self.versions.extend(told.into_iter().map(|(id, versions)| (id.to_owned(), versions)));
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
        let moved = affected.iter().filter(|one| one.is_folder && matches!(one.fate, Fate::Moved(_)));
        let moved: BTreeSet<&str> = moved.map(|one| one.id.as_str()).collect();
        let ask = async |id: &&str| client.files_in(&EntryId::from(*id)).await;
        let told = self.each("some folders could not be listed", moved, ask).await;
        self.inside.extend(told.into_iter().map(|(id, files)| (id.to_owned(), files)));
    }

    async fn ask_for_owners(&mut self, client: &Client, affected: &[Affected]) {
        let rooms: BTreeSet<&RoomId> = affected.iter().filter_map(|one| one.room.as_ref()).collect();
        let owners: BTreeSet<Uuid> = rooms.into_iter().filter_map(|room| self.rooms.get(room)?.owner).collect();
        let ask = async |owner: &Uuid| client.person(*owner).await;
        let told = self.each("some owners of rooms could not be looked up", owners, ask).await;
        self.owners.extend(told.into_iter().filter_map(|(owner, person)| Some((owner, person?.name))));
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn some_are_asked_at_once_and_told_in_order() {
        let (waiting, most) = (Cell::new(0), Cell::new(0));
        let ask = async |thing: &usize| {
            waiting.set(waiting.get() + 1);
            most.set(waiting.get().max(most.get()));
            // the first of them has its answer last
            for _ in *thing..10 {
                tokio::task::yield_now().await;
            }
            waiting.set(waiting.get() - 1);
            Ok(thing * 2)
        };
        let told = Now::default().each("", 0..8, ask).await;
        assert_eq!(told, (0..8).map(|thing| (thing, thing * 2)).collect::<Vec<_>>());
        assert_eq!(most.get(), AT_ONCE);
    }
}
