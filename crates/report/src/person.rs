//! One person whom a report names: how urgent, who, what, where, how much, since when, and what to do about it.

use audit_model::{Evidence, Finding, FindingRoom, FindingState, Person, PortalRole, PortalText, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};

use crate::words::{self, plural};
use crate::{Block, Cell, Details, Line, Link, Table, line};

/// Whom a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub id: Option<String>,
    pub name: PortalText,
    pub email: Option<PortalText>,
    /// What a reader must know at once, for instance `account disabled`.
    pub remark: Option<Line>,
    /// The account's page in the portal.
    pub page: Option<String>,
}

impl Who {
    /// The name, or that there is none.
    pub(crate) fn shown_name(&self) -> Line {
        if self.name.raw().trim().is_empty() { "(no name)".into() } else { Line::name(&self.name) }
    }

    /// `Anna Schmidt <anna@example.com> (account disabled)`
    pub fn line(&self) -> Line {
        let mut line = self.shown_name();
        if let Some(email) = &self.email {
            line = line.and(" <").and(Line::name(email)).and(">");
        }
        match &self.remark {
            Some(remark) => line.and(" (").and(remark.clone()).and(")"),
            None => line,
        }
    }
}

impl From<&Person> for Who {
    fn from(person: &Person) -> Self {
        Who {
            id: Some(person.id.to_string()),
            name: person.name.clone(),
            email: person.email.clone(),
            remark: person.status.and_then(words::status).map(Line::from),
            page: None,
        }
    }
}

/// Where something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    pub id: Option<String>,
    pub title: PortalText,
    /// The room's page in the portal.
    pub page: Option<String>,
    /// Rooms that it may be, when it is not known which.
    pub candidates: Vec<String>,
}

/// Rooms named where it may be one of several: whoever may make rooms can make hundreds of one title.
const CANDIDATES_SHOWN: usize = 5;

impl Where {
    /// `"Acme" (room 71)`
    pub fn line(&self) -> Line {
        let which = match (&self.id, self.candidates.len() as u64) {
            (Some(id), _) => format!(" (room {id})"),
            (None, 0) => " (room not known)".to_owned(),
            (None, total) => {
                format!(" (one of the rooms {})", words::list_of(&self.candidates, CANDIDATES_SHOWN, total))
            }
        };
        line!["\"", Line::name(&self.title), "\"", which]
    }
}

impl From<&FindingRoom> for Where {
    fn from(room: &FindingRoom) -> Self {
        Where {
            id: room.id.as_ref().map(ToString::to_string),
            title: room.title.clone(),
            page: None,
            candidates: room.candidates.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A person, in one line that a reader can act on, with everything else behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonLine {
    pub severity: Severity,
    /// Absent when the program does not remember what it told; such a line is always told.
    pub state: Option<FindingState>,
    /// What people can call it by.
    pub matter: Option<String>,
    pub who: Who,
    /// The one reason that matters most, for instance `41 actions within 1 h, more than 20`.
    pub what: Line,
    pub place: Option<Where>,
    /// The number that a spreadsheet sorts by.
    pub count: Option<u64>,
    /// The same in words, for instance `41 actions on 38 documents`.
    pub how_much: Line,
    pub first: Option<DateTime<Utc>>,
    pub last: Option<DateTime<Utc>>,
    /// Sentences in the order in which they should be followed.
    pub what_to_do: Vec<Line>,
    /// Pages that help with it.
    pub links: Vec<Link>,
    /// Further reasons and circumstances.
    pub facts: Vec<Line>,
    /// What proves it; folded where a form can fold.
    pub details: Vec<Details>,
}

impl PersonLine {
    pub fn new(severity: Severity, who: Who, what: impl Into<Line>) -> Self {
        PersonLine {
            severity,
            state: None,
            matter: None,
            who,
            what: what.into(),
            place: None,
            count: None,
            how_much: Line::default(),
            first: None,
            last: None,
            what_to_do: Vec::new(),
            links: Vec::new(),
            facts: Vec::new(),
            details: Vec::new(),
        }
    }

    /// Whether it is news: new, grown, over, or not remembered at all.
    pub fn is_told(&self) -> bool {
        self.state.is_none_or(words::is_told)
    }
}

/// All that a finding says by itself; what to do and which pages help is for the program to add.
impl From<&Finding> for PersonLine {
    fn from(finding: &Finding) -> Self {
        let mut reasons = finding.reasons.iter().map(|reason| Line::from(reason.english()));
        // of what is over, that matters most
        let what = if finding.state == FindingState::Ended { reasons.next_back() } else { reasons.next() };
        let mut line = PersonLine::new(finding.severity, (&finding.person).into(), what.unwrap_or_default());
        line.facts = finding.person.role.map(PortalRole::words).map(Line::from).into_iter().chain(reasons).collect();
        line.state = Some(finding.state);
        line.matter.clone_from(&finding.matter);
        line.place = finding.room.as_ref().map(Where::from);
        line.count = Some(finding.counts.acts);
        let (acts, documents) = (plural(finding.counts.acts, "action"), plural(finding.counts.documents, "document"));
        line.how_much = format!("{acts} on {documents}").into();
        line.first = Some(finding.window.since);
        line.last = Some(last_of(finding.window));
        if !finding.evidence.is_empty() {
            line.details.push(Details::of_evidence(&finding.evidence, &plural(finding.evidence_total, "event")));
        }
        line
    }
}

/// The last moment of a window: its end lies outside, and dates have microseconds.
fn last_of(window: Window) -> DateTime<Utc> {
    (window.until - TimeDelta::microseconds(1)).max(window.since)
}

impl Details {
    /// Samples of so many, such as `27 events`, as a table behind a fold.
    pub fn of_evidence(evidence: &[Evidence], total: &str) -> Self {
        let title = format!("Examples: {} of {total}", evidence.len());
        let mut table = Table::new("", &["When", "What", "From"]);
        for sample in evidence {
            let target = sample.target.as_deref().map(PortalText::new);
            // the target of a failed login is the name that was typed
            let (typed, target) = if sample.action.is_failed_login() { (target, None) } else { (None, target) };
            let bare = || {
                let (done, entry) = sample.action.in_words();
                match (target.as_ref(), entry) {
                    (Some(id), Some(entry)) => line![done, ": ", entry, " ", id],
                    (Some(id), None) => line![done, " ", id],
                    (None, _) => done.into(),
                }
            };
            let typed = typed.as_ref().map(|typed| line![" as ", Line::name(typed)]).unwrap_or_default();
            let what = sample.title.as_ref().map_or_else(bare, Line::from).and(typed);
            table.row([Cell::At(sample.at), what.into(), sample.ip.as_ref().into()]);
        }
        Details { summary: title.into(), blocks: vec![Block::Table(table)] }
    }
}
