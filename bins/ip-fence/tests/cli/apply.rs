//! `apply`, `confirm`, `rollback`, `history`: what is written to the portal, and what is taken back.

use chrono::TimeDelta;
use cli_test::{Run, kill_at};
use job_store::testing::not_tested;
use portal_sim::{AnswerForm, Fault, FaultBody, FaultKind, Intervention, Key, Login, PortalSim, Remembered, Scenario};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::common::{self, Setting, listed, portal_with, run, run_bare};

pub(crate) const CONFIG: &str = "[portal]\nenforce = true\n";

const POLICY: &str = "default = \"ignore\"\n[[rule]]\nlabel = \"desk\"\ngroups = [\"Staff\"]\npeople = [\"hana@example.com\"]\nallow = [\"192.0.2.12\"]\n";

/// A portal whose list is off, a plan that takes one entry out and switches it on, and a store.
pub(crate) async fn planned() -> Setting {
    planned_on(portal_with(scenario()).await, CONFIG).await
}

pub(crate) fn scenario() -> Scenario {
    let mut scenario = listed();
    scenario.logins.retain(|login| login.ip == "192.0.2.12");
    let bob = scenario.person_by_email("bob@example.com").unwrap().clone();
    scenario.add_login(Login::success(&bob, common::now() - TimeDelta::days(20)));
    scenario.events.retain(|event| event.ip.as_deref() == Some("192.0.2.12"));
    scenario
}

pub(crate) async fn planned_on(setting: Setting, config: &str) -> Setting {
    setting.file("policy.toml", POLICY);
    setting.file("ip-fence.toml", config);
    run(&setting, &["--config", "ip-fence.toml"]).await;
    plan(&setting, &["--own-address", "192.0.2.12", "--own-all"]).await;
    setting
}

/// Writes a plan that nothing refuses.
pub(crate) async fn plan(setting: &Setting, flags: &[&str]) {
    let common = ["plan", "--config", "ip-fence.toml", "--out", "list.plan"];
    let ended = run(setting, &[&common, flags].concat()).await;
    assert_eq!(ended.exit, 0, "{}{}", ended.stdout, ended.stderr);
}

/// A process's own clock goes so many times faster: 15 minutes are over within a second.
pub(crate) const FAST: &str = "2000";

/// So slow that somebody can confirm.
pub(crate) const SLOW: &str = "30";

pub(crate) fn command(setting: &Setting, words: &[&str], pace: &str) -> Command {
    let url = setting.url();
    let flags = ["--portal", &url, "--policy", "policy.toml", "--config", "ip-fence.toml"];
    let mut command = setting.command(&[words, &flags].concat());
    command.env("AUDIT_TOOLS_TEST_PACE", pace).env("USER", "olga");
    command
}

pub(crate) async fn applied(setting: &Setting) -> Run {
    cli_test::run(command(setting, &["apply", "list.plan", "--without-shadow"], FAST)).await
}

pub(crate) fn started(setting: &Setting) -> Child {
    let mut command = command(setting, &["apply", "list.plan", "--without-shadow"], SLOW);
    command.stdout(std::process::Stdio::piped()).spawn().unwrap()
}

pub(crate) fn path(setting: &Setting, name: &str) -> std::path::PathBuf {
    setting.state.path().join(name)
}

pub(crate) fn puts(sim: &PortalSim) -> usize {
    sim.requests().iter().filter(|request| request.method == "PUT").count()
}

/// Entries and switch, as they are at the portal.
pub(crate) fn now_at(sim: &PortalSim) -> (Vec<String>, bool) {
    let mut list = (Vec::new(), false);
    sim.edit(|scenario| {
        let restrictions = &scenario.condition.restrictions;
        list = (restrictions.entries.iter().map(|entry| entry.ip.clone()).collect(), restrictions.enabled);
    });
    list.0.sort();
    list
}

