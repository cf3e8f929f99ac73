//! Every fault at every source that the program asks: see `cli_test::faults`.

use cli_test::faults::Matrix;

use crate::contract::POLICY;

const MATRIX: Matrix = Matrix {
    program: env!("CARGO_BIN_EXE_ip-fence"),
    flags: &["--policy", "policy.toml"],
    files: &[("policy.toml", POLICY)],
    found: &["greta"],
    known: &[],
};

#[tokio::test]
async fn under_any_fault_a_run_is_whole_or_says_that_it_is_not() {
    MATRIX.check().await;
}

#[tokio::test]
async fn so_it_is_with_a_store_on_a_server() {
    MATRIX.check_on_server().await;
}
