//! What a run could not see or judge is not forgotten by the next one.

use chrono::TimeDelta;
use cli_test::holding::Holding;
use portal_sim::{Event, Fault, Login, Room, Scenario};
use serde_json::Value;

use crate::common::{Setting, now};

/// Somebody downloads so many documents of room 71, one a minute, beginning so long before a moment.
fn downloads(portal: &mut Scenario, count: i32, hours_ago: i64) {
    let olga = portal.owner().id;
    for n in 0..count {
        let at = now() - TimeDelta::hours(hours_ago) + TimeDelta::minutes(i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(71));
    }
}

async fn falcon() -> Setting {
    Setting::with(Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"))).await
}

/// A run by cron.
async fn cron(setting: &Setting, extra: &[&str]) -> (i32, Value) {
    let url = setting.sim.url();
    let ended = setting.run_with(&[&["--portal", url.as_str(), "--format", "json"], extra].concat()).await;
    (ended.exit, ended.json())
}

fn acts(report: &Value) -> Vec<u64> {
    report["findings"].as_array().unwrap().iter().map(|found| found["counts"]["acts"].as_u64().unwrap()).collect()
}

/// The machine was off for a week; the first run after it comes only to a part. What it did not come to is found by the next one.
#[tokio::test]
async fn a_hole_that_a_budget_left_after_a_pause_is_asked_for_by_the_next_run() {
    let setting = falcon().await;
    let week_ago = (now() - TimeDelta::days(7)).to_rfc3339();
    assert_eq!(cron(&setting, &["--until", &week_ago]).await.0, 0);
    setting.sim.edit(|portal| {
        downloads(portal, 41, 120);
        // something happens all the time, so that a few requests do not read the week
        let owner = portal.owner().id;
        for n in 0..2_000 {
            portal.add_event(Event::new(6015, owner, now() - TimeDelta::minutes(5 * n + 1)));
        }
    });
    let few = setting.config("[budget]\nrequests = 9");
    let (exit, report) = cron(&setting, &["--config", &few]).await;
    assert_eq!((exit, acts(&report)), (4, Vec::new()), "{}", report["coverage"]);
    let (_, report) = cron(&setting, &[]).await;
    assert_eq!(acts(&report), [41], "{}", report["coverage"]);
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, report["coverage"]["complete"].as_bool()), (0, Some(true)), "{}", report["coverage"]);
}

/// Somebody asks for a month, and the portal fails on the way, or before it has told anything: as the first run, and as a later one.
#[tokio::test]
async fn what_a_run_was_asked_to_look_at_and_did_not_see_is_asked_for_by_the_next_one() {
    for (first, skip) in [(false, 3), (true, 3), (false, 0)] {
        let setting = falcon().await;
        setting.sim.edit(|portal| {
            downloads(portal, 41, 20 * 24);
            // something happens all the time, so that a few requests do not read the month
            let owner = portal.owner().id;
            for n in 0..2_000 {
                portal.add_event(Event::new(6015, owner, now() - TimeDelta::minutes(20 * n + 1)));
            }
        });
        if !first {
            assert_eq!(cron(&setting, &[]).await.0, 0);
        }
        setting.sim.set_faults(vec![Fault { skip, ..Fault::status(502).on("security/audit/events/filter") }]);
        let (exit, report) = cron(&setting, &["--since", "30d"]).await;
        assert!(matches!(exit, 1 | 4), "{exit}");
        assert_eq!(report["coverage"]["gaps"][0]["since"], "2026-10-21T09:00:00Z", "{}", report["coverage"]);
        for _ in 0..2 {
            let (exit, report) = cron(&setting, &[]).await;
            let gaps = report["coverage"]["gaps"].as_array().unwrap();
            assert!(matches!(exit, 1 | 4), "{exit}");
            assert!(gaps.iter().any(|gap| gap["since"] == "2026-10-21T09:00:00Z"), "{first} {skip}: {gaps:?}");
        }
        setting.sim.set_faults(Vec::new());
        let (exit, report) = cron(&setting, &[]).await;
        assert_eq!((exit, acts(&report)), (0, vec![41]), "{first} {skip}: {}", report["coverage"]);
    }
}

/// Somebody looks at a day long ago: nobody has asked for the weeks behind it.
#[tokio::test]
async fn a_look_at_a_day_long_ago_leaves_no_hole_behind_it() {
    let setting = falcon().await;
    assert_eq!(cron(&setting, &[]).await.0, 0);
    let day = ["--since", "2026-10-01T00:00:00Z", "--until", "2026-10-02T00:00:00Z"];
    setting.sim.set_faults(vec![Fault { skip: 1, ..Fault::status(502).on("security/audit/events/filter") }]);
    assert!(matches!(cron(&setting, &day).await.0, 1 | 4));
    let (_, report) = cron(&setting, &[]).await;
    let gaps = report["coverage"]["gaps"].to_string();
    assert!(gaps.contains("2026-10-01T00:00:00Z") && gaps.contains("2026-10-02T00:00:00Z"), "{gaps}");
    setting.sim.set_faults(Vec::new());
    assert_eq!(cron(&setting, &[]).await.0, 0);
    let asked = setting.sim.requests();
    let weeks_after = |target: &str| target.contains("from=2026-10-0") && target.contains("to=2026-11");
    assert!(!asked.iter().any(|request| weeks_after(&request.target)), "{asked:?}");
}

