//! Portals that hang: they delay nobody, are not begun twice, and are told of when they end.

use std::process::Stdio;

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::common::NOW;
use crate::fleet::Fleet;

/// A fleet at work.
struct AtWork {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl AtWork {
    fn start(fleet: &Fleet, extra: &[&str]) -> Self {
        Self::start_with(fleet, extra, &[])
    }

    fn start_with(fleet: &Fleet, extra: &[&str], environment: &[(&str, &str)]) -> Self {
        let arguments = fleet.arguments(extra);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = fleet.desk.command(&arguments);
        command.envs(environment.iter().copied());
        let mut process =
            command.args(["--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        AtWork { process, stdout }
    }

    /// What is told next; `None` when nothing more is.
    async fn next(&mut self) -> Option<Value> {
        let mut text = String::new();
        while let Some(line) = cli_test::in_time(self.stdout.next_line()).await.unwrap() {
            text += &line;
            if line == "}" {
                let summary: Value = serde_json::from_str(&text).unwrap();
                let names: Vec<&str> = portals(&summary).map(|portal| portal["name"].as_str().unwrap()).collect();
                assert!(names.is_sorted_by(|one, next| one < next), "each once, in order: {names:?}");
                return Some(summary);
            }
        }
        assert_eq!(text, "");
        None
    }

    /// The first summary that is so, and all before it.
    async fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut summaries = Vec::new();
        loop {
            summaries.push(self.next().await.expect("it comes"));
            if summaries.last().is_some_and(&is_so) {
                return summaries;
            }
        }
    }

    /// Ends it; what it tells by then, and its exit code.
    async fn end(mut self) -> (Vec<Value>, i32) {
        cli_test::send("TERM", self.process.id().unwrap()).await;
        self.rest().await
    }

    /// The same of one that ends by itself.
    async fn rest(&mut self) -> (Vec<Value>, i32) {
        let mut summaries = Vec::new();
        while let Some(summary) = self.next().await {
            summaries.push(summary);
        }
        (summaries, cli_test::in_time(self.process.wait()).await.unwrap().code().unwrap())
    }

    fn runs(&self) -> usize {
        let id = self.process.id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().count()
    }
}

fn portals(summary: &Value) -> impl Iterator<Item = &Value> {
    summary["portals"].as_array().unwrap().iter()
}

fn portal<'a>(summary: &'a Value, name: &str) -> &'a Value {
    portals(summary).find(|portal| portal["name"] == name).unwrap_or(&Value::Null)
}

fn is_at_work(summary: &Value, name: &str) -> bool {
    portal(summary, name)["note"].as_str().is_some_and(|note| note.starts_with("still at work since 2026-11-20 09:"))
}

fn has_report(summary: &Value, name: &str) -> bool {
    portal(summary, name)["report"].is_object()
}

/// Nobody answers what is asked of a portal any more, until the test says so; with `settings`, which may end in a table.
async fn hold(fleet: &Fleet, name: &str, settings: &str) -> Holding {
    let (_, sim) = fleet.sims.iter().find(|(known, _)| *known == name).unwrap();
    let holding = Holding::start(&sim.url(), "/", 0).await;
    fleet.portal(name, &holding.url, settings, &sim.key());
    holding
}

fn begun(receiver: &Receiver) -> usize {
    receiver.paths().iter().filter(|path| path.ends_with("/start")).count()
}

