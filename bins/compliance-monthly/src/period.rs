//! Months and other stretches of time in a named zone. Pure: what time it is, is an argument.

use std::fmt;
use std::str::FromStr;

use ::report::words::{Clock, utc};
use audit_model::Window;
use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use job_runner::time_spec::start_of_day;

use crate::bundle::manifest::PeriodFacts;

/// An instant as it was on the clocks of the zone, with its offset.
pub(crate) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A month of the calendar; which instants it is made of depends on the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    first_day: NaiveDate,
}

/// Why a text is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a month such as `2026-06`")]
pub(crate) struct NoMonth;

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let is_shaped = text.len() == 7 && text.bytes().enumerate().all(|(at, b)| (at == 4) == (b == b'-'));
        let first_day = format!("{text}-01").parse().map_err(|_| NoMonth)?;
        if is_shaped { Ok(Month { first_day }) } else { Err(NoMonth) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first_day.format("%Y-%m"))
    }
}

/// A zone by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) Tz);

/// Why a text names no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a time zone such as `Europe/Berlin`")]
pub(crate) struct NoZone;

impl FromStr for Zone {
    type Err = NoZone;

    fn from_str(text: &str) -> Result<Self, NoZone> {
        text.parse().map(Zone).map_err(|_| NoZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Month {
    fn of(date: NaiveDate) -> Self {
        Month { first_day: date.with_day(1).expect("every month has a first day") }
    }

    /// `June 2026`
    pub(crate) fn words(self) -> String {
        self.first_day.format("%B %Y").to_string()
    }

    fn moved(self, months: i32) -> Self {
        let by = Months::new(months.unsigned_abs());
        let moved = if months < 0 { self.first_day - by } else { self.first_day + by };
        Month { first_day: moved }
    }

    /// The last month that was over at this moment.
    pub(crate) fn last_complete(now: DateTime<Utc>, zone: Tz) -> Self {
        Month::of(now.with_timezone(&zone).date_naive()).moved(-1)
    }

    /// From the first moment of its first day to that of the next month, whatever clocks do in between.
    pub(crate) fn window(self, zone: Tz) -> Window {
        Window::new(start_of_day(self.first_day, zone), start_of_day(self.moved(1).first_day, zone))
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) window: Window,
    pub(crate) zone: Tz,
}

impl Period {
    /// The month, when the period is exactly one.
    pub(crate) fn month(&self) -> Option<Month> {
        let month = Month::of(self.day(self.window.since));
        (month.window(self.zone) == self.window).then_some(month)
    }

    /// The day of an instant, in the zone.
    pub(crate) fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    pub(crate) fn first_day(&self) -> NaiveDate {
        self.day(self.window.since)
    }

    /// The day of the last moment inside.
    pub(crate) fn last_day(&self) -> NaiveDate {
        self.day(self.window.until - TimeDelta::nanoseconds(1))
    }

    /// All days that the period touches, in order.
    pub(crate) fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let last = self.last_day();
        self.first_day().iter_days().take_while(move |day| *day <= last)
    }

    /// What it is called in names of files: the month, else its days, else its instants.
    pub(crate) fn label(&self) -> String {
        if let Some(month) = self.month() {
            return month.to_string();
        }
        if self.is_whole_days() {
            return format!("{}_{}", self.first_day(), self.last_day());
        }
        let instant = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
        format!("{}_{}", instant(self.window.since), instant(self.window.until))
    }

    /// What people call it: `June 2026`, else its days, else its instants.
    pub(crate) fn words(&self) -> String {
        match self.month() {
            Some(month) => month.words(),
            None => self.days_in_words(),
        }
    }

    /// `1–30 June 2026`, `28 May – 3 June 2026`, or instants where it does not begin and end with days.
    pub(crate) fn days_in_words(&self) -> String {
        if !self.is_whole_days() {
            let ends = [self.window.since, self.window.until].map(|at| self.written(at, "%-d %B %Y %H:%M"));
            return ends.join(" to ");
        }
        let (first, last) = (self.first_day(), self.last_day());
        let last_words = last.format("%-d %B %Y");
        if first == last {
            last_words.to_string()
        } else if (first.year(), first.month()) == (last.year(), last.month()) {
            format!("{}–{last_words}", first.day())
        } else if first.year() == last.year() {
            format!("{} – {last_words}", first.format("%-d %B"))
        } else {
            format!("{} – {last_words}", first.format("%-d %B %Y"))
        }
    }

    /// `Sat 10 Oct 00:00`
    pub(crate) fn moment(&self, at: DateTime<Utc>) -> String {
        self.written(at, "%a %-d %b %H:%M")
    }

    /// With its offset in the hour that the zone has twice.
    fn written(&self, at: DateTime<Utc>, form: &str) -> String {
        let twice = Clock(self.zone).minute(at).splitn(3, ' ').nth(2).map(|offset| format!(" {offset}"));
        format!("{}{}", at.with_timezone(&self.zone).format(form), twice.unwrap_or_default())
    }

    /// `Berlin time`
    pub(crate) fn clock_words(&self) -> String {
        let name = self.zone.name();
        match name.rsplit_once('/') {
            Some((_, city)) => format!("{} time", city.replace('_', " ")),
            None => format!("in {name}"),
        }
    }

    /// An instant as it was on the clocks of the zone, with its offset.
    pub(crate) fn local(&self, at: DateTime<Utc>) -> String {
        local(at, self.zone)
    }

    /// What of it is on that day.
    pub(crate) fn part_on(&self, day: NaiveDate) -> Window {
        let next = day.succ_opt().map_or(self.window.until, |next| start_of_day(next, self.zone));
        Window::new(start_of_day(day, self.zone), next).intersection(&self.window)
    }

    /// Whether it begins and ends with days.
    fn is_whole_days(&self) -> bool {
        let ends = self.last_day().succ_opt().map(|next| start_of_day(next, self.zone));
        start_of_day(self.first_day(), self.zone) == self.window.since && ends == Some(self.window.until)
    }

    /// As manifest and report keep it.
    pub(crate) fn facts(&self) -> PeriodFacts {
        PeriodFacts {
            label: self.label(),
            first_day: self.first_day(),
            last_day: self.last_day(),
            since: utc(self.window.since),
            until: utc(self.window.until),
            time_zone: self.zone.to_string(),
        }
    }

    /// What [`facts`](Self::facts) said; `None` when it says no period that a portal can have.
    pub(crate) fn of(facts: &PeriodFacts) -> Option<Self> {
        let instant = |text: &str| {
            let at: DateTime<Utc> = text.parse().ok()?;
            (1970..9999).contains(&at.year()).then_some(at)
        };
        let window = Window::new(instant(&facts.since)?, instant(&facts.until)?);
        Some(Period { window, zone: facts.time_zone.parse().ok()? }).filter(|period| !period.window.is_empty())
    }

    /// What to compare with: the month before, else as many days before, else as much time.
    pub(crate) fn previous(&self) -> Period {
        let window = match self.month() {
            Some(month) => month.moved(-1).window(self.zone),
            None if self.is_whole_days() => {
                // days are counted and not hours: clocks may have changed meanwhile
                let first = self.first_day();
                Window::new(
                    start_of_day(first - (self.last_day() - first) - TimeDelta::days(1), self.zone),
                    self.window.since,
                )
            }
            None => Window::new(self.window.since - self.window.length(), self.window.since),
        };
        Period { window, zone: self.zone }
    }

    /// What of the period is so recent that the portal may still be storing events of it; empty once it has settled.
    ///
    /// `now` is the earlier of this machine's clock and the portal's: what is not over by one of them is not over.
    pub(crate) fn unsettled(&self, now: DateTime<Utc>, settle: TimeDelta) -> Window {
        Window::new(now - settle, self.window.until.max(now)).intersection(&self.window)
    }

    /// Whether it is remembered how it was read: one that begins or ends within a day is hardly asked for twice.
    pub(crate) fn is_remembered(&self) -> bool {
        self.is_whole_days()
    }
}

/// `Sat 10 Oct`
pub(crate) fn day_words(day: NaiveDate) -> String {
    day.format("%a %-d %b").to_string()
}

/// A calendar month before this moment: the beginning of a window of which only the end is given.
pub(crate) fn month_before(until: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let local = until.with_timezone(&zone).naive_local();
    let day = local.date() - Months::new(1);
    start_of_day(day, zone) + (local - local.date().and_time(chrono::NaiveTime::MIN))
}

/// This month, else the last whole one; or what the flags say, half-open.
///
/// # Errors
/// The month is not over yet.
pub(crate) fn window(
    month: Option<Month>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<Window, job_runner::Error> {
    match (since, until) {
        (None, None) => {
            let month = month.unwrap_or_else(|| Month::last_complete(now, zone));
            let window = month.window(zone);
            if window.until > now {
                let message = format!("{month} ends at {} and is not over yet", local(window.until, zone));
                return Err(job_runner::Error::setting("month", message));
            }
            Ok(window)
        }
        (None, Some(until)) => Ok(Window::new(month_before(until, zone), until)),
        (Some(since), until) => Ok(Window::new(since, until.unwrap_or(now))),
    }
}

#[cfg(test)]
mod tests;
