//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::{Program, Shipped};

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_bulk-guard"),
    package: env!("CARGO_MANIFEST_DIR"),
    // on a busy machine a simulated portal is a slow one
    settings: "look_up_limit = \"10m\"\n",
    files: &[],
    found: &["gil"],
    always_prints: false,
    source: ("security/audit/login", "logins"),
    shipped: Shipped { not_default: &[], cron: &["* * * * *"], calendar: "*:*:00" },
};

cli_test::contract_tests!(PROGRAM);

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
