//! The example settings file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::Program;

/// The one setting that has no default.
const EXAMPLE_PORTAL: &str = "https://docs.example.com";

impl Program {
    /// The example is accepted, names every setting that `config show` lists, and gives each its default, but for those that it must set.
    pub async fn example_settings(&self) {
        let example = self.path(&format!("{}.example.toml", self.name()));
        let stated = stated(&fs::read_to_string(&example).unwrap());
        let shown = self.shown_settings(&["--config", &example.display().to_string()], &[]).await;
        assert!(shown.len() > 10, "{shown:?}");
        let missing: Vec<&String> = shown.keys().filter(|key| !stated.contains(*key)).collect();
        assert!(missing.is_empty(), "missing from {}: {missing:?}", example.display());
        let defaults = self.shown_settings(&["--portal", EXAMPLE_PORTAL], &[]).await;
        let changed =
            shown.iter().filter(|(key, value)| defaults.get(*key) != Some(value)).map(|(key, _)| key.as_str());
        assert_eq!(
            changed.collect::<Vec<_>>(),
            self.shipped.not_default,
            "settings whose value in the example is not the default"
        );
    }

    /// What `config show` prints: the value by key, empty when nothing is set.
    pub(super) async fn shown_settings(
        &self,
        flags: &[&str],
        environment: &[(String, String)],
    ) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = crate::command(self.binary.as_ref(), folder.path());
        command.args(flags).args(["config", "show"]).envs(environment.iter().map(|(name, value)| (name, value)));
        let ended = crate::run(command).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        ended.stdout.lines().filter_map(shown).collect()
    }
}

/// `limits.per_hour = 20    # default`, or `# key_file is not set    # default`.
fn shown(line: &str) -> Option<(String, String)> {
    let (said, _place) = line.rsplit_once(" # ")?;
    if let Some((key, value)) = said.split_once(" = ") {
        return Some((key.to_owned(), value.trim().to_owned()));
    }
    let key = said.trim().strip_prefix("# ")?.strip_suffix(" is not set")?;
    Some((key.to_owned(), String::new()))
}

/// The keys that a settings file names, commented out or not, with the table before them.
fn stated(text: &str) -> BTreeSet<String> {
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().map(|line| line.trim_start_matches("# ")) {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_start_matches('[').split(']').next().unwrap_or_default().clone_into(&mut table);
            keys.insert(table.clone());
            table.push('.');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| is_key(key)) {
            keys.insert(format!("{table}{key}"));
        }
    }
    keys
}

fn is_key(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_their_table_commented_out_or_not() {
        let text =
            "a = 1\n# b = 2\n# Prose with c = 3\n[limits]\nper_hour = 4   # more\n# [[exclude]]\n# people = []\n";
        let expected = ["a", "b", "exclude", "exclude.people", "limits", "limits.per_hour"];
        assert_eq!(stated(text).iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn settings_are_shown_with_their_value_and_place() {
        assert_eq!(shown("a.b = [\"x\"]   # default"), Some(("a.b".to_owned(), "[\"x\"]".to_owned())));
        assert_eq!(shown("# key_file is not set   # default"), Some(("key_file".to_owned(), String::new())));
        assert_eq!(shown("# API key: none"), None);
    }
}
