//! What becomes of a list that was written by a process that is gone: each run takes it back, whatever keeps it from looking.

use chrono::TimeDelta;
use cli_test::Clock;
use portal_sim::Key;

use crate::apply::{CONFIG, FAST, before, command, now_at, planned, said, started};
use crate::common::Setting;

/// A list that was written an hour ago, and nobody to take it back.
async fn left() -> Setting {
    let setting = planned().await;
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    child.kill().await.unwrap();
    setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
    assert!(now_at(&setting.sim).1);
    setting
}

#[tokio::test]
async fn a_key_that_the_list_refuses_keeps_no_run_from_taking_back() {
    let mut setting = left().await;
    let anna = setting.scenario.person_by_email("anna@example.com").unwrap();
    let refused = Key { from: Some("203.0.113.9".parse().unwrap()), ..Key::of(anna) };
    setting.sim.edit(|scenario| scenario.keys.push(refused.clone()));
    setting.file("apply.key", &setting.key);
    setting.file("ip-fence.toml", &format!("apply_key_file = \"apply.key\"\n{CONFIG}"));
    setting.key = refused.key;
    let run = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((run.exit, now_at(&setting.sim)), (1, before()), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("was taken back"), "{}{}", run.stdout, run.stderr);
}

#[tokio::test]
async fn a_mistake_in_the_policy_keeps_no_run_from_taking_back() {
    let setting = left().await;
    setting.file("policy.toml", "[[rule]]\n");
    let run = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((run.exit, now_at(&setting.sim)), (2, before()), "{}{}", run.stdout, run.stderr);
}

#[tokio::test]
async fn a_clock_that_is_wrong_keeps_no_run_from_taking_back() {
    for hours in [-3, 3] {
        let mut setting = left().await;
        setting.clock = Clock::At(setting.sim.now() + TimeDelta::hours(hours));
        let run = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!((run.exit, now_at(&setting.sim)), (4, before()), "{hours}: {}{}", run.stdout, run.stderr);
    }
}

/// It changes nothing, and says what it leaves.
#[tokio::test]
async fn a_dry_run_does_not_say_all_quiet_of_a_list_that_is_overdue() {
    let setting = left().await;
    let run = cli_test::run(command(&setting, &["--dry-run"], FAST)).await;
    assert_eq!((run.exit, now_at(&setting.sim).1), (1, true), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("is to be taken back (switched), which a dry run does not do"), "{}", run.stderr);
    let history = cli_test::run(command(&setting, &["history"], FAST)).await;
    assert_eq!(history.exit, 1, "{}{}", history.stdout, history.stderr);
}
