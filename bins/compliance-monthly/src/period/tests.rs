use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn hours(text: &str, zone: Tz) -> i64 {
    month(text).window(zone).length().num_hours()
}

#[test]
fn months_have_the_hours_that_their_clocks_gave_them() {
    for (text, zone, expected) in [
        ("2026-03", Tz::Europe__Berlin, 31 * 24 - 1),
        ("2026-10", Tz::Europe__Berlin, 31 * 24 + 1),
        ("2026-03", Tz::America__New_York, 31 * 24 - 1),
        ("2026-11", Tz::America__New_York, 30 * 24 + 1),
        ("2026-04", Tz::Australia__Sydney, 30 * 24 + 1),
        ("2026-10", Tz::Australia__Sydney, 31 * 24 - 1),
        ("2028-02", Tz::Europe__Berlin, 29 * 24),
        ("2026-02", Tz::Europe__Berlin, 28 * 24),
        ("2026-12", Tz::Asia__Kolkata, 31 * 24),
    ] {
        assert_eq!(hours(text, zone), expected, "{text} {zone}");
    }
}

#[test]
fn a_month_begins_and_ends_at_local_midnight() {
    let june = month("2026-06").window(Tz::Europe__Berlin);
    assert_eq!(june, Window::new(at("2026-05-31T22:00:00Z"), at("2026-06-30T22:00:00Z")));
    let new_york = month("2026-11").window(Tz::America__New_York);
    assert_eq!(new_york, Window::new(at("2026-11-01T04:00:00Z"), at("2026-12-01T05:00:00Z")));
    // clocks are set forward at midnight: the day begins at one
    let beirut = month("2026-03").window(Tz::Asia__Beirut);
    assert_eq!(beirut.until, at("2026-03-31T21:00:00Z"));
}

#[test]
fn months_follow_each_other_without_a_hole() {
    for zone in [Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Pacific__Apia] {
        let mut month = month("2011-01");
        for _ in 0..240 {
            let next = month.moved(1);
            assert_eq!(month.window(zone).until, next.window(zone).since, "{month} {zone}");
            let period = Period { window: month.window(zone), zone };
            assert_eq!(period.label(), month.to_string());
            assert_eq!(period.previous().window, month.moved(-1).window(zone));
            month = next;
        }
    }
}

#[test]
fn the_last_complete_month_is_one_that_is_over_here() {
    let berlin = Tz::Europe__Berlin;
    assert_eq!(Month::last_complete(at("2026-06-30T21:59:59Z"), berlin).to_string(), "2026-05");
    assert_eq!(Month::last_complete(at("2026-06-30T22:00:00Z"), berlin).to_string(), "2026-06");
    assert_eq!(Month::last_complete(at("2026-01-15T00:00:00Z"), berlin).to_string(), "2025-12");
    assert_eq!(Month::last_complete(at("2028-03-01T00:00:00Z"), Tz::UTC).to_string(), "2028-02");
}

#[test]
fn what_is_no_month_is_refused() {
    for text in ["", "2026", "2026-13", "2026-00", "2026-6", "2026-06-01", "26-06", "juni", "2026_06"] {
        assert_eq!(text.parse::<Month>(), Err(NoMonth), "{text:?}");
    }
}

#[test]
fn periods_are_named_by_what_they_are() {
    let zone = Tz::Europe__Berlin;
    // clocks change in between
    let days = Period { window: Window::new(at("2026-11-05T23:00:00Z"), at("2026-11-19T23:00:00Z")), zone };
    assert_eq!(days.previous().label(), "2026-10-23_2026-11-05");
    let label = |since, until| Period { window: Window::new(at(since), at(until)), zone }.label();
    assert_eq!(label("2026-05-31T22:00:00Z", "2026-06-30T22:00:00Z"), "2026-06");
    assert_eq!(label("2026-06-02T22:00:00Z", "2026-06-10T22:00:00Z"), "2026-06-03_2026-06-10");
    assert_eq!(label("2026-06-02T22:00:00Z", "2026-06-10T09:30:00Z"), "20260602T220000Z_20260610T093000Z");
}

