//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::Finding;
use job_runner::Found;

use super::{how_many, how_sure};
use crate::rule::found::Detail;

/// Who came from where, what to do, and the answers to what people ask first.
pub(crate) fn said(found: &Found<Detail>) -> Said {
    let Found { finding, detail } = found;
    Said {
        did: did(finding),
        what_to_do: detail.what_to_do.clone(),
        facts: SaidFacts {
            place: place(finding, detail),
            how_many: Some(how_many(finding, detail)),
            how_sure: Some(how_sure(detail.kind).to_owned()),
            ..SaidFacts::default()
        },
    }
}

/// The first reason, where it goes on from the name: `signed in from 203.0.113.66 after 40 wrong passwords`.
fn did(finding: &Finding) -> Option<String> {
    let reason = finding.reasons.first()?;
    ["signed in ", "came "].iter().any(|verb| reason.starts_with(verb)).then(|| reason.clone())
}

/// The address of the first row, and the network or country that it was judged by: `from 203.0.113.66 (203.0.113.0/24)`.
fn place(finding: &Finding, detail: &Detail) -> Option<String> {
    let shown = |text: &audit_model::PortalText| text.unlinked_within(80);
    let address = finding.evidence.first().and_then(|row| row.ip.as_ref()).map(shown);
    match (address, detail.place.as_ref().map(shown)) {
        (Some(address), Some(place)) if address != place => Some(format!("from {address} ({place})")),
        (Some(place), _) | (None, Some(place)) => Some(format!("from {place}")),
        (None, None) => None,
    }
}
