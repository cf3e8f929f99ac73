//! What others see besides the report: reminders, and the whole report for the manager.

use ::report::{Block, Document, Form, TEXT_WIDTH};
use alerting::{Mail, Recipient};
use anyhow::Context;
use job_runner::{Job, render};
use sha2::{Digest, Sha256};

use crate::body::Report;
use crate::config::Config;
use crate::remind::{Observed, remind};

/// Reminds, and reports to the manager, who gets the report also when reminding failed. `document` makes the whole report of what was
/// found and done.
pub(crate) async fn act(
    config: &Config,
    job: &Job,
    report: &mut Report,
    document: impl Fn(&Report) -> Document,
) -> anyhow::Result<()> {
    let is_judged = report.coverage().audit.is_some();
    let mut reminded = Ok(());
    if config.remind.enabled && is_judged {
        let observed = Observed { rooms: &report.body.rooms, found: &report.body.found };
        let mut actions = Vec::new();
        reminded = remind(config, job, &observed, &mut actions).await;
        actions.sort_by_key(|action| action.person.id);
        report.body.actions = actions;
        report.is_held = report.body.is_held();
    }
    if let Err(failure) = &reminded {
        report.head.notes.push(format!("not everybody who is due was reminded: {failure:#}"));
    }
    if !job.dry_run {
        let document = without_states(document(report));
        write_file(config, report, &document)?;
        mail_manager(config, job, report, &document).await?;
    }
    reminded
}

/// What was told before is known only after this, and is of whoever runs the program: the manager gets everybody in every report.
fn without_states(mut document: Document) -> Document {
    for block in document.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::Person(person) = block {
            person.state = None;
        }
    }
    document
}

/// Replaces the manager's file, at once.
fn write_file(config: &Config, report: &Report, document: &Document) -> anyhow::Result<()> {
    let Some(path) = config.manager.file.as_ref().map(|path| path.as_path()) else { return Ok(()) };
    let form = Form::of_file(path).context("the ending of `manager.file` was checked with the settings")?;
    let bytes = render(form, report, document)?;
    if let Err(error) = job_store::files::replace(path, &bytes, job_store::files::PRIVATE) {
        // the report on stdout is there all the same
        tracing::error!("cannot write `manager.file` {}: {error}; check its folder and rights", path.display());
    }
    Ok(())
}

/// Mails the whole report to the manager. That it could not be sent is logged: the report stands on stdout as well.
async fn mail_manager(config: &Config, job: &Job, report: &Report, document: &Document) -> anyhow::Result<()> {
    if config.manager.mail_to.is_empty() {
        return Ok(());
    }
    let Some(mailer) = &job.mailer else {
        return Err(job_runner::Error::setting("mail.host", "is missing: `manager.mail_to` needs a mail server").into());
    };
    let mut mailer = mailer.lock().await;
    for address in &config.manager.mail_to {
        if let Err(error) = mailer.send(&manager_mail(report, document, address)).await {
            tracing::error!("the report was not mailed to the manager: {:#}", anyhow::Error::new(error));
        }
    }
    mailer.close().await;
    Ok(())
}

/// The same window and address give the same `Message-ID`.
fn manager_mail(report: &Report, document: &Document, address: &str) -> Mail {
    let head = &report.head;
    let key = format!("manager {address} {} {}", head.portal.shown(), head.window);
    let host = head.portal.url.host_str().unwrap_or("localhost");
    Mail {
        to: Recipient { name: String::new(), address: address.to_owned() },
        subject: document.headline.for_terminal(),
        text: document.text(TEXT_WIDTH),
        html: Some(document.html()),
        message_id: format!("{}@{host}", hex::encode(&Sha256::digest(key)[..16])),
        unsubscribe: Vec::new(),
        date: head.run.started_at,
    }
}
