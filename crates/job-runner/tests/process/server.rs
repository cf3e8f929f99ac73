//! A store on a server that is away, goes away, or is another run's: what was found is told all the same, once, and nobody sees a password.

use std::time::Duration;

use chrono::TimeDelta;
use cli_test::Run;
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use cli_test::way::Way;
use job_store::testing::place;
use job_store::{Lease, Leased, OnServer, SeenServer, Store};
use portal_sim::{Event, Person, PersonKind, PortalSim};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::Desk;
use crate::sixth::shares;

async fn run(desk: &Desk, (portal, state): (&str, &str), now: &str, more: &[&str]) -> Run {
    let arguments = [&["--portal", portal, "--state", state], more].concat();
    let mut command = desk.command_of("share-watch", &arguments);
    command.env(cli_test::CLOCK, now).env_remove("STATE_DIRECTORY");
    cli_test::run(command).await
}

/// The findings of a JSON report: how many shares, and what is said of it.
fn found(ended: &Run) -> Vec<(u64, String)> {
    let of = |finding: &serde_json::Value| {
        (finding["counts"]["acts"].as_u64().unwrap(), finding["state"].as_str().unwrap().to_owned())
    };
    ended.json()["findings"].as_array().unwrap().iter().map(of).collect()
}

fn now(sim: &PortalSim) -> String {
    sim.now().to_rfc3339()
}

/// Wherever in a run the server goes away, the run tells what it finds, and says when it has no memory.
#[tokio::test]
async fn a_server_that_goes_away_costs_the_memory_only() {
    let Some(whole) = Way::for_bytes(usize::MAX).await else { return };
    let (desk, sim) = shares(11).await;
    let told = run(&desk, (&sim.url(), &whole.address), &now(&sim), &["--format", "json"]).await;
    assert_eq!((told.exit, found(&told)), (0, vec![(11, "new".to_owned())]), "{}", told.stderr);
    let again = run(&desk, (&sim.url(), &whole.address), &now(&sim), &[]).await;
    assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
    let all = whole.sent() / 2;
    for tenth in 0..10 {
        let way = Way::for_bytes(all * tenth / 10).await.unwrap();
        let (desk, sim) = shares(11).await;
        let ended = run(&desk, (&sim.url(), &way.address), &now(&sim), &["--format", "json"]).await;
        assert_eq!((ended.exit, found(&ended)), (0, vec![(11, "new".to_owned())]), "{tenth}: {}", ended.stderr);
        let report = ended.json();
        if report["coverage"]["blind_spots"] == serde_json::json!(["no_memory"]) {
            assert!(report["notes"].to_string().contains("no memory of earlier ones"), "{tenth}: {}", report["notes"]);
            assert!(ended.stderr.contains("going on without memory"), "{tenth}: {}", ended.stderr);
            // what was told without memory is remembered in a file meanwhile
            let again = run(&desk, (&sim.url(), &way.address), &now(&sim), &["--exit-code"]).await;
            assert_eq!((again.exit, again.stdout.as_str()), (3, ""), "{tenth}: {}", again.stderr);
        } else {
            assert!(tenth > 3, "{tenth}: {}", ended.stderr);
        }
    }
}

/// As soon as a run waits for the portal, another one takes its lease; then the portal answers.
async fn takes_over(holding: &mut Holding, place: &OnServer) -> Lease {
    cli_test::in_time(holding.held()).await;
    let lease = taken_over(place).await;
    holding.release();
    lease
}

async fn taken_over(place: &OnServer) -> Lease {
    let other = Store::on_server(place).await.unwrap();
    other.execute("waiting", "UPDATE lease SET until_us = 1", []).await.unwrap();
    let Leased::Taken(lease) = other.lease("host two", Duration::from_secs(60)).await.unwrap() else {
        panic!("its time is over")
    };
    lease
}

