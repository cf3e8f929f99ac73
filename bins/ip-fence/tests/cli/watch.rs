//! What the program says when it watches.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Fault, FaultKind, Login, Person, Scenario};
use serde_json::Value;

use crate::common::{self, assert_valid, portal, portal_with, run, run_bare, run_with};

const SCHEMA: &str = "ip-fence-1";

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
    let expected = setting.scenario.truth().addresses.iter();
    let expected = expected.map(|found| (found.person.clone(), found.kind.clone(), found.ip.clone())).collect();
    let told = told(&report.json());
    assert_eq!(told, expected);
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
    assert!(
        third.stdout.starts_with("ip-fence: 1 finding\n") && third.stdout.contains("203.0.113.9"),
        "{}",
        third.stdout
    );
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

/// Whatever a portal does in the middle of a run: never silence with exit code 0.
#[tokio::test]
async fn a_failing_portal_is_never_all_quiet() {
    let faults: [(&str, Fault, i32); 7] = [
        ("logins 500", Fault::status(500).on("security/audit/login"), 1),
        ("audit 500", Fault::status(500).on("security/audit/events").after(1), 4),
        ("people 403", Fault::status(403).on("people/filter"), 4),
        ("groups 500", Fault::status(500).on("group"), 4),
        ("list 500", Fault::status(500).on("settings/iprestrictions"), 4),
        ("list 403", Fault::status(403).on("settings/iprestrictions"), 4),
        ("dead key", Fault::status(401), 1),
    ];
    for (name, fault, exit) in faults {
        let setting = portal("addresses").await;
        setting.sim.set_faults(vec![fault]);
        let ended = run(&setting, &[]).await;
        assert_eq!(ended.exit, exit, "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("Not seen:"), "{name}: {}", ended.stdout);
        let accused = ended.stdout.contains("which no rule allows");
        assert!(!accused || !name.starts_with("people"), "{name}: nobody is accused without knowing who is who");
        let report = run(&setting, &["--format", "json"]).await;
        assert_valid(SCHEMA, &report.stdout);
    }
}

/// Without the audit feature the portal shows its newest rows only, whatever is asked.
#[tokio::test]
async fn a_plan_without_the_audit_feature_concludes_nothing() {
    let setting = portal("no-audit").await;
    let ended = run(&setting, &[]).await;
    assert_eq!(ended.exit, 1);
    assert!(
        ended.stdout.contains("nothing can be concluded") && ended.stdout.contains("no audit feature"),
        "{}",
        ended.stdout
    );
}

/// Whatever portal it is: a report that keeps its schema, and an exit code that agrees with what was seen.
#[tokio::test]
async fn every_portal_gives_an_honest_report() {
    for name in portal_sim::BUILTIN {
        let setting = portal(name).await;
        setting.file("policy.toml", "default = \"ignore\"\n[[rule]]\nlabel = \"owner\"\npeople = [\"olga@example.com\"]\nallow = [\"192.0.2.2\"]\n");
        let ended = run(&setting, &["--format", "json"]).await;
        let report = ended.json();
        assert_valid(SCHEMA, &ended.stdout);
        let coverage = &report["coverage"];
        let expected = match (coverage["complete"] == true, coverage["logins"].is_object()) {
            (true, _) => 0,
            (false, true) => 4,
            (false, false) => 1,
        };
        assert_eq!(ended.exit, expected, "{name}: {}", ended.stderr);
    }
}

/// What is typed into a portal cannot act on a terminal.
#[tokio::test]
async fn hostile_text_is_harmless() {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    let nasty = "a\u{1b}[2Jb\u{202e}c@example.com";
    for n in 0..6 {
        scenario.add_login(Login::failure(
            nasty,
            "203.0.113.9\u{7}",
            common::now() - chrono::TimeDelta::minutes(9 - n),
        ));
    }
    let chen = scenario.person_by_email("chen@example.com").unwrap().clone();
    let mut login = Login::success(&chen, common::now() - chrono::TimeDelta::minutes(3));
    login.ip = "x\u{1b}]0;owned\u{7}".to_owned();
    login.country = Some("\u{202e}ecnarF".to_owned());
    scenario.add_login(login);
    let setting = portal_with(scenario).await;
    let ended = run(&setting, &[]).await;
    assert!(ended.stdout.contains("\\u{1b}[2J") && ended.stdout.contains("x\\u{1b}]0;owned\\u{7}"), "{}", ended.stdout);
    assert!(!ended.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']));
}

#[tokio::test]
async fn mistakes_in_the_policy_are_told_at_once_with_file_and_line() {
    let setting = portal("addresses").await;
    setting.file("policy.toml", "[[rule]]\nlabel = \"a\"\npeople = [\"ana@example.com\", \"bob@example.com\"]\ngroups = [\"Stuff\"]\nallow = []\n");
    let unknown = run(&setting, &[]).await;
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""));
    for part in ["policy.toml, line 3", "did you mean `anna@example.com`?", "line 4", "did you mean `Staff`?"] {
        assert!(unknown.stderr.contains(part), "{part}: {}", unknown.stderr);
    }
    setting.file("policy.toml", "[[rule]]\nlabel = \"a\"\nalow = []\n");
    let before = setting.sim.requests().len();
    let broken = run(&setting, &[]).await;
    assert_eq!(broken.exit, 2);
    assert!(broken.stderr.contains("did you mean `allow`?") && broken.stderr.lines().count() >= 3, "{}", broken.stderr);
    assert!(setting.sim.requests().iter().skip(before).all(|request| !request.target.contains("login/filter")));
    let missing = run_with(&setting, &["--policy", "/nowhere/policy.toml"]).await;
    assert_eq!(missing.exit, 2);
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

/// What was read of the window is judged; whether somebody was disabled then is not known, and is not said.
#[tokio::test]
async fn a_trail_that_ends_before_today_tells_nobodys_status() {
    let until = (common::now() - TimeDelta::hours(6)).to_rfc3339();
    let rest = ["--policy", "policy.toml", "--until", &until, "--format", "json"];
    // as many requests as it takes without anybody disabled
    let setting = portal("addresses").await;
    setting.sim.edit(|scenario| scenario.people.iter_mut().for_each(|person| person.status = 1));
    let url = setting.sim.url();
    run_bare(&setting, &[&["--portal", &url], &rest[..]].concat()).await;
    let asked = setting.sim.requests().iter().filter(|request| request.target.contains("audit/events")).count();
    let setting = portal("addresses").await;
    let asked = u32::try_from(asked).unwrap();
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events").after(asked)]);
    let url = setting.sim.url();
    let ended = run_bare(&setting, &[&["--portal", &url], &rest[..]].concat()).await;
    let report = ended.json();
    assert!(!told(&report).into_iter().any(|(_, kind, _)| kind == "disabled"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("Gil Gone is disabled today; whether that was so before is not known"),
        "{}",
        ended.stdout
    );
    assert_eq!((ended.exit, report["coverage"]["complete"].as_bool()), (0, Some(true)), "the window was read");
}

/// Off-boarding must not blind the watch, and neither must any admin who renames a group.
#[tokio::test]
async fn somebody_who_left_is_a_note_and_everybody_else_is_judged() {
    let setting = portal("addresses").await;
    let people = |run: &Value| told(run).into_iter().map(|(person, kind, _)| (person, kind)).collect::<BTreeSet<_>>();
    let before = people(&run(&setting, &["--format", "json"]).await.json());
    setting.sim.edit(|scenario| {
        scenario.people.retain(|person| person.email != "bob@example.com");
        let mut fay = scenario.people.iter_mut().filter(|person| person.email == "fay@example.com");
        fay.next().unwrap().email = "faith@example.com".to_owned();
        scenario.content.groups[0].name = "Everybody here".to_owned();
    });
    let ended = run(&setting, &["--format", "json"]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let notes = run(&setting, &["policy", "check"]).await;
    assert_eq!(notes.exit, 0, "{}", notes.stderr);
    for part in
        ["`BOB@example.com` (line 12) is gone from the portal", "`Staff` (line 6) is called \"Everybody here\" now"]
    {
        assert!(notes.stdout.contains(part), "{part}: {}", notes.stdout);
    }
    let now = people(&ended.json());
    // an account that is gone is one that no rule names
    let left = before.iter().filter(|(person, kind)| person != "fay@example.com" && kind != "unnamed");
    assert!(left.clone().all(|found| now.contains(found)), "{before:?} {now:?}");
    // a name that was never known is a mistake all the same
    setting.file("policy.toml", &common::POLICY.replace("chen@", "chenn@"));
    assert_eq!(run(&setting, &[]).await.exit, 2);
}

/// Nobody knows who is who, so nobody was judged, although every login was read. The next run judges, however much later.
#[tokio::test]
async fn what_was_read_without_the_list_of_people_is_judged_by_the_next_run() {
    let setting = portal("addresses").await;
    let expected = {
        let same = portal("addresses").await;
        told(&run(&same, &["--format", "json"]).await.json())
    };
    setting.sim.set_faults(vec![Fault::status(500).on("people/filter")]);
    let blind = run(&setting, &["--format", "json"]).await;
    assert_eq!((blind.exit, told(&blind.json()).len()), (4, 0), "{}", blind.stderr);
    setting.sim.set_faults(Vec::new());
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::days(4));
    let url = setting.sim.url();
    let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
    let later = common::run_bare(&setting, &arguments).await;
    let found = told(&later.json());
    assert!(!expected.is_empty() && expected.is_subset(&found), "{expected:?} {found:?}");
    assert_eq!(later.exit, 0, "{}", later.stderr);
}

/// The same for logins that the portal did not give.
#[tokio::test]
async fn logins_that_could_not_be_read_are_judged_by_the_next_run() {
    let setting = portal("addresses").await;
    let expected = {
        let same = portal("addresses").await;
        told(&run(&same, &["--format", "json"]).await.json())
    };
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/login")]);
    let blind = run(&setting, &["--format", "json"]).await;
    assert!(matches!(blind.exit, 1 | 4), "{}", blind.stderr);
    setting.sim.set_faults(Vec::new());
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::days(4));
    let url = setting.sim.url();
    let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
    let later = common::run_bare(&setting, &arguments).await;
    let found = told(&later.json());
    assert!(expected.is_subset(&found), "{expected:?} {found:?}");
}

#[tokio::test]
async fn a_clock_that_is_behind_is_no_all_clear() {
    let mut setting = portal("addresses").await;
    setting.clock = cli_test::Clock::At(common::now() - chrono::TimeDelta::hours(2));
    let url = setting.sim.url();
    let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
    let ended = common::run_bare(&setting, &arguments).await;
    let gaps = ended.json()["coverage"]["gaps"].as_array().unwrap().clone();
    let skewed: Vec<&str> =
        gaps.iter().filter(|gap| gap["why"] == "clock_skew").map(|gap| gap["what"].as_str().unwrap()).collect();
    assert_eq!((ended.exit, skewed), (4, vec!["audit", "logins"]), "{gaps:?}");
}

/// Somebody has signed in, whatever else can be read. When the portal lists its logins again, all of them are read.
#[tokio::test]
async fn an_empty_login_history_is_not_believed_where_the_audit_trail_failed() {
    let setting = portal("addresses").await;
    let silence = FaultKind::FewerRows { drop: None, at: None, total: None };
    setting.sim.set_faults(vec![
        Fault::status(502).on("security/audit/events/filter").after(1),
        Fault::new(silence).on("security/audit/login/filter").times(2),
    ]);
    let ended = run(&setting, &["--format", "json"]).await;
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("\"nothing_recorded\""), "{}", ended.stdout);
    setting.sim.set_faults(Vec::new());
    let json = |run: &Value| (run["coverage"]["logins"]["rows"].clone(), told(run));
    let ended = run(&setting, &["--format", "json"]).await;
    let fresh = run(&portal("addresses").await, &["--format", "json"]).await;
    let [after, expected] = [&ended, &fresh].map(|run| json(&serde_json::from_str(&run.stdout).unwrap()));
    assert_eq!((ended.exit, after), (fresh.exit, expected));
}

/// The audit trail is asked about first, and its failure is not that of the login history.
#[tokio::test]
async fn logins_are_judged_while_the_audit_trail_cannot_be_read() {
    let setting = portal("addresses").await;
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events/filter")]);
    let ended = run(&setting, &["--format", "json"]).await;
    let report = ended.json();
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    let named: BTreeSet<&str> = gaps.iter().map(|gap| gap["what"].as_str().unwrap()).collect();
    assert_eq!((ended.exit, named), (4, BTreeSet::from(["audit"])), "{} {}", report["coverage"], ended.stderr);
    assert!(!told(&report).is_empty(), "logins are judged");
}

#[tokio::test]
async fn every_form_of_the_report_tells_the_same_people() {
    let setting = portal("addresses").await;
    let flags = ["--policy", "policy.toml"];
    let named = ["Anna Schmidt", "Chen Li", "Dora O'Brien", "Emil Jørgensen", "Fay Wood", "Gil Gone", "Hana Sato"];
    cli_test::contract::reports(&setting, &flags, &[&named[..], &["many accounts"]].concat()).await;
}
