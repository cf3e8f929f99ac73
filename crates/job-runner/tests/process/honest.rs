//! What a run must not conclude: with a wrong clock, without its store, ended before its time, or when what it does about it fails.

use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::holding::Holding;
use cli_test::receiver::Receiver;
use cli_test::{CLOCK, Run};
use job_store::testing::not_tested;
use portal_sim::{Fault, FaultKind, PortalSim};
use serde_json::{Value, json};

use crate::common::{Desk, NOW};

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// A run whose clock is so many seconds ahead of the portal's, with these settings.
async fn at(ahead: i64, desk: &Desk, sim: &PortalSim, settings: &str, extra: &[&str]) -> Run {
    let config = desk.write("sample.toml", settings);
    let url = sim.url();
    let arguments = [&["--portal", url.as_str(), "--config", &config, "--format", "json"], extra].concat();
    let mut command = desk.command(&arguments);
    command.env(CLOCK, (now() + TimeDelta::seconds(ahead)).to_rfc3339());
    cli_test::run(command).await
}

fn gaps(run: &Run) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let gaps = run.json()["coverage"]["gaps"].as_array().unwrap().clone();
    gaps.iter().map(|gap| (text(&gap["why"]), text(&gap["since"]), text(&gap["until"]))).collect()
}

/// What the portal has recorded since this machine's idea of the present was not seen.
#[tokio::test]
async fn a_clock_that_is_behind_leaves_a_gap_and_no_all_clear() {
    let (desk, sim) = Desk::with_portal().await;
    let receiver = Receiver::start().await;
    let settings = format!("[heartbeat]\nurl = \"{}\"", receiver.url);
    for (seconds, arguments) in [(4 * 3_600, &[][..]), (360, &[]), (360, &["--since", "2h"]), (360, &["--until", "0m"])]
    {
        let ended = at(-seconds, &desk, &sim, &settings, arguments).await;
        assert_eq!(ended.exit, 4, "{}", ended.stderr);
        let found = gaps(&ended);
        assert_eq!((found.len(), found[0].0.as_str()), (1, "clock_skew"), "{found:?}");
        let until = now() - TimeDelta::seconds(seconds);
        assert_eq!(found[0].1.parse::<DateTime<Utc>>().unwrap(), until);
        // clocks go on while the program runs
        assert!(found[0].2.parse::<DateTime<Utc>>().unwrap() - now() < TimeDelta::minutes(5), "{found:?}");
        assert_eq!(receiver.paths().last().unwrap(), "/check/fail");
    }
}

#[tokio::test]
async fn a_window_that_was_asked_for_by_its_end_misses_nothing_by_a_clock_that_is_behind() {
    let (desk, sim) = Desk::with_portal().await;
    let ended = at(-3_600, &desk, &sim, "", &["--until", "2026-11-20T07:00:00Z"]).await;
    assert_eq!((ended.exit, gaps(&ended)), (0, Vec::new()), "{}", ended.stderr);
    assert!(ended.json()["notes"].to_string().contains("behind the portal's"));
}

