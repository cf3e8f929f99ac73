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

/// It is needed only when a list is to be taken back, and then it is too late.
#[cfg(unix)]
#[tokio::test]
async fn doctor_looks_at_the_key_that_writes() {
    use std::os::unix::fs::PermissionsExt;

    let mut scenario = listed();
    let keys = [
        ("olga@example.com", &["*:read", "*:write"][..]),
        ("anna@example.com", &[]),
        ("olga@example.com", &["*:read"]),
    ];
    let keys = keys.map(|(email, scopes)| {
        let own = scenario.person_by_email(email).unwrap().clone();
        let key = format!("sk-{:064x}", 0xa000 + 16 * email.len() + scopes.len());
        Key { key, scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), ..Key::of(&own) }
    });
    scenario.keys.extend(keys.clone());
    let setting = portal_with(scenario).await;
    setting.file("ip-fence.toml", "apply_key_file = \"apply-key\"\n");
    let doctor = async || run(&setting, &["doctor", "--config", "ip-fence.toml"]).await;
    let missing = doctor().await;
    assert!(missing.exit == 2 && missing.stdout.contains("without it no run takes a list back"), "{}", missing.stdout);
    let expected = ["is the owner's, and may write", "is not the owner's", "may not write the portal's list"];
    for (key, said) in keys.iter().zip(expected) {
        setting.file("apply-key", &key.key);
        let looked = doctor().await;
        let line = looked.stdout.lines().find(|line| line.contains("apply_key:")).unwrap_or_default();
        assert!(line.contains(said), "{said}: {}{}", looked.stdout, looked.stderr);
    }
    let file = setting.state.path().join("apply-key");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(doctor().await.stdout.contains("can be read by other users (mode 644)"), "{}", doctor().await.stdout);
}
