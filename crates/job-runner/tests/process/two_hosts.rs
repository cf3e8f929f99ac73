//! Two hosts that do the same job for an hour, with one memory on a server: whatever becomes of them, no two runs are at work at once, and
//! everything is told once.

use std::process::Stdio;

use chrono::TimeDelta;
use cli_test::Run;
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use job_store::testing::place;
use job_store::{OnServer, Store};
use portal_sim::{Event, Person, PersonKind, PortalSim};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::common::Desk;
use crate::sixth::shares;

/// A run each three minutes.
const STEPS: usize = 20;

/// Everybody shares so much in each of two steps, which is too much only together.
const HALF: i64 = 6;

/// What becomes of the first of two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum First {
    /// It begins at the same moment as the other one, which it meets or not.
    Races,
    /// It waits for the portal until the other one has ended.
    Waits,
    /// It is killed while it waits for the portal.
    DiesLooking,
    /// It is killed with its report printed, and an alert on its way of which the receiver has nothing yet.
    DiesTelling,
}

impl First {
    /// What happens in a step. In those with the numbers 1, 5, 9, 13 and 17 there is somebody to tell of.
    fn of(step: usize) -> Self {
        match step {
            5 => First::DiesLooking,
            9 => First::DiesTelling,
            _ if step % 3 == 1 => First::Waits,
            _ => First::Races,
        }
    }
}

/// Two hosts with the same settings, which share no folder.
struct Hosts {
    desk: Desk,
    arguments: Vec<String>,
    folders: [TempDir; 2],
    clock: String,
    place: OnServer,
}

impl Hosts {
    fn command(&self, host: usize) -> Command {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut command = self.desk.command_of("share-watch", &arguments);
        command
            .env(cli_test::CLOCK, &self.clock)
            .env_remove("STATE_DIRECTORY")
            .env("TMPDIR", self.folders[host].path());
        command
    }

    async fn run(&self, host: usize) -> Run {
        cli_test::run(self.command(host)).await
    }

    /// How two runs ended that nobody has killed, and what one printed that somebody has.
    async fn work(&self, first: First, portal: &mut Holding, channel: &mut Holding) -> ([Run; 2], Option<String>) {
        match first {
            First::Races => (tokio::join!(self.run(0), self.run(1)).into(), None),
            First::Waits => {
                portal.hold();
                let other = async {
                    cli_test::in_time(portal.held()).await;
                    portal.let_pass();
                    let ended = self.run(1).await;
                    portal.release();
                    ended
                };
                (tokio::join!(self.run(0), other).into(), None)
            }
            First::DiesLooking => self.lose(portal).await,
            First::DiesTelling => self.lose(channel).await,
        }
    }

    /// A run is killed as soon as it waits here. The other host looks while the lease of that one lasts, and again when it is over.
    async fn lose(&self, holding: &mut Holding) -> ([Run; 2], Option<String>) {
        holding.hold();
        let mut dying = self.command(0).stdout(Stdio::piped()).spawn().unwrap();
        cli_test::in_time(holding.held()).await;
        holding.let_pass();
        dying.start_kill().unwrap();
        let printed = String::from_utf8(dying.wait_with_output().await.unwrap().stdout).unwrap();
        let during = self.run(1).await;
        cli_test::lease_ends(&self.place).await;
        ([during, self.run(1).await], Some(printed))
    }

    /// Nothing that the portal had was left out, and nothing waits for later runs.
    async fn assert_all_was_judged(&self) {
        let store = Store::on_server(&self.place).await.unwrap();
        let count = async |sql: &'static str| store.row("counting", sql, [], |row| row.int(0)).await.unwrap().unwrap();
        assert_eq!(count("SELECT count(*) FROM audit_event").await, STEPS as i64 / 2 * HALF);
        let outside = "SELECT count(*) FROM audit_event WHERE NOT EXISTS (
            SELECT FROM judged_span WHERE since_us <= at_us AND at_us < until_us)";
        assert_eq!(count(outside).await, 0);
        assert_eq!(count("SELECT count(*) FROM judged_span").await, 1, "without a hole");
        assert_eq!(count("SELECT count(*) FROM unjudged").await, 0);
    }
}

/// Three minutes later, of which somebody shared for a few seconds.
fn time_goes_by(sim: &PortalSim, shared: Option<&Person>) -> String {
    sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        let since = portal.now - TimeDelta::minutes(2);
        for (second, person) in shared.iter().flat_map(|person| (0..HALF).map(move |second| (second, person.id))) {
            portal.add_event(Event::new(5088, person, since + TimeDelta::seconds(second)));
        }
    });
    sim.now().to_rfc3339()
}

