//! One page of the audit trail: what is asked, what comes, and whether it can be the answer.

use std::collections::HashSet;

use audit_model::{AuditEvent, GapReason, Window};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use crate::client::{OnFault, Question};
use crate::slice::Bookmark;
use crate::wire::{self, AuditEventDto};
use crate::zone::lateness;
use crate::{Client, Error, Rest, SliceGap};

/// The portal's largest page.
pub(super) const PAGE_ROWS: usize = 100;

/// The portal's own resolution of dates in a query. Bounds are inclusive there and half-open here.
pub(super) const TICK: TimeDelta = TimeDelta::nanoseconds(100);

/// The portal's number for files.
const FILE: &str = "1";

/// Nowhere are clocks set back twice within this time.
pub(super) const ONE_CHANGE: TimeDelta = TimeDelta::days(1);

/// The finest resolution in which a portal stores dates.
const FINEST: TimeDelta = TimeDelta::microseconds(1);

/// A question for events, newest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// `None` for everything that the portal has.
    pub(super) since: Option<DateTime<Utc>>,
    /// Inclusive.
    pub(super) to: DateTime<Utc>,
    /// How many of the newest are left out.
    pub(super) start: usize,
    /// 1 to 100.
    pub(super) count: usize,
    /// Only actions of this type, as the portal numbers them.
    pub(super) action_type: Option<&'static str>,
    /// Only actions on files with these digits in their id.
    pub(super) file: Option<u32>,
}

impl Asked {
    pub(super) fn all_of(span: Window) -> Self {
        Asked {
            since: Some(span.since),
            to: span.until - TICK,
            start: 0,
            count: PAGE_ROWS,
            action_type: None,
            file: None,
        }
    }

    /// The next page of what is still to be read.
    ///
    /// It begins with a row that is known, so that an answer without it is no answer. Where equal dates have no order, with all rows of
    /// its date: these may be known or not, but the date is.
    pub(super) fn next_of(rest: &Rest) -> Self {
        let Some(place) = &rest.place else { return Asked::all_of(rest.span) };
        let anew = rest.shuffled && !place.fills_page;
        let start = place.before + if anew { 0 } else { place.reached.saturating_sub(1) };
        Asked { to: place.to, start, ..Asked::all_of(rest.span) }
    }
}

/// A row as it came, with its printed date.
pub(super) type Raw = wire::Row<AuditEvent>;

impl Client {
    pub(super) async fn audit_page(&self, asked: &Asked, on_fault: OnFault) -> Result<Vec<Raw>, Error> {
        let (from, to) = (asked.since.map(query_instant), query_instant(asked.to));
        let (start, count) = (asked.start.to_string(), asked.count.to_string());
        let fields = if self.wants_details() { AuditEventDto::FIELDS_WITH_DETAILS } else { AuditEventDto::FIELDS };
        let file = asked.file.map(|digits| digits.to_string());
        let start = (asked.start > 0).then_some(("startIndex", start.as_str()));
        let query: Vec<(&str, &str)> = (from.as_deref().map(|from| ("from", from)).into_iter())
            .chain([("to", to.as_str()), ("count", &count), ("fields", fields)])
            .chain(start)
            .chain(asked.action_type.map(|number| ("actionType", number)))
            .chain(file.iter().flat_map(|digits| [("entryType", FILE), ("target", digits)]))
            .collect();
        let question = Question::new("the audit trail", "security/audit/events/filter", "*:read").query(&query);
        let rows = self.get_rows::<AuditEventDto>(question, on_fault).await?.response;
        self.note_rows(rows.len());
        Ok(rows.into_iter().map(|row| row.map(AuditEvent::from)).collect())
    }
}

/// A row with its true date where it has one, and why it could not be understood where it could not.
pub(super) struct Row {
    pub(super) at: Option<DateTime<Utc>>,
    /// It may have happened so much earlier: in the first pass of a repeated hour.
    pub(super) or_earlier_by: Option<TimeDelta>,
    pub(super) event: Result<AuditEvent, GapReason>,
}

/// An answer that can be the answer to what was asked.
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    /// Dates of rows that fit one pass of a repeated hour alone, and so tell to which pass the rows before them belong.
    pub(super) telling: Vec<DateTime<Utc>>,
    /// A row of it is printed late, if it is one that was asked for.
    pub(super) is_moved: bool,
    pub(super) asked: Asked,
}