#[test]
fn the_edge_settles_with_time() {
    let zone = Tz::UTC;
    let period = Period { window: month("2026-06").window(zone), zone };
    let settle = TimeDelta::hours(2);
    let open = |now| period.unsettled(at(now), settle);
    assert_eq!(open("2026-07-01T00:30:00Z"), Window::new(at("2026-06-30T22:30:00Z"), at("2026-07-01T00:00:00Z")));
    assert!(open("2026-07-01T02:00:00Z").is_empty());
    assert!(!open("2026-07-01T01:59:59Z").is_empty());
    let by_a_clock_that_is_behind = Window::new(at("2026-06-30T21:59:00Z"), at("2026-07-01T00:00:00Z"));
    assert_eq!(open("2026-06-30T23:59:00Z"), by_a_clock_that_is_behind);
    assert!(!period.unsettled(at("2026-06-30T23:59:59Z"), TimeDelta::zero()).is_empty(), "whatever `settle` is");
}

#[test]
fn windows_have_words() {
    let zone = Tz::Europe__Berlin;
    let words = |since, until| Period { window: Window::new(at(since), at(until)), zone }.words();
    for (since, until, expected) in [
        ("2026-05-31T22:00:00Z", "2026-06-30T22:00:00Z", "June 2026"),
        ("2026-06-02T22:00:00Z", "2026-06-10T22:00:00Z", "3–10 June 2026"),
        ("2026-06-02T22:00:00Z", "2026-06-03T22:00:00Z", "3 June 2026"),
        ("2026-05-27T22:00:00Z", "2026-06-03T22:00:00Z", "28 May – 3 June 2026"),
        ("2025-12-29T23:00:00Z", "2026-01-02T23:00:00Z", "30 December 2025 – 2 January 2026"),
        ("2026-11-18T05:50:20Z", "2026-11-23T05:50:20Z", "18 November 2026 06:50 to 23 November 2026 06:50"),
        (
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "25 October 2026 02:30 +02:00 to 25 October 2026 02:30 +01:00",
        ),
    ] {
        assert_eq!(words(since, until), expected);
    }
    let june = Period { window: month("2026-06").window(zone), zone };
    assert_eq!((june.days_in_words().as_str(), june.clock_words().as_str()), ("1–30 June 2026", "Berlin time"));
    assert_eq!(Period { zone: Tz::America__New_York, ..june }.clock_words(), "New York time");
    assert_eq!(Period { zone: Tz::UTC, ..june }.clock_words(), "in UTC");
    assert_eq!(june.moment(at("2026-10-09T22:00:00Z")), "Sat 10 Oct 00:00");
}

#[test]
fn a_month_before_a_moment_is_the_same_time_of_day() {
    assert_eq!(month_before(at("2026-06-20T09:00:00Z"), Tz::Europe__Berlin), at("2026-05-20T09:00:00Z"));
    assert_eq!(month_before(at("2026-03-31T10:00:00Z"), Tz::UTC), at("2026-02-28T10:00:00Z"));
}

/// Whoever verifies a report reads what anybody may have written.
#[test]
fn a_manifest_that_names_no_period_has_none() {
    let june = Period { window: month("2026-06").window(Tz::Europe__Berlin), zone: Tz::Europe__Berlin };
    assert_eq!(Period::of(&june.facts()), Some(june));
    for (since, until, time_zone) in [
        ("-262143-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "UTC"),
        ("2026-06-01T00:00:00Z", "+262142-12-31T23:59:59Z", "UTC"),
        ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "UTC"),
        ("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", "Mars/Olympus"),
    ] {
        let [since, until, time_zone] = [since, until, time_zone].map(str::to_owned);
        assert_eq!(Period::of(&PeriodFacts { since, until, time_zone, ..june.facts() }), None);
    }
}
