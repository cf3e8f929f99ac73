//! The client against a simulated portal: every row once, or the truth about what is missing.

use std::collections::HashSet;

use audit_model::{AuditEvent, GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, ErrorKind, Rest, Slice};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Event, Fault, FaultKind, Key, Login, Person, PersonKind, PortalSim, Room, RowForm, Scenario};
use secrecy::SecretString;
use url::Url;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

async fn start(scenario: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(scenario).await.unwrap();
    let client = client(&sim, &sim.key());
    (sim, client)
}

fn client(sim: &PortalSim, key: &str) -> Client {
    client_within(sim, key, Budget::default())
}

fn client_within(sim: &PortalSim, key: &str, budget: Budget) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    Client::new(http, base, ApiKey::new(SecretString::from(key)), RetryPolicy::immediate(), budget)
}

/// A portal with one room and this many downloads, `per_second` of them in each second before `until`.
fn busy(count: i32, per_second: i32, until: DateTime<Utc>) -> Scenario {
    let mut portal = Scenario::bare(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..count {
        let at = until - TimeDelta::seconds(i64::from(n / per_second) + 1);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx").in_room(71));
    }
    portal
}

fn ids(slice: &Slice<AuditEvent>) -> HashSet<i64> {
    let ids: HashSet<i64> = slice.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), slice.rows.len(), "each row once");
    ids
}

fn recorded(scenario: &Scenario) -> HashSet<i64> {
    scenario.events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn paging_by_date_loses_no_row_where_ten_share_a_second() {
    let portal = busy(2_500, 10, now());
    let expected = recorded(&portal);
    let (sim, client) = start(portal).await;
    let slice = client.audit_slice(last_day()).await;
    assert_eq!(ids(&slice), expected);
    assert_eq!((slice.gaps.len(), slice.error.is_none()), (0, true));
    assert!(sim.requests().len() <= 32, "{} requests for 2 500 rows", sim.requests().len());
}

/// A slice is what is held in memory: a busy day comes in several, and none of it is lost between them.
#[tokio::test]
async fn a_large_slice_ends_early_and_says_where_to_go_on() {
    let portal = busy(12_000, 7, now());
    let expected = recorded(&portal);
    let (_sim, client) = start(portal).await;
    let (mut seen, mut left, mut slices) = (HashSet::new(), vec![Rest::from(last_day())], 0);
    while let Some(rest) = left.pop() {
        let slice = client.audit_slice(rest).await;
        assert!(slice.rows.len() < 5_200 && slice.gaps.is_empty(), "{}", slice.rows.len());
        seen.extend(ids(&slice));
        left.extend(slice.unread);
        slices += 1;
    }
    assert_eq!((seen.len(), slices), (expected.len(), 3));
}

/// Hundreds of rows of one date: pages by offset reorder them, so only the number of distinct rows proves that all were seen.
#[tokio::test]
async fn a_second_that_holds_more_than_a_page_is_read_whole_or_named() {
    let dense = now() - TimeDelta::hours(1);
    let second = |n| Window::new(dense - TimeDelta::seconds(n), dense - TimeDelta::seconds(n - 1));
    for per_second in [99, 100, 101, 150, 420] {
        let mut portal = busy(2 * per_second, per_second, dense);
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::hours(20)).file(1, "a.docx").in_room(71));
        let expected = recorded(&portal);
        let (sim, client) = start(portal).await;
        let slice = client.audit_slice(last_day()).await;
        let named: HashSet<Window> = slice.gaps.iter().map(|gap| gap.span).collect();
        assert!(named.is_subset(&HashSet::from([second(1), second(2)])), "{per_second}: {named:?}");
        assert!(slice.gaps.iter().all(|gap| gap.why == GapReason::UnstablePaging));
        let unseen = expected.difference(&ids(&slice)).count();
        assert_eq!(unseen > 0, !named.is_empty(), "{per_second}: {unseen} unseen, gaps {named:?}");
        assert!(slice.rows.iter().any(|row| row.at == now() - TimeDelta::hours(20)));
        assert!(sim.requests().len() < 120, "{per_second}: {} requests", sim.requests().len());
    }
}

