//! What all programs keep: see `cli_test::contract`.

use cli_test::contract::{Program, Shipped};

const PROGRAM: Program = Program {
    binary: env!("CARGO_BIN_EXE_ip-fence"),
    package: env!("CARGO_MANIFEST_DIR"),
    settings: "policy = \"policy.toml\"\n",
    files: &[("policy.toml", POLICY)],
    found: &["greta"],
    always_prints: false,
    source: ("people/filter", "people"),
    shipped: Shipped { not_default: &["policy"], cron: &["*/10 * * * *"], calendar: "*:0/10" },
};

cli_test::contract_tests!(PROGRAM);

/// Of the portals on which all programs are tried: Greta comes from elsewhere.
pub(crate) const POLICY: &str = r#"
default = "ignore"

[[rule]]
label = "office"
groups = ["Auditors"]
people = ["greta@example.com", "chen@example.com"]
allow = ["192.0.2.0/24"]
"#;
