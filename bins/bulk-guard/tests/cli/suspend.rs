//! The whole way of a suspension through the built program, and back.

use chrono::TimeDelta;
use cli_test::{Run, Setting};
use portal_sim::{Event, Fault, FaultKind, Key, Person, PersonKind, Scenario};
use serde_json::Value;
use uuid::Uuid;

use crate::common::{Burst, PURGED, RENAMED, hire, office, plan, setting, step};

/// A portal that is watched by a program with an account of its own, which may suspend.
struct Watched {
    setting: Setting,
    config: String,
    mara: Uuid,
}

/// With terms that end: two weak signs are enough.
const ON_WEAK_SIGNS: &str =
    "mode = \"enforce\"\n[suspend]\nkinds = [\"deleted_for_good\", \"renamed\"]\non_weak_signs = true\n";
const ENFORCE: &str = "mode = \"enforce\"\n[suspend]\nkinds = [\"deleted_for_good\", \"renamed\"]\n";

/// Forty people, one of whom is about to do something, and an account for the key.
fn portal() -> (Scenario, Person) {
    let mut portal = office();
    let guard = hire(&mut portal, "guard@example.com", PersonKind::Admin);
    portal.keys = vec![Key::of(&guard)];
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    (portal, mara)
}

impl Watched {
    /// A program that has run before, with a channel that has taken a test alert. `settings` go behind those of the channel.
    async fn of(portal: Scenario, mara: &Person, settings: &str) -> Self {
        let setting = setting(portal).await;
        let alerts = setting.state.path().join("alerts.ndjson");
        let channel = format!("\n[alerts.file]\npath = \"{}\"\n", alerts.display());
        let config = setting.file("bulk-guard.toml", &(settings.to_owned() + &channel));
        let watched = Watched { setting, config, mara: mara.id };
        watched.prove().await;
        watched
    }

    async fn new(settings: &str) -> Self {
        let (portal, mara) = portal();
        Watched::of(portal, &mara, settings).await
    }

    async fn prove(&self) {
        self.run(&[]).await;
        let url = self.setting.sim.url();
        let test = self.setting.run_with(&["alerts", "test", "--portal", &url, "--config", &self.config]).await;
        assert_eq!(test.exit, 0, "{test:?}");
        std::fs::remove_file(self.setting.state.path().join("alerts.ndjson")).unwrap();
    }

    fn arguments<'a>(&'a self, url: &'a str) -> Vec<&'a str> {
        vec!["--portal", url, "--config", &self.config, "--format", "json"]
    }

    async fn run(&self, extra: &[&str]) -> Run {
        let url = self.setting.sim.url();
        self.setting.run_with(&[&self.arguments(&url), extra].concat()).await
    }

    /// A minute later somebody has done so much.
    fn burst(&self, burst: &Burst, person: Uuid, ending: &str) {
        let ending = ending.to_owned();
        self.setting.sim.edit(|portal| {
            portal.now += TimeDelta::minutes(3);
            let person = portal.person(person).unwrap().clone();
            burst.by(portal, &person, &[71], &ending);
        });
    }

    /// Mara deletes a hundred documents for good, which ends with nobody's decision but a person's.
    fn purges(&self) {
        self.burst(&Burst { minutes: 1, ended: 1, ..Burst::new(PURGED, 110) }, self.mara, "");
    }

    fn pass(&self, minutes: i64) {
        self.setting.sim.edit(|portal| portal.now += TimeDelta::minutes(minutes));
    }

    fn status(&self, person: Uuid) -> i32 {
        let mut status = 0;
        self.setting.sim.edit(|portal| status = portal.person(person).unwrap().status);
        status
    }

