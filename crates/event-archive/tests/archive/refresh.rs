//! The archive against a simulated portal and real SQLite files.

use crate::common::{judged, now, open, start};
use audit_model::{AuditEvent, GapReason, PortalText, RoomId, SpanSet, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Budget;
use event_archive::{Archive, LateRow, LookedAt};
use futures::TryStreamExt;
use job_store::Store;
use portal_sim::{Event, Fault, FaultKind, Login, Place, Room, Scenario};

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

fn one(window: Window) -> SpanSet {
    SpanSet::from_iter([window])
}

fn hours_ago(hours: i64) -> DateTime<Utc> {
    now() - TimeDelta::hours(hours)
}

async fn stored(archive: &Archive, window: Window) -> Vec<AuditEvent> {
    archive.events(window).try_collect().await.unwrap()
}

/// A portal where somebody downloads a file every ten minutes.
fn steady() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..300 {
        let at = now() - TimeDelta::minutes(i64::from(n) * 10 + 1);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx").in_room(71));
    }
    portal
}

#[tokio::test]
async fn what_the_portal_recorded_is_kept_in_order() {
    let portal = steady();
    let mut expected: Vec<(DateTime<Utc>, i64)> = portal.events.iter().map(|event| (event.at, event.id)).collect();
    expected.retain(|(at, _)| last_day().contains(*at));
    expected.sort();
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    let audit = refreshed.coverage.clone().unwrap();
    assert_eq!((audit.rows, audit.late_rows, refreshed.gaps.len()), (expected.len() as u64, 0, 0));
    let read: Vec<(DateTime<Utc>, i64)> =
        stored(&archive, last_day()).await.iter().map(|event| (event.at, event.id)).collect();
    assert_eq!(read, expected);
    assert_eq!((audit.oldest, audit.newest), (Some(expected[0].0), expected.last().map(|(at, _)| *at)));
}

#[tokio::test]
async fn events_come_back_as_they_were() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Žofín – 契約 😀"));
    let owner = portal.owner().id;
    portal.add_event(
        Event::new(5009, owner, hours_ago(1)).file(9, "a, b\u{0}\u{1}\u{1b}\"\\ 😀.docx").in_room(71).ip("203.0.113.7"),
    );
    portal.add_event(Event::new(6015, owner, hours_ago(2)));
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    let asked = client.audit_slice(last_day()).await;
    let mut direct = asked.rows;
    direct.sort_by_key(|event| (event.at, event.id));
    assert_eq!(stored(&archive, last_day()).await, direct);
    assert_eq!(direct.last().unwrap().ip, Some(PortalText::from("203.0.113.7")));
}

#[tokio::test]
async fn the_second_run_reads_two_hours_again_and_counts_what_came_late() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.refresh_audit(&client, last_day(), now()).await.unwrap();
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::minutes(100)).file(1, "late.docx").in_room(71));
        portal.add_event(Event::new(5009, owner, hours_ago(9)).file(2, "too late.docx").in_room(71));
    });
    let before = sim.requests().len();
    let archive = open(folder.path()).await;
    let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(refreshed.coverage.unwrap().late_rows, 1);
    let asked = &sim.requests()[before..];
    assert_eq!(asked.len(), 2, "one page for what is missing and the overlap, and whether the filter still works");
    assert!(asked[0].target.contains("from=2026-11-20T07%3A00%3A00Z"), "{}", asked[0].target);
}

/// Narrowing down a bad row takes dozens of requests: they are spent once a day.
#[tokio::test]
async fn a_bad_row_is_asked_for_once_a_day() {
    let mut portal = steady();
    let owner = portal.owner().id;
    portal.add_event(Event::poison(owner, hours_ago(5)));
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let mut asked = Vec::new();
    for started in [now(), now() + TimeDelta::minutes(10), now() + TimeDelta::days(1)] {
        let before = sim.requests().len();
        let gaps = archive.refresh_audit(&client, last_day(), started).await.unwrap().gaps;
        assert_eq!(gaps.len(), 1, "{started}");
        asked.push(sim.requests().len() - before);
    }
    assert!(asked[0] > 30 && asked[1] <= 2 && asked[2] > 5, "{asked:?}");
}

