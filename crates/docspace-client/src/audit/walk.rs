//! The walk from the newest row of a span to its oldest.
//!
//! Each page begins with a row that is known, and what looks like the end is asked about once more. Both together make an answer that
//! is empty, cut short or meant for somebody else a try that failed, and never the end.

use audit_model::{GapReason, Window};
use chrono::{DateTime, Utc};

use super::page::{Asked, Page, second_of, up_to};
use super::{Reader, Stop};
use crate::client::OnFault;
use crate::slice::Place;
use crate::{Error, ErrorKind, Rest};

/// How often a page is asked for until it is given up.
const TRIES: usize = 3;

/// So many pages of a slice may lack rows for good, until the portal is given up.
const MOST_BAD_PAGES: usize = 5;

/// A portal that ignores filters answers with its newest 20 rows, whatever was asked; with fewer only when it has no more.
const FALLBACK_ROWS: usize = 20;

/// A row that was read.
struct Known {
    id: i64,
    at: DateTime<Utc>,
}

/// What one more page brought.
enum Step {
    Further,
    End,
    /// An answer that cannot be the answer.
    Odd,
    /// JSON, but not a list.
    OddForm(Error),
    /// Rows that stand there, but not all: the page is shorter than what there is.
    Short(Option<Place>),
}

impl Reader<'_> {
    /// Pages through what is left, and moves its end to the rows that were read last.
    pub(super) async fn walk(&mut self, rest: &mut Rest) -> Result<(), Stop> {
        let mut tries = 1;
        loop {
            match self.step(rest).await? {
                Step::End => return Ok(()),
                Step::Further => {
                    tries = 1;
                    if self.slice.rows.len() >= self.most_rows {
                        return Err(Stop::Full);
                    }
                    continue;
                }
                _ if tries < TRIES => {}
                Step::OddForm(error) => return Err(Stop::Failed(error)),
                Step::Short(Some(place)) if self.bad_pages < MOST_BAD_PAGES => {
                    self.bad_pages += 1;
                    let newest = rest.place.as_ref().map_or(rest.span.until, |known| second_of(known.date).until);
                    self.gap(Window::new(second_of(place.date).since, newest), GapReason::UnstablePaging);
                    go_on_at(rest, Place { flawed: true, ..place });
                    tries = 0;
                }
                Step::Odd | Step::Short(_) => return Err(Stop::Unproven),
            }
            tries += 1;
        }
    }

    async fn step(&mut self, rest: &mut Rest) -> Result<Step, Stop> {
        rest.shuffled |= self.shuffled;
        let asked = Asked::next_of(rest);
        let raw = match self.client.audit_page(&asked, self.on_fault()).await {
            Ok(raw) => raw,
            Err(error) if error.kind == ErrorKind::UnexpectedForm => return Ok(Step::OddForm(error)),
            Err(error) => return Err(Stop::because_of(error)),
        };
        let came = raw.len();
        let Some(page) = Page::of(raw, &asked, rest.place.as_ref(), self.client.time_zone()) else {
            self.suspect(came).await?;
            return Ok(Step::Odd);
        };
        if came == 0 {
            return self.is_empty(rest, &asked).await;
        }
        let (is_full, place) = (page.is_full(), page.end(rest.place.as_ref()));
        let last =
            page.rows.last().and_then(|row| row.event.as_ref().ok()).map(|last| Known { id: last.id, at: last.at });
        let counted = rest.place.as_ref().and_then(|place| Some((place.date, page.count(place)?)));
        self.take(page);
        if let Some((date, (ids, size))) = counted
            && ids.len() < size
        {
            self.shuffled = true;
            self.look_at(date, ids, size).await?;
        }
        if !is_full {
            let is_end = self.is_end(&asked, came, last).await?;
            return Ok(if is_end { Step::End } else { Step::Short(place) });
        }
        match place {
            Some(place) if is_further(&place, rest.place.as_ref()) => {
                go_on_at(rest, place);
                Ok(Step::Further)
            }
            // a known row, and nothing that can be understood behind it
            _ => Err(Stop::Failed(Error::new("the audit trail", ErrorKind::UnexpectedForm))),
        }
    }

    /// Whether a page that is not full was the last: its last row stands at the last position, alone.
    async fn is_end(&mut self, asked: &Asked, rows: usize, last: Option<Known>) -> Result<bool, Stop> {
        // a page of one row would only be asked for again
        if rows == 1 {
            return self.is_nothing_behind(asked, rows).await;
        }
        let at_last = Asked { start: asked.start + rows - 1, ..*asked };
        let raw = match self.client.audit_page(&at_last, OnFault::RepeatOnce).await {
            Err(error) if error.kind == ErrorKind::UnexpectedForm => return Ok(false),
            raw => raw.map_err(Stop::because_of)?,
        };
        let came = raw.len();
        if let Some(page) = Page::of(raw, &at_last, None, self.client.time_zone())
            && let [row] = &page.rows[..]
        {
            match (&row.event, last) {
                (Ok(event), Some(last)) if event.id == last.id => return Ok(true),
                (Err(_), None) => return Ok(true),
                // either equal dates have no order, or this answer is too short as well
                (Ok(event), Some(last)) if event.at == last.at && self.seen.contains(&event.id) => {
                    return Ok(self.shuffled || self.is_nothing_behind(asked, rows).await?);
                }
                _ => {}
            }
        }
        self.suspect(came).await?;
        Ok(false)
    }

    async fn is_nothing_behind(&mut self, asked: &Asked, rows: usize) -> Result<bool, Stop> {
        let behind = Asked { start: asked.start + rows, ..*asked };
        match self.client.audit_page(&behind, OnFault::RepeatOnce).await {
            Ok(raw) if raw.is_empty() => Ok(true),
            Ok(raw) => self.suspect(raw.len()).await.map(|()| false),
            Err(error) if error.kind == ErrorKind::UnexpectedForm => Ok(false),
            Err(error) => Err(Stop::because_of(error)),
        }
    }

    /// Whether there is nothing in the span, as an answer without rows says: then the newest row up to its end lies before it.
    async fn is_empty(&mut self, rest: &Rest, asked: &Asked) -> Result<Step, Stop> {
        let newest = Asked { since: None, count: 1, ..*asked };
        match self.client.audit_page(&newest, OnFault::GiveUp).await {
            Ok(raw) => {
                let came = raw.len();
                if came == 0 {
                    self.slice.none_ever |= rest.span.until == self.slice.span.until;
                    return Ok(Step::End);
                }
                let page = Page::of(raw, &newest, None, self.client.time_zone());
                match page.and_then(|page| page.oldest()) {
                    Some(at) if at < rest.span.since => return Ok(Step::End),
                    _ => self.suspect(came).await?,
                }
            }
            // the newest row cannot be read
            Err(error) if error.may_be_one_row() || error.kind == ErrorKind::UnexpectedForm => {}
            Err(error) => return Err(Stop::Failed(error)),
        }
        // in doubt two answers have to agree
        match self.client.audit_page(asked, OnFault::RepeatOnce).await {
            Ok(again) if again.is_empty() => Ok(Step::End),
            Ok(_) => Ok(Step::Odd),
            Err(error) if error.kind == ErrorKind::UnexpectedForm => Ok(Step::OddForm(error)),
            Err(error) => Err(Stop::because_of(error)),
        }
    }

    /// An answer that cannot be right may come from a portal that ignores filters: its plan may have ended since the last time.
    pub(super) async fn suspect(&mut self, rows: usize) -> Result<(), Stop> {
        if !(1..=FALLBACK_ROWS).contains(&rows) {
            return Ok(());
        }
        match self.client.canary_is_empty().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::FilterIgnored),
            Err(error) => Err(Stop::Failed(error)),
        }
    }
}

fn go_on_at(rest: &mut Rest, place: Place) {
    rest.span = up_to(rest.span.since, &place);
    rest.place = Some(place);
}

fn is_further(end: &Place, before: Option<&Place>) -> bool {
    before.is_none_or(|before| end.date < before.date || end.reached > before.reached)
}
