//! A portal that is watched by a program which may suspend, and what can happen in it.

use chrono::TimeDelta;
use cli_test::{Run, Setting};
use portal_sim::{Key, Person, PersonKind, Scenario};
use serde_json::Value;
use uuid::Uuid;

use crate::common::{Burst, PURGED, RENAMED, hire, office, ordinary_month, setting};

/// A portal that is watched by a program with an account of its own, which may suspend.
pub(crate) struct Watched {
    pub(crate) setting: Setting,
    pub(crate) config: String,
    pub(crate) mara: Uuid,
}

/// With terms that end: two weak signs are enough.
pub(crate) const ON_WEAK_SIGNS: &str =
    "mode = \"enforce\"\n[suspend]\nkinds = [\"deleted_for_good\", \"renamed\"]\non_weak_signs = true\n";
pub(crate) const ENFORCE: &str = "mode = \"enforce\"\n[suspend]\nkinds = [\"deleted_for_good\", \"renamed\"]\n";

/// Forty people, one of whom is about to do something, and an account for the key.
pub(crate) fn portal() -> (Scenario, Person) {
    let mut portal = office();
    let guard = hire(&mut portal, "guard@example.com", PersonKind::Admin);
    portal.keys = vec![Key::of(&guard)];
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    (portal, mara)
}

impl Watched {
    /// A program that has run before, with a channel that has taken a test alert. `settings` go behind those of the channel.
    pub(crate) async fn of(portal: Scenario, mara: &Person, settings: &str) -> Self {
        Watched::at(setting(portal).await, mara, settings).await
    }

    /// The same in a setting that is there.
    pub(crate) async fn at(setting: Setting, mara: &Person, settings: &str) -> Self {
        let alerts = setting.state.path().join("alerts.ndjson");
        let channel = format!("\n[alerts.file]\npath = \"{}\"\n", alerts.display());
        let config = setting.file("bulk-guard.toml", &(settings.to_owned() + &channel));
        let watched = Watched { setting, config, mara: mara.id };
        watched.prove().await;
        watched
    }

    pub(crate) async fn new(settings: &str) -> Self {
        let (portal, mara) = portal();
        Watched::of(portal, &mara, settings).await
    }

    /// A first run, and a channel that takes a test alert.
    pub(crate) async fn prove(&self) {
        self.run(&[]).await;
        let url = self.setting.sim.url();
        let test = self.setting.run_with(&["alerts", "test", "--portal", &url, "--config", &self.config]).await;
        assert_eq!(test.exit, 0, "{test:?}");
        std::fs::remove_file(self.setting.state.path().join("alerts.ndjson")).unwrap();
    }

    pub(crate) fn arguments<'a>(&'a self, url: &'a str) -> Vec<&'a str> {
        vec!["--portal", url, "--config", &self.config, "--format", "json"]
    }

    pub(crate) async fn run(&self, extra: &[&str]) -> Run {
        let url = self.setting.sim.url();
        self.setting.run_with(&[&self.arguments(&url), extra].concat()).await
    }

    /// A minute later somebody has done so much.
    pub(crate) fn burst(&self, burst: &Burst, person: Uuid, ending: &str) {
        let ending = ending.to_owned();
        self.setting.sim.edit(|portal| {
            portal.now += TimeDelta::minutes(3);
            let person = portal.person(person).unwrap().clone();
            burst.by(portal, &person, &[71], &ending);
        });
    }

    /// Mara deletes a hundred documents for good, which ends with nobody's decision but a person's.
    pub(crate) fn purges(&self) {
        self.burst(&Burst { minutes: 1, ended: 1, ..Burst::new(PURGED, 110) }, self.mara, "");
    }

    pub(crate) fn pass(&self, minutes: i64) {
        self.setting.sim.edit(|portal| portal.now += TimeDelta::minutes(minutes));
    }

    pub(crate) fn status(&self, person: Uuid) -> i32 {
        let mut status = 0;
        self.setting.sim.edit(|portal| status = portal.person(person).unwrap().status);
        status
    }

    /// What was asked to be changed, oldest first.
    pub(crate) fn calls(&self) -> Vec<String> {
        let requests = self.setting.sim.requests().into_iter().filter(|request| request.method == "PUT");
        requests.map(|request| request.target.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// What was told of suspensions: severity, step, and all words.
    pub(crate) fn told(&self) -> Vec<(String, String, String)> {
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

    pub(crate) fn steps(&self) -> Vec<String> {
        self.told().into_iter().map(|(_, step, _)| step).collect()
    }
}

/// A number of signs that each have an innocent explanation: time ends that, after a warning.
pub(crate) async fn moves_on(settings: &str) -> Watched {
    let (mut portal, mut mara) = portal();
    ordinary_month(&mut portal, &mara);
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
