//! `init`: what it writes is enough to begin with.

use std::os::unix::fs::PermissionsExt as _;

use crate::common::{now, portal_with};
use cli_test::{Run, Setting};
use portal_sim::Scenario;

async fn run(setting: &Setting, words: &[&str]) -> Run {
    cli_test::run(setting.command(words)).await
}

#[tokio::test]
async fn init_begins_with_a_policy_that_is_suggested() {
    for (scenario, has_rules) in [("addresses", true), ("empty", false)] {
        let scenario = match scenario {
            "empty" => Scenario::empty(now()),
            name => Scenario::builtin(name, now()).unwrap(),
        };
        let setting = portal_with(scenario).await;
        let folder = setting.state.path().join("made");
        std::fs::create_dir(&folder).unwrap();
        let url = setting.sim.url();
        let made = run(&setting, &["init", &url, "--yes", "--dir", "made"]).await;
        assert_eq!(made.exit, 0, "{}{}", made.stdout, made.stderr);
        for name in ["ip-fence.toml", "ip-fence.key", "policy.toml"] {
            let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let policy = std::fs::read_to_string(folder.join("policy.toml")).unwrap();
        assert!(policy.contains("default = \"report\""), "{policy}");
        assert_eq!(policy.contains("[[rule]]"), has_rules, "{policy}");
        let checked = run(&setting, &["policy", "check", "--config", "made/ip-fence.toml"]).await;
        assert_eq!(checked.exit, 0, "{}{}", checked.stdout, checked.stderr);
        let first = run(&setting, &["--config", "made/ip-fence.toml", "--format", "json"]).await;
        assert_eq!(first.exit, 0, "{}{}", first.stdout, first.stderr);
        assert_eq!(first.json()["coverage"]["complete"], true);
    }
}
