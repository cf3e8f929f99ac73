//! The portal's own list: what changes, and what does not do what it says.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Event, Login, Scenario};
use serde_json::Value;

use crate::common::{self, Setting, assert_valid, portal, portal_with, run, told};

fn of_kind<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == kind).collect()
}

async fn report(setting: &Setting) -> Value {
    let ended = run(setting, &["--format", "json"]).await;
    assert_valid("ip-fence-1", &ended.stdout);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A portal whose list has two entries; nobody did anything.
fn guarded(enabled: bool) -> Scenario {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    scenario.logins.clear();
    scenario.restrict("192.0.2.7", false);
    scenario.restrict("198.51.100.20", true);
    scenario.condition.restrictions.enabled = enabled;
    scenario
}

#[tokio::test]
async fn a_changed_list_is_told_with_the_difference_and_who_did_it() {
    let setting = portal_with(guarded(true)).await;
    let first = report(&setting).await;
    assert_eq!(of_kind(&first, "list_changed").len(), 0, "nothing to compare with");
    assert_eq!(first["address_list"]["entries"].as_array().unwrap().len(), 2);
    assert!(first["coverage"]["blind_spots"].as_array().unwrap().contains(&"blocked_logins".into()));
    setting.sim.edit(|scenario| {
        scenario.condition.restrictions.enabled = false;
        scenario.condition.restrictions.entries.remove(0);
        scenario.restrict("203.0.113.9", false);
        let anna = scenario.person_by_email("anna@example.com").unwrap().id;
        scenario.add_event(Event::new(6094, anna, common::now() - chrono::TimeDelta::minutes(2)));
    });
    let second = report(&setting).await;
    let found = of_kind(&second, "list_changed");
    assert_eq!(
        (found.len(), found[0]["severity"].as_str(), found[0]["state"].as_str()),
        (1, Some("high"), Some("new"))
    );
    assert_eq!(found[0]["person"]["email"], "anna@example.com");
    let reasons = found[0]["reasons"].to_string();
    for part in ["switched off", "added: 203.0.113.9", "removed: 192.0.2.7"] {
        assert!(reasons.contains(part), "{part}: {reasons}");
    }
    // it stays in view for the window, and is known
    let third = report(&setting).await;
    assert_eq!(of_kind(&third, "list_changed")[0]["state"], "known");
}

/// Ten minutes of open door, and the list is as before.
#[tokio::test]
async fn a_list_that_was_off_and_on_again_between_two_runs_is_told() {
    let setting = portal("list-off-and-on").await;
    let expected = setting.scenario.truth().addresses.iter();
    let expected: BTreeSet<_> =
        expected.map(|found| (found.person.clone(), found.kind.clone(), found.ip.clone())).collect();
    let run_at = async |minutes: i64| {
        let at = common::now() - TimeDelta::minutes(minutes);
        setting.sim.edit(|scenario| scenario.now = at);
        let (url, until) = (setting.sim.url(), at.to_rfc3339());
        let arguments = ["--portal", &url, "--policy", "policy.toml", "--until", &until, "--format", "json"];
        let ended = common::run_bare(&setting, &arguments).await;
        assert_valid("ip-fence-1", &ended.stdout);
        ended.json()
    };
    assert_eq!(told(&run_at(60).await), BTreeSet::new());
    let second = run_at(0).await;
    assert_eq!(told(&second), expected);
    let found = of_kind(&second, "list_changed");
    assert_eq!((found[0]["severity"].as_str(), found[0]["evidence_total"].as_u64()), (Some("high"), Some(2)));
    assert_eq!(of_kind(&second, "not_enforced").len(), 0, "it was off, and no wonder");
    assert_eq!(of_kind(&run_at(0).await, "list_changed")[0]["state"], "known");
    // whoever has not read the list before knows who wrote it, and not what that did
    let fresh = portal("list-off-and-on").await;
    let alone = report(&fresh).await;
    assert_eq!((told(&alone), &of_kind(&alone, "list_changed")[0]["severity"]), (expected, &"medium".into()));
}

/// A run that ends at a mistake in the policy has told nobody, so it must not take the list for known.
#[tokio::test]
async fn a_change_is_not_forgotten_while_the_policy_is_broken() {
    let setting = portal_with(guarded(true)).await;
    report(&setting).await;
    setting.sim.edit(|scenario| scenario.restrict("203.0.113.9", true));
    setting.file("policy.toml", &common::POLICY.replace("BOB", "bbo"));
    assert_eq!(run(&setting, &[]).await.exit, 2);
    // the mistake is corrected when the window has gone by
    setting.file("policy.toml", common::POLICY);
    let after = |minutes| common::now() + chrono::TimeDelta::minutes(minutes);
    setting.sim.edit(|scenario| scenario.now = after(60));
    let (since, until, url) = (after(30).to_rfc3339(), after(60).to_rfc3339(), setting.sim.url());
    let window = ["--since", &since, "--until", &until];
    let rest = ["--portal", &url, "--policy", "policy.toml", "--format", "json"];
    let ended = common::run_bare(&setting, &[&window[..], &rest].concat()).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    assert_eq!(of_kind(&report, "list_changed").len(), 1, "{}", ended.stdout);
}

/// Old servers write no event, and other programs may change the table.
#[tokio::test]
async fn a_change_without_an_event_is_told_too() {
    let setting = portal_with(guarded(true)).await;
    report(&setting).await;
    setting.sim.edit(|scenario| scenario.restrict("203.0.113.9", true));
    let text = run(&setting, &[]).await.stdout;
    assert!(text.contains("added: 203.0.113.9 (admins only)") && text.contains("stands in no event"), "{text}");
}

#[tokio::test]
async fn a_dry_run_compares_and_remembers_nothing() {
    let setting = portal_with(guarded(true)).await;
    report(&setting).await;
    setting.sim.edit(|scenario| scenario.restrict("203.0.113.9", false));
    for _ in 0..2 {
        let dry = run(&setting, &["--dry-run", "--format", "json"]).await;
        let dry: Value = serde_json::from_str(&dry.stdout).unwrap();
        assert_eq!(of_kind(&dry, "list_changed")[0]["state"], "new");
    }
}

/// The deployment can switch the feature off, and the portal says nothing of it.
#[tokio::test]
async fn a_list_that_is_not_enforced_is_noticed_by_who_gets_in() {
    let mut scenario = guarded(true);
    scenario.condition.restrictions.hidden = true;
    let setting = portal_with(scenario).await;
    report(&setting).await;
    // what was seen half an hour ago is so since half an hour
    let later = common::now() + chrono::TimeDelta::hours(1);
    setting.sim.edit(|scenario| {
        scenario.now = later + chrono::TimeDelta::hours(1);
        let person = |email: &str| scenario.person_by_email(email).unwrap().clone();
        let (bob, anna, olga) = (person("bob@example.com"), person("anna@example.com"), person("olga@example.com"));
        for (who, ip) in [(&bob, "203.0.113.9"), (&bob, "192.0.2.7"), (&anna, "198.51.100.20"), (&olga, "203.0.113.1")]
        {
            let mut login = Login::success(who, later);
            login.ip = ip.to_owned();
            scenario.add_login(login);
        }
    });
    let until = (later + chrono::TimeDelta::minutes(30)).to_rfc3339();
    let url = setting.sim.url();
    let arguments = ["--portal", &url, "--policy", "policy.toml", "--until", &until, "--dry-run", "--format", "json"];
    let ended = common::run_bare(&setting, &arguments).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    let found = of_kind(&report, "not_enforced");
    assert_eq!(found.len(), 1, "{}", ended.stdout);
    assert_eq!((found[0]["logins"].as_u64(), found[0]["evidence"][0]["ip"].as_str()), (Some(1), Some("203.0.113.9")));
}
