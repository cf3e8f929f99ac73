//! The rule `unusual_activity`: more acts of one person in one room than the limits allow, in any stretch of an hour, of a day,
//! or in the whole window. Pure; events come in order of (time, id).
//!
//! Thirty downloads of thirty documents within an hour are a finding. Suspicious, but none: three hundred automatic saves of one
//! document over a day are one act.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use audit_model::{
    Act, ActClass, Attributed, AuditEvent, Counts, Evidence, Finding, FindingRoom, FindingState, Peak, Person,
    PortalText, RoomId, Sessions, Severity, SlidingWindow, is_robot,
};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::config::Limits;

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "unusual_activity";

/// More than twice a limit is hard to explain with a busy day.
const HIGH_FACTOR: u64 = 2;

/// More than five times a limit is a room being emptied.
const CRITICAL_FACTOR: u64 = 5;

/// A room that events are counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RoomKey {
    Known(RoomId),
    /// One of several rooms that have had the title, nothing tells which; or a room of which only the title is known.
    OneOf(PortalText),
    /// A room with all that surely or possibly happened in it: a twin must not double the limits.
    Perhaps(RoomId),
}

/// An event of a watched room.
pub(crate) struct Placed<'a> {
    pub(crate) event: &'a AuditEvent,
    pub(crate) key: RoomKey,
    pub(crate) title: PortalText,
    pub(crate) candidates: Vec<RoomId>,
    pub(crate) attributed: Attributed,
}

impl Placed<'_> {
    /// Whether it is an act in a room of which only the title is known.
    pub(crate) fn is_unattributed(&self) -> bool {
        matches!(self.key, RoomKey::OneOf(_)) && self.candidates.is_empty() && self.event.action.class().is_some()
    }
}

/// Collects acts per person and room.
pub(crate) struct Detector<'a> {
    limits: &'a Limits,
    /// Rooms that share a title with another.
    twins: BTreeSet<RoomId>,
    subjects: BTreeMap<(Uuid, RoomKey), Subject>,
    /// Only findings around these instants are looked for; `None` for all.
    around: Option<Arc<BTreeSet<DateTime<Utc>>>>,
}

struct Subject {
    person: Person,
    room: FindingRoom,
    sessions: Sessions<(String, ActClass)>,
    windows: Vec<Limited>,
}

/// One limit with the window that it is judged in.
struct Limited {
    label: &'static str,
    limit: u64,
    window: SlidingWindow<String, Evidence>,
}

impl<'a> Detector<'a> {
    pub(crate) fn new(limits: &'a Limits, twins: BTreeSet<RoomId>) -> Self {
        Detector { limits, twins, subjects: BTreeMap::new(), around: None }
    }

    /// Looks only for stretches that hold one of these instants.
    pub(crate) fn only_around(self, instants: Option<Arc<BTreeSet<DateTime<Utc>>>>) -> Self {
        Detector { around: instants, ..self }
    }

    /// Takes in an event of a watched room. Robots, and events that are no act, are passed over.
    pub(crate) fn push(&mut self, placed: Placed<'_>) {
        let Some(class) = placed.event.action.class() else { return };
        if is_robot(placed.event.actor) {
            return;
        }
        let perhaps: Vec<RoomId> = match &placed.key {
            RoomKey::Known(id) => self.twins.get(id).into_iter().cloned().collect(),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => placed.candidates.clone(),
        };
        for id in perhaps {
            let candidates =
                placed.candidates.iter().chain([&id]).cloned().collect::<BTreeSet<_>>().into_iter().collect();
            let (title, key) = (placed.title.clone(), RoomKey::Perhaps(id));
            self.count(Placed { key, title, candidates, ..placed }, class);
        }
        self.count(placed, class);
    }

    fn count(&mut self, placed: Placed<'_>, class: ActClass) {
        let event = placed.event;
        let (limits, around) = (self.limits, &self.around);
        let subject = self
            .subjects
            .entry((event.actor, placed.key.clone()))
            .or_insert_with(|| Subject::new(limits, &placed, around.as_ref()));
        subject.room.attributed = subject.room.attributed.max(placed.attributed);
        if subject.room.id.is_none() {
            let more = placed.candidates.iter().filter(|id| !subject.room.candidates.contains(id));
            let more: Vec<RoomId> = more.cloned().collect();
            subject.room.candidates.extend(more);
            subject.room.candidates.sort();
        }
        subject.person.name = event.actor_name.clone();
        // an event without a target is a document of its own
        let document = event.target.first().cloned().unwrap_or_else(|| format!("event {}", event.id));
        // of a change of members only the sentence tells whose; the target is the room each time
        let of_whom = event.text.as_ref().filter(|_| class == ActClass::Membership);
        let key = of_whom.map_or_else(|| document.clone(), |text| format!("{document} {}", text.raw()));
        if subject.sessions.begins((key, class), event.at) {
            for limited in &mut subject.windows {
                let sample = Evidence::from(event);
                limited.window.push(Act { at: event.at, document: document.clone(), class, sample });
            }
        }
    }

