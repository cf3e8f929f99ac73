//! `bulk-guard`: ransomware, an account that is disabled, and the way back.

use chrono::{DateTime, Utc};
use portal_sim::{Event, Key, Person, PersonKind, Scenario, StoredFile};

use super::stage::{REPORT, Stage, Which, builtin};

const SETTINGS: &str = "mode = \"enforce\"\nlook_up_limit = \"30s\"\n";
const TABLES: &str = "\n[suspend]\nkinds = [\"renamed\"]\n\n[alerts.webhook]\nurl = \"{webhook}\"\n";
const MALLORY: &str = "mallory@example.com";
const RENAMED: i32 = 5001;

pub(super) async fn show(stage: &Stage) -> anyhow::Result<()> {
    let mut scenario = builtin("quiet", stage.now())?;
    let guard = Person::new("guard@example.com", "Guard", "Account").kind(PersonKind::Admin);
    scenario.keys = vec![Key::of(&guard)];
    let scene = stage.begin(scenario.with_person(guard), SETTINGS, TABLES).await?;
    scene.say(
        "A quiet portal. This bulk-guard may disable accounts, so it wants a channel that has taken a test alert:",
    )?;
    scene.run("alerts test", 5, 0).await?;
    scene.run("", 5, 0).await?;
    scene.forget_alerts();
    scene.say("Now 60 documents are renamed to `.locked` by the account of Mallory Quick, within a second. The next run of cron:")?;
    let moment = stage.next_second().await;
    scene.sim.edit(|portal| encrypt(portal, moment));
    stage.next_second().await;
    scene.run(&format!("--report {REPORT}"), 40, 0).await?;
    scene.page(REPORT)?;
    scene.alerts(Which::Last)?;
    say_account(&scene)?;
    scene.run("status", 30, 0).await?;
    scene.say("Somebody has looked, and gives the account back:")?;
    scene.run(&format!("release {MALLORY} --by anna --reason \"cleaned, restored from the backup\""), 12, 0).await?;
    say_account(&scene)
}

/// What the portal itself says of the account.
fn say_account(scene: &super::stage::Scene<'_>) -> anyhow::Result<()> {
    let mut status = None;
    scene.sim.edit(|portal| status = portal.person_by_email(MALLORY).map(|person| person.status));
    let words = if status == Some(1) { "active" } else { "disabled" };
    scene.say(&format!("The portal says that the account {MALLORY} is {words}."))
}

/// Sixty renamed files of one room.
fn encrypt(portal: &mut Scenario, now: DateTime<Utc>) {
    let Some(mallory) = portal.person_by_email(MALLORY).cloned() else { return };
    for number in 0..60 {
        let (id, title) = (81_300 + number, format!("contract {number}.docx.locked"));
        portal.content.files.push(StoredFile::new(id, 81, &title, mallory.id, now, b"x"));
        portal.add_event(Event::new(RENAMED, mallory.id, now).file(id, &title).ip("203.0.113.66").in_room(81));
    }
}
