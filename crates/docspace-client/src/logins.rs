//! Reading the login history.
//!
//! The portal cuts the page out of all logins first and filters it afterwards, so a filter loses rows: everything is read and
//! chosen here. Only offsets exist. Pages overlap by half; an overlap that spans a change of date proves that no row fell between
//! two pages, and that the portal still answers what it is asked: rows that were there a moment ago must be there again. Where half
//! a page has one date, pages begin above it, and a date of more rows than a page is proven by counting them. Fewer rows than were
//! asked for are the end only when a question behind it finds nothing more.

use std::collections::{HashMap, HashSet};

use audit_model::{GapReason, LoginEvent, Window};
use chrono::{DateTime, TimeDelta, Timelike, Utc};

use crate::client::OnFault;
use crate::login_pages::{LoginPages, PAGE_ROWS, Page};
use crate::slice::merge;
use crate::wire::Row;
use crate::{Client, Error, Slice, SliceGap};

/// A portal cannot be told to forget logins earlier; every portal starts with half a year.
const SHORTEST_LIFETIME: TimeDelta = TimeDelta::days(1);

/// How far apart pages begin.
const STEP_ROWS: usize = 50;

/// The same, pass by pass, where more rows than a page have one date and so no order among them.
const TIED_STEPS: [usize; 5] = [50, 33, 25, 20, 14];

/// How often a page is asked for that contradicts what was read.
const TRIES: usize = 3;

/// So many logins may come in while the list is read. Each pushes what is known down by one, and pages show it again.
const MOST_ARRIVALS: usize = 500;

/// A portal that ignores filters answers with its newest 20 rows.
const FALLBACK_ROWS: usize = 20;

/// Printed dates are up to an hour late in autumn, so the walk goes on this far before the window.
const MARGIN: TimeDelta = TimeDelta::hours(1);

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl Client {
    /// The logins of the span, with what could not be seen. Newest first, as the portal allows nothing else.
    pub async fn login_slice(&self, span: Window) -> Slice<LoginEvent> {
        self.walk_logins(span).await.0
    }

    /// The same from a portal that does not tell how long it keeps logins: only what is younger than some login that it has, or than
    /// a day, counts as seen.
    pub async fn login_slice_of_unknown_lifetime(&self, span: Window, now: DateTime<Utc>) -> Slice<LoginEvent> {
        let (mut slice, oldest) = self.walk_logins(span).await;
        let kept_since = oldest.into_iter().fold(now - SHORTEST_LIFETIME, std::cmp::min);
        if slice.gaps.is_empty() && span.since < kept_since {
            let forgotten = Window::new(span.since, kept_since.min(span.until));
            slice.gaps.push(SliceGap { span: forgotten, why: GapReason::BeyondRetention });
        }
        slice
    }

    /// The slice, and the date of the oldest login that was seen on the way, inside the span or before it.
    async fn walk_logins(&self, span: Window) -> (Slice<LoginEvent>, Option<DateTime<Utc>>) {
        let mut walk = Walk {
            client: self,
            pages: LoginPages::new(self),
            known: Vec::new(),
            positions: HashMap::new(),
            counted: None,
            reached: span.until,
            slice: Slice {
                span,
                rows: Vec::new(),
                gaps: Vec::new(),
                unread: Vec::new(),
                none_ever: false,
                error: None,
            },
        };
        if let Err(stopped) = walk.read().await {
            walk.stop(stopped);
        }
        walk.slice.none_ever = walk.known.is_empty() && walk.slice.gaps.is_empty();
        let oldest = walk.known.iter().map(|(_, at)| *at).min();
        merge(&mut walk.slice.gaps);
        (walk.slice, oldest)
    }
}

/// Why a walk ended before the beginning of its span.
enum Stopped {
    /// Pages that contradict each other.
    Unstable,
    /// The newest rows, whatever was asked.
    FilterIgnored,
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Stopped::Failed(error)
    }
}

struct Walk<'a> {
    client: &'a Client,
    pages: LoginPages<'a>,
    /// Id and date of all rows that were read, in the order of the list.
    known: Vec<(i64, DateTime<Utc>)>,
    /// Where in `known` an id stands.
    positions: HashMap<i64, usize>,
    /// A date all of whose rows were read, or given up.
    counted: Option<DateTime<Utc>>,
    /// From here to the end of the span everything was seen.
    reached: DateTime<Utc>,
    slice: Slice<LoginEvent>,
}

