//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::{Program, Shipped};

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_vdr-watch"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "",
    files: &[],
    found: &["mallory", "ursula"],
    always_prints: false,
    source: ("security/audit/login", "logins"),
    shipped: Shipped { not_default: &[], cron: &["*/10 * * * *"], calendar: "*:0/10" },
};

cli_test::contract_tests!(PROGRAM);