/// A row that becomes unreadable in a time that was read before stays a gap, also when no overlap reaches it any more.
#[tokio::test]
async fn a_gap_in_what_was_read_is_not_forgotten() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let two_days = Window::new(hours_ago(48), now());
    archive.refresh_audit(&client, two_days, now()).await.unwrap();
    let bad = hours_ago(40);
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::poison(owner, bad));
    });
    let second = Window::new(bad, bad + TimeDelta::seconds(1));
    // found by the thorough read of the next day, and by the runs after it, which read two hours again
    for started in [1, 2, 3].map(|hours| now() + TimeDelta::days(1) + TimeDelta::hours(hours)) {
        let gaps = archive.refresh_audit(&client, two_days, started).await.unwrap().gaps;
        assert_eq!(gaps.iter().map(|gap| gap.span).collect::<Vec<_>>(), [second], "{started}");
    }
    let unrelated = archive.refresh_audit(&client, last_day(), now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!(unrelated.gaps, [], "outside the window it is no gap of the run");
}

/// The first run of each day reads three days again, the others two hours.
#[tokio::test]
async fn what_came_days_late_is_found_by_the_first_run_of_a_day() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, Window::new(hours_ago(48), now()), now()).await.unwrap();
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, hours_ago(40)).file(1, "late.docx").in_room(71));
    });
    let same_day = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(same_day.late, []);
    let next_day = archive.refresh_audit(&client, last_day(), now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!(next_day.late, [LateRow { at: hours_ago(40) }]);
    assert_eq!(next_day.coverage.unwrap().late_rows, 0, "none of them in the window");
}

/// Who says so reads a span once more in every run, however long ago it was read.
#[tokio::test]
async fn what_came_late_is_found_by_a_run_that_reads_the_span_again() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let two_days = Window::new(hours_ago(48), now());
    archive.refresh_audit(&client, two_days, now()).await.unwrap();
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, hours_ago(40)).file(1, "late.docx").in_room(71));
    });
    assert_eq!(archive.refresh_audit(&client, two_days, now()).await.unwrap().late, []);
    let again = archive.clone().reading_again(Window::new(hours_ago(45), hours_ago(30)));
    let refreshed = again.refresh_audit(&client, two_days, now()).await.unwrap();
    assert_eq!((refreshed.late, refreshed.gaps), (vec![LateRow { at: hours_ago(40) }], vec![]));
    assert_eq!(refreshed.coverage.unwrap().late_rows, 1);
}

/// A run that stored a late row may end before it tells anybody; the next one is given it again, until one has judged it.
#[tokio::test]
async fn what_came_late_is_handed_on_until_it_was_judged() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.refresh_audit(&client, last_day(), now()).await.unwrap();
    let late = now() - TimeDelta::minutes(100);
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, late).file(1, "late.docx").in_room(71));
    });
    let archive = open(folder.path()).await;
    assert_eq!(archive.refresh_audit(&client, last_day(), now()).await.unwrap().late, [LateRow { at: late }]);
    drop(archive);
    let archive = open(folder.path()).await;
    let again = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(again.late, [LateRow { at: late }]);
    assert_eq!(again.coverage.unwrap().late_rows, 0, "counted by the run that found it");
    let judged_nothing = LookedAt { judged: Some(SpanSet::default()), with_late: false, ..judged(last_day()) };
    archive.keep_run(judged_nothing).await.unwrap();
    assert_eq!(archive.refresh_audit(&client, last_day(), now()).await.unwrap().late, [LateRow { at: late }]);
    archive.keep_run(judged(Window::new(hours_ago(24), hours_ago(2)))).await.unwrap();
    assert_eq!(archive.refresh_audit(&client, last_day(), now()).await.unwrap().late, [LateRow { at: late }]);
    archive.keep_run(judged(last_day())).await.unwrap();
    assert_eq!(archive.refresh_audit(&client, last_day(), now()).await.unwrap().late, []);
}

