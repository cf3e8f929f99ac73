//! The files in `deploy/`: what they call must exist, and what they promise must stand in them.

use std::path::Path;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// The lines that count, as (key, value).
fn settings(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

/// The program takes these arguments: with `config show` behind them it says what it would use.
async fn assert_accepted(arguments: &str) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("compliance-monthly.example.toml").display().to_string();
    let arguments = arguments
        .replace("%d/compliance-monthly.toml", &example)
        .replace("/etc/docspace/compliance-monthly.toml", &example);
    assert!(arguments.contains(&example), "{arguments}");
    let folder = tempfile::tempdir().unwrap();
    let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_compliance-monthly")), folder.path());
    command.args(arguments.split_whitespace().chain(["config", "show"])).env("HOME", "/nonexistent");
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 0, "{arguments}: {}", ended.stderr);
}

#[tokio::test]
async fn the_cron_lines_run_the_program_as_another_user() {
    let text = file("compliance-monthly.cron");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 2);
    for (words, day) in lines.iter().zip(["1", "4,12"]) {
        let expected = ["0", "4", day, "*", "*", "compliance-monthly", "compliance-monthly"];
        assert_eq!(words[..7], expected, "five times, user, program");
        assert_accepted(&words[7..].join(" ")).await;
    }
    assert!(text.lines().any(|line| line.starts_with("MAILTO=")) && text.ends_with('\n'));
}

#[tokio::test]
async fn the_service_runs_the_program_with_as_little_as_possible() {
    let text = file("compliance-monthly.service");
    let settings = settings(&text);
    let values =
        |key: &str| settings.iter().filter(|(found, _)| *found == key).map(|(_, value)| *value).collect::<Vec<_>>();
    assert_accepted(values("ExecStart")[0].strip_prefix("/usr/local/bin/compliance-monthly ").unwrap()).await;
    assert!(values("LoadCredential").iter().any(|value| value.starts_with("docspace-api-key:")));
    for (key, value) in [
        ("Type", "oneshot"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "compliance-monthly"),
        ("TimeoutStartSec", "125min"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(values(key), [value], "{key}");
    }
    assert_eq!(values("EnvironmentFile"), ["-/etc/docspace/compliance-monthly.env"]);
    assert!(file("compliance-monthly.env").contains("#COMPLIANCE_MONTHLY_SETTLE=4h"));
}

#[test]
fn the_timer_starts_the_service_again_when_the_month_is_read_once_more() {
    let text = file("compliance-monthly.timer");
    for expected in [("OnCalendar", "*-*-01,04,12 04:00"), ("Persistent", "true"), ("WantedBy", "timers.target")] {
        assert!(settings(&text).contains(&expected), "{expected:?}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let units = ["compliance-monthly.service", "compliance-monthly.timer"];
    cli_test::assert_systemd_accepts(&folder, "compliance-monthly", env!("CARGO_BIN_EXE_compliance-monthly"), &units);
}
