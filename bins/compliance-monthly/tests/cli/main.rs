//! The built program against a simulated portal: stdout, stderr, exit code and the files of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod contract;
mod faults;
mod files;
mod months;
mod only;
mod portal;
mod report_files;
mod uploads;

use chrono_tz::Tz;
use common::{Setting, without_hashes};
use portal_sim::{Event, Fault};

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
    insta::assert_snapshot!("june_stdout_json", without_hashes(&json.stdout));
    common::assert_valid("compliance-monthly-1", &json.stdout);
}

/// The page without its style sheet, which stands in the repository already.
fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    format!("{head}<style></style>{body}")
}

fn without_sizes(text: &str) -> String {
    let line = |line: &str| match line.split_once(" bytes") {
        Some((before, after)) => format!("{} (N bytes{after}", before.rsplit_once(' ').map_or("", |(name, _)| name)),
        None => line.to_owned(),
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

/// The plan has no audit feature: the first page says so, and nothing else is said.
#[tokio::test]
async fn without_the_audit_feature_the_report_is_blind() {
    let setting = Setting::new(portal::june().with_audit(false)).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (1, ""), "{}", ended.stdout);
    insta::assert_snapshot!("blind_stdout_text", without_sizes(&ended.stdout));
    let text = setting.written("2026-06.txt");
    insta::assert_snapshot!("blind_txt", text);
    common::assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
    let json = setting.month("2026-06", &["--format", "json"]).await;
    common::assert_valid("compliance-monthly-1", &json.stdout);
    assert_eq!(json.exit, 1);
}

#[tokio::test]
async fn a_dead_key_writes_nothing() {
    let mut setting = Setting::new(portal::june()).await;
    setting.key = format!("sk-{}", "0".repeat(64));
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 1);
    assert!(ended.stdout.contains("compliance-monthly: nothing can be concluded"), "{}", ended.stdout);
    assert!(!setting.out().exists());
}

/// A row that no page can hold: everything around it is reported, and the gap stands on the first page.
#[tokio::test]
async fn an_unreadable_row_is_a_gap() {
    let mut portal = portal::june();
    let olga = portal.owner().id;
    portal.add_event(Event::poison(olga, portal::at("2026-06-11T09:00:00Z")));
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (4, ""), "{}", ended.stdout);
    let text = setting.written("2026-06.txt");
    assert!(text.contains("\ncompliance-monthly: incomplete: "), "{text}");
    assert!(text.contains("2026-06-11 11:00:00"), "{text}");
    assert!(text.contains("Total events: 21"), "{text}");
    common::assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
}

/// The portal forgets logins after 180 days; audit events it keeps.
#[tokio::test]
async fn logins_beyond_retention_are_a_gap() {
    let mut portal = portal::empty(Tz::UTC, "2026-07-02T09:00:00Z");
    let olga = portal.owner().id;
    portal.add_event(Event::new(5009, olga, portal::at("2025-06-10T09:00:00Z")).file(1, "a.docx"));
    let setting = Setting::new(portal).await;
    let ended = setting.month("2025-06", &["--format", "json"]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["coverage"]["gaps"][0]["why"], "beyond_retention");
    assert_eq!(report["coverage"]["gaps"][0]["what"], "logins");
    assert_eq!(report["counts"]["events"], 1);
}

/// Half of the month cannot be read: what was read is reported, nothing is an all-clear, and the next run fills the hole.
#[tokio::test]
async fn a_portal_that_fails_leaves_a_gap_that_the_next_run_fills() {
    let mut portal = portal::june();
    let olga = portal.owner().id;
    for n in 0..200 {
        let at = portal::at("2026-06-20T09:00:00Z") + chrono::TimeDelta::minutes(n);
        portal.add_event(Event::new(5009, olga, at).file(1, "a.docx"));
    }
    let setting = Setting::new(portal).await;
    setting.sim.set_faults(vec![Fault::status(401).on("security/audit/events").after(3)]);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}\n{}", ended.stdout, ended.stderr);
    setting.sim.set_faults(Vec::new());
    let again = setting.month("2026-06", &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stdout);
    assert!(again.stdout.contains("Total events: 221"), "{}", again.stdout);
}

#[tokio::test]
async fn a_month_that_has_not_settled_is_incomplete() {
    let setting = Setting::new(portal::june()).await;
    let config = setting.config("settle = \"36500d\"");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    assert!(ended.stdout.contains("may still be storing events of it; run again later"), "{}", ended.stdout);
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

#[tokio::test]
async fn rooms_that_were_not_listed_are_not_called_busy() {
    let setting = Setting::new(portal::june()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/rooms")]);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    let text = setting.written("2026-06.txt");
    assert!(!text.contains("There is no room in which nothing happened."), "{text}");
    assert!(text.contains("Which rooms were quiet cannot be told"), "{text}");
}
