//! The metrics of whole runs.

use crate::common::Setting;

/// The value of a metric by its name and labels besides portal and program.
fn metric(text: &str, name: &str, label: &str) -> i64 {
    let is_meant = |line: &&str| line.starts_with(&format!("docspace_job_{name}{{")) && line.contains(label);
    let mut lines = text.lines().filter(is_meant);
    let value = lines.next().unwrap_or_else(|| panic!("{name} {label} in {text}")).rsplit_once(' ').unwrap().1;
    assert_eq!(lines.next(), None);
    value.parse().unwrap()
}

#[tokio::test]
async fn findings_are_counted_once_told_and_not_when_silenced() {
    let setting = Setting::new("incident").await;
    let file = setting.state.path().join("vdr-watch.prom");
    let measured = async |exclude: &str| {
        let config = setting.config(&format!("textfile = \"{}\"\n{exclude}", file.display()));
        let ended = setting.run(&["--config", &config, "--format", "json"]).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        (std::fs::read_to_string(&file).unwrap(), serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap())
    };
    let by_severity = |text: &str| -> i64 {
        ["info", "low", "medium", "high", "critical"]
            .map(|severity| metric(text, "findings", &format!("severity=\"{severity}\"")))
            .iter()
            .sum()
    };
    let (first, report) = measured("").await;
    let found = report["findings"].as_array().unwrap();
    assert!(!found.is_empty());
    assert_eq!((by_severity(&first), metric(&first, "findings_told", "")), (found.len() as i64, found.len() as i64));
    assert_eq!(metric(&first, "audit_rows", ""), report["coverage"]["audit"]["rows"].as_i64().unwrap());
    let (second, _) = measured("").await;
    assert_eq!((by_severity(&second), metric(&second, "findings_told", "")), (found.len() as i64, 0));
    let person = &found[0]["person"]["email"];
    let exclude = format!("[[exclude]]\npeople = [{person}]\nreason = \"agreed\"\nuntil = \"2100-01-01\"\n");
    let (third, report) = measured(&exclude).await;
    let others = found.iter().filter(|finding| finding["person"]["email"] != *person).count();
    assert!(report.to_string().contains("silenced"));
    assert_eq!(by_severity(&third), others as i64);
}

/// The warning names the file that was asked for, and what to do.
#[tokio::test]
async fn a_textfile_in_a_missing_folder_is_named_with_what_to_do() {
    let setting = Setting::new("incident").await;
    let config = setting.config("textfile = \"missing/vdr.prom\"");
    let ended = setting.run(&["--config", &config]).await;
    let line = ended.stderr.lines().find(|line| line.contains("textfile")).unwrap();
    assert!(line.contains("missing/vdr.prom: No such file") && line.contains("check that its folder exists"), "{line}");
    assert!(!line.contains(".part"), "{line}");
}
