//! Which pass of a repeated hour a row belongs to.
//!
//! When clocks are set back, rows of both passes are printed alike, but they stand in the order of their true dates: where printed dates
//! jump up, the first pass ends. Only where they do not jump has the portal to be asked, and then as late as possible: until then the rows
//! are dated as printed and wait, and pages go on from a date that is certain.

use std::collections::{BTreeSet, HashMap, HashSet};

use audit_model::{GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};

use super::page::{Asked, ONE_CHANGE, PAGE_ROWS, Page, TICK, second_of, up_to};
use super::{Reader, Stop};
use crate::client::OnFault;
use crate::slice::Bookmark;
use crate::zone::repeated_hours;
use crate::{ErrorKind, Rest};

/// So many rows more than others a slice may have before the portal is asked.
const ROWS_TO_WAIT_FOR: usize = 1_000;

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

    /// Dates the rows that wait by a page, where it tells their passes, and before rows of another repeated hour come.
    pub(super) async fn learn_passes(&mut self, page: &Page, rest: &mut Rest) -> Result<(), Stop> {
        let Some(first) = self.open.first().copied() else { return Ok(()) };
        if page.tells_passes_around(first.printed) {
            self.take_passes(page, rest);
            // an earlier answer had rows that this one lacks
            return self.settle(rest).await.map(drop);
        }
        let dates = page.rows.iter().filter(|row| row.or_earlier_by.is_some()).filter_map(|row| row.at);
        if dates.chain(page.telling.iter().copied()).any(|at| at + ONE_CHANGE < first.printed) {
            self.settle(rest).await?;
        }
        Ok(())
    }

    /// Dates rows as a page does that has them, and those that stand on the other side of one that it has.
    fn take_passes(&mut self, page: &Page, rest: &mut Rest) {
        let told: HashMap<i64, DateTime<Utc>> =
            page.rows.iter().filter_map(|row| row.event.as_ref().ok()).map(|event| (event.id, event.at)).collect();
        // a page begins at the place, and what came before that is newer
        let is_before = |row: &Open| {
            rest.place.as_ref().is_some_and(|place| row.printed > place.date || place.ids.contains(&row.id))
        };
        let is_newer = |row: &Open| told.get(&row.id).map_or_else(|| is_before(row), |at| *at == row.printed);
        let newer = self.open.iter().rposition(is_newer).map_or(0, |last| last + 1);
        self.open.drain(..newer);
        if let Some(first) = self.open.iter().position(|row| told.contains_key(&row.id)) {
            let older = self.open.split_off(first);
            self.move_back(rest, &older);
        }
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

    /// Dates the rows that wait. Whether a question was answered with as many rows as were asked for.
    ///
    /// What an answer shows is in the pass that was asked for, and what it does not show may be missing from it, unless it has as many rows
    /// as were asked for. So the portal is asked for the newest rows of the first pass, as many as can be printed alike; and where fewer
    /// came, or none that waits, for the last row before them in the second pass.
    pub(super) async fn settle(&mut self, rest: &mut Rest) -> Result<bool, Stop> {
        let Some(newest) = self.open.first().copied() else { return Ok(false) };
        let around = Window::new(newest.printed - newest.earlier_by, newest.printed + TimeDelta::seconds(1));
        let Some(change) = repeated_hours(around, self.client.time_zone()).pop() else { return Err(Stop::Unproven) };
        let first_pass = Asked { to: change - TICK, ..Asked::all_of(rest.span) };
        let (first_older, is_full) = if first_pass.to >= rest.span.since {
            self.first_older(change, first_pass).await?
        } else {
            (self.open.len(), false)
        };
        let older = self.open.split_off(first_older);
        self.open.clear();
        self.move_back(rest, &older);
        Ok(is_full)
    }

    /// Where the first pass begins among the rows that wait, and whether a question was answered with as many rows as were asked for.
    async fn first_older(&mut self, change: DateTime<Utc>, first_pass: Asked) -> Result<(usize, bool), Stop> {
        let most_alike = self.open.chunk_by(|one, next| one.printed == next.printed).map(<[Open]>::len).max();
        let asked = Asked { count: most_alike.unwrap_or(1).min(PAGE_ROWS), ..first_pass };
        let page = self.answer(&asked).await?;
        let (is_full, ids) = (page.is_full(), page.ids());
        let first_older = self.open.iter().position(|row| ids.contains(&row.id));
        let is_proven = is_full
            && match first_older {
                Some(first) => {
                    let Open { printed, earlier_by, .. } = self.open[first];
                    let alike = self.open.iter().filter(|row| row.printed == printed).count();
                    let is_newest = page.rows.first().and_then(|row| row.at) == Some(printed - earlier_by);
                    is_newest && alike <= asked.count
                }
                // in the first pass all that wait would be newer than the newest row of it, or of what lies before it
                None => self
                    .open
                    .last()
                    .zip(page.rows.first().and_then(|row| row.at))
                    .is_some_and(|(last, newest)| newest < last.printed - last.earlier_by),
            };
        let first_older = first_older.unwrap_or(self.open.len());
        let Some(last_newer) = first_older.checked_sub(1).map(|last| self.open[last]).filter(|_| !is_proven) else {
            return Ok((first_older, is_full));
        };
        let alike = self.open.iter().filter(|row| row.printed == last_newer.printed).count();
        let (to, count) = (last_newer.printed, alike.min(PAGE_ROWS));
        let second_pass = self.answer(&Asked { since: Some(change), to, count, ..first_pass }).await?;
        if !second_pass.ids().contains(&last_newer.id) {
            return Err(Stop::Unproven);
        }
        Ok((first_older, is_full || second_pass.is_full()))
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

    /// The answer to a question about passes. No page but the walk's brings rows of its own: what is new here comes there as well.
    async fn answer(&mut self, asked: &Asked) -> Result<Page, Stop> {
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
        if self.confirms(&page).await? { Ok(page) } else { Err(Stop::Unproven) }
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
