//! The rule `unusual_activity`: more acts of one person in one room than the limits allow, in any stretch of an hour, of a day,
//! or in the whole window; acts of all classes together, and those of one class. Pure; events come in order of (time, id).
//!
//! Thirty downloads of thirty documents within an hour are a finding. Suspicious, but none: three hundred automatic saves of one
//! document over a day are one act. Two bursts that share no act are two findings with one fingerprint, also where both are part
//! of one full day: whoever was told of the first has not heard of the second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::report::words::plural;
use audit_model::{
    Act, ActClass, Attributed, AuditEvent, BlindSpot, Counts, Course, Episode, Evidence, Finding, FindingRoom,
    FindingState, Measure, Person, PortalText, RoomId, Sessions, Severity, SlidingWindow, Weight, Window, is_robot,
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config::{Limit, Limits, Span};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "unusual_activity";

/// How far back a run looks when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 3] =
    [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions, BlindSpot::FilesInFolderOperations];

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
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) event: Arc<AuditEvent>,
    pub(crate) key: RoomKey,
    pub(crate) title: PortalText,
    pub(crate) candidates: Vec<RoomId>,
    pub(crate) attributed: Attributed,
    /// How many documents stand behind it.
    pub(crate) weight: Weight,
    /// Where the document is now may tell the room, and could not be looked up.
    pub(crate) is_unplaced: bool,
}

impl AsRef<AuditEvent> for Placed {
    fn as_ref(&self) -> &AuditEvent {
        &self.event
    }
}

impl Placed {
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
    /// Where the whole window begins; acts before it count for the other limits only.
    since: DateTime<Utc>,
}

struct Subject {
    person: Person,
    room: FindingRoom,
    sessions: Sessions<(String, ActClass)>,
    windows: Vec<Limited>,
    /// All acts, in order of time.
    acts: Vec<Counted>,
    /// The place of one of the documents could not be looked up.
    is_unplaced: bool,
}

/// What of an act is counted.
struct Counted {
    at: DateTime<Utc>,
    class: ActClass,
    document: String,
    weight: Weight,
}

/// The acts of a finding.
#[derive(Default)]
struct Total {
    acts: u64,
    /// The distinct documents, each with the most it stood for.
    documents: BTreeMap<String, u64>,
    classes: BTreeMap<ActClass, u64>,
    events: u64,
    at_least: bool,
}

/// One limit with the window that it is judged in.
struct Limited {
    limit: Limit,
    window: SlidingWindow<String, Evidence>,
}

/// An episode above a limit.
type Exceeded<'a> = (&'a Limit, &'a Episode<Evidence>);

impl<'a> Detector<'a> {
    pub(crate) fn new(limits: &'a Limits, twins: BTreeSet<RoomId>, since: DateTime<Utc>) -> Self {
        Detector { limits, twins, subjects: BTreeMap::new(), since }
    }

    /// Takes in an event of a watched room. Robots, and events that are no act, are passed over.
    pub(crate) fn push(&mut self, placed: Placed) {
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
            self.count(Placed { key, title, candidates, ..placed.clone() }, class);
        }
        self.count(placed, class);
    }

    fn count(&mut self, placed: Placed, class: ActClass) {
        let event = &*placed.event;
        let (limits, since) = (self.limits, self.since);
        let subject =
            self.subjects.entry((event.actor, placed.key.clone())).or_insert_with(|| Subject::new(limits, &placed));
        subject.room.attributed = subject.room.attributed.max(placed.attributed);
        if subject.room.id.is_none() {
            let more = placed.candidates.iter().filter(|id| !subject.room.candidates.contains(id));
            let more: Vec<RoomId> = more.cloned().collect();
            subject.room.candidates.extend(more);
            subject.room.candidates.sort();
        }
        subject.person.name = event.actor_name.clone();
        subject.is_unplaced |= placed.is_unplaced;
        // an event without a target is a document of its own
        let document = event.target.first().cloned().unwrap_or_else(|| format!("event {}", event.id));
        // where the target is the room each time: of a change of members only the sentence tells whose, and links may have one name
        let key = match (class, &event.text) {
            (ActClass::Membership, Some(text)) => format!("{document} {}", text.raw()),
            (ActClass::Share, _) if event.action.is_about_room() => format!("event {}", event.id),
            _ => document.clone(),
        };
        if subject.sessions.begins((key, class), event.at) {
            let counts =
                |limit: &Limit| limit.is_about(class) && (limit.span != Span::WholeWindow || event.at >= since);
            for limited in subject.windows.iter_mut().filter(|limited| counts(&limited.limit)) {
                let (document, weight, sample) = (document.clone(), placed.weight, Evidence::from(event));
                limited.window.push(Act { at: event.at, document, class, weight, sample });
            }
            subject.acts.push(Counted { at: event.at, class, document, weight: placed.weight });
        }
    }

    /// Everybody above a limit, in the order of every report.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let (perhaps, plain): (Vec<_>, Vec<_>) =
            self.subjects.into_iter().partition(|((_, key), _)| matches!(key, RoomKey::Perhaps(_)));
        let mut findings: Vec<Finding> = plain.into_iter().flat_map(|(key, subject)| subject.judge(&key)).collect();
        for (key, subject) in perhaps {
            for finding in subject.judge(&key) {
                if !findings.iter().any(|other| tells_of(other, &finding, &key.1)) {
                    findings.push(finding);
                }
            }
        }
        Finding::sort(&mut findings);
        findings
    }
}