    /// Everybody above a limit, in the order of every report.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let (perhaps, plain): (Vec<_>, Vec<_>) =
            self.subjects.into_iter().partition(|((_, key), _)| matches!(key, RoomKey::Perhaps(_)));
        let mut findings: Vec<Finding> = plain.into_iter().filter_map(|(key, subject)| subject.judge(&key)).collect();
        for (key, subject) in perhaps {
            let Some(finding) = subject.judge(&key) else { continue };
            if !findings.iter().any(|other| tells_of(other, &finding, &key.1)) {
                findings.push(finding);
            }
        }
        Finding::sort(&mut findings);
        findings
    }
}

/// Whether a finding says already what one about all that surely or possibly happened in a room would say: it is about that very
/// room, or about rooms of which it may be one, and no less severe.
fn tells_of(known: &Finding, perhaps: &Finding, key: &RoomKey) -> bool {
    let (Some(room), RoomKey::Perhaps(id)) = (&known.room, key) else { return false };
    let same_room = match &room.id {
        Some(sure) => sure == id,
        None => room.candidates.contains(id),
    };
    known.person.id == perhaps.person.id && same_room && known.severity >= perhaps.severity
}

impl Subject {
    fn new(limits: &Limits, placed: &Placed<'_>, around: Option<&Arc<BTreeSet<DateTime<Utc>>>>) -> Self {
        let id = match &placed.key {
            RoomKey::Known(id) => Some(id.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        };
        let windows = [
            ("within 1 h", limits.per_hour, TimeDelta::hours(1)),
            ("within 24 h", limits.per_day, TimeDelta::hours(24)),
            ("in the whole window", limits.whole_window, TimeDelta::MAX),
        ];
        let windows = windows.into_iter().filter(|(_, limit, _)| *limit > 0);
        Subject {
            person: Person::named(placed.event.actor, placed.event.actor_name.clone()),
            room: FindingRoom {
                id,
                candidates: placed.candidates.clone(),
                title: placed.title.clone(),
                attributed: placed.attributed,
            },
            sessions: Sessions::default(),
            windows: windows
                .map(|(label, limit, length)| {
                    let window = SlidingWindow::new(length, limit).only_around(around.cloned());
                    Limited { label, limit, window }
                })
                .collect(),
        }
    }

    fn judge(self, (actor, room): &(Uuid, RoomKey)) -> Option<Finding> {
        let exceeded = self.windows.iter().filter_map(|limited| Some((limited, limited.window.peak()?)));
        let exceeded: Vec<(&Limited, &Peak<Evidence>)> = exceeded.collect();
        // the limit that was exceeded by the largest factor leads; the first of equals, so the shortest window
        let (worst, peak) = exceeded
            .iter()
            .copied()
            .reduce(|best, next| if next.1.acts * best.0.limit > best.1.acts * next.0.limit { next } else { best })?;
        let mut reasons: Vec<String> = exceeded
            .iter()
            .map(|(limited, peak)| format!("{} acts {}, more than {}", peak.acts, limited.label, limited.limit))
            .collect();
        reasons.push(format!("{} on {}", by_class(&peak.classes), plural(peak.documents, "document")));
        if self.room.id.is_none() {
            let several =
                "several rooms have had this title, and the portal's records do not tell them apart".to_owned();
            reasons.push(match room {
                RoomKey::Perhaps(id) => {
                    format!("{several}; this counts all acts that surely or possibly were in room {id}")
                }
                _ if self.room.candidates.is_empty() => {
                    "no known room had this title then; it may be one that was renamed or deleted since".to_owned()
                }
                _ => several,
            });
        }
        Some(Finding {
            rule: RULE.to_owned(),
            severity: severity(peak.acts, worst.limit),
            state: FindingState::New,
            fingerprint: fingerprint(*actor, room),
            person: self.person,
            room: Some(self.room),
            counts: Counts { acts: peak.acts, documents: peak.documents },
            window: peak.window,
            reasons,
            evidence: peak.samples.clone(),
            evidence_total: peak.acts,
        })
    }
}

fn severity(acts: u64, limit: u64) -> Severity {
    match acts {
        acts if acts > limit.saturating_mul(CRITICAL_FACTOR) => Severity::Critical,
        acts if acts > limit.saturating_mul(HIGH_FACTOR) => Severity::High,
        _ => Severity::Medium,
    }
}

/// `38 downloads, 3 changes`, most frequent first.
fn by_class(classes: &BTreeMap<ActClass, u64>) -> String {
    let mut classes: Vec<(ActClass, u64)> = classes.iter().map(|(class, count)| (*class, *count)).collect();
    classes.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    let named = classes.into_iter().map(|(class, count)| match class {
        ActClass::View => plural(count, "opening"),
        ActClass::Download => plural(count, "download"),
        ActClass::Change => plural(count, "change"),
        ActClass::Delete => plural(count, "deletion"),
        ActClass::Share => plural(count, "act of sharing").replace("act of sharings", "acts of sharing"),
        ActClass::Membership => plural(count, "change of members").replace("change of memberss", "changes of members"),
    });
    named.collect::<Vec<_>>().join(", ")
}

pub(crate) fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The same for the same person and room, whatever the window: the first 16 hexadecimal digits of a SHA-256.
fn fingerprint(actor: Uuid, room: &RoomKey) -> String {
    let room = match room {
        RoomKey::Known(id) => format!("room {id}"),
        RoomKey::OneOf(title) => format!("title {}", title.raw()),
        RoomKey::Perhaps(id) => format!("perhaps room {id}"),
    };
    let digest = Sha256::digest(format!("{RULE}\n{actor}\n{room}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
