//! `drill` through the built program: the whole way, what a kill leaves, and what is refused.

use chrono::TimeDelta;
use cli_test::bench::true_now;
use cli_test::{Clock, Run, Setting};
use job_store::{Journal, JournalState};
use portal_sim::{Fault, FaultKind, Key, Login, Person, PersonKind, Scenario};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{hire, office, setting};
use crate::suspended::store;

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
        Watched::with(setting(portal).await, drill, settings).await
    }

    async fn with(mut setting: Setting, drill: Person, settings: &str) -> Self {
        setting.clock = Clock::Machine;
        setting.sim.follow(true_now);
        setting.file("drill.key", &of_drill(&drill).key);
        let alerts = setting.state.path().join("alerts.ndjson");
        let channel = format!("\n[alerts.file]\npath = \"{}\"\n", alerts.display());
        let config = setting.file("bulk-guard.toml", &(settings.to_owned() + &channel));
        let watched = Watched { setting, config, drill: drill.id };
        watched.run(&[]).await;
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
    assert_eq!(
        (&report["findings"], &report["actions"]),
        (&Value::from(Vec::<Value>::new()), &Value::from(Vec::<Value>::new()))
    );
    assert_eq!(watched.alerts().len(), told, "{:#?}", watched.alerts());
    // somebody has just decided about the account
    let again = watched.run(&["drill"]).await;
    assert!(again.exit == 1 && again.stderr.contains("in the last 24 hours"), "{}", again.stderr);
}

impl Watched {
    /// Starts a drill, and kills it as soon as this is so. Its runs go on.
    async fn killed_when(&self, is_so: impl Fn() -> bool) {
        let url = self.setting.sim.url();
        let mut drill = self.setting.command(&self.arguments(&url, &["drill"])).spawn().unwrap();
        cli_test::until(is_so).await;
        drill.start_kill().unwrap();
        cli_test::in_time(drill.wait()).await.unwrap();
    }

    fn is(&self, what: impl Fn(&Scenario) -> bool) -> bool {
        let mut is_so = false;
        self.setting.sim.edit(|portal| is_so = what(portal));
        is_so
    }

    /// As if nobody had been at work on it for so long that nobody can be. Somebody has made another key of the account, so that no other
    /// drill begins.
    async fn silence(&self) {
        self.setting.sim.set_faults(Vec::new());
        let store = store(&self.setting).await;
        let journal = Journal::open(store.clone()).await.unwrap();
        for drill in journal.open_of_kind("drill").await.unwrap() {
            let (journal, mut payload) = (journal.clone(), drill.payload);
            for moment in ["began", "lives_until"] {
                payload[moment] = json!(true_now() - TimeDelta::seconds(200));
            }
            let keep = move |write: &job_store::Write<'_>| {
                journal.advance(write, &drill.key, JournalState::Started, &payload, true_now())
            };
            store.write("writing drills", keep).await.unwrap();
        }
        store.close().await;
        self.setting.sim.edit(|portal| {
            let drill = portal.person(self.drill).unwrap().clone();
            portal.keys.push(Key { key: format!("sk-{}", "b".repeat(64)), ..of_drill(&drill) });
        });
    }

    /// Another drill, or an ordinary run, until nothing is left and so many drills were told: the one that was begun by the drill may have the
    /// lock still.
    async fn settled_by(&self, command: &[&str], told: usize) {
        for _ in 0..50 {
            self.run(command).await;
            if self.status() == 1 && self.left() == (0, 0) && self.drills_told().len() == told {
                return;
            }
        }
        panic!("{} {:?} {:?}", self.status(), self.left(), self.drills_told());
    }

    /// From now on drills are with another account of the portal.
    fn drill_with(&mut self, person: &Person) {
        let path = self.setting.state.path().join("bulk-guard.toml");
        let settings = std::fs::read_to_string(path).unwrap();
        let before = settings.lines().find(|line| line.starts_with("account")).unwrap().to_owned();
        self.setting.file("bulk-guard.toml", &settings.replace(&before, &format!("account = \"{}\"", person.email)));
        self.setting.file("drill.key", &of_drill(person).key);
        self.setting.sim.edit(|portal| portal.keys.truncate(portal.keys.len().min(KEYS)));
        self.drill = person.id;
    }
}

/// One of the program, and one for each account of a drill.
const KEYS: usize = 7;