/// Its process was stopped, or its host cut off, until another run took over: that one tells what there is to tell.
#[tokio::test]
async fn a_run_that_has_lost_its_lease_tells_nothing() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(11).await;
    let mut holding = Holding::start(&sim.url(), "security/audit/events", 0).await;
    let portal = holding.url.trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    let (address, clock, url) = (place.url.to_string(), now(&sim), holding.url.clone());
    let first = run(&desk, (&url, &address), &clock, &[]);
    let (first, lease) = tokio::join!(first, takes_over(&mut holding, &place));
    assert_eq!(first.exit, 1, "{}", first.stderr);
    assert!(first.stderr.contains("has passed to another run"), "{}", first.stderr);
    assert!(
        first.stdout.contains("stopped before anything was read") && !first.stdout.contains("Mara"),
        "{}",
        first.stdout
    );
    let held = run(&desk, (&url, &address), &clock, &[]).await;
    assert_eq!((held.exit, held.stdout.as_str()), (0, ""), "{}", held.stderr);
    assert!(held.stderr.contains("another run (host two) is still at work"), "{}", held.stderr);
    lease.end().await.unwrap();
    let next = run(&desk, (&url, &address), &clock, &[]).await;
    assert!(next.exit == 0 && next.stdout.contains("Mara Moe"), "{} {}", next.stdout, next.stderr);
}

/// Whoever reads the report as a file or by mail keeps what the new holder of the lease writes, whenever the lease was lost.
#[tokio::test]
async fn a_run_that_has_lost_its_lease_hands_its_report_to_nobody() {
    // while it reads, and while it acts
    for (mood, wanted) in [("read", "security/audit/events"), ("ask", "people/@self")] {
        let Some(place) = place() else { return };
        let (desk, sim) = Desk::with_portal().await;
        let mut holding = Holding::start(&sim.url(), wanted, 0).await;
        let portal = holding.url.trim_start_matches("http://").replace(':', "-");
        let place = OnServer { schema: "sample_job".to_owned(), portal, ..place };
        let (handed_on, asked_for) = (desk.write("manager.json", "theirs"), desk.write("r.json", "theirs"));
        let settings = format!("state = \"{}\"\nmood = \"{mood}\"\nhanded_on = \"{handed_on}\"\n", place.url);
        let config = desk.write("sample-job.toml", &settings);
        let url = holding.url.clone();
        let arguments = ["--portal", &url, "--config", &config, "--report", &asked_for];
        let mut command = desk.command(&arguments);
        command.env_remove("STATE_DIRECTORY");
        let (ended, lease) = tokio::join!(cli_test::run(command), takes_over(&mut holding, &place));
        assert_eq!(ended.exit, 1, "{mood}: {}", ended.stderr);
        assert!(ended.stderr.contains("has passed to another run"), "{mood}: {}", ended.stderr);
        for file in [&handed_on, &asked_for] {
            assert_eq!(std::fs::read_to_string(file).unwrap(), "theirs", "{mood}: {file}");
        }
        lease.end().await.unwrap();
        let mut command = desk.command(&arguments);
        command.env_remove("STATE_DIRECTORY");
        let next = cli_test::run(command).await;
        assert_eq!(next.exit, 0, "{mood}: {}", next.stderr);
        for file in [&handed_on, &asked_for] {
            assert!(std::fs::read_to_string(file).unwrap().contains("\"coverage\""), "{mood}: {file}");
        }
    }
}

/// A channel that takes an alert, and meanwhile another run takes the lease.
async fn channel_taking_over(place: OnServer) -> (String, tokio::task::JoinHandle<Lease>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let takes = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
        stream.read_exact(&mut vec![0; length.trim().parse().unwrap()]).await.unwrap();
        let lease = taken_over(&place).await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        lease
    });
    (url, takes)
}

