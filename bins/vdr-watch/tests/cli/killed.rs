//! A run that is killed, anywhere, is made good by the next one.

use std::collections::BTreeSet;
use std::process::Stdio;

use portal_sim::{Event, Room, Scenario};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Child;

use crate::common::{Run, Setting, now, without_states};

/// Kills: eight by default, twenty with `FAULTS=all`, more with `KILLS=500 cargo test -p vdr-watch --test cli killed`.
fn kills() -> usize {
    let usual = if cli_test::plays_all_faults() { 20 } else { 8 };
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Ten days, read in slices: several requests and several transactions.
const TEN_DAYS: [&str; 2] = ["--since", "2026-11-10T09:00:00Z"];

fn start(setting: &Setting, extra: &[&str]) -> Child {
    let (url, until) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let mut command = setting.command(&[&["--portal", &url, "--until", &until], extra].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs the program and kills it as soon as the portal has been asked `requests` times. Between that and the kill the program goes
/// on for a moment that differs from time to time, so that writes are hit as well. Gives what it printed.
async fn run_and_kill(setting: &Setting, extra: &[&str], requests: usize, spins: usize) -> String {
    let before = setting.sim.requests().len();
    let mut child = start(setting, extra);
    cli_test::kill_at(&mut child, &setting.sim, before + requests, spins).await;
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).await.unwrap();
    printed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_after_a_kill_reports_what_an_undisturbed_one_does() {
    let json = [&TEN_DAYS[..], &["--format", "json"]].concat();
    let expected = Setting::new("incident").await.run(&json).await;
    assert_eq!(expected.exit, 0, "{}", expected.stderr);
    let setting = Setting::new("incident").await;
    for n in 0..kills() {
        // every few kills on a fresh store, in between on what the killed runs before have left
        let fresh = Setting::new("incident").await;
        let setting = if n % 3 == 0 { &fresh } else { &setting };
        run_and_kill(setting, &TEN_DAYS, 1 + n * 5 % 24, n * 37 % 400).await;
        if n % 3 != 1 {
            let after = setting.run(&json).await;
            assert_eq!((after.exit, after.stderr.as_str()), (0, ""), "kill {n}");
            assert_eq!(without_states(&after.stdout), without_states(&expected.stdout), "kill {n}");
        }
    }
}

/// The findings, by fingerprint and beginning, that a report or a file of alerts tells. A document that was cut short tells nothing.
fn told_in<'a>(documents: impl IntoIterator<Item = &'a str>) -> BTreeSet<(String, String)> {
    let documents = documents.into_iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let findings = documents.flat_map(|document| match document["findings"].as_array() {
        Some(findings) => findings.iter().filter(|finding| finding["state"] != "known").cloned().collect(),
        None => vec![document],
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.map(|finding| (text(&finding["fingerprint"]), text(&finding["window"]["since"]))).collect()
}

fn alerts_of(setting: &Setting) -> String {
    std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap_or_default()
}

/// However often runs are killed, and wherever: what they printed, and what came out of their channels, is in the end everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runs_lose_no_finding() {
    let json = [&TEN_DAYS[..], &["--format", "json"]].concat();
    let expected = told_in([Setting::new("incident").await.run(&json).await.stdout.as_str()]);
    assert!(expected.len() > 1);
    for n in 0..kills() {
        let setting = Setting::new("incident").await;
        let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
        let with_channel = [&json[..], &["--config", &config]].concat();
        let has_channel = n % 2 == 1;
        let arguments = if has_channel { &with_channel } else { &json };
        // mostly late, when it prints and sends
        let mut printed = Vec::new();
        for requests in [20 + n % 8, 8 + n % 5] {
            printed.push(run_and_kill(&setting, arguments, requests, n * 53 % 700).await);
        }
        let after = setting.run(arguments).await;
        assert_eq!((after.exit, after.stderr.as_str()), (0, ""), "kill {n}");
        let told = if has_channel {
            told_in(alerts_of(&setting).lines())
        } else {
            told_in(printed.iter().map(String::as_str).chain([after.stdout.as_str()]))
        };
        assert_eq!(told, expected, "kill {n}");
    }
}

/// The same where the memory is on a server: a run that was killed leaves a lease, and whatever the server had taken of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runs_lose_no_finding_on_a_server() {
    let json = [&TEN_DAYS[..], &["--format", "json"]].concat();
    let expected = told_in([Setting::new("incident").await.run(&json).await.stdout.as_str()]);
    for n in 0..kills().div_ceil(2) {
        let mut setting = Setting::new("incident").await;
        if !setting.keep_on_server() {
            return;
        }
        let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
        let arguments = [&json[..], &["--config", &config]].concat();
        for requests in [3 + n * 5 % 22, 20 + n % 8] {
            run_and_kill(&setting, &arguments, requests, n * 53 % 700).await;
            setting.lease_ends().await;
        }
        let after = setting.run(&arguments).await;
        assert_eq!((after.exit, after.stderr.as_str()), (0, ""), "kill {n}");
        assert_eq!(told_in(alerts_of(&setting).lines()), expected, "kill {n}");
    }
}

/// Eighty people-and-room findings: more than a pipe holds, so a run whose report nobody reads stands still while it prints.
async fn large_report() -> Setting {
    let mut portal = Scenario::empty(now());
    for room in 100..180 {
        portal.add_room(Room::vdr(room, &format!("Room {room}")));
    }
    let olga = portal.owner().id;
    for n in 0..480 {
        let at = portal.now - chrono::TimeDelta::minutes(30) + chrono::TimeDelta::seconds(i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(100 + n / 6));
    }
    Setting::with(portal).await
}

/// Runs the program and kills it in the middle of printing.
async fn kill_while_printing(setting: &Setting, config: &str) {
    let mut child = start(setting, &["--format", "json", "--config", config]);
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).await.unwrap();
    child.kill().await.unwrap();
}

fn states(run: &Run) -> Vec<String> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_report_that_was_cut_short_counts_as_not_told() {
    let setting = large_report().await;
    let config = setting.config("[limits]\nper_hour = 5");
    kill_while_printing(&setting, &config).await;
    let json = ["--config", &config, "--format", "json"];
    assert_eq!(states(&setting.run(&json).await), vec!["new"; 80]);
    assert_eq!(states(&setting.run(&json).await), vec!["known"; 80]);
}

/// Told and waiting is one step before the report: the next runs deliver, fifty alerts each, and tell nothing twice.
#[tokio::test]
async fn alerts_of_a_run_that_was_killed_while_printing_are_sent_by_the_next_runs() {
    let setting = large_report().await;
    let config = setting.config("[limits]\nper_hour = 5\n[alerts.file]\npath = \"alerts.ndjson\"");
    kill_while_printing(&setting, &config).await;
    assert_eq!(alerts_of(&setting), "");
    let json = ["--config", &config, "--format", "json"];
    let ended = setting.run(&json).await;
    assert_eq!(states(&ended), vec!["known"; 80]);
    assert_eq!(alerts_of(&setting).lines().count(), 50);
    assert!(ended.stderr.contains("30 alerts left for the next run"), "{}", ended.stderr);
    assert_eq!(setting.run(&json).await.stderr, "");
    assert_eq!(alerts_of(&setting).lines().count(), 80);
    assert_eq!(told_in(alerts_of(&setting).lines()).len(), 80);
}
