//! `apply`, `confirm`, `rollback`, `history`: what is written to the portal, and what is taken back.

use chrono::TimeDelta;
use cli_test::{Run, kill_at};
use portal_sim::{Fault, FaultKind, Login, PortalSim};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::common::{self, Setting, listed, portal_with, run, run_bare};

const CONFIG: &str = "[portal]\nenforce = true\n";

const POLICY: &str = "default = \"ignore\"\n[[rule]]\nlabel = \"desk\"\ngroups = [\"Staff\"]\npeople = [\"hana@example.com\"]\nallow = [\"192.0.2.12\"]\n";

/// A portal whose list is off, a plan that takes one entry out and switches it on, and a store.
async fn planned() -> Setting {
    let mut scenario = listed();
    scenario.logins.retain(|login| login.ip == "192.0.2.12");
    let bob = scenario.person_by_email("bob@example.com").unwrap().clone();
    scenario.add_login(Login::success(&bob, common::now() - TimeDelta::days(20)));
    scenario.events.retain(|event| event.ip.as_deref() == Some("192.0.2.12"));
    let setting = portal_with(scenario).await;
    setting.file("policy.toml", POLICY);
    setting.file("ip-fence.toml", CONFIG);
    run(&setting, &["--config", "ip-fence.toml"]).await;
    let flags = ["plan", "--config", "ip-fence.toml", "--own-address", "192.0.2.12", "--own-all", "--out", "list.plan"];
    let ended = run(&setting, &flags).await;
    assert_eq!(ended.exit, 0, "{}{}", ended.stdout, ended.stderr);
    setting
}

/// A process's own clock goes so many times faster: 15 minutes are over within a second.
const FAST: &str = "2000";

/// So slow that somebody can confirm.
const SLOW: &str = "30";

fn command(setting: &Setting, words: &[&str], pace: &str) -> Command {
    let url = setting.sim.url();
    let flags = ["--portal", &url, "--policy", "policy.toml", "--config", "ip-fence.toml"];
    let mut command = setting.command(&[words, &flags].concat());
    command.env("AUDIT_TOOLS_TEST_PACE", pace).env("USER", "olga");
    command
}

async fn applied(setting: &Setting) -> Run {
    cli_test::run(command(setting, &["apply", "list.plan", "--without-shadow"], FAST)).await
}

fn started(setting: &Setting) -> Child {
    let mut command = command(setting, &["apply", "list.plan", "--without-shadow"], SLOW);
    command.stdout(std::process::Stdio::piped()).spawn().unwrap()
}

fn path(setting: &Setting, name: &str) -> std::path::PathBuf {
    setting.state.path().join(name)
}

fn puts(sim: &PortalSim) -> usize {
    sim.requests().iter().filter(|request| request.method == "PUT").count()
}

/// Entries and switch, as they are at the portal.
fn now_at(sim: &PortalSim) -> (Vec<String>, bool) {
    let mut list = (Vec::new(), false);
    sim.edit(|scenario| {
        let restrictions = &scenario.condition.restrictions;
        list = (restrictions.entries.iter().map(|entry| entry.ip.clone()).collect(), restrictions.enabled);
    });
    list.0.sort();
    list
}

fn before() -> (Vec<String>, bool) {
    (vec!["192.0.2.12".to_owned(), "203.0.113.250".to_owned()], false)
}

/// A digest says which plan it is, and a clock when.
fn comparable(setting: &Setting, text: &str) -> String {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path(setting, "list.plan")).unwrap()).unwrap();
    let text =
        text.replace(file["id"].as_str().unwrap(), "PLAN").replace(&setting.sim.url(), "https://docs.example.com/");
    let folder = path(setting, "").display().to_string();
    text.replace(folder.trim_end_matches('/'), "FOLDER")
}

