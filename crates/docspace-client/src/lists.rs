//! Reading a list that is paged by offset and says how many entries it has.
//!
//! Entries with equal sort keys have no order of their own, so pages can lose some even when nothing changes. The distinct entries
//! are counted against the portal's number; on a shortfall the list is read again with pages that overlap. The number itself is
//! believed when all pages of a pass agree on it, and a smaller one than some page told, or none at all, when two passes do.

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
    /// are not counted, so the list ends as incomplete. An empty list costs two requests.
    pub(crate) async fn whole_list<L: ListPage, K: Eq + Hash>(
        &self,
        question: Question<'_>,
        id: fn(&L::Row) -> Option<K>,
    ) -> Result<Vec<L::Row>, Error> {
        let (mut rows, mut seen) = (Vec::new(), HashSet::new());
        // of the list that `seen` belongs to; of any page; and of a pass that ended with fewer than some page had promised
        let (mut total, mut largest, mut confirmed) = (None, 0, None);
        let mut most_seen = 0;
        for step in STEPS {
            let mut start = 0;
            let agrees = loop {
                let (page, page_total) = self.list_page::<L>(question, start).await?;
                largest = largest.max(page_total);
                if start == 0 && total != Some(page_total) {
                    // another list than before: what was seen proves nothing about it
                    total = Some(page_total);
                    rows.clear();
                    seen.clear();
                }
                // files that are being converted are left out of a page, but nothing is added to one
                let promised = page_total.saturating_sub(start);
                if total != Some(page_total) || page.len() as u64 > promised || (page.is_empty() && promised > 0) {
                    break false;
                }
                rows.extend(page.into_iter().filter(|row| id(row).is_some_and(|id| seen.insert(id))));
                most_seen = most_seen.max(seen.len() as u64);
                if start + PAGE_ROWS >= page_total {
                    break seen.len() as u64 <= page_total;
                }
                start += step;
            };
            let is_whole = agrees && total == Some(seen.len() as u64);
            // a list that is shorter than it was, or has nothing in it, is believed when it is so twice; but nobody removes all of
            // its entries while they are read
            let is_known = total == Some(largest) && largest > 0;
            let is_confirmed = confirmed == total && (total > Some(0) || largest == 0);
            if is_whole && (is_known || is_confirmed) {
                return Ok(rows);
            }
            if is_whole {
                confirmed = total;
            }
            if is_whole || !agrees {
                total = None;
            }
        }
        let kind = ErrorKind::IncompleteList { read: most_seen.min(largest), total: largest };
        Err(Error::new(question.asked, kind))
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