#[tokio::test]
async fn logins_and_room_logs_are_kept_and_asked_for_only_where_new() {
    let mut portal = steady();
    let owner = portal.owner().clone();
    for n in 0..230 {
        portal.add_login(Login::success(&owner, now() - TimeDelta::minutes(n * 5 + 1)));
    }
    for n in 0..120 {
        let at = now() - TimeDelta::minutes(i64::from(n) * 7 + 1);
        portal.add_event(Event::new(5011, owner.id, at).file(20_000 + n, "b.docx").in_room(71));
    }
    let uploads: Vec<i64> = portal.events.iter().filter(|event| event.action == 5011).map(|event| event.id).collect();
    let logins = portal.logins.iter().filter(|login| last_day().contains(login.at)).count();
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let room = RoomId::Number(71);
    for run in 0..2 {
        let archive = open(folder.path()).await;
        let before = sim.requests().len();
        let read = archive.refresh_logins(&client, last_day(), now()).await.unwrap();
        assert_eq!((read.coverage.unwrap().rows, read.gaps.len()), (logins as u64, 0));
        assert_eq!(archive.logins(last_day()).await.unwrap().len(), logins);
        let login_pages = sim.requests().len() - before;
        let read = archive.refresh_room_log(&client, &room, last_day(), now()).await.unwrap();
        assert_eq!((read.coverage.unwrap().rows, read.gaps.len()), (120, 0));
        assert_eq!(archive.room_log(&room, last_day()).await.unwrap(), uploads);
        let log_pages = sim.requests().len() - before - login_pages;
        // the second run reads two hours again: 24 logins and 18 log rows, with an hour's margin for the logins. Each run asks
        // how long logins are kept, and the first one whether the last page is the last
        assert_eq!((login_pages, log_pages), if run == 0 { (6, 2) } else { (2, 1) });
    }
}

/// The portal forgets logins after half a year; what it forgot is no silence.
#[tokio::test]
async fn logins_longer_ago_than_the_portal_keeps_them_are_a_gap() {
    let mut portal = steady();
    portal.logins.clear();
    let owner = portal.owner().clone();
    portal.add_login(Login::success(&owner, hours_ago(5)));
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let year = Window::new(now() - TimeDelta::days(365), now());
    let read = archive.refresh_logins(&client, year, now()).await.unwrap();
    let forgotten = Window::new(year.since, now() - TimeDelta::days(180));
    let gaps: Vec<_> = read.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
    assert_eq!(gaps, [(forgotten, GapReason::BeyondRetention)]);
    assert_eq!(archive.logins(year).await.unwrap().len(), 1);
}

/// The portal does not say how long it keeps logins: what is older than every login it shows may have been forgotten.
#[tokio::test]
async fn without_a_known_lifetime_logins_are_read_only_as_far_as_some_are_there() {
    let mut portal = steady();
    portal.logins.clear();
    let owner = portal.owner().clone();
    let oldest = hours_ago(72);
    portal.add_login(Login::success(&owner, hours_ago(5)));
    portal.add_login(Login::success(&owner, oldest));
    let (sim, client) = start(portal).await;
    sim.set_faults(vec![Fault::status(500).on("security/audit/settings/lifetime")]);
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let two_days = Window::new(hours_ago(48), now());
    assert_eq!(archive.refresh_logins(&client, two_days, now()).await.unwrap().gaps, [], "an older one is there");
    let year = Window::new(now() - TimeDelta::days(365), now());
    let read = archive.refresh_logins(&client, year, now()).await.unwrap();
    let gaps: Vec<_> = read.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
    assert_eq!(gaps, [(Window::new(year.since, oldest), GapReason::BeyondRetention)]);
    assert_eq!(archive.logins(year).await.unwrap().len(), 2);
    // the portal says it again: nothing of the last 180 days is missing
    sim.set_faults(Vec::new());
    let gaps = archive.refresh_logins(&client, year, now()).await.unwrap().gaps;
    assert_eq!(gaps.iter().map(|gap| gap.span.until).max(), Some(now() - TimeDelta::days(180)));
}

