//! Sending what is due, one mail after the other. Every mail is written down before it leaves.

use std::collections::BTreeMap;

use ::report::words::{Clock, plural};
use alerting::{Mail, Templates, room_page};
use anyhow::Context;
use audit_model::{PortalText, RoomId};
use job_runner::Job;
use safe_actions::{ActionState, Intent};

use super::delivery::{Delivery, GIVEN_UP, MOST_TRIES, Setback};
use super::ledger::Ledger;
use super::letter::{self, ManagerValues, RoomValues, Values, short, unsubscribe};
use super::mail::{content, intent, message_id, with_tries};
use super::missed::Missed;
use super::plan::{Due, may_write};
use crate::body::{Body, Hold, Reminder, RoomReport, ShownMail};
use crate::config::Config;

/// So many mails in a row that the server does not like, and it is us that it does not like.
const MOST_REFUSED_IN_A_ROW: u32 = 3;

/// Sending, with what it needs.
pub(super) struct Sending<'a> {
    config: &'a Config,
    job: &'a Job,
    ledger: &'a Ledger,
    templates: Templates,
    missed: Missed<'a>,
    rooms: BTreeMap<&'a RoomId, &'a RoomReport>,
    /// Why no more mails are tried.
    stopped: Option<String>,
    refused_in_a_row: u32,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        config: &'a Config,
        job: &'a Job,
        ledger: &'a Ledger,
        templates: Templates,
        body: &'a Body,
    ) -> Self {
        Sending {
            config,
            job,
            ledger,
            templates,
            missed: Missed::new(job, &body.records.changed),
            rooms: body.rooms.iter().map(|room| (&room.id, room)).collect(),
            stopped: None,
            refused_in_a_row: 0,
        }
    }

    /// Sends one mail, or says why not, or in a dry run what it would be; and what its failure says of the mails behind it.
    pub(super) async fn carry_out(&mut self, due: &Due) -> anyhow::Result<(Reminder, Option<Setback>)> {
        let rooms = plural(due.steps.len() as u64, "room");
        let mut reminder = Reminder {
            kind: "remind",
            person: due.person.clone(),
            state: ActionState::Held,
            reason: format!("inactive in {rooms} for {}", plural(self.config.period_days.into(), "day")),
            held: due.held,
            rooms: due.steps.clone(),
            message_id: None,
            may_have_left: false,
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
        reminder.may_have_left = state == ActionState::Unknown || why.as_deref() == Some(GIVEN_UP);
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
    pub(super) async fn hang_up(&self) {
        if let Some(mailer) = &self.job.mailer {
            mailer.lock().await.close().await;
        }
    }

    async fn letter(&mut self, due: &Due, key: &str) -> anyhow::Result<Mail> {
        let job = self.job;
        let portal = job.portal_url.as_str().trim_end_matches('/').to_owned();
        let mut rooms = Vec::new();
        for step in &due.steps {
            let Some(room) = self.rooms.get(&step.id) else { continue };
            let Some(one) = room.inactive.iter().find(|one| one.person.id == due.person.id) else { continue };
            let reader = (due.person.id, one.judged.member.access);
            let (missed, titles) = self.missed.of(&step.id, reader, one.last_activity).await?;
            let owner = room.owner.as_ref().filter(|owner| owner.id != due.person.id);
            rooms.push(RoomValues {
                title: short(&step.title),
                url: room_page(Some(&room.place()), &job.portal_url).map(String::from).unwrap_or_default(),
                last_seen: one.last_activity.map(|at| Clock(job.portal.time_zone).day(at)).unwrap_or_default(),
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

/// The report calls every mail that is not known to be taken `failed`, also where the next run tries again.
fn shown_state(state: ActionState) -> ActionState {
    if state == ActionState::Done { state } else { ActionState::Failed }
}

fn shown(mail: &Mail) -> ShownMail {
    let one_line = |text: &str| PortalText::new(text).for_terminal();
    let to = format!("{} <{}>", one_line(&mail.to.name), one_line(&mail.to.address));
    ShownMail { to, subject: mail.subject.clone(), text: mail.text.clone() }
}
