//! Whole reports as their readers get them: on stdout, in the folder, and with `--report FILE`.

use crate::common::{Setting, assert_valid, without_hashes};
use crate::portal::june;

/// What stands between two texts, with the first of them.
fn between<'t>(text: &'t str, first: &str, end: &str) -> &'t str {
    let from = text.find(first).unwrap_or_else(|| panic!("no {first:?} in {text}"));
    let length = text[from..].find(end).unwrap_or_else(|| panic!("no {end:?} in {text}"));
    &text[from..from + length]
}

#[tokio::test]
async fn every_form_says_what_the_first_page_says() {
    let setting = Setting::new(june()).await;
    let read = |end: &str| std::fs::read_to_string(setting.home().join(format!("whole.{end}"))).unwrap();
    let names: Vec<String> = ["html", "txt", "csv", "json"]
        .map(|end| setting.home().join(format!("whole.{end}")).display().to_string())
        .into();
    let flags: Vec<&str> = names.iter().flat_map(|name| ["--report", name.as_str()]).collect();
    let ended = setting.month("2026-06", &flags).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let (page, text) = (setting.written(".html"), setting.written("2026-06.txt"));

    let first_page = between(&text, "Events recorded: 21", "\nLogins\n");
    assert!(first_page.contains("\nWhat needs a decision\n") && first_page.contains("\nWhat happened\n"), "{text}");
    for said in [&ended.stdout, &read("txt")] {
        assert!(said.contains(first_page), "{first_page}\n\n{said}");
    }
    // the file is the whole report, stdout is not
    assert!(read("txt").contains("\nEvents per day\n") && !ended.stdout.contains("\nEvents per day\n"));

    for part in [
        ("<h1", "</h1>"),
        ("<dl class=\"figures\"", "</dl>"),
        ("<section id=\"section-1\"", "<section id=\"over-time\""),
    ] {
        let of_bundle = between(&page, part.0, part.1);
        assert!(read("html").contains(of_bundle.trim_end()), "{part:?}: {of_bundle}");
    }
    assert!(page.contains("<svg class=\"timeline\""), "{page}");

    let table = read("csv");
    let report = table.lines().nth(1).unwrap();
    assert!(report.starts_with("\"report\",\"\",\"complete\""), "{table}");
    assert!(report.contains("4 matters from June 2026 need a decision"), "{table}");

    assert_valid("compliance-monthly-1", &read("json"));
    let json: serde_json::Value = serde_json::from_str(&read("json")).unwrap();
    let asked = json["decisions"].as_array().unwrap();
    let rows: Vec<&str> = table.lines().filter(|row| row.contains("\"what needs a decision\"")).collect();
    assert_eq!((asked.len(), rows.len()), (4, 4), "{table}");
    for (row, decision) in rows.iter().zip(asked) {
        let event = decision["events"][0].to_string();
        assert!(row.starts_with("\"line\",") && row.contains(&event), "{event} in {row}");
    }
}

#[tokio::test]
async fn a_month_with_something_of_everything() {
    let setting = Setting::new(june()).await;
    let text = setting.month("2026-06", &[]).await;
    assert_eq!((text.exit, text.stderr.as_str()), (0, ""), "{}", text.stdout);
    insta::assert_snapshot!("june_stdout_text", without_sizes(&text.stdout));
    let (whole, page) = (setting.written("2026-06.txt"), setting.written(".html"));
    let end_of_pages = between(&whole, "\nRead: ", "\nID: 48017");
    insta::assert_snapshot!(
        "june_txt",
        [between(&whole, "Compliance report", "\nEvents per day"), end_of_pages].join("\n…\n")
    );
    insta::assert_snapshot!("june_html", between(&page, "<main", "<section id=\"section-4\""));
    insta::assert_snapshot!("june_events_csv", setting.written("-events.csv"));
    insta::assert_snapshot!("june_logins_csv", setting.written("-logins.csv"));
    insta::assert_snapshot!("june_people_csv", setting.written("-people.csv"));
    insta::assert_snapshot!("june_rooms_csv", setting.written("-rooms.csv"));
    insta::assert_snapshot!("june_ndjson", setting.written(".ndjson"));
    let manifest = setting.written("manifest.json");
    insta::assert_snapshot!("june_manifest", without_hashes(&manifest));
    assert_valid("compliance-manifest-1", &manifest);
    let json = setting.month("2026-06", &["--format", "json"]).await;
    insta::assert_snapshot!("june_stdout_json", without_hashes(&without_files(&json.stdout)));
    assert_valid("compliance-monthly-1", &json.stdout);
}

/// The JSON report without the list of files, which the manifest has too.
fn without_files(json: &str) -> String {
    let (before, rest) = json.split_once("    \"files\": [\n").unwrap();
    let (_, after) = rest.split_once("\n    ],\n").unwrap();
    [before, after].concat()
}

/// The text without lengths of files and hashes, which depend on the portal's port.
pub(crate) fn without_sizes(text: &str) -> String {
    let line = |line: &str| match line.split_once(" bytes") {
        Some((before, after)) => format!("{} (N bytes{after}", before.rsplit_once(' ').map_or("", |(name, _)| name)),
        None => line.strip_prefix("Digest: ").map_or(line, |_| "Digest: …").to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_published_lines_come_first_and_each_event_has_its_block() {
    let setting = Setting::new(june()).await;
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