/// A day is the shortest time that a portal can be told to keep logins, so a quiet day is a quiet day.
#[tokio::test]
async fn without_a_known_lifetime_a_day_without_logins_is_read() {
    let (sim, client) = start(steady()).await;
    sim.set_faults(vec![Fault::status(500).on("security/audit/settings/lifetime")]);
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    assert_eq!(archive.refresh_logins(&client, last_day(), now()).await.unwrap().gaps, []);
    // what was read while the portal told is not doubted later
    sim.set_faults(Vec::new());
    let week = Window::new(now() - TimeDelta::days(7), now());
    assert_eq!(archive.refresh_logins(&client, week, now()).await.unwrap().gaps, []);
    sim.set_faults(vec![Fault::status(500).on("security/audit/settings/lifetime")]);
    let tomorrow = now() + TimeDelta::days(1);
    assert_eq!(archive.refresh_logins(&client, week, tomorrow).await.unwrap().gaps, []);
}

#[tokio::test]
async fn a_gap_stays_one_until_it_is_closed() {
    let mut portal = steady();
    let owner = portal.owner().id;
    let bad = hours_ago(5);
    portal.add_event(Event::poison(owner, bad));
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let second = Window::new(bad, bad + TimeDelta::seconds(1));
    for _ in 0..2 {
        let refreshed = open(folder.path()).await.refresh_audit(&client, last_day(), now()).await.unwrap();
        assert_eq!(refreshed.gaps.len(), 1);
        assert_eq!((refreshed.gaps[0].span, refreshed.gaps[0].why), (second, GapReason::UnreadableRow));
        assert_eq!(refreshed.coverage.unwrap().unreadable[0].span, second);
    }
    sim.edit(|portal| portal.events.retain(|event| !event.poison));
    let refreshed =
        open(folder.path()).await.refresh_audit(&client, last_day(), now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!(refreshed.gaps, []);
}

/// What rules count from before the window is named by the second that failed, and not by all of that time: the rest of it was read.
#[tokio::test]
async fn a_gap_before_the_window_is_as_narrow_as_one_in_it() {
    let mut portal = steady();
    let (owner, bad) = (portal.owner().id, [hours_ago(5), hours_ago(9)]);
    for at in bad {
        portal.add_event(Event::poison(owner, at));
    }
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let last_hour = Window::new(hours_ago(1), now());
    for _ in 0..2 {
        let archive = open(folder.path()).await;
        let read = archive.refresh_audit_since(&client, (last_hour, hours_ago(24)), now()).await.unwrap();
        let seconds = [bad[1], bad[0]].map(|at| Window::new(at, at + TimeDelta::seconds(1)));
        assert_eq!(read.history.iter().map(|gap| gap.span).collect::<Vec<_>>(), seconds);
        assert_eq!(read.gaps, []);
    }
}

#[tokio::test]
async fn a_portal_that_dies_leaves_what_was_read_and_a_gap() {
    let (sim, client) = start(steady()).await;
    sim.set_faults(vec![Fault::status(502).on("security/audit/events").after(1)]);
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let two_days = Window::new(hours_ago(48), now());
    let refreshed = archive.refresh_audit(&client, two_days, now()).await.unwrap();
    assert!(refreshed.error.is_some());
    assert!(refreshed.gaps.iter().all(|gap| gap.why == GapReason::ProxyFailed));
    assert!(!stored(&archive, two_days).await.is_empty());
    // nothing at all: the source was not read
    sim.set_faults(vec![Fault::status(502).on("security/audit/events")]);
    let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(refreshed.coverage, None);
    // the next run makes good for both
    sim.set_faults(Vec::new());
    let refreshed = archive.refresh_audit(&client, two_days, now()).await.unwrap();
    assert_eq!(refreshed.gaps, []);
    assert_eq!(stored(&archive, two_days).await.len(), 288);
}

#[tokio::test]
async fn the_future_is_not_covered() {
    let (_sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let ahead = Window::new(hours_ago(3), now() + TimeDelta::minutes(30));
    let gaps = archive.refresh_audit(&client, ahead, now()).await.unwrap().gaps;
    assert_eq!((gaps.len(), gaps[0].why, gaps[0].span.until), (1, GapReason::ClockSkew, ahead.until));
    // a minute is within what clocks differ by
    let close = Window::new(hours_ago(3), now() + TimeDelta::seconds(50));
    assert_eq!(archive.refresh_audit(&client, close, now()).await.unwrap().gaps, []);
}

#[tokio::test]
async fn rooms_keep_their_former_titles_and_outlive_their_deletion() {
    let mut portal = steady();
    portal.rename_room(71, "Kestrel", hours_ago(2));
    let owner = portal.owner().id;
    let place = Place::Room { id: 90, title: "Gone".to_owned() };
    portal.add_event(Event { target: vec!["90".to_owned()], place, ..Event::new(5074, owner, hours_ago(1)) });
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    let facts: Vec<_> = client.rooms().await.unwrap().into_iter().map(|room| room.fact).collect();
    archive.keep_rooms(&facts, now()).await.unwrap();
    archive.rooms(last_day()).await.unwrap();
    // a later window, in which nothing tells of them any more
    let later = Window::new(now(), now() + TimeDelta::hours(1));
    let rooms = open(folder.path()).await.rooms(later).await.unwrap();
    assert_eq!(rooms.get(&RoomId::Number(71)).unwrap().title.raw(), "Kestrel");
    assert_eq!(rooms.get(&RoomId::Number(90)).unwrap().title.raw(), "Gone");
    let download = stored(&archive, last_day()).await.into_iter().find(|event| event.action.0 == 5009).unwrap();
    assert_eq!(download.context, Some("Rooms: Falcon".into()));
    assert!(matches!(rooms.place(&download), audit_model::Place::Room(RoomId::Number(71), _)));
}

/// The plan ends between the probe and the read, and is bought again later.
#[tokio::test]
async fn what_a_portal_without_the_audit_feature_answered_is_never_covered() {
    let portal = steady();
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let three_days = Window::new(now() - TimeDelta::days(3), now());
    sim.edit(|portal| portal.audit = false);
    let refreshed = archive.refresh_audit(&client, three_days, now()).await.unwrap();
    assert!(!refreshed.gaps.is_empty());
    assert_eq!(refreshed.coverage, None, "nothing was seen");
    sim.edit(|portal| portal.audit = true);
    let refreshed = archive.refresh_audit(&client, three_days, now()).await.unwrap();
    assert!(refreshed.gaps.is_empty());
    assert_eq!(stored(&archive, three_days).await.len(), 300);
}

/// A portal restored from a backup gives ids again that it gave before.
#[tokio::test]
async fn an_id_that_the_portal_gave_twice_does_not_hide_the_second_event() {
    let mut portal = steady();
    let owner = portal.owner().id;
    let id = portal.add_event(Event::new(5009, owner, hours_ago(6)).file(1, "before.docx").in_room(71));
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    sim.edit(|portal| {
        portal.events.retain(|event| event.id != id);
        portal.add_event(Event::new(5009, owner, hours_ago(1)).file(2, "after.docx").in_room(71).id(id));
    });
    archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    let rows = stored(&archive, last_day()).await;
    assert!(rows.iter().any(|row| row.id == id && row.at == hours_ago(1)), "the event of an hour ago is lost");
}

/// The first read of a day asks for three days again. When that is more than the budget, the runs after it must still come to what
/// is new.
#[tokio::test]
async fn a_thorough_read_beyond_the_budget_does_not_keep_the_next_runs_from_what_is_new() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let known = Window::new(now() - TimeDelta::days(4), now() - TimeDelta::hours(1));
    archive.refresh_audit(&client, known, now() - TimeDelta::hours(1)).await.unwrap();
    let tomorrow = now() + TimeDelta::days(1);
    sim.edit(|portal| portal.now = tomorrow);
    let window = Window::new(tomorrow - TimeDelta::days(1), tomorrow);
    let mut gaps = Vec::new();
    for hour in 0..3 {
        let budget = Budget { rows: 60, ..Budget::default() };
        let client = crate::common::client(&sim, budget);
        let refreshed = archive.refresh_audit(&client, window, tomorrow + TimeDelta::minutes(hour)).await.unwrap();
        gaps = refreshed.gaps;
    }
    assert_eq!(gaps, [], "three runs of a day");
}

/// Room 71 was deleted long ago, and 72 has its title: pruning must not make them twins again. Names without rows are forgotten.
#[tokio::test]
async fn pruning_forgets_people_but_not_that_a_room_was_deleted() {
    let mut portal = Scenario::empty(now());
    let mut again = Room::vdr(72, "Falcon");
    again.created = hours_ago(9 * 24);
    portal.add_room(again);
    let owner = portal.owner().id;
    let place = Place::Room { id: 71, title: "Falcon".to_owned() };
    portal.add_event(Event { target: vec!["71".to_owned()], place, ..Event::new(5074, owner, hours_ago(10 * 24)) });
    portal.add_event(Event::new(5009, owner, hours_ago(11 * 24)).file(1, "a.docx").in_room(72).ip("203.0.113.9"));
    portal.add_event(Event::new(5009, owner, hours_ago(1)).file(2, "b.docx").in_room(72));
    let (_sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, Window::new(hours_ago(20 * 24), now()), now()).await.unwrap();
    let shown: Vec<_> = client.rooms().await.unwrap().into_iter().map(|room| room.fact).collect();
    archive.keep_rooms(&shown, now()).await.unwrap();
    // as the portal showed it while it was there
    let gone = audit_model::RoomFact { id: RoomId::Number(71), ..shown[0].clone() };
    archive.keep_rooms(&[gone], hours_ago(11 * 24)).await.unwrap();
    let event = stored(&archive, last_day()).await.remove(0);
    let before = archive.rooms(last_day()).await.unwrap().place(&event);
    assert!(matches!(before, audit_model::Place::Room(RoomId::Number(72), _)), "{before:?}");
    let store = Store::open(&format!("sqlite://{}/portal.sqlite", folder.path().display())).await.unwrap();
    crate::common::prune(&store, hours_ago(7 * 24)).await;
    assert_eq!(archive.rooms(last_day()).await.unwrap().place(&event), before);
    let sql = "SELECT count(*) FROM phrase WHERE value = '203.0.113.9'";
    assert_eq!(store.row("counting", sql, [], |row| row.int(0)).await.unwrap(), Some(0));
}

/// What an earlier run could not read lies before the window: it is asked for, what is there comes as late, what is still missing is named.
#[tokio::test]
async fn a_hole_before_the_window_is_asked_for_until_it_was_judged() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let hole = Window::new(hours_ago(40), hours_ago(36));
    let archive = open(folder.path()).await;
    archive.keep_run(judged(Window::new(hours_ago(48), hole.since))).await.unwrap();
    archive.keep_run(judged(Window::new(hole.until, hours_ago(24)))).await.unwrap();
    let holes = archive.judged().await.unwrap().holes(last_day().since);
    assert_eq!(holes, one(hole));
    let archive = archive.with_holes(holes);
    let bad = hours_ago(38);
    sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::poison(owner, bad));
    });
    // also in a second run, because no rule has judged them
    for minutes in [0, 10] {
        let started = now() + TimeDelta::minutes(minutes);
        let refreshed = archive.refresh_audit(&client, last_day(), started).await.unwrap();
        let gaps: Vec<Window> = refreshed.gaps.iter().map(|gap| gap.span).collect();
        assert_eq!(gaps, [Window::new(bad, bad + TimeDelta::seconds(1))]);
        assert_eq!(refreshed.late.len(), 24, "a row every ten minutes");
        assert!(refreshed.late.iter().all(|row| hole.contains(row.at)));
    }
    sim.edit(|portal| portal.events.retain(|event| !event.poison));
    let refreshed = archive.refresh_audit(&client, last_day(), now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!((refreshed.gaps, refreshed.late.len()), (Vec::new(), 24));
    archive.keep_run(LookedAt { judged: Some(one(hole)), ..judged(last_day()) }).await.unwrap();
    assert!(archive.judged().await.unwrap().holes(last_day().since).is_empty());
}

