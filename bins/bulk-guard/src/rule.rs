//! The rule `mass_change`: one person touches more distinct documents than a limit allows, in any stretch of the limit's length. So do all
//! people of a room together, and those who come to it through links. Pure; events come in order of (time, id).
//!
//! Two hundred documents renamed within five minutes are a finding. Suspicious, but none: an editor that saves one document two
//! hundred times.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::report::words::plural;
use audit_model::{
    Act, ActClass, AuditEvent, Counts, Episode, Evidence, Finding, GUEST_ACCOUNT, Measure, Person, PortalText,
    SlidingWindow, Weight, Window, is_robot, title_in_context,
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config::{Armed, Limits, Threshold, counts};
use crate::kind::{Kind, document};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "mass_change";

/// So many times a limit on what cannot be undone is no busy day any more.
pub(crate) const FLOOD_FACTOR: u64 = 5;

/// Folders that nobody can weigh, and that go within so long a time, are one matter.
const ONE_MATTER: TimeDelta = TimeDelta::minutes(10);

/// An event that changed documents, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) event: Arc<AuditEvent>,
    pub(crate) kind: Kind,
    pub(crate) weight: Weight,
    /// Title of the folder that was changed as a whole.
    pub(crate) folder: Option<PortalText>,
}

impl AsRef<AuditEvent> for Change {
    fn as_ref(&self) -> &AuditEvent {
        &self.event
    }
}

impl Change {
    /// How many documents it surely was.
    pub(crate) fn documents(&self) -> u64 {
        if self.is_uncountable() { 1 } else { self.weight.documents }
    }

    /// Whether nobody knows how many documents went from a room.
    fn is_uncountable(&self) -> bool {
        let is_from_room =
            title_in_context(&self.event).is_some() || matches!(self.kind, Kind::MovedOut | Kind::RoomDeleted);
        self.weight.at_least && self.kind.takes_away() && is_from_room
    }
}

/// Whose changes are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Person(Uuid),
    /// Everybody who comes to a room through a link; the portal has one account for all of them. Without a title: outside the rooms.
    Visitors(PortalText),
    /// All people of a room.
    Room(PortalText),
}

/// Collects changes by person, and by room.
pub(crate) struct Detector {
    armed: Vec<Armed>,
    armed_in_room: Vec<Armed>,
    subjects: BTreeMap<Who, Subject>,
}

/// Changes in a window that slides, by document.
type Changes = SlidingWindow<Arc<str>, Arc<AuditEvent>>;

struct Subject {
    name: PortalText,
    /// Each limit, and what fell under it.
    windows: Vec<(Armed, Changes)>,
    /// What went, and nobody knows how much it was.
    uncountable: Vec<Arc<AuditEvent>>,
}

/// A limit that was exceeded, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// `None`: the published rule.
    pub(crate) kind: Option<Kind>,
    pub(crate) threshold: Threshold,
    /// Distinct documents.
    pub(crate) documents: u64,
    /// Whether there may be more, because a folder could not be weighed.
    pub(crate) at_least: bool,
}

impl Exceeded {
    /// `240 documents renamed within 10 min, more than 20`
    pub(crate) fn words(&self) -> String {
        let at_least = if self.at_least { "≥ " } else { "" };
        let what = plural(self.documents, self.kind.map_or("document", Kind::counted));
        let done = self.kind.map_or("changed", Kind::participle);
        format!("{at_least}{what} {done} within {}, more than {}", self.threshold.span(), self.threshold.documents)
    }

    /// Whether so much is gone for good that nobody works like that. What could not be weighed says nothing.
    pub(crate) fn is_flood(&self) -> bool {
        let is_many = self.documents >= self.threshold.documents.saturating_mul(FLOOD_FACTOR);
        self.kind == Some(Kind::DeletedForGood) && !self.at_least && is_many
    }
}

/// One finding, and what it was judged by.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) who: Who,
    pub(crate) finding: Finding,
    /// The published limit first, then by kind. Empty where only folders went that nobody could weigh.
    pub(crate) exceeded: Vec<Exceeded>,
    /// Folders and rooms that went, and nobody knows how much they held.
    pub(crate) uncountable: u64,
    /// When the last of those went.
    pub(crate) last_uncountable: Option<DateTime<Utc>>,
}

