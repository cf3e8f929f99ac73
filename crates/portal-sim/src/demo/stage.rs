//! Where a part of the tour plays: a folder, a portal, a receiver of alerts, and the program between them.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use portal_sim::{PortalSim, Scenario};
use serde_json::Value;

use super::receiver::Receiver;

/// The page that a run writes into the folder of its program.
pub(super) const REPORT: &str = "report.html";

/// A run takes about a second, on a busy machine ten times as long; what takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Variables by which a program could be led away from the simulated portal.
const LEADING_AWAY: [&str; 11] = [
    "DOCSPACE_",
    "ALERT_",
    "VDR_WATCH_",
    "BULK_GUARD_",
    "IP_FENCE_",
    "COMPLIANCE_MONTHLY_",
    "NUDGE_INACTIVE_",
    "STATE_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "RUST_LOG",
    "AUDIT_TOOLS_",
];

/// What a part begins with.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) program: &'static str,
    /// The built program.
    pub(super) path: PathBuf,
    /// Not there yet.
    pub(super) folder: PathBuf,
    pub(super) clock: fn() -> DateTime<Utc>,
}

/// Which alert is shown with more than its subject.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    First,
    Last,
}

/// A stage on which the play has begun.
pub(super) struct Scene<'a> {
    stage: &'a Stage,
    pub(super) sim: PortalSim,
    receiver: Receiver,
}

impl Stage {
    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Waits until the clock shows a later second, and gives it.
    pub(super) async fn next_second(&self) -> DateTime<Utc> {
        let begun = self.now();
        while self.now() <= begun {
            // nothing ends this but its time
            let _ = tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>()).await;
        }
        self.now()
    }

    /// Starts the portal, and writes settings and key as `init` does. `settings` is TOML without a table, `tables` with.
    pub(super) async fn begin(&self, scenario: Scenario, settings: &str, tables: &str) -> anyhow::Result<Scene<'_>> {
        let sim = PortalSim::start(scenario).await.context("start the simulated portal")?;
        sim.follow(self.clock);
        let receiver = Receiver::start().await?;
        fs::create_dir(&self.folder).with_context(|| format!("make the folder {}", self.folder.display()))?;
        let tables = tables.replace("{webhook}", &receiver.url());
        let tables = tables.replace("{mail_port}", &sim.mail_address().map_or(0, |address| address.port()).to_string());
        let scene = Scene { stage: self, sim, receiver };
        let (program, url) = (self.program, scene.sim.url());
        scene.private_file(&format!("{program}.key"), &format!("{}\n", scene.sim.key()))?;
        let text =
            format!("key_file = \"{program}.key\"\nstate = \"state\"\n{settings}\n[portal]\nurl = \"{url}\"\n{tables}");
        scene.private_file(&format!("{program}.toml"), &text)?;
        scene.say(&format!("{program}.toml:"))?;
        scene.indented(text.trim_end())?;
        Ok(scene)
    }
}

