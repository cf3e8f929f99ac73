//! Months as clocks make them: which events belong to one.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use portal_sim::Event;

use crate::common::{Setting, assert_valid};
use crate::portal::{at, empty, june};

#[tokio::test]
async fn an_empty_month_is_a_report_too() {
    let setting = Setting::new(empty(Tz::UTC, "2026-07-02T09:00:00Z")).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("empty_txt", setting.written("2026-06.txt"));
    assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
    assert_eq!(setting.written("-events.csv").lines().count(), 1);
    assert_eq!(setting.written(".ndjson"), "");
}

#[tokio::test]
async fn one_event_is_one_event() {
    let mut portal = empty(Tz::UTC, "2026-07-02T09:00:00Z");
    let olga = portal.owner().id;
    portal.add_event(Event::new(5009, olga, at("2026-06-10T09:00:00Z")).file(1, "a.docx"));
    let setting = Setting::new(portal).await;
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    insta::assert_snapshot!("one_event_txt", setting.written("2026-06.txt"));
}

/// An event in every hour around the month: exactly those of the month are in the report, with the hours that clocks gave it.
async fn events_of(month: &str, zone: Tz, first: &str, until: &str) -> usize {
    let (first, until): (DateTime<Utc>, DateTime<Utc>) = (at(first), at(until));
    let mut portal = empty(zone, &(until + TimeDelta::days(3)).to_rfc3339());
    let olga = portal.owner().id;
    let mut time = first - TimeDelta::hours(3);
    while time < until + TimeDelta::hours(3) {
        portal.add_event(Event::new(5009, olga, time + TimeDelta::minutes(30)).file(1, "a.docx"));
        time += TimeDelta::hours(1);
    }
    portal.add_event(Event::new(5009, olga, first).file(2, "first.docx"));
    portal.add_event(Event::new(5009, olga, until).file(3, "too-late.docx"));
    let setting = Setting::new(portal).await;
    let ended = setting.month(month, &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{month} {zone}: {}", ended.stdout);
    let text = setting.written(&format!("{month}.txt"));
    assert!(text.contains("first.docx") && !text.contains("too-late.docx"), "{month} {zone}");
    let events = text.lines().filter(|line| line.starts_with("ID: ")).count();
    assert!(text.contains(&format!("Total events: {events}\n")), "{month} {zone}");
    events
}

#[tokio::test]
async fn months_in_which_clocks_change_are_complete() {
    for (month, zone, first, until, hours) in [
        ("2026-03", Tz::Europe__Berlin, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", 743),
        ("2025-10", Tz::Europe__Berlin, "2025-09-30T22:00:00Z", "2025-10-31T23:00:00Z", 745),
        ("2025-11", Tz::America__New_York, "2025-11-01T04:00:00Z", "2025-12-01T05:00:00Z", 721),
        ("2026-04", Tz::Australia__Sydney, "2026-03-31T13:00:00Z", "2026-04-30T14:00:00Z", 721),
        // clocks move by half an hour: the half past of the last hour belongs to the next month, or to this one
        ("2026-04", Tz::Australia__Lord_Howe, "2026-03-31T13:00:00Z", "2026-04-30T13:30:00Z", 720),
        ("2025-10", Tz::Australia__Lord_Howe, "2025-09-30T13:30:00Z", "2025-10-31T13:00:00Z", 743),
    ] {
        assert_eq!(events_of(month, zone, first, until).await, hours + 1, "{month} {zone}");
    }
}

#[tokio::test]
async fn a_leap_february_has_29_days() {
    let events = events_of("2024-02", Tz::Europe__Berlin, "2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z").await;
    assert_eq!(events, 29 * 24 + 1);
}

/// A zone of our own: the month begins when it does there, whatever the portal's clocks say.
#[tokio::test]
async fn a_named_zone_wins_over_the_portals() {
    let mut portal = empty(Tz::UTC, "2026-07-02T09:00:00Z");
    let olga = portal.owner().id;
    portal.add_event(Event::new(5009, olga, at("2026-05-31T23:00:00Z")).file(1, "june-in-berlin.docx"));
    let setting = Setting::new(portal).await;
    assert!(setting.run(&["--month", "2026-06"]).await.stdout.contains("Total events: 0"));
    let config = setting.config("time_zone = \"Europe/Berlin\"");
    assert!(setting.run(&["--month", "2026-06", "--config", &config]).await.stdout.contains("Total events: 1"));
}

#[tokio::test]
async fn a_window_of_days_is_named_by_them() {
    let setting = Setting::new(empty(Tz::UTC, "2026-07-02T09:00:00Z")).await;
    let out = setting.home().join("{month}").display().to_string();
    let ended = setting.run(&["--since", "2026-06-03", "--until", "2026-06-11", "--out", &out]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.starts_with("Compliance report\nPeriod: 2026-06-03 - 2026-06-10\nTotal events: 0\n"),
        "{}",
        ended.stdout
    );
    let folder = setting.home().join("2026-06-03_2026-06-10");
    assert!(folder.join("compliance-report-2026-06-03_2026-06-10.txt").exists());
}

fn late(setting: &Setting, when: &str) {
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        portal.add_event(Event::new(5009, olga, at(when)).file(1, "late.docx"));
    });
}

