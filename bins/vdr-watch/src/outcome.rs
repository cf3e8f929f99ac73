//! What a run found, as a value: the JSON report, and the source of the text report and of the alerts.

use std::collections::BTreeSet;

use audit_model::{Coverage, Finding, FindingState, RoomId, Window};
use chrono::{DateTime, Utc};
use job_runner::{Head, Job, Tellable};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::create_room::{ActionState, RoomAction};
use crate::logins::Logins;

/// Version of the JSON report; a change that breaks readers raises it.
const REPORT_VERSION: u32 = 1;

/// Serialises to the JSON report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Outcome {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// Most severe first, then by person and room.
    pub(crate) findings: Vec<Finding>,
    /// What was made, or is to be.
    pub(crate) actions: Vec<RoomAction>,
    /// Known findings with more acts than were told.
    pub(crate) suppressed: u64,
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
    max_events_per_user: u64,
    suspicious_users: Vec<Uuid>,
    login_details: Logins,
}

#[derive(Debug, Serialize)]
struct Period {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// What a run saw, besides its coverage. Empty when it could not look.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) watched: Vec<RoomId>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) logins: Logins,
    pub(crate) actions: Vec<RoomAction>,
    /// What the reader must know besides what the runner says.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(config: &Config, job: &Job, coverage: Coverage, seen: Seen) -> Self {
        Outcome::with_head(Head::new(job, REPORT_VERSION, coverage), config.limits.published(), seen)
    }

    pub(crate) fn with_head(mut head: Head, max_events_per_user: u64, seen: Seen) -> Self {
        let Window { since, until } = head.window;
        let Seen { watched, findings, logins, actions, notes } = seen;
        head.notes.extend(notes);
        let told = findings.iter().filter(|finding| finding.state != FindingState::Silenced);
        let people: BTreeSet<Uuid> = told.map(|finding| finding.person.id).collect();
        let logins_compared_since = logins.compared_since;
        let published = Published {
            room_id: (watched.len() == 1).then(|| watched[0].clone()),
            rooms: (watched.len() != 1).then_some(watched),
            period: Period { from: since, to: until },
            max_events_per_user,
            suspicious_users: people.into_iter().collect(),
            login_details: logins,
        };
        Outcome { head, findings, actions, suppressed: 0, logins_compared_since, published }
    }

    /// What depends on what people know already.
    pub(crate) fn tellable(&mut self) -> Tellable<'_> {
        Tellable { findings: &mut self.findings, suppressed: &mut self.suppressed, notes: &mut self.head.notes }
    }

    /// What this run made at the portal, or tried to.
    pub(crate) fn made(&self) -> impl Iterator<Item = &RoomAction> {
        self.actions.iter().filter(|action| action.state != ActionState::Already)
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.published.login_details
    }
}
