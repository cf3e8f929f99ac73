//! Whom a plan would suspend, and whom not.

use chrono::TimeDelta;
use job_runner::{Error, Found, Job};
use safe_actions::{Action, ActionState, Candidate, Hold, Load, Plan, plan};

use crate::body::Report;
use crate::config::Config;
use crate::gather::{Assessed, Facts};
use crate::people;

/// What was last done so long ago is no reason to act any more.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Whom a plan would be about, what goes on first, then the worst.
pub(crate) fn candidates(facts: &Facts) -> Vec<Candidate> {
    let candidate = |one: &Assessed| {
        let finding = &one.incident.finding;
        let is_old = one.extent.last.is_none_or(|last| facts.now - last > FRESH);
        let is_decided = facts.decided.contains(&finding.person.id);
        Some(Candidate {
            person: finding.person.clone(),
            is_ldap: facts.directory.contains(&finding.person.id),
            reason: one.assessment.acts_because.clone()?,
            fingerprint: finding.fingerprint.clone(),
            hold: is_decided.then_some(Hold::Decided).or(is_old.then_some(Hold::TooOld)),
        })
    };
    let mut candidates: Vec<Candidate> = facts.incidents.iter().filter_map(candidate).collect();
    candidates.sort_by_key(|candidate| candidate.hold.is_some());
    candidates
}

/// Says whom it would suspend, and whom not. Without what was planned before nobody is.
pub(crate) async fn plan_for(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    let candidates = &report.body.candidates;
    if candidates.is_empty() {
        return Ok(());
    }
    // whose key it is may have changed since yesterday, and so may what that account may do
    let me = job.client.identity().await.ok().map(|me| (me.person.id, me.is_owner));
    let people::Known { mut protection, active_people, misnamed } =
        people::known(config, &job.client, me, &job.service_accounts).await;
    if me.is_none() {
        protection.unread = Some("the account of the key could not be read".to_owned());
    }
    // those whose time is over count as planned before
    let ids = candidates.iter().filter(|one| one.hold.is_none()).map(|one| one.person.id).collect();
    let load = people::load(job, &ids).await;
    if load.as_ref().is_ok_and(Option::is_none) || load.is_err() {
        protection.unread = Some("what was planned before".to_owned());
    }
    let earlier_today = load.as_ref().ok().copied().flatten().unwrap_or_default();
    let plan = plan(candidates, &protection, config.breaker, Load { active_people, earlier_today });
    if let (Err(refusal), false) = (&job.store, job.dry_run) {
        report.head.notes.push(format!("nobody would be suspended: {refusal}"));
    }
    planned(report, plan);
    load.map_err(with_remedy)?;
    people::remember(job, &report.body.plan).await.map_err(with_remedy)?;
    // whoever wrote it has to hear of it before the day on which it matters, and this is that day
    match misnamed.split_first() {
        None => Ok(()),
        Some(((key, _), _)) => {
            let said: Vec<&str> = misnamed.iter().map(|(_, said)| said.as_str()).collect();
            Err(Error::setting(key, format!("protects nobody as it stands: {}", said.join("; "))).into())
        }
    }
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

/// Takes in what would be done. It stands among the reasons of the findings behind it, so that alerts carry it too.
fn planned(report: &mut Report, plan: Plan) {
    for Found { finding, .. } in report.findings.iter_mut().filter(|found| found.detail.may_act) {
        let own = plan.actions.iter().filter(|action| action.person.id == finding.person.id);
        finding.reasons.extend(own.map(action_words));
    }
    report.is_held = plan.is_stopped();
    report.body.plan = plan;
}

/// What a plan says of one person, as a sentence without a full stop.
fn action_words(action: &Action) -> String {
    match (&action.state, &action.held) {
        (ActionState::Already, _) => "the account is already disabled".to_owned(),
        (_, Some(hold)) => format!("would not be suspended: {}", hold.words()),
        (_, None) => "would be suspended by a version that acts".to_owned(),
    }
}
