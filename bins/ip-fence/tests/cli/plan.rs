//! `plan`: what a list would do, and whom it would lock out.

use chrono::TimeDelta;
use cli_test::Run;
use portal_sim::{Event, Key, Login, Person, PersonKind, Scenario};
use serde_json::Value;

use crate::common::{self, Setting, assert_valid, listed, portal, portal_with, run, run_bare};

const PLAN: &str = "ip-fence-plan-1";

const ON: &str = "[portal]\nenforce = true\n";

#[tokio::test]
async fn an_age_of_the_beginning_counts_from_the_end_of_the_replayed_window() {
    let setting = portal("addresses").await;
    let url = setting.sim.url();
    let flags = ["--portal", &url, "--policy", "policy.toml", "--since", "10d", "--until", "2d", "--format", "json"];
    let plan = run_bare(&setting, &[&["plan"], &flags[..]].concat()).await.json();
    assert_eq!(plan["window"], serde_json::json!({ "since": "2026-11-08T09:00:00Z", "until": "2026-11-18T09:00:00Z" }));
}

async fn plan(setting: &Setting, config: &str, extra: &[&str]) -> Run {
    let config = setting.file("ip-fence.toml", config);
    run(setting, &[&["plan", "--config", &config], extra].concat()).await
}

#[tokio::test]
async fn a_plan_says_what_it_would_do_and_to_whom() {
    let setting = portal_with(listed()).await;
    run(&setting, &[]).await;
    let remembered = std::fs::read(setting.state_file("sqlite")).unwrap();
    let on = "[portal]\nenforce = true\n";
    let (text, json) = (plan(&setting, on, &[]).await, plan(&setting, on, &["--format", "json"]).await);
    assert_eq!((text.exit, json.exit, text.stderr.as_str()), (3, 3, ""));
    insta::assert_snapshot!("plan_text", text.stdout);
    assert_valid(PLAN, &json.stdout);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    // 256 of the office with one that is there already, and the home
    let deeds = |deed: &str| report["steps"].as_array().unwrap().iter().filter(|step| step["deed"] == deed).count();
    assert_eq!((deeds("add"), deeds("keep"), deeds("foreign"), deeds("remove")), (256, 1, 1, 0));
    assert!(setting.sim.requests().iter().all(|request| request.method == "GET"), "nothing is written to the portal");
    assert_eq!(std::fs::read(setting.state_file("sqlite")).unwrap(), remembered, "nor to the store");
}

#[tokio::test]
async fn a_plan_that_hurts_nobody_ends_with_0() {
    let mut scenario = listed();
    scenario.logins.retain(|login| login.ip == "192.0.2.12");
    let bob = scenario.person_by_email("bob@example.com").unwrap().clone();
    scenario.add_login(Login::success(&bob, common::now() - TimeDelta::days(20)));
    scenario.events.retain(|event| event.ip.as_deref() == Some("192.0.2.12"));
    let setting = portal_with(scenario).await;
    setting.file(
        "policy.toml",
        "default = \"ignore\"\n[[rule]]\nlabel = \"desk\"\ngroups = [\"Staff\"]\npeople = [\"hana@example.com\"]\nallow = [\"192.0.2.12\"]\n",
    );
    let config = "[portal]\nenforce = true\n";
    let arguments = ["--own-address", "192.0.2.12", "--own-all", "--format", "json"];
    let ended = plan(&setting, config, &arguments).await;
    assert_eq!(ended.exit, 0, "{}{}", ended.stdout, ended.stderr);
    insta::assert_snapshot!("plan_json", ended.stdout);
    assert_valid(PLAN, &ended.stdout);
    let out = setting.file("list.plan", "an older one");
    let kept = [&arguments[..], &["--out", &out, "--by", "olga"]].concat();
    let ended = plan(&setting, config, &kept).await;
    assert_valid(PLAN, &ended.stdout);
    let text = std::fs::read_to_string(&out).unwrap();
    assert_valid("ip-fence-plan-file-1", &text);
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&file["id"], &file["made"]["by"]), (&ended.json()["file"]["id"], &Value::from("olga")));
    assert_eq!((&file["portal"]["tenant_id"], &file["history"]["complete"]), (&Value::from(2), &Value::from(true)));
    assert_eq!(file["after"]["entries"].as_array().unwrap().len(), ended.json()["list"].as_array().unwrap().len());
}