/// A store of version 1.0.0 knows only where judging had ended. What had not been read before that is a hole.
#[tokio::test]
async fn a_store_of_the_first_version_shows_its_holes() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let store = Store::open(&format!("sqlite://{}/portal.sqlite", folder.path().display())).await.unwrap();
    let as_before = "DROP INDEX audit_event_of_rooms; DROP TABLE rewritten; DROP TABLE held; DROP TABLE listed_room; DROP TABLE left_open; DROP TABLE judged_span; DROP TABLE watched; DROP TABLE given_up;
        DELETE FROM component_schema WHERE component = 'archive' AND number >= 8;
        INSERT INTO covered_span VALUES ('audit', 0, 36000000000), ('audit', 39600000000, 90000000000), ('logins', 0, 9);
        INSERT INTO moment VALUES ('judged', 86400000000), ('judged room 71', 18000000000), ('audit', 7);";
    store.script("going back", as_before).await.unwrap();
    drop(archive);
    let hours = |hours: i64| DateTime::from_timestamp(hours * 3600, 0).unwrap();
    let judged = open(folder.path()).await.judged().await.unwrap();
    assert_eq!((judged.since, judged.until(), judged.ended()), (Some(hours(0)), Some(hours(10)), Some(hours(24))));
    let part = open(folder.path()).await.for_part("room 71").judged().await.unwrap();
    assert_eq!((part.until(), part.ended()), (Some(hours(5)), Some(hours(5))));
    let moments = store.all("reading", "SELECT name FROM moment", [], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert_eq!(moments, ["audit"]);
}

