//! Runs the built program on a simulated portal, with a policy.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use cli_test::Run;
pub(crate) use cli_test::Setting;
use portal_sim::Scenario;
use serde_json::Value;

/// The schema of the report.
pub(crate) const SCHEMA: &str = "ip-fence-1";

/// The policy of the scenario `addresses`.
pub(crate) const POLICY: &str = r#"
default = "report"

[[rule]]
label = "office"
groups = ["Staff"]
allow = ["192.0.2.0/24"]
owner = "it@example.com"

[[rule]]
label = "at home"
people = ["BOB@example.com"]
allow = ["198.51.100.20"]

[[rule]]
label = "trade fair"
people = ["chen@example.com"]
allow = ["203.0.113.0/24"]
owner = "it@example.com"
expires = "2026-11-01"
"#;

/// The moment at which every portal of these tests stands still.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A built-in scenario, and the policy beside its state.
pub(crate) async fn portal(scenario: &str) -> Setting {
    portal_with(Scenario::builtin(scenario, now()).unwrap()).await
}

pub(crate) async fn portal_with(scenario: Scenario) -> Setting {
    let setting = Setting::new(env!("CARGO_BIN_EXE_ip-fence"), scenario).await;
    setting.file("policy.toml", POLICY);
    setting
}

/// Runs the program with the policy on the setting's portal, up to the portal's first moment.
pub(crate) async fn run(setting: &Setting, extra: &[&str]) -> Run {
    run_with(setting, &[&["--policy", "policy.toml"], extra].concat()).await
}

/// The same without the policy.
pub(crate) async fn run_with(setting: &Setting, extra: &[&str]) -> Run {
    setting.run(extra).await
}

/// Runs the program with these arguments and the setting's state and key.
pub(crate) async fn run_bare(setting: &Setting, arguments: &[&str]) -> Run {
    setting.run_with(arguments).await
}

/// Panics unless the report keeps a published schema.
pub(crate) fn assert_valid(schema: &str, report: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{schema}.schema.json"));
    cli_test::assert_keeps(&path, report);
}

/// Person, kind and first address of every finding.
pub(crate) fn told(report: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap();
    let of = |finding: &Value| {
        let person = &finding["person"];
        let name = if person["email"].is_string() { &person["email"] } else { &person["name"] };
        (text(name), text(&finding["kind"]), text(&finding["evidence"][0]["ip"]))
    };
    findings.iter().map(of).collect()
}

/// A portal with a list that has a bit of everything.
pub(crate) fn listed() -> Scenario {
    let mut scenario = Scenario::builtin("addresses", now()).unwrap();
    scenario.restrict("192.0.2.12", false);
    scenario.restrict("203.0.113.250", false);
    scenario
}
