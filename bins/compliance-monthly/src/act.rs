//! What others see besides the report on stdout: the files of the report, and their copies in the portal.

use std::collections::BTreeSet;
use std::path::PathBuf;

use audit_model::{Coverage, GapReason, Verdict, is_robot};
use job_runner::{Job, Refusal};
use safe_actions::ActionState;
use tracing::error;
use uuid::Uuid;

use crate::body::{Body, Destination, Report, Written};
use crate::bundle::folder::Bundle;
use crate::bundle::manifest::Manifest;
use crate::bundle::subject::{Subject, folder};
use crate::bundle::{self, Source};
use crate::config::Config;
use crate::facts::Facts;
use crate::upload::target::{Target, about_readers};
use crate::upload::{self, Action, Uploader};

/// Writes the files of the report, and uploads them.
pub(crate) async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    match folder(config, job, &report.body.facts.period) {
        Some(folder) if job.dry_run => {
            report.head.notes.push(format!("dry run: nothing was written into {}", folder.path.display()));
        }
        Some(folder) => write_files(config, job, folder.path, report).await?,
        None => {}
    }
    if let Some(target) = report.body.target.take() {
        deliver(config, job, target, report).await?;
    }
    Ok(())
}

async fn write_files(config: &Config, job: &Job, folder: PathBuf, report: &mut Report) -> anyhow::Result<()> {
    let job_runner::Report { head, body, .. } = &mut *report;
    let Body { facts, decisions, filter, .. } = body;
    let folder = Bundle::open(&folder, &Subject::of(config, job, &facts.period))?;
    let source = Source {
        facts,
        decisions,
        filter,
        coverage: &head.coverage,
        program: &head.program,
        portal: &head.portal,
        naming: &head.naming,
        query: job.naming.json(bundle::query(config, &facts.own, filter)),
    };
    match bundle::write(job, &source, folder).await {
        Ok(Some(written)) => body.report = Some(written),
        Ok(None) if head.coverage.verdict() == Verdict::Complete => {
            let kept = "the report of this time that is there already was kept, because it counts more events and logins than \
                        this run, which believed that it had seen everything: the portal or something in between has left some \
                        out. Look at both, and move the old report away if the new one is to be written";
            head.notes.push(kept.to_owned());
            head.coverage.gap("audit", job.window, GapReason::UnstablePaging);
        }
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
    let label = report.body.facts.period.label();
    let held = |state, why: &str| -> Vec<Action> {
        let uploads = upload::uploads(&written.files, &written.manifest, &label, u64::MAX);
        uploads.iter().map(|upload| upload.action(state, why)).collect()
    };
    let actions = match (held_back(config, job, &target, &written, report.coverage()).await, &job.store) {
        (Err(error), _) => held(ActionState::Held, &format!("what is there already could not be seen: {error}")),
        (Ok(Some(why)), _) => held(ActionState::Held, &why),
        (Ok(None), Err(refusal)) => held(ActionState::Held, &refusal.to_string()),
        (Ok(None), Ok(store)) => match Uploader::new(job, store, &target, &written.folder, config.on_collision).await {
            Ok(uploader) => uploader.apply_all(&written.files, &written.manifest, &label).await,
            Err(error) => held(ActionState::Failed, &format!("{error:#}")),
        },
    };
    report.body.report = Some(written);
    if !actions.iter().all(upload::is_there) {
        missing(report);
    }
    report.body.actions = actions;
    Ok(())
}

/// Why a report is not for others yet.
async fn held_back(
    config: &Config,
    job: &Job,
    target: &Target,
    written: &Written,
    coverage: &Coverage,
) -> Result<Option<String>, docspace_client::Error> {
    if let Err(refusal @ Refusal::Clock { .. }) = &job.store {
        return Ok(Some(refusal.to_string()));
    }
    if let Some(why) = upload::why_held(coverage, config.upload_incomplete) {
        return Ok(Some(why));
    }
    let ours = &written.content;
    let there = upload::manifests_there(&job.client, target, &ours.period.label).await?;
    let is_about_this =
        |there: &&Manifest| there.period == ours.period && there.portal.get("url") == ours.portal.get("url");
    let better = there.iter().filter(is_about_this).any(|there| there.saw_more_than(coverage.verdict(), &ours.counts));
    Ok(better.then(|| "the report of this time that is there already saw more".to_owned()))
}

/// People whom the report names: neither the portal itself, nor whoever comes by a link, nor service accounts.
fn named(facts: &Facts) -> BTreeSet<Uuid> {
    let people = facts.summary.people.keys().filter(|actor| actor.is_person()).map(|actor| actor.id);
    let people = people.chain(facts.logins.users.keys().copied().filter(|id| !is_robot(*id)));
    people.filter(|id| !facts.own.contains(id)).collect()
}