/// Killed after each call whose answer it has not seen: the next run, or the next drill, takes everything away and says that it was a drill. So
/// many drills a day hold nobody up: they do not count for the limit of suspensions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_drill_leaves_is_taken_away() {
    type IsSo = fn(&Watched) -> bool;
    let made: IsSo = |watched| watched.left().0 == 1;
    let filled: IsSo = |watched| watched.left().1 == 3;
    let renamed: IsSo =
        |watched| watched.is(|portal| portal.content.files.iter().any(|file| file.title.contains("renamed")));
    let suspended: IsSo = |watched| watched.status() == 2;
    let archived: IsSo = |watched| watched.is(|portal| portal.rooms.iter().any(|room| room.archived));
    let deleted: IsSo = |watched| watched.left() == (0, 0) && watched.switched().len() == 6;
    let points = [
        ("POST", "files/rooms", 0, made),
        ("POST", "files/*/upload", 2, filled),
        ("PUT", "files/file", 0, renamed),
        // its run is let go on
        ("", "", 0, suspended),
        ("PUT", "files/rooms", 0, archived),
        ("DELETE", "files/rooms", 0, deleted),
    ];
    let (mut portal, first) = portal();
    let mut accounts = vec![first.clone()];
    accounts
        .extend((1..points.len()).map(|n| hire(&mut portal, &format!("drill{n}@example.com"), PersonKind::RoomAdmin)));
    portal.keys.extend(accounts[1..].iter().map(of_drill));
    assert_eq!(portal.keys.len(), KEYS);
    let few = format!("{SETTINGS}[limits.renamed]\ndocuments = 3\n[breaker]\nper_day = 1\n");
    let mut watched = Watched::of((portal, first), &few).await;
    for (n, (method, route, skip, is_so)) in points.into_iter().enumerate() {
        watched.drill_with(&accounts[n]);
        let switched = watched.switched().len();
        let mut late = Fault::new(FaultKind::Latency { ms: 600_000, jitter_ms: 0 }).on(route).method(method);
        late.skip = skip;
        watched.setting.sim.set_faults(if route.is_empty() { Vec::new() } else { vec![late.times(1)] });
        watched.killed_when(|| is_so(&watched)).await;
        // somebody may still be at work on it
        let soon = watched.run(&["drill"]).await;
        assert!(soon.exit == 1 && soon.stderr.contains("another drill is at work"), "{n}: {}", soon.stderr);
        watched.silence().await;
        watched.settled_by(if n % 2 == 0 { &[] } else { &["drill"] }, n + 1).await;
        let told = watched.alerts().len();
        let after = watched.run(&["--format", "json"]).await;
        assert_eq!(after.json()["findings"], Value::from(Vec::<Value>::new()), "{n}: {}", after.stderr);
        assert_eq!(watched.alerts().len(), told, "{n}: {:#?}", watched.alerts());
        assert_eq!(watched.drills_told().last(), Some(&("\"high\"".to_owned(), false)), "{n}");
        let switched = watched.switched().split_off(switched);
        assert!(switched.len() <= 2, "{n}: {switched:?}");
        if n >= 3 {
            assert_eq!(switched, ["Terminated", "Active"], "{n} {:#?}", watched.alerts().last());
        }
    }
}

/// The next run need not wait until nobody can be at work on it any more, nor for a lease.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stopped_drill_leaves_is_taken_away_at_once() {
    let (portal, drill) = portal();
    let mut setting = setting(portal).await;
    let is_on_server = setting.keep_on_server();
    let watched = Watched::with(setting, drill, SETTINGS).await;
    let url = watched.setting.sim.url();
    let mut command = watched.setting.command(&watched.arguments(&url, &["drill"]));
    let command = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    cli_test::until(|| watched.left().0 == 1).await;
    cli_test::send("TERM", child.id().unwrap()).await;
    let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.code() == Some(1) && said.contains("the drill was stopped"), "{said}{:?}", ended.stderr);
    if is_on_server {
        let place = watched.setting.server.as_ref().unwrap();
        assert_eq!(job_store::SeenServer::at(place).await.unwrap().lease, None);
    }
    watched.settled_by(&[], 1).await;
    assert_eq!(watched.drills_told(), [("\"high\"".to_owned(), false)]);
}