/// Somebody decides that a hole stays one: nobody asks for it any more, and it is known who gave up what.
#[tokio::test]
async fn a_hole_that_was_given_up_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let (two_days, thirty_hours) = (Window::new(hours_ago(48), now()), Window::new(hours_ago(30), now()));
    archive.keep_run(LookedAt { judged: Some(one(last_day())), ..judged(two_days) }).await.unwrap();
    let room = archive.clone().for_part("room 71");
    room.keep_run(LookedAt { judged: None, ..judged(thirty_hours) }).await.unwrap();
    let given = archive.give_up(hours_ago(24), "the server was restored", now()).await.unwrap();
    let spans: Vec<_> = given.iter().map(|given| (given.part.as_str(), given.span)).collect();
    let before = |hours| Window::new(hours_ago(hours), hours_ago(24));
    assert_eq!(spans, [("", before(48)), ("room 71", before(30))]);
    assert!(archive.judged().await.unwrap().holes(now()).is_empty());
    assert_eq!(room.judged().await.unwrap().ended(), Some(hours_ago(24)));
    assert_eq!(archive.given_up().await.unwrap(), given);
}

/// The rows of the last hours are read again by each run: an answer that lacks them is not the answer.
#[tokio::test]
async fn rows_that_were_read_must_be_there_when_they_are_read_again() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let earlier = Window::new(last_day().since, hours_ago(1));
    archive.refresh_audit(&client, earlier, hours_ago(1)).await.unwrap();
    let silence = FaultKind::FewerRows { drop: None, at: None, total: None };
    sim.set_faults(vec![Fault::new(silence).on("security/audit/events/filter")]);
    for run in 0..3 {
        let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
        assert_eq!(refreshed.gaps.len(), 1, "run {run}: {:?}", refreshed.gaps);
        assert_eq!(refreshed.gaps[0].why, GapReason::UnstablePaging);
        assert_eq!(refreshed.gaps[0].span.until, now(), "what is new was not seen either");
    }
    sim.set_faults(Vec::new());
    let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!((refreshed.gaps, refreshed.coverage.unwrap().rows), (Vec::new(), 144));
}

