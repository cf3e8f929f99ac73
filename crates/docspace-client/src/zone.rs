//! What a portal's clock changes do to printed dates.
//!
//! When clocks are set back, an hour of local times comes twice, and the portal prints events of the first pass as if they were of
//! the second: late by as much as clocks were set back. Its filters compare with true instants, so a read that ends between the two
//! passes tells them apart.

use audit_model::Window;
use chrono::{DateTime, LocalResult, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Clocks are nowhere set back by more.
const LARGEST_SHIFT: TimeDelta = TimeDelta::hours(3);

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

/// The span in parts that no repeated hour straddles, older first: cut where clocks are set back, and where the first pass begins.
pub(crate) fn cut_at_repeated_hours(span: Window, zone: Option<Tz>) -> Vec<Window> {
    let mut parts = Vec::new();
    let mut since = span.since;
    for cut in zone.map(|zone| repeated_hours(span, zone)).unwrap_or_default() {
        if since < cut && cut < span.until {
            parts.push(Window::new(since, cut));
            since = cut;
        }
    }
    parts.push(Window::new(since, span.until));
    parts
}

/// Where first and second passes begin, in and around the span, in order.
fn repeated_hours(span: Window, zone: Tz) -> Vec<DateTime<Utc>> {
    let mut cuts = Vec::new();
    let mut at = span.since - LARGEST_SHIFT;
    while at < span.until + LARGEST_SHIFT {
        let next = at + STEP;
        let set_back = offset(zone, at) - offset(zone, next);
        if set_back > TimeDelta::zero() {
            let change = change_between(zone, at, next);
            cuts.extend([change - set_back, change]);
        }
        at = next;
    }
    cuts
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
    fn a_span_is_cut_at_both_passes() {
        let span = Window::new(at("2025-10-25T00:00:00Z"), at("2025-10-27T00:00:00Z"));
        let parts = cut_at_repeated_hours(span, Some(Tz::Europe__Berlin));
        let cuts: Vec<DateTime<Utc>> = parts.iter().map(|part| part.until).collect();
        assert_eq!(cuts, [at("2025-10-26T00:00:00Z"), at("2025-10-26T01:00:00Z"), span.until]);
        assert_eq!(cut_at_repeated_hours(span, Some(Tz::Asia__Kolkata)), [span]);
        assert_eq!(cut_at_repeated_hours(span, None), [span]);
    }

    #[test]
    fn a_span_inside_the_first_pass_ends_with_it() {
        let span = Window::new(at("2026-04-04T14:40:00Z"), at("2026-04-04T14:50:00Z"));
        assert_eq!(cut_at_repeated_hours(span, Some(Tz::Australia__Lord_Howe)), [span]);
        let span = Window::new(at("2026-04-04T14:40:00Z"), at("2026-04-04T15:10:00Z"));
        let parts = cut_at_repeated_hours(span, Some(Tz::Australia__Lord_Howe));
        assert_eq!(parts.iter().map(|part| part.until).collect::<Vec<_>>(), [at("2026-04-04T15:00:00Z"), span.until]);
    }
}
