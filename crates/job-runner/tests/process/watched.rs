//! What a run tells those who watch that runs go on: heartbeat, metrics, and a log that does not repeat itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cli_test::Run;
use cli_test::receiver::Receiver;
use portal_sim::{Fault, PortalSim, Scenario};

use crate::common::{Desk, NOW, set_mode};

/// A run with a heartbeat, and this before it in the settings.
async fn beat(desk: &Desk, sim: &PortalSim, receiver: &Receiver, settings: &str, extra: &[&str]) -> Run {
    let text = format!("{settings}\n[heartbeat]\nurl = \"{}\"\n", receiver.url);
    let config = desk.write("sample.toml", &text);
    desk.run(&[&["--portal", &sim.url(), "--config", &config, "--until", NOW], extra].concat()).await
}

#[tokio::test]
async fn a_run_that_concludes_begins_and_ends_with_one_id() {
    let ((desk, sim), receiver) = (Desk::with_portal().await, Receiver::start().await);
    assert_eq!(beat(&desk, &sim, &receiver, "", &[]).await.exit, 0);
    let told = receiver.told();
    assert_eq!(receiver.paths(), ["/check/start", "/check"]);
    assert_eq!((told[0].rid.len(), &told[0].rid), (36, &told[1].rid));
    assert!(told.iter().all(|told| told.method == "GET"), "{told:?}");
    beat(&desk, &sim, &receiver, "", &[]).await;
    assert_ne!(receiver.told()[2].rid, told[0].rid);
}

#[tokio::test]
async fn a_run_that_fails_sends_its_log_without_the_key() {
    let ((desk, sim), receiver) = (Desk::with_portal().await, Receiver::start().await);
    let (good, dead) = (desk.key.clone().unwrap(), format!("sk-{}", "0".repeat(64)));
    let desk = Desk { key: Some(dead.clone()), ..desk };
    for _ in 0..2 {
        assert_eq!(beat(&desk, &sim, &receiver, "", &[]).await.exit, 1);
    }
    assert_eq!(receiver.paths(), ["/check/start", "/check/fail", "/check/start", "/check/fail"]);
    // the second time it is no news on stderr, but the reason of a failure goes along all the same
    for told in receiver.told().iter().skip(1).step_by(2) {
        assert_eq!(told.method, "POST");
        assert!(told.body.contains("does not accept the key") && told.body.len() < 10_000, "{}", told.body);
        assert!(!told.body.contains(&good) && !told.body.contains(&dead));
    }
}

#[tokio::test]
async fn whatever_ends_a_run_the_heartbeat_hears_of_it() {
    for (settings, exit, says) in [
        ("mood = \"panic\"", 1, "in a mood to stumble"),
        ("mood = \"hang\"\nrun_limit = \"5s\"", 1, "longer than `run_limit`"),
        ("mood = \"fail\"", 1, "in a mood to fail"),
        ("mood = \"gap\"", 4, ""),
        ("moood = 1", 2, "did you mean `mood`"),
        ("key_file = \"missing\"", 2, "missing"),
    ] {
        let ((desk, sim), receiver) = (Desk::with_portal().await, Receiver::start().await);
        let desk = if settings.starts_with("key_file") { Desk { key: None, ..desk } } else { desk };
        let ended = beat(&desk, &sim, &receiver, settings, &[]).await;
        assert_eq!(ended.exit, exit, "{settings}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{settings}: {}", ended.stderr);
        let last = receiver.told().pop().unwrap_or_else(|| panic!("{settings}: nothing was told"));
        assert_eq!(last.path, "/check/fail", "{settings}");
        assert!(last.body.contains(says), "{settings}: {}", last.body);
    }
}

#[tokio::test]
async fn a_dry_run_and_one_that_finds_another_at_work_say_nothing() {
    let ((desk, sim), receiver) = (Desk::with_portal().await, Receiver::start().await);
    assert_eq!(beat(&desk, &sim, &receiver, "textfile = \"job.prom\"", &["--dry-run"]).await.exit, 0);
    assert!(!desk.folder.path().join("job.prom").exists());
    assert_eq!(receiver.paths(), [""; 0]);
    beat(&desk, &sim, &receiver, "", &[]).await;
    let told = receiver.told().len();
    let state = desk.folder.path().join("state");
    let lock = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).unwrap();
    let holder = std::fs::File::options().read(true).write(true).open(lock).unwrap();
    holder.try_lock().unwrap();
    let ended = beat(&desk, &sim, &receiver, "textfile = \"job.prom\"", &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert_eq!(receiver.told().len(), told);
    assert!(!desk.folder.path().join("job.prom").exists());
}

