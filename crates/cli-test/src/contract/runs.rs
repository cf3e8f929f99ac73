//! Runs on the small portal of `faults`: quiet, incomplete, without the audit feature, the first and the second.

use std::collections::BTreeSet;

use portal_sim::Fault;
use serde_json::Value;

use super::Program;
use crate::Setting;
use crate::faults::{quiet_world, world};

impl Program {
    /// Nothing new, and everything seen: not a byte, and 0. Cron mails every byte.
    pub async fn quiet(&self) {
        let setting = self.setting(quiet_world()).await;
        let ended = self.run(&setting, &[]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
        assert_eq!(!ended.stdout.is_empty(), self.always_prints, "{}", ended.stdout);
        let (report, ended) = self.report(&setting).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        assert_eq!(
            (&report["coverage"]["complete"], &report["coverage"]["gaps"]),
            (&true.into(), &Value::Array(Vec::new()))
        );
        assert_eq!(findings(&report).len(), 0, "{}", ended.stdout);
    }

    /// One source that cannot be read: never an all-clear, a gap that names it, and 4.
    pub async fn incomplete(&self) {
        let (source, gap) = self.source;
        let setting = self.setting(world()).await;
        setting.sim.set_faults(vec![Fault::status(403).on(source)]);
        let ended = self.run(&setting, &[]).await;
        assert_eq!(ended.exit, 4, "{}", ended.stderr);
        assert!(ended.stdout.contains(": incomplete: ") && ended.stdout.contains("Not seen: "), "{}", ended.stdout);
        let (report, ended) = self.report(&setting).await;
        assert_eq!((ended.exit, &report["coverage"]["complete"]), (4, &false.into()), "{}", ended.stderr);
        let named: BTreeSet<&str> = list(&report["coverage"]["gaps"]).iter().map(|gap| text(&gap["what"])).collect();
        assert!(named.contains(gap), "{named:?}");
    }

    /// A portal that keeps no records for this plan: nothing is concluded, that is said, and 1.
    pub async fn no_audit_feature(&self) {
        let setting = self.setting(world().with_audit(false)).await;
        let ended = self.run(&setting, &[]).await;
        assert_eq!(ended.exit, 1, "{}", ended.stderr);
        for said in ["nothing can be concluded", "audit"] {
            assert!(ended.stdout.contains(said), "{}", ended.stdout);
        }
        let (report, ended) = self.report(&setting).await;
        assert_eq!((ended.exit, findings(&report).len()), (1, 0), "{}", ended.stdout);
        let gaps = list(&report["coverage"]["gaps"]);
        assert!(gaps.iter().any(|gap| gap["why"] == "audit_feature_missing"), "{gaps:?}");
    }

    /// The first run tells all who are found, with 0 or, when asked, 3. The second finds the same, knows them, and tells nobody again.
    pub async fn first_and_second_run(&self) {
        for setting in self.settings(world()).await {
            self.tells_once(&setting).await;
            let has_folder = setting.state.path().join("state").exists();
            assert_eq!(has_folder, setting.server.is_none(), "a server leaves nothing on this machine");
        }
    }

    async fn tells_once(&self, setting: &Setting) {
        let first = self.run(setting, &["--exit-code", "--dry-run"]).await;
        let some = i32::from(!self.found.is_empty()) * 3;
        assert_eq!((first.exit, first.stderr.as_str()), (some, ""), "{}", first.stdout);
        for name in self.found {
            assert!(first.stdout.contains(&format!("{name}@example.com")), "{name}: {}", first.stdout);
        }
        let (first, ended) = self.report(setting).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
        let expected: BTreeSet<String> = self.found.iter().map(|name| format!("{name}@example.com")).collect();
        assert_eq!(people(&first), expected);
        assert_eq!(states(&first), BTreeSet::from_iter(findings(&first).first().map(|_| "new")));
        let again = self.run(setting, &[]).await;
        assert_eq!((again.exit, again.stderr.as_str()), (0, ""), "{}", again.stdout);
        assert_eq!(!again.stdout.is_empty(), self.always_prints, "told again: {}", again.stdout);
        let (second, ended) = self.report(setting).await;
        assert_eq!((ended.exit, fingerprints(&second)), (0, fingerprints(&first)), "{}", ended.stderr);
        assert_eq!(states(&second), BTreeSet::from_iter(findings(&second).first().map(|_| "known")));
    }
}

fn findings(report: &Value) -> &[Value] {
    list(&report["findings"])
}

fn people(report: &Value) -> BTreeSet<String> {
    findings(report).iter().map(|finding| text(&finding["person"]["email"]).to_owned()).collect()
}

fn states(report: &Value) -> BTreeSet<&str> {
    findings(report).iter().map(|finding| text(&finding["state"])).collect()
}

fn fingerprints(report: &Value) -> Vec<&str> {
    findings(report).iter().map(|finding| text(&finding["fingerprint"])).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
