//! Which pass of a repeated hour a row belongs to.
//!
//! When clocks are set back, rows of both passes are printed alike, but they stand in the order of their true dates: where printed dates
//! jump up, the first pass ends. Only where they do not jump has the portal to be asked, and then as late as possible: until then the rows
//! are dated as printed and wait, and pages go on from a date that is certain.

use std::collections::{BTreeSet, HashSet};

use audit_model::{GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};

use super::page::{Asked, PAGE_ROWS, Page, TICK, second_of, up_to};
use super::{Reader, Stop};
use crate::client::OnFault;
use crate::slice::Bookmark;
use crate::zone::repeated_hours;
use crate::{ErrorKind, Rest};

/// So many rows more than others a slice may have before the portal is asked.
const ROWS_TO_WAIT_FOR: usize = 1_000;

/// Nowhere are clocks set back twice within this time.
const ONE_CHANGE: TimeDelta = TimeDelta::days(1);

/// A row that was dated as printed and may have happened earlier.
#[derive(Clone, Copy)]
pub(super) struct Open {
    id: i64,
    printed: DateTime<Utc>,
    earlier_by: TimeDelta,
}

impl Reader<'_> {
    /// Lets the rows of a page wait that may be of either pass, newest first. Those that an earlier answer lacked come where the page has
    /// them, and not behind those that wait.
    pub(super) fn open(&mut self, page: &Page) {
        let mut rows = Vec::new();
        for row in &page.rows {
            if let (Some(earlier_by), Ok(event)) = (row.or_earlier_by, &row.event)
                && (!self.seen.contains(&event.id) || self.open.iter().any(|open| open.id == event.id))
            {
                rows.push(Open { id: event.id, printed: event.at, earlier_by });
            }
        }
        let mut taken = 0;
        let mut merged = Vec::with_capacity(self.open.len() + rows.len());
        for open in self.open.drain(..) {
            match rows.iter().position(|row| row.id == open.id) {
                None => merged.push(open),
                Some(place) if place >= taken => {
                    merged.extend_from_slice(&rows[taken..=place]);
                    taken = place + 1;
                }
                Some(_) => {}
            }
        }
        merged.extend_from_slice(&rows[taken..]);
        self.open = merged;
    }

    /// Whether a page holds rows of another repeated hour than those that wait.
    pub(super) fn comes_to_another_hour(&self, page: &Page) -> bool {
        let Some(first) = self.open.first() else { return false };
        let mut dates = page.rows.iter().filter(|row| row.or_earlier_by.is_some()).filter_map(|row| row.at);
        dates.any(|at| at + ONE_CHANGE < first.printed)
    }

    /// Whether a slice can end at the place: the next one knows nothing of rows that wait.
    pub(super) async fn ends_here(&mut self, rest: &mut Rest) -> Result<bool, Stop> {
        let rows = self.slice.rows.len();
        if rows < self.most_rows || !self.open.is_empty() && rows < self.most_rows + ROWS_TO_WAIT_FOR {
            return Ok(false);
        }
        self.settle(rest).await?;
        Ok(true)
    }

    /// Dates the rows that wait. Whether a question for one row was answered with one.
    pub(super) async fn settle(&mut self, rest: &mut Rest) -> Result<bool, Stop> {
        let Some(newest) = self.open.first().copied() else { return Ok(false) };
        let since = rest.span.since;
        let around = Window::new(newest.printed - newest.earlier_by, newest.printed + TimeDelta::seconds(1));
        let Some(change) = repeated_hours(around, self.client.time_zone()).pop() else { return Err(Stop::Unproven) };
        // of rows that are printed alike any can come first
        let is_one_each = self.open.windows(2).all(|pair| pair[0].printed != pair[1].printed);
        let count = if is_one_each { 1 } else { PAGE_ROWS };
        let first_pass = Asked { to: change - TICK, count, ..Asked::all_of(rest.span) };
        let is_asked = first_pass.to >= since;
        let ids = if is_asked { self.ids(&first_pass).await? } else { HashSet::new() };
        let first_older = self.open.iter().position(|row| ids.contains(&row.id));
        // an answer without rows may lack them, and one page may not show the first of many that are printed alike
        let few_are_alike = self.open.windows(3).all(|rows| rows[0].printed != rows[2].printed);
        let is_proven = !is_asked || !ids.is_empty() && few_are_alike;
        let last_newer = first_older.unwrap_or(self.open.len()).checked_sub(1).and_then(|last| self.open.get(last));
        if let Some(&Open { id, printed, .. }) = last_newer.filter(|_| !is_proven) {
            let second_pass = Asked { since: Some(change), to: printed, ..first_pass };
            if !self.ids(&second_pass).await?.contains(&id) {
                return Err(Stop::Unproven);
            }
        }
        let older = first_older.map_or_else(Vec::new, |first| self.open.split_off(first));
        self.open.clear();
        self.move_back(rest, &older);
        Ok(is_one_each && is_asked)
    }

    /// The true dates of rows that are dated alike so far, and those that others of this date, not seen yet, can have.
    pub(super) async fn settled(
        &mut self,
        rest: &mut Rest,
        date: DateTime<Utc>,
        ids: &HashSet<i64>,
    ) -> Result<(Vec<DateTime<Utc>>, Vec<DateTime<Utc>>), Stop> {
        let Some(open) = self.open.iter().find(|row| ids.contains(&row.id)).copied() else {
            return Ok((vec![date], vec![date]));
        };
        self.settle(rest).await?;
        let rows = self.slice.rows.iter().filter(|event| ids.contains(&event.id));
        let dates: BTreeSet<DateTime<Utc>> = rows.map(|event| event.at).collect();
        Ok((dates.into_iter().collect(), vec![open.printed, open.printed - open.earlier_by]))
    }

    /// The rows of an answer. No page but the walk's brings rows of its own: what is new here comes there as well.
    async fn ids(&mut self, asked: &Asked) -> Result<HashSet<i64>, Stop> {
        let raw = match self.client.audit_page(asked, OnFault::RepeatOnce).await {
            Ok(raw) => raw,
            Err(error) if error.kind == ErrorKind::UnexpectedForm => return Err(Stop::Unproven),
            Err(error) => return Err(Stop::because_of(error)),
        };
        let came = raw.len();
        let Some(page) = Page::of(raw, asked, None, self.client.time_zone()) else {
            self.suspect(came).await?;
            return Err(Stop::Unproven);
        };
        if !self.confirms(&page).await? {
            return Err(Stop::Unproven);
        }
        Ok(page.ids())
    }

    fn move_back(&mut self, rest: &mut Rest, older: &[Open]) {
        let Some(earlier_by) = older.first().map(|row| row.earlier_by) else { return };
        let older: HashSet<i64> = older.iter().map(|row| row.id).collect();
        for event in self.slice.rows.iter_mut().filter(|event| older.contains(&event.id)) {
            event.at -= earlier_by;
        }
        if let Some(place) = rest.place.take() {
            let (date, place) = (place.date, self.moved(place));
            if place.date != date {
                rest.span = up_to(rest.span.since, &place);
            }
            rest.place = Some(place);
        }
    }

    /// A place among rows whose dates are proven since: those of the second pass stand before it.
    pub(super) fn moved(&self, mut place: Bookmark) -> Bookmark {
        let rows = self.slice.rows.iter().filter(|event| event.at < place.date && place.ids.contains(&event.id));
        let moved: Vec<(i64, DateTime<Utc>)> = rows.map(|event| (event.id, event.at)).collect();
        if let Some((_, date)) = moved.first().copied() {
            place.reached = place.reached.saturating_sub(place.ids.len() - moved.len());
            place.ids = moved.into_iter().map(|(id, _)| id).collect();
            (place.date, place.to, place.before) = (date, date, 0);
        }
        place
    }

    /// Takes rows that still wait for what was not seen: dated wrong they would stay so.
    pub(super) fn give_up_open(&mut self, why: GapReason) {
        let (Some(newest), Some(oldest)) = (self.open.first().copied(), self.open.last().copied()) else { return };
        let ids: HashSet<i64> = self.open.drain(..).map(|row| row.id).collect();
        self.slice.rows.retain(|event| !ids.contains(&event.id));
        self.gap(Window::new(oldest.printed - oldest.earlier_by, second_of(newest.printed).until), why);
    }
}
