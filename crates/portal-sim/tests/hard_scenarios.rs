//! What is special about each of the harder built-in scenarios, as a client sees it.

mod common;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Duration, Timelike as _, Utc, Weekday};
use common::{Ordered, at, get};
use portal_sim::{Event, Incident, Office, Place, PortalSim, Scenario};

const FILTER: &str = "security/audit/events/filter";

fn builtin(name: &str) -> Scenario {
    Scenario::builtin(name, at("2026-11-20T09:00:00Z")).unwrap_or_else(|| panic!("{name} is built in"))
}

async fn start(name: &str) -> PortalSim {
    PortalSim::start(builtin(name)).await.expect("start")
}

fn query(from: DateTime<Utc>, to: DateTime<Utc>, more: &str) -> String {
    let [from, to] = [from, to].map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    format!("{FILTER}?from={from}&to={to}{more}")
}

async fn rows(sim: &PortalSim, path: &str) -> Vec<Ordered> {
    get(sim, path).await.json().at("response").items().to_vec()
}

fn ids(rows: &[Ordered]) -> Vec<i64> {
    rows.iter().map(|row| row.at("id").int()).collect()
}

#[tokio::test]
async fn the_renamed_room_has_two_names_in_the_trail_and_one_in_the_list() {
    let sim = start("renamed-room").await;
    let mallory = builtin("renamed-room").person_by_email("mallory@example.com").expect("planted").id;
    let now = at("2026-11-20T09:00:00Z");
    let page = query(now - Duration::hours(4), now, &format!("&action=5009&userId={mallory}"));
    let contexts: Vec<String> = rows(&sim, &page).await.iter().map(|row| row.at("context").text().to_owned()).collect();
    let named = |title: &str| contexts.iter().filter(|context| *context == &format!("Rooms: {title}")).count();
    let (old, new) = (named("Umbrella – sale"), named("Umbrella – closed files"));
    assert!(old >= 15 && new >= 15 && old + new >= 41, "{old} + {new}");
    let room = get(&sim, "files/rooms/74").await.json();
    assert_eq!(room.at("response").at("title").text(), "Umbrella – closed files");
}

#[tokio::test]
async fn late_rows_come_when_the_trail_has_been_read() {
    let sim = start("late-rows").await;
    let before = rows(&sim, FILTER).await;
    assert_eq!(ids(&rows(&sim, FILTER).await), ids(&before));
    get(&sim, "files/rooms").await;
    let after = rows(&sim, FILTER).await;
    let known: BTreeSet<i64> = ids(&before).into_iter().collect();
    let late: Vec<&Ordered> = after.iter().filter(|row| !known.contains(&row.at("id").int())).collect();
    assert_eq!(late.len(), 41);
    let newest = before.iter().map(|row| row.at("id").int()).max().expect("rows");
    assert!(late.iter().all(|row| row.at("id").int() > newest), "ids tell when a row came");
    assert!(late.iter().all(|row| row.at("date").text() < "2026-11-20T09:16"), "dates tell when it happened");
}

#[tokio::test]
async fn the_repeated_hour_holds_more_than_a_page_and_its_dates_run_backwards() {
    let sim = start("autumn").await;
    let (first, second) = (at("2025-10-26T00:00:00Z"), at("2025-10-26T01:00:00Z"));
    let page = rows(&sim, &query(first, second - Duration::seconds(1), "")).await;
    assert_eq!(page.len(), 100, "one page is not enough");
    let shown: Vec<DateTime<Utc>> =
        page.iter().map(|row| DateTime::parse_from_rfc3339(row.at("date").text()).expect("a date").to_utc()).collect();
    assert!(shown.iter().all(|date| (second..second + Duration::hours(1)).contains(date)), "all are an hour late");
    let both = rows(&sim, &query(second - Duration::minutes(5), second + Duration::minutes(5), "")).await;
    assert!(!both.is_sorted_by(|a, b| a.at("date").text() >= b.at("date").text()), "newest first, but not as dated");
}

#[tokio::test]
async fn the_dense_second_cannot_be_read_with_pages() {
    let sim = start("dense-second").await;
    let second = at("2026-11-20T09:00:00Z") - Duration::minutes(205);
    let mut seen = BTreeSet::new();
    let mut shown = 0;
    for start in [0, 100, 200] {
        let page = ids(&rows(&sim, &query(second, second, &format!("&startIndex={start}"))).await);
        shown += page.len();
        seen.extend(page);
    }
    assert_eq!(shown, 250);
    assert!(seen.len() < 250, "some came twice, and as many never");
}

