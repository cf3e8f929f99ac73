//! What the report says besides what all reports say.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use chrono::{DateTime, Utc};
use docspace_client::AddressList;
use job_runner::{Found, Judgement};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Limits;
use crate::gather::Facts;
use crate::policy::PolicyFacts;
use crate::rule;
use crate::rule::found::{self, Detail};
use crate::rule::sighting::{Sighting, Source};

/// The report of this program.
pub(crate) type Report = job_runner::Report<Detail, Body>;

/// The policy, the portal's own list, and the rows behind the findings.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    /// Runs do nothing to people.
    actions: [(); 0],
    /// Absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyFacts>,
    /// The portal's own list; absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address_list: Option<AddressList>,
    /// What became of the list that this program has written.
    #[serde(skip)]
    pub(crate) said: Vec<String>,
    #[serde(flatten)]
    published: Published,
}

/// Members under the names of the vendor's published example.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    events: Vec<PublishedEvent>,
}

/// A row that a finding is made of: all logins, and the first of the audit trail.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublishedEvent {
    user_id: Uuid,
    /// As the portal noted it; empty when it noted nothing.
    ip: PortalText,
    date: DateTime<Utc>,
    raw: Sighting,
}

/// What was found, in the order of the report, and what else is told.
pub(crate) fn judge(limits: &Limits, facts: Facts) -> Judgement<Detail, Body> {
    let Facts { window, address_list, seen, mut notes } = facts;
    let (found, more) = seen.as_ref().map(|seen| rule::judge(seen, limits)).unwrap_or_default();
    notes.extend(more);
    let findings = found.iter().map(Found::from).collect();
    let policy = seen.map(|seen| PolicyFacts {
        rules: seen.policy.live_rules().count(),
        expired: seen.policy.expired_rules().map(|rule| rule.label.clone()).collect(),
        people: seen.policy.people(),
    });
    Judgement { findings, body: Body { policy, address_list, ..Body::of(window, found) }, notes }
}

impl Body {
    /// The rows behind the findings, each once and by time.
    pub(crate) fn of(window: Window, found: Vec<found::Case>) -> Self {
        let rows = found.into_iter().flat_map(|found| found.rows).map(|row| (row.order(), row));
        let rows: BTreeMap<(DateTime<Utc>, Source, i64), Sighting> = rows.collect();
        let events = rows.into_values().map(|raw| PublishedEvent {
            user_id: raw.user,
            ip: raw.ip.clone().unwrap_or_default(),
            date: raw.at,
            raw,
        });
        let Window { since, until } = window;
        let published = Published { from: since, to: until, events: events.collect() };
        Body { actions: [], policy: None, address_list: None, said: Vec::new(), published }
    }
}
