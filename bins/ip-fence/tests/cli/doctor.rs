//! What `doctor` says of policy and list.

use crate::common::{POLICY, listed, portal_with, run};

#[tokio::test]
async fn doctor_looks_at_policy_and_list() {
    let mut scenario = listed();
    scenario.condition.restrictions.enabled = true;
    let setting = portal_with(scenario).await;
    let well = run(&setting, &["doctor"]).await;
    assert!(well.stdout.contains("policy.toml: 3 rules for 13 of 14 people"), "{}{}", well.stdout, well.stderr);
    assert!(well.stdout.contains("has 2 entries and is switched on"), "{}", well.stdout);
    setting.file("policy.toml", &POLICY.replace("BOB", "bbo"));
    setting.sim.edit(|scenario| scenario.restrict("::1%a-b", false));
    let ill = run(&setting, &["doctor"]).await;
    assert_eq!(ill.exit, 2, "{}", ill.stdout);
    for part in ["line 12", "did you mean `bob@example.com`?", "refuse everybody but its owner"] {
        assert!(ill.stdout.contains(part), "{part}: {}", ill.stdout);
    }
}