impl Scene<'_> {
    /// A paragraph of the tour's own.
    pub(super) fn say(&self, text: &str) -> anyhow::Result<()> {
        Ok(writeln!(io::stdout(), "{text}\n")?)
    }

    fn indented(&self, text: &str) -> anyhow::Result<()> {
        let lines = text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
        Ok(writeln!(io::stdout(), "{}", lines.collect::<String>())?)
    }

    /// A file beside the settings that this user alone can read.
    pub(super) fn private_file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.stage.folder.join(name);
        // mode 0600
        let mut file = tempfile::NamedTempFile::new_in(&self.stage.folder).context("write a file for the program")?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.persist(&path).map(drop).map_err(io::Error::from))
            .with_context(|| format!("write {}", path.display()))
    }

    /// The same, shown.
    pub(super) fn file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.private_file(name, text)?;
        self.say(&format!("{name}:"))?;
        self.indented(text.trim_end())
    }

    /// Runs the program with its settings and shows the first lines of what it says.
    ///
    /// # Errors
    /// It ends with another exit code, or not in time.
    pub(super) async fn run(&self, arguments: &str, most_lines: usize, exit: i32) -> anyhow::Result<()> {
        let program = self.stage.program;
        let told = format!("--config {program}.toml {arguments}");
        writeln!(io::stdout(), "$ {program} {}", told.trim_end())?;
        let done = self.ended(&words(&told)).await?;
        let stderr = String::from_utf8_lossy(&done.stderr);
        let said = format!("{}{stderr}", String::from_utf8_lossy(&done.stdout));
        let lines: Vec<&str> = said.trim_end().lines().collect();
        let mut shown = lines.iter().take(most_lines).copied().collect::<Vec<_>>().join("\n").trim_end().to_owned();
        match (lines.len(), lines.len().saturating_sub(most_lines)) {
            (0, _) => shown.push_str("(it prints nothing)"),
            (_, 0) => {}
            (_, more) => shown.push_str(&format!("\n\n… {more} more lines")),
        }
        self.indented(&shown)?;
        if done.status.code() != Some(exit) {
            bail!("{program} {told} ended with {}, and not with exit code {exit} as it should", done.status);
        }
        Ok(writeln!(io::stdout(), "exit code {exit}\n")?)
    }

    async fn ended(&self, arguments: &[String]) -> anyhow::Result<std::process::Output> {
        let path = &self.stage.path;
        let mut command = tokio::process::Command::new(path);
        command.args(arguments).current_dir(&self.stage.folder).kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_uppercase();
            if text.ends_with("_PROXY") || LEADING_AWAY.iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        tokio::time::timeout(TIME_LIMIT, command.output())
            .await
            .with_context(|| format!("{} did not end within {} seconds", path.display(), TIME_LIMIT.as_secs()))?
            .with_context(|| format!("run {}", path.display()))
    }

    /// Where the page is that a run with `--report report.html` has written.
    pub(super) fn page(&self, name: &str) -> anyhow::Result<()> {
        let path = self.stage.folder.join(name);
        if !path.is_file() {
            bail!("{} was not written", path.display());
        }
        self.say(&format!("The whole report as a page: {}", path.display()))
    }

    /// The alerts that came since the last call: what each is about, and more of one.
    pub(super) fn alerts(&self, which: Which) -> anyhow::Result<()> {
        let alerts = self.receiver.take();
        let chosen = match which {
            Which::First => alerts.first(),
            Which::Last => alerts.last(),
        };
        let chosen = chosen.context("no alert reached the webhook")?;
        let subjects: Vec<&str> = alerts.iter().filter_map(|alert| alert.get("subject")?.as_str()).collect();
        self.say("The webhook was sent:")?;
        self.indented(&subjects.join("\n"))?;
        self.say(if alerts.len() == 1 {
            "with, among other members:"
        } else {
            "one of them with, among other members:"
        })?;
        self.indented(&short(chosen))
    }

    /// Nobody shows what has come so far.
    pub(super) fn forget_alerts(&self) {
        self.receiver.take();
    }
}

/// What a person reads first of an alert; the rest is for machines.
fn short(alert: &Value) -> String {
    const SHOWN: [&str; 7] = ["severity", "reasons", "what_to_do", "matter", "links", "suspension", "text"];
    let members = alert.as_object().into_iter().flatten();
    let shown = members.filter(|(name, _)| SHOWN.contains(&name.as_str()));
    let shown: serde_json::Map<String, Value> = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::to_string_pretty(&shown).unwrap_or_default()
}

/// Splits at blanks, but for those within double quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The portal that a built-in scenario describes.
pub(super) fn builtin(name: &str, now: DateTime<Utc>) -> anyhow::Result<Scenario> {
    Scenario::builtin(name, now).with_context(|| format!("the scenario {name} is built in"))
}
