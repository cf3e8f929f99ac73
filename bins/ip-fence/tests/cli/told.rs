//! Who is told what, once: what the program says when it watches.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Login, Person, Scenario};
use serde_json::Value;

use crate::common::{self, SCHEMA, Setting, assert_valid, portal, portal_with, run, run_bare, run_with, told};

/// A line for each finding, and the published list of events in numbers; whole findings are in the tests of the report.
fn in_short(report: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |finding: &Value| {
        format!(
            "{:<8} {:<12} {:<22} {:<18} {} actions, {} logins, {} of {} rows, {}\n",
            text(&finding["severity"]),
            text(&finding["kind"]),
            text(&finding["person"]["name"]),
            text(&finding["place"]),
            finding["counts"]["acts"],
            finding["logins"],
            finding["evidence"].as_array().unwrap().len(),
            finding["evidence_total"],
            text(&finding["fingerprint"]),
        )
    };
    let events = report["events"].as_array().unwrap();
    let of = |source: &str| events.iter().filter(|event| event["raw"]["source"] == source).count();
    let findings: String = report["findings"].as_array().unwrap().iter().map(line).collect();
    format!("{findings}events: {} logins, {} of the audit trail\n", of("logins"), of("audit"))
}

#[tokio::test]
async fn the_truth_of_the_scenario_is_told() {
    let setting = portal("addresses").await;
    let (text, report) = (run(&setting, &[]).await, run(&setting, &["--format", "json"]).await);
    let told = told(&report.json());
    assert_eq!(told, truth(&setting));
    for innocent in &setting.scenario.truth().not_found {
        assert!(!told.iter().any(|(person, ..)| *person == innocent.person), "{}", innocent.why);
    }
    assert_valid(SCHEMA, &report.stdout);
    insta::assert_snapshot!("addresses_text", text.stdout);
    insta::assert_snapshot!("addresses_findings", in_short(&report.json()));
    assert_eq!((text.exit, report.exit), (0, 0));
    assert_eq!((text.stderr.as_str(), report.stderr.as_str()), ("", ""));
    let forbidden = setting.sim.requests().into_iter().find(|request| request.forbidden_fields);
    assert!(forbidden.is_none(), "{forbidden:?}");
    assert!(setting.sim.requests().iter().all(|request| request.method == "GET"), "nothing is ever written");
}

/// All that a scenario says must be told.
fn truth(setting: &Setting) -> BTreeSet<(String, String, String)> {
    let expected = setting.scenario.truth().addresses.iter();
    expected.map(|found| (found.person.clone(), found.kind.clone(), found.ip.clone())).collect()
}

/// Whoever has left costs the watch nothing but their own name, and what they did before is judged by the groups that they were in.
#[tokio::test]
async fn a_leaver_in_the_policy_is_a_note() {
    let setting = portal("leaver").await;
    let gil = "[[rule]]\nlabel = \"gil\"\npeople = [\"gil@example.com\"]\nallow = [\"198.51.100.17\"]\n";
    setting.file("policy.toml", &format!("{}\n{gil}", common::POLICY));
    let first = run(&setting, &["--format", "json"]).await;
    assert!(told(&first.json()).iter().any(|(person, kind, _)| person == "gil@example.com" && kind == "disabled"));
    // clocks may differ by a minute
    setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(5));
    let until = (common::now() + TimeDelta::minutes(5)).to_rfc3339();
    let arguments = ["--portal", &setting.sim.url(), "--policy", "policy.toml", "--until", &until, "--format", "json"];
    let second = run_bare(&setting, &arguments).await;
    assert_eq!((second.exit, told(&second.json())), (0, truth(&setting)), "{}{}", second.stdout, second.stderr);
    assert!(
        second.stdout.contains("the account `gil@example.com` (line 24) is gone from the portal"),
        "{}",
        second.stdout
    );
}

/// Nothing new: whether the audit filter works, a page of each history and whether it is the last, how long logins are kept, people,
/// groups with their members, the list and its switch.
#[tokio::test]
async fn a_run_with_nothing_new_asks_few_questions() {
    let setting = portal("addresses").await;
    run(&setting, &[]).await;
    let before = setting.sim.requests().len();
    run(&setting, &[]).await;
    let asked: Vec<String> = setting.sim.requests().into_iter().skip(before).map(|request| request.target).collect();
    assert!(asked.len() <= 11, "{asked:#?}");
}

