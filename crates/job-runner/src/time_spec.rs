//! Points in time and lengths of time as people write them. Reading the clock is left to the caller.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest length of time that is accepted: a hundred years. Longer than any portal's history, and short enough that no
/// arithmetic on instants can overflow.
const MAX_SECONDS: u64 = 36_500 * 86_400;

/// Seconds per unit, longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Why a text is no point or length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// A date with a time of day, but without an offset.
    #[error("an instant needs an offset: add `Z` or one such as `+01:00`")]
    NoOffset,
    /// Looks like a date, but is none.
    #[error("not a date of the calendar: expected one such as `2026-11-20`")]
    NoDate,
    /// None of the three forms.
    #[error(
        "expected an instant such as `2026-11-20T09:00:00Z`, a date such as `2026-11-20`, or an age such as `45m`, `12h` or `30d`"
    )]
    NoTime,
    /// Not a number with a unit.
    #[error("expected a whole number with a unit `s`, `m`, `h`, `d` or `w`, such as `45m`")]
    NoAge,
    /// More than a hundred years.
    #[error("must not be longer than 36500d")]
    TooLong,
}

/// A point in time as given on the command line; [`TimeSpec::resolve`] makes it an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSpec {
    /// RFC 3339 with an offset or `Z`.
    Instant(DateTime<Utc>),
    /// The start of that day in the portal's zone.
    Date(NaiveDate),
    /// So long before a moment that the caller names.
    Age(TimeDelta),
}

impl TimeSpec {
    /// The instant that is meant, given the moment from which an age counts back and the portal's zone. A midnight that does not
    /// exist (a clock change) moves on to the first minute that does; of one that exists twice it is the earlier.
    pub fn resolve(self, from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant(instant) => instant,
            Self::Date(date) => start_of_day(date, zone),
            Self::Age(age) => from - age,
        }
    }

    /// The same for a moment to come: an age counts on from `from`.
    pub(crate) fn resolve_ahead(self, from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Age(age) => from + age,
            other => other.resolve(from, zone),
        }
    }
}

impl FromStr for TimeSpec {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(instant.to_utc()));
        }
        if let Some((date, rest)) = split_date(text) {
            let date = date.parse().map_err(|_| TimeError::NoDate)?;
            return match rest.chars().next() {
                None => Ok(Self::Date(date)),
                Some('T' | 't' | ' ') if !has_offset(rest) => Err(TimeError::NoOffset),
                Some(_) => Err(TimeError::NoTime),
            };
        }
        match text.parse::<Age>() {
            Ok(age) => Ok(Self::Age(TimeDelta::seconds(age.0.as_secs().cast_signed()))),
            Err(TimeError::NoAge) => Err(TimeError::NoTime),
            Err(other) => Err(other),
        }
    }
}

/// `text` cut after its leading `dddd-dd-dd`, if it starts that way.
fn split_date(text: &str) -> Option<(&str, &str)> {
    let (date, rest) = text.split_at_checked(10)?;
    let shaped = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    shaped.then_some((date, rest))
}

/// Whether a time of day ends in something that means an offset.
fn has_offset(time: &str) -> bool {
    time.ends_with(['Z', 'z']) || time.contains(['+', '-'])
}

/// The first minute of `date` that exists in `zone`; of one that exists twice the earlier.
pub fn start_of_day(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    // the longest gap there ever was is a day (Samoa, 30 December 2011)
    (0..=24 * 60)
        .find_map(|minutes| zone.from_local_datetime(&(midnight + TimeDelta::minutes(minutes))).earliest())
        .expect("no zone skips more than one day")
        .to_utc()
}

/// A length of time in a setting, written `90s`, `45m`, `12h`, `30d` or `2w`. Whole seconds, at most a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let unit = text.chars().next_back().ok_or(TimeError::NoAge)?;
        let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(TimeError::NoAge)?;
        let digits = &text[..text.len() - unit.len_utf8()];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TimeError::NoAge);
        }
        // only digits, so all that can go wrong is that there are too many of them
        let number: u64 = digits.parse().map_err(|_| TimeError::TooLong)?;
        match number.checked_mul(seconds) {
            Some(total) if total <= MAX_SECONDS => Ok(Self(Duration::from_secs(total))),
            _ => Err(TimeError::TooLong),
        }
    }
}

