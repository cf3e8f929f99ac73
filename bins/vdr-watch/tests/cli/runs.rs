//! Whole runs: what they find, what they ask, what they leave behind, and how they end.

use futures::future;
use portal_sim::{Event, Expected, Fault, PortalSim, Room, Scenario};

use crate::common::{self, Setting};

/// Whom the findings of a report are about, and in which rooms.
fn people_and_rooms(report: &serde_json::Value) -> Vec<(String, i64)> {
    let found = report["findings"].as_array().unwrap().iter();
    let who = |finding: &serde_json::Value| finding["person"]["email"].as_str().unwrap().to_owned();
    found.map(|finding| (who(finding), finding["room"]["id"].as_i64().unwrap())).collect()
}

/// The simulator says who must be found, and who must not; the program is held against that, not against itself.
#[tokio::test]
async fn the_truth_of_every_scenario_is_told() {
    for name in portal_sim::BUILTIN {
        let setting = Setting::new(name).await;
        let truth = setting.scenario.truth();
        let ended = setting.run(&["--format", "json"]).await;
        assert_eq!(Some(&(ended.exit as u8)), truth.exit.get("vdr-watch"), "{name}: {}", ended.stderr);
        let told = people_and_rooms(&ended.json());
        let own = |expected: &[Expected]| -> Vec<(String, i64)> {
            let own = expected.iter().filter(|expected| expected.program == "vdr-watch");
            own.map(|who| (who.person.clone(), i64::from(who.room))).collect()
        };
        let mut expected = own(&truth.found);
        let mut told_sorted = told.clone();
        told_sorted.sort();
        expected.sort();
        // without the audit feature nobody can be found, and the exit code says so
        let expected = if ended.exit == 1 { Vec::new() } else { expected };
        assert_eq!(told_sorted, expected, "{name}");
        let forbidden = setting.sim.requests().into_iter().find(|request| request.forbidden_fields);
        assert!(forbidden.is_none(), "{name}: {forbidden:?}");
        for innocent in &truth.not_found {
            assert!(!told.iter().any(|(person, _)| *person == innocent.person), "{name}: {}", innocent.person);
        }
        if !truth.found_later.is_empty() {
            let later = setting.run(&["--format", "json"]).await;
            assert_eq!(people_and_rooms(&later.json()), own(&truth.found_later), "{name}: {}", later.stdout);
        }
    }
}

#[tokio::test]
async fn findings_change_the_exit_code_only_when_asked() {
    let setting = Setting::new("incident").await;
    assert_eq!(setting.run(&["--exit-code"]).await.exit, 3);
    let quiet = Setting::new("quiet").await;
    assert_eq!(quiet.run(&["--exit-code"]).await.exit, 0);
}

