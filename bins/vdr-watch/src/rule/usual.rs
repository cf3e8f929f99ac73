//! What people usually do, from what earlier runs have read: at which hours they work. And how much there is in a room.
//!
//! A leak that stays below the limits of an hour and a day shows only beside it.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{AuditEvent, RoomId, Window};
use chrono::{DateTime, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Somebody who worked on fewer days has no usual hours.
const LEAST_DAYS: usize = 5;

/// An hour is usual that somebody worked in on so many days: not yet after the first two nights of a leak.
const USUAL_DAYS: usize = 3;

/// What is known beside the events of a run's window.
pub(crate) struct Usual {
    /// The time before the window.
    pub(crate) before: Window,
    pub(crate) hours: BTreeMap<Uuid, Hours>,
    /// How many documents rooms hold, or held at most in these days.
    pub(crate) documents: BTreeMap<RoomId, u64>,
}

/// The hours of the day, at the portal, at which somebody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    usual: [bool; 24],
    zone: Tz,
}

impl Usual {
    /// Nothing is known.
    pub(crate) fn unknown(since: DateTime<Utc>) -> Self {
        let before = Window::new(since, since);
        Usual { before, hours: BTreeMap::new(), documents: BTreeMap::new() }
    }

    pub(super) fn hours(&self, person: Uuid) -> Option<Hours> {
        self.hours.get(&person).copied()
    }

    pub(super) fn documents_in(&self, room: &RoomId) -> Option<u64> {
        self.documents.get(room).copied()
    }
}

/// On which days somebody worked, for each hour.
#[derive(Default)]
pub(crate) struct Days {
    all: BTreeSet<NaiveDate>,
    by_hour: [BTreeSet<NaiveDate>; 24],
}

impl Days {
    pub(crate) fn learn(&mut self, event: &AuditEvent, zone: Tz) {
        let at = event.at.with_timezone(&zone);
        self.all.insert(at.date_naive());
        self.by_hour[at.hour() as usize].insert(at.date_naive());
    }

    /// The hours beside a usual one are usual, too: nobody comes and goes by the clock.
    pub(crate) fn hours(&self, zone: Tz) -> Option<Hours> {
        let is_worked = |hour: usize| self.by_hour[hour % 24].len() >= USUAL_DAYS;
        let usual: [bool; 24] = std::array::from_fn(|hour| [23, 24, 25].into_iter().any(|by| is_worked(hour + by)));
        (self.all.len() >= LEAST_DAYS && usual.contains(&true)).then_some(Hours { usual, zone })
    }
}

impl Hours {
    pub(crate) fn include(&self, at: DateTime<Utc>) -> bool {
        self.usual[at.with_timezone(&self.zone).hour() as usize]
    }

    /// `07:00 to 18:00`
    pub(crate) fn words(&self) -> String {
        self.spans([" to ", " and ", "all day"])
    }

    /// `07:00 bis 18:00`
    pub(crate) fn german(&self) -> String {
        self.spans([" bis ", " und ", "ganztägig"])
    }

    fn spans(&self, [to, and, all_day]: [&str; 3]) -> String {
        let begins = (0..24).filter(|hour| self.usual[*hour] && !self.usual[(hour + 23) % 24]);
        let spans = begins.map(|first| {
            let length = (0..24).take_while(|by| self.usual[(first + by) % 24]).count();
            format!("{first:02}:00{to}{:02}:00", (first + length) % 24)
        });
        let spans: Vec<String> = spans.collect();
        if spans.is_empty() { all_day.to_owned() } else { spans.join(and) }
    }
}

/// As the hours of the day, `[7, 8, 9]`.
impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..24).filter(|hour| self.usual[*hour]))
    }
}

#[cfg(test)]
mod tests {
    use audit_model::testing::event;
    use chrono::TimeDelta;

    use super::*;

    fn worked(hours: &[(i64, i64)]) -> Option<Hours> {
        let mut days = Days::default();
        for (day, hour) in hours {
            let at = DateTime::UNIX_EPOCH + TimeDelta::days(*day) + TimeDelta::hours(*hour);
            days.learn(&event(5009, "900", at), Tz::UTC);
        }
        days.hours(Tz::UTC)
    }

    #[test]
    fn hours_are_usual_after_three_days_and_so_are_their_neighbours() {
        let office: Vec<(i64, i64)> = (0..6).flat_map(|day| (8..17).map(move |hour| (day, hour))).collect();
        let hours = worked(&office).unwrap();
        assert_eq!(hours.words(), "07:00 to 18:00");
        let at = |hour| DateTime::UNIX_EPOCH + TimeDelta::days(90) + TimeDelta::hours(hour);
        assert_eq!([6, 7, 17, 18, 22].map(|hour| hours.include(at(hour))), [false, true, true, false, false]);
        let two_nights = [office.clone(), vec![(4, 23), (5, 23)]].concat();
        assert_eq!(worked(&two_nights).unwrap(), hours);
        let three_nights = [office, vec![(3, 23), (4, 23), (5, 23)]].concat();
        assert_eq!(worked(&three_nights).unwrap().words(), "07:00 to 18:00 and 22:00 to 01:00");
    }

    #[test]
    fn somebody_who_is_rarely_there_has_no_usual_hours() {
        assert_eq!(worked(&[(0, 9), (1, 9), (2, 9), (3, 9)]), None, "four days");
        assert_eq!(worked(&[(0, 1), (1, 5), (2, 9), (3, 13), (4, 17)]), None, "never twice at one hour");
    }
}
