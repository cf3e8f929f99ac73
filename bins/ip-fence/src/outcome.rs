//! What a run found, as a value: the JSON report, and the source of the text report and of the alerts.

use std::collections::BTreeMap;

use audit_model::{Coverage, Finding, PortalText, Window};
use chrono::{DateTime, Utc};
use docspace_client::AddressList;
use job_runner::{Head, Job, Tellable};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::found::{self, Detail, Found};
use crate::sighting::{Sighting, Source};

/// Version of the JSON report; a change that breaks readers raises it.
const REPORT_VERSION: u32 = 1;

/// Serialises to the JSON report.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// Most severe first, then by person. Written with what `details` say of them.
    #[serde(rename = "findings", serialize_with = "with_details")]
    pub(crate) found: FoundAll,
    /// This program changes nothing.
    actions: [(); 0],
    pub(crate) suppressed: u64,
    /// Absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyFacts>,
    /// The portal's own list; absent when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address_list: Option<AddressList>,
    #[serde(flatten)]
    published: Published,
}

/// Findings, and by their fingerprints what this program says of them besides.
#[derive(Debug, Default)]
pub(crate) struct FoundAll {
    pub(crate) findings: Vec<Finding>,
    details: BTreeMap<String, Detail>,
}

impl FoundAll {
    pub(crate) fn detail(&self, finding: &Finding) -> &Detail {
        &self.details[&finding.fingerprint]
    }
}

/// A finding as the report has it.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    #[serde(flatten)]
    detail: &'a Detail,
}

fn with_details<S: Serializer>(found: &FoundAll, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(found.findings.iter().map(|finding| Written { finding, detail: found.detail(finding) }))
}

/// What the run was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PolicyFacts {
    pub(crate) rules: usize,
    /// Labels of rules that have ended.
    pub(crate) expired: Vec<String>,
    /// How many people rules name, members of groups included.
    pub(crate) people: usize,
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

/// What a run saw, besides its coverage. Empty when it could not look.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) found: Vec<Found>,
    pub(crate) policy: Option<PolicyFacts>,
    pub(crate) address_list: Option<AddressList>,
    /// What the reader must know besides.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(job: &Job, coverage: Coverage, seen: Seen) -> Self {
        Outcome::with_head(Head::new(job, REPORT_VERSION, coverage), seen)
    }

    pub(crate) fn with_head(mut head: Head, seen: Seen) -> Self {
        let Window { since, until } = head.window;
        let Seen { mut found, policy, address_list, notes } = seen;
        head.notes.extend(notes);
        found::sort(&mut found);
        let mut all = FoundAll::default();
        let mut rows: BTreeMap<(DateTime<Utc>, Source, i64), Sighting> = BTreeMap::new();
        for Found { finding, detail, rows: own } in found {
            all.details.insert(finding.fingerprint.clone(), detail);
            all.findings.push(finding);
            rows.extend(own.into_iter().map(|row| (row.order(), row)));
        }
        let events = rows.into_values().map(|raw| PublishedEvent {
            user_id: raw.user,
            ip: raw.ip.clone().unwrap_or_default(),
            date: raw.at,
            raw,
        });
        let published = Published { from: since, to: until, events: events.collect() };
        Outcome { head, found: all, actions: [], suppressed: 0, policy, address_list, published }
    }

    /// What depends on what people know already.
    pub(crate) fn tellable(&mut self) -> Tellable<'_> {
        Tellable { findings: &mut self.found.findings, suppressed: &mut self.suppressed, notes: &mut self.head.notes }
    }
}
