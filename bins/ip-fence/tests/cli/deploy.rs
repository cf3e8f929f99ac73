//! The files in `deploy/`: what they call must exist, and what they promise must stand in them.

use std::path::Path;

use crate::common::{portal, run_bare};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// The program takes these arguments: with `config show` behind them it says what it would use.
async fn assert_accepted(arguments: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = |name: &str| folder.join(name).display().to_string();
    let (config, policy) = (example("ip-fence.example.toml"), example("policy.example.toml"));
    let arguments = arguments.replace("%d/ip-fence.toml", &config).replace("/etc/docspace/ip-fence.toml", &config);
    let arguments = arguments.replace("%d/policy.toml", &policy);
    assert!(arguments.contains(&config), "{arguments}");
    let folder = tempfile::tempdir().unwrap();
    let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_ip-fence")), folder.path());
    command.args(arguments.split_whitespace().chain(["config", "show"]));
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 0, "{arguments}: {}", ended.stderr);
}

#[tokio::test]
async fn the_cron_line_runs_the_program_as_another_user() {
    let text = file("ip-fence.cron");
    let line = text.lines().find(|line| line.starts_with("*/10")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..7], ["*/10", "*", "*", "*", "*", "ip-fence", "ip-fence"], "five times, user, program");
    assert!(text.lines().any(|line| line.starts_with("MAILTO=")) && text.ends_with('\n'));
    assert_accepted(&words[7..].join(" ")).await;
}

#[tokio::test]
async fn the_service_runs_the_program_with_as_little_as_possible() {
    let text = file("ip-fence.service");
    let lines: Vec<&str> = text.lines().collect();
    let command = lines.iter().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/ip-fence ")).unwrap();
    assert_accepted(command).await;
    for line in [
        "Type=oneshot",
        "DynamicUser=yes",
        "StateDirectory=ip-fence",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "EnvironmentFile=-/etc/docspace/ip-fence.env",
        "LoadCredential=policy.toml:/etc/docspace/policy.toml",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("LoadCredential=docspace-api-key:")));
    let timer = file("ip-fence.timer");
    for line in ["OnCalendar=*:0/10", "Persistent=true", "WantedBy=timers.target"] {
        assert!(timer.lines().any(|found| found == line), "{line}");
    }
}

/// The environment file names settings that exist.
#[tokio::test]
async fn the_environment_file_names_settings() {
    let setting = portal("quiet").await;
    let shown = run_bare(&setting, &["config", "show", "--portal", "https://docs.example.com"]).await.stdout;
    let environment = file("ip-fence.env");
    let names = environment
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('=')?.0.strip_prefix("IP_FENCE_"));
    let names: Vec<String> = names.map(|name| name.to_lowercase().replace("__", ".")).collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{name} ="))), "{name} in {shown}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let units = ["ip-fence.service", "ip-fence.timer"];
    cli_test::assert_systemd_accepts(&folder, "ip-fence", env!("CARGO_BIN_EXE_ip-fence"), &units);
}