impl Walk<'_> {
    async fn read(&mut self) -> Result<(), Stopped> {
        let mut start = 0;
        loop {
            let page = self.next_page(start).await?;
            self.take(&page, start);
            let oldest = page.iter().filter_map(date).min();
            if page.len() < PAGE_ROWS || oldest.is_some_and(|oldest| oldest < self.slice.span.since - MARGIN) {
                return Ok(());
            }
            // others of its second may still come
            self.reached = oldest.map_or(self.reached, |oldest| self.reached.min(oldest + SECOND));
            start = self.next_start(&page, start).await?;
        }
    }

    /// The page from this position on, asked for again while it contradicts what was read.
    async fn next_page(&mut self, start: usize) -> Result<Page, Stopped> {
        let mut rows = 0;
        for _ in 0..TRIES {
            let page = self.page(start).await?;
            let is_believed = page.len() == PAGE_ROWS || self.is_end(&page, start).await?;
            if is_believed && self.continues(&page) {
                return Ok(page);
            }
            rows = page.len();
        }
        // to say why
        let ignores_filters = (1..=FALLBACK_ROWS).contains(&rows) && !self.client.login_canary_is_empty().await?;
        Err(if ignores_filters { Stopped::FilterIgnored } else { Stopped::Unstable })
    }

    /// The page from this position on. What stands above it has been read, or has come in meanwhile: an answer that is always the same,
    /// as of a cache that does not look at positions, would never end.
    async fn page(&mut self, start: usize) -> Result<Page, Stopped> {
        if start > self.known.len() + MOST_ARRIVALS {
            return Err(Stopped::Unstable);
        }
        Ok(self.pages.read(start).await?)
    }

    /// Whether everything that must be on this page is on it: all that was read before from its beginning on, of at least two dates.
    /// Rows of its first date may have changed places with rows above it, and rows of its last date with rows below it.
    fn continues(&self, page: &Page) -> bool {
        if self.known.is_empty() {
            return true;
        }
        let ids: HashSet<i64> = page.iter().filter_map(id).collect();
        let Some(first) = page.iter().filter_map(id).find_map(|id| self.positions.get(&id)) else { return false };
        let begins_at = self.known[*first].1;
        let ends_at = page.iter().rev().find_map(date).filter(|_| page.len() == PAGE_ROWS);
        let mut below = self.known[*first..].iter().filter(|(_, at)| *at != begins_at).peekable();
        if below.peek().is_none() {
            return self.counted == Some(begins_at);
        }
        // rows that came meanwhile push known ones off the end of a full page, and then no unknown one stands there
        let is_pushed = page.len() == PAGE_ROWS
            && page.iter().rev().find_map(id).is_some_and(|last| self.positions.contains_key(&last));
        is_pushed || below.all(|(id, at)| Some(*at) == ends_at || ids.contains(id))
    }

    /// Whether the list ends with this page: asked for from its last row on, the portal shows that row and no other. Where the page does
    /// not reach beyond the span, also alone: what leaves out the first or the last rows of every answer cannot show it. Where it does,
    /// alone is enough, unless others share its date: then no row before it is missing.
    async fn is_end(&mut self, page: &Page, start: usize) -> Result<bool, Stopped> {
        let end = start + page.len();
        let asked = match page.last() {
            None if start > 0 => return Ok(false),
            None => self.pages.part(0, 1, OnFault::RepeatOnce).await.map(|rows| rows.is_empty()),
            Some(Row::Unreadable { .. }) => {
                self.pages.part(end, PAGE_ROWS, OnFault::RepeatOnce).await.map(|rows| rows.is_empty())
            }
            Some(Row::Read(last)) if last.at < self.slice.span.since - MARGIN && is_alone_in_its_date(page, last) => {
                let rows = self.pages.part(end - 1, 1, OnFault::RepeatOnce).await;
                rows.map(|rows| matches!(&rows[..], [Row::Read(again)] if again.id == last.id))
            }
            Some(Row::Read(last)) => match self.is_alone(end - 1, 2, last.at).await {
                Ok(true) if last.at >= self.slice.span.since - MARGIN => self.is_alone(end - 1, 1, last.at).await,
                is_alone => is_alone,
            },
        };
        match asked {
            Err(error) if error.may_be_one_row() => Ok(false),
            asked => Ok(asked?),
        }
    }

    /// Whether a question for so many rows from a position on is answered with one of this date: of rows of one date, another one may
    /// stand there.
    async fn is_alone(&mut self, start: usize, rows: usize, at: DateTime<Utc>) -> Result<bool, Error> {
        let rows = self.pages.part(start, rows, OnFault::RepeatOnce).await?;
        Ok(matches!(&rows[..], [Row::Read(again)] if again.at == at))
    }

    /// Where the next page begins, so that it shows known rows of two dates.
    async fn next_start(&mut self, page: &Page, start: usize) -> Result<usize, Stopped> {
        let Some(last) = page.iter().rev().find_map(date) else { return Ok(start + STEP_ROWS) };
        let tied = page.iter().rev().take_while(|row| date(row).is_none_or(|at| at == last)).count();
        match PAGE_ROWS - tied {
            first if first > STEP_ROWS => Ok(start + STEP_ROWS),
            first if first > 1 => Ok(start + first - 1),
            _ => {
                let known = self.known.iter().rev().take_while(|(_, at)| *at == last).count();
                self.read_tied((start + PAGE_ROWS).saturating_sub(known.max(tied)), last).await
            }
        }
    }

    /// Reads the rows of one date, of which there are more than a page: without an order among them pages can lose some, so the
    /// distinct ones are counted against the positions where they begin and end. Gives where the next page begins.
    async fn read_tied(&mut self, mut first: usize, at: DateTime<Utc>) -> Result<usize, Stopped> {
        let is_tied = |row: &Row<LoginEvent>| date(row) == Some(at);
        let (mut next, mut is_whole, mut ids) = (first, false, HashSet::new());
        for step in TIED_STEPS {
            let (mut start, mut begin) = (first.saturating_sub(1), None);
            let end = loop {
                let page = self.page(start).await?;
                self.take(&page, start);
                begin = begin.or_else(|| Some(start + page.iter().position(is_tied)?));
                ids.extend(page.iter().filter(|row| is_tied(row)).filter_map(id));
                let end = page.iter().rposition(is_tied).map_or(0, |last| last + 1);
                if end < PAGE_ROWS {
                    break start + end;
                }
                start += step;
            };
            next = end.saturating_sub(1);
            match begin {
                // they begin above the first page
                Some(begin) if begin > 0 && begin < first => first = first.saturating_sub(STEP_ROWS),
                Some(begin) if ids.len() == end.saturating_sub(begin) => {
                    is_whole = true;
                    break;
                }
                _ => {}
            }
        }
        if !is_whole {
            self.gap(at, at + SECOND, GapReason::UnstablePaging);
        }
        self.counted = Some(at);
        Ok(next)
    }

    /// Takes in the rows of a page, each once, and notes those that could not be read.
    fn take(&mut self, page: &Page, start: usize) {
        for (position, row) in page.iter().enumerate() {
            match row {
                Row::Read(row) if !self.positions.contains_key(&row.id) => {
                    self.positions.insert(row.id, self.known.len());
                    self.known.push((row.id, row.at));
                    if self.slice.span.contains(row.at) {
                        self.slice.rows.push(row.clone());
                    }
                }
                Row::Read(_) => {}
                Row::Unreadable { at: Some(at), why } => {
                    let second = at.with_nanosecond(0).unwrap_or(*at);
                    self.gap(second, second + SECOND, *why);
                }
                Row::Unreadable { at: None, why } => {
                    let newer = page[..position].iter().rev().find_map(date);
                    let older = page[position..].iter().find_map(date);
                    // one at an edge stands inside another page, unless the list begins or ends there
                    if newer.is_some() && (older.is_some() || page.len() < PAGE_ROWS) || start == 0 && newer.is_none() {
                        let Window { since, until } = self.slice.span;
                        let since = older.unwrap_or(since);
                        self.gap(since, newer.map_or(until, |newer| newer.max(since) + SECOND), *why);
                    }
                }
            }
        }
    }

    fn stop(&mut self, stopped: Stopped) {
        let (why, error) = match stopped {
            Stopped::Unstable => (GapReason::UnstablePaging, None),
            Stopped::FilterIgnored => (GapReason::AuditFeatureMissing, None),
            Stopped::Failed(error) => (error.gap_reason(), Some(error)),
        };
        self.gap(self.slice.span.since, self.reached, why);
        self.slice.error = error;
    }

    fn gap(&mut self, since: DateTime<Utc>, until: DateTime<Utc>, why: GapReason) {
        let span = Window::new(since, until.max(since)).intersection(&self.slice.span);
        if !span.is_empty() {
            self.slice.gaps.push(SliceGap { span, why });
        }
    }
}

fn id(row: &Row<LoginEvent>) -> Option<i64> {
    match row {
        Row::Read(row) => Some(row.id),
        Row::Unreadable { .. } => None,
    }
}

fn is_alone_in_its_date(page: &Page, last: &LoginEvent) -> bool {
    page.iter().filter_map(date).filter(|at| *at == last.at).count() == 1
}

fn date(row: &Row<LoginEvent>) -> Option<DateTime<Utc>> {
    match row {
        Row::Read(row) => Some(row.at),
        Row::Unreadable { .. } => None,
    }
}
