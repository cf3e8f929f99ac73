//! What the program asks: which rooms are meant, who is in them, what they did there, and how far back the records reach.

mod activity;
mod reach;
mod rooms;

use audit_model::{GapReason, Source, Window};
use chrono::{DateTime, Utc};
use docspace_client::Room;
use event_archive::Look;
use job_runner::Job;
use job_runner::config::{Problem, Problems};

use crate::config::Config;
use crate::rule::{SignIns, Terms};

pub(crate) use activity::{Changed, Records};
pub(crate) use rooms::{Choice, Tagged, advice, choose, tagged};

/// What was asked, and what the rule goes by.
pub(crate) struct Facts {
    pub(crate) window: Window,
    pub(crate) notes: Vec<String>,
    pub(crate) records: Records,
    pub(crate) terms: Terms,
    /// Since when the audit trail is known without a hole.
    pub(crate) watched_since: Option<DateTime<Utc>>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    look.audit().await?.of_window_alone();
    let (shown, choice) = chosen(config, job, look).await?;
    let archived = format!("archived rooms are not looked at: {}", choice.archived);
    let notes = (choice.archived > 0).then_some(archived).into_iter().collect();
    if choice.ids.is_empty() && !look.coverage().lacks(Source::Rooms) {
        // no all-clear for rooms that nobody looked at
        look.gap("rooms", job.window, GapReason::ListEmpty);
    }
    let rooms: Vec<&Room> = shown.iter().filter(|room| choice.ids.contains(&room.fact.id)).collect();
    let mut records = activity::read(job, &rooms, &config.classes, look).await?;
    reach::seen_before(job, &mut records).await?;
    let terms = terms(config, job, look).await?;
    let watched_since = job.archive.audit_known_since(job.window.until).await?;
    Ok(Facts { window: job.window, notes, records, terms, watched_since })
}

/// The rooms that the portal shows, and which of them are meant.
async fn chosen(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<(Vec<Room>, Choice)> {
    let wanted = config.rooms.wanted();
    let Some(shown) = look.rooms().await? else { return Ok((Vec::new(), Choice::default())) };
    let Some(tagged) = look.answered("rooms", tagged(wanted, &job.client).await) else {
        return Ok((Vec::new(), Choice::default()));
    };
    let choice = choose(wanted, &shown, &tagged);
    if !choice.unknown.is_empty() {
        let message = |unknown: &String| format!("no room matches `{unknown}`; {}", advice(unknown, &shown));
        let problems =
            choice.unknown.iter().map(|unknown| Problem::new(config.rooms.key(), message(unknown))).collect();
        return Err(job_runner::Error::Config(Problems(problems)).into());
    }
    Ok((shown, choice))
}

async fn terms(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Terms> {
    let mut blind = reach::blindness(job, config.period(), look.coverage());
    if blind.is_none() {
        blind = reach::short_trail(job, look).await?;
    }
    let sign_ins = if look.coverage().audit.is_some() { reach::sign_ins(job, look).await? } else { SignIns::default() };
    Ok(Terms {
        min_activity: config.min_activity,
        grace: config.grace(),
        with_owner: config.include_owner,
        with_managers: config.include_managers,
        robots: job.service_accounts.clone(),
        listed: config.exclude_people.clone(),
        own: Some(job.portal.me.person.id),
        period_begins: job.window.since,
        sign_ins,
        blind,
    })
}
