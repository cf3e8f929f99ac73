//! Many portals: who is looked at when, and what is said of all of them together.

use std::path::Path;
use std::process::Stdio;

use chrono::TimeDelta;
use cli_test::Run;
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use portal_sim::{Event, Person, PersonKind, PortalSim, Scenario};
use tempfile::TempDir;

use crate::common::{Desk, NOW};

/// A folder with settings for portals that are alike, each with a key file of its own beside it.
pub(crate) struct Fleet {
    pub(crate) desk: Desk,
    pub(crate) sims: Vec<(&'static str, PortalSim)>,
}

impl Fleet {
    pub(crate) async fn new(portals: &[(&'static str, &str)]) -> Self {
        let mut fleet = Fleet { desk: Desk::new(), sims: Vec::new() };
        std::fs::create_dir(fleet.desk.folder.path().join("portals")).unwrap();
        for (name, settings) in portals {
            let sim = PortalSim::start(Scenario::empty(NOW.parse().unwrap())).await.unwrap();
            fleet.portal(name, &sim.url(), settings, &sim.key());
            fleet.sims.push((name, sim));
        }
        fleet
    }

    /// `settings` may end in a table.
    pub(crate) fn portal(&self, name: &str, url: &str, settings: &str, key: &str) {
        let text = format!("portal.url = \"{url}\"\nkey_file = \"{name}.key\"\n{settings}\n");
        self.desk.write(&format!("portals/{name}.toml"), &text);
        self.desk.write(&format!("portals/{name}.key"), key);
    }

    pub(crate) fn arguments<'a>(&'a self, extra: &[&'a str]) -> Vec<String> {
        let folder = self.desk.folder.path().join("portals").display().to_string();
        let fixed = ["fleet".to_owned(), "--portals".to_owned(), folder];
        fixed.into_iter().chain(extra.iter().map(|&word| word.to_owned())).collect()
    }

    pub(crate) async fn run(&self, extra: &[&str]) -> Run {
        let arguments = self.arguments(extra);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Run { stdout, stderr, exit } = self.desk.run(&arguments).await;
        Run { stdout: self.comparable(&stdout), stderr: self.comparable(&stderr), exit }
    }

    /// Without what differs between two runs.
    fn comparable(&self, text: &str) -> String {
        let mut text = text.replace(&self.desk.folder.path().display().to_string(), "/desk");
        for (name, sim) in &self.sims {
            text = text.replace(&sim.url(), &format!("https://{name}.example.com"));
        }
        let lines = text.lines().map(|line| match (line.split_once("\"seconds\": "), line.split_once("Z ")) {
            (Some((before, after)), _) => {
                format!("{before}\"seconds\": 0.0{}\n", if after.ends_with(',') { "," } else { "" })
            }
            (None, Some((before, after))) if before.contains(": 20") => {
                format!("{}: {}\n", before.split_once(": 20").unwrap().0, after.trim_start())
            }
            _ => format!("{line}\n"),
        });
        lines.collect()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.desk.folder.path().join(name)).unwrap()
    }
}

/// Whatever is wrong with one portal is told of that one, and the others are looked at.
#[tokio::test]
async fn every_portal_is_looked_at_and_the_worst_code_wins() {
    let fleet = Fleet::new(&[("calm", ""), ("dead", ""), ("gap", "mood = \"gap\""), ("wrong", "moood = 1")]).await;
    fleet.desk.write("portals/dead.key", &format!("sk-{}", "0".repeat(64)));
    fleet.desk.write("portals/torn.toml", "portal.url = [");
    fleet.desk.write("portals/notes.txt", "no portal");
    fleet.desk.write("portals/.calm.toml", "nor is what an editor leaves behind");
    let common = fleet.desk.write("common.toml", "textfile = \"all.prom\"");
    let state = fleet.desk.folder.path().join("state-{portal}").display().to_string();
    let ended = fleet.run(&["--config", &common, "--at-most", "2", "--state", &state]).await;
    assert_eq!(ended.exit, 1, "{}", ended.stderr);
    insta::assert_snapshot!("fleet_text", ended.stdout);
    for line in ended.stderr.lines() {
        assert!(["dead: ", "gap: ", "wrong: ", "torn: "].iter().any(|name| line.starts_with(name)), "{line}");
    }
    assert!(ended.stderr.contains("wrong: ERROR config key `moood`") && ended.stderr.contains("did you mean `mood`"));
    let metrics = fleet.file("all.prom");
    for (name, exit) in [("calm", 0), ("dead", 1), ("gap", 4), ("wrong", 2)] {
        let sim = &fleet.sims.iter().find(|(known, _)| *known == name).unwrap().1;
        let portal = sim.url().trim_start_matches("http://").to_owned();
        let sample = format!("docspace_job_last_run_exit_code{{portal=\"{portal}\",program=\"sample-job\"}} {exit}\n");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
        let success = metrics.lines().find(|line| line.contains("last_success") && line.contains(&portal)).unwrap();
        assert_eq!(success.ends_with(" 0"), exit != 0, "{success}");
        let state = format!("state-{}", portal.replace(':', "-"));
        assert_eq!(fleet.desk.folder.path().join(state).exists(), name != "wrong", "{name}");
    }
    assert_eq!(metrics.matches("# TYPE docspace_job_last_run_exit_code gauge").count(), 1, "{metrics}");
}

#[tokio::test]
async fn as_json_each_portal_has_its_report() {
    let fleet = Fleet::new(&[("calm", ""), ("gap", "mood = \"gap\""), ("wrong", "moood = 1")]).await;
    let files = [fleet.desk.folder.path().join("all.json"), fleet.desk.folder.path().join("{portal}.txt")];
    let [summary, each] = files.map(|path| path.display().to_string());
    let ended = fleet.run(&["--format", "json", "--report", &summary, "--report", &each]).await;
    assert_eq!(ended.exit, 2, "settings that are wrong win over what was not seen: {}", ended.stderr);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/fleet-1.schema.json");
    cli_test::assert_keeps(&schema, &ended.stdout);
    assert_eq!(fleet.comparable(&fleet.file("all.json")), ended.stdout, "the file has the same");
    insta::assert_snapshot!("fleet_json", ended.stdout);
    for (name, sim) in &fleet.sims[..2] {
        let own = sim.url().trim_start_matches("http://").replace(':', "-");
        assert!(fleet.file(&format!("{own}.txt")).contains("sample-job"), "{name}");
    }
    let refused = fleet.run(&["--report", "all.html"]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("{portal}"), "{}", refused.stderr);
}

/// cron mails every byte.
#[tokio::test]
async fn when_all_is_quiet_nothing_is_said_and_heartbeats_are_each_portals_own() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let beat = |receiver: &Receiver| format!("[heartbeat]\nurl = \"{}\"", receiver.url);
    let fleet = Fleet::new(&[("a", &beat(&receiver)), ("b", &beat(&other))]).await;
    let ended = fleet.run(&["--spread", "0s"]).await;
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
    for receiver in [receiver, other] {
        assert_eq!(receiver.paths(), ["/check/start", "/check"]);
    }
    let dry = fleet.run(&["--dry-run", "--format", "json"]).await;
    assert!(dry.json()["run"]["dry_run"] == true && dry.json()["portals"][1]["report"]["run"]["dry_run"] == true);
}

/// An alert on the age of its metrics must neither fall silent nor fire for another portal.
#[tokio::test]
async fn where_one_of_two_portals_has_no_settings_any_more_the_metrics_of_both_stay() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let common = fleet.desk.write("common.toml", "textfile = \"all.prom\"");
    assert_eq!(fleet.run(&["--config", &common]).await.exit, 0);
    let last_runs = || {
        let metrics = fleet.file("all.prom");
        let runs = metrics.lines().filter(|line| line.starts_with("docspace_job_last_run_timestamp_seconds{"));
        let at = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap();
        fleet
            .sims
            .iter()
            .map(|(_, sim)| {
                let label = format!("portal=\"{}\"", sim.url().trim_start_matches("http://"));
                runs.clone().find(|line| line.contains(&label)).map(at)
            })
            .collect::<Vec<_>>()
    };
    let before = last_runs();
    fleet.desk.write("portals/b.toml", "portal.url = [");
    let arguments = fleet.arguments(&["--config", &common]);
    let mut command = fleet.desk.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    command.env(cli_test::CLOCK, "2026-11-20T09:30:00Z");
    let ended = cli_test::run(command).await;
    assert!(ended.exit == 2 && !ended.stderr.contains("all.prom"), "{}", ended.stderr);
    let after = last_runs();
    assert!(after[0] > before[0] && before[1].is_some() && after[1] == before[1], "{before:?} {after:?}");
}

