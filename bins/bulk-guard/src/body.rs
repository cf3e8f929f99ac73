//! What the report says besides what all reports say.

use std::collections::BTreeMap;

use ::report::words::german::after_colon;
use audit_model::{Finding, Person, PortalText, Sentence, Severity};
use chrono::{DateTime, Utc};
use job_runner::Found;
use safe_actions::{Action, ActionKind, ActionState, Candidate, Hold, Plan, Trip};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::advice::{self, what_to_do};
use crate::config::Threshold;
use crate::gather::Logins;
use crate::people::NOT_STOPPED;
use crate::rule::Assessed;
use crate::rule::assessment::Corroboration;
use crate::rule::crowd::{Crowd, Told};
use crate::rule::extent::ShownRoom;
use crate::rule::incident::{Exceeded, Incident, RULE, Who};
use crate::rule::kind::Kind;
use crate::suspend;

/// Signs that a finding of many people lists.
const SIGNS_SHOWN: usize = 3;

/// The report of this program.
pub(crate) type Report = job_runner::Report<Detail, Body>;

/// Whom a plan would be about, the plan, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Whether the run has carried out what it could; if not, the plan says what it would do.
    pub(crate) has_acted: bool,
    /// For what the settings let somebody be suspended.
    pub(crate) proposals: Vec<suspend::entry::Incident>,
    /// What is to be known of an action besides, by person.
    pub(crate) steps: BTreeMap<Uuid, Step>,
    /// Who is off through this program.
    pub(crate) suspended: Vec<Suspended>,
    /// What was said of suspensions in this run, a sentence or more each.
    pub(crate) said: Vec<String>,
    /// The worst first.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) plan: Plan,
    /// The login history that alerts did not wait for.
    pub(crate) postponed: Option<Logins>,
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Plan { actions, trip } = &self.plan;
        let mut members = serializer.serialize_map(None)?;
        let steps = actions.iter().map(|action| ShownStep { action, step: self.steps.get(&action.person.id) });
        members.serialize_entry("actions", &steps.collect::<Vec<_>>())?;
        if !self.suspended.is_empty() {
            members.serialize_entry("suspended", &self.suspended)?;
        }
        // why nobody may be touched; absent when the plan as a whole is not held
        if let Some(trip) = trip {
            members.serialize_entry::<_, Trip>("breaker", trip)?;
        }
        members.serialize_entry("suspension_leaves", &NOT_STOPPED)?;
        members.end()
    }
}

/// What became of an action.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Step {
    /// The incident, by the id that commands take.
    pub(crate) incident: String,
    /// When the suspension ends; absent where somebody has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Why it is as it is, as a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

#[derive(Serialize)]
struct ShownStep<'a> {
    #[serde(flatten)]
    action: &'a Action,
    #[serde(flatten)]
    step: Option<&'a Step>,
}

/// Somebody who is off through this program, or may be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Suspended {
    pub(crate) person: Person,
    pub(crate) state: suspend::entry::State,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(crate) step: Step,
}

/// What this program says of a finding besides what all programs say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Detail {
    /// Published names.
    pub(crate) user_id: Uuid,
    pub(crate) file_count: u64,
    pub(crate) exceeded: Vec<ShownLimit>,
    pub(crate) corroboration: Vec<Corroboration>,
    /// Whether a plan may act on it.
    pub(crate) may_act: bool,
    /// What the plan says of the person, where it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<ShownAction>,
    /// Why the plan as a whole is held; absent when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) breaker: Option<Trip>,
    /// Where, the fullest room first.
    pub(crate) rooms: Vec<ShownRoom>,
    /// Absent where all was done within a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) documents_per_hour: Option<u64>,
    /// Whether it may go on after the end of the window.
    pub(crate) goes_on: bool,
    /// Folders and rooms that went, and nobody knows how much they held.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) uncountable: u64,
    /// Everybody, where a finding is of several people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<ShownPerson>,
    /// The most urgent first.
    pub(crate) what_to_do: Vec<Sentence>,
    /// Whose finding it is, for the text.
    #[serde(skip)]
    pub(crate) of: Of,
    /// What is counted, in the singular.
    #[serde(skip)]
    pub(crate) counted: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a plan says of one person; the whole action stands beside the findings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownAction {
    pub(crate) kind: ActionKind,
    pub(crate) state: ActionState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Hold>,
}

impl From<&Action> for ShownAction {
    fn from(action: &Action) -> Self {
        ShownAction { kind: action.kind, state: action.state, held: action.held.clone() }
    }
}

impl ShownAction {
    /// As a sentence without a full stop. `has_acted`: it was carried out as far as it could be, and is not only shown.
    pub(crate) fn sentence(&self, has_acted: bool) -> Sentence {
        Sentence::new(self.words(has_acted), self.german(has_acted))
    }

    fn german(&self, has_acted: bool) -> String {
        match (self.state, &self.held) {
            (ActionState::Already, _) => "das Konto ist schon deaktiviert".to_owned(),
            (_, Some(hold)) if has_acted => format!("nicht gesperrt: {}", after_colon(&hold.german())),
            (_, Some(hold)) => format!("würde nicht gesperrt: {}", after_colon(&hold.german())),
            (_, None) if !has_acted => "würde gesperrt".to_owned(),
            (ActionState::Done, None) => "gesperrt".to_owned(),
            (ActionState::Failed, None) => "konnte nicht gesperrt werden".to_owned(),
            (ActionState::Unknown, None) => "es ist nicht bekannt, ob die Person gesperrt ist".to_owned(),
            (ActionState::Released, None) => "war gesperrt und ist wieder aktiviert".to_owned(),
            (ActionState::Planned | ActionState::Held, None) => "noch nicht gesperrt".to_owned(),
        }
    }