/// In Berlin, on the night when clocks go back, the first pass of the repeated hour is printed an hour late.
#[tokio::test]
async fn the_autumn_hour_is_read_whole_and_dated_right_where_it_can_be() {
    let change = at("2025-10-26T01:00:00Z");
    let mut portal = Scenario::bare(at("2025-10-26T06:00:00Z")).with_zone(chrono_tz::Tz::Europe__Berlin);
    let owner = portal.owner().id;
    for n in 0..700 {
        // 250 before the change and the rest after it, every 10 s
        let at = change - TimeDelta::seconds(2_500) + TimeDelta::seconds(i64::from(n) * 10);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx"));
    }
    let expected = recorded(&portal);
    let (_sim, client) = start(portal).await;
    let slice = client.audit_slice(Window::new(change - TimeDelta::hours(6), change + TimeDelta::hours(4))).await;
    assert_eq!(ids(&slice), expected);
    assert_eq!(slice.gaps, []);
    // a slice that ends inside the first pass takes its rows back where they belong
    let first_pass = Window::new(change - TimeDelta::minutes(40), change - TimeDelta::minutes(30));
    let slice = client.audit_slice(first_pass).await;
    assert_eq!(slice.rows.len(), 60);
    assert!(slice.rows.iter().all(|row| first_pass.contains(row.at)), "dated inside the slice");
}

/// The portal's oldest rows share a second of the first pass: each question shows another of them as the last.
#[tokio::test]
async fn a_trail_that_begins_in_the_autumn_hour_is_whole() {
    let change = at("2025-10-26T01:00:00Z");
    let mut portal = Scenario::bare(at("2025-10-26T06:00:00Z")).with_zone(chrono_tz::Tz::Europe__Berlin);
    let owner = portal.owner().id;
    for seconds in [290, -310, -910, -3_600, -3_600, -3_600] {
        portal.add_event(Event::new(5009, owner, change + TimeDelta::seconds(seconds)).file(9, "a.docx"));
    }
    let expected = recorded(&portal);
    let (_sim, client) = start(portal).await;
    client.probe().await.unwrap();
    for until in [600, 683, 900] {
        let span = Window::new(change - TimeDelta::hours(9), change + TimeDelta::seconds(until));
        let slice = client.audit_slice(span).await;
        assert_eq!((ids(&slice), slice.gaps.len()), (expected.clone(), 0), "up to {until}: {:?}", slice.gaps);
    }
}

/// A row whose date cannot be read stands between its neighbours, and these are printed an hour late.
#[tokio::test]
async fn a_row_of_an_unknown_form_in_the_autumn_hour_is_named_where_it_was() {
    let change = at("2025-10-26T01:00:00Z");
    for form in [RowForm::NoDate, RowForm::HugeId] {
        // rows of the first pass alone, and of both; more than a page, and fewer
        for (rows, newest) in [(50, -600), (260, -600), (150, 600), (260, 1_500)] {
            let mut portal = Scenario::bare(at("2025-10-26T06:00:00Z")).with_zone(chrono_tz::Tz::Europe__Berlin);
            let owner = portal.owner().id;
            for n in 0..rows {
                let at = change + TimeDelta::seconds(newest - n * 10);
                portal.add_event(Event::new(5009, owner, at).file(9, "a.docx"));
            }
            let expected: Vec<_> = portal.events.iter().map(|event| (event.id, event.at)).collect();
            let (sim, client) = start(portal).await;
            client.probe().await.unwrap();
            let odd = FaultKind::OddRows { form, every: Some(3), id: None };
            sim.set_faults(vec![Fault::new(odd).on("security/audit/events")]);
            let span = Window::new(change - TimeDelta::hours(2), change + TimeDelta::hours(2));
            let slice = client.audit_slice(span).await;
            let seen = ids(&slice);
            let is_named = |at| slice.gaps.iter().any(|gap| gap.span.contains(at));
            let lost = expected.iter().filter(|(id, at)| !seen.contains(id) && !is_named(*at)).count();
            assert_eq!(lost, 0, "{form:?} among {rows} rows up to {newest}: {:?}", slice.gaps);
            assert!(slice.error.is_none() && seen.len() * 2 > expected.len(), "{form:?} among {rows} rows");
        }
    }
}