/// As long as a hole is there, every report says so; somebody can give it up.
#[tokio::test]
async fn a_hole_is_named_by_every_report_until_somebody_gives_it_up() {
    let setting = falcon().await;
    let bad = now() - TimeDelta::hours(40);
    setting.sim.edit(|portal| {
        let owner = portal.owner().id;
        portal.add_event(Event::poison(owner, bad));
    });
    assert_eq!(cron(&setting, &["--since", "2d"]).await.0, 4);
    for _ in 0..2 {
        let (exit, report) = cron(&setting, &[]).await;
        assert_eq!(exit, 4);
        assert_eq!(report["coverage"]["gaps"][0]["since"], "2026-11-18T17:00:00Z", "{}", report["coverage"]);
    }
    let url = setting.sim.url();
    let store = ["--portal", url.as_str(), "store"];
    let listed = setting.run_with(&[&store[..], &["check"]].concat()).await;
    assert!(listed.stdout.contains("but not 2026-11-18T17:00:00Z to 2026-11-18T17:00:01Z"), "{}", listed.stdout);
    let open = setting.run_with(&[&store[..], &["give-up", "--reason", "no end"]].concat()).await;
    assert_eq!(open.exit, 2, "{}", open.stderr);
    assert!(open.stderr.contains("--until"), "{}", open.stderr);
    let silent = ["give-up", "--until", "2026-11-19T09:00:00Z", "--reason", " "];
    let silent = setting.run_with(&[&store[..], &silent].concat()).await;
    assert!(silent.exit == 2 && silent.stderr.contains("--reason"), "{}{}", silent.stdout, silent.stderr);
    let give_up = ["give-up", "--until", "2026-11-19T09:00:00Z", "--reason", "the row is known to be broken"];
    let given = setting.run_with(&[&store[..], &give_up].concat()).await;
    assert_eq!((given.exit, given.stdout.lines().count()), (0, 1), "{}{}", given.stdout, given.stderr);
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, report["coverage"]["gaps"].to_string()), (0, "[]".to_owned()));
    let listed = setting.run_with(&[&store[..], &["check"]].concat()).await;
    assert!(
        listed.stdout.contains("given up: 2026-11-18T17:00:00Z") && listed.stdout.contains("known to be broken"),
        "{}",
        listed.stdout
    );
}

/// Nobody knows which rooms there are, so nothing was judged, although every event was read. The next run judges.
#[tokio::test]
async fn what_was_read_without_the_list_of_rooms_is_judged_by_the_next_run() {
    let mut setting = falcon().await;
    let later = now();
    setting.sim.edit(|portal| {
        downloads(portal, 41, 60);
        portal.now = later - TimeDelta::hours(58);
    });
    setting.sim.set_faults(vec![Fault::status(500).on("files/rooms")]);
    let (exit, _) = cron(&setting, &[]).await;
    assert!(matches!(exit, 1 | 4), "{exit}");
    setting.sim.set_faults(Vec::new());
    // days later, when that time is in no window of the usual length
    setting.sim.edit(|portal| portal.now = later);
    setting.scenario.now = later;
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, acts(&report)), (0, vec![41]), "{}", report["coverage"]);
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, report["coverage"]["complete"].as_bool(), acts(&report)), (0, Some(true), Vec::new()));
}