pub(crate) fn before() -> (Vec<String>, bool) {
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
    let other = planned().await;
    setting.file("list.plan", &std::fs::read_to_string(path(&other, "list.plan")).unwrap());
    let elsewhere = applied(&setting).await;
    assert_eq!((elsewhere.exit, puts(&setting.sim), puts(&other.sim)), (3, 0, 0), "{}", elsewhere.stdout);
    assert!(elsewhere.stdout.contains(&other.sim.url()), "{}", elsewhere.stdout);
    setting.file("ip-fence.toml", &format!("{CONFIG}[apply]\nconfirm_within = \"25m\"\n"));
    let long = applied(&setting).await;
    assert_eq!((long.exit, puts(&setting.sim)), (2, 0), "{}", long.stdout);
    assert!(long.stderr.contains("shorter than `run_limit`"), "{}", long.stderr);
}

/// The pages of a proxy in place of the portal.
const MAINTENANCE: FaultKind = FaultKind::Status { status: 503, body: Some(FaultBody::Html) };
const SIGN_IN: FaultKind = FaultKind::OddAnswer { form: AnswerForm::Html };

/// Each question of `apply` around its writes, with a page for browsers as its answer, a few times or until the end.
#[tokio::test]
async fn a_page_in_place_of_an_answer_leaves_nothing_behind() {
    let setting = planned().await;
    let asked = setting.sim.requests().len();
    applied(&setting).await;
    let first = writes(&setting)[0] - asked;
    let reads = ["settings/iprestrictions$", "settings/iprestrictions/settings$", "security/audit/events/filter"];
    let guards = ["people/@self", "keys/@self"];
    for (page, times) in [(MAINTENANCE, 1), (SIGN_IN, 40)] {
        for route in reads.iter().chain(&guards) {
            let number = u64::try_from(setting.sim.requests().len() + first - 5).unwrap();
            let fault = Fault::new(page.clone()).on(route).method("GET").from_request(number).times(times);
            setting.sim.set_faults(vec![fault.clone()]);
            let ended = applied(&setting).await;
            setting.sim.set_faults(Vec::new());
            let shown = format!("{fault:?}: {}{}", ended.stdout, ended.stderr);
            assert!([1, 3].contains(&ended.exit), "{shown}");
            if ended.exit == 1 {
                setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(30));
                cli_test::run(command(&setting, &[], FAST)).await;
            }
            assert_eq!(now_at(&setting.sim), before(), "{shown}");
        }
    }
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
        on(MAINTENANCE, 0),
        on(MAINTENANCE, 1),
        on(SIGN_IN, 0),
        on(SIGN_IN, 1),
    ] {
        let setting = planned().await;
        setting.sim.set_faults(vec![fault.clone()]);
        let ended = applied(&setting).await;
        let shown = format!("{fault:?}: {}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{shown}");
    }
}

/// Of all alerts the one that wakes somebody, and one for whoever reads about everything; one about something else gets none.
const CHANNELS: &str = "[[alerts.channel]]\nname = \"pager\"\nkind = \"file\"\npath = \"pager.ndjson\"\nmin_severity = \"critical\"\n\
    [[alerts.channel]]\nname = \"all\"\nkind = \"file\"\npath = \"all.ndjson\"\n\
    [[alerts.channel]]\nname = \"other\"\nkind = \"file\"\npath = \"other.ndjson\"\nrules = [\"mass_change\"]\n";

/// Severity and reasons of what a channel was told of the list.
fn alerts(setting: &Setting, channel: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path(setting, &format!("{channel}.ndjson"))).unwrap_or_default();
    let alerts = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_list = alerts.filter(|alert| alert["person"]["name"] == "the portal's address list");
    of_list.map(|alert| (alert["severity"].as_str().unwrap().to_owned(), alert["reasons"][0].to_string())).collect()
}

