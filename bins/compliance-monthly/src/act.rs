//! What others see besides the report on stdout: the files of the report, and their copies in the portal.

use std::collections::BTreeSet;
use std::path::PathBuf;

use audit_model::{Coverage, GapReason, Verdict, is_robot};
use job_runner::{Job, Refusal};
use safe_actions::ActionState;
use tracing::error;
use uuid::Uuid;

use crate::body::{Body, Destination, Report};
use crate::bundle::Bundle;
use crate::config::Config;
use crate::facts::Facts;
use crate::gather;
use crate::target::{Target, about_readers};
use crate::upload::{self, Uploader};
use crate::write::{self, Source};

/// Writes the files of the report, and uploads them.
pub(crate) async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    match gather::folder(config, &report.body.facts.period) {
        Some(folder) if job.dry_run => {
            report.head.notes.push(format!("dry run: nothing was written into {}", folder.display()));
        }
        Some(folder) => write_files(config, job, folder, report).await?,
        None => {}
    }
    if let Some(target) = report.body.target.take() {
        deliver(config, job, target, report).await?;
    }
    Ok(())
}

async fn write_files(config: &Config, job: &Job, folder: PathBuf, report: &mut Report) -> anyhow::Result<()> {
    let job_runner::Report { head, body, .. } = &mut *report;
    let Body { facts, filter, .. } = body;
    let bundle = Bundle::open(&folder, &gather::subject(config, job, &facts.period))?;
    let source = Source {
        facts,
        filter,
        coverage: &head.coverage,
        program: &head.program,
        portal: &head.portal,
        query: write::query(config, &facts.own, filter),
    };
    match write::bundle(job, &source, bundle).await {
        Ok(Some(written)) => body.report = Some(written),
        Ok(None) => {
            let kept = "the report of this time that is there already was kept: this run saw less";
            head.notes.push(kept.to_owned());
        }
        // a full disk must not keep the first page from being printed
        Err(error) => {
            error!("{error:#}");
            head.notes.push(format!("the files of the report could not be written: {error:#}"));
            head.coverage.gap("files", job.window, GapReason::StoreError);
        }
    }
    Ok(())
}

/// Uploads what was written. What could not be uploaded makes the run incomplete, and is finished by the next.
async fn deliver(
    config: &Config,
    job: &Job,
    target: Result<Target, String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let missing = |report: &mut Report| report.head.coverage.gap("upload", job.window, GapReason::PortalError);
    let target = match target {
        Ok(target) => target,
        Err(why) => {
            report.head.notes.push(format!("nothing was uploaded: {why}"));
            missing(report);
            return Ok(());
        }
    };
    let notes = match target.readers(&job.client).await {
        Ok(readers) => about_readers(&readers, &named(&report.body.facts)),
        Err(error) => vec![format!("who can read it there could not be seen: {error}")],
    };
    report.body.upload = Some(Destination { folder: target.folder.clone(), path: target.path.clone(), notes });
    if job.dry_run {
        report.head.notes.push(format!("dry run: nothing was uploaded into {}", target.path));
    }
    let Some(written) = report.body.report.take() else { return Ok(()) };
    let uploads = upload::uploads(&written.files, &written.manifest, &report.body.facts.period.label());
    let held = held_back(report.coverage(), job);
    let mut actions = Vec::new();
    match (&held, &job.store) {
        (Some(why), _) => actions.extend(uploads.iter().map(|upload| upload.action(ActionState::Held, why.clone()))),
        (None, Err(refusal)) => {
            actions.extend(uploads.iter().map(|upload| upload.action(ActionState::Failed, refusal.to_string())));
        }
        (None, Ok(store)) => match Uploader::new(job, store, &target, &written.folder, config.on_collision).await {
            Ok(uploader) => {
                for upload in &uploads {
                    let action = uploader.apply(upload).await;
                    actions
                        .push(action.unwrap_or_else(|error| upload.action(ActionState::Failed, format!("{error:#}"))));
                }
            }
            Err(error) => {
                actions.extend(uploads.iter().map(|upload| upload.action(ActionState::Failed, format!("{error:#}"))));
            }
        },
    }
    report.body.report = Some(written);
    if actions.iter().any(|action| matches!(action.state, ActionState::Held | ActionState::Failed)) {
        missing(report);
    }
    report.body.actions = actions;
    Ok(())
}

/// Why a report is not for others yet.
fn held_back(coverage: &Coverage, job: &Job) -> Option<String> {
    if coverage.verdict() == Verdict::Nothing {
        return Some("nothing can be concluded".to_owned());
    }
    if let Err(refusal @ Refusal::Clock { .. }) = &job.store {
        return Some(refusal.to_string());
    }
    let is_open = coverage.gaps.iter().any(|gap| gap.why == GapReason::NotSettled);
    is_open.then(|| "the portal may still be storing events of it; run again later".to_owned())
}

/// People whom the report names; the portal itself and our own programs are none.
fn named(facts: &Facts) -> BTreeSet<Uuid> {
    let people = facts.summary.people.keys().chain(facts.logins.users.keys());
    people.filter(|id| !is_robot(**id) && !facts.own.contains(id)).copied().collect()
}