/// What people know already is not told again, until something changes.
#[tokio::test]
async fn a_second_run_is_silent_until_there_is_more() {
    let setting = portal("addresses").await;
    run(&setting, &[]).await;
    let second = run(&setting, &[]).await;
    assert_eq!((second.exit, second.stdout.as_str(), second.stderr.as_str()), (0, "", ""));
    let known = run(&setting, &["--format", "json"]).await.json();
    assert!(known["findings"].as_array().unwrap().iter().all(|finding| finding["state"] == "known"));
    // another network is another matter
    setting.sim.edit(|scenario| {
        let bob = scenario.person_by_email("bob@example.com").unwrap().clone();
        let mut login = Login::success(&bob, common::now() - chrono::TimeDelta::minutes(5));
        login.ip = "203.0.113.9".to_owned();
        scenario.add_login(login);
    });
    let third = run(&setting, &[]).await;
    let first = third.stdout.lines().next().unwrap();
    assert!(first.starts_with("ip-fence: MEDIUM Bob Ray: ") && first.contains("203.0.113.9"), "{}", third.stdout);
    // and so is what the policy says: that is a new question to everybody
    setting.file("policy.toml", &common::POLICY.replace("192.0.2.0/24", "192.0.2.0/25"));
    assert!(run(&setting, &[]).await.stdout.contains("203.0.113.9"));
}

#[tokio::test]
async fn findings_change_the_exit_code_only_when_asked() {
    let setting = portal("addresses").await;
    assert_eq!(run(&setting, &["--exit-code"]).await.exit, 3);
}

/// Nothing to find, and nothing to say.
#[tokio::test]
async fn a_quiet_day_prints_nothing() {
    let setting = portal("quiet").await;
    let everybody = "c5cc67d1-c3e8-43c0-a3ad-3928ae3e5b5e";
    let policy = format!(
        "[[rule]]\nlabel = \"all\"\ngroups = [\"{everybody}\"]\nallow = [\"192.0.2.0/24\", \"198.51.100.0/24\"]\n"
    );
    setting.file("policy.toml", &policy);
    // one of them comes over IPv6, and that is told, once
    let first = run(&setting, &["--format", "json"]).await;
    assert_eq!(told(&first.json()).into_iter().map(|(_, kind, _)| kind).collect::<Vec<_>>(), ["cannot_judge"]);
    assert_valid(SCHEMA, &first.stdout);
    assert_eq!(run(&setting, &[]).await.stdout, "");
}

/// Countries are a habit of what is remembered, not of what one window holds.
#[tokio::test]
async fn a_new_country_is_told_with_its_caveat() {
    let setting = portal("addresses").await;
    let earlier = (common::now() - TimeDelta::days(2)).to_rfc3339();
    let earlier = run_bare(&setting, &["--portal", &setting.sim.url(), "--until", &earlier, "--since", "14d"]).await;
    assert!(!earlier.stdout.contains("for the first time"), "a habit first: {}", earlier.stdout);
    let text = run(&setting, &[]).await;
    assert!(text.stdout.contains("signed in from France for the first time"), "{}", text.stdout);
    assert!(text.stdout.contains("VPNs, mobile networks and private relays"), "{}", text.stdout);
    let report = run(&setting, &["--format", "json"]).await.json();
    let found: Vec<_> = told(&report).into_iter().filter(|(_, kind, _)| kind == "new_country").collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "chen@example.com");
}