/// What was told by then stays, but not all was, so this is no all-clear.
#[tokio::test]
async fn a_run_that_loses_its_lease_among_its_alerts_leaves_the_others_and_says_so() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(11).await;
    let pat = Person::new("pat@example.com", "Pat", "Po").kind(PersonKind::User);
    sim.edit(|portal| {
        portal.people.push(pat.clone());
        let since = portal.now - TimeDelta::minutes(30);
        for n in 0..11 {
            portal.add_event(Event::new(5088, pat.id, since + TimeDelta::seconds(n)));
        }
    });
    let portal = sim.url().trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    let (channel, takes) = channel_taking_over(place.clone()).await;
    let config = desk.write("share-watch.toml", &format!("[alerts.webhook]\nurl = \"{channel}\"\n"));
    let (address, clock) = (place.url.to_string(), now(&sim));
    let ended = run(&desk, (&sim.url(), &address), &clock, &["--config", &config]).await;
    let lease = takes.await.unwrap();
    assert_eq!(ended.exit, 4, "{} {}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Mara Moe") && ended.stdout.contains("Pat Po"), "{}", ended.stdout);
    lease.end().await.unwrap();
    // the other run finds both alerts, of which one leaves again
    let receiver = Receiver::start().await;
    let config = desk.write("next.toml", &format!("[alerts.webhook]\nurl = \"{}\"\n", receiver.url));
    let next = run(&desk, (&sim.url(), &address), &clock, &["--config", &config]).await;
    assert_eq!((next.exit, receiver.told().len()), (0, 2), "{} {}", next.stdout, next.stderr);
}

/// A run that holds the lease for longer than a run may take hangs: somebody has to know.
#[tokio::test]
async fn a_lease_that_is_held_for_too_long_is_told() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let portal = sim.url().trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    let other = Store::on_server(&place).await.unwrap();
    let Leased::Taken(_lease) = other.lease("host two", Duration::from_secs(600)).await.unwrap() else {
        panic!("nobody has it")
    };
    other.execute("waiting", "UPDATE lease SET since_us = since_us - 3600000000", []).await.unwrap();
    let address = place.url.to_string();
    let held = run(&desk, (&sim.url(), &address), &now(&sim), &[]).await;
    assert_eq!(held.exit, 1, "{}", held.stderr);
    let told = "(host two) still holds the lease, longer than `run_limit`; end that process";
    assert!(held.stderr.contains(told), "{}", held.stderr);
    let doctor = run(&desk, (&sim.url(), &address), &now(&sim), &["doctor"]).await;
    assert!(doctor.exit == 1 && doctor.stdout.contains("FAIL  lock: a run that began at"), "{}", doctor.stdout);
}

/// Whatever a command fails at, it does not keep the next run waiting until the time of its lease is over.
#[tokio::test]
async fn a_command_that_fails_keeps_no_lease() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let (url, clock, address) = (sim.url(), now(&sim), place.url.to_string());
    let first = run(&desk, (&url, &address), &clock, &[]).await;
    assert_eq!(first.exit, 0, "{}", first.stderr);
    let portal = url.trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    let file = desk.write("no-folder", "");
    for (arguments, exit) in [
        (&["store", "forget", "person-7fk2-9qwd", "--reason", "asked for"][..], 2),
        (&["store", "move", &address, &file], 1),
    ] {
        let failed = run(&desk, (&url, &address), &clock, arguments).await;
        assert_eq!(failed.exit, exit, "{arguments:?}: {}", failed.stderr);
        let held = SeenServer::at(&place).await.unwrap().lease;
        assert!(held.is_none(), "{arguments:?}: {held:?}");
    }
}

