//! What a report is restricted to, where some of it means nobody and nothing.

use portal_sim::{Fault, StoredFile};

use super::common::Setting;
use super::portal;

/// June with a file that nobody touched in that month.
pub(crate) fn june() -> portal_sim::Scenario {
    let portal = portal::june();
    let olga = portal.owner().id;
    portal.with_file(StoredFile::new(9300, 71, "untouched.docx", olga, portal::at("2026-02-01T09:00:00Z"), b"text"))
}

const MISSPELT: &str = r#"[only]
rooms = ["Falcon", "Falcno"]
people = ["anna@exmaple.com", "bob@example.com", "00000000-0000-0000-0000-00000000dead"]
folders = ["250", "251"]
files = ["9002", "9300", "94l7", " 9417"]
"#;

/// A report without events must not be an all-clear for what does not exist.
#[tokio::test]
async fn everything_that_means_nothing_is_named_at_once() {
    let setting = Setting::new(june()).await;
    let config = setting.config(MISSPELT);
    let refused = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
    assert_eq!(setting.files().len(), 0, "no report is written");
    for (key, entry) in [
        ("only.rooms", "`Falcno`"),
        ("only.people", "`anna@exmaple.com`"),
        ("only.people", "`00000000-0000-0000-0000-00000000dead`"),
        ("only.folders", "`251`"),
        ("only.files", "`94l7`"),
        ("only.files", "` 9417`"),
    ] {
        let is_named = |line: &str| line.contains(&format!("`{key}`")) && line.contains(entry);
        assert!(refused.stderr.lines().any(is_named), "{key} {entry}: {}", refused.stderr);
    }
    for there in ["`Falcon`", "`bob@example.com`", "`250`", "`9002`", "`9300`"] {
        assert!(!refused.stderr.contains(there), "{there}: {}", refused.stderr);
    }
    let checked = setting.run(&["--month", "2026-06", "--config", &config, "doctor"]).await;
    assert_eq!(checked.exit, 2, "{}", checked.stdout);
    let lines: Vec<&str> = checked.stdout.lines().filter(|line| line.contains("  only: ")).collect();
    // `doctor` asks the portal alone, which has neither the folder nor the file that events tell of
    assert_eq!(lines.len(), 8, "{}", checked.stdout);
    assert_eq!(lines.iter().filter(|line| line.starts_with("FAIL")).count(), 2, "{lines:#?}");
}

/// A document may have been thrown away long ago, and the others still be looked at.
#[tokio::test]
async fn a_list_of_important_documents_may_hold_some_that_are_gone() {
    let setting = Setting::new(june()).await;
    setting.file("important.txt", "9002\n9300\n94170 # sold\n");
    let config = setting.config("[only]\nimportant_documents = \"important.txt\"");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let told = "no file of the portal has the id `94170`, named in `only.important_documents`; this report says nothing about it";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
    assert!(setting.written("2026-06.txt").contains(told));
    for (list, says) in [("94170\n94171\n", "`94171`"), ("# nothing\n", "holds no id")] {
        setting.file("important.txt", list);
        let refused = setting.run(&["--month", "2026-06", "--config", &config]).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
}

/// What was not read could name it, and what could not be asked may be there.
#[tokio::test]
async fn what_could_not_be_looked_up_is_a_gap_and_no_mistake() {
    let setting = Setting::new(june()).await;
    let config = setting.config("[only]\nfiles = [\"94170\"]");
    setting.sim.set_faults(vec![Fault::status(500).on("files/file/94170")]);
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 4, "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("documents that `only` names"), "{}", ended.stdout);
    setting.sim.set_faults(vec![Fault::status(401).on("security/audit/login")]);
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 4, "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("has the id `94170`, named in `only.files`"), "{}", ended.stdout);
}

/// Titles are what people have. One that several documents bear could mean another one than it seems.
#[tokio::test]
async fn titles_are_understood_where_they_are_one_document() {
    let setting = Setting::new(june()).await;
    let config = setting.config("[only]\nfiles = [\"first.docx\"]");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let text = setting.written("2026-06.txt");
    assert!(text.contains("Total events: 1\n") && text.contains("File Downloaded: first.docx"), "{text}");
    assert!(text.contains("`first.docx` in `only.files` is the title of one thing only, with the id 9002"), "{text}");
    let config = setting.config("[only]\nfolders = [\"Contracts\"]");
    let ended = setting.run(&["--month", "2026-06", "--config", &config]).await;
    assert!(ended.stdout.contains("Total events: 1\n"), "{}{}", ended.stdout, ended.stderr);
    // twelve documents, a part of a title, and a document that no event of the month names
    for title in ["plan.docx", "irst.docx", "untouched.docx", "Contracts"] {
        let config = setting.config(&format!("[only]\nfiles = [\"{title}\"]"));
        let refused = setting.run(&["--month", "2026-06", "--config", &config]).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{title}: {}", refused.stderr);
        assert!(refused.stderr.contains(&format!("`{title}`")), "{title}: {}", refused.stderr);
    }
    setting.file("important.txt", "first.docx\nlast.docx\n");
    let config = setting.config("[only]\nimportant_documents = \"important.txt\"");
    let ended = setting.run(&["--month", "2026-06", "--config", &config]).await;
    assert!(ended.stdout.contains("Total events: 2\n"), "{}{}", ended.stdout, ended.stderr);
}

#[cfg(unix)]
#[tokio::test]
async fn a_list_that_is_no_file_is_not_read() {
    let setting = Setting::new(june()).await;
    let made = std::process::Command::new("mkfifo").arg(setting.home().join("important.txt")).status().unwrap();
    assert!(made.success());
    let config = setting.config("[only]\nimportant_documents = \"important.txt\"");
    let refused = cli_test::in_time(setting.run(&["--month", "2026-06", "--config", &config])).await;
    assert_eq!(refused.exit, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("which is no file"), "{}", refused.stderr);
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
