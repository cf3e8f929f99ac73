//! The README and the example settings against the settings that there are.

use portal_sim::Scenario;

use crate::common::{Setting, now};

/// Every key that `config show` lists is in the README's table and in the example.
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
    let of_package = |file: &str| std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, example) = (of_package("README.md"), of_package("vdr-watch.example.toml"));
    let table: String = readme.lines().filter(|line| line.starts_with('|')).collect();
    for key in keys {
        let (parent, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let in_table = table.contains(&format!("`{key}`"))
            || table.contains(&format!("`{parent}.")) && table.contains(&format!("`.{leaf}`"))
            || table.contains(&format!("`{parent}`"));
        assert!(in_table, "{key} is missing from the README");
        let section = parent.rsplit('.').next().unwrap_or_default();
        assert!(
            example.contains(&format!("{leaf} = ")) || example.contains(&format!("[[{leaf}]]")),
            "{key} is missing from the example"
        );
        assert!(example.contains(section), "{key} is missing from the example");
    }
}
