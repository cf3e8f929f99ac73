//! Pages of the login history, around rows that make them fail.

use std::collections::BTreeSet;

use audit_model::{GapReason, LoginEvent};

use crate::client::{OnFault, Question};
use crate::wire::{LoginEventDto, Row};
use crate::{Client, Error};

/// The portal's largest page.
pub(crate) const PAGE_ROWS: usize = 100;

/// A history with more unreadable rows than this is not worth the requests.
const MAX_UNREADABLE: usize = 40;

/// So many rows that cannot be read, and not one that can, are no rows: the portal fails at everything.
const ALIKE: usize = 3;

/// A page by position, one entry for each of its rows.
pub(crate) type Page = Vec<Row<LoginEvent>>;

/// Reads pages, and remembers what stands where no page can be read.
pub(crate) struct LoginPages<'a> {
    client: &'a Client,
    /// Positions of rows that make each page fail. They grow by what is stored meanwhile, so they are only where to look first.
    unreadable: BTreeSet<usize>,
    found_some: bool,
}

impl<'a> LoginPages<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        LoginPages { client, unreadable: BTreeSet::new(), found_some: false }
    }

    /// The rows from this position on, as many as a page holds.
    ///
    /// # Errors
    /// Whatever is no single row.
    pub(crate) async fn read(&mut self, start: usize) -> Result<Page, Error> {
        if self.unreadable.range(start..start + PAGE_ROWS).next().is_none() {
            match self.part(start, PAGE_ROWS, OnFault::RepeatOnce).await {
                Err(error) if error.may_be_one_row() => {
                    // a question that no row answers fails only where everything does
                    if self.unreadable.is_empty() && self.client.login_canary_is_empty().await.is_err() {
                        return Err(error);
                    }
                    let row = self.find_unreadable(start, PAGE_ROWS, error).await?;
                    self.unreadable.extend(row);
                }
                page => return page,
            }
        }
        self.read_around(start).await
    }

    /// The same from parts that leave out the rows that are known to be unreadable.
    async fn read_around(&mut self, start: usize) -> Result<Page, Error> {
        let end = start + PAGE_ROWS;
        let (mut page, mut from) = (Page::new(), start);
        while from < end {
            let until = self.unreadable.range(from..end).next().copied().unwrap_or(end);
            if from == until {
                page.push(Row::Unreadable { at: None, why: GapReason::UnreadableRow });
                from += 1;
                continue;
            }
            match self.part(from, until - from, OnFault::GiveUp).await {
                Ok(part) => {
                    let is_short = part.len() < until - from;
                    page.extend(part);
                    if is_short {
                        break;
                    }
                    from = until;
                }
                Err(error) if error.may_be_one_row() => {
                    // rows that could be read now, though they failed before, are read again
                    let row = self.find_unreadable(from, until - from, error).await?;
                    self.unreadable.extend(row);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }

    /// The newest of these rows that makes a page fail, or `None` when none does any more.
    async fn find_unreadable(
        &mut self,
        mut from: usize,
        mut rows: usize,
        mut error: Error,
    ) -> Result<Option<usize>, Error> {
        while rows > 1 {
            let newer = rows / 2;
            match self.part(from, newer, OnFault::GiveUp).await {
                Ok(_) => (from, rows) = (from + newer, rows - newer),
                Err(failed) if failed.may_be_one_row() => (error, rows) = (failed, newer),
                Err(failed) => return Err(failed),
            }
        }
        match self.part(from, 1, OnFault::RepeatOnce).await {
            Ok(_) => Ok(None),
            Err(failed) if !failed.may_be_one_row() => Err(failed),
            Err(_) if self.unreadable.len() + 1 >= ALIKE && !self.found_some => Err(error),
            Err(_) if self.unreadable.len() >= MAX_UNREADABLE => Err(error),
            Err(_) => Ok(Some(from)),
        }
    }

    /// So many rows from a position on, in one request.
    ///
    /// # Errors
    /// Of the request.
    pub(crate) async fn part(&mut self, start: usize, rows: usize, on_fault: OnFault) -> Result<Page, Error> {
        let (start, rows) = (start.to_string(), rows.to_string());
        let query = [("count", rows.as_str()), ("startIndex", &start), ("fields", LoginEventDto::FIELDS)];
        let question = Question::new("the login history", "security/audit/login/filter", "*:read").query(&query);
        let rows = self.client.get_rows::<LoginEventDto>(question, on_fault).await?.response;
        self.client.note_rows(rows.len());
        self.found_some |= rows.iter().any(|row| matches!(row, Row::Read(_)));
        Ok(rows.into_iter().map(|row| row.map(LoginEvent::from)).collect())
    }
}
