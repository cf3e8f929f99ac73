//! Bringing the ledger up to date, and sending what is due. Every mail is written down before it leaves.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use alerting::{Mail, Templates};
use anyhow::Context;
use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use job_runner::Job;
use job_runner::names::{NamedList, look_up};
use job_store::Store;
use safe_actions::{ActionState, Intent};
use tracing::warn;
use uuid::Uuid;

use super::delivery::Delivery;
use super::ledger::{ContentRoom, Ledger, OpenMail, intent, message_id};
use super::letter::{self, RoomValues, Values, one_line};
use super::plan::{Circumstances, Due, Hold, Past, Reminder, Series, ShownMail, Step, hold, is_old, plan};
use crate::activity::Records;
use crate::config::{Config, Snooze};
use crate::missed::Missed;
use crate::room_report::{Inactive, RoomReport};

/// What the run has found, as far as mails depend on it.
pub(crate) struct Observed<'a> {
    pub(crate) rooms: &'a [RoomReport],
    pub(crate) found: &'a Records,
}

impl Observed<'_> {
    fn inactive(&self) -> Vec<(RoomId, PortalText, &Inactive)> {
        let mut all = Vec::new();
        for room in self.rooms {
            all.extend(room.inactive.iter().map(|inactive| (room.id.clone(), room.title.clone(), inactive)));
        }
        all
    }

    /// Whether nobody can say whether this person is inactive in this room.
    fn is_open(&self, person: Uuid, id: &RoomId) -> bool {
        match self.rooms.iter().find(|room| room.id == *id) {
            None => true,
            Some(room) => room.unknown.iter().any(|unknown| unknown.person.id == person),
        }
    }

    fn judged(&self) -> usize {
        let inactive = self.rooms.iter().flat_map(|room| &room.inactive).map(|inactive| inactive.person.id);
        inactive.collect::<BTreeSet<_>>().len() + self.rooms.iter().map(|room| room.active as usize).sum::<usize>()
    }
}

/// Reminds everybody who is due; in a dry run says only whom, and how. What was done stands in `actions`, also after an error.
///
/// # Errors
/// `job_runner::Error` without `mail.host`; `job_runner::Refusal` where this run may not act. Others are of the store and the templates.
pub(crate) async fn remind(
    config: &Config,
    job: &Job,
    observed: &Observed<'_>,
    actions: &mut Vec<Reminder>,
) -> anyhow::Result<()> {
    if job.mailer.is_none() && !job.dry_run {
        let message = "is missing: `remind.enabled` needs a mail server";
        return Err(job_runner::Error::setting("mail.host", message).into());
    }
    let store = match &job.store {
        Ok(store) => store.clone(),
        Err(_) if job.dry_run => Store::temporary().await?,
        Err(refusal) => return Err(anyhow::Error::new(*refusal).context("nobody was written to")),
    };
    let ledger = Ledger::open(store, job.now).await?;
    let past = note_series(&ledger, job, observed).await?;
    let is_clear = is_clear(config, job).await;
    let at = Circumstances {
        now: job.now,
        zone: job.portal.time_zone,
        window_end: job.window.until,
        judged: observed.judged(),
        is_clear,
    };
    let mut sending = Sending {
        config,
        job,
        ledger: &ledger,
        templates: letter::templates(&config.remind),
        missed: Missed::new(job, &observed.found.changed),
        inactive: observed.inactive().into_iter().map(|(id, _, one)| ((one.person.id, id), one)).collect(),
        is_server_gone: false,
        sent: 0,
    };
    for open in ledger.open_mails().await? {
        actions.extend(sending.go_on(open, observed, at).await?);
    }
    let mut settings = config.remind.clone();
    settings.most_per_run -= sending.sent.min(settings.most_per_run);
    for due in plan(&observed.inactive(), &past, &settings, at) {
        actions.push(sending.send_due(due).await?);
    }
    if let Some(mailer) = &job.mailer {
        mailer.lock().await.close().await;
    }
    Ok(())
}

