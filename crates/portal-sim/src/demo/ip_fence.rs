//! `ip-fence`: a guessed password, and a list of addresses that would shut people out.

use super::stage::{REPORT, Stage, Which, builtin};

/// Who of the office may come from where.
const POLICY: &str = r#"default = "report"

[[rule]]
label = "office"
groups = ["Staff"]
allow = ["192.0.2.0/24"]

[[rule]]
label = "at home"
people = ["bob@example.com"]
allow = ["198.51.100.20"]
"#;

pub(super) async fn show(stage: &Stage) -> anyhow::Result<()> {
    let tables = "enforce = true\n\n[alerts.webhook]\nurl = \"{webhook}\"\n";
    let scene = stage.begin(builtin("addresses", stage.now())?, "policy = \"policy.toml\"\n", tables).await?;
    scene.file("policy.toml", POLICY)?;
    scene.say("An office, homes, a hotel; and somebody who guesses the password of an administrator until it fits.")?;
    scene.run(&format!("--report {REPORT}"), 24, 0).await?;
    scene.page(REPORT)?;
    scene.alerts(Which::First)?;
    scene.say("What if the portal's own list of addresses were switched on with this policy?")?;
    scene.run("plan", 22, 3).await
}
