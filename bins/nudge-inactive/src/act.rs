//! What others see besides the report: reminders, and the whole report for the manager.

use anyhow::Context;
use job_runner::Job;

use crate::body::Report;
use crate::config::{Config, Form};
use crate::remind::{Remembered, remind};
use crate::report;

/// Reminds, and reports to the manager, who gets the report also when reminding failed.
pub(crate) async fn act(config: &Config, job: &Job, told: &mut Report) -> anyhow::Result<()> {
    let is_judged = told.coverage().audit.is_some();
    let mut reminded = Ok(());
    if config.remind.enabled && is_judged {
        let remembered = Remembered { rooms: &told.body.rooms, found: &told.body.found };
        let mut actions = Vec::new();
        reminded = remind(config, job, &remembered, &mut actions).await;
        actions.sort_by_key(|action| action.person.id);
        told.body.actions = actions;
        told.is_held = told.body.is_held();
    }
    if let Err(failure) = &reminded {
        told.head.notes.push(format!("not everybody who is due was reminded: {failure:#}"));
    }
    if !job.dry_run {
        write_file(config, told)?;
        mail_manager(config, job, told).await?;
    }
    reminded
}

/// Replaces the manager's file, at once.
fn write_file(config: &Config, told: &Report) -> anyhow::Result<()> {
    let Some(path) = config.manager.file.as_ref().map(|path| path.as_path()) else { return Ok(()) };
    let form = Form::of_file(path).context("the ending of `manager.file` was checked with the settings")?;
    let mut bytes = Vec::new();
    report::whole(told, form, &mut bytes)?;
    if let Err(error) = job_store::files::replace(path, &bytes, job_store::files::PRIVATE) {
        // the report on stdout is there all the same
        tracing::error!("cannot write `manager.file` {}: {error}; check its folder and rights", path.display());
    }
    Ok(())
}

/// Mails the whole report to the manager. That it could not be sent is logged: the report stands on stdout as well.
async fn mail_manager(config: &Config, job: &Job, told: &Report) -> anyhow::Result<()> {
    if config.manager.mail_to.is_empty() {
        return Ok(());
    }
    let Some(mailer) = &job.mailer else {
        return Err(job_runner::Error::setting("mail.host", "is missing: `manager.mail_to` needs a mail server").into());
    };
    let mut mailer = mailer.lock().await;
    for address in &config.manager.mail_to {
        if let Err(error) = mailer.send(&report::manager_mail(told, address)?).await {
            tracing::error!("the report was not mailed to the manager: {:#}", anyhow::Error::new(error));
        }
    }
    mailer.close().await;
    Ok(())
}