/// What the portal stores days late is found by a run that comes late enough, and said.
#[tokio::test]
async fn a_month_is_read_once_more() {
    let setting = Setting::new(crate::portal::june()).await;
    let first = setting.month("2026-06", &[]).await;
    assert!(
        first.stdout.contains("this is a first reading; a run on or after 11 July 2026 reads everything again"),
        "{}",
        first.stdout
    );
    late(&setting, "2026-06-12T09:00:00Z");
    let early = setting.month("2026-06", &["--format", "json"]).await;
    assert_eq!(early.json()["reading"], serde_json::json!({ "is_rechecked": false, "late_rows": 0 }));
    setting.sim.edit(|portal| portal.now = at("2026-07-10T22:00:00Z"));
    let again = setting.month("2026-06", &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stderr);
    assert!(again.stdout.contains("Total events: 22"), "{}", again.stdout);
    assert!(
        again.stdout.contains("Note: 1 row has been stored by the portal since the first reading\n"),
        "{}",
        again.stdout
    );
    let manifest: serde_json::Value = serde_json::from_str(&setting.written("manifest.json")).unwrap();
    assert_eq!(manifest["reading"], serde_json::json!({ "is_rechecked": true, "late_rows": 1 }));
    assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
    // once is enough
    let asked = setting.sim.requests().len();
    let third = setting.month("2026-06", &[]).await;
    assert_eq!(third.exit, 0);
    late(&setting, "2026-06-13T09:00:00Z");
    assert!(setting.month("2026-06", &[]).await.stdout.contains("Total events: 22"));
    assert!(setting.sim.requests().len() > asked);
    let off = Setting::new(crate::portal::june()).await;
    off.sim.edit(|portal| portal.now += TimeDelta::days(90));
    let config = off.config("recheck = \"0d\"");
    let ended = off.month("2026-06", &["--config", &config]).await;
    assert!(
        ended.stdout.contains("this is a first reading, and the only one, because `recheck` is off"),
        "{}",
        ended.stdout
    );
}

/// The last days are read by every run, and not only by the first of a day.
#[tokio::test]
async fn what_came_late_is_found_by_the_second_run_of_a_day() {
    let setting = Setting::new(crate::portal::june()).await;
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    late(&setting, "2026-06-28T12:00:00Z");
    let again = setting.month("2026-06", &[]).await;
    assert!(again.stdout.contains("Total events: 22"), "{}", again.stdout);
    let said = "1 row has been stored by the portal since the first reading; a run on or after 11 July 2026 reads everything again";
    assert!(again.stdout.contains(said), "{}", again.stdout);
}

/// A month that was reported by the portal's former clocks keeps its report; the one by the present ones stands beside it.
#[tokio::test]
async fn a_portal_that_moves_to_another_zone_gets_another_folder() {
    let setting = Setting::new(crate::portal::june()).await;
    let out = setting.home().join("{month}").display().to_string();
    let run = async |setting: &Setting| setting.run(&["--month", "2026-06", "--out", &out]).await;
    assert_eq!(run(&setting).await.exit, 0);
    setting.sim.edit(|portal| {
        portal.zone = Tz::America__New_York;
        portal.now += TimeDelta::days(2);
    });
    for _ in 0..2 {
        let moved = run(&setting).await;
        assert_eq!(moved.exit, 0, "{}{}", moved.stdout, moved.stderr);
        assert!(
            moved.stdout.contains("the portal's time zone was Europe/Berlin when this was first reported"),
            "{}",
            moved.stdout
        );
        assert!(setting.home().join("2026-06_America-New_York/manifest.json").exists());
    }
    let old = std::fs::read_to_string(setting.home().join("2026-06/manifest.json")).unwrap();
    assert!(old.contains("Europe/Berlin"), "{old}");
}

/// What there is nothing to compare with is named as people do, with the command that reads it.
#[tokio::test]
async fn windows_and_what_came_before_them_have_names() {
    let setting = Setting::new(crate::portal::june()).await;
    let month = setting.run(&["--month", "2026-06"]).await;
    assert!(month.stdout.contains("run this program once with `--month 2026-05`"), "{}", month.stdout);
    let window = ["--since", "2026-06-18T05:50:20Z", "--until", "2026-06-23T05:50:20Z"];
    let setting = Setting::new(crate::portal::june()).await;
    let hours = setting.run(&window).await;
    assert!(hours.stdout.contains("18 June 2026 07:50 to 23 June 2026 07:50, Berlin time"), "{}", hours.stdout);
    let before = "run this program once with `--since 2026-06-13T07:50:20+02:00 --until 2026-06-18T07:50:20+02:00`";
    assert!(hours.stdout.contains(before), "{}", hours.stdout);
}

#[tokio::test]
async fn a_month_to_come_is_refused() {
    let setting = Setting::new(june()).await;
    let ended = setting.month("2999-01", &[]).await;
    assert_eq!(ended.exit, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("2999-01 ends at 2999-02-01T00:00:00+01:00 and is not over yet"), "{}", ended.stderr);
}

/// The month before is compared with where it was read by an earlier run, and only there.
#[tokio::test]
async fn the_month_before_is_compared_with_when_it_is_known() {
    let setting = Setting::new(june()).await;
    let alone = setting.run(&["--month", "2026-06"]).await;
    assert!(alone.stdout.contains("No comparison"), "{}", alone.stdout);
    assert_eq!(setting.run(&["--month", "2026-05"]).await.exit, 0);
    let after = setting.run(&["--month", "2026-06"]).await;
    assert!(after.stdout.contains("Events recorded: 21 (May 2026: 1, +2000 %)"), "{}", after.stdout);
}
