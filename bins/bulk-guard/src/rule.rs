//! The rule `mass_change`: one person touches more distinct documents than a limit allows, in any stretch of the limit's length.
//! Pure; events come in order of (time, id).
//!
//! Two hundred documents renamed within five minutes are a finding. Suspicious, but none: an editor that saves one document two
//! hundred times.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::report::words::plural;
use audit_model::{
    Act, ActClass, AuditEvent, Counts, Course, Episode, Evidence, Finding, FindingState, Measure, Person, PortalText,
    Severity, SlidingWindow, Weight, Window, is_robot,
};
use uuid::Uuid;

use crate::config::{Armed, Limit, Limits};
use crate::kind::{Kind, document};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "mass_change";

/// So many times a limit on what spoils documents is no busy day any more.
pub(crate) const FLOOD_FACTOR: u64 = 5;

/// An event that changed documents, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) event: Arc<AuditEvent>,
    pub(crate) kind: Kind,
    pub(crate) weight: Weight,
}

impl AsRef<AuditEvent> for Change {
    fn as_ref(&self) -> &AuditEvent {
        &self.event
    }
}

/// Collects changes by person.
pub(crate) struct Detector {
    armed: Vec<Armed>,
    people: BTreeMap<Uuid, Subject>,
}

struct Subject {
    name: PortalText,
    /// Parallel to `Detector::armed`.
    windows: Vec<SlidingWindow<String, Arc<AuditEvent>>>,
}

/// A limit that was exceeded, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// `None`: the published rule.
    pub(crate) kind: Option<Kind>,
    pub(crate) limit: Limit,
    /// Distinct documents.
    pub(crate) documents: u64,
    /// Whether there may be more, because a folder could not be listed.
    pub(crate) at_least: bool,
}

impl Exceeded {
    /// `240 documents renamed within 10 min, more than 20`
    pub(crate) fn words(&self) -> String {
        let at_least = if self.at_least { "≥ " } else { "" };
        let done = self.kind.map_or("changed", Kind::participle);
        let Limit { documents, minutes } = self.limit;
        format!("{at_least}{} {done} within {minutes} min, more than {documents}", plural(self.documents, "document"))
    }

    /// Whether it spoils documents at a rate that nobody works at.
    pub(crate) fn is_flood(&self) -> bool {
        self.kind.is_some_and(Kind::is_harm) && self.documents >= self.limit.documents.saturating_mul(FLOOD_FACTOR)
    }
}

/// One finding, and what it was judged by.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) finding: Finding,
    /// The published limit first, then by kind.
    pub(crate) exceeded: Vec<Exceeded>,
}

impl Detector {
    pub(crate) fn new(limits: &Limits) -> Self {
        Detector::with(limits.armed())
    }

    pub(crate) fn with(armed: Vec<Armed>) -> Self {
        Detector { armed, people: BTreeMap::new() }
    }

    /// Takes in a change. Robots are passed over.
    pub(crate) fn push(&mut self, change: &Change) {
        let event = &change.event;
        if is_robot(event.actor) {
            return;
        }
        let subject = self.people.entry(event.actor).or_insert_with(|| {
            let window =
                |armed: &Armed| SlidingWindow::new(armed.limit.length(), armed.limit.documents, Measure::Documents);
            Subject { name: event.actor_name.clone(), windows: self.armed.iter().map(window).collect() }
        });
        let document = document(event);
        for (armed, window) in self.armed.iter().zip(&mut subject.windows) {
            if armed.counts(change.kind) {
                let class = event.action.class().unwrap_or(ActClass::Change);
                let (document, sample) = (document.clone(), Arc::clone(event));
                window.push(Act { at: event.at, document, class, weight: change.weight, sample });
            }
        }
    }

    /// Everybody above a limit, by person, then time.
    pub(crate) fn finish(self) -> Vec<Incident> {
        let armed = self.armed;
        self.people.iter().flat_map(|(id, subject)| subject.judge(*id, &armed)).collect()
    }
}

impl Subject {
    /// An incident for each stretch of time; episodes of several limits that overlap are one.
    fn judge(&self, id: Uuid, armed: &[Armed]) -> Vec<Incident> {
        let own = self.windows.iter().zip(armed);
        let mut all: Vec<(usize, &Armed, &Episode<Arc<AuditEvent>>)> = own
            .enumerate()
            .flat_map(|(order, (window, armed))| window.episodes().iter().map(move |episode| (order, armed, episode)))
            .collect();
        all.sort_by_key(|(order, _, episode)| (episode.window.since, episode.window.until, *order));
        let mut apart: Vec<(Window, Vec<_>)> = Vec::new();
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
        apart
            .into_iter()
            .map(|(span, mut together)| {
                together.sort_by_key(|(order, ..)| *order);
                self.incident(id, span, &together)
            })
            .collect()
    }

    fn incident(&self, id: Uuid, span: Window, together: &[(usize, &Armed, &Episode<Arc<AuditEvent>>)]) -> Incident {
        // a limit can be exceeded twice while another one joins the two; the fuller time counts
        let mut exceeded: Vec<Exceeded> = Vec::new();
        for (_, armed, episode) in together {
            let peak = &episode.peak;
            let (documents, at_least) = (peak.documents, peak.at_least);
            match exceeded.last_mut().filter(|known| known.kind == armed.kind) {
                Some(known) if known.documents >= documents => {}
                Some(known) => (known.documents, known.at_least) = (documents, at_least),
                None => exceeded.push(Exceeded { kind: armed.kind, limit: armed.limit, documents, at_least }),
            }
        }
        let fullest = together
            .iter()
            .map(|(.., episode)| &episode.peak)
            .reduce(|best, next| if next.documents > best.documents { next } else { best });
        let peak = fullest.expect("an episode stands behind every incident");
        // where all changes are of one kind, the published rule says nothing more
        let says_more = |one: &Exceeded| {
            one.kind.is_some() || !exceeded.iter().any(|other| other.kind.is_some() && other.documents == one.documents)
        };
        let mut reasons: Vec<String> = exceeded.iter().filter(|one| says_more(one)).map(Exceeded::words).collect();
        if peak.at_least {
            reasons.push("a folder among them could not be listed, so there may be more documents".to_owned());
        }
        let finding = Finding {
            rule: RULE.to_owned(),
            severity: Severity::Medium,
            state: FindingState::New,
            course: Course::Burst,
            matter: None,
            fingerprint: fingerprint(id),
            person: Person::named(id, self.name.clone()),
            room: None,
            counts: Counts { acts: peak.acts, documents: peak.documents },
            window: span,
            reasons,
            evidence: peak.samples.iter().map(|event| Evidence::from(&**event)).collect(),
            evidence_total: peak.events,
        };
        Incident { finding, exceeded }
    }
}

/// The same for the same person.
fn fingerprint(actor: Uuid) -> String {
    audit_model::fingerprint(&[RULE, &actor.to_string()])
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod year;
