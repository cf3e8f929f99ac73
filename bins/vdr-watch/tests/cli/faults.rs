//! Every fault at every source that the program asks: see `cli_test::faults`.

use cli_test::faults::Matrix;

#[tokio::test]
async fn under_any_fault_a_run_is_whole_or_says_that_it_is_not() {
    let program = env!("CARGO_BIN_EXE_vdr-watch");
    Matrix { program, flags: &[], files: &[], found: &["mallory", "ursula"], known: &[] }.check().await;
}
