//! The walk from the newest row of a span to its oldest.
//!
//! Each page begins with a row that is known, and what looks like the end is asked about once more. Both together make an answer that
//! is empty, cut short or meant for somebody else a try that failed, and never the end.

use audit_model::{GapReason, Window};
use chrono::{DateTime, Utc};

use super::page::{Asked, Page, second_of, up_to};
use super::{Reader, Stop};
use crate::client::OnFault;
use crate::slice::Bookmark;
use crate::zone::lateness;
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

/// What stands behind the last row of a page.
enum Behind {
    /// A row from before the span.
    Older,
    /// No row; the last one itself was shown, or another of its date.
    Nothing,
    /// A row that may lie before the span or in it.
    Unclear,
    /// So many rows that cannot stand there if the page was the last.
    Other { rows: usize },
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
    Short(Option<Bookmark>),
}

impl Reader<'_> {
    /// Pages through what is left, and moves its end to the rows that were read last.
    pub(super) async fn walk(&mut self, rest: &mut Rest) -> Result<(), Stop> {
        let mut tries = 1;
        loop {
            match self.step(rest).await? {
                Step::End => return self.settle(rest).await.map(drop),
                Step::Further => {
                    tries = 1;
                    if self.ends_here(rest).await? {
                        return Err(Stop::Full);
                    }
                    continue;
                }
                _ if tries < TRIES => {}
                Step::OddForm(error) => return Err(Stop::Failed(error)),
                Step::Short(Some(place))
                    if self.bad_pages < MOST_BAD_PAGES && is_further(&place, rest.place.as_ref()) =>
                {
                    self.bad_pages += 1;
                    let newest = rest.place.as_ref().map_or(rest.span.until, |known| second_of(known.date).until);
                    // of a repeated hour the pass is not known yet
                    let oldest = second_of(place.date).since - lateness(place.date, self.client.time_zone());
                    self.gap(Window::new(oldest, newest), GapReason::UnstablePaging);
                    go_on_at(rest, Bookmark { flawed: true, ..place });
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
        if (page.is_moved || !page.telling.is_empty()) && !self.confirms(&page).await? {
            return Ok(Step::Odd);
        }
        if came == 0 {
            return self.is_empty(rest, &asked).await;
        }
        let (is_full, place) = (page.is_full(), page.end(rest.place.as_ref()));
        let last =
            page.rows.last().and_then(|row| row.event.as_ref().ok()).map(|last| Known { id: last.id, at: last.at });
        let counted = rest.place.as_ref().and_then(|place| Some((place.date, page.count(place)?)));
        self.learn_passes(&page, rest).await?;
        self.open(&page);
        self.take(page);
        if let Some((date, (ids, size))) = counted
            && ids.len() < size
        {
            self.shuffled = true;
            let (dates, possible) = self.settled(rest, date, &ids).await?;
            let is_seen = if let [date] = dates[..] { self.look_at(date, ids, size).await? } else { false };
            if !is_seen {
                possible.iter().for_each(|date| self.gap(second_of(*date), GapReason::UnstablePaging));
            }
        }
        if !is_full {
            let is_end = self.is_end(rest, &asked, came, last).await?;
            return Ok(if is_end { Step::End } else { Step::Short(place.map(|place| self.moved(place))) });
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

    /// Whether a page that is not full was the last: its last row stands at the last position of the span.
    ///
    /// Asked with the row behind it, whatever its time: an older one ends the span in the same answer. Where the portal has none, the
    /// last row is asked for once more, alone: what leaves out the last rows of every answer cannot show it.
    async fn is_end(&mut self, rest: &mut Rest, asked: &Asked, rows: usize, last: Option<Known>) -> Result<bool, Stop> {
        let at_last = Asked { start: asked.start + rows - 1, count: 2, ..*asked };
        let behind = match self.behind(&Asked { since: None, ..at_last }, asked, last.as_ref()).await? {
            Behind::Unclear => self.behind(&at_last, asked, last.as_ref()).await?,
            behind => behind,
        };
        let came = match behind {
            Behind::Older => return Ok(true),
            // what leaves out a row of each answer cannot show one alone; what did so before shows it when asked what stands behind
            Behind::Nothing if self.settle(rest).await? => return self.is_nothing_behind(asked, rows).await,
            Behind::Nothing => match self.behind(&Asked { count: 1, ..at_last }, asked, last.as_ref()).await? {
                Behind::Nothing => return self.is_nothing_behind(asked, rows).await,
                Behind::Other { rows } => rows,
                Behind::Older | Behind::Unclear => 0,
            },
            Behind::Other { rows } => rows,
            Behind::Unclear => 0,
        };
        self.suspect(came).await?;
        Ok(false)
    }

    /// What stands behind the last row of a page, in the span of the page or without its beginning.
    async fn behind(&self, question: &Asked, page: &Asked, last: Option<&Known>) -> Result<Behind, Stop> {
        let on_fault = if question.since.is_some() { OnFault::RepeatOnce } else { OnFault::GiveUp };
        let raw = match self.client.audit_page(question, on_fault).await {
            Ok(raw) => raw,
            // a row before the span cannot be read
            Err(error)
                if question.since.is_none() && (error.may_be_one_row() || error.kind == ErrorKind::UnexpectedForm) =>
            {
                return Ok(Behind::Unclear);
            }
            Err(error) if error.kind == ErrorKind::UnexpectedForm => return Ok(Behind::Other { rows: 0 }),
            Err(error) => return Err(Stop::because_of(error)),
        };
        let (rows, zone) = (raw.len(), self.client.time_zone());
        let (answer, other) = (Page::of(raw, question, None, zone), Ok(Behind::Other { rows }));
        let (first, next) = match answer.as_ref().map(|answer| &answer.rows[..]) {
            Some([first]) => (first, None),
            Some([first, next]) => (first, Some(next)),
            _ => return other,
        };
        let is_known = match (&first.event, last) {
            (Err(_), None) => true,
            // equal dates have no order, and one row alone does not tell its pass of a repeated hour
            (Ok(event), Some(last)) => {
                let is_alike = event.at == last.at || event.at - lateness(event.at, zone) == last.at;
                event.id == last.id || is_alike && self.seen.contains(&event.id)
            }
            _ => false,
        };
        if !is_known {
            return other;
        }
        let since = page.since.filter(|_| question.since.is_none());
        match (next, next.and_then(|next| next.at), since) {
            (None, ..) => Ok(Behind::Nothing),
            (Some(_), Some(at), Some(since)) if at < since => Ok(Behind::Older),
            // in a repeated hour it may be printed too late
            (Some(_), Some(at), Some(since)) if at - lateness(at, zone) < since => Ok(Behind::Unclear),
            (Some(_), None, Some(_)) => Ok(Behind::Unclear),
            (Some(_), ..) => other,
        }
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
                    return Ok(if self.has_none_ever(rest).await? { Step::End } else { Step::Odd });
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

    /// Whether there is no row up to the end of the part, however old. A portal that shows nothing any more does not show what is known
    /// to be newer either; where nothing is known, it may be that.
    async fn has_none_ever(&mut self, rest: &Rest) -> Result<bool, Stop> {
        let known = self.slice.rows.iter().map(|event| event.at).max();
        let Some(to) = known.filter(|_| rest.span.until != self.slice.span.until) else {
            self.slice.none_ever = true;
            return Ok(true);
        };
        let newer = Asked { since: None, to, count: 1, ..Asked::all_of(self.slice.span) };
        match self.client.audit_page(&newer, OnFault::GiveUp).await {
            Ok(rows) => Ok(!rows.is_empty()),
            Err(error) if error.may_be_one_row() || error.kind == ErrorKind::UnexpectedForm => Ok(true),
            Err(error) => Err(Stop::Failed(error)),
        }
    }

    /// Whether an answer is the same once more, where it may be the newest rows of a portal that ignores filters: as printed in a repeated
    /// hour, these fit a question that was not answered.
    pub(super) async fn confirms(&mut self, page: &Page) -> Result<bool, Stop> {
        let rows = page.rows.len();
        let are_all = (2..FALLBACK_ROWS).contains(&rows) && rows >= self.seen.len() && !self.goes_on;
        if rows != FALLBACK_ROWS && !are_all {
            return Ok(true);
        }
        self.suspect(rows).await?;
        match self.client.audit_page(&page.asked, OnFault::RepeatOnce).await {
            Ok(raw) => {
                let again = Page::of(raw, &page.asked, None, self.client.time_zone());
                Ok(again.is_some_and(|again| again.ids() == page.ids()))
            }
            Err(error) if error.kind == ErrorKind::UnexpectedForm => Ok(false),
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

fn go_on_at(rest: &mut Rest, place: Bookmark) {
    rest.span = up_to(rest.span.since, &place);
    rest.place = Some(place);
}

fn is_further(end: &Bookmark, before: Option<&Bookmark>) -> bool {
    before.is_none_or(|before| end.date < before.date || end.reached > before.reached)
}