/// Taking back that the portal refuses is critical, and each run tries again.
#[tokio::test]
async fn taking_back_that_fails_ends_with_1_until_it_succeeds() {
    for status in [402, 403, 429, 503] {
        let setting = planned().await;
        setting.file("ip-fence.toml", &format!("{CONFIG}{CHANNELS}"));
        let fault = Fault::status(status).on("settings/iprestrictions").method("PUT").after(2);
        setting.sim.set_faults(vec![fault]);
        let ended = applied(&setting).await;
        assert_eq!(ended.exit, 1, "{status}: {}{}", ended.stdout, ended.stderr);
        // nobody has to wait for a run to hear of it
        let at_once = alerts(&setting, "pager");
        assert!(!at_once.is_empty(), "{status}: {}{}", ended.stdout, ended.stderr);
        setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
        let next = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!(next.exit, 1, "{status}: {}{}", next.stdout, next.stderr);
        assert!(next.stderr.contains("cannot be taken back"), "{status}: {}", next.stderr);
        let (pager, all) = (alerts(&setting, "pager"), alerts(&setting, "all"));
        assert!(!pager.is_empty() && pager.iter().all(|alert| all.contains(alert)), "{status}: {pager:?} {all:?}");
        let is_blocked =
            |(severity, why): &(String, String)| severity == "critical" && why.contains("cannot be taken back");
        assert!(pager.iter().all(is_blocked), "{status}: {pager:?}");
        assert!(all.len() > pager.len() && alerts(&setting, "other").is_empty(), "{status}: {all:?}");
        setting.sim.set_faults(Vec::new());
        let last = cli_test::run(command(&setting, &[], FAST)).await;
        assert_eq!((last.exit, now_at(&setting.sim)), (0, before()), "{status}: {}{}", last.stdout, last.stderr);
        let told = alerts(&setting, "all");
        assert!(told.iter().any(|(_, why)| why.contains("was taken back")), "{status}: {told:?}");
        assert!(!told.iter().any(|(_, why)| why.contains("was switched off")), "own writes are no news: {told:?}");
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
    for part in ["is still open (", "): olga began to apply it at 2026-11-20T", "confirm --by NAME`", "rollback`"] {
        assert!(second.stdout.contains(part), "{part}: {}", second.stdout);
    }
    let watch = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((watch.exit, watch.stdout.as_str()), (0, ""), "{}", watch.stderr);
    assert!(watch.stderr.contains("is still at work"), "{}", watch.stderr);
    child.kill().await.unwrap();
}

/// Confirms, as soon as the list has been written for long enough.
pub(crate) async fn confirmed_by(setting: &Setting, more: &[&str]) -> Run {
    setting.sim.edit(|scenario| scenario.now += TimeDelta::minutes(1));
    cli_test::run(command(setting, &[&["confirm", "--by", "ben"], more].concat(), SLOW)).await
}

/// Who the list does not judge, or who is ourselves, shows nothing; nor does somebody from where it does not let in, whom a service still
/// let in by an older one.
#[tokio::test]
async fn only_somebody_whom_the_list_judges_is_a_witness() {
    let setting = planned().await;
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    let login = |email: &str, ip: &str, page: Option<&str>| {
        setting.sim.edit(|scenario| {
            let person = scenario.person_by_email(email).unwrap().clone();
            let login = Login::success(&person, scenario.now + TimeDelta::seconds(40));
            scenario.add_login(Login { ip: ip.to_owned(), page: page.map(str::to_owned), ..login });
        });
    };
    login("olga@example.com", "192.0.2.12", None);
    login("hana@example.com", "198.51.100.80", None);
    let claimed = "https://docs.example.com/api/2.0/authentication?request-x-real-ip=192.0.2.12";
    login("hana@example.com", "192.0.2.12", Some(claimed));
    let nobody = confirmed_by(&setting, &[]).await;
    assert_eq!(nobody.exit, 1, "{}{}", nobody.stdout, nobody.stderr);
    assert!(nobody.stdout.contains("nobody but the owner"), "{}", nobody.stdout);
    login("hana@example.com", "192.0.2.12", None);
    let confirmed = confirmed_by(&setting, &[]).await;
    assert_eq!(confirmed.exit, 0, "{}{}", confirmed.stdout, confirmed.stderr);
    assert!(confirmed.stdout.contains("confirmed by ben, seen after it: login of Hana"), "{}", confirmed.stdout);
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(0));
}

/// Waits until a process has printed this.
pub(crate) async fn said(child: &mut Child, part: &str) {
    let mut stdout = child.stdout.take().unwrap();
    let mut text = Vec::new();
    cli_test::in_time(async {
        while !String::from_utf8_lossy(&text).contains(part) {
            assert!(stdout.read_buf(&mut text).await.unwrap() > 0, "{}", String::from_utf8_lossy(&text));
        }
    })
    .await;
    child.stdout = Some(stdout);
}