#[tokio::test]
async fn an_unreadable_row_costs_its_second_and_nothing_else() {
    let mut portal = busy(900, 2, now());
    let owner = portal.owner().id;
    let bad = now() - TimeDelta::hours(3);
    for n in 0..50 {
        portal.add_event(Event::new(5009, owner, bad - TimeDelta::hours(1)).file(n, "a.docx").in_room(71));
    }
    let expected = recorded(&portal);
    portal.add_event(Event::poison(owner, bad));
    let (sim, client) = start(portal).await;
    let slice = client.audit_slice(last_day()).await;
    assert_eq!(ids(&slice), expected);
    assert_eq!(slice.gaps.len(), 1);
    assert_eq!(slice.gaps[0].why, GapReason::UnreadableRow);
    assert_eq!(slice.gaps[0].span, Window::new(bad, bad + TimeDelta::seconds(1)));
    assert!(sim.requests().len() < 70, "{} requests", sim.requests().len());
}

#[tokio::test]
async fn a_portal_that_fails_at_everything_is_given_up_soon() {
    let (sim, client) = start(busy(50, 1, now())).await;
    sim.set_faults(vec![Fault::status(500).on("security/audit")]);
    let slice = client.audit_slice(last_day()).await;
    assert_eq!(
        slice.gaps.iter().map(|gap| (gap.span, gap.why)).collect::<Vec<_>>(),
        [(last_day(), GapReason::ServerFailed)]
    );
    assert!(slice.error.is_some());
    assert!(sim.requests().len() <= 4, "{} requests", sim.requests().len());
}

#[tokio::test]
async fn rows_that_were_not_asked_for_prove_nothing() {
    let portal = busy(30, 1, now()).with_audit(false);
    let (_sim, client) = start(portal).await;
    assert!(!client.probe().await.unwrap().audit_filter_works);
    let old = Window::new(now() - TimeDelta::days(9), now() - TimeDelta::days(8));
    let slice = client.audit_slice(old).await;
    assert_eq!(slice.rows.len(), 0);
    assert_eq!(slice.gaps.len(), 1);
    assert_eq!((slice.gaps[0].span, slice.gaps[0].why), (old, GapReason::AuditFeatureMissing));
}

#[tokio::test]
async fn a_read_that_breaks_off_keeps_what_it_has_and_names_the_rest() {
    let (sim, client) = start(busy(1_000, 1, now())).await;
    sim.set_faults(vec![Fault::status(401).on("security/audit/events").after(4)]);
    let slice = client.audit_slice(last_day()).await;
    assert!(slice.rows.len() >= 390, "{}", slice.rows.len());
    let gap = slice.gaps[0];
    assert_eq!((slice.gaps.len(), gap.why), (1, GapReason::KeyRefused));
    let oldest = slice.rows.iter().map(|row| row.at).min().unwrap();
    assert_eq!(gap.span.since, last_day().since);
    assert!(gap.span.until > oldest && gap.span.until - oldest <= TimeDelta::seconds(1));
    assert_eq!(slice.error.unwrap().kind, ErrorKind::DeadKey);
}

