//! What the program asks: everything of the month, and what it is compared with.

pub(crate) mod look_up;
mod reading;
mod remembered;
mod trail;

use std::collections::BTreeSet;

use audit_model::{AuditEvent, GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::Job;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::body::Gathered;
use crate::bundle::folder::Bundle;
use crate::bundle::subject::{Subject, folder};
use crate::config::Config;
use crate::facts::logins::Logins;
use crate::facts::summary::{Context, Summary};
use crate::facts::{Facts, quiet_rooms};
use crate::filter::Filter;
use crate::gather::look_up::{id_of, people};
use crate::period::Period;
use crate::upload::target::{NoTarget, Target};
use ::report::words::plural;

/// A country is new when a person was not seen there for this long: a quarter holds most holidays and journeys.
const LOGIN_HISTORY: TimeDelta = TimeDelta::days(92);

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Gathered> {
    // what only somebody can set right is found before the work is done
    let target = target(config, job).await?;
    let period = period(config, job);
    let folder = folder(config, job, &period);
    if !job.dry_run
        && let Some(folder) = &folder
    {
        Bundle::open(&folder.path, &Subject::of(config, job, &period))?;
    }
    let (mut facts, filter) = read(config, job, period, look).await?;
    facts.notes.extend(folder.and_then(|folder| folder.note));
    Ok(Gathered { facts, filter, target })
}

/// Where to upload to, or why that cannot be.
async fn target(config: &Config, job: &Job) -> anyhow::Result<Option<Result<Target, String>>> {
    let Some(wanted) = &config.upload_to else { return Ok(None) };
    let target = match Target::find(&job.client, wanted).await {
        Ok(target) => target,
        Err(NoTarget::Setting(message)) => return Err(job_runner::Error::setting("upload_to", message).into()),
        Err(NoTarget::Portal(error)) => return Ok(Some(Err(error.to_string()))),
    };
    Ok(Some(match target.obstacle(&job.client).await {
        Ok(None) => Ok(target),
        Ok(Some(obstacle)) => Err(format!("cannot upload into {}: {obstacle}", target.path)),
        Err(error) => Err(error.to_string()),
    }))
}

/// Reads what is missing, and sums it up.
async fn read(config: &Config, job: &Job, period: Period, look: &mut Look) -> anyhow::Result<(Facts, Filter)> {
    let now = job.over_by_both_clocks();
    let known = reading::known(&job.archive, &period).await?;
    let again = known.span(&period, config.recheck(), now);
    look.archive = look.archive.clone().reading_again(again);
    let no_history = refresh(config, &period, now, look).await?;
    look.rooms().await?;
    let reading = known.after(look.coverage(), again == period.window);
    let reading = reading::keep(&job.archive, &period, reading, job.now).await?;
    let rooms = job.archive.rooms(job.window).await?;
    let own = service_accounts(job, look).await;
    let (filter, mut notes) = look_up::filter(&config.only, job, &rooms, look).await?;
    notes.extend(no_history);
    let context = Context { period: &period, rooms: &rooms, own: &own };
    let summary = sum_up(job, &filter, context).await?;
    let unrecorded = trail::unrecorded(job, &period, look).await?;
    let previous = period.previous();
    let before = if is_covered(job, previous.window).await? {
        Some(sum_up(job, &filter, Context { period: &previous, ..context }).await?)
    } else {
        None
    };
    let logins = logins(config, job, &period, &filter).await?;
    let quiet = remembered::quiet_rooms(&job.archive, &period, quiet_rooms(&period, &rooms, &summary), job.now).await?;
    let names = remembered::names(job, &summary, &logins, look).await?;
    let restricted = (!config.only.is_everything()).then(|| in_words(config, &filter));
    let unseen = Facts::unseen(period);
    let facts = Facts {
        summary,
        before,
        logins,
        own,
        key_owner: Some(job.portal.me.person.id),
        names,
        quiet,
        reading,
        unrecorded,
        recheck_from: config.recheck().map(|recheck| period.window.until + recheck),
        goes_incomplete: config.upload_incomplete && config.upload_to.is_some(),
        filter: restricted,
        rooms,
        notes,
        ..unseen
    };
    Ok((facts, filter))
}

/// Why the logins before the period could not be read, for a note.
async fn refresh(
    config: &Config,
    period: &Period,
    now: DateTime<Utc>,
    look: &mut Look,
) -> anyhow::Result<Option<String>> {
    look.detailed_audit().await?.of_window_alone();
    let unsettled = period.unsettled(now, config.settle());
    if !unsettled.is_empty() {
        look.gap("audit", unsettled, GapReason::NotSettled);
    }
    let unseen = look.logins_and_history(period.window, LOGIN_HISTORY).await?;
    // a history that fails with its period is named with it
    let is_period_seen = !look.coverage().lacks(audit_model::Source::Logins);
    Ok(unseen.filter(|_| is_period_seen).map(|gap| {
        let why = gap.explanation();
        format!("new countries are told only as far as the logins before the period could be read: {why}")
    }))
}

/// The people that the settings call robots. The owner of the key is a person, whatever this program does with it.
async fn service_accounts(job: &Job, look: &mut Look) -> BTreeSet<Uuid> {
    let mut own: BTreeSet<Uuid> = job.service_accounts.iter().filter_map(|entry| id_of(entry)).collect();
    // the portal is asked only when there are addresses
    if job.service_accounts.iter().any(|entry| id_of(entry).is_none()) {
        let (found, _) = people(job, "service_accounts", &job.service_accounts, look).await;
        own.extend(found);
    }
    own
}

async fn sum_up(job: &Job, filter: &Filter, context: Context<'_>) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut rows = Sha256::new();
    let mut events = std::pin::pin!(job.archive.events(context.period.window));
    while let Some(event) = events.try_next().await? {
        if filter.fits(&event, context.rooms) {
            summary.push(&event, context);
            identify(&event, &mut rows);
        } else {
            summary.left_out += 1;
        }
    }
    summary.finish();
    summary.rows_hash = hex::encode(rows.finalize());
    Ok(summary)
}

/// What tells one event from another that a restored portal gave the same id.
fn identify(event: &AuditEvent, rows: &mut Sha256) {
    rows.update(event.id.to_le_bytes());
    rows.update(event.at.timestamp_micros().to_le_bytes());
    rows.update(event.actor.as_bytes());
    rows.update(event.action.0.to_le_bytes());
    for target in &event.target {
        rows.update(target.len().to_le_bytes());
        rows.update(target);
    }
}

/// Whether the archive has every event of the window.
async fn is_covered(job: &Job, window: Window) -> anyhow::Result<bool> {
    let kept = job.archive.kept().await?;
    let audit = kept.iter().find(|kept| kept.source == "audit");
    Ok(audit.is_some_and(|kept| kept.covered.missing_from(window).is_empty()))
}

async fn logins(config: &Config, job: &Job, period: &Period, filter: &Filter) -> anyhow::Result<Logins> {
    let since = period.window.since;
    let known_since = job.archive.logins_known_since(since).await?.map(|known| known.max(since - LOGIN_HISTORY));
    let mut logins = Logins::new(known_since, config.failed_logins);
    if let Some(known_since) = known_since {
        let mut history = std::pin::pin!(job.archive.login_events(Window::new(known_since, since)));
        while let Some(login) = history.try_next().await? {
            logins.push_history(&login);
        }
    }
    let mut all = std::pin::pin!(job.archive.login_events(period.window));
    while let Some(login) = all.try_next().await? {
        if filter.fits_login(&login) {
            logins.push(&login);
        } else {
            logins.left_out += 1;
        }
    }
    Ok(logins)
}

/// What the report is restricted to.
fn in_words(config: &Config, filter: &Filter) -> String {
    let only = &config.only;
    let lists = [
        ("rooms", &only.rooms),
        ("folders", &only.folders),
        ("files", &only.files),
        ("people", &only.people),
        ("actions", &only.actions),
    ];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut parts: Vec<String> = given
        .map(|(name, list)| format!("{name} {}", audit_model::PortalText::new(list.join(", ")).for_terminal()))
        .collect();
    if only.important_documents.is_some() {
        parts.push(format!("a list of {}", plural(filter.important.len() as u64, "important document")));
    }
    parts.join("; ")
}

fn period(config: &Config, job: &Job) -> Period {
    Period { window: job.window, zone: config.zone_or(job.portal.time_zone) }
}
