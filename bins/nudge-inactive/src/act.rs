//! What others see besides the report: reminders.

use job_runner::Job;

use crate::body::Report;
use crate::config::Config;
use crate::remind::{Observed, Reminded, remind};

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
    let observed = Observed { rooms: &report.body.rooms, found: &report.body.found };
    let mut reminded = Reminded::default();
    let ended = remind(config, job, &observed, &mut reminded).await;
    reminded.actions.sort_by_key(|action| action.person.id);
    report.body.actions = reminded.actions;
    report.body.reminded = reminded.before;
    report.body.since_last_run = reminded.since_last_run;
    report.is_held = report.body.is_held();
    if let Err(failure) = &ended {
        report.head.notes.push(format!("not everybody who is due was reminded: {failure:#}"));
    }
    ended
}
