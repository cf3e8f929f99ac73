//! The whole way of a suspension through the built program, and back.

use chrono::TimeDelta;
use cli_test::{Run, Setting};
use portal_sim::{Event, Fault, FaultKind, Group, Intervention, Key, Person, PersonKind, Scenario};
use serde_json::Value;
use uuid::Uuid;

use crate::common::{Burst, PURGED, RENAMED, hire, json as observed, office, plan, setting, step};

/// A portal that is watched by a program with an account of its own, which may suspend.
struct Watched {
    setting: Setting,
    config: String,
    mara: Uuid,
}

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
