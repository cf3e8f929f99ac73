//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::{Program, Shipped};

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_nudge-inactive"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "",
    files: &[],
    found: &["dora", "emil", "fatima", "greta"],
    always_prints: false,
    source: ("files/folder", "room_log"),
    shipped: Shipped { not_default: &[], cron: &["0 10 * * 2"], calendar: "Tue *-*-* 10:00" },
};

cli_test::contract_tests!(PROGRAM);
