//! Counts changes by person and by room: more distinct documents than a limit allows, in any stretch of the limit's length, are an
//! incident. Events come in order of (time, id).

use std::collections::BTreeMap;
use std::sync::Arc;

use audit_model::{
    Act, AuditEvent, Counts, Episode, Evidence, Finding, GUEST_ACCOUNT, Measure, PortalText, SlidingWindow, Window,
    is_robot, title_in_context,
};
use chrono::TimeDelta;

use crate::config::{Armed, Limits};
use crate::rule::change::Change;
use crate::rule::incident::{Exceeded, Incident, Who, place, says_more};
use crate::rule::kind::document;
use crate::rule::reasons;

/// Folders that nobody can weigh, and that go within so long a time, are one incident.
const ONE_INCIDENT: TimeDelta = TimeDelta::minutes(10);

/// Collects changes by person, and by room.
pub(crate) struct Detector {
    armed: Vec<Armed>,
    armed_in_room: Vec<Armed>,
    subjects: BTreeMap<Who, Track>,
}

/// Changes in a window that slides, by document.
type Changes = SlidingWindow<Arc<str>, Arc<AuditEvent>>;

struct Track {
    name: PortalText,
    /// Each limit, and what fell under it.
    windows: Vec<(Armed, Changes)>,
    /// What went, and nobody knows how much it was.
    uncountable: Vec<Arc<AuditEvent>>,
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
            if title_in_context(event).is_some() && !event.action.is_saved_by_editor() {
                subject(&mut self.subjects, &self.armed_in_room, Who::VisitorsOfRooms, &name).push(change);
            }
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

fn subject<'s>(subjects: &'s mut BTreeMap<Who, Track>, armed: &[Armed], who: Who, name: &PortalText) -> &'s mut Track {
    subjects.entry(who).or_insert_with(|| {
        let window =
            |armed: &Armed| SlidingWindow::new(armed.threshold.length(), armed.threshold.documents, Measure::Documents);
        let windows = armed.iter().map(|armed| (*armed, window(armed))).collect();
        Track { name: name.clone(), windows, uncountable: Vec::new() }
    })
}

type Together<'s> = Vec<(usize, Armed, &'s Episode<Arc<AuditEvent>>)>;

impl Track {
    fn push(&mut self, change: &Change) {
        let event = &change.event;
        let document: Arc<str> = document(event).into();
        for (armed, window) in &mut self.windows {
            if armed.counts(change.kind) {
                let (document, sample) = (Arc::clone(&document), Arc::clone(event));
                window.push(Act { at: event.at, document, weight: change.weight, sample });
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
        if !matches!(who, Who::Room(_) | Who::VisitorsOfRooms) {
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
            reasons: exceeded.iter().filter(|one| says_more(one, &exceeded)).map(Exceeded::sentence).collect(),
            evidence: peak.samples.iter().map(|event| Evidence::from(&**event)).collect(),
            evidence_total: peak.events,
            ..who.finding(&self.name, span)
        };
        Incident { who: who.clone(), finding, exceeded, uncountable: 0, last_uncountable: None }
    }

    /// Folders that went and that nobody could weigh are told whatever else was: with the incident that they are a part of, or by
    /// themselves.
    fn tell_uncountable(&self, who: &Who, incidents: &mut Vec<Incident>) {
        for event in &self.uncountable {
            let until = event.at + TimeDelta::microseconds(1);
            let near = incidents.iter_mut().find(|one| {
                let window = one.finding.window;
                (window.since - ONE_INCIDENT..window.until + ONE_INCIDENT).contains(&event.at)
            });
            match near {
                Some(incident) => {
                    let window = &mut incident.finding.window;
                    *window = Window::new(window.since.min(event.at), window.until.max(until));
                    incident.uncountable += 1;
                    incident.last_uncountable = Some(event.at);
                }
                None => {
                    let mut finding = who.finding(&self.name, Window::new(event.at, until));
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
            incident.finding.reasons.push(reasons::uncountable(incident.uncountable));
        }
    }
}

#[cfg(test)]
mod tests;