/// The machine was off for a week. The run after it learns from that week what is usual, and tells what is not.
#[tokio::test]
async fn a_new_country_is_told_by_the_long_run_after_a_pause() {
    let mut scenario = Scenario::empty(common::now());
    let bob = Person::new("bob@example.com", "Bob", "X");
    scenario.people.push(bob.clone());
    let mut sign_in = |country: &str, at| {
        let mut login = Login::success(&bob, at);
        login.country = Some(country.to_owned());
        scenario.add_login(login);
    };
    (1..9).for_each(|day| sign_in("Germany", common::now() - TimeDelta::days(day)));
    (1..4).for_each(|hours| sign_in("France", common::now() - TimeDelta::hours(hours)));
    let setting = portal_with(scenario).await;
    let (url, week_ago) = (setting.sim.url(), (common::now() - TimeDelta::days(7)).to_rfc3339());
    let usual = ["--portal", url.as_str(), "--format", "json"];
    let first = run_bare(&setting, &[&usual[..], &["--until", &week_ago]].concat()).await;
    assert_eq!(first.exit, 0, "{}", first.stderr);
    let report = run_bare(&setting, &usual).await.json();
    let found: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == "new_country").collect();
    assert_eq!((found.len(), found[0]["logins"].as_u64(), found[0]["place"].as_str()), (1, Some(3), Some("France")));
}

/// Inside a company a private address is an address; outside it cannot be anybody's.
#[tokio::test]
async fn private_addresses_are_judged_by_whether_the_portal_is_public() {
    let setting = portal("addresses").await;
    let config = setting.file("ip-fence.toml", "[portal]\npublic = true\n");
    let report = run(&setting, &["--config", &config, "--format", "json"]).await.json();
    let fay: Vec<_> = told(&report).into_iter().filter(|(person, ..)| person == "fay@example.com").collect();
    assert_eq!(fay[0].1, "cannot_judge");
}

/// Without a policy nobody is accused, and the report says what is still looked at.
#[tokio::test]
async fn without_a_policy_only_the_rest_is_judged() {
    let setting = portal("addresses").await;
    let report = run_with(&setting, &["--format", "json"]).await;
    let kinds: BTreeSet<String> = told(&report.json()).into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>(),
        ["address_set", "disabled", "failed_burst", "spraying"]
    );
    assert!(report.stdout.contains("no policy is set"));
    assert_valid(SCHEMA, &report.stdout);
}