#[tokio::test]
async fn hostile_texts_are_escaped_on_the_wire_and_whole_behind_it() {
    let sim = start("hostile").await;
    let room = get(&sim, "files/rooms/501").await;
    assert!(room.body.contains(r#"Deal \"X\" <b>&amp;</b> {0}, 100 %\n\u001B[2J"#), "{}", room.body);
    assert_eq!(room.json().at("response").at("title").text(), "Deal \"X\" <b>&amp;</b> {0}, 100 %\n\u{1b}[2J");
    let now = at("2026-11-20T09:00:00Z");
    let page = get(&sim, &query(now - Duration::hours(4), now, "")).await;
    assert_eq!(page.status, 200);
    assert!(page.json().at("response").items().iter().any(|row| row.at("user").text().contains("<script>")));
    let poisoned = query(now - Duration::hours(7), now - Duration::hours(5), "");
    assert_eq!(get(&sim, &poisoned).await.status, 500, "a tag named {{x}}");
}

#[tokio::test]
async fn the_deleted_room_is_gone_and_its_events_are_not() {
    let sim = start("deleted-room").await;
    assert_eq!(get(&sim, "files/rooms/75").await.status, 404);
    assert_eq!(get(&sim, "files/folder/75/log").await.status, 404);
    let deletions = rows(&sim, &format!("{FILTER}?action=5074")).await;
    assert_eq!(deletions.len(), 1);
    let target = deletions[0].at("target").items();
    assert_eq!(target, [Ordered::Text("75".to_owned())]);
    let downloads = rows(&sim, &format!("{FILTER}?action=5009")).await;
    let named = |row: &&Ordered| row.at("context").text() == "Rooms: Hooli – patents";
    assert_eq!(downloads.iter().filter(named).count(), 41);
}

#[tokio::test]
async fn the_large_portal_has_a_hundred_thousand_rows_and_every_page_is_exact() {
    let scenario = builtin("large");
    assert_eq!(scenario.events.len(), 100_000 + 60 + 130);
    let mut dates: Vec<DateTime<Utc>> = scenario.events.iter().map(|event| event.at).collect();
    dates.sort_unstable();
    let sim = PortalSim::start(scenario).await.expect("start");
    for start in [0, 12_345, 99_999] {
        let to = dates[dates.len() - 1 - start];
        let page = get(&sim, &query(dates[0], to, "&fields=date")).await.json();
        let shown: Vec<DateTime<Utc>> = page
            .at("response")
            .items()
            .iter()
            .map(|row| DateTime::parse_from_rfc3339(row.at("date").text()).expect("a date").to_utc())
            .collect();
        let expected: Vec<DateTime<Utc>> = dates.iter().copied().filter(|at| *at <= to).rev().take(100).collect();
        assert_eq!(shown, expected, "from the row {start} on");
    }
}

/// The office of the following tests: Friday morning in Berlin, four weeks of work.
fn office(seed: u64) -> Office {
    Office::new(seed).people(20).rooms(6).days(28).events(5_000).zone(chrono_tz::Europe::Berlin).incident(Incident {
        person: "mallory@example.com".to_owned(),
        room: 1001,
        files: 50,
        since: "-3h".to_owned(),
        until: "-2h20m".to_owned(),
    })
}

#[test]
fn an_office_is_the_same_for_the_same_seed_and_holds_what_was_ordered() {
    let now = at("2026-11-20T09:00:00Z");
    let rows = |seed| -> Vec<(i64, DateTime<Utc>, i32)> {
        let scenario = office(seed).build(now).expect("an office");
        assert_eq!(scenario.events.len(), 5_050);
        scenario.events.iter().map(|event| (event.id, event.at, event.action)).collect()
    };
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
    let truth = office(1).build(now).expect("an office").truth;
    assert_eq!((truth.found.len(), truth.found[0].acts, truth.found[0].within_hours), (1, 50, 1));
}

#[test]
fn people_work_on_weekdays_and_stop_for_lunch_and_robots_do_not() {
    let zone = chrono_tz::Europe::Berlin;
    let scenario = office(3).build(at("2026-11-20T09:00:00Z")).expect("an office");
    let (robots, people): (Vec<&Event>, Vec<&Event>) = scenario.events.iter().partition(|e| e.initiator.is_some());
    assert_eq!(robots.len(), 125);
    assert!(robots.iter().any(|event| event.at.with_timezone(&zone).weekday() == Weekday::Sun));
    let mallory = scenario.person_by_email("mallory@example.com").expect("planted").id;
    // addresses of 192.0.2 without the colleagues in Kolkata, who have other hours
    let local = |person: &portal_sim::Person| {
        person.email.split('.').nth(2).is_some_and(|tail| {
            let index: u32 = tail.split('@').next().and_then(|index| index.parse().ok()).unwrap_or(9);
            index % 10 < 8
        })
    };
    let mut hours = BTreeSet::new();
    for event in people.iter().filter(|event| event.actor != mallory) {
        let person = scenario.person(event.actor).expect("an account");
        if local(person) {
            let when = event.at.with_timezone(&zone);
            assert!(!matches!(when.weekday(), Weekday::Sat | Weekday::Sun), "{when}");
            assert!((7..19).contains(&when.hour()), "{when}");
            hours.insert((event.actor, when.hour()));
        }
        assert!(matches!(event.place, Place::Room { .. }));
    }
    let somebody = scenario.people.iter().find(|person| local(person)).expect("a colleague").id;
    let worked: Vec<u32> = hours.iter().filter(|(who, _)| *who == somebody).map(|(_, hour)| *hour).collect();
    let (first, last) = (worked[0], worked[worked.len() - 1]);
    assert_eq!(worked.len() as u32, last - first, "one hour of {worked:?} is lunch");
}

#[test]
fn an_office_without_people_or_days_is_refused() {
    let now = at("2026-11-22T09:00:00Z");
    assert!(office(1).people(0).build(now).is_err());
    assert!(office(1).days(2).build(now).is_err(), "a weekend");
}

#[tokio::test]
async fn visitors_share_one_id_and_a_name_that_is_no_name() {
    let sim = start("visitors").await;
    let page = get(&sim, &format!("security/audit/events/filter?userId={}&count=100", portal_sim::GUEST)).await.json();
    let rows = page.at("response").items();
    assert_eq!(rows.len(), 70);
    assert!(
        rows.iter().all(|row| row.at("user").text() == "Anonymous" && row.at("context").text() == "Rooms: Open day")
    );
    let addresses: BTreeSet<&str> = rows.iter().map(|row| row.at("ip").text()).collect();
    assert_eq!(addresses.len(), 3);
    // the name they typed is in the sentence alone
    assert!(rows.iter().any(|row| row.at("action").text().contains("Vera")), "{rows:?}");
}

#[tokio::test]
async fn an_agent_is_told_from_a_room_by_one_word_and_by_its_list() {
    let sim = start("agent-twin").await;
    let mallory = builtin("agent-twin").person_by_email("mallory@example.com").expect("planted").id;
    let page = get(&sim, &format!("security/audit/events/filter?userId={mallory}&count=100")).await.json();
    let contexts: Vec<&str> = page.at("response").items().iter().map(|row| row.at("context").text()).collect();
    assert_eq!(contexts, vec!["KI-Agenten: Acme – due diligence"; 40]);
    let chen = builtin("agent-twin").person_by_email("chen@example.com").expect("planted").id;
    let page = get(&sim, &format!("security/audit/events/filter?userId={chen}")).await.json();
    assert!(page.at("response").items().iter().any(|row| row.at("context").text() == "Räume: Acme – due diligence"));
    for (area, agents) in [("Active", 0), ("Any", 0), ("AiAgents", 1)] {
        let list = get(&sim, &format!("files/rooms?searchArea={area}")).await.json();
        let rooms = list.at("response").at("folders").items();
        assert_eq!(rooms.iter().filter(|room| room.at("id").int() == 96).count(), agents, "{area}");
        assert_eq!(rooms.iter().filter(|room| room.at("rootFolderType").int() == 34).count(), agents, "{area}");
    }
}

#[test]
fn nobody_who_is_called_inactive_has_acted_and_the_records_reach_back() {
    let scenario = builtin("inactive");
    for found in &scenario.truth().found {
        let who = scenario.person_by_email(&found.person).expect("an account").id;
        let since = scenario.now - Duration::hours(i64::from(found.within_hours));
        let in_room = |event: &&Event| matches!(event.place, Place::Room { id, .. } if id == found.room);
        let acts = scenario.events.iter().filter(in_room).filter(|event| event.actor == who && event.at >= since);
        assert_eq!(acts.count(), found.acts, "{}", found.person);
        assert!(scenario.events.iter().any(|event| event.at < since), "or nobody can know");
    }
    assert_eq!(scenario.truth().found.len(), 4);
}

#[test]
fn a_short_trail_is_short() {
    let scenario = builtin("short-trail");
    let first = scenario.events.iter().map(|event| event.at).min().expect("events");
    assert!(first > scenario.now - Duration::days(4));
    let silent = |email: &str| {
        let who = scenario.person_by_email(email).expect("an account").id;
        scenario.events.iter().all(|event| event.actor != who)
    };
    assert!(scenario.truth().not_found.iter().all(|innocent| silent(&innocent.person)));
}