/// Rounds go on without it, and say so; its run is one, and what it has found is told once.
#[tokio::test]
async fn a_portal_that_hangs_delays_nobody_and_is_told_when_it_ends() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let beat = |receiver: &Receiver| format!("[heartbeat]\nurl = \"{}\"", receiver.url);
    let fleet = Fleet::new(&[("a", ""), ("b", &beat(&other)), ("c", "")]).await;
    let holding = hold(&fleet, "a", &beat(&receiver)).await;
    let mut work = AtWork::start(&fleet, &["--every", "1s", "--at-most", "2"]);
    let goes_on = |summary: &Value| is_at_work(summary, "a") && has_report(summary, "b") && has_report(summary, "c");
    let mut summaries = work.until(goes_on).await;
    summaries.extend(work.until(goes_on).await);
    for summary in summaries.iter().filter(|summary| is_at_work(summary, "a")) {
        let a = portal(summary, "a");
        assert_eq!((&summary["exit_code"], &a["exit_code"]), (&4.into(), &4.into()), "no all-clear: {summary:#}");
        assert!(a["seconds"].is_null() && a["report"].is_null(), "{a:#}");
    }
    assert_eq!(begun(&receiver), 1, "the same run");
    holding.release();
    summaries.extend(work.until(|summary| has_report(summary, "a")).await);
    assert_eq!(portal(summaries.last().unwrap(), "a")["exit_code"], 0);
    summaries.extend(work.until(|summary| has_report(summary, "a")).await);
    let (rest, exit) = work.end().await;
    summaries.extend(rest);
    assert_eq!(summaries.last().unwrap()["exit_code"], exit, "the exit code is that of the last round");
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/fleet-1.schema.json");
    summaries.iter().for_each(|summary| cli_test::assert_keeps(&schema, &summary.to_string()));
    for (name, receiver) in [("a", receiver), ("b", other)] {
        let told = summaries.iter().filter(|summary| portal(summary, name)["seconds"].is_number()).count();
        // whom a signal ends at once has told nobody that it begins
        assert!((begun(&receiver)..=begun(&receiver) + 1).contains(&told), "{name}: {told} of {}", begun(&receiver));
    }
}

#[tokio::test]
async fn as_many_as_there_are_places_hang_and_the_others_are_looked_at() {
    let fleet = Fleet::new(&[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]).await;
    let _held = [hold(&fleet, "a", "").await, hold(&fleet, "b", "").await];
    let mut work = AtWork::start(&fleet, &["--every", "1s", "--at-most", "2"]);
    let others = |summary: &Value| ["c", "d", "e"].iter().all(|name| has_report(summary, name));
    let summaries = work.until(|summary| is_at_work(summary, "a") && is_at_work(summary, "b") && others(summary)).await;
    assert!(work.runs() <= 4, "twice as many as there are places");
    assert_eq!(summaries.last().unwrap()["exit_code"], 4);
    let (rest, exit) = work.end().await;
    assert_eq!((rest.last().unwrap()["exit_code"].as_i64(), exit), (Some(4), 4));
}

/// Then the round waits until one of them ends: the others get their turn, and all are told.
#[tokio::test]
async fn more_hang_than_may_be_at_work_and_all_are_told() {
    let fleet = Fleet::new(&[("a", ""), ("b", ""), ("c", ""), ("d", "")]).await;
    let mut held = [hold(&fleet, "a", "").await, hold(&fleet, "b", "").await, hold(&fleet, "c", "").await];
    let mut work = AtWork::start(&fleet, &["--every", "1s", "--at-most", "1"]);
    let [a, b, c] = &mut held;
    cli_test::in_time(a.held()).await;
    cli_test::in_time(b.held()).await;
    assert_eq!(work.runs(), 2);
    a.release();
    cli_test::in_time(c.held()).await;
    assert_eq!(work.runs(), 2);
    b.release();
    let first = work.next().await.expect("the round ends, though c hangs");
    // those that had to end for the others
    assert!(has_report(&first, "a") && has_report(&first, "b"), "{first:#}");
    assert!(is_at_work(&first, "c") && (has_report(&first, "d") || is_at_work(&first, "d")), "{first:#}");
    c.release();
    let mut told = vec![first];
    while !["c", "d"].iter().all(|name| told.iter().any(|summary| has_report(summary, name))) {
        told.push(work.next().await.expect("it comes"));
    }
    for name in ["a", "b", "c", "d"] {
        let of = told.iter().map(|summary| portal(summary, name)).find(|portal| portal["report"].is_object()).unwrap();
        assert_eq!((&of["exit_code"], &of["note"]), (&0.into(), &Value::Null), "{of:#}");
    }
    work.end().await;
}