    fn words(&self, has_acted: bool) -> String {
        match (self.state, &self.held) {
            (ActionState::Already, _) => "the account is already disabled".to_owned(),
            (_, Some(hold)) if has_acted => format!("not suspended: {}", hold.words()),
            (_, Some(hold)) => format!("would not be suspended: {}", hold.words()),
            (_, None) if !has_acted => "would be suspended".to_owned(),
            (ActionState::Done, None) => "suspended".to_owned(),
            (ActionState::Failed, None) => "could not be suspended".to_owned(),
            (ActionState::Unknown, None) => "it is not known whether the person is suspended".to_owned(),
            (ActionState::Released, None) => "was suspended, and is enabled again".to_owned(),
            (ActionState::Planned | ActionState::Held, None) => "not suspended yet".to_owned(),
        }
    }

    /// Whether the account is disabled, by this program or by somebody before it.
    fn is_disabled(&self, has_acted: bool) -> bool {
        self.state == ActionState::Already || has_acted && self.state == ActionState::Done
    }
}

impl Detail {
    /// Takes in what a plan says of the person.
    pub(crate) fn planned(&mut self, action: Option<ShownAction>, has_acted: bool) {
        if action.as_ref().is_some_and(|action| action.is_disabled(has_acted)) {
            self.what_to_do = advice::where_disabled();
        }
        self.action = action;
    }
}

/// Whose finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Person,
    Visitors,
    VisitorsOfRooms,
    Room,
    Crowd,
}

/// One of several people.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownPerson {
    pub(crate) id: Uuid,
    pub(crate) name: PortalText,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<PortalText>,
    pub(crate) documents: u64,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownLimit {
    /// Absent: the published rule, which counts all kinds of change together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    pub(crate) threshold: Threshold,
    pub(crate) documents: u64,
    /// Whether there may be more.
    pub(crate) at_least: bool,
}

impl From<&Exceeded> for ShownLimit {
    fn from(one: &Exceeded) -> Self {
        ShownLimit { kind: one.kind, threshold: one.threshold, documents: one.documents, at_least: one.at_least }
    }
}

/// The finding as it is told: what it was judged by stands among its reasons, so that alerts carry it too.
pub(crate) fn told(told: Told) -> Found<Detail> {
    match told {
        Told::One(one) => one_of(*one),
        Told::Crowd(crowd) => of_crowd(&crowd),
    }
}

fn one_of(one: Assessed) -> Found<Detail> {
    let Assessed { incident, extent, from, signs, names_unknown, unknown, assessment, looked_until } = one;
    let counted = incident.counted();
    let Incident { who, mut finding, exceeded, uncountable, .. } = incident;
    finding.severity = assessment.severity;
    finding.reasons.extend(extent.pace(counted, looked_until));
    finding.reasons.extend(extent.places(counted));
    finding.reasons.extend(from);
    finding.reasons.extend(signs.iter().map(|sign| sign.evidence.clone()));
    finding.reasons.extend(names_unknown.into_iter().chain(unknown));
    let of = match who {
        Who::Person(_) => Of::Person,
        Who::Visitors(_) => Of::Visitors,
        Who::VisitorsOfRooms => Of::VisitorsOfRooms,
        Who::Room(_) => Of::Room,
    };
    let shown = |(id, name, documents)| ShownPerson { id, name, email: None, documents };
    let people = if of == Of::Room { extent.people().into_iter().map(shown).collect() } else { Vec::new() };
    let detail = Detail {
        user_id: finding.person.id,
        file_count: finding.counts.documents,
        exceeded: exceeded.iter().map(ShownLimit::from).collect(),
        corroboration: signs,
        may_act: assessment.acts_because.is_some(),
        action: None,
        breaker: None,
        rooms: extent.rooms(),
        documents_per_hour: extent.documents_per_hour(),
        goes_on: extent.goes_on(looked_until),
        uncountable,
        people,
        what_to_do: what_to_do(of, finding.severity),
        of,
        counted,
    };
    Found { finding, detail }
}

fn of_crowd(crowd: &Crowd) -> Found<Detail> {
    let members = &crowd.members;
    let severity = members.iter().map(|member| member.assessment.severity).max();
    let counts = crowd.counts();
    let finding = Finding {
        severity: severity.unwrap_or(Severity::Medium),
        counts,
        reasons: crowd.reasons(),
        evidence: crowd.evidence(),
        evidence_total: members.iter().map(|member| member.incident.finding.evidence_total).sum(),
        ..Finding::new(RULE, crowd.fingerprint(), crowd.person(), crowd.window)
    };
    let person = |(person, documents): (&Person, u64)| {
        let (name, email) = (person.name.clone(), person.email.clone());
        ShownPerson { id: person.id, name, email, documents }
    };
    let people: Vec<ShownPerson> = crowd.people().into_iter().map(person).collect();
    let fullest = members.iter().max_by_key(|member| member.incident.finding.counts.documents);
    let detail = Detail {
        user_id: finding.person.id,
        file_count: counts.documents,
        exceeded: fullest.map(|one| one.incident.exceeded.iter().map(ShownLimit::from).collect()).unwrap_or_default(),
        corroboration: members.iter().flat_map(|member| member.signs.first().cloned()).take(SIGNS_SHOWN).collect(),
        may_act: false,
        action: None,
        breaker: None,
        rooms: crowd.rooms(),
        documents_per_hour: None,
        goes_on: members.iter().any(|member| member.extent.goes_on(member.looked_until)),
        uncountable: members.iter().map(|member| member.incident.uncountable).sum(),
        people,
        what_to_do: what_to_do(Of::Crowd, finding.severity),
        of: Of::Crowd,
        counted: crowd.counted(),
    };
    Found { finding, detail }
}
