//! Never all quiet without having seen everything.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use cli_test::receiver::Receiver;
use portal_sim::{Fault, FaultKind, Intervention, Lateness, Login};
use serde_json::Value;

use crate::common::{self, SCHEMA, assert_valid, portal, run, run_bare, told};

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
        ended.stdout.contains("nothing can be concluded") && ended.stdout.contains("not include the audit feature"),
        "{}",
        ended.stdout
    );
}

/// The portal's settings are asked for once more when the first question about actions fails. What a heartbeat server gets is the whole
/// log; on stderr, lines that repeat themselves are left out.
#[tokio::test]
async fn a_time_zone_that_nobody_knows_is_logged_once() {
    let (setting, receiver) = (portal("addresses").await, Receiver::start().await);
    let config = setting.file("ip-fence.toml", &format!("[heartbeat]\nurl = \"{}\"\n", receiver.url));
    setting.sim.edit(|portal| portal.condition.zone_name = Some("Mars/Olympus".to_owned()));
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events")]);
    let ended = run(&setting, &["--config", &config]).await;
    assert_eq!(ended.exit, 4, "{} {}", ended.stdout, ended.stderr);
    let told = receiver.told();
    let log = &told.last().unwrap().body;
    assert_eq!(log.matches("Mars/Olympus").count(), 1, "{log}");
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

/// What was read of the window is judged; whether somebody was disabled then is not known, and is not said.
#[tokio::test]
async fn a_trail_that_ends_before_today_tells_nobodys_status() {
    let until = (common::now() - TimeDelta::hours(6)).to_rfc3339();
    let rest = ["--policy", "policy.toml", "--until", &until, "--format", "json"];
    // as many requests as it takes without anybody disabled, and without groups
    let named = "[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.0/24\"]\n";
    let setting = portal("addresses").await;
    setting.file("policy.toml", named);
    setting.sim.edit(|scenario| scenario.people.iter_mut().for_each(|person| person.status = 1));
    let url = setting.sim.url();
    run_bare(&setting, &[&["--portal", &url], &rest[..]].concat()).await;
    let asked = setting.sim.requests().iter().filter(|request| request.target.contains("audit/events")).count();
    let setting = portal("addresses").await;
    setting.file("policy.toml", named);
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
    assert_eq!((ended.exit, report["coverage"]["complete"].as_bool()), (4, Some(false)), "{}", ended.stdout);
}

/// The last question of a run tells whether a disabled account was so when somebody used it. Without an answer that is for the next run.
#[tokio::test]
async fn who_may_have_been_disabled_is_judged_by_the_run_that_can() {
    let asked = {
        let setting = portal("addresses").await;
        let url = setting.sim.url();
        run_bare(&setting, &["--policy", "policy.toml", "--portal", &url, "--format", "json"]).await;
        setting.sim.requests().iter().filter(|request| request.target.contains("audit/events/filter")).count()
    };
    let mut setting = portal("addresses").await;
    let last = u32::try_from(asked - 1).unwrap();
    let url = setting.sim.url();
    let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
    let is_disabled = |(_, kind, _): (String, String, String)| kind == "disabled";
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events/filter").after(last)]);
    let blind = run_bare(&setting, &arguments).await;
    assert!(!told(&blind.json()).into_iter().any(is_disabled), "{}", blind.stdout);
    let whats: Vec<&str> = ["audit", "people"]
        .into_iter()
        .filter(|what| {
            let report = blind.json();
            report["coverage"]["gaps"].as_array().unwrap().iter().any(|gap| gap["what"] == *what)
        })
        .collect();
    assert_eq!((blind.exit, whats), (4, vec!["audit", "people"]), "{}", blind.stdout);
    setting.sim.set_faults(Vec::new());
    setting.clock = cli_test::Clock::At(common::now() + TimeDelta::days(3));
    setting.sim.edit(|portal| portal.now += TimeDelta::days(3));
    let seen = run_bare(&setting, &arguments).await;
    assert!(told(&seen.json()).into_iter().any(is_disabled), "{}", seen.stdout);
    assert_eq!(seen.exit, 0, "{}", seen.stdout);
}

/// Whoever is disabled while a run reads was active when they signed in, whether the event has come by then or not.
#[tokio::test]
async fn who_is_disabled_in_the_middle_of_a_run_is_not_accused() {
    for late in [0, 1_000] {
        let mut setting = portal("addresses").await;
        let url = setting.sim.url();
        let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
        run_bare(&setting, &arguments).await;
        setting.clock = cli_test::Clock::At(common::now() + TimeDelta::minutes(10));
        let mut disable = None;
        setting.sim.edit(|portal| {
            portal.now += TimeDelta::minutes(10);
            *portal = portal.clone().with_lateness(Lateness { requests: late, ..Lateness::default() });
            let bob = portal.people.iter().find(|person| person.email == "bob@example.com").unwrap().clone();
            disable = Some(Intervention::disable(portal.owner(), bob.id));
            portal.add_login(Login::success(&bob, portal.now - TimeDelta::minutes(2)));
        });
        setting.sim.set_faults(vec![Fault::meanwhile(disable.unwrap()).on("people/filter").times(1)]);
        let ended = run_bare(&setting, &arguments).await;
        let is_accused = |(who, kind, _): (String, String, String)| who == "bob@example.com" && kind == "disabled";
        assert!(!told(&ended.json()).into_iter().any(is_accused), "{}", ended.stdout);
        let says_so = ended.stdout.contains("does not show the change yet");
        assert_eq!((ended.exit, says_so), (0, late > 0), "{} {}", ended.stdout, ended.stderr);
    }
}

/// A run that meets a fault, and one four days later that does not; and that the later one tells all that the first would have told.
async fn blind_and_later(fault: Fault) -> (cli_test::Run, cli_test::Run) {
    let same = portal("addresses").await;
    let expected = told(&run(&same, &["--format", "json"]).await.json());
    let setting = portal("addresses").await;
    setting.sim.set_faults(vec![fault]);
    let blind = run(&setting, &["--format", "json"]).await;
    setting.sim.set_faults(Vec::new());
    setting.sim.edit(|portal| portal.now += TimeDelta::days(4));
    let url = setting.sim.url();
    let arguments = ["--policy", "policy.toml", "--portal", url.as_str(), "--format", "json"];
    let later = common::run_bare(&setting, &arguments).await;
    let found = told(&later.json());
    assert!(!expected.is_empty() && expected.is_subset(&found), "{expected:?} {found:?}");
    (blind, later)
}

/// Nobody knows who is who, so nobody was judged, although every login was read. The next run judges, however much later.
#[tokio::test]
async fn what_was_read_without_the_list_of_people_is_judged_by_the_next_run() {
    let (blind, later) = blind_and_later(Fault::status(500).on("people/filter")).await;
    assert_eq!((blind.exit, told(&blind.json()).len()), (4, 0), "{}", blind.stderr);
    assert_eq!(later.exit, 0, "{}", later.stderr);
}

/// The same for logins that the portal did not give.
#[tokio::test]
async fn logins_that_could_not_be_read_are_judged_by_the_next_run() {
    let (blind, _) = blind_and_later(Fault::status(502).on("security/audit/login")).await;
    assert!(matches!(blind.exit, 1 | 4), "{}", blind.stderr);
}

#[tokio::test]
async fn a_clock_that_is_behind_is_no_all_clear() {
    let mut setting = portal("addresses").await;
    setting.clock = cli_test::Clock::At(common::now() - TimeDelta::hours(2));
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

/// The audit trail is asked about first, and its failure is not that of the login history. Nobody knows what was changed about people.
#[tokio::test]
async fn logins_are_judged_while_the_audit_trail_cannot_be_read() {
    let setting = portal("addresses").await;
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events/filter")]);
    let ended = run(&setting, &["--format", "json"]).await;
    let report = ended.json();
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    let named: BTreeSet<&str> = gaps.iter().map(|gap| gap["what"].as_str().unwrap()).collect();
    assert_eq!(
        (ended.exit, named),
        (4, BTreeSet::from(["audit", "people"])),
        "{} {}",
        report["coverage"],
        ended.stderr
    );
    assert!(!told(&report).is_empty(), "logins are judged");
}

/// A run without memory takes the list for known, whatever it was before.
#[tokio::test]
async fn a_run_without_memory_says_that_it_cannot_see_a_changed_list() {
    let setting = portal("addresses").await;
    run(&setting, &[]).await;
    std::fs::write(setting.state_file("sqlite"), b"no store at all").unwrap();
    setting.sim.edit(|scenario| scenario.restrict("203.0.113.9", false));
    let ended = run(&setting, &["--format", "json"]).await;
    let report = ended.json();
    assert!(report["coverage"]["blind_spots"].as_array().unwrap().contains(&"no_memory".into()), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("nobody can see in it whether the portal's own list was changed"),
        "{}",
        ended.stdout
    );
    // nor whether somebody has left or was mistyped
    setting.file("policy.toml", &common::POLICY.replace("chen@", "chenn@"));
    let ended = run(&setting, &["--format", "json"]).await;
    assert!(ended.stdout.contains("no memory to tell a leaver from a mistake"), "{} {}", ended.stdout, ended.stderr);
    assert!(!told(&ended.json()).is_empty(), "everybody else is judged");
}

/// Whoever edits and tries again must see what is still wrong.
#[tokio::test]
async fn the_same_mistake_is_told_each_time() {
    let setting = portal("addresses").await;
    for _ in 0..2 {
        let ended = run(&setting, &["--since", "0m"]).await;
        assert_eq!(ended.exit, 2);
        assert!(ended.stderr.contains("is empty"), "{}", ended.stderr);
    }
}