/// A second one would start every run a second time, only to find it locked.
#[tokio::test]
async fn two_fleets_over_one_folder_are_not_at_work_at_once() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let state = fleet.desk.folder.path().join("state").display().to_string();
    assert_eq!(fleet.run(&["--state", &state]).await.exit, 0);
    let locks = || std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let lock = locks().find(|path| path.to_string_lossy().contains("sample-job-fleet-")).unwrap();
    let held = job_store::RunLock::acquire(&lock, NOW.parse().unwrap()).unwrap();
    let before = fleet.sims[0].1.requests().len();
    let second = fleet.run(&["--state", &state]).await;
    assert_eq!((second.exit, second.stdout.as_str()), (0, ""));
    let says = "another fleet is still at work on these portals; this one ends without doing anything";
    assert!(second.stderr.contains(says), "{}", second.stderr);
    assert_eq!(fleet.sims[0].1.requests().len(), before, "no run began");
    drop(held);
    assert_eq!(fleet.run(&["--state", &state]).await.stderr, "");
    assert!(fleet.sims[0].1.requests().len() > before);
}

/// As when two hosts look at the same portals, with a memory on a server.
#[tokio::test]
async fn portals_that_another_run_looks_at_are_counted_apart() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let state = fleet.desk.folder.path().join("state").display().to_string();
    assert_eq!(fleet.run(&["--state", &state]).await.exit, 0);
    let port = |number: usize| fleet.sims[number].1.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let locks = || std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let lock = locks().find(|path| path.to_string_lossy().ends_with(&format!("-{}.lock", port(1)))).unwrap();
    let _held = job_store::RunLock::acquire(&lock, NOW.parse().unwrap()).unwrap();
    let quiet = fleet.run(&["--state", &state]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""), "the log says it: {}", quiet.stderr);
    assert!(quiet.stderr.contains("b: ") && quiet.stderr.contains("is still at work"), "{}", quiet.stderr);
    let summary = fleet.desk.folder.path().join("all.txt").display().to_string();
    let json = fleet.run(&["--state", &state, "--format", "json", "--report", &summary]).await;
    let b = &json.json()["portals"][1];
    assert_eq!((json.exit, &b["exit_code"]), (0, &0.into()));
    assert_eq!(b["note"], "left to another run, which is at work on this portal");
    let whole = fleet.file("all.txt");
    assert!(whole.ends_with("\n2 portals: 1 concluded, 1 left to another run\n"), "{whole}");
    assert!(whole.contains("Note: left to another run, which is at work on this portal\n"), "{whole}");
}