/// Whether everybody whom the settings leave in peace is there. Somebody was meant where it is not, and may be the next to be written
/// to.
async fn is_clear(config: &Config, job: &Job) -> bool {
    let robots = NamedList::people("service_accounts", &job.service_accounts);
    let lists: Vec<NamedList> = [robots].into_iter().chain(spared(config, job.now)).collect();
    match look_up(&lists, &job.client).await {
        Ok(unknown) => unknown.is_empty(),
        Err(error) => {
            warn!("whom the settings leave in peace could not be looked up: {:#}", anyhow::Error::new(error));
            false
        }
    }
}

/// The lists of the settings that leave people in peace. A day is the portal's, which is not known here: snoozes that may count do.
pub(crate) fn spared(config: &Config, now: DateTime<Utc>) -> Vec<NamedList> {
    let counts = |snooze: &&Snooze| snooze.until.is_some_and(|until| now.date_naive() <= until);
    let snoozed = config.remind.snooze.iter().filter(counts).map(|snooze| &snooze.person);
    vec![
        NamedList::people("exclude_people", &config.exclude_people),
        NamedList::people("remind.stop", &config.remind.stop),
        NamedList::people("remind.snooze", snoozed),
    ]
}

/// Begins and ends series, and gives what is remembered then.
async fn note_series(ledger: &Ledger, job: &Job, observed: &Observed<'_>) -> anyhow::Result<Past> {
    let past = ledger.past().await?;
    // a window of the past says nothing about who is active today
    if is_old(job.now, job.window.until) {
        return Ok(past);
    }
    let inactive: BTreeMap<(Uuid, RoomId), &Inactive> =
        observed.inactive().into_iter().map(|(id, _, one)| ((one.person.id, id), one)).collect();
    // activity between two runs ends a series, too; what there was in this period was too little
    let goes_on = |key: &(Uuid, RoomId), one: &Inactive| {
        let is_over = |last: DateTime<Utc>, series: &Series| (series.since..job.window.since).contains(&last);
        past.series.get(key).is_some_and(|series| one.last_activity.is_none_or(|last| !is_over(last, series)))
    };
    let begun: Vec<_> = inactive.iter().filter(|(key, one)| !goes_on(key, one)).map(|(key, _)| key.clone()).collect();
    let is_over = |(person, room): &&(Uuid, RoomId)| {
        !inactive.contains_key(&(*person, room.clone())) && !observed.is_open(*person, room)
    };
    let ended: Vec<_> = past.series.keys().filter(is_over).cloned().collect();
    ledger.note_series(&begun, &ended, job.now).await?;
    ledger.past().await
}

/// Sending, with what it needs.
struct Sending<'a> {
    config: &'a Config,
    job: &'a Job,
    ledger: &'a Ledger,
    templates: Templates,
    missed: Missed<'a>,
    inactive: BTreeMap<(Uuid, RoomId), &'a Inactive>,
    is_server_gone: bool,
    /// Mails that this run has begun.
    sent: usize,
}

