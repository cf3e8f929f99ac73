//! The job: refresh, detect, corroborate, plan.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use alerting::Alert;
use audit_model::{BlindSpot, Coverage, Finding, GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_archive::{LateRow, LookUps};
use job_runner::args::{FlagSetting, ReportFormat};
use job_runner::exit::Exit;
use job_runner::names::NamedList;
use job_runner::{Check, Conclusion, Head, Job, Program, Reached, Setup, Tellable};
use safe_actions::{Candidate, Load, plan};
use tracing::warn;
use uuid::Uuid;

use crate::changes::{Answers, feed};
use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::judgement::{Corroboration, Judgement, judge};
use crate::names::Names;
use crate::outcome::{Detail, Outcome, ShownLimit};
use crate::rule::{Detector, Exceeded, Incident};
use crate::signs::NameSigns;
use crate::{backtest, checks, explain, people, report, serve, signs};

/// What no portal records of changes, however complete the read is.
const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::FilesInFolderOperations, BlindSpot::StreamDownloads];

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    let Some(portal) = job.portal.as_ref().filter(|portal| portal.audit_filter_works) else {
        let coverage = Coverage::unseen("audit", job.window, GapReason::AuditFeatureMissing);
        return Ok(BulkGuard::unseen(config, job, coverage));
    };
    let refreshed = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    let mut coverage = Coverage { blind_spots: BLIND_SPOTS.to_vec(), audit: refreshed.coverage, ..Coverage::default() };
    coverage.add_gaps(refreshed.gaps);
    let mut incidents = detect(config, job, &refreshed.late, &mut coverage).await?;
    let directory = people::identify(&mut incidents, job, &mut coverage).await?;
    let judged = corroborate(incidents, job, portal.time_zone, &mut coverage).await?;
    let candidates = candidates(&judged, &directory);
    Ok(Outcome { candidates, ..Outcome::new(job, coverage, judged.into_iter().map(told).collect()) })
}

/// Incidents of the window, and those that rows which the portal stored only after their time had been judged are part of.
async fn detect(
    config: &Config,
    job: &Job,
    late: &[LateRow],
    coverage: &mut Coverage,
) -> anyhow::Result<Vec<Incident>> {
    let reach = config.limits.longest();
    // what has left the window may still belong to what is in it
    let since = late.iter().map(|row| row.at).chain([job.window.since]).min().unwrap_or(job.window.since) - reach;
    let window = Window::new(since, job.window.until);
    let answers = Answers::ask(job, window, config.folder_weight, coverage).await?;
    let mut detectors = [Detector::new(&config.limits)];
    feed(&job.archive, window, &answers, &mut detectors).await?;
    let mut incidents: Vec<Incident> = detectors.into_iter().flat_map(Detector::finish).collect();
    let is_late = |finding: &Finding| late.iter().any(|row| finding.window.contains(row.at));
    incidents.retain(|one| one.finding.window.until > job.window.since || is_late(&one.finding));
    Ok(incidents)
}

/// An incident with what else was found out about it.
struct Judged {
    incident: Incident,
    signs: Vec<Corroboration>,
    /// What could not be judged.
    unknown: Vec<String>,
    judgement: Judgement,
}

/// Looks for what else points to an attack. Most severe first, then by person and time.
async fn corroborate(
    incidents: Vec<Incident>,
    job: &Job,
    zone: Tz,
    coverage: &mut Coverage,
) -> anyhow::Result<Vec<Judged>> {
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    let stories = signs::stories(job, &incidents, zone).await?;
    let findings: Vec<&Finding> = incidents.iter().map(|incident| &incident.finding).collect();
    let countries = signs::countries(job, &findings, coverage).await?;
    let known = Names::built_in();
    let mut look_ups = LookUps::of("files", "hidden_files", usize::MAX, job.now);
    let mut judged = Vec::new();
    for (incident, story) in incidents.into_iter().zip(stories) {
        let NameSigns { mut signs, unknown: names_unknown, may_be_more } =
            signs::names(job, incident.finding.window, &story, &known, &mut look_ups).await?;
        signs.extend(countries.get(&incident.finding.person.id).cloned());
        signs.extend(story.signs(incident.finding.window.since, zone));
        let unknown = names_unknown.into_iter().chain(story.habits.unknown()).collect();
        let judgement = judge(&incident.exceeded, &signs, may_be_more);
        judged.push(Judged { incident, signs, unknown, judgement });
    }
    job.note(look_ups, coverage);
    judged.sort_by_key(|one| {
        let finding = &one.incident.finding;
        (std::cmp::Reverse(one.judgement.severity), finding.person.id, finding.window.since)
    });
    Ok(judged)
}

