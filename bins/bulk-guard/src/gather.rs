//! What the program asks: changes, who made them, and what else points to an attack.

use std::collections::BTreeSet;

use audit_model::{Finding, GapReason, Rooms, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Look, LookUps, Unjudged};
use job_runner::Job;
use uuid::Uuid;

use crate::assessment::{Assessment, Corroboration, assess};
use crate::changes::{Answers, feed};
use crate::config::Config;
use crate::extent::{Extent, names_of};
use crate::names::Names;
use crate::people::{self, Accounts};
use crate::rule::{Detector, Incident, Who};
use crate::signs::{self, NameSigns};

/// So long a decision of somebody about an account stands.
const DECIDED_FOR: TimeDelta = TimeDelta::hours(24);

/// What was found out about everybody who changed many documents.
pub(crate) struct Facts {
    /// Most severe first, then by person and time.
    pub(crate) incidents: Vec<Assessed>,
    /// Accounts that are a directory's.
    pub(crate) directory: BTreeSet<Uuid>,
    /// Whom somebody has switched on or off lately.
    pub(crate) decided: BTreeSet<Uuid>,
    pub(crate) now: DateTime<Utc>,
}

/// Reads the audit trail, and whatever the incidents in it leave open.
pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let unjudged = look.detailed_audit().await?;
    attribution::keep_inventory(look).await?;
    let found = detect(config, job, &unjudged, look).await?;
    let ids = found.iter().flat_map(|(incident, extent)| ids_of(incident, extent)).collect();
    let accounts = Accounts::look_up(&ids, job, look).await;
    let found = identified(config, found, &accounts);
    let decided = if found.is_empty() { BTreeSet::new() } else { people::decided(job, job.now - DECIDED_FOR).await? };
    let incidents = corroborate(found, job, look).await?;
    Ok(Facts { incidents, directory: accounts.of_directory(), decided, now: job.now })
}

/// Everybody whom an incident is about.
fn ids_of(incident: &Incident, extent: &Extent) -> Vec<Uuid> {
    match incident.who {
        Who::Person(id) => vec![id],
        Who::Room(_) => extent.people().into_iter().map(|(id, ..)| id).collect(),
        Who::Visitors(_) => Vec::new(),
    }
}

/// Incidents of the window, and those that rows which the portal stored only after their time had been judged are part of, each with all
/// that is known of it.
async fn detect(
    config: &Config,
    job: &Job,
    unjudged: &Unjudged,
    look: &mut Look,
) -> anyhow::Result<Vec<(Incident, Extent)>> {
    let reach = config.limits.longest();
    let earliest = unjudged.window(TimeDelta::zero()).since;
    // what has left the window may still belong to what is in it
    let window = Window::new(earliest - reach, job.window.until);
    let answers = Answers::ask(job, (window, earliest), config.folder_weight, look).await?;
    let mut detector = Detector::new(&config.limits);
    feed(&job.archive, window, &answers, |change| detector.push(change)).await?;
    let mut incidents = detector.finish();
    incidents.retain(|one| unjudged.concerns(&one.finding.window));
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    if incidents.iter().filter_map(|incident| incident.last_uncountable).any(|at| at >= earliest) {
        // a folder that nobody can weigh is never an all-clear
        let known = look.coverage().gaps.iter().any(|gap| gap.what.ends_with("folders"));
        if !known {
            look.gap("hidden_folders", job.window, GapReason::NotThere);
        }
    }
    let rooms: Rooms = job.archive.rooms(window).await?;
    let mut extents: Vec<Extent> = incidents.iter().map(|_| Extent::default()).collect();
    feed(&job.archive, window, &answers, |change| {
        let own = incidents.iter().zip(&mut extents).filter(|(incident, _)| incident.includes(change));
        own.for_each(|(_, extent)| extent.add(change, &rooms));
    })
    .await?;
    for (incident, extent) in incidents.iter_mut().zip(&mut extents) {
        if let Who::Person(id) = incident.who {
            extent.has_emptied = answers.has_emptied(id, incident.finding.window.since);
        }
        extent.complete(incident);
    }
    Ok(incidents.into_iter().zip(extents).collect())
}

