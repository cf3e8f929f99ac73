//! The built program against a simulated portal: stdout, stderr, exit code and the files of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod contract;
mod doctor;
mod faults;
mod files;
mod honesty;
mod months;
mod only;
mod people;
mod portal;
mod reports;
mod uploads;

use common::{Setting, without_hashes};

#[tokio::test]
async fn a_month_with_something_of_everything() {
    let setting = Setting::new(portal::june()).await;
    let text = setting.month("2026-06", &[]).await;
    assert_eq!((text.exit, text.stderr.as_str()), (0, ""), "{}", text.stdout);
    insta::assert_snapshot!("june_stdout_text", without_sizes(&text.stdout));
    insta::assert_snapshot!("june_txt", setting.written("2026-06.txt"));
    insta::assert_snapshot!("june_html", without_style(&setting.written(".html")));
    insta::assert_snapshot!("june_events_csv", setting.written("-events.csv"));
    insta::assert_snapshot!("june_logins_csv", setting.written("-logins.csv"));
    insta::assert_snapshot!("june_people_csv", setting.written("-people.csv"));
    insta::assert_snapshot!("june_rooms_csv", setting.written("-rooms.csv"));
    insta::assert_snapshot!("june_ndjson", setting.written(".ndjson"));
    let manifest = setting.written("manifest.json");
    insta::assert_snapshot!("june_manifest", without_hashes(&manifest));
    common::assert_valid("compliance-manifest-1", &manifest);
    let json = setting.month("2026-06", &["--format", "json"]).await;
    insta::assert_snapshot!("june_stdout_json", without_hashes(&without_files(&json.stdout)));
    common::assert_valid("compliance-monthly-1", &json.stdout);
}

/// The JSON report without the list of files, which the manifest has too.
fn without_files(json: &str) -> String {
    let (before, rest) = json.split_once("    \"files\": [\n").unwrap();
    let (_, after) = rest.split_once("\n    ],\n").unwrap();
    [before, after].concat()
}

/// The page without its style sheet, which stands in the repository already.
fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    format!("{head}<style></style>{body}")
}

/// The text without lengths of files and hashes, which depend on the portal's port.
fn without_sizes(text: &str) -> String {
    let line = |line: &str| match line.split_once(" bytes") {
        Some((before, after)) => format!("{} (N bytes{after}", before.rsplit_once(' ').map_or("", |(name, _)| name)),
        None => line.strip_prefix("Digest: ").map_or(line, |_| "Digest: …").to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_published_lines_come_first_and_each_event_has_its_block() {
    let setting = Setting::new(portal::june()).await;
    setting.month("2026-06", &[]).await;
    let text = setting.written("2026-06.txt");
    let head: Vec<&str> = text.lines().take(3).collect();
    assert_eq!(head, ["Compliance report", "Period: 2026-06-01 - 2026-06-30", "Total events: 21"]);
    let (_, events) = text.split_once("\nEvents:\n").unwrap();
    let rule = "-".repeat(80);
    assert_eq!(events.lines().filter(|line| *line == rule).count(), 22);
    let ids: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("ID: ")).collect();
    assert_eq!(ids.len(), 21, "a title cannot forge an event: {ids:?}");
}

#[tokio::test]
async fn a_month_to_come_is_refused() {
    let setting = Setting::new(portal::june()).await;
    let ended = setting.month("2999-01", &[]).await;
    assert_eq!(ended.exit, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("2999-01 ends at 2999-02-01T00:00:00+01:00 and is not over yet"), "{}", ended.stderr);
}

/// Filters are named with how much they leave out, and hold for every file.
#[tokio::test]
async fn a_filter_says_what_it_leaves_out() {
    let setting = Setting::new(portal::june()).await;
    let config =
        setting.config("[only]\npeople = [\"bob@example.com\"]\nactions = [\"download\"]\nrooms = [\"Falcon\"]");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let filter = "left out by the settings of this report (rooms Falcon; people bob@example.com; actions download): 8 events and 12 logins";
    assert!(ended.stdout.contains(filter), "{}", ended.stdout);
    assert!(setting.written("2026-06.txt").contains("Total events: 13"), "{}", ended.stdout);
    assert_eq!(setting.written("-events.csv").lines().count(), 14);
    assert_eq!(setting.written("-logins.csv").lines().count(), 1);
    let unknown = setting.config("[only]\nrooms = [\"Falcno\"]");
    let refused = setting.run(&["--month", "2026-06", "--config", &unknown]).await;
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("only.rooms") && refused.stderr.contains("Falcno"), "{}", refused.stderr);
}

#[tokio::test]
async fn important_documents_come_from_a_list() {
    let setting = Setting::new(portal::june()).await;
    std::fs::write(setting.home().join("important.txt"), "9002 # minutes\n9200\n").unwrap();
    let config = setting.config("[only]\nimportant_documents = \"important.txt\"");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert!(ended.stdout.contains("Total events: 3"), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("a list of 2 important documents"), "{}", ended.stdout);
    // the list may be another one when an auditor reads the report
    let manifest: serde_json::Value = serde_json::from_str(&setting.written("manifest.json")).unwrap();
    assert_eq!(manifest["query"]["important_documents"], serde_json::json!(["9002", "9200"]));
}

/// The month before is compared with where it was read by an earlier run, and only there.
#[tokio::test]
async fn the_month_before_is_compared_with_when_it_is_known() {
    let setting = Setting::new(portal::june()).await;
    let alone = setting.run(&["--month", "2026-06"]).await;
    assert!(alone.stdout.contains("nothing to compare with"), "{}", alone.stdout);
    assert_eq!(setting.run(&["--month", "2026-05"]).await.exit, 0);
    let after = setting.run(&["--month", "2026-06"]).await;
    assert!(after.stdout.contains("Events recorded: 21 (May 2026: 1, +2000 %)"), "{}", after.stdout);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let setting = Setting::new(portal::june()).await;
    let dry = setting.month("2026-06", &["--dry-run"]).await;
    assert_eq!(dry.exit, 0, "{}", dry.stderr);
    assert!(dry.stdout.contains("dry run: nothing was written into /home/report"), "{}", dry.stdout);
    assert!(!setting.out().exists() && !setting.home().join("state").exists());
}

/// A room in which others were at work is not a quiet one.
#[tokio::test]
async fn a_restricted_report_calls_no_room_quiet_without_saying_so() {
    let setting = Setting::new(portal::june()).await;
    let config = setting.config("[only]\nactions = [\"view\"]");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let text = setting.written("2026-06.txt");
    assert!(text.contains("Nothing of what this report is restricted to was recorded in 2 rooms:\n"), "{text}");
}
