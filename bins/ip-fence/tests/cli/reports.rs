//! The forms of the report.

use portal_sim::{Login, Scenario};

use crate::common::{self, portal_with, run};

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