/// As those that timers and cron start.
#[tokio::test]
async fn a_fleet_that_waits_for_one_portal_keeps_no_other_from_looking() {
    let fleet = Fleet::new(&[("a", ""), ("b", ""), ("c", "")]).await;
    let mut holding = hold(&fleet, "a", "").await;
    let common = fleet.desk.write("common.toml", "textfile = \"all.prom\"");
    let state = fleet.desk.folder.path().join("state").display().to_string();
    let flags = ["--config", &common, "--state", &state];
    let mut first = AtWork::start(&fleet, &flags);
    cli_test::in_time(holding.held()).await;
    cli_test::until(|| first.runs() == 1).await;
    let later: DateTime<Utc> = NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(30);
    let arguments = fleet.arguments(&[&flags[..], &["--format", "json"]].concat());
    let mut command = fleet.desk.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    command.env(cli_test::CLOCK, later.to_rfc3339());
    let second = cli_test::run(command).await;
    assert_eq!(second.exit, 0, "{}", second.stderr);
    let summary = second.json();
    assert_eq!(portal(&summary, "a")["note"], "left to another run, which is at work on this portal");
    assert!(has_report(&summary, "b") && has_report(&summary, "c"), "{summary:#}");
    let last_run = |url: &str| {
        let label = format!("last_run_timestamp_seconds{{portal=\"{}\"", url.trim_start_matches("http://"));
        let metrics = fleet.file("all.prom");
        let line = metrics.lines().find(|line| line.contains(&label) && !line.starts_with('#'))?;
        line.rsplit_once(' ')?.1.parse::<i64>().ok()
    };
    let others = [fleet.sims[1].1.url(), fleet.sims[2].1.url()];
    assert_eq!(last_run(&holding.url), None, "its run has not ended");
    others.iter().for_each(|url| assert_eq!(last_run(url), Some(later.timestamp())));
    holding.release();
    let (summaries, exit) = first.rest().await;
    assert_eq!((summaries.len(), exit), (1, 0));
    assert!(["a", "b", "c"].iter().all(|name| has_report(&summaries[0], name)), "{:#}", summaries[0]);
    assert!(last_run(&holding.url).is_some_and(|at| at < later.timestamp()), "told when it ended");
    others.iter().for_each(|url| assert_eq!(last_run(url), Some(later.timestamp()), "the later run's"));
}

#[tokio::test]
async fn a_signal_ends_those_that_outlived_their_round_and_tells_what_they_have_read() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let _held = hold(&fleet, "a", "").await;
    let mut work = AtWork::start(&fleet, &["--every", "1s"]);
    work.until(|summary| is_at_work(summary, "a") && has_report(summary, "b")).await;
    // no portal of the next round any more
    std::fs::remove_file(fleet.desk.folder.path().join("portals/a.toml")).unwrap();
    work.until(|summary| is_at_work(summary, "a") && has_report(summary, "b")).await;
    let (rest, exit) = work.end().await;
    let a = portal(rest.last().unwrap(), "a");
    assert_eq!((exit, &a["exit_code"]), (4, &4.into()), "{a:#}");
    assert_eq!(a["report"]["coverage"]["complete"], false, "{a:#}");
}

/// A portal can hang for hours, and as many rounds begin meanwhile.
#[tokio::test]
async fn what_was_told_takes_no_room_while_another_run_of_its_round_goes_on() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let _held = hold(&fleet, "a", "").await;
    let temporary = fleet.desk.folder.path().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let report = fleet.desk.folder.path().join("all.txt").display().to_string();
    let temporary = temporary.display().to_string();
    let mut work = AtWork::start_with(&fleet, &["--every", "1s", "--report", &report], &[("TMPDIR", &temporary)]);
    let goes_on = |summary: &Value| is_at_work(summary, "a") && has_report(summary, "b");
    work.until(goes_on).await;
    work.until(goes_on).await;
    let folders = std::fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().path());
    let first = folders.into_iter().find(|folder| folder.join("0.out").exists()).unwrap();
    let mut left: Vec<_> = std::fs::read_dir(&first).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["0.out", "in-use"], "that of the run that goes on");
    work.end().await;
}

#[tokio::test]
async fn where_no_round_can_begin_any_more_what_is_at_work_is_told() {
    let fleet = Fleet::new(&[("a", ""), ("b", "")]).await;
    let _held = hold(&fleet, "a", "").await;
    let mut work = AtWork::start(&fleet, &["--every", "1s"]);
    work.until(|summary| is_at_work(summary, "a")).await;
    let portals = fleet.desk.folder.path().join("portals");
    std::fs::rename(&portals, portals.with_extension("gone")).unwrap();
    let (rest, exit) = work.rest().await;
    let a = portal(rest.last().unwrap(), "a");
    assert_eq!((exit, &a["report"]["coverage"]["complete"]), (2, &false.into()), "{a:#}");
}