/// The portal decodes names in a query before it believes them.
#[tokio::test]
async fn an_address_that_a_request_set_is_known_however_its_query_is_written() {
    let mut scenario = Scenario::builtin("quiet", common::now()).unwrap();
    let person = scenario.people.iter().find(|person| person.status == 1).unwrap().clone();
    for (minutes, query) in [(9, "request%2Dx%2Dreal%2Dip=192.0.2.7"), (8, "REQUEST-X-real-i%70=192.0.2.7")] {
        let mut login = Login::success(&person, common::now() - TimeDelta::minutes(minutes));
        login.page = Some(format!("https://docs.example.com/api/2.0/authentication?{query}"));
        login.ip = "192.0.2.7".to_owned();
        scenario.add_login(login);
    }
    let setting = portal_with(scenario).await;
    let report = run_with(&setting, &["--format", "json"]).await.json();
    let set = report["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "address_set").unwrap();
    assert_eq!((set["logins"].as_u64(), set["severity"].as_str()), (Some(2), Some("high")), "{set}");
}

/// What is told of one person passes for told of nobody else, and the list is left to runs that tell of it.
#[tokio::test]
async fn a_run_about_one_person_leaves_everybody_else_to_the_others() {
    let setting = portal("addresses").await;
    run_bare(&setting, &["--portal", &setting.sim.url(), "--until", "3d"]).await;
    setting.sim.edit(|scenario| scenario.restrict("203.0.113.9", false));
    let flags = ["--person", "CHEN@example.com", "--format", "json"];
    let one = run(&setting, &flags).await;
    let people: BTreeSet<String> = told(&one.json()).into_iter().map(|(person, ..)| person).collect();
    assert_eq!(people.into_iter().collect::<Vec<_>>(), ["chen@example.com"]);
    assert!(one.stdout.contains("only findings about CHEN@example.com are reported"), "{}", one.stdout);
    let all = run(&setting, &["--format", "json"]).await.json();
    let news = all["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] == "new");
    let kinds: BTreeSet<&str> = news.map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert!(["list_changed", "failed_burst", "unnamed"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let unknown = run(&setting, &["--person", "chenn@example.com"]).await;
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""), "{}", unknown.stderr);
    for nobody in [&["--person", ""][..], &["policy", "test", " ", "192.0.2.1"]] {
        let ended = run(&setting, nobody).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{nobody:?} {}", ended.stderr);
        assert!(ended.stderr.contains("is empty"), "{nobody:?} {}", ended.stderr);
    }
}

/// Somebody was disabled yesterday. A missed run of the day before, repeated today, must not accuse what they did then.
#[tokio::test]
async fn people_are_judged_by_what_they_were_at_the_time() {
    let disabled = |report: &Value| told(report).into_iter().any(|(_, kind, _)| kind == "disabled");
    let setting = portal("addresses").await;
    let past = |hours| (common::now() - TimeDelta::hours(hours)).to_rfc3339();
    let (url, until) = (setting.sim.url(), past(6));
    let window = ["--portal", &url, "--policy", "policy.toml", "--until", &until, "--format", "json"];
    let before = run_bare(&setting, &window).await;
    assert!(disabled(&before.json()), "the trail up to today says nothing else: {}", before.stdout);
    let setting = portal("addresses").await;
    setting.sim.edit(|scenario| {
        let person = |email: &str| scenario.person_by_email(email).unwrap().id;
        let (anna, gil) = (person("anna@example.com"), person("gil@example.com"));
        let mut event = portal_sim::Event::new(4020, anna, common::now() - TimeDelta::hours(2));
        event.target = vec![gil.to_string()];
        scenario.add_event(event);
    });
    let url = setting.sim.url();
    let window = ["--portal", &url, "--policy", "policy.toml", "--until", &until, "--format", "json"];
    let repeated = run_bare(&setting, &window).await;
    assert!(!disabled(&repeated.json()), "{}", repeated.stdout);
    assert_eq!(repeated.exit, 0, "{}", repeated.stderr);
}

/// A receiver that only has the alert knows what kind of finding it is, and from where.
#[tokio::test]
async fn an_alert_says_what_the_report_says() {
    let setting = portal("addresses").await;
    setting.file("ip-fence.toml", "[alerts.file]\npath = \"alerts.ndjson\"\n");
    let report = run(&setting, &["--config", "ip-fence.toml", "--format", "json"]).await.json();
    let alerts = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap();
    let alerts: Vec<serde_json::Value> = alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(alerts.len(), findings.len());
    for finding in findings {
        let alert = alerts.iter().find(|alert| alert["matter"] == finding["matter"]).unwrap();
        for member in ["kind", "place", "logins", "what_to_do"] {
            assert_eq!(alert[member], finding[member], "{member}");
        }
        assert!(alert["kind"].is_string(), "{alert}");
    }
}

/// Somebody types Bob's address and a wrong password, once a minute.
fn guess(setting: &Setting, minutes: std::ops::Range<i64>) {
    setting.sim.edit(|portal| {
        for minute in minutes {
            let at = common::now() + chrono::TimeDelta::minutes(minute);
            portal.add_login(Login::failure("bob@example.com", "203.0.113.99", at));
        }
    });
}

/// A run by cron: the number of each burst, with its state.
async fn guessed(setting: &Setting, since: &str) -> Vec<(u64, String)> {
    let url = setting.sim.url();
    let arguments = ["--portal", &url, "--since", since, "--format", "json"];
    let report = common::run_bare(setting, &arguments).await.json();
    let bursts = report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "failed_burst");
    bursts.map(|one| (one["counts"]["acts"].as_u64().unwrap(), one["state"].as_str().unwrap().to_owned())).collect()
}

/// A window that slides past the beginning of a burst takes nothing from its number.
#[tokio::test]
async fn guessing_that_goes_on_keeps_its_whole_number() {
    let setting = portal("quiet").await;
    guess(&setting, -20..-8);
    assert_eq!(guessed(&setting, "30m").await, [(12, "new".to_owned())]);
    guess(&setting, -8..4);
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::minutes(25));
    assert_eq!(guessed(&setting, "30m").await, [(24, "grown".to_owned())]);
}

/// Failed logins that the portal stored late are too many only together with those that were there before.
#[tokio::test]
async fn guessing_of_which_half_came_late_is_found() {
    let setting = portal("quiet").await;
    guess(&setting, -90..-87);
    assert_eq!(guessed(&setting, "5h").await, []);
    guess(&setting, -87..-84);
    assert_eq!(guessed(&setting, "30m").await, [(6, "new".to_owned())]);
    assert_eq!(guessed(&setting, "30m").await, []);
}
