//! Reminding: who is due (`plan`), what was done before (`ledger`), what the mail says (`letter`), and sending it
//! (`send`, `delivery`).

mod delivery;
mod ledger;
mod letter;
mod plan;
mod send;

use audit_model::RoomId;
use job_runner::Job;

use crate::config::Config;
use crate::rule::JudgedMember;

pub(crate) use letter::{check as check_templates, has_language};
pub(crate) use plan::{Hold, Reminder, Step};
pub(crate) use send::{Observed, Reminded, remind, spared};

/// What is remembered of the mails to one person about one room, and what would be done now; one line each.
pub(crate) async fn explain_reminders(
    config: &Config,
    job: &Job,
    judged: &JudgedMember,
    room: &RoomId,
) -> anyhow::Result<Vec<String>> {
    let Ok(store) = &job.store else { return Ok(Vec::new()) };
    let person = &judged.member.account.person;
    let ledger = ledger::Ledger::open(store.clone(), job.now).await?;
    let past = ledger.past().await?;
    let mut lines = Vec::new();
    let zone = job.portal.time_zone;
    let day = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%Y-%m-%d").to_string();
    if let Some(series) = past.series.get(&(person.id, room.clone())) {
        lines.push(format!("found inactive since {}", day(series.since)));
    }
    lines.extend(
        ledger
            .told(person.id, room)
            .await?
            .into_iter()
            .map(|(days, state, at)| format!("reminder of day {days}: {}, {}", state.name(), day(at))),
    );
    if !config.remind.enabled {
        lines.push("nobody is written to: `remind.enabled` is false".to_owned());
        return Ok(lines);
    }
    let at = plan::Circumstances {
        now: job.now,
        zone,
        window_end: job.window.until,
        judged: 0,
        is_clear: true,
        is_rehearsal: false,
    };
    if let Some(hold) = plan::hold(person, &past.sent_to(person.id, None), &config.remind, at) {
        lines.push(format!("no mail now: {}", hold.words()));
    }
    Ok(lines)
}
