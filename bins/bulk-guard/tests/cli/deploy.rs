//! The files in `deploy/`: what they call must exist.

use std::path::Path;

use crate::common::{office, setting};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// With `config show` behind them the program says what it would use.
async fn assert_accepted(arguments: &str) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("bulk-guard.example.toml").display().to_string();
    let arguments =
        arguments.replace("%d/bulk-guard.toml", &example).replace("/etc/docspace/bulk-guard.toml", &example);
    assert!(arguments.contains(&example), "{arguments}");
    let words: Vec<&str> = arguments.split_whitespace().chain(["config", "show"]).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_bulk-guard")), folder.path());
    command.args(words);
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 0, "{arguments}: {}", ended.stderr);
}

#[tokio::test]
async fn the_cron_line_and_the_services_call_the_program_as_it_is() {
    let cron = file("bulk-guard.cron");
    let line = cron.lines().find(|line| line.starts_with("* * * * *")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[5..7], ["bulk-guard", "bulk-guard"], "user, program");
    assert_accepted(&words[7..].join(" ")).await;
    let command = |unit: &str| {
        let text = file(unit);
        let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/bulk-guard ")).unwrap();
        line.to_owned()
    };
    assert_accepted(&command("bulk-guard.service")).await;
    // `serve` is a command itself; without a token it says so, which is further than a wrong flag would come
    let setting = setting(office()).await;
    let serve = command("bulk-guard-serve.service").replace("--config %d/bulk-guard.toml", "");
    let url = setting.sim.url();
    let words: Vec<&str> = serve.split_whitespace().chain(["--portal", &url]).collect();
    let ended = setting.run_with(&words).await;
    assert!(ended.stderr.contains("serve.token_file"), "{}", ended.stderr);
}

/// Both keep their memory in one folder: with a user each, the one would take it away from the other.
#[test]
fn the_timer_and_the_server_are_one_user() {
    let line = |unit: &str, key: &str| {
        let text = file(unit);
        text.lines().find(|line| line.starts_with(&format!("{key}="))).map(str::to_owned)
    };
    for key in ["User", "DynamicUser", "StateDirectory", "RuntimeDirectory"] {
        let [timer, server] = ["bulk-guard.service", "bulk-guard-serve.service"].map(|unit| line(unit, key));
        assert!(timer.is_some() && timer == server, "{key}: {timer:?} {server:?}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let units = ["bulk-guard.service", "bulk-guard.timer", "bulk-guard-serve.service"];
    cli_test::assert_systemd_accepts(&folder, "bulk-guard", env!("CARGO_BIN_EXE_bulk-guard"), &units);
}
