//! How many requests it takes to read what a portal has: as many as there are pages, and a few.

use std::collections::BTreeSet;

use crate::common::{empty_archive, now, start};
use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Archive;
use futures::TryStreamExt;
use portal_sim::{Event, Fault, FaultKind, Room, RowForm, Scenario};

fn days(days: i64) -> Window {
    Window::new(now() - TimeDelta::days(days), now())
}

/// Downloads at these times.
fn portal(times: impl IntoIterator<Item = DateTime<Utc>>) -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for (n, at) in (9_000..).zip(times) {
        portal.add_event(Event::new(5009, owner, at).file(n, "a.docx").in_room(71));
    }
    portal
}

/// So many, evenly over the hours, in whole seconds.
fn spread(count: i64, hours: i64) -> impl Iterator<Item = DateTime<Utc>> {
    (1..=count).map(move |n| now() - TimeDelta::seconds(1 + n * hours * 3600 / (count + 1)))
}

const MONTH: i64 = 30 * 24;

/// Six hundred and seventy, of which 130 and 140 share a second each.
fn dense() -> impl Iterator<Item = DateTime<Utc>> {
    let same = |hours, count| std::iter::repeat_n(now() - TimeDelta::hours(hours), count);
    spread(400, MONTH).chain(same(50, 130)).chain(same(300, 140))
}

async fn stored(archive: &Archive, window: Window) -> BTreeSet<(i64, DateTime<Utc>)> {
    archive.events(window).map_ok(|event| (event.id, event.at)).try_collect().await.unwrap()
}

/// What a first run and one with nothing new ask for; both must have everything.
async fn costs(portal: Scenario, window: Window) -> (usize, usize) {
    let in_window = portal.events.iter().filter(|event| window.contains(event.at));
    let expected: BTreeSet<_> = in_window.map(|event| (event.id, event.at)).collect();
    let (sim, client) = start(portal).await;
    let archive = empty_archive().await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        let before = sim.requests().len();
        let refreshed = archive.refresh_audit(&client, window, now()).await.unwrap();
        assert_eq!(refreshed.gaps, []);
        assert!(stored(&archive, window).await == expected, "something is missing or dated wrong");
        asked
            .push(sim.requests()[before..].iter().filter(|line| line.target.contains("security/audit/events")).count());
    }
    (asked[0], asked[1])
}

/// So many requests may rows cost: a page in twenty, and three.
fn allowed(rows: usize) -> usize {
    (rows.div_ceil(100) * 105) / 100 + 3
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_takes_as_many_requests_as_there_are_pages() {
    let month = days(30);
    let autumn = || {
        let change: DateTime<Utc> = "2026-10-25T01:00:00Z".parse().unwrap();
        let times = (0..2_447).map(move |n| change - TimeDelta::seconds(12_000) + TimeDelta::seconds(n * 10));
        portal(times).with_zone(chrono_tz::Tz::Europe__Berlin)
    };
    let mut cases: Vec<(String, Scenario, usize)> = Vec::new();
    for rows in [0, 1, 16, 99, 100, 101, 199, 700, 1_360, 2_447, 3_027, 10_000, 30_000] {
        cases.push((format!("{rows} rows"), portal(spread(rows, MONTH)), 0));
    }
    cases.push(("670 rows, dense seconds".to_owned(), portal(dense()).with_stable_order(), 0));
    cases.push(("670 rows, dense seconds, shuffled".to_owned(), portal(dense()), 8));
    cases.push(("2 447 rows over a clock change".to_owned(), autumn(), 0));
    // one or two in each second
    cases.push(("30 000 rows of eight hours, shuffled".to_owned(), portal(spread(30_000, 8)), 0));
    let mut table = String::new();
    for (name, portal, extra) in cases {
        let rows = portal.events.len();
        let (first, again) = costs(portal, month).await;
        table += &format!("{name}: {first} of {}, again {again}\n", allowed(rows) + extra);
        assert!(
            first <= allowed(rows) + extra,
            "{name}: {first} requests, allowed are {}\n{table}",
            allowed(rows) + extra
        );
    }
}

/// Wherever the hour that comes twice lies among the rows: rows of both passes, of the first alone, and of the second alone; so few that
/// they do not tell which, or so many that a page holds one pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_change_costs_nothing_more() {
    let change: DateTime<Utc> = "2026-10-25T01:00:00Z".parse().unwrap();
    let mut table = String::new();
    for rows in [0, 1, 99, 100, 101, 199, 200, 400, 867, 900, 1_100] {
        let places = [(0, 10), (1, 10), (rows / 2, 1), (rows / 2, 10), (99, 10), (rows - 1, 10), (rows / 2, 3_600)];
        for (newer, every) in places {
            let times = (0..rows).map(|n| change + TimeDelta::seconds((newer - n) * every - 5));
            let portal = portal(times).with_zone(chrono_tz::Tz::Europe__Berlin);
            let (first, _) = costs(portal, days(60)).await;
            let most = allowed(usize::try_from(rows).unwrap());
            if first > most {
                table += &format!("{rows} rows, {newer} newer, every {every} s: {first} of {most}\n");
            }
        }
    }
    assert_eq!(table, "");
}