#[tokio::test]
async fn a_list_that_somebody_confirms_stays() {
    let setting = planned().await;
    let mut child = started(&setting);
    cli_test::until(|| puts(&setting.sim) == 2 && now_at(&setting.sim).1).await;
    setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(1));
    let confirm = ["confirm", "--by", "ben"];
    let mut refused = Run { stdout: String::new(), stderr: String::new(), exit: 0 };
    for _ in 0..50 {
        refused = cli_test::run(command(&setting, &confirm, SLOW)).await;
        if refused.stdout.contains("nobody but the owner") {
            break;
        }
    }
    assert_eq!(refused.exit, 1, "{}{}", refused.stdout, refused.stderr);
    insta::assert_snapshot!("confirm_without_witness", refused.stdout);
    setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(1));
    let confirmed = cli_test::run(command(&setting, &[&confirm[..], &["--without-witness"]].concat(), SLOW)).await;
    assert_eq!(confirmed.exit, 0, "{}{}", confirmed.stdout, confirmed.stderr);
    assert!(confirmed.stdout.contains("confirmed by ben, without a witness"), "{}", confirmed.stdout);
    let ended = cli_test::in_time(child.wait()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(now_at(&setting.sim), (vec!["192.0.2.12".to_owned()], true));
    let again = cli_test::run(command(&setting, &confirm, SLOW)).await;
    assert_eq!((again.exit, again.stdout.as_str()), (1, "Not confirmed: it was confirmed before.\n"));
    setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
    let back = cli_test::run(command(&setting, &["rollback", "--by", "ben", "--reason", "a mistake"], FAST)).await;
    assert_eq!(back.exit, 0, "{}{}", back.stdout, back.stderr);
    insta::assert_snapshot!("rollback", comparable(&setting, &back.stdout));
    assert_eq!(now_at(&setting.sim), before());
}

#[tokio::test]
async fn a_list_that_nobody_confirms_is_taken_back() {
    let setting = planned().await;
    let asked = setting.sim.requests().len();
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{}{}", ended.stdout, ended.stderr);
    let instant = |line: &str| line.split(' ').filter(|word| !word.starts_with("2026-")).collect::<Vec<_>>().join(" ");
    let text: Vec<String> = comparable(&setting, &ended.stdout).lines().map(instant).collect();
    insta::assert_snapshot!("apply_taken_back", text.join("\n"));
    let requests = setting.sim.requests().split_off(asked);
    let first = requests.iter().position(|request| request.method == "PUT").unwrap();
    let restoring = std::fs::read_dir(path(&setting, "state")).unwrap().filter_map(Result::ok);
    assert!(restoring.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("restore-")));
    // each write is explicit about the switch, and comes right after the list, the key and its owner were read
    for (at, request) in requests.iter().enumerate().filter(|(_, request)| request.method == "PUT") {
        let since = requests[..at].iter().rposition(|request| request.method == "PUT").map_or(0, |at| at + 1);
        for route in ["settings/iprestrictions", "settings/iprestrictions/settings", "people/@self", "keys/@self"] {
            let is_read = |request: &portal_sim::RequestLine| request.target.ends_with(route);
            assert!(requests[since..at].iter().any(is_read), "{route} before {}", request.target);
        }
    }
    assert!(first > 0);
    let late = cli_test::run(command(&setting, &["confirm", "--by", "ben", "--without-witness"], FAST)).await;
    assert_eq!((late.exit, late.stdout.as_str()), (1, "Not confirmed: it was taken back.\n"));
    let history = cli_test::run(command(&setting, &["history"], FAST)).await;
    let text: Vec<String> = comparable(&setting, &history.stdout).lines().map(instant).collect();
    insta::assert_snapshot!("history", text.join("\n"));
    let before = puts(&setting.sim);
    let back = cli_test::run(command(&setting, &["rollback"], FAST)).await;
    assert_eq!((back.exit, puts(&setting.sim)), (0, before), "taking back twice is as once: {}", back.stdout);
}