    /// What was asked to be changed, oldest first.
    fn calls(&self) -> Vec<String> {
        let requests = self.setting.sim.requests().into_iter().filter(|request| request.method == "PUT");
        requests.map(|request| request.target.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// What was told of suspensions: severity, step, and all words.
    fn told(&self) -> Vec<(String, String, String)> {
        let text = std::fs::read_to_string(self.setting.state.path().join("alerts.ndjson")).unwrap_or_default();
        let alerts = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of_suspension = alerts.filter(|alert| alert["suspension"].is_object());
        of_suspension
            .map(|alert| {
                let words = format!("{}\n{}", word(&alert["subject"]), word(&alert["reasons"][1]));
                (word(&alert["severity"]), word(&alert["suspension"]["step"]), words)
            })
            .collect()
    }

    fn steps(&self) -> Vec<String> {
        self.told().into_iter().map(|(_, step, _)| step).collect()
    }
}

/// The whole way: found, announced, disabled, read back, told; and it stays, because what was done cannot be undone.
#[tokio::test]
async fn who_deletes_for_good_is_suspended_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.calls(), ["Terminated"]);
    assert_eq!(plan(&run), [step("mara@example.com", "done", "")]);
    assert_eq!(watched.steps(), ["suspending", "done"]);
    let reasons = run.json()["findings"][0]["reasons"].to_string();
    assert!(reasons.contains("\"suspended\"") && !reasons.contains("would"), "{reasons}");
    assert_eq!(run.json()["suspended"][0]["state"], "done");
    // neither growth nor time makes a second one, nor ends this one
    watched.pass(2);
    watched.run(&[]).await;
    watched.pass(24 * 60);
    let later = watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (1, 2), "{} {}", later.stdout, later.stderr);
    assert_eq!(watched.steps(), ["suspending", "done"]);
}

/// While somebody is off, a run looks at that account and at the audit trail. Everybody is listed once, for the plan, and not for those who
/// are suspended already.
#[tokio::test]
async fn while_somebody_is_off_a_run_lists_everybody_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    assert_eq!(watched.status(watched.mara), 2);
    let before = watched.setting.sim.requests().len();
    watched.pass(20);
    watched.run(&[]).await;
    let asked = watched.setting.sim.requests().into_iter().skip(before).map(|request| request.target);
    let asked: Vec<String> = asked.collect();
    assert!(asked.iter().any(|target| target.contains(&format!("people/{}", watched.mara))), "{asked:#?}");
    let count = |route: &str| asked.iter().filter(|target| target.contains(route)).count();
    assert_eq!(count("people/filter"), 1, "{asked:#?}");
    // the look of the run, what follows for the suspension, and what nobody remembers, each with the hours before it
    assert_eq!(count("events/filter?from="), 3 * 2, "{asked:#?}");
}

/// Two weak signs, which by themselves suspend nobody.
#[tokio::test]
async fn weak_signs_suspend_nobody_unless_told_to() {
    let watched = moves_on(ENFORCE).await;
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(run.json()["findings"][0]["severity"], "critical");
    assert_eq!(plan(&run)[0].1, "held");
    assert!(run.stdout.contains("somebody must look first") && watched.calls().is_empty(), "{}", run.stdout);
}

/// A number of signs that each have an innocent explanation: time ends that, after a warning.
async fn moves_on(settings: &str) -> Watched {
    let (mut portal, mut mara) = portal();
    crate::common::ordinary_month(&mut portal, &mara);
    mara.ip = "203.0.113.99".to_owned();
    portal.people.retain(|person| person.id != mara.id);
    portal.people.push(mara.clone());
    let watched = Watched::of(portal, &mara, settings).await;
    let since = watched.run(&["--since", "29d"]).await;
    assert_eq!(since.exit, 0, "{}", since.stderr);
    let burst = Burst { minutes: 1, ended: 1, ..Burst::new(RENAMED, 60) };
    watched.setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        burst.by(portal, &mara, &[71, 72, 73], "");
    });
    watched
}

#[tokio::test]
async fn what_can_be_undone_ends_with_its_term_also_in_observe() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{} {}", run.stdout, run.stderr);
    let path = watched.setting.state.path().join("bulk-guard.toml");
    let settings = std::fs::read_to_string(&path).unwrap().replace("enforce", "observe");
    watched.setting.file("bulk-guard.toml", &settings);
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    assert_eq!(watched.steps(), ["suspending", "done", "warning"]);
    watched.pass(20);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.calls(), ["Terminated", "Active"]);
    assert_eq!(watched.steps(), ["suspending", "done", "warning", "released"]);
    watched.pass(10);
    watched.run(&[]).await;
    assert_eq!(watched.calls().len(), 2);
}

