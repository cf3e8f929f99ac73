//! What a portal's clock changes do to printed dates.
//!
//! When clocks are set back, an hour of local times comes twice, and the portal prints events of the first pass as if they were of
//! the second: late by as much as clocks were set back. Its filters compare with true instants, so a read that ends between the two
//! passes tells them apart.

use audit_model::Window;
use chrono::{DateTime, LocalResult, Offset, SubsecRound, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Two changes of clocks are nowhere closer together.
const STEP: TimeDelta = TimeDelta::hours(12);

/// How late the portal may have printed this date; zero outside repeated hours. Without a known zone, an hour.
pub(crate) fn lateness(printed: DateTime<Utc>, zone: Option<Tz>) -> TimeDelta {
    let Some(zone) = zone else { return TimeDelta::hours(1) };
    match zone.from_local_datetime(&printed.with_timezone(&zone).naive_local()) {
        LocalResult::Ambiguous(first, second) => (second.to_utc() - first.to_utc()).abs(),
        LocalResult::Single(_) | LocalResult::None => TimeDelta::zero(),
    }
}

/// Where clocks are set back inside the span, oldest first: there the second pass of an hour begins. In what lies before, a date
/// printed late is later than the end, so that only the earlier reading fits; in what lies behind, only the printed one does.
pub(crate) fn repeated_hours(span: Window, zone: Option<Tz>) -> Vec<DateTime<Utc>> {
    let Some(zone) = zone else { return Vec::new() };
    let mut changes = Vec::new();
    // clocks are set back at whole seconds
    let mut at = span.since.trunc_subsecs(0);
    while at < span.until {
        let next = at + STEP;
        if offset(zone, at) > offset(zone, next) {
            changes.push(change_between(zone, at, next));
        }
        at = next;
    }
    changes.retain(|change| span.since < *change && *change < span.until);
    changes
}

/// The first second with the offset of `after`.
fn change_between(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> DateTime<Utc> {
    let changed = offset(zone, after);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if offset(zone, middle) == changed { after = middle } else { before = middle }
    }
    after
}

fn offset(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn only_repeated_times_can_be_late() {
        let berlin = Some(Tz::Europe__Berlin);
        assert_eq!(lateness(at("2025-10-26T01:30:00Z"), berlin), TimeDelta::hours(1));
        assert_eq!(lateness(at("2025-10-26T02:30:00Z"), berlin), TimeDelta::zero());
        assert_eq!(lateness(at("2025-03-30T01:30:00Z"), berlin), TimeDelta::zero());
        assert_eq!(lateness(at("2026-04-04T15:10:00Z"), Some(Tz::Australia__Lord_Howe)), TimeDelta::minutes(30));
        assert_eq!(lateness(at("2025-10-26T01:30:00Z"), Some(Tz::UTC)), TimeDelta::zero());
    }

    #[test]
    fn a_span_is_cut_where_the_second_pass_begins() {
        let span = Window::new(at("2025-10-25T00:00:00Z"), at("2025-10-27T00:00:00Z"));
        assert_eq!(repeated_hours(span, Some(Tz::Europe__Berlin)), [at("2025-10-26T01:00:00Z")]);
        let two_years = Window::new(at("2024-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(repeated_hours(two_years, Some(Tz::Europe__Berlin)).len(), 2);
        assert!(repeated_hours(span, Some(Tz::Asia__Kolkata)).is_empty());
        assert!(repeated_hours(span, None).is_empty());
    }

    #[test]
    fn a_span_inside_one_pass_is_not_cut() {
        let lord_howe =
            |since, until| repeated_hours(Window::new(at(since), at(until)), Some(Tz::Australia__Lord_Howe));
        assert!(lord_howe("2026-04-04T14:40:00Z", "2026-04-04T14:50:00Z").is_empty());
        assert!(lord_howe("2026-04-04T15:00:00Z", "2026-04-04T15:10:00Z").is_empty());
        assert_eq!(lord_howe("2026-04-04T14:40:00Z", "2026-04-04T15:10:00Z"), [at("2026-04-04T15:00:00Z")]);
        assert_eq!(lord_howe("2026-04-04T14:40:00.333333Z", "2026-04-04T15:10:00Z"), [at("2026-04-04T15:00:00Z")]);
    }
}
