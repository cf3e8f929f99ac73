//! What a program says of a finding in its own words, beside what every alert says.

use audit_model::{Finding, FindingState, Sentence};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::alert::Alert;
use crate::message::Language;

/// Under this name an alert carries the German texts, where there are any: beside the English ones, which all receivers know.
const GERMAN: &str = "de";

/// What the one who knows the rule says to people. Whatever it leaves out is said from the numbers of the finding.
///
/// Every text is one line without a full stop, with text of the portal's made harmless
/// ([`unlinked_within`](audit_model::PortalText::unlinked_within)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// What the person did, as it follows on their name: `signed in from 203.0.113.66 after 40 wrong passwords`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did: Option<Sentence>,
    /// What to do, the most urgent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_to_do: Vec<Sentence>,
    #[serde(skip_serializing_if = "SaidFacts::are_none")]
    pub facts: SaidFacts,
}

/// The answers to what people ask first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SaidFacts {
    /// Whom to name instead of the person, where it is none: `40 people`, `the portal's address list`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Sentence>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<Sentence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_many: Option<Sentence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_fast: Option<Sentence>,
    /// Whether it goes on, or may, as far as the run has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_sure: Option<Sentence>,
}

impl SaidFacts {
    fn are_none(&self) -> bool {
        *self == SaidFacts::default()
    }
}

/// What an alert says in one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InLanguage {
    #[serde(flatten)]
    pub(crate) said: Said,
    pub(crate) reasons: Vec<String>,
}

impl Said {
    /// The members under which an alert about the finding carries it, with the reasons of the finding where German ones are known.
    pub fn members(&self, finding: &Finding) -> Map<String, Value> {
        let mut members = object(json!(self));
        if self.sentences().chain(&finding.reasons).any(Sentence::has_german) {
            let mut german = object(json!(self.in_german()));
            // what an older version has remembered of what is over is English, and was told before
            let is_spoken = |reason: &&Sentence| reason.has_german() || finding.state != FindingState::Ended;
            let reasons: Vec<&str> = finding.reasons.iter().filter(is_spoken).map(Sentence::german).collect();
            german.insert("reasons".to_owned(), json!(reasons));
            members.insert(GERMAN.to_owned(), Value::Object(german));
        }
        members
    }

    /// All that it says, without an order.
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        let SaidFacts { who, place, how_many, how_fast, how_sure, .. } = &self.facts;
        self.did.iter().chain(&self.what_to_do).chain([who, place, how_many, how_fast, how_sure].into_iter().flatten())
    }

    /// With the German texts where the English ones stand.
    fn in_german(&self) -> Said {
        let german = |said: &Sentence| Sentence::from(said.german());
        let one = |said: &Option<Sentence>| said.as_ref().map(german);
        let SaidFacts { who, place, how_many, how_fast, goes_on, how_sure } = &self.facts;
        Said {
            did: one(&self.did),
            what_to_do: self.what_to_do.iter().map(german).collect(),
            facts: SaidFacts {
                who: one(who),
                place: one(place),
                how_many: one(how_many),
                how_fast: one(how_fast),
                goes_on: *goes_on,
                how_sure: one(how_sure),
            },
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl InLanguage {
    /// What an alert says in this language, and in English where it does not speak it; nothing where it has no such words, or a later
    /// version wrote them otherwise.
    pub(crate) fn of(alert: &Alert, language: Language) -> InLanguage {
        let german = || serde_json::from_value(alert.detail.get(GERMAN)?.clone()).ok();
        let spoken = (language == Language::De).then(german).flatten();
        spoken.unwrap_or_else(|| InLanguage { said: Said::in_english(&alert.detail), reasons: alert.reasons.clone() })
    }
}

impl Said {
    fn in_english(detail: &Map<String, Value>) -> Said {
        let member = |member: &str| detail.get(member).cloned();
        let steps = member("what_to_do").and_then(|steps| match steps {
            Value::Array(steps) => Some(steps.iter().filter_map(|step| Some(step.as_str()?.into())).collect()),
            _ => None,
        });
        let facts = member("facts").and_then(|facts| serde_json::from_value(facts).ok());
        let did = detail.get("did").and_then(Value::as_str).map(Sentence::from);
        Said { did, what_to_do: steps.unwrap_or_default(), facts: facts.unwrap_or_default() }
    }
}