/// The services of people and of files are asked, too, at once and six minutes later. What they remember for some seconds is no failure.
#[tokio::test]
async fn a_service_that_lets_nobody_in_has_the_list_taken_back() {
    let blocked = || Fault::new(FaultKind::Blocked);
    for (fault, why) in [
        (blocked().on("files/settings").times(1), "nobody has confirmed"),
        (blocked().on("files/settings"), "the check after the write has asked for it"),
        (blocked().on("files/settings").after(1), "the check after the write has asked for it"),
    ] {
        let setting = planned().await;
        setting.sim.set_faults(vec![fault.clone()]);
        // nine minutes lie between the second check and the deadline, and must do so on a busy machine, too
        let ended = cli_test::run(command(&setting, &["apply", "list.plan", "--without-shadow"], "300")).await;
        let shown = format!("{fault:?}: {}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{shown}");
        assert!(ended.stdout.contains(why), "{shown}");
    }
}

/// Positions of the writes among all requests.
pub(crate) fn writes(setting: &Setting) -> Vec<usize> {
    let requests = setting.sim.requests();
    (0..requests.len()).filter(|at| requests[*at].method == "PUT").collect()
}

#[tokio::test]
async fn a_switch_that_reads_as_before_for_a_moment_is_no_failure() {
    let setting = planned().await;
    applied(&setting).await;
    let second = u64::try_from(writes(&setting)[1]).unwrap();
    let setting = planned().await;
    let stale = FaultKind::Stale { changes: 1, what: Some(Remembered::Switch) };
    let stale = Fault::new(stale).on("settings/iprestrictions/settings").from_request(second + 2).times(2);
    setting.sim.set_faults(vec![stale]);
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    child.kill().await.unwrap();
    assert_eq!(now_at(&setting.sim), (vec!["192.0.2.12".to_owned()], true));
}

/// Five questions before each write, which also show what the write before has done; then three, and two of the other services. Whoever
/// waits asks the portal nothing, but for the four questions after six minutes.
#[tokio::test]
async fn writing_costs_few_requests() {
    let setting = planned().await;
    let mut child = command(&setting, &["apply", "list.plan", "--without-shadow"], "300").spawn().unwrap();
    let of_files =
        || setting.sim.requests().iter().filter(|request| request.target.ends_with("files/settings")).count();
    cli_test::until(|| of_files() == 2).await;
    child.kill().await.unwrap();
    let first = writes(&setting)[0];
    let asked = setting.sim.requests().split_off(first - 5);
    let targets: Vec<String> = asked.iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    let checked = targets.iter().position(|target| target.ends_with("files/settings")).unwrap();
    assert_eq!((checked + 1, targets.len()), (17, 21), "{targets:#?}");
}

