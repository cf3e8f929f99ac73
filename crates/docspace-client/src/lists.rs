//! Reading a list that is paged by offset and says how many entries it has.
//!
//! Entries with equal sort keys have no order of their own, so pages can lose some even when nothing changes. The distinct entries
//! are counted against the portal's number; on a shortfall the list is read again with pages that overlap.

use std::collections::HashSet;
use std::hash::Hash;

use serde::de::DeserializeOwned;

use crate::client::Question;
use crate::wire::{ContentDto, EntryDto, FolderDto, RoomListDto};
use crate::{Client, Error, ErrorKind};

/// The portal's largest page.
const PAGE_ROWS: u64 = 100;

/// How far apart pages begin, pass by pass. First with one row in common, so that somebody who leaves while somebody else comes makes
/// one entry too many; then with each row in two, three, four pages.
const STEPS: [u64; 4] = [99, 50, 33, 25];

/// The payload of a page.
pub(crate) trait ListPage: DeserializeOwned {
    type Row;

    /// The number of entries where the payload has it, and not the envelope.
    fn total(&self) -> Option<i64>;

    fn into_rows(self) -> Vec<Self::Row>;
}

impl<T: DeserializeOwned> ListPage for Vec<T> {
    type Row = T;

    fn total(&self) -> Option<i64> {
        None
    }

    fn into_rows(self) -> Vec<T> {
        self
    }
}

impl ListPage for RoomListDto {
    type Row = FolderDto;

    fn total(&self) -> Option<i64> {
        Some(self.total)
    }

    fn into_rows(self) -> Vec<FolderDto> {
        self.folders
    }
}

impl ListPage for ContentDto {
    type Row = EntryDto;

    fn total(&self) -> Option<i64> {
        Some(self.total)
    }

    fn into_rows(self) -> Vec<EntryDto> {
        self.folders.into_iter().map(EntryDto::Folder).chain(self.files.into_iter().map(EntryDto::File)).collect()
    }
}

impl Client {
    /// All entries of a list, each once, in the portal's order as far as it has one. `id` tells entries apart; those without one
    /// are not counted, so the list ends as incomplete.
    pub(crate) async fn whole_list<L: ListPage, K: Eq + Hash>(
        &self,
        question: Question<'_>,
        id: fn(&L::Row) -> Option<K>,
    ) -> Result<Vec<L::Row>, Error> {
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        let mut total = None;
        for step in STEPS {
            let mut start = 0;
            loop {
                let page: (Vec<L::Row>, u64) = self.list_page::<L>(question, start).await?;
                if total != Some(page.1) || seen.len() as u64 > page.1 {
                    // another list than before: what was seen proves nothing about it
                    total = Some(page.1);
                    rows.clear();
                    seen.clear();
                }
                let is_empty = page.0.is_empty();
                rows.extend(page.0.into_iter().filter(|row| id(row).is_some_and(|id| seen.insert(id))));
                if is_empty || start + PAGE_ROWS >= page.1 {
                    break;
                }
                start += step;
            }
            if total == Some(seen.len() as u64) {
                return Ok(rows);
            }
        }
        let (read, total) = (seen.len() as u64, total.unwrap_or_default());
        Err(Error::new(question.asked, ErrorKind::IncompleteList { read, total }))
    }

    async fn list_page<L: ListPage>(&self, question: Question<'_>, start: u64) -> Result<(Vec<L::Row>, u64), Error> {
        let start = start.to_string();
        let mut query = question.query.to_vec();
        query.extend([("count", "100"), ("startIndex", &start)]);
        let answer = self.get::<L>(question.query(&query)).await?;
        let total = answer.response.total().or(answer.total).and_then(|total| u64::try_from(total).ok());
        let total = total.ok_or_else(|| Error::new(question.asked, ErrorKind::UnexpectedForm))?;
        Ok((answer.response.into_rows(), total))
    }
}