impl Page {
    /// `None` when rows were not selected by the bounds, stand in another order than newest first, come twice, or are not the ones that
    /// must be there: the page begins with a row of the place that was reached, and does not leave out any that is known.
    pub(super) fn of(raw: Vec<Raw>, asked: &Asked, place: Option<&Bookmark>, zone: Option<Tz>) -> Option<Self> {
        if raw.len() > asked.count {
            return None;
        }
        let since = asked.since.unwrap_or(DateTime::<Utc>::MIN_UTC);
        let (mut newest, mut ids) = (asked.to, HashSet::new());
        let mut page =
            Page { rows: Vec::with_capacity(raw.len()), telling: Vec::new(), is_moved: false, asked: *asked };
        for row in raw {
            match row {
                Raw::Read(mut event) => {
                    let date = true_date(event.at, since, newest, zone)?;
                    page.is_moved |= date.at != event.at;
                    (event.at, newest) = (date.at, date.at);
                    if !ids.insert(event.id) {
                        return None;
                    }
                    page.push(Some(date), Ok(event));
                }
                Raw::Unreadable { at: printed, why } => {
                    let date = printed.and_then(|printed| true_date(printed, since, newest, zone));
                    newest = date.as_ref().map_or(newest, |date| date.at);
                    page.push(date, Err(why));
                }
            }
        }
        page.goes_on_from(place).then_some(page)
    }

    /// Rows stand in the order of their true dates. So what fits one pass alone, be it for the row before it, settles those before it.
    fn push(&mut self, date: Option<TrueDate>, event: Result<AuditEvent, GapReason>) {
        let pass = date.as_ref().map_or(Pass::NotRepeated, |date| date.pass);
        if let Some(at) = date.as_ref().filter(|_| pass == Pass::Certain).map(|date| date.at) {
            let of_this_hour = self.rows.iter_mut().filter(|row| row.at.is_none_or(|newer| newer < at + ONE_CHANGE));
            of_this_hour.for_each(|row| row.or_earlier_by = None);
            self.telling.push(at);
        }
        let or_earlier_by = if let Pass::Either { earlier_by } = pass { Some(earlier_by) } else { None };
        self.rows.push(Row { at: date.map(|date| date.at), or_earlier_by, event });
    }

    fn goes_on_from(&self, place: Option<&Bookmark>) -> bool {
        let Some(place) = place else { return true };
        let begins_there = self.rows.iter().find_map(|row| row.at) == Some(place.date);
        // rows of a date do not get fewer
        begins_there && self.count(place).is_none_or(|(ids, size)| ids.len() <= size)
    }

    /// The distinct rows of the place's date that were seen, with those of this page, and how many there are; `None` while more of them
    /// can come, and where the number proves nothing.
    pub(super) fn count(&self, place: &Bookmark) -> Option<(HashSet<i64>, usize)> {
        let date = place.date;
        let ends = !self.is_full() || self.rows.iter().any(|row| row.at.is_some_and(|at| at < date));
        if !ends || place.flawed || self.is_flawed_at(date) {
            return None;
        }
        let shown = self.rows.iter().take_while(|row| row.at == Some(date)).count();
        Some((&place.ids | &self.ids_of(date), self.asked.start + shown - place.before))
    }

    /// Whether it tells to which passes of the repeated hour around this date rows belong.
    pub(super) fn tells_passes_around(&self, date: DateTime<Utc>) -> bool {
        self.telling.iter().any(|at| (*at - date).abs() < ONE_CHANGE)
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() == self.asked.count
    }

    pub(super) fn ids(&self) -> HashSet<i64> {
        self.rows.iter().filter_map(|row| row.event.as_ref().ok()).map(|event| event.id).collect()
    }

    pub(super) fn ids_of(&self, date: DateTime<Utc>) -> HashSet<i64> {
        self.rows
            .iter()
            .filter_map(|row| row.event.as_ref().ok())
            .filter(|event| event.at == date)
            .map(|event| event.id)
            .collect()
    }