/// The same form, in the longest unit that loses nothing.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_secs();
        let unit = UNITS.into_iter().find(|(_, seconds)| total > 0 && total.is_multiple_of(*seconds));
        let (name, seconds) = unit.unwrap_or(('s', 1));
        write!(f, "{}{name}", total / seconds)
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn resolved(text: &str, zone: Tz) -> DateTime<Utc> {
        text.parse::<TimeSpec>().unwrap().resolve(at("2026-11-20T09:00:00Z"), zone)
    }

    #[test]
    fn instants_keep_their_offset() {
        assert_eq!(resolved("2026-11-20T09:00:00Z", Tz::Europe__Berlin), at("2026-11-20T09:00:00Z"));
        assert_eq!(resolved("2026-11-20T09:00:00.5+01:00", Tz::UTC), at("2026-11-20T08:00:00.5Z"));
    }

    #[test]
    fn dates_start_in_the_portals_zone() {
        assert_eq!(resolved("2026-11-20", Tz::Europe__Berlin), at("2026-11-19T23:00:00Z"));
        assert_eq!(resolved("2026-07-01", Tz::Europe__Berlin), at("2026-06-30T22:00:00Z"));
    }

    #[test]
    fn a_midnight_that_does_not_exist_moves_on() {
        // Santiago, 6 September 2026: 00:00 becomes 01:00
        assert_eq!(resolved("2026-09-06", Tz::America__Santiago), at("2026-09-06T04:00:00Z"));
        // Apia had no 30 December 2011 at all
        assert_eq!(resolved("2011-12-30", Tz::Pacific__Apia), at("2011-12-30T10:00:00Z"));
    }

    #[test]
    fn of_a_midnight_that_exists_twice_the_earlier_counts() {
        // Havana, 1 November 2026: 01:00 becomes 00:00
        assert_eq!(resolved("2026-11-01", Tz::America__Havana), at("2026-11-01T04:00:00Z"));
    }

    #[test]
    fn ages_count_back_from_the_given_moment() {
        for (text, expected) in [
            ("90s", "2026-11-20T08:58:30Z"),
            ("45m", "2026-11-20T08:15:00Z"),
            ("12h", "2026-11-19T21:00:00Z"),
            ("30d", "2026-10-21T09:00:00Z"),
            ("2w", "2026-11-06T09:00:00Z"),
            ("36500d", "1926-12-15T09:00:00Z"),
        ] {
            assert_eq!(resolved(text, Tz::Europe__Berlin), at(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("2026-11-20T09:00:00", TimeError::NoOffset),
            ("2026-11-20 09:00", TimeError::NoOffset),
            ("2026-11-20T25:00:00Z", TimeError::NoTime),
            ("2026-11-20x", TimeError::NoTime),
            ("2026-02-30", TimeError::NoDate),
            ("2026-13-01T00:00:00Z", TimeError::NoDate),
            ("", TimeError::NoTime),
            ("yesterday", TimeError::NoTime),
            ("30", TimeError::NoTime),
            ("d", TimeError::NoTime),
            ("-3d", TimeError::NoTime),
            ("+3d", TimeError::NoTime),
            ("1.5h", TimeError::NoTime),
            ("3M", TimeError::NoTime),
            ("12µ", TimeError::NoTime),
            ("20261120xé-", TimeError::NoTime),
            ("36501d", TimeError::TooLong),
            ("99999999999999999999999w", TimeError::TooLong),
        ] {
            assert_eq!(text.parse::<TimeSpec>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn an_age_is_written_in_its_longest_unit() {
        for (text, expected) in
            [("0s", "0s"), ("90s", "90s"), ("60s", "1m"), ("120m", "2h"), ("24h", "1d"), ("14d", "2w")]
        {
            let age: Age = text.parse().unwrap();
            assert_eq!(age.to_string(), expected);
            assert_eq!(expected.parse(), Ok(age));
        }
    }
}
