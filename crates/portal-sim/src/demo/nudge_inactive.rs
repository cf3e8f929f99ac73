//! `nudge-inactive`: who does nothing in a room, and the mail that reminds them.

use super::stage::{REPORT, Stage, builtin};

const TABLES: &str = "\n[remind]\nenabled = true\n\n[mail]\nhost = \"localhost\"\nsecurity = \"none\"\nfrom = \"docspace@example.com\"\n";

pub(super) async fn show(stage: &Stage) -> anyhow::Result<()> {
    let scene = stage.begin(builtin("inactive", stage.now())?, "rooms = [\"Falcon\"]\n", TABLES).await?;
    scene.say("Two data rooms with members who work, who only look, who do nothing, and who have just come. A dry run sends nothing, and shows every mail:")?;
    scene.run(&format!("--dry-run --report {REPORT}"), 60, 0).await?;
    scene.page(REPORT)?;
    scene.say("Why her, and nobody else?")?;
    scene.run("explain dora@example.com Falcon", 20, 0).await
}
