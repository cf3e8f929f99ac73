//! A store that fails costs the memory of a run, and nothing else: what it sees is told.

use std::fs;
use std::path::Path;

use job_store::testing::not_tested;
use serde_json::{Value, json};

use crate::common::{self, Setting, in_store, only_file};

const PAGE: usize = 4096;

fn blind(report: &Value) -> bool {
    report["coverage"]["blind_spots"].as_array().unwrap().contains(&json!("no_memory"))
}

fn states(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|found| found["state"].as_str().unwrap()).collect()
}

/// A disk forgets four pages, wherever they are: each run tells what it finds, and says what it does not know.
#[tokio::test]
async fn zeroed_pages_cost_the_memory_and_not_the_findings() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let path = only_file(&setting.state.path().join("state"), "sqlite");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / PAGE;
    let mut without_memory = 0;
    for first in (1..pages).step_by((pages / 12).max(1)) {
        let mut damaged = whole.clone();
        let end = ((first + 4) * PAGE).min(damaged.len());
        damaged[first * PAGE..end].fill(0);
        fs::write(&path, &damaged).unwrap();
        let mut before = None;
        for attempt in 0..2 {
            let ended = setting.run(&["--format", "json"]).await;
            let report = ended.json();
            assert_eq!((ended.exit, states(&report).len()), (0, 2), "page {first}, run {attempt}: {}", ended.stderr);
            if blind(&report) {
                assert!(report["notes"].to_string().contains("no memory"), "{}", report["notes"]);
                // what was told without memory is not told again without memory
                let expected = if before == Some(true) { "known" } else { "new" };
                assert_eq!(states(&report), [expected, expected], "page {first}, run {attempt}");
            } else {
                assert_eq!(states(&report), ["known", "known"], "page {first}, run {attempt}");
            }
            before = Some(blind(&report));
        }
        without_memory += usize::from(before == Some(true));
        let folder = setting.state.path().join("state");
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.to_string_lossy().contains(".spare") {
                fs::remove_file(file).unwrap();
            }
        }
    }
    assert!(without_memory > 2, "{without_memory} of {pages} pages");
}

/// The text says once an hour that there is no memory, and what was found once.
#[tokio::test]
async fn a_report_without_memory_says_so_once_an_hour() {
    let setting = Setting::new("incident").await;
    let alerts = setting.state.path().join("alerts.ndjson");
    let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
    setting.run(&["--config", &config]).await;
    assert_eq!(fs::read_to_string(&alerts).unwrap().lines().count(), 2);
    in_store(&setting, "UPDATE component_schema SET number = 99 WHERE component = 'outbox' AND number = 2").await;
    let first = setting.run(&["--config", &config]).await;
    assert!(first.stdout.contains("no memory") && first.stdout.contains("2 findings"), "{}", first.stdout);
    for _ in 0..2 {
        let next = setting.run(&["--config", &config]).await;
        assert_eq!((next.exit, next.stdout.as_str(), next.stderr.as_str()), (0, "", ""));
    }
    assert_eq!(fs::read_to_string(&alerts).unwrap().lines().count(), 4, "once more, because nobody knows of before");
}

