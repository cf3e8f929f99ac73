//! What a run found, as a value: the JSON report, and the source of the text report and of the alerts.

use std::collections::BTreeSet;

use audit_model::{Coverage, Finding, RoomId, Window};
use chrono::{DateTime, Utc};
use job_runner::{Head, Job};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::who::LoginDetails;

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
    /// This program changes nothing.
    actions: [(); 0],
    pub(crate) suppressed: u64,
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
    login_details: LoginDetails,
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
    pub(crate) login_details: LoginDetails,
}

impl Outcome {
    pub(crate) fn new(config: &Config, job: &Job, coverage: Coverage, seen: Seen) -> Self {
        Outcome::with_head(Head::new(job, REPORT_VERSION, coverage), config.limits.published(), seen)
    }

    pub(crate) fn with_head(head: Head, max_events_per_user: u64, seen: Seen) -> Self {
        let Window { since, until } = head.window;
        let Seen { watched, findings, login_details } = seen;
        let people: BTreeSet<Uuid> = findings.iter().map(|finding| finding.person.id).collect();
        let published = Published {
            room_id: (watched.len() == 1).then(|| watched[0].clone()),
            rooms: (watched.len() != 1).then_some(watched),
            period: Period { from: since, to: until },
            max_events_per_user,
            suspicious_users: people.into_iter().collect(),
            login_details,
        };
        Outcome { head, findings, actions: [], suppressed: 0, published }
    }

    pub(crate) fn logins(&self) -> &LoginDetails {
        &self.published.login_details
    }
}