/// Who looks at the past, or only looks, changes nothing.
#[tokio::test]
async fn a_dry_run_a_replay_and_a_reader_never_act() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let until = watched.setting.sim.now().to_rfc3339();
    for extra in [&["--dry-run"][..], &["--until", &until], &["--since", "1h"], &["--cannot-act"]] {
        let run = watched.run(extra).await;
        assert_eq!(plan(&run), [step("mara@example.com", "planned", "")], "{extra:?} {}", run.stderr);
        assert_eq!((watched.calls().len(), watched.steps().len()), (0, 0), "{extra:?}");
    }
}

/// Somebody has judged.
#[tokio::test]
async fn whom_somebody_enables_is_left_alone() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    assert_eq!(watched.status(watched.mara), 2);
    let (owner, mara) = (watched.setting.scenario.owner().clone(), watched.mara);
    watched.pass(1);
    watched.setting.sim.edit(|portal| {
        portal.people.iter_mut().filter(|person| person.id == mara).for_each(|person| person.status = 1);
        let mut row = Event::new(4020, owner.id, portal.now);
        row.target = vec![mara.to_string()];
        portal.add_event(row);
    });
    watched.pass(1);
    watched.run(&[]).await;
    watched.burst(&Burst { minutes: 1, ended: 1, first: 30_000, ..Burst::new(PURGED, 110) }, watched.mara, "");
    watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (1, 1));
    assert_eq!(watched.steps(), ["suspending", "done", "settled"]);
}

/// Everything that is missing is named, and nobody is touched.
#[tokio::test]
async fn what_is_missing_is_refused_by_name() {
    let settings =
        ENFORCE.replace("[suspend]", "[protect]\npeople = [\"bos@example.com\"]\ngroups = [\"Bored\"]\n[suspend]");
    let (portal, mara) = portal();
    let setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", &settings);
    let watched = Watched { setting, config, mara: mara.id };
    watched.run(&[]).await;
    watched.purges();
    let run = watched.run(&[]).await;
    assert_eq!((run.exit, watched.calls().len()), (2, 0), "{}", run.stderr);
    for missing in ["no channel is set", "`bos@example.com`", "`Bored`"] {
        assert!(run.stderr.contains(missing), "{missing}: {}", run.stderr);
    }
}

/// The plan as a whole is too large: nobody is touched, and one alert says so.
#[tokio::test]
async fn too_many_at_once_are_held_and_told_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        for (n, person) in portal.people[1..5].to_vec().iter().enumerate() {
            let first = 1_000 * n as i32 + 10_000;
            Burst { minutes: 1, ended: 1, first, ..Burst::new(PURGED, 110) }.by(portal, person, &[71], "");
        }
    });
    let run = watched.run(&[]).await;
    assert_eq!((run.exit, watched.calls().len()), (3, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.steps(), ["held"]);
    watched.pass(1);
    watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.steps().len()), (0, 1));
}

/// Whatever breaks at the call: it is read back, made once, and told as it is.
#[tokio::test]
async fn a_call_that_breaks_is_read_back_and_never_repeated() {
    let done = || Fault::new(FaultKind::DoneThenReset);
    for (fault, status, expected) in [
        (done(), 2, "done"),
        (Fault::new(FaultKind::DoneThenStatus { status: 500 }), 2, "done"),
        (Fault::status(403), 1, "failed"),
        // it says that it was done, so it may still come
        (Fault::new(FaultKind::Unchanged), 1, "unknown"),
        (Fault::new(FaultKind::Reset), 1, "unknown"),
    ] {
        let watched = Watched::new(ENFORCE).await;
        watched.purges();
        let shown = format!("{fault:?}");
        watched.setting.sim.set_faults(vec![fault.on("people/status").times(1)]);
        let run = watched.run(&[]).await;
        assert_eq!(watched.steps(), ["suspending", expected], "{shown} {}", run.stderr);
        assert_eq!((watched.status(watched.mara), watched.calls().len()), (status, 1), "{shown}");
        assert_eq!(run.exit, i32::from(expected == "unknown"), "{shown} {}", run.stderr);
        watched.pass(1);
        watched.run(&[]).await;
        assert_eq!(watched.calls().len(), 1, "{shown}");
    }
}

/// Kills a run as soon as this is so.
async fn killed_when(watched: &Watched, is_so: impl Fn() -> bool) {
    let url = watched.setting.sim.url();
    let mut run = watched.setting.command(&watched.arguments(&url)).kill_on_drop(true).spawn().unwrap();
    cli_test::until(is_so).await;
    run.start_kill().unwrap();
    cli_test::in_time(run.wait()).await.unwrap();
}

