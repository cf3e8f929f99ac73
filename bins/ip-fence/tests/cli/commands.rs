//! `policy check`, `policy test`, `policy import`, `plan` and `doctor`.

use chrono::TimeDelta;
use portal_sim::{Key, Login, Person, PersonKind, Scenario};
use serde_json::Value;

use cli_test::Run;

use crate::common::{self, POLICY, Setting, assert_valid, portal, portal_with, run, run_bare, run_with};

const PLAN: &str = "ip-fence-plan-1";

#[tokio::test]
async fn a_policy_is_checked_with_and_without_a_portal() {
    let setting = portal("addresses").await;
    let checked = run(&setting, &["policy", "check"]).await;
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""));
    assert!(checked.stdout.starts_with("3 rules for 13 of 14 people, no mistake in them\n"), "{}", checked.stdout);
    assert!(checked.stdout.contains("\"trade fair\" (line 15) has expired"), "{}", checked.stdout);
    let before = setting.sim.requests().len();
    let alone = run_bare(&setting, &["policy", "check", "--policy", "policy.toml"]).await;
    assert_eq!((alone.exit, setting.sim.requests().len()), (0, before), "{}", alone.stderr);
    assert!(alone.stdout.contains("no portal is set"), "{}", alone.stdout);
    let missing = run_with(&setting, &["policy", "check"]).await;
    assert_eq!(missing.exit, 2);
    assert!(missing.stderr.contains("--policy FILE"), "{}", missing.stderr);
}

#[tokio::test]
async fn an_age_of_the_beginning_counts_from_the_end_of_the_replayed_window() {
    let setting = portal("addresses").await;
    let url = setting.sim.url();
    let flags = ["--portal", &url, "--policy", "policy.toml", "--since", "10d", "--until", "2d", "--format", "json"];
    let plan = run_bare(&setting, &[&["plan"], &flags[..]].concat()).await.json();
    assert_eq!(plan["window"], serde_json::json!({ "since": "2026-11-08T09:00:00Z", "until": "2026-11-18T09:00:00Z" }));
}

#[tokio::test]
async fn questions_to_the_policy_are_answered_with_the_line() {
    let setting = portal("addresses").await;
    let mut answers = String::new();
    let questions = [
        ("bob@example.com", "192.0.2.77"),
        ("BOB@Example.com", "198.51.100.20"),
        ("bob@example.com", "::ffff:198.51.100.20"),
        ("c1a0f3de-0000-4000-8000-000000000103", "203.0.113.77"),
        ("dora@example.com", "2001"),
        ("dora@example.com", "office"),
        ("hana@example.com", "192.0.2.1"),
    ];
    for (person, address) in questions {
        let answer = run(&setting, &["policy", "test", person, address]).await;
        assert_eq!((answer.exit, answer.stderr.as_str()), (0, ""), "{person} {address}");
        answers.push_str(&answer.stdout);
    }
    insta::assert_snapshot!("policy_test_text", answers);
    let json = run(&setting, &["policy", "test", "bob@example.com", "192.0.2.77", "--format", "json"]).await;
    insta::assert_snapshot!("policy_test_json", json.stdout);
    let refused = ["policy", "test", "bob@example.com", "203.0.113.1", "--exit-code"];
    assert_eq!(run(&setting, &refused).await.exit, 3);
    // what the watch cannot judge this does not call allowed
    setting.file("policy.toml", &POLICY.replace("192.0.2.0/24", "10.0.0.0/8"));
    let config = setting.file("ip-fence.toml", "[portal]\npublic = true\n");
    let private = run(&setting, &["--config", &config, "policy", "test", "bob@example.com", "10.0.0.1"]).await;
    assert!(private.stdout.contains("cannot be judged") && private.stdout.contains("private"), "{}", private.stdout);
    let unknown = run(&setting, &["policy", "test", "bbo@example.com", "192.0.2.1"]).await;
    assert_eq!(unknown.exit, 2);
    assert!(unknown.stderr.contains("did you mean `bob@example.com`?"), "{}", unknown.stderr);
}

