//! Bringing the ledger up to date, and sending what is due. Every mail is written down before it leaves.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use alerting::{Mail, Templates};
use anyhow::Context;
use audit_model::{Person, PortalText, RoomId};
use chrono::{DateTime, Utc};
use job_runner::names::{NamedList, look_up};
use job_runner::{Job, Refusal};
use job_store::Store;
use safe_actions::{ActionState, Intent};
use tracing::warn;
use uuid::Uuid;

use super::delivery::{Delivery, GIVEN_UP, MOST_TRIES, Setback};
use super::ledger::{ContentRoom, Ledger, content, intent, message_id, with_tries};
use super::letter::{self, ManagerValues, RoomValues, Values, short, unsubscribe};
use super::plan::{Circumstances, Due, Hold, Past, Reminder, Series, ShownMail, is_old, may_write, plan};
use crate::activity::Records;
use crate::body::SinceLastRun;
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

    /// How many distinct people were judged.
    fn judged(&self) -> usize {
        let people = |room: &RoomReport| {
            let inactive = room.inactive.iter().map(|inactive| inactive.person.id);
            inactive.chain(room.active_people.iter().copied()).collect::<Vec<_>>()
        };
        self.rooms.iter().flat_map(people).collect::<BTreeSet<_>>().len()
    }
}

/// What a run did about reminders.
#[derive(Debug, Default)]
pub(crate) struct Reminded {
    pub(crate) actions: Vec<Reminder>,
    pub(crate) since_last_run: Option<SinceLastRun>,
    /// When mails of earlier runs left, and of which day they were.
    pub(crate) before: BTreeMap<(Uuid, RoomId), (DateTime<Utc>, u32)>,
}

/// Reminds everybody who is due; in a dry run says only whom, and how. What was done stands in `reminded`, also after an error.
///
/// # Errors
/// `job_runner::Error` without `mail.host`; `job_runner::Refusal` where this run may not act. Others are of the store and the templates.
pub(crate) async fn remind(
    config: &Config,
    job: &Job,
    observed: &Observed<'_>,
    reminded: &mut Reminded,
) -> anyhow::Result<()> {
    if job.mailer.is_none() && !job.dry_run {
        let message = "is missing: `remind.enabled` needs a mail server";
        return Err(job_runner::Error::setting("mail.host", message).into());
    }
    let store = match &job.store {
        Ok(store) => store.clone(),
        Err(_) if job.dry_run => Store::temporary().await?,
        Err(refusal) => return Err(anyhow::Error::new(*refusal).context(why_nobody(*refusal))),
    };
    let templates = letter::templates(&config.remind);
    letter::try_all(&templates).context("nobody was written to")?;
    let ledger = Ledger::open(store, job.now).await?;
    let (past, since_last_run) = note_series(&ledger, job, observed).await?;
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
    let mut sending = Sending {
        config,
        job,
        ledger: &ledger,
        templates,
        missed: Missed::new(job, &observed.found.changed),
        inactive: observed.inactive().into_iter().map(|(id, _, one)| ((one.person.id, id), one)).collect(),
        owners: observed.rooms.iter().filter_map(|room| Some((room.id.clone(), room.owner.clone()?))).collect(),
        stopped: None,
        refused_in_a_row: 0,
    };
    if !job.dry_run {
        close_what_is_over(&ledger, &past, observed).await?;
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
            "nobody was written to; with an empty store everybody who is inactive is written to again from the first step on"
        }
        _ => "nobody was written to",
    }
}

