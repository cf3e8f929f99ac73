//! What the report says besides what all reports say.

use job_runner::Found;
use safe_actions::{Action, Candidate, Plan, Trip};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::assessment::Corroboration;
use crate::config::Limit;
use crate::gather::Assessed;
use crate::kind::Kind;
use crate::people::NOT_STOPPED;
use crate::rule::{Exceeded, Incident};

/// The report of this program.
pub(crate) type Report = job_runner::Report<Detail, Body>;

/// Whom a plan would be about, and the plan.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The worst first.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) plan: Plan,
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Plan { actions, trip } = &self.plan;
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry::<_, Vec<Action>>("actions", actions)?;
        // why nobody may be touched; absent when the plan as a whole is not held
        if let Some(trip) = trip {
            members.serialize_entry::<_, Trip>("breaker", trip)?;
        }
        members.serialize_entry("suspension_leaves", &NOT_STOPPED)?;
        members.end()
    }
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

/// The finding as it is told: what it was judged by stands among its reasons, so that alerts carry it too.
pub(crate) fn told(one: Assessed) -> Found<Detail> {
    let Assessed { incident: Incident { mut finding, exceeded }, signs, unknown, assessment } = one;
    finding.severity = assessment.severity;
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
        may_act: assessment.acts_because.is_some(),
    };
    Found { finding, detail }
}
