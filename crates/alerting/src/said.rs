//! What a program says of a finding in its own words, beside what every alert says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alert::Alert;

/// What the one who knows the rule says to people. Whatever it leaves out is said from the numbers of the finding.
///
/// Every text is one line without a full stop, in English, with text of the portal's made harmless
/// ([`unlinked_within`](audit_model::PortalText::unlinked_within)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// What the person did, as it follows on their name: `signed in from 203.0.113.66 after 40 wrong passwords`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// What to do, the most urgent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_to_do: Vec<String>,
    #[serde(skip_serializing_if = "SaidFacts::are_none")]
    pub facts: SaidFacts,
}

/// The answers to what people ask first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SaidFacts {
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_many: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_fast: Option<String>,
    /// Whether it goes on, or may, as far as the run has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_sure: Option<String>,
}

impl SaidFacts {
    fn are_none(&self) -> bool {
        *self == SaidFacts::default()
    }
}

impl Said {
    /// What an alert says so; nothing where it has no such words, or a later version wrote them otherwise.
    pub(crate) fn in_alert(alert: &Alert) -> Said {
        let detail = |member: &str| alert.detail.get(member).cloned();
        let steps = detail("what_to_do").and_then(|steps| match steps {
            Value::Array(steps) => Some(steps.into_iter().filter_map(|step| Some(step.as_str()?.to_owned())).collect()),
            _ => None,
        });
        let facts = detail("facts").and_then(|facts| serde_json::from_value(facts).ok());
        let did = alert.detail.get("did").and_then(Value::as_str).map(str::to_owned);
        Said { did, what_to_do: steps.unwrap_or_default(), facts: facts.unwrap_or_default() }
    }
}
