//! The report as a value: what it says besides what all reports say.

use std::collections::BTreeSet;

use audit_model::{FindingState, RoomId, Window};
use chrono::{DateTime, Utc};
use job_runner::Judgement;
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::create_room::RoomAction;
use crate::gather::Facts;
use crate::gather::logins::Logins;
use crate::rule::{Detail, Found, exclusion};

/// The report of this program.
pub(crate) type Report = job_runner::Report<Detail, Body>;

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
pub(crate) fn judge(config: &Config, mut facts: Facts) -> Judgement<Detail, Body> {
    let mut findings = std::mem::take(&mut facts.found);
    let silenced = exclusion::silence(&mut findings, &config.exclude, &facts.twins, facts.today);
    let notes = facts.restriction.take().into_iter().chain(silenced).chain(facts.logins.note()).collect();
    let body = Body::new(config.limits.published(), facts, &findings);
    Judgement { findings, body, notes }
}

impl Body {
    /// `found` is what the facts held.
    pub(super) fn new(max_events_per_user: Option<u64>, facts: Facts, found: &[Found]) -> Self {
        let told = found.iter().map(|found| &found.finding).filter(|finding| finding.state != FindingState::Silenced);
        let people: BTreeSet<Uuid> = told.map(|finding| finding.person.id).collect();
        let watched: Vec<RoomId> = facts.watched.into_iter().collect();
        Body {
            actions: facts.action.into_iter().collect(),
            logins_compared_since: facts.logins.compared_since,
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
        Body { actions: Vec::new(), logins_compared_since: None, published }
    }

    /// How many rooms were watched.
    pub(crate) fn watched(&self) -> usize {
        self.published.rooms.as_ref().map_or(1, Vec::len)
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
