//! `alerts list` and `alerts explain`: what became of every alert in every channel.

use alerting::{Noted, Outbox, Outcome};
use chrono::TimeDelta;
use report::words::{severity, utc};

use crate::config::Settings;
use crate::exit::Exit;
use crate::setup::{Setup, copy_at, print};

/// So far back the list goes, and so many lines it has.
const LISTED: TimeDelta = TimeDelta::days(7);
const MOST: u32 = 200;

/// What was told within a week, the newest first. The store is only read.
pub(super) async fn list<C: Settings>(setup: &Setup<'_, C>) -> anyhow::Result<Exit> {
    let outbox = Outbox::open(copy_at(&setup.state()?).await?).await?;
    let noted = outbox.noted_since(setup.now - LISTED, MOST).await?;
    let mut text: String = noted
        .iter()
        .map(|noted| {
            let alert = noted.matter.as_deref().or(noted.alert.get(..12)).unwrap_or(&noted.alert);
            let Noted { channel, subject, at, .. } = noted;
            format!("{}  {alert}  {channel}: {}  {subject}\n", utc(*at), became(noted))
        })
        .collect();
    if noted.is_empty() {
        text = "no alert was told within 7 days, and none waits\n".to_owned();
    } else if noted.len() == MOST as usize {
        text.push_str(&format!("only the newest {MOST} lines are shown\n"));
    }
    print(&text)?;
    Ok(Exit::Concluded)
}

/// Each channel: when, what it answered, and why not.
pub(super) async fn explain<C: Settings>(id: &str, setup: &Setup<'_, C>) -> anyhow::Result<Exit> {
    let outbox = Outbox::open(copy_at(&setup.state()?).await?).await?;
    let noted = outbox.noted_of(id).await?;
    if noted.is_empty() {
        print(&format!("nothing is remembered of {id}; `alerts list` shows the ids of alerts and matters\n"))?;
        return Ok(Exit::Nothing);
    }
    let mut text = String::new();
    let mut last = "";
    for noted in &noted {
        if noted.alert != last {
            text.push_str(&format!("{} (alert {}, {})\n", noted.subject, noted.alert, severity(noted.severity)));
            last = &noted.alert;
        }
        text.push_str(&format!("  {}  {}: {}\n", utc(noted.at), noted.channel, became(noted)));
    }
    print(&text)?;
    Ok(Exit::Concluded)
}

fn became(Noted { outcome, answer, .. }: &Noted) -> String {
    match outcome {
        Outcome::Taken => "accepted".to_owned(),
        Outcome::Waits if answer.is_empty() => "waits".to_owned(),
        Outcome::Waits => format!("waits to be tried again: {answer}"),
        Outcome::GivenUp => format!("given up after 7 days: {answer}"),
        Outcome::Summed => "counted in a summary".to_owned(),
        Outcome::LeftOut => format!("not sent: {answer}"),
    }
}
