//! What `doctor` says of policy and list.

use crate::common::{POLICY, listed, portal_with, run};
use portal_sim::Key;

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

/// A header that says where a call comes from, and a portal that believes it or not.
#[tokio::test]
async fn a_header_that_passes_the_list_is_found_where_somebody_asks_for_it() {
    for (believes, exit, said) in [(true, 1, "passes the list"), (false, 0, "sees this machine as 192.0.2.12")] {
        let mut scenario = listed();
        scenario.condition.restrictions.trusts_callers = believes;
        let olga = scenario.person_by_email("olga@example.com").unwrap().clone();
        let key = Key { from: Some("192.0.2.12".parse().unwrap()), ..Key::of(&olga) };
        scenario.keys.retain(|known| known.key != key.key);
        scenario.keys.push(key.clone());
        let setting = portal_with(scenario).await;
        let puts = || setting.sim.requests().iter().filter(|request| request.method == "PUT").count();
        run(&setting, &[]).await;
        let without = run(&setting, &["doctor"]).await;
        assert_eq!((without.stdout.contains("probe_proxy"), puts()), (false, 0), "{}", without.stdout);
        let keyless = run(&setting, &["doctor", "--probe-proxy"]).await;
        assert_eq!((keyless.exit, puts()), (2, 0), "{}", keyless.stdout);
        setting.file("apply-key", &key.key);
        setting.file("ip-fence.toml", "apply_key_file = \"apply-key\"\n");
        let probe = ["doctor", "--probe-proxy", "--config", "ip-fence.toml"];
        let dry = run(&setting, &[&probe[..], &["--dry-run"]].concat()).await;
        assert_eq!((dry.exit, puts()), (0, 0), "{}", dry.stdout);
        let mut before = Vec::new();
        setting.sim.edit(|scenario| before.clone_from(&scenario.condition.restrictions.entries));
        let probed = run(&setting, &probe).await;
        assert_eq!((probed.exit, puts()), (exit, 1), "{}{}", probed.stdout, probed.stderr);
        let line = probed.stdout.lines().find(|line| line.contains("probe_proxy")).unwrap();
        assert!(line.contains(said), "{}", probed.stdout);
        setting.sim.edit(|scenario| {
            let restrictions = &scenario.condition.restrictions;
            let texts =
                |entries: &[portal_sim::Restriction]| entries.iter().map(|entry| entry.ip.clone()).collect::<Vec<_>>();
            assert_eq!((texts(&restrictions.entries), restrictions.enabled), (texts(&before), false));
        });
    }
}