/// Killed while the answer is on its way: the next run reads back what was done, and makes no second call.
#[tokio::test]
async fn a_run_that_is_killed_during_the_call_is_settled_by_the_next() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let late = Fault::new(FaultKind::Latency { ms: 600_000, jitter_ms: 0 });
    watched.setting.sim.set_faults(vec![late.on("people/status").times(1)]);
    killed_when(&watched, || watched.status(watched.mara) == 2).await;
    watched.setting.sim.set_faults(Vec::new());
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.steps(), ["suspending", "done"]);
    watched.pass(12);
    watched.run(&[]).await;
    assert!(watched.calls().len() <= 1, "{:?}", watched.calls());
}

/// Killed between the intent and the call, while the announcement waits for a channel that does not answer: no call is made for it, ever.
#[tokio::test]
async fn a_run_that_is_killed_before_the_call_makes_none_later() {
    let watched = Watched::new(ENFORCE).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let path = watched.setting.state.path().join("bulk-guard.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    watched.setting.file("bulk-guard.toml", &format!("{before}[alerts.webhook]\nurl = \"{url}\"\n"));
    watched.purges();
    let (asked, is_asked) = tokio::sync::watch::channel(false);
    let silent = tokio::spawn(async move {
        let taken = listener.accept().await;
        asked.send_replace(true);
        std::future::pending::<()>().await;
        drop(taken);
    });
    killed_when(&watched, || *is_asked.borrow()).await;
    silent.abort();
    watched.setting.file("bulk-guard.toml", &before);
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (0, 1));
    let run = watched.run(&[]).await;
    assert_eq!((watched.calls().len(), run.exit), (0, 1), "{}", run.stderr);
    watched.pass(11);
    let run = watched.run(&[]).await;
    assert_eq!((watched.calls().len(), run.exit), (0, 0), "{}", run.stderr);
    assert_eq!(watched.steps(), ["suspending", "unknown", "failed"]);
}

/// The words of every step, as they arrive.
#[tokio::test]
async fn what_is_told_of_a_suspension() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    watched.run(&[]).await;
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    watched.pass(20);
    watched.run(&[]).await;
    let told: Vec<String> =
        watched.told().into_iter().map(|(severity, step, words)| format!("[{severity}] {step}\n{words}\n")).collect();
    let told = told.join("\n");
    // terms begin with the second in which the call is made
    let told: String =
        told.split_inclusive(' ').map(|word| if word.starts_with("13:0") { "13:0M " } else { word }).collect();
    insta::assert_snapshot!(told);
}

/// Somebody else has taken the seat: it is told, the run fails, and it is tried again until there is one.
#[tokio::test]
async fn a_release_without_a_seat_is_told_and_tried_again() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    watched.run(&[]).await;
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    watched.pass(20);
    watched.setting.sim.set_faults(vec![Fault::new(FaultKind::FullSeats)]);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 1), "{} {}", run.stdout, run.stderr);
    let (severity, step, words) = watched.told().pop().unwrap();
    assert_eq!((severity.as_str(), step.as_str()), ("critical", "release_failed"));
    assert!(words.contains("no free seat") && words.contains("open Contacts"), "{words}");
    watched.setting.sim.set_faults(Vec::new());
    watched.pass(10);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.steps().pop().unwrap(), "released");
    assert_eq!(watched.calls(), ["Terminated", "Active", "Active"]);
}

/// Everything that suspending needs has a line, and so has everybody who is off.
#[tokio::test]
async fn doctor_says_what_suspending_needs_and_who_is_off() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    let url = watched.setting.sim.url();
    let doctor = watched.setting.run_with(&["doctor", "--portal", &url, "--config", &watched.config]).await;
    for line in [
        "warn  suspended: disabled through this program, or possibly so: Mara mara",
        "ok    suspend_right: ",
        "ok    suspend_key_end: ",
        "ok    suspend_account: ",
        "ok    suspend_channel: ",
        "ok    suspend_protected: ",
    ] {
        assert!(doctor.stdout.contains(line), "{line} {}", doctor.stdout);
    }
}