#[tokio::test]
async fn a_dead_key_concludes_nothing_and_says_what_to_do() {
    let setting = Setting::new("incident").await;
    let setting = setting.with_key(&format!("sk-{}", "0".repeat(64)));
    let ended = setting.run(&[]).await;
    assert_eq!(ended.exit, 1);
    assert!(ended.stdout.contains("nothing can be concluded"), "{}", ended.stdout);
    assert!(ended.stderr.contains("401") && ended.stderr.contains("create a new key"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn the_key_never_shows() {
    for scenario in ["incident", "no-audit"] {
        let setting = Setting::new(scenario).await;
        setting.sim.set_faults(vec![Fault::status(500).on("security/audit").after(2).times(1)]);
        let ended = setting.run(&["-vv", "--format", "json"]).await;
        let secret = setting.key.trim_start_matches("sk-");
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{scenario}");
        assert!(ended.stderr.contains("security/audit"), "the debug log names the calls: {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_second_run_asks_for_what_is_new_only() {
    let setting = Setting::new("incident").await;
    let first = setting.run(&["--format", "json"]).await;
    let asked_first = setting.audit_pages();
    let second = setting.run(&["--format", "json"]).await;
    assert_eq!(common::without_states(&second.stdout), common::without_states(&first.stdout));
    let asked_again = setting.audit_pages() - asked_first;
    assert!(asked_again < asked_first, "{asked_again} pages after {asked_first}");
}

/// Nothing new, and what the portal is like was asked today: the question that proves the filter, one page, whether it was the last.
#[tokio::test]
async fn a_run_with_nothing_new_asks_three_questions() {
    let setting = Setting::new("quiet").await;
    setting.run(&[]).await;
    let before = setting.sim.requests().len();
    setting.run(&[]).await;
    assert_eq!(setting.sim.requests().len() - before, 3);
}

/// What is remembered of the portal is not believed when it stops being true.
#[tokio::test]
async fn a_portal_that_loses_its_audit_feature_is_noticed_at_once() {
    let setting = Setting::new("incident").await;
    assert_eq!(setting.run(&[]).await.exit, 0);
    setting.sim.edit(|portal| portal.audit = false);
    let ended = setting.run(&[]).await;
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("not include the audit feature"), "{}", ended.stdout);
    setting.sim.edit(|portal| portal.audit = true);
    assert_eq!(setting.run(&[]).await.exit, 0);
}

/// A row that the portal stored after the first run, dated before it, is found by the second.
#[tokio::test]
async fn a_late_row_is_counted() {
    let setting = Setting::new("quiet").await;
    assert_eq!(setting.run(&[]).await.stdout, "");
    setting.sim.edit(|portal| {
        let (actor, at) = (portal.people[1].id, portal.now - chrono::TimeDelta::minutes(70));
        portal.add_event(Event::new(5009, actor, at).file(9_000, "late.docx").in_room(71));
    });
    let report: serde_json::Value = serde_json::from_str(&setting.run(&["--format", "json"]).await.stdout).unwrap();
    assert_eq!(report["coverage"]["audit"]["late_rows"], 1);
    assert_eq!(report["coverage"]["complete"], true);
}

/// The portal's queue stood still over the weekend: thirty downloads of two days ago appear only now. They lie before the window of
/// this run, and are judged all the same.
#[tokio::test]
async fn an_incident_that_appears_days_later_is_found() {
    let mut portal = Scenario::empty(common::now()).with_room(Room::vdr(71, "Falcon"));
    let (olga, incident) = (portal.owner().id, portal.now - chrono::TimeDelta::hours(50));
    portal.add_event(Event::new(5009, olga, incident).file(1, "early.docx").in_room(71));
    portal.now -= chrono::TimeDelta::hours(40);
    let mut setting = Setting::with(portal).await;
    let quiet = setting.run(&["--since", "5d"]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""), "{}", quiet.stderr);
    // the next day: its first run reads three days again
    setting.scenario.now = common::now();
    setting.sim.edit(|portal| {
        portal.now = common::now();
        for n in 0..30 {
            let at = incident + chrono::TimeDelta::minutes(i64::from(n));
            portal.add_event(Event::new(5009, olga, at).file(100 + n, "paper.docx").in_room(71));
        }
    });
    let ended = setting.run(&["--since", "24h"]).await;
    assert!(ended.stdout.contains("31 actions within 1 h"), "{}{}", ended.stdout, ended.stderr);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let setting = Setting::new("incident").await;
    let alerts = setting.state.path().join("alerts.ndjson");
    let config = setting.config(&format!("[alerts.file]\npath = \"{}\"", alerts.display()));
    let state = setting.state.path().join("state");
    let dry = setting.run(&["--dry-run", "--config", &config]).await;
    assert!(dry.stdout.contains("2 findings"), "{}", dry.stdout);
    assert!(!alerts.exists() && !state.exists());
    let wet = setting.run(&["--config", &config]).await;
    let says_so = "Dry run: nothing was changed at the portal, and nothing was sent\n";
    assert_eq!(dry.stdout.replace(says_so, ""), wet.stdout);
    assert_ne!(dry.stdout, wet.stdout);
    assert_eq!(std::fs::read_to_string(&alerts).unwrap().lines().count(), 2);
    let stored = std::fs::read(common::only_file(&state, "sqlite")).unwrap();
    setting.run(&["--dry-run"]).await;
    assert_eq!(std::fs::read(common::only_file(&state, "sqlite")).unwrap(), stored);
}

#[tokio::test]
async fn a_critical_alert_that_reached_nobody_fails_the_run() {
    let setting = Setting::new("incident").await;
    let nowhere = cli_test::ClosedPort::take();
    let hook = format!("[limits]\nper_hour = 5\n[alerts.webhook]\nurl = \"http://127.0.0.1:{}/hook\"", nowhere.number);
    let config = setting.config(&hook);
    let ended = setting.run(&["--config", &config]).await;
    assert!(ended.stdout.contains("CRITICAL"), "the report is printed first: {}", ended.stdout);
    assert_eq!(ended.exit, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("alert not delivered"), "{}", ended.stderr);
}

#[tokio::test]
async fn mistakes_in_flags_and_settings_end_with_2_and_are_all_named() {
    let setting = Setting::new("quiet").await;
    let config = setting.config("[limits]\nper_huor = 5\nper_day = \"many\"");
    let ended = setting.run(&["--config", &config]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""));
    for expected in ["limits.per_huor", "per_hour", "limits.per_day"] {
        assert!(ended.stderr.contains(expected), "{expected} in {}", ended.stderr);
    }
    assert_eq!(setting.run(&["--no-such-flag"]).await.exit, 2);
    let unknown_room = setting.run(&["--room", "Alhpa"]).await;
    assert_eq!(unknown_room.exit, 2);
    assert!(unknown_room.stderr.contains("Alhpa"), "{}", unknown_room.stderr);
    let backwards = setting.run(&["--since", "2026-11-20T10:00:00Z"]).await;
    assert_eq!(backwards.exit, 2);
    assert!(backwards.stderr.contains("empty"), "{}", backwards.stderr);
}

/// The same two flags mean a window of the same length on any day.
#[tokio::test]
async fn an_age_of_the_beginning_counts_from_the_end_of_the_window() {
    let setting = Setting::new("quiet").await;
    let url = setting.sim.url();
    for (until, expected) in [
        ("3d", ("2026-11-15T09:00:00Z", "2026-11-17T09:00:00Z")),
        ("2026-11-18", ("2026-11-15T23:00:00Z", "2026-11-17T23:00:00Z")),
        ("2026-10-26T01:00:00Z", ("2026-10-24T01:00:00Z", "2026-10-26T01:00:00Z")),
    ] {
        let arguments = ["--portal", &url, "--since", "2d", "--until", until, "--dry-run", "--format", "json"];
        let window = setting.run_with(&arguments).await.json()["window"].clone();
        assert_eq!((window["since"].as_str().unwrap(), window["until"].as_str().unwrap()), expected, "{until}");
    }
}

#[tokio::test]
async fn a_run_that_finds_another_at_work_leaves_it_alone() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let lock = common::only_file(&setting.state.path().join("state"), "lock");
    let holder = std::fs::File::options().read(true).write(true).open(lock).unwrap();
    holder.try_lock().unwrap();
    let ended = setting.run(&[]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (0, ""));
    assert!(ended.stderr.contains("another run"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_damaged_store_costs_the_memory_and_not_the_finding() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let store = common::only_file(&setting.state.path().join("state"), "sqlite");
    std::fs::write(&store, "this is not a database, it only looks like a file of some length".repeat(40)).unwrap();
    let ended = setting.run(&[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("2 findings") && ended.stdout.contains("no memory"), "{}", ended.stdout);
    assert!(ended.stderr.contains("damaged"), "{}", ended.stderr);
}

/// Downloads never stand in a room's log. When two rooms share a title, nobody can say which one they were in; a mass
/// download must be told all the same.
#[tokio::test]
async fn downloads_from_one_of_two_twins_are_told_as_such() {
    let mut portal =
        Scenario::empty(common::now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Falcon"));
    let olga = portal.owner().id;
    for n in 0..30 {
        let at = portal.now - chrono::TimeDelta::minutes(90 - i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(72));
    }
    let setting = Setting::with(portal).await;
    let report: serde_json::Value = serde_json::from_str(&setting.run(&["--format", "json"]).await.stdout).unwrap();
    let room = &report["findings"][0]["room"];
    assert_eq!((room["id"].as_i64(), room["candidates"].to_string()), (None, "[71,72]".to_owned()));
    common::assert_valid(&report.to_string());
}

/// Whatever a portal does in the middle of a run: never silence with exit code 0.
#[tokio::test]
async fn a_failing_portal_is_never_all_quiet() {
    let faults: [(&str, Fault); 7] = [
        ("audit 500", Fault::status(500).on("security/audit/events").after(2)),
        ("audit 401", Fault::status(401).on("security/audit/events").after(2)),
        ("audit 502", Fault::status(502).on("security/audit/events").after(1)),
        ("rooms 403", Fault::status(403).on("files/rooms")),
        ("reset", Fault::new(portal_sim::FaultKind::Reset).on("security/audit/events").after(1)),
        ("truncated", Fault::new(portal_sim::FaultKind::Truncated).on("security/audit/events").after(1)),
        (
            "429",
            Fault::new(portal_sim::FaultKind::TooManyRequests { retry_after: Some(3600) })
                .on("security/audit/events")
                .after(1),
        ),
    ];
    let runs = faults.map(async |(name, fault)| {
        let setting = Setting::new("quiet").await;
        setting.sim.set_faults(vec![fault]);
        let ended = setting.run(&[]).await;
        assert!(matches!(ended.exit, 1 | 4), "{name}: exit {}, {}", ended.exit, ended.stderr);
        assert!(ended.stdout.contains("Not seen:"), "{name}: {}", ended.stdout);
    });
    future::join_all(runs).await;
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let setting = Setting::new("quiet").await;
    let ended = setting.run_with(&["--portal", "http://docs.example.com"]).await;
    assert_eq!(ended.exit, 2);
    assert!(ended.stderr.contains("http"), "{}", ended.stderr);
}

/// Two portals on one host need two addresses and nothing else.
#[tokio::test]
async fn each_portal_has_a_store_of_its_own() {
    let setting = Setting::new("incident").await;
    let other = PortalSim::start(Scenario::builtin("quiet", common::now()).unwrap()).await.unwrap();
    setting.run(&[]).await;
    let until = common::now().to_rfc3339();
    let quiet = setting.run_with(&["--portal", &other.url(), "--until", &until]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""), "{}", quiet.stderr);
}

#[tokio::test]
async fn the_store_can_be_checked_and_pruned() {
    let mut setting = Setting::new("incident").await;
    let url = setting.sim.url();
    let store = async |arguments: &[&str]| setting.run_with(&[&["--portal", &url, "store"], arguments].concat()).await;
    assert!(store(&["check"]).await.stdout.contains("does not exist yet"));
    setting.run(&["--since", "2026-11-10T00:00:00Z"]).await;
    let before = setting.sim.requests().len();
    let checked = store(&["check"]).await;
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""));
    assert!(checked.stdout.contains("no damage"), "{}", checked.stdout);
    assert!(
        checked.stdout.contains("audit: read completely 2026-11-10T00:00:00Z to 2026-11-20T09:00:00Z"),
        "{}",
        checked.stdout
    );
    // what runs still need is not for pruning: so long as `keep` must be at least
    for (before, is_refused) in [("1h", true), ("6d", true), ("30d", true), ("32d", false)] {
        let pruned = store(&["prune", "--before", before]).await;
        assert_eq!(pruned.exit, if is_refused { 2 } else { 0 }, "{before}: {}", pruned.stderr);
        assert_eq!(pruned.stderr.contains("the latest time possible is 2026-10-20T09:00:00Z"), is_refused);
    }
    setting.env.push(("VDR_WATCH_LIMITS__UNUSUAL_HOURS", "0"));
    let store = async |arguments: &[&str]| setting.run_with(&[&["--portal", &url, "store"], arguments].concat()).await;
    let pruned = store(&["prune", "--before", "2026-11-12"]).await;
    assert_eq!(pruned.exit, 0, "{}", pruned.stderr);
    let checked = store(&["check"]).await;
    assert!(checked.stdout.contains("audit: read completely 2026-11-12T00:00:00Z"), "{}", checked.stdout);
    assert_eq!(setting.sim.requests().len(), before, "the portal is not asked");
}