/// Whether a finding says already what one about all that surely or possibly happened in a room would say: it is about that very
/// room, or about rooms of which it may be one, at the same time, and no less severe.
fn tells_of(known: &Finding, perhaps: &Finding, key: &RoomKey) -> bool {
    let (Some(room), RoomKey::Perhaps(id)) = (&known.room, key) else { return false };
    let same_room = match &room.id {
        Some(sure) => sure == id,
        None => room.candidates.contains(id),
    };
    let same_time = !known.window.intersection(&perhaps.window).is_empty();
    known.person.id == perhaps.person.id && same_room && same_time && known.severity >= perhaps.severity
}

impl Subject {
    fn new(limits: &Limits, placed: &Placed) -> Self {
        let id = match &placed.key {
            RoomKey::Known(id) => Some(id.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        };
        let window = |limit: &Limit| SlidingWindow::new(limit.span.length(), limit.acts, Measure::Acts);
        Subject {
            person: Person::named(placed.event.actor, placed.event.actor_name.clone()),
            room: FindingRoom {
                id,
                candidates: placed.candidates.clone(),
                title: placed.title.clone(),
                attributed: placed.attributed,
            },
            sessions: Sessions::default(),
            windows: limits.armed().into_iter().map(|limit| Limited { window: window(&limit), limit }).collect(),
            acts: Vec::new(),
            is_unplaced: false,
        }
    }

    /// A finding for each burst, and for each stretch of time that is too full without one.
    ///
    /// Bursts are the episodes of the limits for an hour; those of several limits that overlap are one. A full day is told with its
    /// last burst, which then lasts as long as the day: reaching back, it would be about the time of bursts that were told.
    fn judge(self, (actor, room): &(Uuid, RoomKey)) -> Vec<Finding> {
        let mut exceeded: Vec<Exceeded<'_>> = self
            .windows
            .iter()
            .flat_map(|limited| limited.window.episodes().iter().map(|episode| (&limited.limit, episode)))
            .collect();
        exceeded.sort_by_key(|(_, episode)| (episode.window.since, episode.window.until));
        let (bursts, longer): (Vec<_>, Vec<_>) = exceeded.into_iter().partition(|(limit, _)| limit.span == Span::Hour);
        let mut together: Vec<(Window, Vec<Exceeded<'_>>)> = Vec::new();
        for next in bursts.into_iter().chain(longer) {
            let span = next.1.window;
            match together.iter_mut().filter(|(known, _)| !known.intersection(&span).is_empty()).last() {
                Some((known, episodes)) => {
                    known.until = known.until.max(span.until);
                    episodes.push(next);
                }
                None => {
                    together.push((span, vec![next]));
                    together.sort_by_key(|(known, _)| known.since);
                }
            }
        }
        together.into_iter().map(|(span, episodes)| self.finding(*actor, room, span, episodes)).collect()
    }

    fn finding(&self, actor: Uuid, room: &RoomKey, span: Window, mut exceeded: Vec<Exceeded<'_>>) -> Finding {
        exceeded.sort_by_key(|(limit, _)| **limit);
        let mut reasons: Vec<String> = exceeded.iter().map(|(limit, episode)| reason(limit, episode)).collect();
        let total = self.total(span, &exceeded);
        let counts = Counts { acts: total.acts, documents: total.documents.values().sum() };
        reasons.push(format!("{} on {}", by_class(&total.classes), plural(counts.documents, "document")));
        if total.at_least {
            let unlisted = "a folder among them could not be listed, so there may be more documents".to_owned();
            reasons.push(unlisted);
        }
        reasons.extend(self.open_room(room));
        let own = exceeded.iter().filter(|(_, episode)| episode.window.since >= span.since);
        let fullest = own.max_by_key(|(_, episode)| episode.peak.acts).expect("an episode begins every finding");
        let severities = exceeded.iter().map(|(limit, episode)| severity(episode.peak.acts, limit.acts));
        Finding {
            rule: RULE.to_owned(),
            severity: severities.max().expect("an episode begins every finding"),
            state: FindingState::New,
            course: Course::Burst,
            matter: None,
            fingerprint: fingerprint(actor, room),
            person: self.person.clone(),
            room: Some(self.room.clone()),
            counts,
            window: span,
            reasons,
            evidence: fullest.1.peak.samples.clone(),
            evidence_total: total.events,
        }
    }

    /// The acts in the span that the exceeded limits are about.
    fn total(&self, span: Window, exceeded: &[Exceeded<'_>]) -> Total {
        let is_meant =
            |act: &&Counted| span.contains(act.at) && exceeded.iter().any(|(limit, _)| limit.is_about(act.class));
        let mut total = Total::default();
        for Counted { class, document, weight, .. } in self.acts.iter().filter(is_meant) {
            total.acts += weight.documents;
            *total.classes.entry(*class).or_default() += weight.documents;
            let heaviest = total.documents.entry(document.clone()).or_default();
            *heaviest = weight.documents.max(*heaviest);
            total.events += 1;
            total.at_least |= weight.at_least;
        }
        total
    }

    /// Why it is not known which room it was; `None` when it is.
    fn open_room(&self, room: &RoomKey) -> Option<String> {
        let several = if self.is_unplaced {
            "several rooms have had this title, and where the documents are could not be looked up"
        } else {
            "several rooms have had this title, and the portal's records do not tell them apart"
        };
        Some(match room {
            RoomKey::Known(_) => return None,
            RoomKey::Perhaps(id) => {
                format!("{several}; this counts all actions that surely or possibly were in room {id}")
            }
            RoomKey::OneOf(_) if self.room.candidates.is_empty() && self.is_unplaced => {
                "no known room had this title then, and where the documents are could not be looked up".to_owned()
            }
            RoomKey::OneOf(_) if self.room.candidates.is_empty() => {
                "no known room had this title then; it may be one that was renamed or deleted since".to_owned()
            }
            RoomKey::OneOf(_) => several.to_owned(),
        })
    }
}

/// `41 acts within 1 h, more than 20`
fn reason(limit: &Limit, episode: &Episode<Evidence>) -> String {
    let peak = &episode.peak;
    let counted = match limit.class {
        Some(class) => of_class(class, peak.acts),
        None => plural(peak.acts, "action"),
    };
    let at_least = if peak.at_least { "≥ " } else { "" };
    let span = limit.span.words();
    format!("{at_least}{counted} {span}, more than {}", limit.acts)
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
    classes.into_iter().map(|(class, count)| of_class(class, count)).collect::<Vec<_>>().join(", ")
}

pub(crate) fn of_class(class: ActClass, count: u64) -> String {
    match class {
        ActClass::View => plural(count, "opening"),
        ActClass::Download => plural(count, "download"),
        ActClass::Change => plural(count, "change"),
        ActClass::Delete => plural(count, "deletion"),
        ActClass::Share => plural(count, "share"),
        ActClass::Membership if count == 1 => "1 change of members".to_owned(),
        ActClass::Membership => format!("{count} changes of members"),
    }
}

/// The same for the same person and room, whatever the window.
fn fingerprint(actor: Uuid, room: &RoomKey) -> String {
    let room = match room {
        RoomKey::Known(id) => format!("room {id}"),
        RoomKey::OneOf(title) => format!("title {}", title.raw()),
        RoomKey::Perhaps(id) => format!("perhaps room {id}"),
    };
    audit_model::fingerprint(&[RULE, &actor.to_string(), &room])
}

#[cfg(test)]
mod tests;