fn refusing(report: &Value) -> Vec<&str> {
    let dangers = report["dangers"].as_array().unwrap().iter().filter(|danger| danger["refuses"] == true);
    dangers.map(|danger| danger["kind"].as_str().unwrap()).collect()
}

/// A network that nobody comes from, in a policy that names everybody.
#[tokio::test]
async fn a_policy_with_a_wrong_network_is_refused() {
    let setting = portal("addresses").await;
    let policy = "[[rule]]\nlabel = \"all\"\ngroups = [\"Staff\"]\npeople = [\"hana@example.com\"]\nallow = [\"203.0.113.0/28\"]\n";
    setting.file("policy.toml", policy);
    let arguments = ["--own-address", "203.0.113.1", "--format", "json"];
    let ended = plan(&setting, ON, &arguments).await;
    assert_eq!((ended.exit, refusing(&ended.json())), (3, vec!["no_way_in", "address_cut"]), "{}", ended.stdout);
    assert_valid(PLAN, &ended.stdout);
    let out = ended.json()["simulation"]["no_way_in"].as_array().unwrap().len();
    assert_eq!(out, 12, "everybody but the owner and who is disabled");
    assert!(!plan(&setting, ON, &arguments[..2]).await.stdout.contains("as the policy means it"));
    let meant = [&arguments[..], &["--lock-out", "nobody@example.com"]].concat();
    let unknown = plan(&setting, ON, &meant).await;
    assert_eq!(unknown.exit, 2, "{}", unknown.stderr);
}

#[tokio::test]
async fn a_plan_of_a_minute_is_refused() {
    let setting = portal("addresses").await;
    let url = setting.sim.url();
    let policy = "[[rule]]\nlabel = \"all\"\ngroups = [\"Staff\"]\npeople = [\"hana@example.com\"]\nallow = [\"192.0.2.0/24\"]\n";
    setting.file("policy.toml", policy);
    let config = setting.file("ip-fence.toml", ON);
    let until = common::now().to_rfc3339();
    let flags = ["--config", &config, "--portal", &url, "--policy", "policy.toml", "--since", "1m", "--until", &until];
    let rest = ["--own-address", "192.0.2.7", "--format", "json"];
    let ended = run_bare(&setting, &[&["plan"], &flags[..], &rest].concat()).await;
    assert_eq!((ended.exit, refusing(&ended.json())), (3, vec!["no_history"]), "{}", ended.stdout);
}

/// Events reach back for weeks, and tell nothing of people who only signed in.
#[tokio::test]
async fn a_portal_that_keeps_its_logins_for_a_day_has_too_little_history() {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    scenario.condition.login_lifetime = 1;
    let olga = scenario.person_by_email("olga@example.com").unwrap().id;
    scenario.add_event(Event::new(5009, olga, common::now() - TimeDelta::days(25)));
    let setting = portal_with(scenario).await;
    let ended = plan(&setting, ON, &["--own-address", "192.0.2.7", "--format", "json"]).await;
    assert!(refusing(&ended.json()).contains(&"short_history"), "{}", ended.stdout);
    assert_eq!(ended.exit, 4, "and the rest of the month was not seen");
}