impl Incident {
    /// Whether a change is a part of it.
    pub(crate) fn includes(&self, change: &Change) -> bool {
        let event = &change.event;
        let is_own = match &self.who {
            Who::Person(id) => event.actor == *id,
            Who::Visitors(title) => event.actor == GUEST_ACCOUNT && place(event) == *title,
            Who::Room(title) => event.actor != GUEST_ACCOUNT && !is_robot(event.actor) && place(event) == *title,
        };
        let is_counted = self.exceeded.iter().any(|one| counts(one.kind, change.kind));
        is_own && self.finding.window.contains(event.at) && (is_counted || change.is_uncountable())
    }
}

/// The title of the room that an event names; empty outside the rooms.
pub(crate) fn place(event: &AuditEvent) -> PortalText {
    title_in_context(event).unwrap_or_default()
}

impl Detector {
    pub(crate) fn new(limits: &Limits) -> Self {
        Detector { armed_in_room: limits.armed_in_room(), ..Detector::with(limits.armed()) }
    }

    /// Without the limits of rooms.
    pub(crate) fn with(armed: Vec<Armed>) -> Self {
        Detector { armed, armed_in_room: Vec::new(), subjects: BTreeMap::new() }
    }

    /// Takes in a change. Robots are passed over.
    pub(crate) fn push(&mut self, change: &Change) {
        let event = &change.event;
        if is_robot(event.actor) {
            return;
        }
        if event.actor == GUEST_ACCOUNT {
            let name = "visitors through links".into();
            return subject(&mut self.subjects, &self.armed, Who::Visitors(place(event)), &name).push(change);
        }
        subject(&mut self.subjects, &self.armed, Who::Person(event.actor), &event.actor_name).push(change);
        // several people in one document are what rooms are for
        if let Some(title) = title_in_context(event).filter(|_| !event.action.is_saved_by_editor()) {
            let name = "several people".into();
            subject(&mut self.subjects, &self.armed_in_room, Who::Room(title), &name).push(change);
        }
    }

    /// Everybody above a limit, by person, then time.
    pub(crate) fn finish(self) -> Vec<Incident> {
        self.subjects.iter().flat_map(|(who, subject)| subject.judge(who)).collect()
    }
}

fn subject<'s>(
    subjects: &'s mut BTreeMap<Who, Subject>,
    armed: &[Armed],
    who: Who,
    name: &PortalText,
) -> &'s mut Subject {
    subjects.entry(who).or_insert_with(|| {
        let window =
            |armed: &Armed| SlidingWindow::new(armed.threshold.length(), armed.threshold.documents, Measure::Documents);
        let windows = armed.iter().map(|armed| (*armed, window(armed))).collect();
        Subject { name: name.clone(), windows, uncountable: Vec::new() }
    })
}

type Together<'s> = Vec<(usize, Armed, &'s Episode<Arc<AuditEvent>>)>;

impl Subject {
    fn push(&mut self, change: &Change) {
        let event = &change.event;
        let document: Arc<str> = document(event).into();
        for (armed, window) in &mut self.windows {
            if armed.counts(change.kind) {
                let class = event.action.class().unwrap_or(ActClass::Change);
                let (document, sample) = (Arc::clone(&document), Arc::clone(event));
                window.push(Act { at: event.at, document, class, weight: change.weight, sample });
            }
        }
        if change.is_uncountable() {
            self.uncountable.push(Arc::clone(event));
        }
    }

