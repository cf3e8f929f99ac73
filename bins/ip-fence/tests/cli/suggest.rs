//! `suggest`: a policy from what was seen.

use chrono::TimeDelta;
use cli_test::Run;
use portal_sim::{Event, Login, Scenario};

use crate::common::{self, Setting, assert_valid, portal_with, run, run_with};

const SUGGEST: &str = "ip-fence-suggest-1";

/// Forty days of the people of the scenario: an office, Bob's home, and whoever guessed Chen's password.
fn forty_days() -> Scenario {
    let mut scenario = Scenario::builtin("addresses", common::now()).unwrap();
    scenario.logins.clear();
    scenario.events.clear();
    scenario.condition.login_lifetime = 180;
    let person =
        |scenario: &Scenario, name: &str| scenario.person_by_email(&format!("{name}@example.com")).unwrap().clone();
    let (anna, bob) = (person(&scenario, "anna"), person(&scenario, "bob"));
    let (chen, dora) = (person(&scenario, "chen"), person(&scenario, "dora"));
    for day in (0..40).rev() {
        let morning = common::now() - TimeDelta::days(day) - TimeDelta::hours(1);
        for (number, colleague) in [&anna, &bob, &chen].into_iter().enumerate() {
            let ip = format!("192.0.2.{}", 10 + (day + number as i64) % 2);
            scenario.add_login(Login { ip, ..Login::success(colleague, morning) });
        }
        scenario.add_event(Event::new(5009, anna.id, morning).ip("192.0.2.10"));
        let evening = morning - TimeDelta::hours(12);
        scenario.add_login(Login { ip: "198.51.100.20".to_owned(), ..Login::success(&bob, evening) });
        let train = Login { ip: format!("203.0.{day}.7"), ..Login::success(&dora, evening) };
        scenario.add_login(train);
        if day < 20 {
            let night = morning - TimeDelta::hours(5);
            for minute in 0..10 {
                let wrong = Login::failure("chen@example.com", "198.51.100.66", night + TimeDelta::minutes(minute));
                scenario.add_login(wrong);
            }
            let right = Login::success(&chen, night + TimeDelta::minutes(20));
            scenario.add_login(Login { ip: "198.51.100.66".to_owned(), ..right });
        }
    }
    scenario
}

async fn suggest(setting: &Setting, extra: &[&str]) -> Run {
    run_with(setting, &[&["suggest", "--since", "60d"], extra].concat()).await
}

#[tokio::test]
async fn what_is_suggested_is_a_policy_and_changes_nothing() {
    let setting = portal_with(forty_days()).await;
    run(&setting, &[]).await;
    let remembered = std::fs::read(setting.state_file("sqlite")).unwrap();
    let made = suggest(&setting, &[]).await;
    let json = suggest(&setting, &["--format", "json"]).await;
    assert_eq!((made.exit, made.stderr.as_str()), (0, ""), "{}", json.stdout);
    insta::assert_snapshot!("suggest_run_text", made.stdout);
    assert!(setting.sim.requests().iter().all(|request| request.method == "GET"), "nothing is written to the portal");
    assert_eq!(std::fs::read(setting.state_file("sqlite")).unwrap(), remembered, "nor to the store");
    setting.file("policy.toml", &made.stdout);
    let checked = run(&setting, &["policy", "check", "--exit-code"]).await;
    assert_eq!(checked.exit, 0, "{}{}", checked.stdout, checked.stderr);
    assert!(checked.stdout.starts_with("2 rules for 3 of 14 people, no errors"), "{}", checked.stdout);
    assert_valid(SUGGEST, &json.stdout);
    insta::assert_snapshot!("suggest_run_json", json.stdout);
    let same = suggest(&setting, &["--against", "policy.toml", "--format", "json"]).await;
    assert_valid(SUGGEST, &same.stdout);
    assert_eq!(same.json()["against"]["new"], serde_json::json!([]), "{}", same.stdout);
    setting.file("old.toml", common::POLICY);
    let old = suggest(&setting, &["--against", "old.toml"]).await;
    assert!(old.stdout.contains("Nothing is new.") && !old.stdout.contains("line 5"), "{}{}", old.stdout, old.stderr);
    let wrong = suggest(&setting, &["--against", "nowhere.toml"]).await;
    assert_eq!((wrong.exit, wrong.stdout.as_str()), (2, ""), "{}", wrong.stderr);
}

#[tokio::test]
async fn a_history_with_holes_is_said_to_have_them() {
    let mut scenario = forty_days();
    let anna = scenario.person_by_email("anna@example.com").unwrap().clone();
    scenario.add_login(Login::poison(&anna, common::now() - TimeDelta::days(9)));
    let setting = portal_with(scenario).await;
    let holes = suggest(&setting, &[]).await;
    assert_eq!(holes.exit, 4, "{}{}", holes.stdout, holes.stderr);
    assert!(holes.stdout.starts_with("# INCOMPLETE"), "{}", holes.stdout);
}