/// A store that does not answer may be in use by others: whoever knows better has to say so.
#[tokio::test]
async fn what_was_moved_is_taken_back_only_when_the_other_store_is_gone() {
    let Some(way) = Way::for_bytes(usize::MAX).await else { return };
    let (desk, sim) = shares(0).await;
    let folder = desk.folder.path().join("here").display().to_string();
    let (url, clock) = (sim.url(), now(&sim));
    let store = async |arguments: &[&str]| run(&desk, (&url, &folder), &clock, &[&["store"], arguments].concat()).await;
    let moved_away = async || {
        let first = run(&desk, (&url, &folder), &clock, &[]).await;
        assert_eq!(first.exit, 0, "{}", first.stderr);
        let moved = store(&["move", &folder, &way.address]).await;
        assert_eq!(moved.exit, 0, "{}", moved.stderr);
    };
    moved_away().await;
    let there = store(&["take-back", &folder]).await;
    assert!(there.exit == 2 && there.stderr.contains("is still there"), "{}", there.stderr);
    let there = store(&["take-back", &folder, "--lost"]).await;
    assert!(there.exit == 2 && there.stderr.contains("is still there"), "it answers: {}", there.stderr);

    way.cut_after(0);
    let unknown = store(&["take-back", &folder]).await;
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (1, ""), "{}", unknown.stderr);
    for said in ["could not be asked whether it is in use", "add `--lost`", "cannot connect to store"] {
        assert!(unknown.stderr.contains(said), "{said}: {}", unknown.stderr);
    }
    let away = run(&desk, (&url, &folder), &clock, &[]).await;
    assert!(away.exit == 2 && away.stderr.contains("was moved to"), "{}", away.stderr);
    let lost = store(&["take-back", &folder, "--lost"]).await;
    assert_eq!((lost.exit, lost.stderr.as_str()), (0, ""), "{}", lost.stdout);
    let again = run(&desk, (&url, &folder), &clock, &[]).await;
    assert_eq!((again.exit, again.stderr.as_str()), (0, ""), "{}", again.stdout);
}

/// As a server that was set up anew answers.
#[tokio::test]
async fn a_server_without_the_schema_has_lost_what_was_moved_there() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let folder = desk.folder.path().join("here").display().to_string();
    let (url, clock, address) = (sim.url(), now(&sim), place.url.to_string());
    let first = run(&desk, (&url, &folder), &clock, &[]).await;
    assert_eq!(first.exit, 0, "{}", first.stderr);
    let moved = run(&desk, (&url, &folder), &clock, &["store", "move", &folder, &address]).await;
    assert_eq!(moved.exit, 0, "{}", moved.stderr);
    let portal = url.trim_start_matches("http://").trim_end_matches('/').replace(':', "-");
    let file = format!("sqlite://{folder}/share-watch-{portal}.sqlite");
    let store = Store::open_to_move(&file).await.unwrap();
    // a database that every server has, and nobody keeps anything in
    let elsewhere = "UPDATE moved SET other = replace(other, '/tests', '/postgres')";
    store.execute("renaming", elsewhere, []).await.unwrap();
    store.close().await;
    let taken = run(&desk, (&url, &folder), &clock, &["store", "take-back", &folder]).await;
    assert_eq!((taken.exit, taken.stderr.as_str()), (0, ""), "{}", taken.stdout);
    assert!(taken.stdout.contains("is used again: set `state` to it"), "{}", taken.stdout);
}

#[tokio::test]
async fn what_only_looks_writes_nothing_to_the_server() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(11).await;
    let address = place.url.to_string();
    let dry = run(&desk, (&sim.url(), &address), &now(&sim), &["--dry-run", "--exit-code"]).await;
    assert!(dry.exit == 3 && dry.stdout.contains("Mara Moe"), "{} {}", dry.stdout, dry.stderr);
    let doctor = run(&desk, (&sim.url(), &address), &now(&sim), &["doctor"]).await;
    for line in [
        "ok    state: postgres://tester@/tests?host=",
        "ok    lock: the lease is free",
        "warn  state_clock: the server's clock is",
    ] {
        assert!(doctor.stdout.contains(line), "{line}: {}", doctor.stdout);
    }
    let portal = sim.url().trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    let store = Store::on_server(&place).await.unwrap();
    let tables =
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'audit_event'";
    let is_there = store.row("looking", tables, [], |row| row.int(0)).await.unwrap() == Some(1);
    let rows = store.row("counting", "SELECT count(*) FROM audit_event", [], |row| row.int(0)).await;
    assert!(!is_there || rows.unwrap() == Some(0));
}

