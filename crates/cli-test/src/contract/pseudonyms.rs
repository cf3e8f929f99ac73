//! Where names are pseudonyms, nobody is named in what leaves the program; with the key, everybody can be found again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Program, names_of};
use crate::Setting;
use crate::faults::world;
use crate::receiver::Receiver;

/// The key of pseudonyms.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Files that were there before, and the memory, which knows everybody.
const OWN: [&str; 4] = ["shared.toml", "names-key", "policy.toml", super::SETTINGS];

impl Program {
    /// Every form of the report, every channel of alerts, and every file: no name, e-mail address and id of anybody on the portal. The same
    /// findings with the same fingerprints, which keep the schema; and the key leads back from each pseudonym.
    pub async fn pseudonyms(&self) {
        let setting = self.setting(world()).await;
        let channel = Receiver::start().await;
        let heartbeat = Receiver::start().await;
        setting.file("names-key", &format!("{KEY}\n"));
        let settings = format!(
            "names = \"pseudonym\"\nnames_key_file = \"names-key\"\ntextfile = \"run.prom\"\n\
             alerts.file.path = \"alerts.ndjson\"\nalerts.webhook.url = \"{}\"\nheartbeat.url = \"{}\"\n",
            channel.url, heartbeat.url
        );
        let shared = setting.file("shared.toml", &settings);
        let flags = ["--portal-config", shared.as_str()];
        let reports = ["all.html", "all.txt", "all.csv", "all.json"].map(|name| ["--report", name]).concat();
        let first = self.run(&setting, &[flags.as_slice(), &reports, &["--format", "json"]].concat()).await;
        assert!([0, 3, 4].contains(&first.exit), "{}", first.stderr);
        crate::assert_keeps(&self.schema(), &first.stdout);
        fs::remove_dir_all(setting.state.path().join("state")).unwrap();
        let second = self.run(&setting, &flags).await;
        let told: Vec<String> = [&channel, &heartbeat].iter().flat_map(|to| to.told()).map(|told| told.body).collect();
        let printed =
            [("JSON", &first), ("text", &second)].map(|(form, run)| [(form, &run.stdout), ("log", &run.stderr)]);
        let printed = printed.into_iter().flatten().map(|(form, text)| (form.to_owned(), text.clone()));
        let sent = told.into_iter().map(|body| ("sent".to_owned(), body));
        let files = files(setting.state.path()).into_iter().map(|path| (path.display().to_string(), read(&path)));
        let all: Vec<(String, String)> = printed.chain(sent).chain(files).collect();
        let names = names_of(&setting, |_| true);
        for (place, text) in &all {
            let lower = text.to_lowercase();
            let named = names.iter().flatten().filter(|name| name.trim().len() > 3);
            let named: Vec<&String> = named.filter(|name| is_in(&name.to_lowercase(), &lower)).collect();
            assert!(named.is_empty(), "{place} names {named:?}: {text}");
        }
        self.minds_the_key(&setting, &flags).await;
        self.are_the_same_findings(&first.json()).await;
        self.are_revealed(&setting, &first.json(), &flags).await;
    }

    /// A key that others can read is told; without one nobody is told anything.
    async fn minds_the_key(&self, setting: &Setting, flags: &[&str]) {
        let key = setting.state.path().join("names-key");
        let doctor = self.run(setting, &[flags, &["doctor"]].concat()).await;
        assert!(doctor.stdout.contains("call people by pseudonyms, made with the key in"), "{}", doctor.stdout);
        #[cfg(unix)]
        {
            fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
            let warned = self.run(setting, &[flags, &["--dry-run"]].concat()).await;
            assert!(warned.stderr.contains("the key of pseudonyms in"), "{}", warned.stderr);
        }
        for content in [Some("short"), None] {
            fs::remove_file(&key).unwrap();
            content.into_iter().for_each(|content| drop(setting.file("names-key", content)));
            let refused = self.run(setting, &[flags, &["--dry-run"]].concat()).await;
            assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
            assert!(refused.stderr.contains("`names_key_file`"), "{}", refused.stderr);
            setting.file("names-key", KEY);
        }
    }

    /// As in clear, one for one.
    async fn are_the_same_findings(&self, report: &Value) {
        let setting = self.setting(world()).await;
        let clear = self.run(&setting, &["--format", "json"]).await.json();
        let fingerprints = |report: &Value| -> Vec<String> {
            report["findings"].as_array().unwrap().iter().map(|finding| finding["fingerprint"].to_string()).collect()
        };
        assert_eq!(fingerprints(report), fingerprints(&clear));
        assert_eq!(report["findings"].as_array().unwrap().is_empty(), self.found.is_empty());
    }

    async fn are_revealed(&self, setting: &Setting, report: &Value, flags: &[&str]) {
        let findings = report["findings"].as_array().unwrap();
        let people: BTreeSet<(&str, &str)> = findings
            .iter()
            .map(|finding| (finding["person"]["name"].as_str().unwrap(), finding["person"]["id"].as_str().unwrap()))
            .filter(|(name, _)| name.starts_with("person-"))
            .collect();
        let mut revealed = BTreeSet::new();
        for (name, id) in &people {
            let by_name = self.run(setting, &[flags, &["store", "show", name]].concat()).await;
            assert_eq!(by_name.exit, 0, "{}", by_name.stderr);
            let by_id = self.run(setting, &[flags, &["store", "show", id]].concat()).await;
            assert_eq!(by_name.stdout, by_id.stdout);
            assert!(by_name.stdout.contains(&format!("pseudonym: {name}\n")), "{}", by_name.stdout);
            let found = self.found.iter().find(|first| by_name.stdout.contains(&format!("names: {first} Test")));
            revealed.extend(found.copied());
            let without = self.run(setting, &["store", "show", name]).await;
            assert!(without.exit == 2 && without.stderr.contains("`names_key_file`"), "{}", without.stderr);
        }
        assert_eq!(revealed, self.found.iter().copied().collect());
    }
}

/// Whether a name stands there by itself: short ones are part of other words.
fn is_in(name: &str, text: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next()))
}

/// All files that were written, in every folder but that of the memory.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "state" {
            files.extend(self::files(&path));
        } else if path.is_file() && !OWN.contains(&name) {
            files.push(path);
        }
    }
    files
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}
