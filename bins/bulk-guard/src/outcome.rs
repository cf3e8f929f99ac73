//! What a run found and planned, as a value: the JSON report, and the source of the text report and of the alerts.

use audit_model::{Coverage, Finding};
use job_runner::{Head, Job, Tellable};
use safe_actions::{Action, Candidate, Plan, Trip};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Limit;
use crate::judgement::Corroboration;
use crate::kind::Kind;
use crate::people::NOT_STOPPED;
use crate::report::action_words;

/// Version of the JSON report; a change that breaks readers raises it.
const REPORT_VERSION: u32 = 1;

/// One run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) head: Head,
    /// Most severe first, then by person, then time.
    pub(crate) findings: Vec<Finding>,
    /// Parallel to `findings`.
    pub(crate) details: Vec<Detail>,
    /// Whom a plan would be about, the worst first.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) plan: Plan,
    pub(crate) suppressed: u64,
}

/// What this program says of a finding besides what all programs say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Detail {
    /// Published names.
    pub(crate) user_id: Uuid,
    pub(crate) file_count: u64,
    pub(crate) exceeded: Vec<ShownLimit>,
    pub(crate) corroboration: Vec<Corroboration>,
    /// Whether a plan may act on it.
    pub(crate) may_act: bool,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownLimit {
    /// Absent: the published rule, which counts all kinds of change together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    pub(crate) threshold: Limit,
    pub(crate) documents: u64,
    /// Whether there may be more.
    pub(crate) at_least: bool,
}

/// The JSON form.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    #[serde(flatten)]
    head: &'a Head,
    findings: Vec<Shown<'a>>,
    actions: &'a [Action],
    /// Why nobody may be touched; absent when the plan as a whole is not held.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<Trip>,
    suspension_leaves: [&'static str; 3],
    suppressed: u64,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    #[serde(flatten)]
    detail: &'a Detail,
}

impl Outcome {
    pub(crate) fn new(job: &Job, coverage: Coverage, findings: Vec<(Finding, Detail)>) -> Self {
        let (findings, details) = findings.into_iter().unzip();
        let head = Head::new(job, REPORT_VERSION, coverage);
        Outcome { head, findings, details, candidates: Vec::new(), plan: Plan::default(), suppressed: 0 }
    }

    /// Takes in what would be done. It stands among the reasons of the findings behind it, so that alerts carry it too.
    pub(crate) fn planned(&mut self, plan: Plan) {
        for (finding, _) in self.findings.iter_mut().zip(&self.details).filter(|(_, detail)| detail.may_act) {
            let own = plan.actions.iter().filter(|action| action.person.id == finding.person.id);
            finding.reasons.extend(own.map(action_words));
        }
        self.plan = plan;
    }

    pub(crate) fn report(&self) -> Report<'_> {
        let shown = self.findings.iter().zip(&self.details).map(|(finding, detail)| Shown { finding, detail });
        Report {
            head: &self.head,
            findings: shown.collect(),
            actions: &self.plan.actions,
            breaker: self.plan.trip,
            suspension_leaves: NOT_STOPPED,
            suppressed: self.suppressed,
        }
    }

    /// What depends on what people know already.
    pub(crate) fn tellable(&mut self) -> Tellable<'_> {
        Tellable { findings: &mut self.findings, suppressed: &mut self.suppressed, notes: &mut self.head.notes }
    }
}