#[tokio::test]
async fn no_command_shows_the_password_of_the_server() {
    let (desk, sim) = shares(0).await;
    // nobody listens there
    let address = "postgres://tester:s3cret@127.0.0.1:1/tests";
    let config = desk.write("share-watch.toml", &format!("state = \"{address}\"\n"));
    for (arguments, exit, says) in [
        (&["config", "show"][..], 0, "state = \"postgres://127.0.0.1:1/***\""),
        (
            &["doctor"],
            1,
            "FAIL  state: cannot connect to store postgres://tester@127.0.0.1:1/tests, schema share_watch",
        ),
        (&["store", "check"], 1, "check host and port in the address, and whether the server is running"),
        (&["store", "backup", "b.sqlite"], 1, "check host and port in the address, and whether the server is running"),
        (&["-vv"], 0, "going on without memory"),
    ] {
        let mut command =
            desk.command_of("share-watch", &[&["--portal", &sim.url(), "--config", &config], arguments].concat());
        command.env(cli_test::CLOCK, now(&sim)).env_remove("STATE_DIRECTORY");
        let ended = cli_test::run(command).await;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(ended.exit == exit && said.contains(says), "{arguments:?} {}: {said}", ended.exit);
        assert!(!said.contains("s3cret"), "{arguments:?}: {said}");
    }
}

/// Whoever cannot be told that the run has ended does not keep the next one waiting.
#[tokio::test]
async fn a_signal_while_the_heartbeat_server_is_silent_ends_the_lease() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let receiver = Receiver::start().await;
    let mut silent = Holding::start(receiver.url.trim_end_matches("/check"), "/check?", 0).await;
    let settings = format!("state = \"{}\"\n[heartbeat]\nurl = \"{}/check\"\n", place.url, silent.url);
    let config = desk.write("share-watch.toml", &settings);
    let mut command = desk.command_of("share-watch", &["--portal", &sim.url(), "--config", &config]);
    let mut child = command.env(cli_test::CLOCK, now(&sim)).env_remove("STATE_DIRECTORY").spawn().unwrap();
    cli_test::in_time(silent.held()).await;
    cli_test::send("TERM", child.id().unwrap()).await;
    let ended = cli_test::in_time(child.wait()).await.unwrap();
    assert_eq!(ended.code(), Some(0), "it was through");
    let portal = sim.url().trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    assert_eq!(SeenServer::at(&place).await.unwrap().lease, None);
}

/// Whoever ends a command does not keep the next run waiting either.
#[tokio::test]
async fn a_signal_ends_the_lease_of_a_command() {
    let Some(place) = place() else { return };
    let (desk, sim) = shares(0).await;
    let receiver = Receiver::start().await;
    let mut silent = Holding::start(receiver.url.trim_end_matches("/check"), "/hook", 0).await;
    let settings = format!("state = \"{}\"\n[alerts.webhook]\nurl = \"{}/hook\"\n", place.url, silent.url);
    let config = desk.write("share-watch.toml", &settings);
    let arguments = ["--portal", &sim.url(), "--config", &config, "alerts", "test"];
    let mut command = desk.command_of("share-watch", &arguments);
    let command = command.env(cli_test::CLOCK, now(&sim)).env_remove("STATE_DIRECTORY");
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    cli_test::in_time(silent.held()).await;
    cli_test::send("TERM", child.id().unwrap()).await;
    let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && said.contains("stopped before it was through"), "{said}");
    let portal = sim.url().trim_start_matches("http://").replace(':', "-");
    let place = OnServer { schema: "share_watch".to_owned(), portal, ..place };
    assert_eq!(SeenServer::at(&place).await.unwrap().lease, None);
}
