//! Whoever ends a run waits for no answer, whatever the run is waiting for.

use std::process::Stdio;

use chrono::TimeDelta;
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use portal_sim::{Event, Room, Scenario, StoredFile};
use serde_json::Value;

use crate::common::{Setting, now};

/// Twenty-five documents downloaded and deleted from one of two rooms of one name, so that a run asks for everything that it ever asks for.
fn namesakes() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Falcon"));
    let olga = portal.owner().id;
    for n in 0..25 {
        portal = portal.with_file(StoredFile::new(900 + n, 72, "paper.docx", olga, now() - TimeDelta::days(9), b"x"));
        let at = now() - TimeDelta::minutes(60 - i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(900 + n, "paper.docx").in_room(72));
        // no log lists downloads
        portal.add_event(Event::new(5017, olga, at + TimeDelta::seconds(5)).file(900 + n, "paper.docx").in_room(72));
    }
    portal
}

/// A run that gets a signal while it waits: exit code, stdout, and what the heartbeat heard.
async fn interrupted(
    setting: &Setting,
    holding: &mut Holding,
    portal: &str,
    settings: &str,
) -> (i32, String, Vec<String>) {
    ended_by("TERM", setting, holding, portal, settings).await
}

async fn ended_by(
    signal: &str,
    setting: &Setting,
    holding: &mut Holding,
    portal: &str,
    settings: &str,
) -> (i32, String, Vec<String>) {
    let receiver = Receiver::start().await;
    let config = setting.config(&format!(
        "service_accounts = [\"robot@example.com\"]\nrun_limit = \"2h\"\n{settings}\n[heartbeat]\nurl = \"{}\"\n",
        receiver.url
    ));
    let mut command = setting.command(&["--portal", portal, "--config", &config, "--format", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    cli_test::in_time(holding.held()).await;
    cli_test::send(signal, child.id().unwrap()).await;
    let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
    (ended.status.code().unwrap(), String::from_utf8(ended.stdout).unwrap(), receiver.paths())
}

/// The answer never comes, so whoever waited for it would be here for as long as the client has patience, and would tell another reason.
#[tokio::test]
async fn a_signal_ends_every_stage_that_asks_the_portal() {
    let whole = Setting::with(namesakes()).await;
    let config = whole.config("service_accounts = [\"robot@example.com\"]");
    whole.run(&["--config", &config]).await;
    let asked: Vec<String> = whole.sim.requests().into_iter().map(|request| request.target).collect();
    for stage in [
        "people/@self",
        "keys/@self",
        "audit/events/filter?from=",
        "files/rooms",
        "files/folder/71/log",
        "files/folder/72/log",
        "files/file/900",
        "audit/login",
        "people/filter",
    ] {
        assert!(asked.iter().any(|target| target.contains(stage)), "{stage}: {asked:#?}");
        let setting = Setting::with(namesakes()).await;
        let mut holding = Holding::start(&setting.sim.url(), stage, 0).await;
        let url = holding.url.clone();
        let (exit, stdout, heartbeat) = interrupted(&setting, &mut holding, &url, "").await;
        let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stage}: {error}: {stdout}"));
        assert_eq!((exit, heartbeat), (4, vec!["/check/start".to_owned(), "/check/fail".to_owned()]), "{stage}");
        let gaps = report["coverage"]["gaps"].as_array().unwrap();
        assert!(!gaps.is_empty() && gaps.iter().all(|gap| gap["why"] == "interrupted"), "{stage}: {gaps:?}");
    }
}

/// What is asked for beside the window, such as older logins, is no gap of it. That the run was ended is said all the same.
#[tokio::test]
async fn a_signal_behind_the_window_is_said_too() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let asked = setting.sim.requests().iter().filter(|request| request.target.contains("audit/login")).count();
    assert!(asked > 4, "{asked} questions about logins: the window fills less than a page");
    let setting = Setting::new("incident").await;
    let mut holding = Holding::start(&setting.sim.url(), "audit/login", asked / 2).await;
    let url = holding.url.clone();
    let (exit, stdout, _) = interrupted(&setting, &mut holding, &url, "").await;
    let report: Value = serde_json::from_str(&stdout).unwrap();
    // on a busy machine the run ends before it has judged what it read
    let is_named = report["coverage"]["gaps"].as_array().unwrap().iter().any(|gap| gap["why"] == "interrupted");
    let is_noted = report["notes"].to_string().contains("not everything was done, because the run was stopped");
    assert!(exit == 4 && (is_named || is_noted), "{report}");
}

/// A closed terminal or session ends a run as whoever stops a service does.
#[tokio::test]
async fn every_signal_that_asks_a_process_to_end_is_heard() {
    for signal in ["TERM", "INT", "HUP"] {
        let setting = Setting::with(namesakes()).await;
        let mut holding = Holding::start(&setting.sim.url(), "files/rooms", 0).await;
        let url = holding.url.clone();
        let (exit, stdout, heartbeat) = ended_by(signal, &setting, &mut holding, &url, "").await;
        assert_eq!((exit, stdout.contains("interrupted")), (4, true), "{signal}: {stdout}");
        assert_eq!(heartbeat, ["/check/start", "/check/fail"], "{signal}");
    }
}

/// The list of rooms is a source as any other: a run that somebody ended did not find rooms that the portal hides.
#[tokio::test]
async fn a_signal_while_rooms_are_listed_or_made_is_no_unreadable_room() {
    for (stage, settings) in [
        ("files/rooms", ""),
        ("files/rooms", "create_room = \"Eagle\""),
        ("POST /api/2.0/files/rooms", "create_room = \"Eagle\""),
    ] {
        let setting = Setting::with(namesakes()).await;
        let mut holding = Holding::start(&setting.sim.url(), stage, 0).await;
        let url = holding.url.clone();
        let (exit, stdout, _) = interrupted(&setting, &mut holding, &url, settings).await;
        let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stage}: {error}: {stdout}"));
        let gaps = report["coverage"]["gaps"].as_array().unwrap();
        // what is asked for beside the rooms may be still under way, and then the run as a whole was stopped
        let is_said = |gap: &&Value| gap["what"] == "rooms" || gap["what"] == "run";
        assert!(gaps.iter().all(|gap| gap["why"] == "interrupted"), "{stage} {settings}: {gaps:?}");
        assert_eq!((exit, gaps.iter().filter(is_said).count()), (4, 1), "{stage} {settings}: {gaps:?}");
    }
}

/// What was found is whole and printed by then, and waits for the next run.
#[tokio::test]
async fn a_signal_ends_a_run_whose_alerts_nobody_takes() {
    let setting = Setting::with(namesakes()).await;
    let mut hook = Holding::start("http://127.0.0.1:1", "POST", 0).await;
    let (url, settings) = (setting.sim.url(), format!("[alerts.webhook]\nurl = \"{}/hook\"", hook.url));
    let (exit, stdout, heartbeat) = interrupted(&setting, &mut hook, &url, &settings).await;
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((exit, report["findings"].as_array().unwrap().len()), (4, 1), "{report}");
    assert_eq!(heartbeat, ["/check/start", "/check/fail"]);
}