/// Whom a plan would be about.
fn candidates(judged: &[Judged], directory: &BTreeSet<Uuid>) -> Vec<Candidate> {
    judged
        .iter()
        .filter_map(|one| {
            let finding = &one.incident.finding;
            Some(Candidate {
                person: finding.person.clone(),
                is_ldap: directory.contains(&finding.person.id),
                reason: one.judgement.acts_because.clone()?,
                fingerprint: finding.fingerprint.clone(),
            })
        })
        .collect()
}

/// Says whom it would suspend, and whom not. Without what was planned before nobody is.
async fn plan_for(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    if outcome.candidates.is_empty() {
        return Ok(());
    }
    let me = job.portal.as_ref().map(|portal| (portal.me.person.id, portal.me.is_owner));
    let people::Known { mut protection, active_people, .. } =
        people::known(config, &job.client, me, &job.service_accounts).await;
    let ids = outcome.candidates.iter().map(|candidate| candidate.person.id).collect();
    let load = people::load(job, &ids).await;
    if load.as_ref().is_ok_and(Option::is_none) || load.is_err() {
        protection.unread = Some("what was planned before".to_owned());
    }
    if let (Err(refusal), false) = (&job.store, job.dry_run) {
        outcome.head.notes.push(format!("nobody would be suspended: {refusal}"));
    }
    let earlier_today = load.as_ref().ok().copied().flatten().unwrap_or_default();
    let plan = plan(&outcome.candidates, &protection, config.breaker, Load { active_people, earlier_today });
    outcome.planned(plan);
    load?;
    people::remember(job, &outcome.plan).await
}

/// The finding as it is told: what it was judged by stands among its reasons, so that alerts carry it too.
fn told(one: Judged) -> (Finding, Detail) {
    let Judged { incident: Incident { mut finding, exceeded }, signs, unknown, judgement } = one;
    finding.severity = judgement.severity;
    finding.reasons.extend(signs.iter().map(|sign| sign.evidence.clone()));
    finding.reasons.extend(unknown);
    let shown = |one: &Exceeded| ShownLimit {
        kind: one.kind,
        threshold: one.limit,
        documents: one.documents,
        at_least: one.at_least,
    };
    let detail = Detail {
        user_id: finding.person.id,
        file_count: finding.counts.documents,
        exceeded: exceeded.iter().map(shown).collect(),
        corroboration: signs,
        may_act: judgement.acts_because.is_some(),
    };
    (finding, detail)
}

/// This program, as the runner sees it.
pub(crate) struct BulkGuard;

impl Program for BulkGuard {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const WINDOW: TimeDelta = TimeDelta::hours(1);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Outcome;

    const JUDGED_BY: &'static [&'static str] = &["audit", "logins", "folders", "destinations"];

    fn reach(config: &Config) -> TimeDelta {
        Self::WINDOW.max(config.limits.longest())
    }

    fn named(config: &Config, _now: DateTime<Utc>) -> Vec<NamedList> {
        people::protecting(config)
    }

    fn flags(_cli: &Cli) -> Vec<FlagSetting> {
        Vec::new()
    }

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    async fn act(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
        plan_for(config, job, outcome).await
    }

    fn unseen(_config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        Outcome::new(job, coverage, Vec::new())
    }

    fn head(outcome: &mut Outcome) -> &mut Head {
        &mut outcome.head
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion {
            coverage: &outcome.head.coverage,
            findings: &outcome.findings,
            suppressed: outcome.suppressed,
            held: outcome.plan.is_stopped(),
        }
    }

    fn tellable(outcome: &mut Outcome) -> Option<Tellable<'_>> {
        Some(outcome.tellable())
    }

    fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        report::render(outcome, format, out)
    }

    fn alerts(outcome: &Outcome) -> Vec<Alert> {
        outcome.head.alerts(&outcome.findings)
    }

    fn secret_files(config: &Config) -> Vec<(&'static str, &Path)> {
        config.serve.token_file.iter().map(|path| ("the token in", path.as_path())).collect()
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        checks::checks(config, reached).await
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Self>) -> anyhow::Result<Exit> {
        match &cli.command {
            Some(Command::Explain { person }) => explain::run(person, setup).await,
            Some(Command::Backtest { limits }) => backtest::run(limits, setup).await,
            Some(Command::Serve { listen, behind_tls_proxy }) => serve::run(*listen, *behind_tls_proxy, setup).await,
            Some(Command::Common(_)) | None => anyhow::bail!("the runner does this itself"),
        }
    }
}
