//! What a run found, as a value: the JSON report, and the source of every other form and of the alerts.

use std::borrow::{Borrow, BorrowMut};

use alerting::{Alert, AlertContext, Said};
use audit_model::{Coverage, Finding, FindingState};
use report::words;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::head::Head;
use crate::rights;

/// A finding, and what the program says of it besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found<D> {
    #[serde(flatten)]
    pub finding: Finding,
    #[serde(flatten)]
    pub detail: D,
}

impl From<Finding> for Found<()> {
    fn from(finding: Finding) -> Self {
        Found { finding, detail: () }
    }
}

impl<D> Borrow<Finding> for Found<D> {
    fn borrow(&self) -> &Finding {
        &self.finding
    }
}

impl<D> BorrowMut<Finding> for Found<D> {
    fn borrow_mut(&mut self) -> &mut Finding {
        &mut self.finding
    }
}

/// What a rule makes of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<D, B> {
    /// In the order of the report.
    pub findings: Vec<Found<D>>,
    pub body: B,
    /// What the reader must know besides what the runner says.
    pub notes: Vec<String>,
}

/// Serialises to the JSON report.
#[derive(Debug, Serialize)]
pub struct Report<D, B> {
    #[serde(flatten)]
    pub head: Head,
    /// Known and silenced ones included. Most severe first.
    pub findings: Vec<Found<D>>,
    #[serde(flatten)]
    pub body: B,
    /// Bursts that people were told of, that are over, and that the run does not find any more: as they were last found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Finding>,
    /// Conditions that people were told of and that are over: for receivers that keep something open.
    #[serde(skip)]
    pub lapsed: Vec<Finding>,
    /// Known findings that have grown and are not reported again yet.
    pub suppressed: u64,
    /// Whether a breaker or a lock-out check held something back.
    #[serde(skip)]
    pub is_held: bool,
}

impl<D, B> Report<D, B> {
    /// A report that nobody was told of yet.
    pub fn new(mut head: Head, judgement: Judgement<D, B>) -> Self {
        let Judgement { findings, body, notes } = judgement;
        head.notes.extend(notes);
        Report { head, findings, body, ended: Vec::new(), lapsed: Vec::new(), suppressed: 0, is_held: false }
    }

    pub fn coverage(&self) -> &Coverage {
        &self.head.coverage
    }

    /// Lets what is made from the report name nobody who stands in it, where names are pseudonyms.
    pub(crate) fn learn_names(&mut self)
    where
        D: Serialize,
        B: Serialize,
    {
        if !self.head.naming.is_clear()
            && let Ok(document) = serde_json::to_value(&*self)
        {
            let mut known = Vec::new();
            rights::collect(&document, &mut known);
            self.head.naming = self.head.naming.knowing(known);
        }
    }

    /// The findings that count: silenced ones do not.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().map(|found| &found.finding).filter(|finding| finding.state != FindingState::Silenced)
    }

    /// What is told: findings that are new, have grown, or are over. JSON has the others too.
    pub fn told(&self) -> impl Iterator<Item = &Found<D>> {
        self.findings.iter().filter(|found| words::is_told(found.finding.state))
    }

    /// One alert for each finding that is told, and for each burst or condition that is over; `said` are the program's own words.
    pub(crate) fn alerts(&self, said: impl Fn(&Self, &Found<D>) -> Said) -> Vec<Alert>
    where
        D: Serialize,
    {
        let context = AlertContext {
            program: self.head.program.name,
            version: self.head.program.version,
            portal_url: &self.head.portal.url,
            time_zone: self.head.portal.time_zone,
            coverage: &self.head.coverage,
        };
        let naming = &self.head.naming;
        let alert = |finding: &Finding, said: &Said, mut detail: Map<String, Value>| {
            detail.extend(said.members(finding));
            let detail = naming.json(Value::Object(detail));
            Alert::from_finding(&naming.finding(finding), &context).with_detail(&detail)
        };
        let told = self.told().map(|found| alert(&found.finding, &said(self, found), members_of(&found.detail)));
        let over = self.ended.iter().chain(&self.lapsed).map(|finding| alert(finding, &Said::default(), Map::new()));
        told.chain(over).collect()
    }
}

/// None of what is no object.
pub(crate) fn members_of(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
