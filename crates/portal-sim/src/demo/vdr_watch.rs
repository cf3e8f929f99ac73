//! `vdr-watch`: somebody takes a data room away.

use super::stage::{REPORT, Stage, Which, builtin};

pub(super) async fn show(stage: &Stage) -> anyhow::Result<()> {
    let scene = stage.begin(builtin("incident", stage.now())?, "", "\n[alerts.webhook]\nurl = \"{webhook}\"\n").await?;
    scene.say("An office at work. Three hours ago somebody guessed a password, signed in, and downloaded 41 documents of a data room within 40 minutes.")?;
    scene.run(&format!("--report {REPORT}"), 48, 0).await?;
    scene.page(REPORT)?;
    scene.alerts(Which::First)?;
    scene.say("The next run finds nothing new, and cron sends no mail:")?;
    scene.run("", 1, 0).await
}