/// An answer that lacks rows once is asked for once more, and then it is whole.
#[tokio::test]
async fn an_answer_that_lacks_known_rows_is_asked_for_once_more() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    archive.refresh_audit(&client, Window::new(last_day().since, hours_ago(1)), hours_ago(1)).await.unwrap();
    let silence = FaultKind::FewerRows { drop: None, at: None, total: None };
    sim.set_faults(vec![Fault::new(silence).on("security/audit/events/filter").times(2)]);
    let refreshed = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!((refreshed.gaps, refreshed.coverage.unwrap().rows), (Vec::new(), 144));
}

/// The same for logins and for the activity log of a room.
#[tokio::test]
async fn logins_and_logs_of_rooms_that_were_read_must_be_there_again() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().clone();
    for n in 0..5 {
        let at = now() - TimeDelta::minutes(70 + n);
        portal.add_login(Login::success(&owner, at));
        portal.add_event(Event::new(5011, owner.id, at).file(9, "a.docx").in_room(71));
    }
    let (sim, client) = start(portal).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let room = RoomId::from("71");
    let earlier = Window::new(last_day().since, hours_ago(1));
    archive.refresh_logins(&client, earlier, hours_ago(1)).await.unwrap();
    archive.refresh_room_log(&client, &room, earlier, hours_ago(1)).await.unwrap();
    let silence = |total| FaultKind::FewerRows { drop: None, at: None, total };
    sim.set_faults(vec![
        Fault::new(silence(None)).on("security/audit/login/filter"),
        Fault::new(silence(Some(0))).on("files/folder/*/log"),
    ]);
    for _ in 0..2 {
        for refreshed in [
            archive.refresh_logins(&client, last_day(), now()).await.unwrap(),
            archive.refresh_room_log(&client, &room, last_day(), now()).await.unwrap(),
        ] {
            let why: Vec<_> = refreshed.gaps.iter().map(|gap| gap.why).collect();
            assert_eq!(why, [GapReason::UnstablePaging]);
        }
    }
}

/// A portal that was restored has lost rows for good. That is said, and then it is over.
#[tokio::test]
async fn what_a_restored_portal_has_lost_is_missed_once() {
    let (sim, client) = start(steady()).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path()).await;
    let earlier = Window::new(last_day().since, hours_ago(4));
    archive.refresh_audit(&client, earlier, hours_ago(4)).await.unwrap();
    sim.edit(|portal| {
        // the backup is of ten hours ago; since four hours ago it is in use, and counts on from there
        let backup = hours_ago(10);
        portal.events.retain(|event| event.at < backup);
        // the newest of `steady` have the lowest numbers
        let owner = portal.owner().id;
        for n in 0..3 {
            let mut event =
                Event::new(5009, owner, now() - TimeDelta::minutes(30 + i64::from(n))).file(7, "b.docx").in_room(71);
            event.id = 47_000 + i64::from(n);
            portal.add_event(event);
        }
    });
    let first = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(first.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [GapReason::UnstablePaging]);
    let second = archive.refresh_audit(&client, last_day(), now()).await.unwrap();
    assert_eq!(second.gaps, []);
}
