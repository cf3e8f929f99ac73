//! What the report says besides what all reports say.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use chrono::{DateTime, Utc};
use docspace_client::AddressList;
use job_runner::{Found, Judgement};
use serde::Serialize;
use uuid::Uuid;

use crate::found::{self, Detail};
use crate::gather::Facts;
use crate::policy::PolicyFacts;
use crate::sighting::{Sighting, Source};

/// The report of this program.
pub(crate) type Report = job_runner::Report<Detail, Body>;

/// The policy, the portal's own list, and the rows behind the findings.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    /// This program changes nothing.
    actions: [(); 0],
    /// Absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyFacts>,
    /// The portal's own list; absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address_list: Option<AddressList>,
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
pub(crate) fn judge(mut facts: Facts) -> Judgement<Detail, Body> {
    found::sort(&mut facts.found);
    let notes = std::mem::take(&mut facts.notes);
    let findings = facts.found.iter().map(Found::from).collect();
    Judgement { findings, body: Body::new(facts), notes }
}

impl Body {
    fn new(facts: Facts) -> Self {
        let mut rows: BTreeMap<(DateTime<Utc>, Source, i64), Sighting> = BTreeMap::new();
        for found in facts.found {
            rows.extend(found.rows.into_iter().map(|row| (row.order(), row)));
        }
        let events = rows.into_values().map(|raw| PublishedEvent {
            user_id: raw.user,
            ip: raw.ip.clone().unwrap_or_default(),
            date: raw.at,
            raw,
        });
        let Window { since, until } = facts.window;
        let published = Published { from: since, to: until, events: events.collect() };
        Body { actions: [], policy: facts.policy, address_list: facts.address_list, published }
    }

    /// Of a run that could not look.
    pub(crate) fn unseen(Window { since, until }: Window) -> Self {
        let published = Published { from: since, to: until, events: Vec::new() };
        Body { actions: [], policy: None, address_list: None, published }
    }
}
