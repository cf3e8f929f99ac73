//! Whom a plan would suspend, and whom not.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use job_runner::{Error, Found, Job};
use safe_actions::{Candidate, Hold, Load, Plan, plan};
use uuid::Uuid;

use crate::body::{Report, ShownAction};
use crate::config::Config;
use crate::people;
use crate::rule::Assessed;
use crate::suspend::propose::{is_asked_for, is_sure};

/// What was last done so long ago is no reason to act any more.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Whom a plan would be about, what goes on first, then the worst. `directory` is whose account is a directory's, `decided` whom somebody has
/// switched on or off lately.
pub(crate) fn candidates(
    assessed: &[Assessed],
    config: &Config,
    (directory, decided): (&BTreeSet<Uuid>, &BTreeSet<Uuid>),
    now: DateTime<Utc>,
) -> Vec<Candidate> {
    let candidate = |one: &Assessed| {
        let finding = &one.incident.finding;
        let is_old = one.extent.last.is_none_or(|last| now - last > FRESH);
        let is_decided = decided.contains(&finding.person.id);
        Some(Candidate {
            person: finding.person.clone(),
            is_ldap: directory.contains(&finding.person.id),
            reason: one.assessment.acts_because.as_ref()?.to_string(),
            fingerprint: finding.fingerprint.clone(),
            hold: is_decided
                .then_some(Hold::Decided)
                .or(is_old.then_some(Hold::TooOld))
                .or((!is_asked_for(one, config)).then_some(Hold::KindOff))
                .or((!is_sure(one, config)).then_some(Hold::Doubtful)),
        })
    };
    let mut candidates: Vec<Candidate> = assessed.iter().filter_map(candidate).collect();
    candidates.sort_by_key(|candidate| candidate.hold.is_some());
    candidates
}

/// Whom it would suspend, and whom not. Without what was planned before nobody is: that is how many others were suspended in the last 24
/// hours (`asked`), or else how many were planned, which it remembers. The second is whether that could be told, and remembered, and
/// whether the settings protect whom they mean.
pub(crate) async fn made(
    config: &Config,
    job: &Job,
    asked: Option<u64>,
    candidates: &[Candidate],
) -> (Plan, anyhow::Result<()>) {
    if candidates.is_empty() {
        return (Plan::default(), Ok(()));
    }
    let limited = config.look_up_limit().map(|limit| job.client.until(Instant::now() + limit));
    let people::Known { mut protection, active_people, misnamed, ambiguous, .. } =
        people::known(config, limited.as_ref().unwrap_or(&job.client), &job.service_accounts).await;
    // those whose time is over count as planned before
    let ids = candidates.iter().filter(|one| one.hold.is_none()).map(|one| one.person.id).collect();
    let load = match asked {
        Some(asked) => Ok(Some(asked)),
        None => people::load(job, &ids).await,
    };
    if load.as_ref().is_ok_and(Option::is_none) || load.is_err() {
        protection.unread = Some("what was planned before".to_owned());
    }
    let unclear = if config.is_enforcing() { ambiguous } else { Vec::new() };
    if let Some((_, said)) = unclear.first() {
        protection.unread.get_or_insert_with(|| said.clone());
    }
    let earlier_today = load.as_ref().ok().copied().flatten().unwrap_or_default();
    let plan = plan(candidates, &protection, config.breaker, Load { active_people, earlier_today });
    let ended = async {
        load.map_err(with_remedy)?;
        if asked.is_none() {
            people::remember(job, &plan).await.map_err(with_remedy)?;
        }
        // whoever wrote it has to hear of it before the day on which it matters, and this is that day
        for (wrong, what) in [(misnamed, "protects nobody as it stands"), (unclear, "is not clear")] {
            if let Some((key, _)) = wrong.first() {
                let said: Vec<&str> = wrong.iter().map(|(_, said)| said.as_str()).collect();
                return Err(Error::setting(key, format!("{what}: {}", said.join("; "))).into());
            }
        }
        Ok(())
    };
    let ended = ended.await;
    (plan, ended)
}

/// Says whom it would suspend, and whom not.
pub(crate) async fn plan_for(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    if report.body.candidates.is_empty() {
        return Ok(());
    }
    let (plan, ended) = made(config, job, None, &report.body.candidates).await;
    if let (Err(refusal), false) = (&job.store, job.dry_run) {
        report.head.notes.push(format!("nobody would be suspended: {refusal}"));
    }
    planned(report, plan);
    ended
}

/// A table that is missing or damaged does not come back by itself. Other failures of the store say what to do.
fn with_remedy(failure: anyhow::Error) -> anyhow::Error {
    let is_damage =
        matches!(failure.downcast_ref(), Some(job_store::Error::Database { .. } | job_store::Error::Corrupt { .. }));
    if !is_damage {
        return failure;
    }
    let what = "nobody would be suspended, because the store cannot tell what was planned before";
    failure.context(format!("{what}; repair it, or move it away to start with an empty one"))
}

/// Takes in what would be done, or was. It stands among the reasons of the findings behind it, so that alerts carry it too.
pub(crate) fn planned(report: &mut Report, plan: Plan) {
    let has_acted = report.body.has_acted;
    for Found { finding, detail } in report.findings.iter_mut().filter(|found| found.detail.may_act) {
        let mut own = plan.actions.iter().filter(|action| action.person.id == finding.person.id);
        detail.planned(own.next().map(ShownAction::from), has_acted);
        detail.breaker = plan.trip;
        finding.reasons.extend(detail.action.as_ref().map(|action| action.sentence(has_acted)));
    }
    report.is_held = plan.is_stopped();
    report.body.plan = plan;
}
