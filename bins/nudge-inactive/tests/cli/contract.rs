//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::Program;

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_nudge-inactive"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "",
    files: &[],
    found: &["dora", "emil", "fatima", "greta"],
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
    PROGRAM.cron_lines(&["0 10 * * 2"]).await;
}

#[tokio::test]
async fn the_units_run_as_printed() {
    PROGRAM.systemd_units("Tue *-*-* 10:00").await;
}

#[tokio::test]
async fn a_quiet_day_prints_nothing() {
    PROGRAM.quiet().await;
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_named() {
    PROGRAM.incomplete("files/folder", "room_log").await;
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

#[tokio::test]
async fn every_form_of_the_report_tells_the_same_people() {
    PROGRAM.reports().await;
}