/// Robots whose keys only read leave no event at all.
#[tokio::test]
async fn a_robot_whose_key_only_reads_refuses_the_plan() {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    let robot = Person::new("robot@example.com", "Back", "Up").kind(PersonKind::Admin);
    scenario.people.push(robot.clone());
    let used = Some(common::now() - TimeDelta::days(3));
    let setting = portal_with(scenario.with_key(Key { used, ..Key::of(&robot) })).await;
    let ended = plan(&setting, ON, &["--own-address", "192.0.2.7", "--format", "json"]).await;
    let report = ended.json();
    assert!(refusing(&report).contains(&"key_unseen"), "{}", ended.stdout);
    let text = plan(&setting, ON, &["--own-address", "192.0.2.7"]).await.stdout;
    assert!(
        text.contains("Back Up <robot@example.com>") && text.contains("what a key reads leaves no event"),
        "{text}"
    );
    // what nobody could ask is not known
    setting.sim.set_faults(vec![portal_sim::Fault::status(500).on("keys$")]);
    let blind = plan(&setting, ON, &["--own-address", "192.0.2.7", "--format", "json"]).await;
    assert_eq!(blind.exit, 4, "{}", blind.stdout);
}

/// While the switch stays off, a plan blocks nobody, and says whom it would.
#[tokio::test]
async fn a_plan_with_the_switch_off_is_not_refused() {
    let setting = portal_with(listed()).await;
    let ended = plan(&setting, "", &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("had its switch been on") && ended.stdout.contains("its switch stays off"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn a_plan_of_half_a_history_is_incomplete() {
    let setting = portal_with(listed()).await;
    setting.sim.set_faults(vec![portal_sim::Fault::status(500).on("security/audit/events").after(1)]);
    let ended = plan(&setting, "", &[]).await;
    assert_eq!(ended.exit, 4, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Not seen:"), "{}", ended.stdout);
}

/// The odd texts, put into a portal that reads them with a parser of its own: who is refused agrees with what the program says.
#[tokio::test]
async fn odd_entries_do_to_the_portal_what_the_plan_says() {
    let stops =
        ["::1%a-b", "192.0.2.0/24", "192.0.2.0-192.0.2.9", "example.com", " 192.0.2.1", "192.0.2.1:80", "", "08.1.1.1"];
    let harmless = [
        "1",
        "192.168.257",
        "0x7f000001",
        "010.0.0.1",
        "2001:DB8::1",
        "[2001:db8::1]:443",
        "::ffff:192.0.2.1",
        "fe80::1%eth0",
        "2001:db8::1%x-2001:db8::ff",
    ];
    for (text, does_stop) in stops.iter().map(|text| (text, true)).chain(harmless.iter().map(|text| (text, false))) {
        let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
        let anna = scenario.person_by_email("anna@example.com").unwrap().clone();
        scenario.restrict(text, false);
        scenario.condition.restrictions.enabled = true;
        let scenario = scenario.with_key(Key::of(&anna));
        let setting = portal_with(scenario).await;
        // this machine is the portal's own, which it lets in unless it fails
        let mut setting = setting;
        let owners_key = std::mem::replace(&mut setting.key, Key::of(&anna).key);
        let checked = run(&setting, &["policy", "check"]).await;
        assert_eq!(checked.exit == 0, !does_stop, "{text:?}: {}", checked.stderr);
        setting.key = owners_key;
        let planned = plan(&setting, "", &[]).await;
        let is_named = planned.stdout.contains("makes the portal fail")
            || planned.stderr.contains("cannot read its own address list");
        assert_eq!(is_named, does_stop, "{text:?}: {}{}", planned.stdout, planned.stderr);
        let is_odd = planned.stdout.contains("never writes an address like that");
        assert_eq!(is_odd, !does_stop, "{text:?}: {}{}", planned.stdout, planned.stderr);
    }
}

/// A file that was asked for and not written would pass for the plan of an earlier run.
#[tokio::test]
async fn a_plan_says_that_it_writes_no_report() {
    let setting = common::portal("addresses").await;
    let refused = common::run(&setting, &["plan", "--report", "plan.html"]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("`--report` has no effect on this subcommand; leave it out"), "{}", refused.stderr);
}