#[tokio::test]
async fn seconds_are_no_difference() {
    let (desk, sim) = Desk::with_portal().await;
    for seconds in [-50, 0] {
        let ended = at(seconds, &desk, &sim, "mood = \"read\"", &[]).await;
        assert_eq!((ended.exit, gaps(&ended)), (0, Vec::new()), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_leaves_a_gap() {
    let (desk, sim) = Desk::with_portal().await;
    let ended = at(3_600, &desk, &sim, "mood = \"read\"", &[]).await;
    let found = gaps(&ended);
    assert_eq!((ended.exit, found.len(), found[0].0.as_str()), (4, 1, "clock_skew"), "{}", ended.stderr);
    let window = ended.json()["window"].clone();
    assert_eq!(window["until"], found[0].1.as_str(), "it ends where the portal's clock stands");
    let length =
        |since: &str, until: &str| until.parse::<DateTime<Utc>>().unwrap() - since.parse::<DateTime<Utc>>().unwrap();
    let until = window["until"].as_str().unwrap();
    assert_eq!(length(window["since"].as_str().unwrap(), until), TimeDelta::hours(24));
    assert!((length(&found[0].1, &found[0].2) - TimeDelta::hours(1)).abs() < TimeDelta::seconds(30), "{found:?}");
    // what has not begun by the portal's clock is a gap, too
    let ended = at(3_600, &desk, &sim, "mood = \"read\"", &["--since", "2026-11-20T09:30:00Z"]).await;
    assert_eq!(gaps(&ended)[0].0, "clock_skew", "{}", ended.stderr);
    assert!(matches!(ended.exit, 1 | 4), "{}", ended.stderr);
}

/// Ages and the order of things are not known then, whatever window was asked for.
#[tokio::test]
async fn nobody_acts_by_a_wrong_clock() {
    let (desk, sim) = Desk::with_portal().await;
    for (ahead, says) in [(-3_600, "1 h behind the portal's"), (3_600, "1 h ahead of the portal's")] {
        let ended = at(ahead, &desk, &sim, "mood = \"act\"", &["--until", "2026-11-20T07:00:00Z"]).await;
        let notes = ended.json()["notes"].to_string();
        assert_eq!(ended.exit, 4, "{notes}");
        assert!(notes.contains("nothing was done") && notes.contains(says), "{notes}");
    }
}

/// What was found stands in the report, whatever becomes of what is done about it.
#[tokio::test]
async fn a_failure_after_the_look_keeps_the_report() {
    let (desk, sim) = Desk::with_portal().await;
    let ended = at(0, &desk, &sim, "mood = \"act\"", &[]).await;
    assert_eq!((ended.exit, ended.json()["coverage"]["complete"].as_bool()), (1, Some(true)), "{}", ended.stderr);
    let notes = ended.json()["notes"].to_string();
    assert!(notes.contains("in a mood to fail at the end"), "{notes}");
}

/// One sentence per cause: the audit trail could be read very well.
#[tokio::test]
async fn a_failure_of_the_program_is_not_called_one_of_the_audit_trail() {
    let (desk, sim) = Desk::with_portal().await;
    let ended = at(0, &desk, &sim, "mood = \"fail\"", &[]).await;
    let report = ended.json();
    assert_eq!((ended.exit, &report["coverage"]["gaps"][0]["what"]), (1, &json!("run")));
    assert!(report["notes"].to_string().contains("in a mood to fail"), "{report}");
}

async fn in_store(desk: &Desk, sql: &'static str) {
    let files = std::fs::read_dir(desk.folder.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
    let path = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "sqlite")).unwrap();
    let store = job_store::Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
    store.script("changing the store", sql).await.unwrap();
    store.close().await;
}

/// The disk is full from some write on. SQLite ends the transaction by itself then.
#[tokio::test]
async fn a_store_that_breaks_in_the_middle_of_a_run_costs_its_memory_only() {
    for table in ["audit_event", "covered_span", "fact", "remembered", "watched"] {
        let (desk, sim) = Desk::with_portal().await;
        let receiver = Receiver::start().await;
        let settings = format!("mood = \"read\"\ntextfile = \"job.prom\"\n[heartbeat]\nurl = \"{}\"", receiver.url);
        sim.edit(|portal| {
            let owner = portal.owner().id;
            portal.add_event(portal_sim::Event::new(6015, owner, now() - TimeDelta::hours(3)));
        });
        assert_eq!(at(0, &desk, &sim, "", &["--until", "2026-11-19T09:00:00Z"]).await.exit, 0);
        let full = format!(
            "DELETE FROM fact; CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
        );
        in_store(&desk, Box::leak(full.into_boxed_str())).await;
        for _ in 0..2 {
            let ended = at(0, &desk, &sim, &settings, &[]).await;
            let report = ended.json();
            assert_eq!(
                (ended.exit, report["coverage"]["audit"]["rows"].as_u64()),
                (0, Some(1)),
                "{table}: {report} {}",
                ended.stderr
            );
            assert!(!ended.stderr.contains("transaction depth"), "{table}: {}", ended.stderr);
            // these two only make the next run ask again
            if ["remembered", "watched"].contains(&table) {
                continue;
            }
            assert_eq!(report["coverage"]["blind_spots"], json!(["no_memory"]), "{table}");
            let notes = report["notes"].to_string();
            assert!(notes.contains("no memory"), "{table}: {notes}");
            assert_eq!(notes.matches("disk is full").count(), 1, "{table}: {notes}");
            let metrics = std::fs::read_to_string(desk.folder.path().join("job.prom")).unwrap();
            assert!(metrics.contains("docspace_job_without_memory{portal=") && metrics.contains("} 1\n"), "{metrics}");
            let last = receiver.told().pop().unwrap();
            assert_eq!(
                (last.path.as_str(), last.method.as_str()),
                ("/check", "POST"),
                "no failure, and no plain success"
            );
        }
        // the text says so once an hour
        let text = |ended: Run| ended.stdout.contains("no memory");
        let config = desk.write("sample.toml", "mood = \"read\"");
        let again = desk.run(&["--portal", &sim.url(), "--config", &config]).await;
        assert!(!text(again), "{table}");
        in_store(&desk, "DROP TRIGGER full").await;
        let well = at(0, &desk, &sim, "mood = \"read\"", &[]).await;
        assert_eq!(well.json()["coverage"]["blind_spots"], json!([]));
        let left = std::fs::read_dir(desk.folder.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
        assert!(!left.into_iter().any(|path| path.extension().is_some_and(|end| end == "spare")), "{table}");
    }
}

/// What runs without memory have told is kept in a file of its own, and the store may never have heard of whom it names.
#[tokio::test]
async fn whoever_stands_only_in_what_runs_without_memory_have_left_is_shown_and_forgotten() {
    let (desk, sim) = crate::sixth::shares(11).await;
    let run = async |more: &[&str]| {
        let mut command = desk.command_of("share-watch", &[&["--portal", &sim.url()], more].concat());
        command.env(cli_test::CLOCK, sim.now().to_rfc3339());
        cli_test::run(command).await
    };
    assert_eq!(run(&["--until", "2026-11-19T09:00:00Z"]).await.exit, 0);
    in_store(&desk, "UPDATE component_schema SET number = number + 90 WHERE component = 'outbox'").await;
    let told = run(&["--format", "json"]).await;
    let findings = told.json()["findings"].to_string();
    let id = told.json()["findings"][0]["person"]["id"].as_str().unwrap().to_owned();
    assert!(
        told.exit == 0 && findings.contains("Mara Moe") && told.stderr.contains("without memory"),
        "{}",
        told.stderr
    );
    in_store(&desk, "UPDATE component_schema SET number = number - 90 WHERE component = 'outbox' AND number > 90")
        .await;
    let named = || {
        let files = std::fs::read_dir(desk.folder.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
        let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file).unwrap()).collect();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        ["mara moe", id.as_str()].into_iter().any(|name| text.contains(name))
    };
    assert!(named());
    let shown = run(&["store", "show", &id, "--format", "json"]).await;
    assert_eq!((shown.exit, shown.stderr.as_str()), (0, ""));
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/store-show-1.schema.json");
    cli_test::assert_keeps(&schema, &shown.stdout);
    assert!(shown.stdout.contains(".spare") && shown.stdout.contains("Mara Moe"), "{} {}", shown.stdout, shown.stderr);
    let forgotten = run(&["store", "forget", &id, "--reason", "asked"]).await;
    assert!(forgotten.exit == 0 && forgotten.stdout.contains(".spare"), "{} {}", forgotten.stdout, forgotten.stderr);
    assert!(!named());
    let again = run(&["store", "forget", &id, "--reason", "asked"]).await;
    assert!(again.exit == 2 && again.stderr.contains("nobody that this store knows"), "{}", again.stderr);
}

/// Whoever acts must know what was done before.
#[tokio::test]
async fn nobody_acts_without_memory() {
    let (desk, sim) = Desk::with_portal().await;
    assert_eq!(at(0, &desk, &sim, "", &[]).await.exit, 0);
    let newer = "INSERT INTO component_schema (component, number, name, checksum) VALUES ('archive', 99, 'later', '')";
    in_store(&desk, newer).await;
    let ended = at(0, &desk, &sim, "mood = \"act\"", &[]).await;
    let notes = ended.json()["notes"].to_string();
    assert_eq!(ended.exit, 1, "{notes}");
    assert!(
        notes.contains("nothing was done: this run has no memory") && notes.contains("update the program"),
        "{notes}"
    );
}

/// A signal while the portal holds an answer back: the run ends as incomplete, and everybody hears of it.
#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_a_run_as_incomplete() {
    for signal in ["TERM", "INT"] {
        let (desk, sim) = Desk::with_portal().await;
        let receiver = Receiver::start().await;
        let mut holding = Holding::start(&sim.url(), "audit/events/filter?from=", 0).await;
        let config = desk.write("sample.toml", &format!("mood = \"read\"\n[heartbeat]\nurl = \"{}\"", receiver.url));
        let mut command = desk.command(&["--portal", &holding.url, "--config", &config, "--format", "json"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        holding.held().await;
        cli_test::send(signal, child.id().unwrap()).await;
        let began = std::time::Instant::now();
        let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
        // the portal alone would be waited for much longer
        assert!(began.elapsed() < std::time::Duration::from_secs(25), "{:?}", began.elapsed());
        assert_eq!(ended.status.code(), Some(4), "{signal}: {}", String::from_utf8_lossy(&ended.stderr));
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(report["coverage"]["gaps"][0]["why"], "interrupted", "{report}");
        assert_eq!(receiver.paths(), ["/check/start", "/check/fail"], "{signal}");
    }
}

/// Signals are listened to before anything is read: here before the settings, which come through a pipe.
#[cfg(unix)]
#[tokio::test]
async fn a_signal_at_the_very_beginning_ends_a_run_as_incomplete() {
    let (desk, sim) = Desk::with_portal().await;
    let receiver = Receiver::start().await;
    let pipe = desk.folder.path().join("sample.toml");
    let shown = pipe.display().to_string();
    assert_eq!(cli_test::run(system("/usr/bin/mkfifo", &["-m", "600", &shown])).await.exit, 0);
    let mut command = desk.command(&["--portal", &sim.url(), "--config", &shown, "--format", "json"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    // opens as soon as the program does
    let opened = tokio::task::spawn_blocking(move || std::fs::File::options().write(true).open(pipe));
    let mut settings = cli_test::in_time(opened).await.unwrap().unwrap();
    cli_test::send("TERM", child.id().unwrap()).await;
    // whoever opens it once more finds a file
    let text = format!("mood = \"read\"\n[heartbeat]\nurl = \"{}\"\n", receiver.url);
    let file = desk.write("later.toml", &text);
    std::fs::rename(file, &shown).unwrap();
    settings.write_all(text.as_bytes()).unwrap();
    drop(settings);
    let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(receiver.paths(), ["/check/start", "/check/fail"]);
}

/// A program of the system, with its arguments.
#[cfg(unix)]
fn system(program: &str, arguments: &[&str]) -> tokio::process::Command {
    let mut command = cli_test::command(std::path::Path::new(program), std::path::Path::new("/"));
    command.args(arguments).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// In a container the program is the first process, and the system does nothing with a signal that it does not listen to.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_first_process_of_a_container_ends_on_a_signal() {
    const NAMESPACES: [&str; 4] = ["--user", "--map-root-user", "--pid", "--fork"];
    let tried = system("/usr/bin/unshare", &[&NAMESPACES[..], &["true"]].concat()).output().await;
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return not_tested("signals to the first process of a container", "no process namespaces");
    }
    let (desk, sim) = Desk::with_portal().await;
    let mut holding = Holding::start(&sim.url(), "audit/events/filter?from=", 0).await;
    let config = desk.write("sample.toml", "mood = \"read\"");
    let inner = desk.command(&["--portal", &holding.url, "--config", &config]);
    let mut command = system("/usr/bin/unshare", &NAMESPACES);
    command.arg(inner.as_std().get_program()).args(inner.as_std().get_args()).current_dir(desk.folder.path());
    command.envs(inner.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.spawn().unwrap();
    holding.held().await;
    let outer = child.id().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
    cli_test::send("TERM", children.trim().parse().unwrap()).await;
    assert_eq!(cli_test::in_time(child.wait()).await.unwrap().code(), Some(4));
}

/// The log is read by nobody; the second run knows the portal from its store.
#[tokio::test]
async fn a_time_zone_that_nobody_knows_is_said_in_every_report() {
    for (name, says) in [
        ("Mars/Olympus", "this program does not know the portal's time zone Mars/Olympus: where clocks were set back"),
        ("", "the portal does not say what its time zone is: where clocks were set back"),
    ] {
        let (desk, sim) = Desk::with_portal().await;
        sim.edit(|portal| portal.condition.zone_name = Some(name.to_owned()));
        for _ in 0..2 {
            let ended = at(0, &desk, &sim, "", &[]).await;
            let notes = ended.json()["notes"].to_string();
            assert!(ended.exit == 0 && notes.contains(says), "{notes}");
        }
    }
}

/// A year ahead, what is remembered is older than `keep`. What was forgotten counts neither as seen nor as a hole, so that nobody would look.
#[tokio::test]
async fn nothing_is_forgotten_by_a_clock_that_is_ahead() {
    const YEAR: i64 = 366 * 86_400;
    let (desk, sim) = Desk::with_portal().await;
    let old = ["--since", "2026-11-10T00:00:00Z", "--until", "2026-11-12T00:00:00Z"];
    let begun = at(0, &desk, &sim, "mood = \"read\"", &old).await;
    assert_eq!(begun.exit, 0, "{}", begun.stderr);
    // nobody says what time it is
    sim.set_faults(vec![Fault::new(FaultKind::Reset)]);
    let wrong = at(YEAR, &desk, &sim, "mood = \"read\"", &[]).await;
    assert_eq!(wrong.exit, 1, "{}", wrong.stderr);
    sim.set_faults(Vec::new());
    let right = at(0, &desk, &sim, "mood = \"read\"", &[]).await;
    assert_eq!((right.exit, &right.json()["window"]["since"]), (0, &json!("2026-11-11T00:00:00Z")), "{}", right.stderr);
    let wrong = at(YEAR, &desk, &sim, "mood = \"read\"", &[]).await;
    assert_eq!(wrong.exit, 4, "{}", wrong.stderr);
    let checked = desk.run(&["--portal", sim.url().as_str(), "store", "check"]).await;
    assert!(checked.stdout.contains("audit: read completely 2026-11-10T00:00:00Z"), "{}", checked.stdout);
}

/// Who looks since a moment that has not come yet would leave no hole open.
#[tokio::test]
async fn a_first_run_by_a_clock_that_is_ahead_does_not_hide_what_later_ones_leave_open() {
    let (desk, sim) = Desk::with_portal().await;
    sim.set_faults(vec![Fault::new(FaultKind::Reset)]);
    let wrong = at(366 * 86_400, &desk, &sim, "mood = \"read\"", &[]).await;
    assert_eq!(wrong.exit, 1, "{}", wrong.stderr);
    sim.set_faults(Vec::new());
    let right = at(0, &desk, &sim, "mood = \"read\"", &[]).await;
    assert_eq!(right.exit, 0, "{}", right.stderr);
    let checked = desk.run(&["--portal", sim.url().as_str(), "store", "check"]).await;
    let judged = "judged: 2026-11-19T09:00:00Z to 2026-11-20T09:00:00Z\n";
    assert!(checked.stdout.contains(judged), "{}", checked.stdout);
}