impl Sending<'_> {
    /// Tries a mail of an earlier run again, for the rooms that it still holds for. `None` where there is nothing to say.
    async fn go_on(
        &mut self,
        open: OpenMail,
        observed: &Observed<'_>,
        at: Circumstances,
    ) -> anyhow::Result<Option<Reminder>> {
        let still = |room: &&ContentRoom| self.inactive.contains_key(&(open.person, room.id.clone()));
        // the journal keeps the others too: it may have reached somebody about them
        let rooms: Vec<&ContentRoom> = open.content.rooms.iter().filter(still).collect();
        let Some(one) = rooms.first().and_then(|room| self.inactive.get(&(open.person, room.id.clone()))).copied()
        else {
            let is_open = open.content.rooms.iter().any(|room| observed.is_open(open.person, &room.id));
            if !is_open && !self.job.dry_run {
                self.ledger.actions.give_up(&open.intent).await?;
            }
            return Ok(None);
        };
        let title = |id: &RoomId| observed.rooms.iter().find(|room| room.id == *id).map(|room| room.title.clone());
        let step = |room: &&ContentRoom| Step {
            id: room.id.clone(),
            title: title(&room.id).unwrap_or_default(),
            since: room.since,
            series: room.series,
            step_days: room.step_days,
        };
        let steps: Vec<Step> = rooms.iter().map(step).collect();
        // that it is on its way is no reason to wait
        let mut held = hold(&one.person, &Past::default(), &self.config.remind, at);
        if held.is_none() && self.sent >= self.config.remind.most_per_run {
            held = Some(Hold::RunIsFull);
        }
        let due = Due { person: one.person.clone(), culture: one.judged.member.account.culture.clone(), steps, held };
        self.carry_out(due, open.intent).await.map(Some)
    }

    async fn send_due(&mut self, due: Due) -> anyhow::Result<Reminder> {
        let intent = intent(due.person.id, &due.steps)?;
        self.carry_out(due, intent).await
    }

    async fn carry_out(&mut self, due: Due, intent: Intent) -> anyhow::Result<Reminder> {
        let rooms = plural(due.steps.len() as u64, "room");
        let mut reminder = Reminder {
            kind: "remind",
            person: due.person.clone(),
            state: ActionState::Held,
            reason: format!("inactive in {rooms} for {}", plural(self.config.period_days.into(), "day")),
            held: due.held,
            rooms: due.steps.clone(),
            message_id: None,
            mail: None,
        };
        if due.held.is_some() {
            return Ok(reminder);
        }
        self.sent += 1;
        let letter = self.letter(&due, &intent.key).await?;
        reminder.message_id = Some(letter.message_id.clone());
        if self.job.dry_run {
            reminder.state = ActionState::Planned;
            reminder.mail = Some(shown(&letter));
            return Ok(reminder);
        }
        if self.is_server_gone {
            reminder.state = ActionState::Failed;
            reminder.reason = "the mail server cannot be reached; the next run tries again".to_owned();
            return Ok(reminder);
        }
        let mailer = self.job.mailer.as_ref().context("a mailer was asked for before")?;
        let delivery = Delivery::new(mailer, &letter);
        let outcome = self.ledger.actions.apply(intent, &delivery).await?;
        self.is_server_gone = delivery.is_server_gone();
        reminder.state = shown_state(outcome.state);
        reminder.reason = outcome.reason.unwrap_or(reminder.reason);
        Ok(reminder)
    }

    async fn letter(&mut self, due: &Due, key: &str) -> anyhow::Result<Mail> {
        let job = self.job;
        let portal = job.portal_url.as_str().trim_end_matches('/').to_owned();
        let zone = job.portal.time_zone;
        let mut rooms = Vec::new();
        for step in &due.steps {
            let Some(one) = self.inactive.get(&(due.person.id, step.id.clone())) else { continue };
            let (missed, titles) = self.missed.of(&step.id, due.person.id, one.judged.member.access).await?;
            let day = one.last_activity.map(|at| at.with_timezone(&zone).format("%Y-%m-%d").to_string());
            rooms.push(RoomValues {
                title: one_line(&step.title),
                url: room_page(&portal, &step.id),
                last_seen: day.unwrap_or_default(),
                missed,
                titles: titles.iter().map(one_line).collect(),
            });
        }
        let values = Values {
            name: one_line(&due.person.name),
            portal,
            period_days: self.config.period_days,
            rooms,
            unsubscribe: self.config.remind.unsubscribe.clone(),
        };
        let id = message_id(key, job.portal_url.host_str().unwrap_or("localhost"));
        let culture = due.culture.as_deref();
        letter::write(&self.templates, &due.person, culture, &values, (id, job.now))
            .context("no mail was sent after this one")
    }
}

fn room_page(portal: &str, id: &RoomId) -> String {
    format!("{portal}/rooms/shared/{id}/filter?folder={id}")
}

/// The report calls every mail that is not known to be taken `failed`, also where the next run tries again.
fn shown_state(state: ActionState) -> ActionState {
    if state == ActionState::Done { state } else { ActionState::Failed }
}

fn shown(mail: &Mail) -> ShownMail {
    let one_line = |text: &str| PortalText::new(text).for_terminal();
    let to = format!("{} <{}>", one_line(&mail.to.name), one_line(&mail.to.address));
    ShownMail { to, subject: mail.subject.clone(), text: mail.text.clone() }
}
