//! The README against the settings that there are.

use portal_sim::Scenario;

use crate::common::{Setting, now};

/// Every key that `config show` lists is in the README's table.
#[tokio::test]
async fn every_setting_is_documented() {
    let setting = Setting::with(Scenario::empty(now())).await;
    let shown = setting.run_with(&["config", "show"]).await;
    let keys: Vec<&str> = shown
        .stdout
        .lines()
        .filter(|line| line.contains(" = ") || line.contains(" is not set"))
        .filter_map(|line| line.trim_start_matches("# ").split(' ').next())
        .collect();
    assert!(keys.len() > 30, "{}", shown.stdout);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let table: String = readme.lines().filter(|line| line.starts_with('|')).collect();
    for key in keys {
        let (parent, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let in_table = table.contains(&format!("`{key}`"))
            || table.contains(&format!("`{parent}.")) && table.contains(&format!("`.{leaf}`"))
            || table.contains(&format!("`{parent}`"));
        assert!(in_table, "{key} is missing from the README");
    }
}