#[tokio::test]
async fn a_heartbeat_that_nobody_takes_fails_no_run_and_is_no_storm() {
    let (desk, sim) = Desk::with_portal().await;
    // a port that is free now may be another test's in a moment; nobody listens on this one
    let receiver = Receiver { url: "http://127.0.0.1:1/secret-path".to_owned(), ..Receiver::start().await };
    let first = beat(&desk, &sim, &receiver, "", &[]).await;
    assert_eq!(first.exit, 0);
    assert!(first.stderr.contains("heartbeat") && !first.stderr.contains("secret-path"), "{}", first.stderr);
    let second = beat(&desk, &sim, &receiver, "", &[]).await;
    assert_eq!((second.exit, second.stderr.as_str()), (0, ""));
}

/// Samples by name and labels, from text in the exposition format; panics unless every line keeps its rules.
fn parsed(text: &str) -> BTreeMap<String, i64> {
    let mut samples = BTreeMap::new();
    let mut family = String::new();
    let mut families = Vec::new();
    assert!(text.ends_with('\n'));
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(!words.is_empty() && !families.contains(&name.to_owned()), "{line}");
            assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
            assert!(!name.ends_with("_total"), "a gauge is no counter: {name}");
            name.clone_into(&mut family);
            families.push(family.clone());
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("{line}"));
        assert_eq!(name, family, "samples stand below their type");
        let (labels, value) = rest.split_once("} ").unwrap();
        for label in labels.split(',') {
            let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
            assert!(value.ends_with('"') && !value[..value.len() - 1].contains(['"', '\\']), "{line}");
        }
        let labels: Vec<&str> = labels.split(',').filter(|label| !label.starts_with("portal=")).collect();
        let before = samples.insert(format!("{name}{{{}}}", labels.join(",")), value.parse().unwrap());
        assert_eq!(before, None, "twice: {line}");
    }
    samples
}

#[tokio::test]
async fn metrics_are_written_and_the_last_success_outlives_a_failure() {
    let (desk, sim) = Desk::with_portal().await;
    let file = desk.folder.path().join("job.prom");
    let config = desk.write("sample.toml", "textfile = \"job.prom\"");
    let arguments = ["--portal", &sim.url(), "--config", &config, "--until", NOW];
    let metrics = async |exit: i32| {
        let ended = desk.run(&arguments).await;
        assert_eq!(ended.exit, exit, "{}", ended.stderr);
        parsed(&std::fs::read_to_string(&file).unwrap())
    };
    let of = |samples: &BTreeMap<String, i64>, name: &str| {
        samples.get(&format!("docspace_job_{name}{{program=\"sample-job\"}}")).copied()
    };
    sim.set_faults(vec![Fault::status(401)]);
    let failed = metrics(1).await;
    assert_eq!(of(&failed, "last_success_timestamp_seconds"), Some(0), "so that its age is an alarm");
    assert_eq!(of(&failed, "last_run_exit_code"), Some(1));
    assert_eq!(of(&failed, "incomplete"), Some(1));
    sim.set_faults(Vec::new());
    let well = metrics(0).await;
    let success = of(&well, "last_success_timestamp_seconds").unwrap();
    assert_eq!(of(&well, "last_run_timestamp_seconds"), Some(success));
    assert_eq!(success, NOW.parse::<DateTime<Utc>>().unwrap().timestamp());
    assert_eq!((of(&well, "incomplete"), of(&well, "audit_rows")), (Some(0), Some(0)));
    assert!(of(&well, "portal_requests").unwrap() >= 4);
    assert_eq!(well.get("docspace_job_findings{program=\"sample-job\",severity=\"critical\"}"), Some(&0));
    assert_eq!(well.get("docspace_job_build_info{program=\"sample-job\",version=\"1.0.0\"}"), Some(&1));
    assert_eq!(of(&well, "api_key_expiry_timestamp_seconds"), None, "the key never dies");
    sim.set_faults(vec![Fault::status(401)]);
    let failed = metrics(1).await;
    assert_eq!(of(&failed, "last_success_timestamp_seconds"), Some(success));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    }
    let names: Vec<_> =
        std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing but settings, state and metrics: {names:?}");
}