/// There no lock keeps fleets apart, but each run finds whether another one has its portal.
#[tokio::test]
async fn with_a_memory_on_a_server_fleets_on_two_hosts_tell_everything_once() {
    let Some(place) = job_store::testing::place() else { return };
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let mut ways = Vec::new();
    for (name, sim) in &fleet.sims {
        sim.edit(|portal| {
            let person = Person::new("pat@example.com", &format!("Pat {name}"), "Po").kind(PersonKind::User);
            let (id, since) = (person.id, portal.now - TimeDelta::minutes(40));
            portal.people.push(person);
            for second in 0..11 {
                portal.add_event(Event::new(5088, id, since + TimeDelta::seconds(second)));
            }
        });
        let way = Holding::start(&sim.url(), "/", 0).await;
        fleet.portal(name, &way.url, "", &sim.key());
        ways.push(way);
    }
    let common = fleet.desk.write("common.toml", &format!("state = \"{}\"\n", place.url));
    let hosts = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let on = |host: usize, format: &str| {
        let arguments = fleet.arguments(&["--config", &common, "--format", format]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = fleet.desk.command_of("share-watch", &arguments);
        command.env_remove("STATE_DIRECTORY").env("TMPDIR", hosts[host].path());
        cli_test::run(command)
    };
    let found = |ended: &Run| {
        let document = ended.json();
        let portals = document["portals"].as_array().unwrap().clone();
        let of = |portal: serde_json::Value| {
            let findings = portal["report"]["findings"].as_array().unwrap().clone();
            findings.into_iter().map(|it| format!("{} {}", it["person"]["name"].as_str().unwrap(), it["state"]))
        };
        portals.into_iter().flat_map(of).collect::<Vec<_>>()
    };

    // the runs of the first fleet are at work when the second one begins
    let second = async {
        for way in &mut ways {
            cli_test::in_time(way.held()).await;
            way.let_pass();
        }
        let second = on(1, "json").await;
        ways.iter().for_each(Holding::release);
        second
    };
    let (first, second) = tokio::join!(on(0, "json"), second);
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    assert_eq!(found(&first), ["Pat a Po \"new\"", "Pat b Po \"new\""], "{}", first.stdout);
    assert_eq!(second.exit, 0, "{}", second.stderr);
    let document = second.json();
    for (number, (name, _)) in fleet.sims.iter().enumerate() {
        let portal = &document["portals"][number];
        assert_eq!((&portal["name"], &portal["exit_code"]), (&(*name).into(), &0.into()));
        assert_eq!(portal["note"], "left to another run, which is at work on this portal", "{portal:#}");
        assert!(portal["report"].is_null(), "{portal:#}");
        let lines: Vec<&str> = second.stderr.lines().filter(|line| line.starts_with(&format!("{name}: "))).collect();
        assert!(lines.len() == 1 && lines[0].contains("another run ("), "{}", second.stderr);
    }
    assert_eq!(second.stderr.lines().count(), 2, "nothing is said of the fleet: {}", second.stderr);

    // each host has what the other one has told
    let next = on(1, "text").await;
    assert_eq!((next.exit, next.stdout.as_str(), next.stderr.as_str()), (0, "", ""));
    let next = on(0, "json").await;
    assert_eq!(found(&next), ["Pat a Po \"known\"", "Pat b Po \"known\""], "{}", next.stdout);
}

/// As the one process of a container, which is started again when it ends.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_fleet_that_stays_looks_again_until_somebody_ends_it() {
    let receiver = Receiver::start().await;
    let fleet = Fleet::new(&[("a", &format!("[heartbeat]\nurl = \"{}\"", receiver.url))]).await;
    let arguments = fleet.arguments(&["--every", "1s"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = fleet.desk.command(&arguments);
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = || receiver.paths().iter().filter(|path| path.ends_with("/start")).count();
    cli_test::until(|| begun() == 2).await;
    cli_test::send("TERM", process.id().unwrap()).await;
    let ended = cli_test::in_time(process.wait_with_output()).await.unwrap();
    assert!([Some(0), Some(4)].contains(&ended.status.code()), "it was not killed: {ended:?}");
    assert_eq!(begun(), 2, "no third time");
}

#[tokio::test]
async fn what_would_pass_for_many_portals_is_refused() {
    let fleet = Fleet::new(&[("a", ""), ("b", ""), ("c", "")]).await;
    let url = fleet.sims[0].1.url();
    fleet.portal("b", &url, "", "sk-1");
    let twins = fleet.run(&["--format", "json"]).await;
    let codes: Vec<_> = twins.json()["portals"].as_array().unwrap().iter().map(|it| it["exit_code"].clone()).collect();
    assert_eq!((twins.exit, codes), (2, vec![2.into(), 2.into(), 0.into()]), "{}", twins.stderr);
    assert!(twins.stderr.contains("the files a.toml, b.toml name the same portal"), "{}", twins.stderr);
    assert_eq!(fleet.sims[0].1.requests(), [], "nobody knows which settings count");
    let empty = fleet.desk.folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    for (arguments, says) in [
        (vec!["fleet", "--portals", &empty], "no portal would be looked at"),
        (vec!["fleet", "--portals", "/nowhere"], "cannot read the folder /nowhere"),
    ] {
        let ended = fleet.desk.run(&arguments).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    for (flag, value) in [("--portal", url.as_str()), ("--key-file", "/key")] {
        let ended = fleet.run(&[flag, value]).await;
        assert!(ended.exit == 2 && ended.stderr.contains("is about one portal"), "{}", ended.stderr);
    }
    let ended = fleet.run(&["--every", "0s"]).await;
    assert!(ended.exit == 2 && ended.stderr.contains("must be longer than 0"), "{}", ended.stderr);
    let keyed = Fleet { desk: Desk { key: Some("sk-1".to_owned()), ..fleet.desk }, ..fleet };
    let ended = keyed.run(&[]).await;
    assert!(ended.exit == 2 && ended.stderr.contains("DOCSPACE_API_KEY"), "{}", ended.stderr);
}

/// Nobody answers two of the portals, so their runs stay; the others wait for a place until somebody ends the fleet.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn so_many_run_at_once_and_a_signal_ends_them_all() {
    let fleet = Fleet::new(&[("a", ""), ("b", ""), ("c", ""), ("d", "")]).await;
    let mut held = Vec::new();
    for (name, sim) in &fleet.sims[..2] {
        let holding = Holding::start(&sim.url(), "/", 0).await;
        fleet.portal(name, &holding.url, "", &sim.key());
        held.push(holding);
    }
    let arguments = fleet.arguments(&["--at-most", "2", "--format", "json"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = fleet.desk.command(&arguments);
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for holding in &mut held {
        cli_test::in_time(holding.held()).await;
    }
    let id = process.id().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    assert_eq!(children.split_whitespace().count(), 2, "{children}");
    cli_test::send("TERM", id).await;
    let ended = cli_test::in_time(process.wait_with_output()).await.unwrap();
    assert_eq!(ended.status.code(), Some(4));
    let summary: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    let portals = summary["portals"].as_array().unwrap();
    assert!(portals.iter().all(|portal| portal["exit_code"] == 4), "{summary:#}");
    assert!(portals[..2].iter().all(|portal| portal["report"]["coverage"]["complete"] == false), "{summary:#}");
    for portal in &portals[2..] {
        assert_eq!(portal["note"], "not looked at: somebody ended the fleet before its turn");
        assert!(portal["seconds"].is_null() && portal["report"].is_null(), "{portal}");
    }
    assert!(fleet.sims[2..].iter().all(|(_, sim)| sim.requests().is_empty()));
}

/// The settings of one process stay in it, and its flags reach every run.
#[tokio::test]
async fn flags_reach_every_run() {
    let fleet = Fleet::new(&[("a", "mood = \"gap\""), ("b", "")]).await;
    let keys = fleet.desk.folder.path().join("portals/{portal}.key").display().to_string();
    for (name, sim) in &fleet.sims {
        let own = sim.url().trim_start_matches("http://").replace(':', "-");
        fleet.desk.write(&format!("portals/{own}.key"), &sim.key());
        std::fs::remove_file(fleet.desk.folder.path().join(format!("portals/{name}.key"))).unwrap();
    }
    let flags = ["-v", "--since", "2h", "--until", NOW, "--key-file", &keys, "--format=json"];
    let ended = fleet.run(&flags).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    for report in ended.json()["portals"].as_array().unwrap().iter().map(|portal| &portal["report"]) {
        assert_eq!(report["window"]["since"], "2026-11-20T07:00:00Z");
    }
    assert!(
        ended.stderr.contains("a: INFO run finished") && ended.stderr.contains("b: INFO run finished"),
        "{}",
        ended.stderr
    );
}