/// A drill is held up before it makes its room for so long that another run ends it: nobody would take the room away.
#[tokio::test]
async fn a_drill_that_another_run_has_ended_makes_no_room() {
    let watched = Watched::of(portal(), SETTINGS).await;
    let store = store(&watched.setting).await;
    // in the moment in which its beginning is kept
    let ends = "CREATE TRIGGER ends AFTER UPDATE ON journal_entry
                WHEN NEW.kind = 'drill' AND json_extract(NEW.payload, '$.revision') = 1
                BEGIN
                    UPDATE journal_entry SET state = 'done', payload =
                        json_set(NEW.payload, '$.revision', 2, '$.stage', 'over', '$.is_told', json('true'))
                    WHERE key = NEW.key;
                END";
    store.script("waiting", ends).await.unwrap();
    store.close().await;
    let drill = watched.run(&["drill"]).await;
    assert_eq!((drill.exit, drill.stdout.as_str()), (1, ""), "{}", drill.stderr);
    assert!(drill.stderr.contains("another run has gone on with the drill"), "{}", drill.stderr);
    let requests = watched.setting.sim.requests();
    let changes: Vec<_> = requests.iter().filter(|request| request.method != "GET").collect();
    assert!(changes.is_empty(), "{changes:?}");
    assert_eq!(watched.left(), (0, 0));
}

/// The portal refuses to disable the account: said, and cleaned up after.
#[tokio::test]
async fn a_step_that_does_not_happen_is_said() {
    let watched = Watched::of(portal(), SETTINGS).await;
    watched.setting.sim.set_faults(vec![Fault::status(403).on("people/status")]);
    let drill = watched.run(&["drill"]).await;
    assert_eq!(drill.exit, 1, "{} {}", drill.stdout, drill.stderr);
    assert!(drill.stdout.contains("has failed: the suspension was not proven: "), "{}", drill.stdout);
    assert_eq!((watched.status(), watched.left()), (1, (0, 0)));
    assert_eq!(watched.drills_told(), [("\"high\"".to_owned(), false)]);
}

/// Nothing is made where a drill cannot be whole, or could be about somebody.
#[tokio::test]
async fn no_drill_begins_with_an_account_that_is_somebodys() {
    let (mut portal, drill) = portal();
    hire(&mut portal, "user@example.com", PersonKind::User);
    let watched = Watched::of((portal, drill.clone()), SETTINGS).await;
    let of = |account: &str| SETTINGS.replace("drill@example.com", account);
    let channel =
        format!("\n[alerts.file]\npath = \"{}\"\n", watched.setting.state.path().join("alerts.ndjson").display());
    for (settings, exit, said) in [
        (SETTINGS.split("[drill]").next().unwrap().to_owned(), 2, "drill.account"),
        (SETTINGS.replace("enforce", "observe"), 2, "`observe`"),
        (SETTINGS.replace("renamed", "deleted"), 2, "suspend.kinds"),
        (of("nobody@example.com"), 2, "is nobody of the portal"),
        (of("guard@example.com"), 2, "this program's own key"),
        (of("user@example.com"), 2, "may not make rooms"),
        (of("person0@example.com"), 2, "may not make rooms"),
        (SETTINGS.replace("[drill]", "[protect]\npeople = [\"drill@example.com\"]\n[drill]"), 2, "could not suspend"),
        // no channel
        (SETTINGS.to_owned(), 1, "suspend_channel"),
    ] {
        let channel = if said == "suspend_channel" { "" } else { &channel };
        watched.setting.file("bulk-guard.toml", &(settings.clone() + channel));
        let run = watched.run(&["drill"]).await;
        assert_eq!(run.exit, exit, "{said}: {} {}", run.stdout, run.stderr);
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    watched.setting.file("bulk-guard.toml", &(SETTINGS.to_owned() + &channel));
    let id = drill.id;
    let refused = async |said: &str, edit: &dyn Fn(&mut Scenario)| {
        let mut before = None;
        watched.setting.sim.edit(|portal| {
            before = Some((portal.people.clone(), portal.keys.clone()));
            edit(portal);
        });
        let run = watched.run(&["drill"]).await;
        assert!(run.exit == 1 && run.stderr.contains(said), "{said}: {} {}", run.exit, run.stderr);
        watched.setting.sim.edit(|portal| (portal.people, portal.keys) = before.unwrap());
    };
    let other = Key { key: format!("sk-{}", "b".repeat(64)), ..of_drill(&drill) };
    refused("is disabled", &|portal| {
        portal.people.iter_mut().filter(|person| person.id == id).for_each(|person| person.status = 2);
    })
    .await;
    refused("2 API keys", &|portal| portal.keys.push(other.clone())).await;
    refused("has signed in", &|portal| {
        portal.add_login(Login::success(&drill, portal.now - TimeDelta::days(9)));
    })
    .await;
    assert_eq!((watched.left(), watched.switched().len()), ((0, 0), 0));
    assert!(watched.drills_told().is_empty());
}
