//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::Program;

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_compliance-monthly"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "month = \"2026-10\"\nout = \"report\"\n",
    files: &[],
    found: &[],
    always_prints: true,
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
async fn the_cron_lines_run_as_printed() {
    PROGRAM.cron_lines(&["0 4 1 * *", "0 4 4,12 * *"]).await;
}

#[tokio::test]
async fn the_units_run_as_printed() {
    PROGRAM.systemd_units("*-*-01,04,12 04:00").await;
}

#[tokio::test]
async fn a_month_without_matters_is_whole() {
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
async fn a_month_is_reported_again_in_full() {
    PROGRAM.first_and_second_run().await;
}