/// A finding that was told without its logins is looked at again until they are there, and is not told again for that.
#[tokio::test]
async fn logins_that_could_not_be_read_are_told_by_the_run_that_can() {
    let mut setting = falcon().await;
    let later = now();
    let owner = setting.scenario.owner().clone();
    setting.sim.edit(|portal| {
        downloads(portal, 41, 60);
        for day in 1..40 {
            portal.add_login(Login::success(&owner, later - TimeDelta::days(day)));
        }
        let elsewhere = Login::success(&owner, later - TimeDelta::minutes(60 * 60 - 10));
        portal.add_login(Login { ip: "203.0.113.66".to_owned(), ..elsewhere });
    });
    setting.sim.set_faults(vec![Fault::status(500).on("security/audit/login")]);
    let id = owner.id.to_string();
    let logins = |report: &Value| report["loginDetails"][&id].as_array().map_or(0, Vec::len);
    let is_named = |report: &Value| {
        report["coverage"]["gaps"].as_array().unwrap().iter().any(|gap| {
            gap["what"] == "logins"
                && gap["since"].as_str() <= Some("2026-11-17T21:00:00Z")
                && gap["until"].as_str() >= Some("2026-11-17T21:41:00Z")
        })
    };
    let mut states = Vec::new();
    // the third and the fourth run have the burst in no window of the usual length
    for (hours_ago, is_down) in [(58, true), (57, true), (20, true), (1, false), (0, false)] {
        let at = later - TimeDelta::hours(hours_ago);
        setting.sim.edit(|portal| portal.now = at);
        setting.scenario.now = at;
        if !is_down {
            setting.sim.set_faults(Vec::new());
        }
        let (exit, report) = cron(&setting, &[]).await;
        let expected = if is_down { (4, true) } else { (0, false) };
        assert_eq!((exit, is_named(&report)), expected, "{hours_ago}: {}", report["coverage"]);
        states.push((report["findings"][0]["state"].as_str().map(str::to_owned), logins(&report)));
        if hours_ago == 1 {
            let told = report["loginDetails"][&id].as_array().unwrap();
            assert!(told.iter().any(|login| login["new"][0] == "address"), "{told:?}");
        }
    }
    let state = |state: &str, logins| (Some(state.to_owned()), logins);
    assert_eq!(states, [state("new", 0), state("known", 0), state("known", 0), state("known", 3), (None, 0)]);
}

/// A source that fails for days leaves holes, and not a window that grows from run to run.
#[tokio::test]
async fn a_source_that_fails_for_ten_days_does_not_make_the_window_longer() {
    let mut setting = falcon().await;
    let end = now();
    setting.sim.edit(|portal| downloads(portal, 41, 9 * 24));
    setting.sim.set_faults(vec![Fault::status(500).on("files/rooms")]);
    for day in (0..10).rev() {
        let today = end - TimeDelta::days(day);
        setting.sim.edit(|portal| portal.now = today);
        setting.scenario.now = today;
        let (exit, report) = cron(&setting, &[]).await;
        assert_eq!(exit, 4, "{report}");
        let since = (today - TimeDelta::days(1)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(report["window"]["since"], since);
        let first = (end - TimeDelta::days(10)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let gaps = report["coverage"]["gaps"].as_array().unwrap();
        assert!(gaps.iter().any(|gap| gap["since"] == first), "every hole is named: {gaps:?}");
    }
    setting.sim.set_faults(Vec::new());
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, acts(&report)), (0, vec![41]), "{}", report["coverage"]);
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, report["coverage"]["complete"].as_bool()), (0, Some(true)), "{}", report["coverage"]);
}

/// However long the machine was off, the window goes back to where judging ended.
#[tokio::test]
async fn a_pause_of_three_weeks_is_looked_at() {
    let setting = falcon().await;
    let before = (now() - TimeDelta::days(20)).to_rfc3339();
    assert_eq!(cron(&setting, &["--until", &before]).await.0, 0);
    setting.sim.edit(|portal| downloads(portal, 41, 18 * 24));
    let (exit, report) = cron(&setting, &[]).await;
    assert_eq!((exit, acts(&report)), (0, vec![41]), "{}", report["coverage"]);
}

/// At its time limit a run judges and tells what it has read.
#[tokio::test]
async fn a_run_that_reaches_its_limit_tells_what_it_read() {
    let setting = falcon().await;
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        // twice more than a page, in bursts that are each too many
        for (hours, first) in [(23, 10_000), (2, 20_000)] {
            for n in 0..150 {
                let at = now() - TimeDelta::hours(hours) + TimeDelta::seconds(20 * n);
                portal.add_event(Event::new(5009, olga, at).file(first + n as i32, "paper.docx").in_room(71));
            }
        }
    });
    let holding = Holding::start(&setting.sim.url(), "audit/events/filter?from=", 2).await;
    let config = setting.config("run_limit = \"15s\"");
    let ended = setting.run_with(&["--portal", &holding.url, "--config", &config, "--format", "json"]).await;
    let report = ended.json();
    assert_eq!(ended.exit, 4, "{} {}", report["coverage"], ended.stderr);
    assert!(!acts(&report).is_empty(), "{}", report["coverage"]);
    assert_eq!(report["coverage"]["gaps"][0]["why"], "budget_exhausted", "{}", report["coverage"]);
}

/// The same for the very first question.
#[tokio::test]
async fn the_limit_of_a_run_holds_for_its_first_question_too() {
    let setting = falcon().await;
    let holding = Holding::start(&setting.sim.url(), "people/@self", 0).await;
    let config = setting.config("run_limit = \"3s\"");
    let began = std::time::Instant::now();
    let ended = setting.run_with(&["--portal", &holding.url, "--config", &config, "--format", "json"]).await;
    assert_eq!((ended.exit, &ended.json()["coverage"]["gaps"][0]["why"]), (1, &Value::from("budget_exhausted")));
    assert!(began.elapsed() < std::time::Duration::from_secs(25), "the portal alone is waited for much longer");
}