/// Closes the mails of earlier runs whose people are active again, or no members any more: there is nothing to say.
async fn close_what_is_over(ledger: &Ledger, past: &Past, observed: &Observed<'_>) -> anyhow::Result<()> {
    for (person, mail) in past.open.iter().flat_map(|(person, mails)| mails.iter().map(|mail| (*person, mail))) {
        let holds = |room: &ContentRoom| {
            let series = past.series.get(&(person, room.id.clone()));
            series.is_some_and(|series| series.number == room.series) || observed.is_open(person, &room.id)
        };
        if !mail.content.rooms.iter().any(holds) {
            ledger.actions.give_up(&mail.intent).await?;
        }
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
async fn note_series(
    ledger: &Ledger,
    job: &Job,
    observed: &Observed<'_>,
) -> anyhow::Result<(Past, Option<SinceLastRun>)> {
    let past = ledger.past().await?;
    // a window of the past says nothing about who is active today
    if is_old(job.now, job.window.until) {
        return Ok((past, None));
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
    let people = |keys: &[(Uuid, RoomId)]| keys.iter().map(|(person, _)| *person).collect::<BTreeSet<_>>().len() as u64;
    let came_back: Vec<_> = ended.into_iter().filter(|(person, room)| past.was_reminded(*person, room)).collect();
    let since_last_run = SinceLastRun { newly_inactive: people(&begun), came_back: people(&came_back) };
    Ok((ledger.past().await?, Some(since_last_run)))
}

/// So many mails in a row that the server does not like, and it is us that it does not like.
const MOST_REFUSED_IN_A_ROW: u32 = 3;

/// Sending, with what it needs.
struct Sending<'a> {
    config: &'a Config,
    job: &'a Job,
    ledger: &'a Ledger,
    templates: Templates,
    missed: Missed<'a>,
    inactive: BTreeMap<(Uuid, RoomId), &'a Inactive>,
    owners: BTreeMap<RoomId, Person>,
    /// Why no more mails are tried.
    stopped: Option<String>,
    refused_in_a_row: u32,
}

impl Sending<'_> {
    /// Sends one mail, or says why not, or in a dry run what it would be; and what its failure says of the mails behind it.
    async fn carry_out(&mut self, due: &Due) -> anyhow::Result<(Reminder, Option<Setback>)> {
        let rooms = plural(due.steps.len() as u64, "room");
        let mut reminder = Reminder {
            kind: "remind",
            person: due.person.clone(),
            state: ActionState::Held,
            reason: format!("inactive in {rooms} for {}", plural(self.config.period_days.into(), "day")),
            held: due.held,
            rooms: due.steps.clone(),
            message_id: None,
            waits_for_hours: false,
            mail: None,
        };
        let is_open = may_write(&self.config.remind, self.job.present(), self.job.portal.time_zone);
        if due.held.is_none() && !is_open && !self.job.dry_run {
            reminder.held = Some(Hold::QuietHours);
        }
        if reminder.held.is_some() {
            return Ok((reminder, None));
        }
        let intent = match &due.again {
            Some(intent) => intent.clone(),
            None => intent(due.person.id, &due.steps)?,
        };
        let letter = self.letter(due, &intent.key).await?;
        reminder.message_id = Some(letter.message_id.clone());
        if self.job.dry_run {
            reminder.state = ActionState::Planned;
            reminder.waits_for_hours = !is_open;
            reminder.mail = Some(shown(&letter));
            return Ok((reminder, None));
        }
        reminder.state = ActionState::Failed;
        if let Some(why) = &self.stopped {
            reminder.reason.clone_from(why);
            return Ok((reminder, None));
        }
        let (state, why, setback) = self.send(intent, &letter).await?;
        for other in &due.instead_of {
            self.ledger.actions.give_up(other).await?;
        }
        reminder.state = shown_state(state);
        reminder.reason = why.unwrap_or(reminder.reason);
        Ok((reminder, setback))
    }

    async fn send(
        &mut self,
        intent: Intent,
        letter: &Mail,
    ) -> anyhow::Result<(ActionState, Option<String>, Option<Setback>)> {
        let tries = content(&intent).map_or(MOST_TRIES, |content| content.tries);
        if tries >= MOST_TRIES {
            self.ledger.actions.give_up(&intent).await?;
            return Ok((ActionState::Failed, Some(GIVEN_UP.to_owned()), None));
        }
        let mailer = self.job.mailer.as_ref().context("a mailer was asked for before")?;
        let delivery = Delivery::new(mailer, letter);
        let outcome = self.ledger.actions.apply(with_tries(intent, tries + 1), &delivery).await?;
        let setback = delivery.setback();
        match setback {
            None => self.refused_in_a_row = 0,
            Some(Setback::OfUs) => self.refused_in_a_row += 1,
            Some(_) => {}
        }
        if setback == Some(Setback::OfTheServer) || self.refused_in_a_row >= MOST_REFUSED_IN_A_ROW {
            let silent = || "the mail server fell silent before; the next run tries again".to_owned();
            let why = outcome.reason.clone().filter(|_| outcome.state == ActionState::Planned);
            self.stopped = Some(why.unwrap_or_else(silent));
        }
        Ok((outcome.state, outcome.reason, setback))
    }

    /// The next mail goes over another connection.
    async fn hang_up(&self) {
        if let Some(mailer) = &self.job.mailer {
            mailer.lock().await.close().await;
        }
    }

    async fn letter(&mut self, due: &Due, key: &str) -> anyhow::Result<Mail> {
        let job = self.job;
        let portal = job.portal_url.as_str().trim_end_matches('/').to_owned();
        let zone = job.portal.time_zone;
        let mut rooms = Vec::new();
        for step in &due.steps {
            let Some(one) = self.inactive.get(&(due.person.id, step.id.clone())) else { continue };
            let reader = (due.person.id, one.judged.member.access);
            let (missed, titles) = self.missed.of(&step.id, reader, one.last_activity).await?;
            let day = one.last_activity.map(|at| at.with_timezone(&zone).format("%Y-%m-%d").to_string());
            let owner = self.owners.get(&step.id).filter(|owner| owner.id != due.person.id);
            rooms.push(RoomValues {
                title: short(&step.title),
                url: room_page(&portal, &step.id),
                last_seen: day.unwrap_or_default(),
                missed,
                titles: titles.iter().map(short).collect(),
                manager: owner.and_then(|owner| ManagerValues::of(owner, &step.title, &due.person)),
            });
        }
        let values = Values {
            name: short(&due.person.name),
            portal,
            period_days: self.config.period_days,
            rooms,
            step: self.config.remind.step_of(due.steps.iter().map(|step| step.step_days)),
            steps: self.config.remind.steps_days.len() as u64,
            unsubscribe: self.config.remind.unsubscribe.iter().map(|one| unsubscribe(one, &due.person)).collect(),
        };
        let id = message_id(key, &due.steps, job.portal_url.host_str().unwrap_or("localhost"));
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