/// Those that have found another one at work have said so, and nothing else; the others had nothing to say but their report. Whether each is
/// one of these.
fn worked(ended: &[Run; 2], when: &str) -> [bool; 2] {
    ended.each_ref().map(|ended| {
        let (worked, lines) = (!ended.stdout.is_empty(), ended.stderr.lines().collect::<Vec<_>>());
        let is_left =
            |line: &str| line.contains(" WARN another run (") && line.contains("is still at work; this one ends");
        let is_right = if worked { lines.is_empty() } else { lines.len() == 1 && is_left(lines[0]) };
        assert!(ended.exit == 0 && is_right, "{when}: {ended:?}");
        worked
    })
}

/// The people whom a report calls new or grown; none where none was printed.
fn told_in(printed: &str) -> Vec<String> {
    if printed.is_empty() {
        return Vec::new();
    }
    let report: Value = serde_json::from_str(printed).unwrap();
    assert_eq!(report["coverage"]["complete"], true, "{report:#}");
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] != "known");
    findings.map(|finding| finding["person"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn for_an_hour_two_hosts_tell_everything_once() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let person = |number| Person::new(&format!("p{number}@example.com"), "Pat", "Po").kind(PersonKind::User);
    let people: Vec<Person> = (0..STEPS / 4).map(person).collect();
    sim.edit(|portal| portal.people.extend(people.iter().cloned()));
    let (alerts, watchers) = (Receiver::start().await, Receiver::start().await);
    let mut portal = Holding::start(&sim.url(), "/", 0).await;
    let mut channel = Holding::start(alerts.url.trim_end_matches("/check"), "/", 0).await;
    portal.let_pass();
    channel.let_pass();
    let settings = format!(
        "state = \"{}\"\n[alerts.webhook]\nurl = \"{}/hook\"\n[heartbeat]\nurl = \"{}\"\n",
        place.url, channel.url, watchers.url
    );
    let config = desk.write("share-watch.toml", &settings);
    let name = portal.url.trim_start_matches("http://").replace(':', "-");
    let mut hosts = Hosts {
        desk,
        arguments: ["--portal", &portal.url, "--config", &config, "--format", "json"].map(str::to_owned).into(),
        folders: [TempDir::new().unwrap(), TempDir::new().unwrap()],
        clock: String::new(),
        place: OnServer { schema: "share_watch".to_owned(), portal: name, ..place },
    };
    let mut told: Vec<String> = Vec::new();
    for step in 0..STEPS {
        let shared = (step % 4 < 2).then(|| &people[step / 4]);
        hosts.clock = time_goes_by(&sim, shared);
        let (first, begun) = (First::of(step), watchers.told().len());
        let (ended, before_its_death) = hosts.work(first, &mut portal, &mut channel).await;
        let when = format!("step {step}, {first:?}");
        let worked = worked(&ended, &when);
        match first {
            First::Races => assert_ne!(worked, [false, false], "{when}"),
            First::Waits => assert_eq!(worked, [true, false], "{when}"),
            First::DiesLooking | First::DiesTelling => assert_eq!(worked, [false, true], "{when}"),
        }
        // each that worked began when the one before it had ended or died
        let mut seen = vec!["/check/start"; before_its_death.iter().len()];
        worked.iter().filter(|worked| **worked).for_each(|_| seen.extend(["/check/start", "/check"]));
        assert_eq!(watchers.paths()[begun..], seen, "{when}");

        // who has shared too much is told of in this very step, by one report and one alert
        let new: Vec<String> =
            shared.filter(|_| step % 4 == 1).map(|person| person.id.to_string()).into_iter().collect();
        let printed = before_its_death.iter().chain(ended.iter().map(|ended| &ended.stdout));
        assert_eq!(printed.flat_map(|printed| told_in(printed)).collect::<Vec<_>>(), new, "{when}");
        told.extend(new);
        let alerts = alerts.told().into_iter().map(|alert| serde_json::from_str::<Value>(&alert.body).unwrap());
        let alerts: Vec<Value> = alerts.collect();
        let alerted: Vec<&str> = alerts.iter().map(|alert| alert["person"]["id"].as_str().unwrap()).collect();
        assert_eq!(alerted, told, "{when}");
        // every act counts, and once, whichever host has read it
        assert!(alerts.iter().all(|alert| alert["counts"]["acts"] == 2 * HALF), "{when}: {alerts:#?}");
    }
    assert_eq!(told.len(), people.len());
    hosts.assert_all_was_judged().await;
}
