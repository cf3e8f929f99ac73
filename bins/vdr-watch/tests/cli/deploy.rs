//! The files in `deploy/`: what they call must exist, and what they promise must stand in them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::Setting;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// The lines that count, as (key, value).
fn settings(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

/// The program takes these arguments: with `config show` behind them it says what it would use.
async fn assert_accepted(arguments: &str) {
    let setting = Setting::new("quiet").await;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("vdr-watch.example.toml").display().to_string();
    let arguments = arguments.replace("%d/vdr-watch.toml", &example).replace("/etc/docspace/vdr-watch.toml", &example);
    assert!(arguments.contains(&example), "{arguments}");
    let words: Vec<&str> = arguments.split_whitespace().chain(["config", "show"]).collect();
    // a flag can be given once, and `run_with` gives the state, too
    let ended = if arguments.contains("--state") { alone(&words).await } else { setting.run_with(&words).await.exit };
    assert_eq!(ended, 0, "{arguments}");
}

async fn alone(words: &[&str]) -> i32 {
    let folder = tempfile::tempdir().unwrap();
    let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_vdr-watch")), folder.path());
    command.args(words);
    cli_test::run(command).await.exit
}

#[tokio::test]
async fn the_cron_line_runs_the_program_as_another_user() {
    let text = file("vdr-watch.cron");
    let line = text.lines().find(|line| line.starts_with("*/10")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..7], ["*/10", "*", "*", "*", "*", "vdr-watch", "vdr-watch"], "five times, user, program");
    assert!(text.lines().any(|line| line.starts_with("MAILTO=")) && text.ends_with('\n'));
    assert_accepted(&words[7..].join(" ")).await;
}

#[tokio::test]
async fn the_service_runs_the_program_with_as_little_as_possible() {
    let text = file("vdr-watch.service");
    let settings = settings(&text);
    let values =
        |key: &str| settings.iter().filter(|(found, _)| *found == key).map(|(_, value)| *value).collect::<Vec<_>>();
    let command = values("ExecStart");
    assert_accepted(command[0].strip_prefix("/usr/local/bin/vdr-watch ").unwrap()).await;
    assert!(values("LoadCredential").iter().any(|value| value.starts_with("docspace-api-key:")));
    for (key, value) in [
        ("Type", "oneshot"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "vdr-watch"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ] {
        assert_eq!(values(key), [value], "{key}");
    }
    // the environment file names settings that exist
    let environment = file("vdr-watch.env");
    assert_eq!(values("EnvironmentFile"), ["-/etc/docspace/vdr-watch.env"]);
    let setting = Setting::new("quiet").await;
    let shown = setting.run_with(&["config", "show", "--portal", "https://docs.example.com"]).await.stdout;
    let names = environment
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('=')?.0.strip_prefix("VDR_WATCH_"));
    let names: BTreeSet<String> = names.map(|name| name.to_lowercase().replace("__", ".")).collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{name} ="))), "{name} in {shown}");
    }
}

#[test]
fn the_timer_starts_the_service_every_ten_minutes() {
    let text = file("vdr-watch.timer");
    for expected in [("OnCalendar", "*:0/10"), ("Persistent", "true"), ("WantedBy", "timers.target")] {
        assert!(settings(&text).contains(&expected), "{expected:?}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let units = ["vdr-watch.service", "vdr-watch.timer"];
    cli_test::assert_systemd_accepts(&folder, "vdr-watch", env!("CARGO_BIN_EXE_vdr-watch"), &units);
}