    /// An incident for each stretch of time; episodes of several limits that overlap are one.
    fn judge(&self, who: &Who) -> Vec<Incident> {
        let own = self.windows.iter().enumerate();
        let mut all: Together<'_> = own
            .flat_map(|(order, (armed, window))| window.episodes().iter().map(move |episode| (order, *armed, episode)))
            .collect();
        all.sort_by_key(|(order, _, episode)| (episode.window.since, episode.window.until, *order));
        let mut apart: Vec<(Window, Together<'_>)> = Vec::new();
        for next in all {
            let span = next.2.window;
            match apart.last_mut().filter(|(known, _)| span.since < known.until) {
                Some((known, together)) => {
                    known.until = known.until.max(span.until);
                    together.push(next);
                }
                None => apart.push((span, vec![next])),
            }
        }
        let mut incidents: Vec<Incident> = apart
            .into_iter()
            .map(|(span, mut together)| {
                together.sort_by_key(|(order, ..)| *order);
                self.incident(who, span, &together)
            })
            .collect();
        if !matches!(who, Who::Room(_)) {
            self.tell_uncountable(who, &mut incidents);
        }
        incidents
    }

    fn incident(&self, who: &Who, span: Window, together: &Together<'_>) -> Incident {
        // a limit can be exceeded twice while another one joins the two; the fuller time counts
        let mut exceeded: Vec<Exceeded> = Vec::new();
        for (_, armed, episode) in together {
            let (documents, at_least) = (episode.peak.documents, episode.peak.at_least);
            let same = |known: &&mut Exceeded| (known.kind, known.threshold) == (armed.kind, armed.threshold);
            match exceeded.last_mut().filter(same) {
                Some(known) if known.documents >= documents => {}
                Some(known) => (known.documents, known.at_least) = (documents, at_least),
                None => {
                    exceeded.push(Exceeded { kind: armed.kind, threshold: armed.threshold, documents, at_least });
                }
            }
        }
        // a longer time with no more in it says nothing more
        let shorter = exceeded.clone();
        exceeded.retain(|one| {
            let says_all = |other: &Exceeded| {
                let is_shorter = other.threshold.minutes < one.threshold.minutes;
                other.kind == one.kind && is_shorter && other.documents >= one.documents
            };
            !shorter.iter().any(says_all)
        });
        let fullest = together
            .iter()
            .map(|(.., episode)| &episode.peak)
            .reduce(|best, next| if next.documents > best.documents { next } else { best });
        let peak = fullest.expect("an episode stands behind every incident");
        let finding = Finding {
            counts: Counts { acts: peak.acts, documents: peak.documents },
            reasons: exceeded.iter().filter(|one| says_more(one, &exceeded)).map(Exceeded::words).collect(),
            evidence: peak.samples.iter().map(|event| Evidence::from(&**event)).collect(),
            evidence_total: peak.events,
            ..self.blank(who, span)
        };
        Incident { who: who.clone(), finding, exceeded, uncountable: 0, last_uncountable: None }
    }

    fn blank(&self, who: &Who, span: Window) -> Finding {
        let id = match who {
            Who::Person(id) => *id,
            Who::Visitors(_) => GUEST_ACCOUNT,
            Who::Room(_) => Uuid::nil(),
        };
        Finding::new(RULE, fingerprint(who), Person::named(id, self.name.clone()), span)
    }

    /// Folders that went and that nobody could weigh are told whatever else was: with the incident that they are a part of, or by
    /// themselves.
    fn tell_uncountable(&self, who: &Who, incidents: &mut Vec<Incident>) {
        for event in &self.uncountable {
            let until = event.at + TimeDelta::microseconds(1);
            let near = incidents.iter_mut().find(|one| {
                let window = one.finding.window;
                (window.since - ONE_MATTER..window.until + ONE_MATTER).contains(&event.at)
            });
            match near {
                Some(incident) => {
                    let window = &mut incident.finding.window;
                    *window = Window::new(window.since.min(event.at), window.until.max(until));
                    incident.uncountable += 1;
                    incident.last_uncountable = Some(event.at);
                }
                None => {
                    let mut finding = self.blank(who, Window::new(event.at, until));
                    finding.counts = Counts { acts: 1, documents: 1 };
                    finding.evidence = vec![Evidence::from(&**event)];
                    finding.evidence_total = 1;
                    incidents.push(Incident {
                        who: who.clone(),
                        finding,
                        exceeded: Vec::new(),
                        uncountable: 1,
                        last_uncountable: Some(event.at),
                    });
                }
            }
        }
        for incident in incidents.iter_mut().filter(|incident| incident.uncountable > 0) {
            incident.finding.reasons.push(uncountable_words(incident.uncountable));
        }
    }
}

/// Where all changes are of one kind, the published rule says nothing more; nor do deletions where all of them are for good.
fn says_more(one: &Exceeded, all: &[Exceeded]) -> bool {
    let is_same =
        |other: &Exceeded| other.documents == one.documents && other.threshold.minutes == one.threshold.minutes;
    let is_narrower = |other: &Exceeded| match (one.kind, other.kind) {
        (None, Some(_)) => true,
        (Some(Kind::Deleted), Some(kind)) => kind != Kind::Deleted && kind.is_deletion(),
        _ => false,
    };
    !all.iter().any(|other| is_same(other) && is_narrower(other))
}

fn uncountable_words(folders: u64) -> String {
    if folders == 1 {
        "a folder or a room is not countable: nobody can list it any more, and what it held was not read before"
            .to_owned()
    } else {
        format!(
            "{folders} folders or rooms are not countable: nobody can list them any more, and what they held was not read before"
        )
    }
}

/// The same for the same person, or the same room.
fn fingerprint(who: &Who) -> String {
    match who {
        Who::Person(id) => audit_model::fingerprint(&[RULE, &id.to_string()]),
        Who::Visitors(title) => audit_model::fingerprint(&[RULE, "visitors", title.raw()]),
        Who::Room(title) => audit_model::fingerprint(&[RULE, "room", title.raw()]),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod year;