#[tokio::test]
async fn lists_of_other_tools_become_a_policy_that_can_be_checked() {
    let setting = portal("addresses").await;
    let csv = setting.file(
        "people.csv",
        "person,address,label\nbob@example.com,192.0.2.0/24,office\nanna@example.com,192.0.2.0/24,office\n",
    );
    let made = run_bare(&setting, &["policy", "import", &csv]).await;
    assert_eq!((made.exit, made.stderr.as_str()), (0, ""));
    setting.file("policy.toml", &made.stdout);
    let checked = run(&setting, &["policy", "check"]).await;
    assert!(checked.stdout.starts_with("1 rule for 2 of 14 people"), "{}{}", checked.stdout, checked.stderr);
    let map = r#"{"c1a0f3de-0000-4000-8000-000000000102": ["203.0.113.10", "198.51.100.0-198.51.100.255"]}"#;
    let json = setting.file("published.json", map);
    let made = run_bare(&setting, &["policy", "import", &json]).await;
    assert!(made.stdout.contains("\"198.51.100.0/24\", \"203.0.113.10\""), "{}", made.stdout);
    let bad = setting.file("bad.csv", "person,address\nbob@example.com,192.0.2.300\n");
    let refused = run_bare(&setting, &["policy", "import", &bad]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("line 2: `192.0.2.300`"), "{}", refused.stderr);
    let missing = run_bare(&setting, &["policy", "import", "nowhere.csv"]).await;
    assert_eq!(missing.exit, 2, "fails again until somebody edits the command: {}", missing.stderr);
}

/// The published map has ids, which nobody can review.
#[tokio::test]
async fn ids_of_an_imported_list_become_people_where_a_portal_is_set() {
    let setting = portal("addresses").await;
    let map = r#"{"c1a0f3de-0000-4000-8000-000000000102": ["192.0.2.1"], "c1a0f3de-0000-4000-8000-000000000103": ["192.0.2.1"], "c1a0f3de-0000-4000-8000-000000000999": ["192.0.2.3"]}"#;
    let json = setting.file("published.json", map);
    let made = run_with(&setting, &["policy", "import", &json]).await;
    assert_eq!(made.exit, 0, "{}", made.stderr);
    assert!(made.stderr.contains("the portal has no person `c1a0f3de-0000-4000-8000-000000000999`"), "{}", made.stderr);
    insta::assert_snapshot!("import_text", made.stdout);
    let user =
        r#"{"id": "c1a0f3de-0000-4000-8000-000000000102", "email": "bob@example.com", "allowedIps": ["192.0.2.1"]}"#;
    let json = setting.file("new-user.json", user);
    let made = run_with(&setting, &["policy", "import", &json]).await;
    assert!(
        made.stdout.contains("label = \"Bob Ray\"\npeople = [\"bob@example.com\"]"),
        "{}{}",
        made.stdout,
        made.stderr
    );
}

/// Right in form, and nobody comes from there.
#[tokio::test]
async fn entries_that_cannot_be_meant_are_no_mistake_and_are_named() {
    let setting = portal("addresses").await;
    setting.file("policy.toml", &POLICY.replace("\"198.51.100.20\"", "\"198.51.100.20\", \"224.0.0.1\""));
    let checked = run(&setting, &["policy", "check"]).await;
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""));
    assert!(
        checked.stdout.contains("1 entry to look at") && !checked.stdout.contains("no mistake"),
        "{}",
        checked.stdout
    );
    assert!(checked.stdout.contains("Line 13: `224.0.0.1` is a multicast address"), "{}", checked.stdout);
    assert_eq!(run(&setting, &["policy", "check", "--exit-code"]).await.exit, 3);
    let doctor = run(&setting, &["doctor"]).await;
    assert!(doctor.stdout.contains("line 13: `224.0.0.1` is a multicast address"), "{}", doctor.stdout);
    let watch = run(&setting, &["--format", "json"]).await;
    assert_eq!(watch.exit, 0, "runs go on");
}

/// A portal with a list that has a bit of everything.
fn listed() -> Scenario {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    scenario.restrict("192.0.2.12", false);
    scenario.restrict("203.0.113.250", false);
    scenario
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
}

fn refusing(report: &Value) -> Vec<&str> {
    let dangers = report["dangers"].as_array().unwrap().iter().filter(|danger| danger["refuses"] == true);
    dangers.map(|danger| danger["kind"].as_str().unwrap()).collect()
}

const ON: &str = "[portal]\nenforce = true\n";

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
        ended.stdout.contains("had the switch been on") && ended.stdout.contains("Switch: stays off"),
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