/// Wherever pages end in a second that holds more rows than two of them; and twice as many pages where it holds more than three.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dense_second_costs_four_more() {
    let mut table = String::new();
    for (before, same, after) in
        [(0, 101, 0), (0, 250, 0), (10, 150, 20), (600, 250, 267), (95, 250, 300), (50, 450, 0)]
    {
        let times =
            |count, minutes| (1..=count).map(move |n| now() - TimeDelta::minutes(minutes) - TimeDelta::seconds(n));
        let dense = std::iter::repeat_n(now() - TimeDelta::minutes(60), same);
        let portal = portal(times(before, 0).chain(dense).chain(times(after, 90)));
        let rows = portal.events.len();
        let (first, _) = costs(portal, days(1)).await;
        let most = allowed(rows) + (2 * (same / 100)).max(4);
        if first > most {
            table += &format!("{before}, {same} and {after} rows: {first} of {most}\n");
        }
    }
    assert_eq!(table, "");
}

/// Lanes side by side. Set `EVENTS=1000000` for a million; that takes minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_read_takes_as_many_requests_as_there_are_pages() {
    let rows = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let (first, _) = costs(portal(spread(rows, 60 * 24)), days(60)).await;
    assert!(first <= allowed(usize::try_from(rows).unwrap()), "{rows} rows: {first}");
}

/// Most runs find nothing new, and read two hours again.
#[tokio::test]
async fn a_run_with_nothing_new_asks_twice() {
    for rows in [0, 16, 700] {
        let (_, again) = costs(portal(spread(rows, MONTH)), days(30)).await;
        assert!(again <= 2, "{rows} rows: {again}");
    }
}

/// The log of a room says how many rows it has.
#[tokio::test]
async fn a_rooms_log_takes_as_many_requests_as_it_has_pages() {
    for (rows, most) in [(0, 2), (1, 1), (99, 1), (100, 1), (101, 2), (670, 7), (2_447, 25)] {
        let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
        let owner = portal.owner().id;
        for (n, at) in (9_000..).zip(spread(rows, MONTH)) {
            portal.add_event(Event::new(5011, owner, at).file(n, "a.docx").in_room(71));
        }
        let (sim, client) = start(portal).await;
        let archive = empty_archive().await;
        let before = sim.requests().len();
        let read = archive.refresh_room_log(&client, &RoomId::Number(71), days(30), now()).await.unwrap();
        assert_eq!((read.coverage.unwrap().rows, read.gaps.len()), (u64::try_from(rows).unwrap(), 0));
        let asked = sim.requests().len() - before;
        assert!(asked <= most, "{rows} rows: {asked} requests");
    }
}

/// Each stays a gap, and none is a span of its own to be read again by every run.
#[tokio::test]
async fn rows_of_an_unknown_form_are_asked_for_once_a_day() {
    let (sim, client) = start(portal(spread(240, 20))).await;
    let odd = FaultKind::OddRows { form: RowForm::NoDate, every: Some(10), id: None };
    sim.set_faults(vec![Fault::new(odd).on("security/audit/events")]);
    let archive = empty_archive().await;
    let mut asked = Vec::new();
    for started in [now(), now() + TimeDelta::minutes(10), now() + TimeDelta::days(1)] {
        let before = sim.requests().len();
        let gaps = archive.refresh_audit(&client, days(1), started).await.unwrap().gaps;
        assert!(gaps.len() >= 23 && gaps.iter().all(|gap| gap.why == GapReason::UnknownForm), "{}", gaps.len());
        asked.push(sim.requests().len() - before);
    }
    assert!(asked[0] <= 7 && asked[1] <= 2 && asked[2] <= 7, "{asked:?}");
    sim.set_faults(Vec::new());
    let gaps = archive.refresh_audit(&client, days(1), now() + TimeDelta::days(2)).await.unwrap().gaps;
    assert_eq!(gaps, []);
}