#[tokio::test]
async fn short_troubles_are_waited_out() {
    let faults = [
        Fault::status(502),
        Fault::status(503),
        Fault::new(FaultKind::Reset),
        Fault::new(FaultKind::Truncated),
        Fault::new(FaultKind::TooManyRequests { retry_after: None }),
    ];
    for fault in faults {
        let portal = busy(250, 1, now());
        let expected = recorded(&portal);
        let (sim, client) = start(portal).await;
        sim.set_faults(vec![fault.on("security/audit").after(1).times(2)]);
        let slice = client.audit_slice(last_day()).await;
        assert_eq!((ids(&slice), slice.gaps.len()), (expected, 0));
    }
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    let (sim, client) = start(busy(1, 1, now())).await;
    let dead = self::client(&sim, &format!("sk-{}", "0".repeat(64)));
    let error = dead.rooms().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::DeadKey);
    assert_eq!(sim.requests().len(), 1);
    assert_eq!(client.rooms().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_for_rooms_only_is_told_which_scope_it_lacks() {
    let mut portal = busy(1, 1, now());
    let admin = Person::new("adam@example.com", "Adam", "Admin").kind(PersonKind::Admin);
    let key = Key::of(&admin).scopes(&["rooms:read"]);
    portal = portal.with_person(admin).with_key(key.clone());
    let (sim, _) = start(portal).await;
    let narrow = client(&sim, &key.key);
    assert_eq!(narrow.rooms().await.unwrap().len(), 1);
    assert_eq!(narrow.audit_slice(last_day()).await.error.unwrap().kind, ErrorKind::MissingScope { needs: "*:read" });
}

#[tokio::test]
async fn the_probe_knows_the_portal() {
    let (sim, client) = start(busy(1, 1, now()).with_zone(chrono_tz::Tz::Asia__Kolkata)).await;
    let portal = client.probe().await.unwrap();
    assert_eq!(sim.requests().len(), 4);
    assert!(portal.audit_filter_works && portal.me.is_admin);
    assert_eq!(portal.time_zone, chrono_tz::Tz::Asia__Kolkata);
    assert_eq!(portal.version.as_deref(), Some("3.7.2"));
    assert_eq!(client.portal_clock(), Some(now()));
}

/// A run that remembers the portal reads it with the same zone as the run that asked for it: UTC is one like any other.
#[tokio::test]
async fn a_remembered_portal_keeps_its_zone() {
    for (zone, name, known) in [
        (chrono_tz::Tz::Asia__Kolkata, None, Some(chrono_tz::Tz::Asia__Kolkata)),
        (chrono_tz::Tz::UTC, None, Some(chrono_tz::Tz::UTC)),
        (chrono_tz::Tz::UTC, Some("Mars/Olympus"), None),
        (chrono_tz::Tz::UTC, Some(""), None),
    ] {
        let mut portal = busy(1, 1, now()).with_zone(zone);
        portal.condition.zone_name = name.map(str::to_owned);
        let (sim, first) = start(portal).await;
        let remembered = first.probe().await.unwrap();
        assert_eq!(first.time_zone(), known, "{name:?}");
        let next = client_within(&sim, &sim.key(), Budget::default());
        assert_eq!(next.probe_again(remembered.clone()).await.unwrap(), remembered);
        assert_eq!(next.time_zone(), known, "{name:?}");
    }
}

#[tokio::test]
async fn all_rooms_are_listed_whatever_their_number_and_state() {
    let mut portal = Scenario::bare(now());
    for id in 0..230 {
        portal.add_room(Room::vdr(1_000 + id, "Same title"));
    }
    portal.rooms[7].archived = true;
    let (_sim, client) = start(portal).await;
    let rooms = client.rooms().await.unwrap();
    assert_eq!(rooms.len(), 230);
    assert_eq!(rooms.iter().filter(|room| room.archived).count(), 1);
    assert_eq!(client.room(&RoomId::Number(1_003)).await.unwrap().unwrap().fact.id, RoomId::Number(1_003));
    assert_eq!(client.room(&RoomId::Number(99)).await.unwrap(), None);
}

/// Uploads of one minute are grouped by the portal, so its pages are shorter than what they stand for.
#[tokio::test]
async fn a_room_log_is_paged_by_its_raw_rows() {
    let mut portal = Scenario::bare(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..450 {
        let at = now() - TimeDelta::minutes(i64::from(n / 40) + 1);
        portal.add_event(Event::new(5011, owner, at).file(9_000 + n, "a.docx").in_room(71));
    }
    let expected = recorded(&portal);
    let (sim, client) = start(portal).await;
    let slice = client.room_log(&RoomId::Number(71), last_day()).await;
    assert_eq!(slice.rows.iter().map(|entry| entry.event).collect::<HashSet<_>>(), expected);
    assert_eq!((slice.rows.len(), slice.gaps.len()), (expected.len(), 0));
    assert!(sim.requests().iter().all(|request| !request.target.contains("fields")), "never on this route");
}

#[tokio::test]
async fn logins_are_walked_with_overlap() {
    let mut portal = Scenario::bare(now());
    let owner = portal.owner().clone();
    for n in 0..420 {
        portal.add_login(Login::success(&owner, now() - TimeDelta::seconds(i64::from(n / 3) * 400 + 1)));
    }
    portal.add_login(Login::failure("olga@example.com", "203.0.113.9", now() - TimeDelta::hours(2)));
    let expected = portal.logins.iter().filter(|login| last_day().contains(login.at)).count();
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(last_day()).await;
    let ids: HashSet<i64> = slice.rows.iter().map(|row| row.id).collect();
    assert_eq!((ids.len(), slice.rows.len(), slice.gaps.len()), (expected, expected, 0));
}

/// More than half a page of logins in one second: offsets cannot prove that none fell between two pages.
#[tokio::test]
async fn logins_that_offsets_cannot_order_are_read_whole_or_named() {
    let mut portal = Scenario::bare(now());
    let owner = portal.owner().clone();
    for _ in 0..260 {
        portal.add_login(Login::success(&owner, now() - TimeDelta::hours(1)));
    }
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(last_day()).await;
    let is_named = slice.gaps.iter().any(|gap| gap.why == GapReason::UnstablePaging);
    assert_eq!(slice.rows.len() < 260, is_named, "{} logins, gaps {:?}", slice.rows.len(), slice.gaps);
}

#[tokio::test]
async fn a_used_up_budget_is_a_gap_and_never_a_shorter_list() {
    let sim = PortalSim::start(busy(1_000, 1, now())).await.unwrap();
    let spent = std::time::Instant::now();
    let budgets = [
        (Budget { requests: 4, ..Budget::default() }, "requests", 400),
        (Budget { rows: 250, ..Budget::default() }, "rows", 300),
        (Budget { bytes: 50_000, ..Budget::default() }, "megabytes", 100),
        (Budget { deadline: Some(spent), ..Budget::default() }, "time", 0),
    ];
    for (budget, limit, at_least) in budgets {
        let client = client_within(&sim, &sim.key(), budget);
        let slice = client.audit_slice(last_day()).await;
        assert_eq!(slice.error.unwrap().kind, ErrorKind::BudgetExhausted { limit });
        assert!(slice.rows.len() < 1_000 && slice.rows.len() + 10 >= at_least, "{limit}: {}", slice.rows.len());
        let gap = slice.gaps[0];
        assert_eq!((slice.gaps.len(), gap.why, gap.span.since), (1, GapReason::BudgetExhausted, last_day().since));
    }
}

/// The plan can end between the first question of a run and its last. From then on every answer is the newest 20 rows.
#[tokio::test]
async fn an_audit_feature_that_ends_after_the_probe_is_noticed() {
    let (sim, client) = start(busy(300, 1, now())).await;
    assert!(client.probe().await.unwrap().audit_filter_works);
    sim.edit(|portal| portal.audit = false);
    let slice = client.audit_slice(last_day()).await;
    let whys: Vec<GapReason> = slice.gaps.iter().map(|gap| gap.why).collect();
    assert_eq!((slice.rows.len(), whys), (0, vec![GapReason::AuditFeatureMissing]));
}

/// Selecting 150 files and pressing "download" writes 150 rows within a second or two.
#[tokio::test]
async fn a_download_of_150_selected_files_is_read_whole() {
    let portal = busy(150, 150, now() - TimeDelta::hours(1));
    let expected = recorded(&portal);
    let (_sim, client) = start(portal).await;
    let slice = client.audit_slice(last_day()).await;
    assert_eq!((ids(&slice).len(), slice.gaps.len()), (expected.len(), 0));
}

#[tokio::test]
async fn a_second_of_exactly_one_page_is_no_gap() {
    let (_sim, client) = start(busy(100, 100, now() - TimeDelta::hours(1))).await;
    let slice = client.audit_slice(last_day()).await;
    assert_eq!((ids(&slice).len(), slice.gaps.len()), (100, 0));
}

/// On Lord Howe Island clocks go back by half an hour.
#[tokio::test]
async fn an_autumn_shift_of_half_an_hour_loses_no_row() {
    let change = at("2026-04-04T15:00:00Z");
    let mut portal = Scenario::bare(at("2026-04-04T20:00:00Z")).with_zone(chrono_tz::Tz::Australia__Lord_Howe);
    let owner = portal.owner().id;
    for n in 0..800 {
        let at = change - TimeDelta::minutes(60) + TimeDelta::seconds(i64::from(n) * 3);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx"));
    }
    let expected = recorded(&portal);
    let (_sim, client) = start(portal).await;
    client.probe().await.unwrap();
    let slice = client.audit_slice(Window::new(change - TimeDelta::hours(2), change - TimeDelta::minutes(10))).await;
    assert_eq!((ids(&slice).len(), slice.gaps.len()), (expected.len(), 0), "all lie before the end of the slice");
}

/// Whoever may make tags can make one named `{x}` at the second of a download. The portal can still be asked for downloads alone.
#[tokio::test]
async fn an_unreadable_row_does_not_hide_the_downloads_of_its_second() {
    let second = now() - TimeDelta::hours(3);
    let mut portal = busy(10, 10, second + TimeDelta::seconds(1));
    let expected = recorded(&portal);
    let owner = portal.owner().id;
    portal.add_event(Event::poison(owner, second));
    let (_sim, client) = start(portal).await;
    let slice = client.audit_slice(last_day()).await;
    assert_eq!((ids(&slice).len(), slice.gaps.len()), (expected.len(), 1));
}

/// The row stands behind the first page of its second, where only the read by offsets meets it.
#[tokio::test]
async fn an_unreadable_row_in_a_dense_second_costs_that_second_and_nothing_else() {
    let dense = now() - TimeDelta::hours(1);
    for position in [0, 100, 200, 300, 399] {
        let mut portal = Scenario::bare(now()).with_room(Room::vdr(71, "Falcon"));
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::hours(20)).file(1, "a.docx").in_room(71));
        for n in 0..400 {
            let download = Event::new(5009, owner, dense).file(9_000 + n, "a.docx").in_room(71);
            portal.add_event(if n == position { Event::poison(owner, dense) } else { download });
        }
        let (_sim, client) = start(portal).await;
        let slice = client.audit_slice(last_day()).await;
        let gaps: Vec<_> = slice.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
        let second = Window::new(dense, dense + TimeDelta::seconds(1));
        assert_eq!(gaps, [(second, GapReason::UnreadableRow)], "row {position}");
        assert!(slice.error.is_none(), "the read goes on");
        assert!(slice.rows.iter().any(|row| row.at == now() - TimeDelta::hours(20)));
    }
}