/// A store that was cut to nothing is no new one.
#[tokio::test]
async fn a_store_that_was_emptied_is_told_as_lost() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let path = setting.state_file("sqlite");
    fs::write(&path, "").unwrap();
    let first = setting.run(&["--format", "json"]).await;
    let report = first.json();
    assert_eq!((first.exit, blind(&report), states(&report)), (0, true, vec!["new", "new"]), "{}", first.stderr);
    assert!(report["notes"].to_string().contains("is empty, so what it held is lost"), "{}", report["notes"]);
    let second = setting.run(&[]).await;
    assert_eq!((second.exit, second.stdout.as_str(), second.stderr.as_str()), (0, "", ""), "told once an hour");
    let url = setting.sim.url();
    for command in [&["store", "check"][..], &["doctor"]] {
        let ended = setting.run_with(&[command, &["--portal", &url]].concat()).await;
        let said = ended.stdout + &ended.stderr;
        assert!(ended.exit == 1 && said.contains("move it away to start with an empty one"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    let anew = setting.run(&["--format", "json"]).await.json();
    assert!(blind(&anew) && anew["notes"].to_string().contains("is gone"), "{}", anew["notes"]);
    let next = setting.run(&["--format", "json"]).await.json();
    assert_eq!((blind(&next), states(&next)), (false, vec!["known", "known"]), "whoever moves it away begins anew");
}

/// A store that somebody has taken away is told once; one that never was is not missed.
#[tokio::test]
async fn a_store_that_was_taken_away_is_told_once() {
    let setting = Setting::new("incident").await;
    let first = setting.run(&["--format", "json"]).await.json();
    assert!(!blind(&first), "the lock is as new as the store");
    fs::remove_file(setting.state_file("sqlite")).unwrap();
    let url = setting.sim.url();
    let since = format!("is gone; the run of {} still had it", common::now().format("%Y-%m-%d %H:%M:%S UTC"));
    let until = common::now().to_rfc3339();
    for (exit, command) in [
        (0, &["doctor"][..]),
        (1, &["store", "check"]),
        (1, &["store", "prune", "--before", "2026-01-01"]),
        (1, &["store", "give-up", "--until", "2026-01-01", "--reason", "a test"]),
        (0, &["--until", &until, "--dry-run"]),
    ] {
        let ended = setting.run_with(&[command, &["--portal", &url]].concat()).await;
        let said = ended.stdout + &ended.stderr;
        assert!(ended.exit == exit && said.contains(&since), "{command:?} {}: {said}", ended.exit);
        assert!(!said.contains("does not exist yet"), "{command:?}: {said}");
    }
    let text = setting.run(&[]).await;
    assert!(text.exit == 0 && text.stdout.contains("the memory of earlier runs is gone"), "{}", text.stdout);
    let next = setting.run(&["--format", "json"]).await.json();
    assert_eq!((blind(&next), states(&next)), (false, vec!["known", "known"]));
}

/// Three runs in a file system of their own, with something done to it after the first.
async fn on_a_disk(setting: &Setting, size: &str, between: &str) -> Option<Vec<(i32, String)>> {
    let unshare = |arguments: &[&str]| {
        let mut command = cli_test::command(Path::new("/usr/bin/unshare"), setting.state.path());
        command.args(["--user", "--map-root-user", "--mount"]).args(arguments);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    };
    if !unshare(&["true"]).output().await.is_ok_and(|tried| tried.status.success()) {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "this user may make no mount namespaces");
        return None;
    }
    let disk = setting.state.path().join("state");
    fs::create_dir_all(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={size} tmpfs {0} && \
         for run in 1 2 3; do \"$@\" > {1}/out.$run 2> {1}/err.$run; echo $? > {1}/exit.$run; [ $run = 1 ] && {{ {between}; }}; done; true",
        disk.display(),
        setting.state.path().display(),
    );
    let (url, until) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let inner = setting.command(&["--portal", &url, "--until", &until, "--format", "json"]);
    let mut command = unshare(&["sh", "-c", &script, "sh"]);
    command.arg(inner.as_std().get_program()).args(inner.as_std().get_args());
    command.envs(inner.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let read = |name: &str, run: u32| fs::read_to_string(setting.state.path().join(format!("{name}.{run}"))).unwrap();
    Some((1..=3).map(|run| (read("exit", run).trim().parse().unwrap(), read("out", run) + &read("err", run))).collect())
}

fn assert_told(runs: &[(i32, String)]) {
    for (exit, printed) in &runs[1..] {
        let end = printed.rfind("\n}").unwrap_or_else(|| panic!("{printed}")) + 2;
        let report: Value = serde_json::from_str(&printed[..end]).unwrap();
        assert_eq!((*exit, states(&report).len(), blind(&report)), (0, 2, true), "{printed}");
        assert!(!printed.contains("transaction depth"), "{printed}");
        let is_first = *printed == runs[1].1;
        // what was told is remembered elsewhere, and nobody is called again
        assert_eq!(states(&report), if is_first { ["new", "new"] } else { ["known", "known"] }, "{printed}");
        assert_eq!(printed.contains("WARN"), is_first, "{printed}");
    }
    assert_ne!(runs[1].1, runs[2].1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_costs_the_memory_and_not_the_findings() {
    let setting = Setting::new("incident").await;
    let folder = setting.state.path().join("state");
    let fill = format!("dd if=/dev/zero of={}/filler bs=1k 2>/dev/null", Path::new(&folder).display());
    match on_a_disk(&setting, "3m", &fill).await {
        Some(runs) => assert_told(&runs),
        None => not_tested("a full disk", "no mount namespaces"),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_is_read_only_costs_the_memory_and_not_the_findings() {
    let setting = Setting::new("incident").await;
    let folder = setting.state.path().join("state");
    match on_a_disk(&setting, "3m", &format!("mount -o remount,ro {}", folder.display())).await {
        Some(runs) => assert_told(&runs),
        None => not_tested("a disk that is read-only", "no mount namespaces"),
    }
}

/// Alerts name people and documents, so others must not read them.
#[cfg(unix)]
#[tokio::test]
async fn a_file_of_alerts_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::new("incident").await;
    let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
    let alerts = setting.state.path().join("alerts.ndjson");
    fs::write(&alerts, "").unwrap();
    fs::set_permissions(&alerts, fs::Permissions::from_mode(0o666)).unwrap();
    let ended = setting.run(&["--config", &config]).await;
    assert!(ended.stderr.contains("alerts.ndjson` can be read and changed by other users"), "{}", ended.stderr);
}