    /// Whether one of the rows of this date, or beside them, could not be understood.
    pub(super) fn is_flawed_at(&self, date: DateTime<Utc>) -> bool {
        let newer = self.rows.iter().rposition(|row| row.at.is_some_and(|at| at > date)).map_or(0, |newer| newer + 1);
        let mut group = self.rows[newer..].iter().take_while(|row| row.at.is_none_or(|at| at == date));
        group.any(|row| row.event.is_err())
    }

    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.rows.iter().rev().find_map(|row| row.at)
    }

    /// Where to go on behind this page; `None` when no row has a date.
    pub(super) fn end(&self, place: Option<&Bookmark>) -> Option<Bookmark> {
        let last = self.rows.iter().rposition(|row| row.at.is_some())?;
        let date = self.rows[last].at?;
        let first = self.rows[..=last].iter().position(|row| row.at == Some(date))?;
        let fills_page = self.rows[..first].iter().all(|row| row.at.is_none());
        let mut ids = self.ids_of(date);
        let known = place.filter(|place| place.date == date);
        ids.extend(known.into_iter().flat_map(|place| &place.ids));
        let flawed = self.is_flawed_at(date) || known.is_some_and(|place| place.flawed);
        let first = if fills_page { 0 } else { first };
        let before = known.map_or(self.asked.start + first, |place| place.before);
        let reached = self.asked.start + last + 1 - before;
        // up to a date that may be another one nothing can be asked for
        let (to, before) = if self.rows[last].or_earlier_by.is_some() { (self.asked.to, before) } else { (date, 0) };
        Some(Bookmark { date, to, before, ids, reached, fills_page, flawed })
    }

    /// Where rows happened that could not be understood: in their second, or between their neighbours. What may be of either pass of a
    /// repeated hour has both.
    pub(super) fn unreadable(&self) -> Vec<SliceGap> {
        let mut gaps = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let Err(why) = row.event else { continue };
            if let Some(at) = row.at {
                let dates = [Some(at), row.or_earlier_by.map(|by| at - by)];
                gaps.extend(dates.into_iter().flatten().map(|at| SliceGap { span: second_of(at), why }));
                continue;
            }
            let newer = self.rows[..index].iter().rev().find_map(|row| row.at).unwrap_or(self.asked.to);
            let since = match self.rows[index..].iter().find(|row| row.at.is_some()) {
                Some(Row { at: Some(older), or_earlier_by, .. }) => {
                    second_of(*older).since - or_earlier_by.unwrap_or_default()
                }
                // the next page begins before it, and knows more
                _ if self.is_full() && self.oldest().is_some() => continue,
                _ => self.asked.since.unwrap_or(self.asked.to),
            };
            gaps.push(SliceGap { span: Window::new(since, second_of(newer).until), why });
        }
        gaps
    }
}

/// The whole second of an instant: on MySQL dates have no parts of it.
pub(super) fn second_of(instant: DateTime<Utc>) -> Window {
    let since = instant.with_nanosecond(0).unwrap_or(instant);
    Window::new(since, since + TimeDelta::seconds(1))
}

/// What is left when the place is reached, the rows of its date among it.
pub(super) fn up_to(since: DateTime<Utc>, place: &Bookmark) -> Window {
    Window::new(since, place.date + FINEST)
}

/// When a row happened.
struct TrueDate {
    at: DateTime<Utc>,
    pass: Pass,
}

/// What is known about the pass of a repeated hour that a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    NotRepeated,
    /// The other does not fit.
    Certain,
    /// The second, or the first.
    Either {
        earlier_by: TimeDelta,
    },
}

/// The date of a row that the portal returned for `since ..= to`: as printed, or earlier by what a repeated hour makes it late when
/// only that fits. `None` when nothing fits, so the row was not selected by these bounds.
fn true_date(printed: DateTime<Utc>, since: DateTime<Utc>, to: DateTime<Utc>, zone: Option<Tz>) -> Option<TrueDate> {
    let fits = |date: &DateTime<Utc>| (since..=to).contains(date);
    let earlier_by = lateness(printed, zone);
    let (late, early) = (Some(printed).filter(fits), Some(printed - earlier_by).filter(fits));
    let pass = match (late, early) {
        _ if earlier_by.is_zero() || zone.is_none() => Pass::NotRepeated,
        (Some(_), Some(_)) => Pass::Either { earlier_by },
        _ => Pass::Certain,
    };
    Some(TrueDate { at: late.or(early)?, pass })
}

/// An instant as the portal's query parser takes it: whole seconds, or exactly seven digits.
pub(crate) fn query_instant(instant: DateTime<Utc>) -> String {
    let seconds = instant.format("%Y-%m-%dT%H:%M:%S");
    match instant.nanosecond() / 100 {
        0 => format!("{seconds}Z"),
        ticks => format!("{seconds}.{ticks:07}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn instants_have_no_digits_or_seven() {
        assert_eq!(query_instant(at("2026-11-20T09:00:00Z")), "2026-11-20T09:00:00Z");
        assert_eq!(query_instant(at("2026-11-20T09:00:00Z") - TICK), "2026-11-20T08:59:59.9999999Z");
        assert_eq!(query_instant(at("2026-11-20T09:00:00.05Z")), "2026-11-20T09:00:00.0500000Z");
    }

    #[test]
    fn a_row_of_the_autumn_hour_is_taken_back_into_its_part() {
        let (since, to) = (at("2025-10-26T00:00:00Z"), at("2025-10-26T00:59:59Z"));
        for zone in [Some(Tz::Europe__Berlin), None] {
            let true_date = |printed| true_date(at(printed), since, to, zone).map(|date| date.at);
            assert_eq!(true_date("2025-10-26T01:30:00Z"), Some(at("2025-10-26T00:30:00Z")));
            assert_eq!(true_date("2025-10-26T00:30:00Z"), Some(at("2025-10-26T00:30:00Z")));
            assert_eq!(true_date("2025-10-26T02:30:00Z"), None);
            assert_eq!(true_date("2025-10-25T23:59:59Z"), None);
        }
        assert!(true_date(at("2025-10-26T01:30:00Z"), since, to, Some(Tz::UTC)).is_none());
    }
}