/// Says who everybody is. What robots did is dropped, and what several people of a room did where each of them is told already, or only one
/// is left.
fn identified(config: &Config, found: Vec<(Incident, Extent)>, accounts: &Accounts) -> Vec<(Incident, Extent)> {
    let own: Vec<(Uuid, Window)> = found
        .iter()
        .filter(|(incident, _)| matches!(incident.who, Who::Person(_)) && !incident.exceeded.is_empty())
        .map(|(incident, _)| (incident.finding.person.id, incident.finding.window))
        .collect();
    let mut left = Vec::new();
    for (mut incident, extent) in found {
        let window = incident.finding.window;
        match incident.who {
            Who::Person(id) if accounts.is_robot(id) => continue,
            Who::Person(id) => {
                if let Some(person) = accounts.person(id) {
                    incident.finding.person = person.clone();
                }
            }
            Who::Room(_) => {
                let is_told =
                    |id: Uuid| own.iter().any(|(one, when)| *one == id && !when.intersection(&window).is_empty());
                let others = extent.people().into_iter().filter(|(id, ..)| !accounts.is_robot(*id) && !is_told(*id));
                let others: Vec<_> = others.collect();
                let documents: u64 = others.iter().map(|(.., documents)| documents).sum();
                if others.len() < 2 || documents <= config.limits.room.documents {
                    continue;
                }
                let name = format!("{} people", others.len());
                incident.finding.person.name = name.as_str().into();
                incident.finding.reasons.insert(0, format!("{name} of one room together: {}", names_of(&others)));
            }
            Who::Visitors(_) => {}
        }
        left.push((incident, extent));
    }
    left
}

/// An incident with what else was found out about it.
pub(crate) struct Assessed {
    pub(crate) incident: Incident,
    pub(crate) extent: Extent,
    /// From where, and with which programs.
    pub(crate) from: Option<String>,
    pub(crate) signs: Vec<Corroboration>,
    /// What could not be looked up.
    pub(crate) unknown: Vec<String>,
    pub(crate) assessment: Assessment,
    /// End of the window that was looked at.
    pub(crate) looked_until: DateTime<Utc>,
}

/// Looks for what else points to an attack. Most severe first, then by person and time.
async fn corroborate(found: Vec<(Incident, Extent)>, job: &Job, look: &mut Look) -> anyhow::Result<Vec<Assessed>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let zone = job.portal.time_zone;
    let (incidents, extents): (Vec<Incident>, Vec<Extent>) = found.into_iter().unzip();
    let stories = signs::stories(job, &incidents, zone).await?;
    let of_people = incidents.iter().filter(|incident| matches!(incident.who, Who::Person(_)));
    let findings: Vec<&Finding> = of_people.map(|incident| &incident.finding).collect();
    let countries = signs::countries(job, &findings, look).await?;
    let known = Names::built_in();
    let mut look_ups = LookUps::of("files", "hidden_files", usize::MAX, job.now);
    let mut assessed = Vec::new();
    for ((incident, extent), story) in incidents.into_iter().zip(extents).zip(stories) {
        let window = incident.finding.window;
        let NameSigns { mut signs, unknown: names_unknown, may_be_more } =
            signs::names(job, window, &extent, &known, &mut look_ups).await?;
        let person = incident.finding.person.id;
        let mut unknown: Vec<String> = names_unknown.into_iter().collect();
        if matches!(incident.who, Who::Person(_)) {
            signs.extend(countries.signs.get(&person).cloned());
            signs.extend(story.signs(extent.rooms().len(), window.since, zone));
            signs.extend(signs::gone_for_good(&extent));
            unknown.extend(countries.unknown.get(&person).cloned());
            unknown.extend(story.habits.unknown());
        }
        let mut assessment = assess(&incident.exceeded, &signs, may_be_more);
        if countries.failed.contains(&person) {
            assessment.severity = assessment.severity.max(Severity::High);
        }
        if !matches!(incident.who, Who::Person(_)) {
            // nobody in particular can be planned
            assessment.acts_because = None;
        }
        let (from, looked_until) = (story.from(), job.window.until);
        assessed.push(Assessed { incident, extent, from, signs, unknown, assessment, looked_until });
    }
    look.finish(look_ups);
    assessed.sort_by_key(|one| {
        let finding = &one.incident.finding;
        (std::cmp::Reverse(one.assessment.severity), finding.person.id, finding.window.since)
    });
    Ok(assessed)
}
