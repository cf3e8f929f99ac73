//! What becomes of a list that was written by a process that is gone: each run takes it back, whatever keeps it from looking.

use chrono::TimeDelta;
use cli_test::Clock;
use portal_sim::{Fault, Key};

use crate::apply::{CONFIG, FAST, before, command, confirmed_by, now_at, planned, planned_on, said, scenario, started};
use crate::common::{Setting, portal_with, run};

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
    assert!(!setting.state_file("lock").with_extension("applying").exists());
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
    assert!(
        run.stderr.contains("is to be taken back (switched), and this run may not change anything"),
        "{}",
        run.stderr
    );
    let history = cli_test::run(command(&setting, &["history"], FAST)).await;
    assert_eq!(history.exit, 1, "{}{}", history.stdout, history.stderr);
}

/// A store that is lost must not make runs forget that a list was written.
#[tokio::test]
async fn a_list_of_which_the_memory_is_gone_is_not_passed_over() {
    let setting = left().await;
    for ending in ["sqlite", "sqlite-wal", "sqlite-shm"] {
        std::fs::remove_file(setting.state_file("lock").with_extension(ending)).ok();
    }
    let run = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((run.exit, now_at(&setting.sim).1), (1, true), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("what this program remembers of that is gone or"), "{}", run.stderr);
    // there is a store again, and it knows nothing
    for words in [&[][..], &["rollback"], &["confirm", "--by", "ben"], &["apply", "list.plan", "--without-shadow"]] {
        let again = cli_test::run(command(&setting, words, FAST)).await;
        assert!([1, 3].contains(&again.exit) && now_at(&setting.sim).1, "{words:?}: {}{}", again.stdout, again.stderr);
        assert!(words.is_empty() || !again.stdout.contains("nothing to"), "{words:?}: {}", again.stdout);
        // each run says why it ends with 1
        let said = format!("{}{}", again.stdout, again.stderr);
        assert!(said.contains("what this program remembers of that is gone or"), "{words:?}: {said}");
    }
    let history = cli_test::run(command(&setting, &["history"], FAST)).await;
    assert_eq!(history.exit, 1, "{}{}", history.stdout, history.stderr);
    assert!(
        history.stdout.contains("is gone or cannot be read") && !history.stdout.contains("never written"),
        "{}",
        history.stdout
    );
    std::fs::remove_file(setting.state_file("applying")).unwrap();
    let run = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!(run.exit, 0, "{}{}", run.stdout, run.stderr);
}

/// The process that waits does what somebody asks for by hand, and that is what they are told.
#[tokio::test]
async fn taking_back_by_hand_waits_for_the_process_that_does_it() {
    let setting = planned().await;
    setting.file("ip-fence.toml", &format!("{CONFIG}[alerts.file]\npath = \"alerts.ndjson\"\n"));
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    // who is not at this terminal hears of it, too
    cli_test::until(|| told(&setting).contains("is written. Unless somebody confirms it before")).await;
    let back = cli_test::run(command(&setting, &["rollback", "--by", "ben"], "5")).await;
    assert_eq!((back.exit, now_at(&setting.sim)), (0, before()), "{}{}", back.stdout, back.stderr);
    assert!(back.stdout.contains("was taken back (no reason was given)"), "{}", back.stdout);
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(3));
    let once = told(&setting).matches("was taken back (no reason was given)").count();
    assert!(once > 0 && told(&setting).lines().count() == 3, "written, taken back, restored: {}", told(&setting));
}

/// What the file of alerts holds.
fn told(setting: &Setting) -> String {
    std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap_or_default()
}

/// Whoever has one terminal only presses Ctrl-Z to confirm. A process that is halted would take nothing back, and hold the lock of the runs.
#[cfg(unix)]
#[tokio::test]
async fn a_process_that_waits_is_not_halted() {
    let setting = planned().await;
    let mut apply = command(&setting, &["apply", "list.plan", "--without-shadow"], "200");
    let mut child = apply.stdout(std::process::Stdio::piped()).spawn().unwrap();
    said(&mut child, "is written").await;
    cli_test::send("TSTP", child.id().unwrap()).await;
    said(&mut child, "Not halted").await;
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(3));
    assert_eq!(now_at(&setting.sim), before());
}

/// Nobody else has taken it out, whoever came to take it back.
#[tokio::test]
async fn what_a_run_takes_back_of_a_confirmed_list_is_ours_no_more() {
    let setting = planned_on(portal_with(scenario()).await, CONFIG).await;
    let policy = std::fs::read_to_string(setting.state.path().join("policy.toml")).unwrap();
    setting.file("policy.toml", &policy.replace("[\"192.0.2.12\"]", "[\"192.0.2.12\", \"192.0.2.20\"]"));
    let flags = ["plan", "--config", "ip-fence.toml", "--own-address", "192.0.2.12", "--out", "list.plan"];
    let plan = async || run(&setting, &flags).await.stdout;
    assert!(plan().await.contains("to add (1 entry)"), "{}", plan().await);
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    let confirmed = confirmed_by(&setting, &["--without-witness"]).await;
    assert_eq!(confirmed.exit, 0, "{}{}", confirmed.stdout, confirmed.stderr);
    cli_test::in_time(child.wait()).await.unwrap();
    setting.sim.set_faults(vec![Fault::status(403).on("settings/iprestrictions").method("PUT")]);
    let failed = cli_test::run(command(&setting, &["rollback"], FAST)).await;
    assert_eq!(failed.exit, 1, "{}{}", failed.stdout, failed.stderr);
    setting.sim.set_faults(Vec::new());
    let taken = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!(now_at(&setting.sim), before(), "{}{}", taken.stdout, taken.stderr);
    let again = plan().await;
    assert!(again.contains("to add (1 entry)") && !again.contains("somebody else has taken"), "{again}");
}

/// Settings or a key that cannot be read end a run before it takes anything back: that must not look like any other mistake.
#[tokio::test]
async fn a_run_that_a_mistake_ends_says_that_a_list_waits() {
    let setting = left().await;
    let policy = std::fs::read_to_string(setting.state.path().join("ip-fence.toml")).unwrap();
    let key = "key_file = \"nowhere.key\"\n";
    for (settings, key_file, mistake) in [
        ("[portal\n".to_owned(), None, "ip-fence.toml"),
        (format!("{key}{policy}"), Some("nowhere.key"), "nowhere.key"),
    ] {
        setting.file("ip-fence.toml", &settings);
        let flags: Vec<&str> = key_file.iter().flat_map(|file| ["--key-file", file]).collect();
        let run = cli_test::run(command(&setting, &flags, FAST)).await;
        assert_eq!((run.exit, now_at(&setting.sim).1), (2, true), "{}{}", run.stdout, run.stderr);
        for part in [mistake, "was being applied", "run `sh "] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
    }
    setting.file("ip-fence.toml", &policy);
    let run = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((run.exit, now_at(&setting.sim)), (0, before()), "{}{}", run.stdout, run.stderr);
}
