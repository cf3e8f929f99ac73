//! `--report FILE` in each form: the same as the files of the report say on their first page.

use crate::common::Setting;
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

    let first_page = between(&text, "Matters to decide: 4", "\nLogins\n");
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
    assert!(report.contains("4 matters of June 2026 need a decision"), "{table}");

    crate::common::assert_valid("compliance-monthly-1", &read("json"));
    let json: serde_json::Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(json["decisions"].as_array().unwrap().len(), 4);
}
