//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::{Program, Shipped};

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_compliance-monthly"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "month = \"2026-10\"\nout = \"report\"\n",
    files: &[],
    found: &[],
    always_prints: true,
    source: ("security/audit/login", "logins"),
    shipped: Shipped { not_default: &[], cron: &["0 4 1 * *", "0 4 4,12 * *"], calendar: "*-*-01,04,12 04:00" },
};

cli_test::contract_tests!(PROGRAM);