/// Only a test moves the clock of a program; without one a run takes the machine's.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the true time is what is tested")]
async fn the_machine_tells_what_time_it_is() {
    let (desk, sim) = Desk::with_portal().await;
    let config = desk.write("sample.toml", "textfile = \"job.prom\"");
    let mut command = desk.command(&["--portal", &sim.url(), "--config", &config]);
    command.env_remove(cli_test::CLOCK);
    let before = Utc::now().timestamp();
    cli_test::run(command).await;
    let after = Utc::now().timestamp();
    let samples = parsed(&std::fs::read_to_string(desk.folder.path().join("job.prom")).unwrap());
    let began = samples["docspace_job_last_run_timestamp_seconds{program=\"sample-job\"}"];
    assert!((before..=after).contains(&began), "{before} {began} {after}");
}

#[tokio::test]
async fn the_same_failure_is_an_error_once_an_hour() {
    let (desk, sim) = Desk::with_portal().await;
    let desk = Desk { key: Some(format!("sk-{}", "0".repeat(64))), ..desk };
    let url = sim.url();
    let arguments = ["--portal", url.as_str(), "--until", NOW];
    let first = desk.run(&arguments).await;
    assert_eq!((first.exit, first.stderr.matches("ERROR").count()), (1, 1), "{}", first.stderr);
    let again = desk.run(&arguments).await;
    assert_eq!((again.exit, again.stderr.as_str()), (1, ""));
    let verbose = desk.run(&[&arguments[..], &["-v"]].concat()).await;
    assert!(verbose.stderr.contains("ERROR") && verbose.stderr.contains("401"), "{}", verbose.stderr);
    // another failure is news
    sim.set_faults(vec![Fault::status(404)]);
    let other = desk.run(&arguments).await;
    assert_eq!((other.exit, other.stderr.matches("ERROR").count()), (1, 1), "{}", other.stderr);
    // and so is every failure to somebody who looks by hand
    assert!(desk.run(&[&arguments[..], &["--dry-run"]].concat()).await.stderr.contains("ERROR"));
}

