//! What the program asks: changes, who made them, and what else points to an attack.

use std::collections::BTreeSet;

use audit_model::{Finding, Window};
use event_archive::{LateRow, Look, LookUps};
use job_runner::Job;
use uuid::Uuid;

use crate::assessment::{Assessment, Corroboration, assess};
use crate::changes::{Answers, feed};
use crate::config::Config;
use crate::names::Names;
use crate::rule::{Detector, Incident};
use crate::signs::NameSigns;
use crate::{people, signs};

/// What was found out about everybody who changed many documents.
pub(crate) struct Facts {
    /// Most severe first, then by person and time.
    pub(crate) incidents: Vec<Assessed>,
    /// Accounts that are a directory's.
    pub(crate) directory: BTreeSet<Uuid>,
}

/// Reads the audit trail, and whatever the incidents in it leave open.
pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let late = look.audit().await?;
    let mut incidents = detect(config, job, &late, look).await?;
    let directory = people::identify(&mut incidents, job, look).await;
    let incidents = corroborate(incidents, job, look).await?;
    Ok(Facts { incidents, directory })
}

/// Incidents of the window, and those that rows which the portal stored only after their time had been judged are part of.
async fn detect(config: &Config, job: &Job, late: &[LateRow], look: &mut Look) -> anyhow::Result<Vec<Incident>> {
    let reach = config.limits.longest();
    // what has left the window may still belong to what is in it
    let since = late.iter().map(|row| row.at).chain([job.judged_from]).min().unwrap_or(job.judged_from) - reach;
    let window = Window::new(since, job.window.until);
    let answers = Answers::ask(job, window, config.folder_weight, look).await?;
    let mut detectors = [Detector::new(&config.limits)];
    feed(&job.archive, window, &answers, &mut detectors).await?;
    let mut incidents: Vec<Incident> = detectors.into_iter().flat_map(Detector::finish).collect();
    let is_late = |finding: &Finding| late.iter().any(|row| finding.window.contains(row.at));
    incidents.retain(|one| one.finding.window.until > job.judged_from || is_late(&one.finding));
    Ok(incidents)
}

/// An incident with what else was found out about it.
pub(crate) struct Assessed {
    pub(crate) incident: Incident,
    pub(crate) signs: Vec<Corroboration>,
    /// What could not be looked up.
    pub(crate) unknown: Vec<String>,
    pub(crate) assessment: Assessment,
}

/// Looks for what else points to an attack. Most severe first, then by person and time.
async fn corroborate(incidents: Vec<Incident>, job: &Job, look: &mut Look) -> anyhow::Result<Vec<Assessed>> {
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    let zone = job.portal.time_zone;
    let stories = signs::stories(job, &incidents, zone).await?;
    let findings: Vec<&Finding> = incidents.iter().map(|incident| &incident.finding).collect();
    let countries = signs::countries(job, &findings, look).await?;
    let known = Names::built_in();
    let mut look_ups = LookUps::of("files", "hidden_files", usize::MAX, job.now);
    let mut assessed = Vec::new();
    for (incident, story) in incidents.into_iter().zip(stories) {
        let NameSigns { mut signs, unknown: names_unknown, may_be_more } =
            signs::names(job, incident.finding.window, &story, &known, &mut look_ups).await?;
        let person = incident.finding.person.id;
        signs.extend(countries.signs.get(&person).cloned());
        signs.extend(story.signs(incident.finding.window.since, zone));
        let country_unknown = countries.unknown.get(&person).cloned();
        let unknown = names_unknown.into_iter().chain(country_unknown).chain(story.habits.unknown()).collect();
        let assessment = assess(&incident.exceeded, &signs, may_be_more);
        assessed.push(Assessed { incident, signs, unknown, assessment });
    }
    look.finish(look_ups);
    assessed.sort_by_key(|one| {
        let finding = &one.incident.finding;
        (std::cmp::Reverse(one.assessment.severity), finding.person.id, finding.window.since)
    });
    Ok(assessed)
}
