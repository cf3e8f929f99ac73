//! From what was found to what somebody may be suspended for. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Config;
use crate::rule::Assessed;
use crate::rule::assessment::{self, Sign, acts_by};
use crate::rule::incident::Who;
use crate::suspend::entry::{Incident, Mark};
use crate::suspend::evidence::needs_decision;

/// The portal writes rows down with a delay of seconds, so some of those that a run finds late are of a moment ago. Older ones say that
/// nobody knows what else is still to come.
const USUAL_DELAY: TimeDelta = TimeDelta::minutes(2);

/// Which of them the settings let somebody be suspended for. `late` is when rows happened that runs should have seen before, `now` the
/// end of what was looked at.
pub(crate) fn proposals(
    assessed: &[Assessed],
    config: &Config,
    late: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> Vec<Incident> {
    let late: Vec<DateTime<Utc>> = late.iter().copied().filter(|at| now - *at > USUAL_DELAY).collect();
    assessed.iter().filter(|one| is_asked_for(one, config)).filter_map(|one| incident(one, config, &late)).collect()
}

/// Whether `suspend.kinds` names what was done; without any, all of it.
pub(crate) fn is_asked_for(one: &Assessed, config: &Config) -> bool {
    let kinds = config.suspend.kinds();
    let is_named = || acts_by(&one.incident.exceeded, &one.signs).iter().any(|kind| kinds.contains(kind));
    kinds.is_empty() && !config.is_enforcing() || is_named()
}

/// Whether what was seen is enough for the settings: they may ask for two weak signs.
pub(crate) fn is_sure(one: &Assessed, config: &Config) -> bool {
    config.suspend.on_weak_signs || assessment::is_sure(&one.incident.exceeded, &one.signs)
}

fn incident(one: &Assessed, config: &Config, late: &[DateTime<Utc>]) -> Option<Incident> {
    let reason = one.assessment.acts_because.clone().filter(|_| is_sure(one, config))?;
    let Who::Person(person) = one.incident.who else { return None };
    let finding = &one.incident.finding;
    let mark = |evidence: &audit_model::Evidence| Mark { event: evidence.event, at: evidence.at };
    let (first, last) = (finding.evidence.first().map(mark)?, finding.evidence.last().map(mark)?);
    let kind = acts_by(&one.incident.exceeded, &one.signs).first().copied()?;
    let is_leaver = finding.person.is_meant_by_one_of(&config.suspend.leavers);
    let strong = one.signs.iter().filter(|sign| sign.kind.is_strong());
    Some(Incident {
        id: format!("{person}-{}", first.event),
        person,
        name: finding.person.name.raw().to_owned(),
        fingerprint: finding.fingerprint.clone(),
        matter: finding.matter.clone(),
        reason,
        class: kind.participle().to_owned(),
        documents: finding.counts.documents,
        strong: strong.map(|sign| sign.evidence.to_string()).collect(),
        is_ransomware: one.signs.iter().any(|sign| sign.kind == Sign::Ransomware),
        needs_decision: needs_decision(&one.incident.exceeded, &one.signs, is_leaver),
        first,
        last,
        is_late: late.iter().any(|at| (first.at..=last.at).contains(at)),
        links: Vec::new(),
    })
}
