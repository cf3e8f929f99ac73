//! Reminding: who is due (`plan`), what was done before (`ledger`, `series`), what a mail is about (`mail`) and says (`missed`, `letter`), and sending it
//! (`send`, `delivery`).

mod delivery;
mod ledger;
mod letter;
mod mail;
mod missed;
mod plan;
mod send;
mod series;

use std::collections::BTreeMap;

use ::report::words::Clock;
use anyhow::Context;
use audit_model::RoomId;
use chrono::{DateTime, Utc};
use job_runner::config::Settings;
use job_runner::names::{NamedList, look_up};
use job_runner::{Job, Refusal};
use job_store::{JournalState, Store};
use tracing::warn;
use uuid::Uuid;

use self::delivery::Setback;
use self::ledger::Ledger;
use self::plan::{Circumstances, plan};
use self::send::Sending;
use self::series::Observed;
use crate::body::{Body, Reminder, Report, SinceLastRun};
use crate::config::Config;
use crate::rule::JudgedMember;

pub(crate) use letter::try_all as check_templates;

/// Reminds whoever is due. What was done stands in the report, also where it failed halfway.
pub(crate) async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    if report.coverage().audit.is_some() && report.body.rooms.is_empty() {
        anyhow::bail!(
            "no room could be looked at; use the key of an account that sees the rooms, and name rooms that are not archived"
        );
    }
    if !config.remind.enabled || report.coverage().audit.is_none() {
        return Ok(());
    }
    let mut reminded = Reminded::default();
    let ended = remind(config, job, &report.body, &mut reminded).await;
    reminded.actions.sort_by_key(|action| action.person.id);
    report.body.actions = reminded.actions;
    report.body.reminded = reminded.before;
    report.body.since_last_run = reminded.since_last_run;
    report.is_held = report.body.is_held();
    ended
}

/// What a run did about reminders.
#[derive(Debug, Default)]
struct Reminded {
    actions: Vec<Reminder>,
    since_last_run: Option<SinceLastRun>,
    /// When mails of earlier runs left, and of which day they were.
    before: BTreeMap<(Uuid, RoomId), (DateTime<Utc>, u32)>,
}

/// Reminds everybody who is due; in a dry run says only whom, and how. What was done stands in `reminded`, also after an error.
///
/// # Errors
/// `job_runner::Error` without `mail.host`; `job_runner::Refusal` where this run may not act. Others are of the store and the templates.
async fn remind(config: &Config, job: &Job, body: &Body, reminded: &mut Reminded) -> anyhow::Result<()> {
    if job.mailer.is_none() && !job.dry_run {
        let message = "is missing: `remind.enabled` needs a mail server";
        return Err(job_runner::Error::setting("mail.host", message).into());
    }
    let store = match &job.store {
        Ok(store) => store.clone(),
        Err(_) if job.dry_run => Store::temporary().await?,
        Err(refusal) => return Err(anyhow::Error::new(*refusal).context(why_nobody(*refusal))),
    };
    let templates = config.remind.mail_templates();
    letter::try_all(&templates).context("nobody was written to")?;
    let ledger = Ledger::open(store, job.now).await?;
    let observed = Observed(&body.rooms);
    let (past, since_last_run) = series::note_series(&ledger, job, observed).await?;
    reminded.since_last_run = since_last_run;
    reminded.before.clone_from(&past.sent);
    let actions = &mut reminded.actions;
    let at = Circumstances {
        now: job.now,
        zone: job.portal.time_zone,
        window_end: job.window.until,
        judged: observed.judged(),
        is_clear: is_clear(config, job).await,
        is_rehearsal: job.dry_run,
    };
    let mut sending = Sending::new(config, job, &ledger, templates, body);
    if !job.dry_run {
        series::close_what_is_over(&ledger, &past, observed).await?;
    }
    let mut deferred = Vec::new();
    for due in plan(&observed.inactive(), &past, &config.remind, at) {
        let (reminder, setback) = sending.carry_out(&due).await?;
        if setback == Some(Setback::Deferred) {
            deferred.push((actions.len(), due));
        }
        actions.push(reminder);
    }
    sending.hang_up().await;
    // greylisting servers take what comes again, others want another connection
    for (at, due) in deferred {
        actions[at] = sending.carry_out(&due).await?.0;
    }
    sending.hang_up().await;
    Ok(())
}

fn why_nobody(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoMemory => {
            "nobody was written to (and with an empty store, everybody who is inactive is written to again from the first step on)"
        }
        _ => "nobody was written to",
    }
}

/// Whether everybody whom the settings leave in peace is there. Somebody was meant where it is not, and may be the next to be written
/// to.
async fn is_clear(config: &Config, job: &Job) -> bool {
    let robots = NamedList::people("service_accounts", &job.service_accounts);
    let lists: Vec<NamedList> = [robots].into_iter().chain(config.named(job.now)).collect();
    match look_up(&lists, &job.client).await {
        Ok(unknown) => unknown.is_empty(),
        Err(error) => {
            warn!("whom the settings leave in peace could not be looked up: {:#}", anyhow::Error::new(error));
            false
        }
    }
}

/// What is remembered of the mails to one person about one room, and what would be done now; one line each.
pub(crate) async fn remembered(
    config: &Config,
    job: &Job,
    judged: &JudgedMember,
    room: &RoomId,
) -> anyhow::Result<Vec<String>> {
    let Ok(store) = &job.store else { return Ok(Vec::new()) };
    let person = &judged.member.account.person;
    let ledger = Ledger::open(store.clone(), job.now).await?;
    let past = ledger.past().await?;
    let clock = Clock(job.portal.time_zone);
    let series = past.series.get(&(person.id, room.clone()));
    let mut lines: Vec<String> =
        series.map(|series| format!("found inactive since {}", clock.day(series.since))).into_iter().collect();
    let told = ledger.told(person.id, room).await?;
    let told =
        told.into_iter().map(|(days, fate, at)| format!("mail of day {days}: {} ({})", fate_of(fate), clock.day(at)));
    lines.extend(told);
    if !config.remind.enabled {
        lines.push("nobody is written to: `remind.enabled` is false".to_owned());
        return Ok(lines);
    }
    let at = Circumstances {
        now: job.now,
        zone: job.portal.time_zone,
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

fn fate_of(state: JournalState) -> &'static str {
    match state {
        JournalState::Done => "sent",
        JournalState::Failed => "given up",
        JournalState::Planned => "not sent, waits for the next run",
        JournalState::Started | JournalState::Unknown => "may have been sent",
    }
}
