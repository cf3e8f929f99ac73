//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::Program;

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_bulk-guard"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "",
    files: &[],
    found: &["gil"],
    always_prints: false,
};

#[tokio::test]
async fn the_example_settings_are_whole_and_accepted() {
    PROGRAM.example_settings(&[]).await;
}

#[tokio::test]
async fn every_command_has_help() {
    PROGRAM.help().await;
}

#[tokio::test]
async fn the_cron_line_runs_as_printed() {
    PROGRAM.cron_lines(&["* * * * *"]).await;
}

#[tokio::test]
async fn the_units_run_as_printed() {
    PROGRAM.systemd_units("*:*:00").await;
}

#[tokio::test]
async fn a_quiet_day_prints_nothing() {
    PROGRAM.quiet().await;
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_named() {
    PROGRAM.incomplete("security/audit/login", "logins").await;
}

#[tokio::test]
async fn nothing_is_concluded_without_the_audit_feature() {
    PROGRAM.no_audit_feature().await;
}

#[tokio::test]
async fn hostile_names_command_nothing() {
    PROGRAM.hostile_names().await;
}

#[tokio::test]
async fn what_was_told_is_not_told_again() {
    PROGRAM.first_and_second_run().await;
}

/// Both keep their memory in one folder: with a user each, the one would take it away from the other.
#[test]
fn the_timer_and_the_server_are_one_user() {
    let file = |name: &str| {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
    };
    let line = |unit: &str, key: &str| {
        let text = file(unit);
        text.lines().find(|line| line.starts_with(&format!("{key}="))).map(str::to_owned)
    };
    for key in ["User", "DynamicUser", "StateDirectory", "RuntimeDirectory"] {
        let [timer, server] = ["bulk-guard.service", "bulk-guard-serve.service"].map(|unit| line(unit, key));
        assert!(timer.is_some() && timer == server, "{key}: {timer:?} {server:?}");
    }
}
