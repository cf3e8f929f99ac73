//! `alerts …`: whether alerts arrive, which channels have proven it, what was told to whom, and what is not told for a time.

mod listed;
mod silence;

use alerting::{Alert, AlertContext, Channel, Said, deliver};
use audit_model::{Coverage, Finding, Person, Sentence, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;
use uuid::Uuid;

use crate::Error;
use crate::args::AlertsCommand;
use crate::config::Settings;
use crate::exit::Exit;
use crate::memory::Memory;
use crate::setup::Setup;
use crate::upkeep::in_turn;

/// Name in the memory of when a channel took a test alert; the channel's own follows.
const PROVEN: &str = "channel_proven";

/// Runs the command.
pub(crate) async fn run<C: Settings>(command: &AlertsCommand, setup: &Setup<'_, C>) -> anyhow::Result<Exit> {
    match command {
        AlertsCommand::Test { channel } => test(channel.as_deref(), setup).await,
        AlertsCommand::List => listed::list(setup).await,
        AlertsCommand::Explain { id } => listed::explain(id, setup).await,
        AlertsCommand::Silence(command) => silence::run(command, setup).await,
    }
}

async fn test<C: Settings>(channel: Option<&str>, setup: &Setup<'_, C>) -> anyhow::Result<Exit> {
    let mut channels = setup.channels()?;
    if let Some(asked) = channel {
        channels.retain(|channel| channel.name() == asked || channel.kind() == asked);
    }
    if channels.is_empty() {
        let message = "no such channel is set; set `alerts.file.path`, `alerts.webhook.url` or a `[[alerts.channel]]`";
        return Err(Error::setting("alerts", message).into());
    }
    let alert = test_alert(setup)?;
    in_turn(&setup.state()?, setup.now, async |store| send(&alert, &channels, store, setup.now).await).await
}

/// What each channel says to it, and whether all have taken it; remembers those that have.
async fn send(
    alert: &Alert,
    channels: &[Channel],
    store: &Store,
    now: DateTime<Utc>,
) -> anyhow::Result<(String, Exit)> {
    let memory = Memory::open(store).await?;
    let report = deliver(std::slice::from_ref(alert), channels, now).await;
    let mut said = String::new();
    let mut has_failed = false;
    for delivery in report.deliveries {
        for name in delivery.taken_by {
            memory.keep(&format!("{PROVEN} {name}"), "", now).await?;
            said.push_str(&format!("{name} has taken the test alert; look whether it has arrived\n"));
        }
        for failure in delivery.failures {
            has_failed = true;
            let reason = anyhow::Error::new(failure.error);
            said.push_str(&format!("{} has not taken it: {reason:#}\n", failure.channel));
        }
    }
    Ok((said, if has_failed { Exit::Nothing } else { Exit::Concluded }))
}

fn test_alert<C>(setup: &Setup<'_, C>) -> Result<Alert, Error> {
    let about = setup.about;
    let window = Window::new(setup.now - TimeDelta::seconds(1), setup.now);
    let program = Person::named(Uuid::nil(), about.name.into());
    let finding = Finding {
        severity: Severity::Info,
        reasons: vec![Sentence::new(
            "this is a test alert: nothing has happened",
            "dies ist eine Testmeldung: Es ist nichts geschehen",
        )],
        ..Finding::new("test", audit_model::fingerprint(&["test", about.name]), program, window)
    };
    let portal_url = setup.portal_url()?;
    let context = AlertContext {
        program: about.name,
        version: about.version,
        portal_url: &portal_url,
        time_zone: None,
        coverage: &Coverage::default(),
    };
    let said = Said {
        did: Some(
            ("sends a test alert: nothing has happened", "sendet eine Testmeldung: Es ist nichts geschehen").into(),
        ),
        what_to_do: vec![
            (
                "nothing, where you know of the test: this channel works",
                "Nichts, wenn Sie von dem Test wissen: Dieser Kanal funktioniert",
            )
                .into(),
            (
                "close what this alert has opened, such as a ticket",
                "Schließen Sie, was diese Meldung geöffnet hat, zum Beispiel ein Ticket",
            )
                .into(),
        ],
        ..Said::default()
    };
    Ok(Alert::of_step(&finding, &setup.now.to_rfc3339(), &context).with_detail(&said.members(&finding)))
}

/// When one of the channels last took a test alert; `None`: none of them ever has.
///
/// # Errors
/// Of the store.
pub(crate) async fn proven_at(store: &Store, channels: &[Channel]) -> Result<Option<DateTime<Utc>>, job_store::Error> {
    let memory = Memory::open(store).await?;
    let mut newest = None;
    // what took it once, and lacks its secret by now, reaches nobody
    for channel in channels.iter().filter(|channel| channel.missing().is_none()) {
        let proven = memory.get(&format!("{PROVEN} {}", channel.name())).await?;
        newest = newest.max(proven.map(|(_, at)| at));
    }
    Ok(newest)
}
