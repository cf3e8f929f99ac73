//! What a rule found, in the form that reports and alerts share.

use std::borrow::Borrow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ActionId, Attributed, AuditEvent, Person, PortalText, RoomId, Sentence, Spoken, Window};

/// A finding carries at most this many sample events: enough to recognise what happened, short enough to read at night.
pub const MAX_EVIDENCE: usize = 10;

/// How urgent a finding is; `critical` must reach somebody or the run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The least urgent first.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word that JSON, pages and alerts have for it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// What people already know of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    New,
    Grown,
    Known,
    Silenced,
    /// People know it, and hear now that it is over.
    Ended,
}

impl FindingState {
    /// Whether people hear of it: when it is new, has grown, or is over.
    pub fn is_told(self) -> bool {
        matches!(self, FindingState::New | FindingState::Grown | FindingState::Ended)
    }
}

/// How a matter goes on, which decides when people hear of it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Course {
    /// It has a first and a last action: it grows, lasts, and is over some time after the last one.
    #[default]
    Burst,
    /// Something is so, for instance that somebody is inactive. It is new, and lasts; a window that slides over it changes nothing.
    Condition,
}

/// The room of a finding, and how surely its events belong there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRoom {
    /// Absent when several rooms had that title and nothing tells them apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RoomId>,
    /// The rooms it may be, when `id` is absent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub candidates: Vec<RoomId>,
    pub title: PortalText,
    /// The least sure way in which one of the events was tied to the room.
    pub attributed: Attributed,
}

/// Distinct acts, and the distinct documents they were done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub acts: u64,
    pub documents: u64,
}

/// One sample event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Id of the event in the portal's audit trail.
    pub event: i64,
    pub at: DateTime<Utc>,
    pub action: ActionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The portal's sentence about it, which names the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<PortalText>,
    /// The address the portal noted: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<PortalText>,
}

impl From<&AuditEvent> for Evidence {
    fn from(event: &AuditEvent) -> Self {
        Evidence {
            event: event.id,
            at: event.at,
            action: event.action,
            target: event.target.first().cloned(),
            title: event.text.clone(),
            ip: event.ip.clone(),
        }
    }
}

/// What a rule has to tell people about one person, or about the portal: who, where, how much, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub severity: Severity,
    pub state: FindingState,
    #[serde(skip)]
    pub course: Course,
    /// The same for the same rule, person and room, run after run.
    pub fingerprint: String,
    /// What people can call it by, as long as it is remembered. A rule leaves it out: only the memory knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matter: Option<String>,
    pub person: Person,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<FindingRoom>,
    pub counts: Counts,
    /// From the first to just after the last of the acts that were counted.
    pub window: Window,
    /// Why, in numbers; each a sentence for people.
    pub reasons: Vec<Sentence>,
    /// At most [`MAX_EVIDENCE`], by time, then id.
    pub evidence: Vec<Evidence>,
    pub evidence_total: u64,
}

impl Spoken for Finding {
    fn sentences(&mut self) -> Vec<&mut Sentence> {
        self.reasons.iter_mut().collect()
    }
}

impl Finding {
    /// A burst of medium severity, in no room, of which nothing was counted yet; a rule sets what it knows besides.
    pub fn new(rule: &str, fingerprint: String, person: Person, window: Window) -> Self {
        Finding {
            rule: rule.to_owned(),
            severity: Severity::Medium,
            state: FindingState::New,
            course: Course::Burst,
            fingerprint,
            matter: None,
            person,
            room: None,
            counts: Counts { acts: 0, documents: 0 },
            window,
            reasons: Vec::new(),
            evidence: Vec::new(),
            evidence_total: 0,
        }
    }

    /// Puts findings in the order of every report: most severe first, then person, then room, then time.
    pub fn sort(findings: &mut [impl Borrow<Finding>]) {
        findings.sort_by(|a, b| {
            let (a, b) = (a.borrow(), b.borrow());
            let room = |finding: &Finding| finding.room.as_ref().map(|room| (room.id.clone(), room.candidates.clone()));
            let times = (a.window.since, a.window.until).cmp(&(b.window.since, b.window.until));
            (b.severity, a.person.id).cmp(&(a.severity, b.person.id)).then_with(|| room(a).cmp(&room(b))).then(times)
        });
    }
}
