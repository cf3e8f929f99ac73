//! What the program says when it watches.

use std::collections::BTreeSet;

use portal_sim::{Fault, Login, Scenario};
use serde_json::Value;

use crate::common::{self, Run, Setting, assert_valid, run, run_with};

const SCHEMA: &str = "ip-fence-1";

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// Person, kind and first address of every finding.
fn told(report: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap();
    let of = |finding: &Value| {
        let person = &finding["person"];
        let name = if person["email"].is_string() { &person["email"] } else { &person["name"] };
        (text(name), text(&finding["kind"]), text(&finding["evidence"][0]["ip"]))
    };
    findings.iter().map(of).collect()
}

#[tokio::test]
async fn the_truth_of_the_scenario_is_told() {
    let setting = Setting::new("addresses").await;
    let (text, report) = (run(&setting, &[]).await, run(&setting, &["--format", "json"]).await);
    let expected = setting.scenario.truth().addresses.iter();
    let expected = expected.map(|found| (found.person.clone(), found.kind.clone(), found.ip.clone())).collect();
    let told = told(&json(&report));
    assert_eq!(told, expected);
    for innocent in &setting.scenario.truth().not_found {
        assert!(!told.iter().any(|(person, ..)| *person == innocent.person), "{}", innocent.why);
    }
    assert_valid(SCHEMA, &report.stdout);
    insta::assert_snapshot!("addresses_text", text.stdout);
    insta::assert_snapshot!("addresses_json", report.stdout);
    assert_eq!((text.exit, report.exit), (0, 0));
    assert_eq!((text.stderr.as_str(), report.stderr.as_str()), ("", ""));
    let forbidden = setting.sim.requests().into_iter().find(|request| request.forbidden_fields);
    assert!(forbidden.is_none(), "{forbidden:?}");
    assert!(setting.sim.requests().iter().all(|request| request.method == "GET"), "nothing is ever written");
}
