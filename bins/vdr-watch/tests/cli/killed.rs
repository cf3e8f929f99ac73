//! A run that is killed, anywhere, is made good by the next one.

use std::process::Stdio;

use tokio::process::Command;

use crate::common::{Setting, run};

/// Kills: twenty by default, more with `KILLS=500 cargo test -p vdr-watch --test cli killed`.
fn kills() -> usize {
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Ten days, read in slices: several requests and several transactions.
const TEN_DAYS: [&str; 2] = ["--since", "2026-11-10T09:00:00Z"];

/// Runs the program and kills it as soon as the portal has been asked `requests` times. Between that and the kill the program goes
/// on for a moment that differs from time to time, so that writes are hit as well.
async fn run_and_kill(setting: &Setting, requests: usize, spins: usize) {
    let before = setting.sim.requests().len();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vdr-watch"))
        .args(["--portal", &setting.sim.url(), "--until", &setting.scenario.now.to_rfc3339()])
        .args(TEN_DAYS)
        .args(["--state", &setting.state.path().join("state").display().to_string()])
        .env_clear()
        .env("DOCSPACE_API_KEY", &setting.key)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while setting.sim.requests().len() - before < requests && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    for _ in 0..spins {
        tokio::task::yield_now().await;
    }
    child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_after_a_kill_reports_what_an_undisturbed_one_does() {
    let json = [&TEN_DAYS[..], &["--format", "json"]].concat();
    let expected = run(&Setting::new("incident").await, &json).await;
    assert_eq!(expected.exit, 0, "{}", expected.stderr);
    let setting = Setting::new("incident").await;
    for n in 0..kills() {
        // every few kills on a fresh store, in between on what the killed runs before have left
        let fresh = Setting::new("incident").await;
        let setting = if n % 3 == 0 { &fresh } else { &setting };
        run_and_kill(setting, 1 + n % 24, n * 37 % 400).await;
        if n % 3 != 1 {
            let after = run(setting, &json).await;
            assert_eq!((after.exit, after.stderr.as_str()), (0, ""), "kill {n}");
            assert_eq!(after.stdout, expected.stdout, "kill {n}");
        }
    }
}
