//! What the report says besides what all reports say.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Finding, FindingState, RoomId, Window};
use chrono::{DateTime, Utc};
use job_runner::{Found, Judgement};
use serde::Serialize;
use uuid::Uuid;

use crate::circumstances::{self, Circumstances, Key};
use crate::config::Config;
use crate::create_room::RoomAction;
use crate::exclusion;
use crate::gather::Facts;
use crate::logins::Logins;

/// The report of this program.
pub(crate) type Report = job_runner::Report<(), Body>;

/// Rooms, logins, and what was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Body {
    /// What was made, or is to be.
    pub(crate) actions: Vec<RoomAction>,
    /// What "new" in a login means: not used in a successful one since then. Absent when too little is known of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    logins_compared_since: Option<DateTime<Utc>>,
    #[serde(flatten)]
    published: Published,
    /// For people; the numbers are in the findings.
    #[serde(skip)]
    circumstances: BTreeMap<Key, Circumstances>,
}

/// Members under the names of the vendor's published example.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    /// When exactly one room is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    /// Otherwise, by id; empty when the rooms were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Vec<RoomId>>,
    period: Period,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_events_per_user: Option<u64>,
    suspicious_users: Vec<Uuid>,
    login_details: Logins,
}

#[derive(Debug, Serialize)]
struct Period {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// What is told, and what somebody expects.
pub(crate) fn judge(config: &Config, mut facts: Facts) -> Judgement<(), Body> {
    let silenced = exclusion::silence(&mut facts.findings, &config.exclude, &facts.twins, facts.today);
    let notes = facts.restriction.take().into_iter().chain(silenced).chain(facts.logins.note()).collect();
    let findings = std::mem::take(&mut facts.findings);
    let body = Body::new(config.limits.published(), facts, &findings);
    Judgement { findings: findings.into_iter().map(Found::from).collect(), body, notes }
}

impl Body {
    /// `findings` are those of the facts.
    fn new(max_events_per_user: Option<u64>, facts: Facts, findings: &[Finding]) -> Self {
        let told = findings.iter().filter(|finding| finding.state != FindingState::Silenced);
        let people: BTreeSet<Uuid> = told.map(|finding| finding.person.id).collect();
        let watched: Vec<RoomId> = facts.watched.into_iter().collect();
        Body {
            actions: facts.action.into_iter().collect(),
            logins_compared_since: facts.logins.compared_since,
            circumstances: facts.circumstances,
            published: Published {
                room_id: (watched.len() == 1).then(|| watched[0].clone()),
                rooms: (watched.len() != 1).then_some(watched),
                period: facts.window.into(),
                max_events_per_user,
                suspicious_users: people.into_iter().collect(),
                login_details: facts.logins,
            },
        }
    }

    /// Of a run that could not look.
    pub(crate) fn unseen(max_events_per_user: Option<u64>, window: Window) -> Self {
        let published = Published {
            room_id: None,
            rooms: Some(Vec::new()),
            period: window.into(),
            max_events_per_user,
            suspicious_users: Vec::new(),
            login_details: Logins::default(),
        };
        Body { actions: Vec::new(), logins_compared_since: None, published, circumstances: BTreeMap::new() }
    }

    /// How many rooms were watched.
    pub(crate) fn watched(&self) -> usize {
        self.published.rooms.as_ref().map_or(1, Vec::len)
    }

    pub(crate) fn circumstances_of(&self, finding: &Finding) -> Option<&Circumstances> {
        self.circumstances.get(&circumstances::key(finding))
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.published.login_details
    }
}

impl From<Window> for Period {
    fn from(Window { since, until }: Window) -> Self {
        Period { from: since, to: until }
    }
}
