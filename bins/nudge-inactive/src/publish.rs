//! The whole report for the managers: a file that every run replaces, and mails. It is a promise: what did not arrive is written down, said
//! on stdout, and made good by the next run, whose report is of then.

mod list;
mod mail;

use ::report::{Document, Form};
use alerting::{Fate, Mail, Mailer};
use anyhow::Context;
use audit_model::Verdict;
use chrono::{DateTime, Utc};
use job_runner::{Error, Publishing, render};
use job_store::Store;
use safe_actions::{ActionState, Actions, Begun, Called, Effect, Intent, Trace};
use serde_json::json;
use tokio::sync::Mutex;
use tracing::error;

use crate::body::{Delivered, ON_ITS_WAY, Report};
use crate::config::Config;

/// Writes and mails the report. `document` makes the whole of what was found and done.
pub(crate) async fn publish(
    config: &Config,
    publishing: &Publishing,
    report: &mut Report,
    document: impl Fn(&Report) -> Document,
) -> anyhow::Result<()> {
    let whole = mail::without_states(document(report));
    let written = write_file(config, report, &whole);
    let letters = letters(config, report, &whole);
    let mut delivered = Vec::new();
    let mailed = match &publishing.mailer {
        Some(mailer) if !letters.is_empty() => deliver(publishing, mailer, &letters, &mut delivered).await,
        _ => Ok(()),
    };
    report.body.manager = delivered;
    written.and(mailed)
}

/// Replaces the manager's file, at once.
fn write_file(config: &Config, report: &Report, document: &Document) -> anyhow::Result<()> {
    let Some(path) = config.manager.file.as_ref().map(|path| path.as_path()) else { return Ok(()) };
    let form = Form::of_file(path).context("the ending of `manager.file` was checked with the settings")?;
    let bytes = render(form, report, document)?;
    // what stands there is of an earlier run, and fails to be replaced until somebody corrects that
    job_store::files::replace(path, &bytes, job_store::files::PRIVATE).map_err(|error| {
        let message =
            format!("cannot be written: {error}; what stands there is of an earlier run; check its folder and rights");
        Error::setting("manager.file", message).into()
    })
}

/// The mails with the report: the whole one for the manager, and for each owner the part of their rooms.
fn letters(config: &Config, report: &Report, whole: &Document) -> Vec<Mail> {
    let mut letters: Vec<Mail> =
        config.manager.mail_to.iter().map(|address| mail::whole(config, report, whole, address)).collect();
    if config.manager.per_owner && report.coverage().verdict() != Verdict::Nothing {
        letters.extend(mail::of_owners(config, report, whole));
    }
    letters
}

async fn deliver(
    publishing: &Publishing,
    mailer: &Mutex<Mailer>,
    letters: &[Mail],
    delivered: &mut Vec<Delivered>,
) -> anyhow::Result<()> {
    let actions = actions(publishing).await?;
    let stopped = Stopped::default();
    for letter in letters {
        let delivery = ManagerMail { mailer, letter, stopped: &stopped };
        delivered.push(send(&actions, publishing.now, &delivery).await?);
    }
    mailer.lock().await.close().await;
    Ok(())
}

/// Where it is written down what did not arrive. A report that cannot be written down is sent all the same.
async fn actions(publishing: &Publishing) -> anyhow::Result<Actions> {
    if let Ok(store) = &publishing.store {
        match Actions::open(store.clone(), publishing.now).await {
            Ok(actions) => return Ok(actions),
            Err(failure) => {
                error!("what does not reach the manager is not written down: {:#}", anyhow::Error::new(failure));
            }
        }
    }
    Ok(Actions::open(Store::temporary().await?, publishing.now).await?)
}

/// Sends one report in place of all that wait for the same address.
async fn send(actions: &Actions, now: DateTime<Utc>, delivery: &ManagerMail<'_>) -> anyhow::Result<Delivered> {
    let to = &delivery.letter.to.address;
    let waiting: Vec<Intent> =
        actions.open_of_kind(ON_ITS_WAY).await?.into_iter().filter(|intent| intent.subject == *to).collect();
    let since = waiting.iter().filter_map(|intent| intent.payload["since"].as_str()?.parse().ok()).min();
    let intent = Intent {
        key: format!("{ON_ITS_WAY} {to} {}", delivery.letter.message_id),
        kind: ON_ITS_WAY.to_owned(),
        subject: to.clone(),
        payload: json!({ "since": since.unwrap_or(now) }),
    };
    let outcome = actions.apply(intent, delivery).await?;
    let is_taken = outcome.state == ActionState::Done;
    for old in waiting.iter().filter(|old| old.key != outcome.intent.key) {
        actions.give_up(old).await?;
    }
    Ok(Delivered {
        to: to.clone(),
        state: if is_taken { ActionState::Done } else { ActionState::Failed },
        reason: outcome.reason,
        waiting_since: since.or((!is_taken).then_some(now)),
    })
}

/// Why no more mails are tried: the server is away, or silent, and each would be waited for as long.
type Stopped = std::sync::Mutex<Option<String>>;

/// One report on its way.
struct ManagerMail<'a> {
    mailer: &'a Mutex<Mailer>,
    letter: &'a Mail,
    stopped: &'a Stopped,
}

impl Effect for ManagerMail<'_> {
    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, job_store::Error> {
        if let Some(why) = self.stopped.lock().ok().and_then(|stopped| stopped.clone()) {
            return Ok(Called::NotNow(why));
        }
        let sent = self.mailer.lock().await.send_if(self.letter, || begun.may_act()).await?;
        let Err(failure) = sent else { return Ok(Called::Done) };
        let (fate, why) = (failure.fate(), failure.to_string());
        if failure.is_about_the_server()
            && let Ok(mut stopped) = self.stopped.lock()
        {
            *stopped = Some(why.clone());
        }
        error!("the report was not mailed to the manager: {:#}", anyhow::Error::new(failure));
        Ok(match fate {
            Fate::NotSent | Fate::Refused => Called::NotNow(why),
            Fate::Unknown => Called::Broke(why),
        })
    }

    /// Nobody sees what arrives, and a second report harms nobody.
    async fn look(&self, _: &Intent) -> Trace {
        Trace::Repeatable
    }
}