/// Another administrator writes between what is read and the write, or after it.
#[tokio::test]
async fn what_another_administrator_writes_meanwhile_is_told() {
    let theirs = |setting: &Setting| {
        let anna = setting.scenario.person_by_email("anna@example.com").unwrap();
        Intervention::restrict(anna, &["192.0.2.12", "198.51.100.9", "203.0.113.250"], false)
    };
    let clock = || Fault::new(FaultKind::TimePasses { seconds: 3 });
    let on = |fault: Fault| fault.on("settings/iprestrictions").method("PUT").times(1);
    let setting = planned().await;
    setting.sim.set_faults(vec![clock(), on(Fault::meanwhile(theirs(&setting)))]);
    let raced = applied(&setting).await;
    assert_eq!(raced.exit, 1, "{}{}", raced.stdout, raced.stderr);
    for part in ["has overwritten what they wrote", "decide by hand"] {
        assert!(raced.stdout.contains(part), "{part}: {}", raced.stdout);
    }
    assert!(!now_at(&setting.sim).1);
    // right before the list is read back
    let second = u64::try_from(writes(&setting)[0]).unwrap() + 3;
    let setting = planned().await;
    setting.sim.set_faults(vec![clock(), Fault::meanwhile(theirs(&setting)).from_request(second).times(1)]);
    // not so fast that what was read is taken for what lasts
    let after = cli_test::run(command(&setting, &["apply", "list.plan", "--without-shadow"], "100")).await;
    assert!(
        after.stdout.contains("Somebody else wrote the address list meanwhile"),
        "{}{}",
        after.stdout,
        after.stderr
    );
    let theirs = ["192.0.2.12", "198.51.100.9", "203.0.113.250"].map(str::to_owned).to_vec();
    assert_eq!(now_at(&setting.sim), (theirs, false), "{}", after.stdout);
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_is_stopped_takes_back_or_leaves_it_to_the_next_run() {
    let setting = planned().await;
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    // as when its terminal is closed
    drop(child.stdout.take());
    cli_test::send("TERM", child.id().unwrap()).await;
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(3));
    assert_eq!(now_at(&setting.sim), before());

    let setting = planned().await;
    // nobody knows what becomes of taking back, which takes two minutes to find out
    let lost = Fault::status(503).on("settings/iprestrictions").method("PUT").after(2);
    setting.sim.set_faults(vec![lost]);
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    cli_test::send("INT", child.id().unwrap()).await;
    said(&mut child, "is taken back").await;
    cli_test::send("INT", child.id().unwrap()).await;
    said(&mut child, "Run `ip-fence` now").await;
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(1));
    setting.sim.set_faults(Vec::new());
    let next = cli_test::run(command(&setting, &[], FAST)).await;
    assert_eq!((next.exit, now_at(&setting.sim)), (0, before()), "{}{}", next.stdout, next.stderr);
}

/// A key that the list can stop writes only where the portal has seen it come from an address that is in the list before and after.
#[tokio::test]
async fn a_key_that_is_not_the_owners_shows_first_where_it_comes_from() {
    for (from, why) in
        [("192.0.2.12", "nobody has confirmed it in time"), ("192.0.2.99", "sees this machine as 192.0.2.99")]
    {
        let mut scenario = scenario();
        let anna = scenario.person_by_email("anna@example.com").unwrap().clone();
        let key = Key { from: Some(from.parse().unwrap()), ..Key::of(&anna) };
        scenario.keys.push(key.clone());
        let mut setting = portal_with(scenario).await;
        setting.key = key.key;
        let setting = planned_on(setting, "").await;
        let ended = applied(&setting).await;
        assert!(ended.stdout.contains(why), "{from}: {}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{from}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn what_is_remembered_on_a_server_is_taken_back_too() {
    let mut setting = portal_with(scenario()).await;
    if !setting.keep_on_server() {
        return;
    }
    let mut setting = planned_on(setting, CONFIG).await;
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("nobody has confirmed it in time"), "{}", ended.stdout);
    // somebody drops the schema, or names another database: nobody can take back, and the writes are told as everybody's are
    let mut child = started(&setting);
    said(&mut child, "is written").await;
    child.kill().await.unwrap();
    setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
    setting.server = None;
    let next = cli_test::run(command(&setting, &["--format", "json"], FAST)).await;
    let findings = next.json()["findings"].clone();
    let told = findings.as_array().unwrap().iter().find(|finding| finding["kind"] == "list_changed").unwrap();
    assert_eq!((&told["person"]["email"], now_at(&setting.sim).1), (&"olga@example.com".into(), true), "{told}");
}

/// A restart of the machine would forget what is to be taken back.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_store_in_memory_is_refused() {
    if !std::fs::read_to_string("/proc/self/mounts").unwrap().contains(" /dev/shm tmpfs ") {
        return not_tested("a store in memory", "/dev/shm is no tmpfs");
    }
    let mut setting = portal_with(scenario()).await;
    setting.state = tempfile::TempDir::new_in("/dev/shm").unwrap();
    let setting = planned_on(setting, CONFIG).await;
    let ended = cli_test::run(command(&setting, &["apply", "list.plan", "--without-shadow"], "1")).await;
    assert_eq!((ended.exit, puts(&setting.sim)), (3, 0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("is in memory (tmpfs)"), "{}", ended.stdout);
}