#[tokio::test]
async fn a_plan_that_is_stale_or_changed_writes_nothing() {
    let setting = planned().await;
    let text = std::fs::read_to_string(path(&setting, "list.plan")).unwrap();
    setting.file("list.plan", &text.replacen("192.0.2.12", "192.0.2.13", 1));
    let changed = applied(&setting).await;
    assert_eq!((changed.exit, puts(&setting.sim)), (3, 0), "{}", changed.stdout);
    setting.file("list.plan", &text);
    setting.sim.edit(|scenario| {
        scenario.restrict("198.51.100.7", false);
    });
    let stale = applied(&setting).await;
    assert_eq!((stale.exit, puts(&setting.sim)), (3, 0), "{}", stale.stdout);
    assert!(stale.stdout.contains("somebody has added 198.51.100.7"), "{}", stale.stdout);
}

/// The answer is lost, or the switch is, or the portal refuses: everything is as before.
#[tokio::test]
async fn whatever_becomes_of_a_write_it_is_taken_back() {
    let on =
        |fault: FaultKind, skip| Fault::new(fault).on("settings/iprestrictions").method("PUT").after(skip).times(1);
    for fault in [
        on(FaultKind::DoneThenReset, 0),
        on(FaultKind::DoneThenReset, 1),
        on(FaultKind::DoneThenStatus { status: 502 }, 1),
        on(FaultKind::Reset, 1),
        on(FaultKind::LostSwitch, 1),
        on(FaultKind::Unpaid, 1),
        on(FaultKind::TooManyRequests { retry_after: None }, 0),
        on(FaultKind::Unchanged, 0),
    ] {
        let setting = planned().await;
        setting.sim.set_faults(vec![fault.clone()]);
        let ended = applied(&setting).await;
        let shown = format!("{fault:?}: {}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{shown}");
    }
}

/// Taking back that the portal refuses is critical, and each run tries again.
#[tokio::test]
async fn taking_back_that_fails_ends_with_1_until_it_succeeds() {
    for status in [402, 403, 429] {
        let setting = planned().await;
        let fault = Fault::status(status).on("settings/iprestrictions").method("PUT").after(2);
        setting.sim.set_faults(vec![fault]);
        let ended = applied(&setting).await;
        assert_eq!(ended.exit, 1, "{status}: {}{}", ended.stdout, ended.stderr);
        setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
        let next = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!(next.exit, 1, "{status}: {}{}", next.stdout, next.stderr);
        setting.sim.set_faults(Vec::new());
        let last = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!((last.exit, now_at(&setting.sim)), (0, before()), "{status}: {}{}", last.stdout, last.stderr);
    }
}

/// The process dies at any request; the first run after the deadline takes back.
#[tokio::test]
async fn a_process_that_dies_leaves_nothing_behind() {
    let setting = planned().await;
    let asked = setting.sim.requests().len();
    applied(&setting).await;
    let requests = setting.sim.requests().split_off(asked);
    let first = requests.iter().position(|request| request.method == "PUT").unwrap();
    for at in (first..first + 9).step_by(2) {
        let setting = planned().await;
        let asked = setting.sim.requests().len();
        let mut child = started(&setting);
        kill_at(&mut child, &setting.sim, asked + at, at % 3).await;
        setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
        let next = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!((next.exit, now_at(&setting.sim)), (0, before()), "{at}: {}{}", next.stdout, next.stderr);
        let late = run_bare(&setting, &["confirm", "--by", "ben", "--portal", &setting.sim.url()]).await;
        assert_eq!(late.exit, 1, "{at}: {}", late.stdout);
    }
}

#[tokio::test]
async fn two_applications_at_once_are_one() {
    let setting = planned().await;
    let mut child = started(&setting);
    cli_test::until(|| puts(&setting.sim) == 2).await;
    let second = applied(&setting).await;
    assert_eq!((second.exit, puts(&setting.sim)), (3, 2), "{}{}", second.stdout, second.stderr);
    child.kill().await.unwrap();
}