/// Whoever edits and tries again must see what is still wrong.
#[tokio::test]
async fn a_mistake_in_flags_or_settings_is_told_each_time() {
    let (desk, sim) = Desk::with_portal().await;
    let url = sim.url();
    let broken = desk.write("broken.toml", "moood = 1");
    for arguments in [["--since", "0m"], ["--config", &broken]] {
        let told = async || {
            let ended = desk.run(&[&["--portal", &url], &arguments[..]].concat()).await;
            assert_eq!(ended.exit, 2, "{}", ended.stderr);
            ended.stderr.matches("ERROR").count()
        };
        assert_eq!((told().await, told().await), (1, 1), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_failure_after_a_run_that_concluded_is_news() {
    let (desk, sim) = Desk::with_portal().await;
    let url = sim.url();
    let run = async |exit: i32| {
        let ended = desk.run(&["--portal", &url, "--until", "2026-11-20T09:00:00Z"]).await;
        assert_eq!(ended.exit, exit, "{}", ended.stderr);
        ended.stderr.matches("ERROR").count()
    };
    sim.set_faults(vec![Fault::status(401)]);
    assert_eq!((run(1).await, run(1).await), (1, 0));
    sim.set_faults(Vec::new());
    assert_eq!(run(0).await, 0);
    sim.set_faults(vec![Fault::status(401)]);
    assert_eq!(run(1).await, 1);
}

/// Neither another program nor the same at another portal may pass for a success of this one.
#[tokio::test]
async fn a_textfile_of_somebody_else_is_left_alone() {
    let ((desk, sim), other) = (Desk::with_portal().await, Desk::with_portal().await.1);
    let file = desk.folder.path().join("job.prom");
    let theirs =
        "docspace_job_last_success_timestamp_seconds{portal=\"docs.example.com\",program=\"vdr-watch\"} 1795000000\n";
    std::fs::write(&file, theirs).unwrap();
    let config = desk.write("sample.toml", "textfile = \"job.prom\"");
    let run = async |sim: &PortalSim, config: &str, command: &[&str]| {
        let fixed = ["--portal", &sim.url(), "--config", config];
        desk.run(&[command, &fixed].concat()).await
    };
    let ended = run(&sim, &config, &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("the metrics of vdr-watch at docs.example.com"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs);
    let checked = run(&sim, &config, &["doctor"]).await;
    assert!(checked.stdout.contains("FAIL  textfile: ") && checked.stdout.contains("vdr-watch"), "{}", checked.stdout);
    // one setting, and a file for each
    let config = desk.write("sample.toml", "textfile = \"{program}-{portal}.prom\"");
    for sim in [&sim, &other] {
        let ended = run(sim, &config, &[]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    }
    let files = std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string());
    let files: Vec<String> =
        files.map(Result::unwrap).filter(|name| name.starts_with("sample-job-127.0.0.1-")).collect();
    assert_eq!(files.len(), 2, "{files:?}");
}

#[tokio::test]
async fn a_key_that_dies_soon_is_announced_once_a_week() {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let mut portal = Scenario::empty(now);
    portal.keys[0].expires = Some(now + chrono::TimeDelta::days(20) + chrono::TimeDelta::hours(1));
    let sim = PortalSim::start(portal).await.unwrap();
    let desk = Desk { key: Some(sim.key()), ..Desk::new() };
    let receiver = Receiver::start().await;
    let note =
        "Note: the API key expires on 2026-12-10, in 20 days; create a new key and put it in place of the old one\n";
    let dry = beat(&desk, &sim, &receiver, "", &["--dry-run"]).await;
    assert_eq!((dry.exit, dry.stdout.as_str()), (0, note), "{}", dry.stderr);
    let first = beat(&desk, &sim, &receiver, "textfile = \"job.prom\"", &[]).await;
    assert_eq!((first.exit, first.stdout.as_str(), first.stderr.as_str()), (0, note, ""));
    assert_eq!(receiver.paths().last().unwrap(), "/check", "it is no failure");
    let samples = parsed(&std::fs::read_to_string(desk.folder.path().join("job.prom")).unwrap());
    let dies = samples["docspace_job_api_key_expiry_timestamp_seconds{program=\"sample-job\"}"];
    assert_eq!(dies, now.timestamp() + 20 * 86_400 + 3_600);
    let asked = |sim: &PortalSim| sim.requests().iter().filter(|request| request.target.contains("keys/@self")).count();
    let before = asked(&sim);
    let second = beat(&desk, &sim, &receiver, "", &[]).await;
    assert_eq!((second.exit, second.stdout.as_str()), (0, ""));
    assert_eq!(asked(&sim), before, "it is asked for once a day");
    // a week later
    let store = std::fs::read_dir(desk.folder.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
    let store = store.into_iter().find(|path| path.extension().is_some_and(|end| end == "sqlite")).unwrap();
    let opened = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    let week = 7_i64 * 86_400 * 1_000_000;
    let sql = "UPDATE remembered SET at_us = at_us - ? WHERE name = 'key_end_told'";
    assert_eq!(opened.execute("going on", sql, [week.into()]).await.unwrap(), 1);
    opened.close().await;
    assert_eq!(beat(&desk, &sim, &receiver, "", &[]).await.stdout, note);
}

/// What others could read or change is said by runs and by `doctor`, with the remedy.
#[cfg(unix)]
#[tokio::test]
async fn what_others_can_read_or_change_is_said() {
    let ((desk, sim), receiver) = (Desk::with_portal().await, Receiver::start().await);
    let folder = desk.folder.path().join("state");
    assert_eq!(beat(&desk, &sim, &receiver, "", &[]).await.stderr, "");
    let store = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let store = store.into_iter().find(|path| path.extension().is_some_and(|end| end == "sqlite")).unwrap();
    let (key, config) = (desk.folder.path().join("key"), desk.folder.path().join("sample.toml"));
    std::fs::write(&key, desk.key.clone().unwrap()).unwrap();
    let desk = Desk { key: None, ..desk };
    let text = format!("key_file = \"key\"\n[heartbeat]\nurl = \"{}\"\n", receiver.url);
    let config = {
        desk.write("sample.toml", &text);
        config
    };
    let above = desk.folder.path().to_owned();
    for (path, mode, says) in [
        (&above, 0o777, "other users can replace what is in the folder"),
        (&key, 0o640, "read by other users (mode 640)"),
        (&key, 0o622, "changed by other users (mode 622)"),
        (&config, 0o644, "read by other users (mode 644)"),
        (&folder, 0o777, "changed by other users (mode 777)"),
        (&store, 0o644, "read by other users (mode 644)"),
    ] {
        for path in [&key, &config, &store] {
            set_mode(path, 0o600);
        }
        set_mode(&folder, 0o700);
        set_mode(&above, 0o700);
        set_mode(path, mode);
        let url = sim.url();
        let arguments = ["--portal", &url, "--config", "sample.toml"];
        let ended = desk.run(&arguments).await;
        assert_eq!((ended.exit, ended.stderr.matches("WARN").count()), (0, 1), "{}", ended.stderr);
        assert!(ended.stderr.contains(says) && ended.stderr.contains("chmod"), "{says}: {}", ended.stderr);
        let checked = desk.run(&[&["doctor"], &arguments[..]].concat()).await;
        let line = checked.stdout.lines().find(|line| line.starts_with("warn") && line.contains(says));
        assert!(line.is_some_and(|line| line.contains("; chmod")), "{says}: {}", checked.stdout);
    }
}
