//! `drill` through the built program: the whole way, what a kill leaves, and what is refused.

use chrono::TimeDelta;
use cli_test::bench::true_now;
use cli_test::{Clock, Run, Setting};
use portal_sim::{Event, Fault, FaultKind, Key, Login, Person, PersonKind, Scenario};
use serde_json::Value;
use uuid::Uuid;

use crate::common::{hire, office, setting};

const SETTINGS: &str = "mode = \"enforce\"\n[suspend]\nkinds = [\"renamed\"]\n[drill]\naccount = \"drill@example.com\"\nkey_file = \"drill.key\"\n";

/// A portal that is watched, with an account for drills.
struct Watched {
    setting: Setting,
    config: String,
    drill: Uuid,
}

fn portal() -> (Scenario, Person) {
    let mut portal = office();
    portal.now = true_now();
    let guard = hire(&mut portal, "guard@example.com", PersonKind::Admin);
    let drill = hire(&mut portal, "drill@example.com", PersonKind::RoomAdmin);
    portal.keys = vec![Key::of(&guard), of_drill(&drill)];
    (portal, drill)
}

fn of_drill(drill: &Person) -> Key {
    Key::of(drill).scopes(&["rooms:write", "files:write", "accounts.self:read"])
}

impl Watched {
    /// The clocks go on; one run was made, and a channel has taken a test alert.
    async fn of((portal, drill): (Scenario, Person), settings: &str) -> Self {
        let mut setting = setting(portal).await;
        setting.clock = Clock::Machine;
        setting.sim.follow(true_now);
        setting.file("drill.key", &of_drill(&drill).key);
        let alerts = setting.state.path().join("alerts.ndjson");
        let channel = format!("\n[alerts.file]\npath = \"{}\"\n", alerts.display());
        let config = setting.file("bulk-guard.toml", &(settings.to_owned() + &channel));
        let watched = Watched { setting, config, drill: drill.id };
        assert_eq!(watched.run(&[]).await.exit, 0);
        let test = watched.run(&["alerts", "test"]).await;
        assert_eq!(test.exit, 0, "{test:?}");
        std::fs::remove_file(alerts).unwrap();
        watched
    }

    fn arguments<'a>(&'a self, url: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
        [extra, &["--portal", url, "--config", &self.config]].concat()
    }

    async fn run(&self, extra: &[&str]) -> Run {
        let url = self.setting.sim.url();
        self.setting.run_with(&self.arguments(&url, extra)).await
    }

    fn status(&self) -> i32 {
        let mut status = 0;
        self.setting.sim.edit(|portal| status = portal.person(self.drill).unwrap().status);
        status
    }

    /// Rooms and files of the drill's account, wherever they are.
    fn left(&self) -> (usize, usize) {
        let mut left = (0, 0);
        self.setting.sim.edit(|portal| {
            let rooms = portal.rooms.iter().filter(|room| room.owner == self.drill).count();
            left = (rooms, portal.content.files.iter().filter(|file| file.author == self.drill).count());
        });
        left
    }

    fn alerts(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.setting.state.path().join("alerts.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn drills_told(&self) -> Vec<(String, bool)> {
        let drills = self.alerts().into_iter().filter(|alert| alert["drill"].is_object());
        drills.map(|alert| (alert["severity"].to_string(), alert["drill"]["passed"] == true)).collect()
    }

    /// Whom the portal was asked to switch.
    fn switched(&self) -> Vec<String> {
        let calls = self.setting.sim.requests().into_iter().filter(|request| request.target.contains("people/status"));
        calls.map(|request| request.target.rsplit('/').next().unwrap().to_owned()).collect()
    }
}

/// From the room to nothing at all, and nothing of it is found later.
#[tokio::test]
async fn a_drill_goes_the_whole_way_and_leaves_nothing() {
    let watched = Watched::of(portal(), SETTINGS).await;
    let drill = watched.run(&["drill"]).await;
    assert_eq!(drill.exit, 0, "{} {}", drill.stdout, drill.stderr);
    for step in ["made", "found", "suspended", "proven", "released"] {
        assert!(drill.stdout.contains(&format!("\n  {step} ")), "{step}: {}", drill.stdout);
    }
    assert!(drill.stdout.contains("has passed: "), "{}", drill.stdout);
    assert_eq!((watched.status(), watched.left()), (1, (0, 0)));
    assert_eq!(watched.switched(), ["Terminated", "Active"]);
    assert_eq!(watched.drills_told(), [("\"info\"".to_owned(), true)]);
    let told = watched.alerts().len();
    let after = watched.run(&[]).await;
    assert_eq!((after.exit, after.stdout.as_str()), (0, ""), "{}", after.stderr);
    let report = watched.run(&["--format", "json"]).await.json();
    assert_eq!((&report["findings"], &report["actions"]), (&Value::from(Vec::<Value>::new()), &Value::from(Vec::<Value>::new())));
    assert_eq!(watched.alerts().len(), told, "{:#?}", watched.alerts());
    // somebody has just decided about the account
    let again = watched.run(&["drill"]).await;
    assert!(again.exit == 1 && again.stderr.contains("in the last 24 hours"), "{}", again.stderr);
}
