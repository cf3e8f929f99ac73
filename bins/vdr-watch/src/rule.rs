//! The rule `unusual_activity`: more acts of one person in one room than the limits allow, in any stretch of an hour, of a day,
//! or in the whole window; acts of all classes together, and those of one class. Pure; events come in order of (time, id).
//!
//! Thirty downloads of thirty documents within an hour are a finding. Suspicious, but none: three hundred automatic saves of one
//! document over a day are one act. Two bursts that share no act are two findings with one fingerprint, also where both are part
//! of one full day: whoever was told of the first has not heard of the second.
//!
//! Three limits go by more than the window, as far as it is remembered: all that somebody did in thirty days, what they did at hours at
//! which they did not work before, and how much of a room they downloaded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ::report::words::{list_of, plural};
use audit_model::{
    Act, ActClass, Attributed, AuditEvent, BlindSpot, Counts, Episode, Evidence, Finding, FindingRoom, MAX_EVIDENCE,
    Measure, Person, PortalText, RoomId, Sessions, Severity, SlidingWindow, Weight, Window, is_robot,
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config::{Basis, Limit, Limits, Span};
use crate::usual::{Hours, Usual};

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

/// Up to so many documents are little.
const LITTLE: u64 = 10;

/// Folders named that nobody could weigh.
const FOLDERS_NAMED: usize = 5;

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
    usual: &'a Usual,
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
    hours: Option<Hours>,
    /// The last events, at most [`MAX_EVIDENCE`].
    latest: VecDeque<Evidence>,
}

/// What of an act is counted.
struct Counted {
    at: DateTime<Utc>,
    class: ActClass,
    document: String,
    weight: Weight,
    /// The event, where it is about a folder of which nobody knows what it held.
    folder: Option<Evidence>,
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

impl Total {
    fn add(&mut self, Counted { class, document, weight, .. }: &Counted) {
        self.acts += weight.documents;
        *self.classes.entry(*class).or_default() += weight.documents;
        let heaviest = self.documents.entry(document.clone()).or_default();
        *heaviest = weight.documents.max(*heaviest);
        self.events += 1;
        self.at_least |= weight.at_least;
    }

    fn counts(&self) -> Counts {
        Counts { acts: self.acts, documents: self.documents.values().sum() }
    }
}

/// One limit with the window that it is judged in.
struct Limited {
    limit: Limit,
    window: SlidingWindow<String, Evidence>,
}

/// An episode above a limit.
type Exceeded<'a> = (&'a Limit, &'a Episode<Evidence>);

impl<'a> Detector<'a> {
    pub(crate) fn new(limits: &'a Limits, usual: &'a Usual, twins: BTreeSet<RoomId>, since: DateTime<Utc>) -> Self {
        Detector { limits, usual, twins, subjects: BTreeMap::new(), since }
    }

    /// Who did more than a little in one room, and where: about them it is worth knowing what is usual.
    pub(crate) fn busy(&self) -> (BTreeSet<Uuid>, BTreeSet<RoomId>) {
        let busy = self.subjects.iter().filter_map(|((person, key), subject)| match key {
            RoomKey::Known(room) if subject.acts.iter().map(|act| act.weight.documents).sum::<u64>() > LITTLE => {
                Some((*person, room.clone()))
            }
            _ => None,
        });
        busy.unzip()
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
        let (limits, usual, since) = (self.limits, self.usual, self.since);
        let subject = self
            .subjects
            .entry((event.actor, placed.key.clone()))
            .or_insert_with(|| Subject::new(limits, usual, &placed));
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
            let is_usual = subject.hours.is_none_or(|hours| hours.include(event.at));
            let counts = |limit: &Limit| {
                let is_meant = match limit.span {
                    Span::Month => true,
                    Span::WholeWindow => event.at >= since,
                    // earlier ones were judged by earlier runs
                    Span::Hour | Span::Day => event.at >= usual.before.until,
                };
                limit.is_about(class) && is_meant && (limit.basis != Basis::UnusualHours || !is_usual)
            };
            for limited in subject.windows.iter_mut().filter(|limited| counts(&limited.limit)) {
                let (document, weight, sample) = (document.clone(), placed.weight, Evidence::from(event));
                limited.window.push(Act { at: event.at, document, class, weight, sample });
            }
            let folder = placed.weight.at_least.then(|| Evidence::from(event));
            if subject.latest.len() == MAX_EVIDENCE {
                subject.latest.pop_front();
            }
            subject.latest.push_back(Evidence::from(event));
            subject.acts.push(Counted { at: event.at, class, document, weight: placed.weight, folder });
        }
    }

    /// Whether anybody did something to a folder of which nobody knows what it held.
    pub(crate) fn has_uncounted_folders(&self) -> bool {
        self.subjects.values().any(|subject| subject.acts.iter().any(|act| act.folder.is_some()))
    }

    /// Everybody above a limit, and everybody who did something to a folder that nobody could weigh, in the order of every report.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let (perhaps, plain): (Vec<_>, Vec<_>) =
            self.subjects.into_iter().partition(|((_, key), _)| matches!(key, RoomKey::Perhaps(_)));
        let since = self.usual.before.until;
        let judge = |(key, subject): ((Uuid, RoomKey), Subject)| subject.judge(&key, since);
        let mut findings: Vec<Finding> = plain.into_iter().flat_map(judge).collect();
        for (key, subject) in perhaps {
            for finding in subject.judge(&key, since) {
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
    fn new(limits: &Limits, usual: &Usual, placed: &Placed) -> Self {
        let id = match &placed.key {
            RoomKey::Known(id) => Some(id.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        };
        let window = |limit: &Limit| {
            let measure = match limit.basis {
                Basis::ShareOfRoom { .. } => Measure::Documents,
                Basis::Actions | Basis::UnusualHours => Measure::Acts,
            };
            SlidingWindow::new(limit.span.length(), limit.acts, measure)
        };
        let hours = usual.hours(placed.event.actor);
        let documents = id.as_ref().and_then(|room| usual.documents_in(room));
        let own = [
            hours.and_then(|_| limits.at_unusual_hours()),
            documents.and_then(|documents| limits.for_share(documents)),
        ];
        let limits = limits.armed().into_iter().chain(own.into_iter().flatten());
        Subject {
            person: Person::named(placed.event.actor, placed.event.actor_name.clone()),
            room: FindingRoom {
                id,
                candidates: placed.candidates.clone(),
                title: placed.title.clone(),
                attributed: placed.attributed,
            },
            sessions: Sessions::default(),
            windows: limits.map(|limit| Limited { window: window(&limit), limit }).collect(),
            acts: Vec::new(),
            is_unplaced: false,
            hours,
            latest: VecDeque::new(),
        }
    }

    /// A finding for each burst, and for each stretch of time that is too full without one.
    ///
    /// Bursts are the episodes of the limits for an hour; those of several limits that overlap are one. A full day is told with its
    /// last burst, which then lasts as long as the day: reaching back, it would be about the time of bursts that were told. Of thirty days
    /// what is told is what happened since `since`, if that was more than a little and new.
    fn judge(self, (actor, room): &(Uuid, RoomKey), since: DateTime<Utc>) -> Vec<Finding> {
        let mut exceeded: Vec<Exceeded<'_>> = self
            .windows
            .iter()
            .flat_map(|limited| limited.window.episodes().iter().map(|episode| (&limited.limit, episode)))
            .collect();
        exceeded.sort_by_key(|(_, episode)| (episode.window.since, episode.window.until));
        let (bursts, longer): (Vec<_>, Vec<_>) = exceeded.into_iter().partition(|(limit, _)| limit.span == Span::Hour);
        let mut together: Vec<(Window, Vec<Exceeded<'_>>)> = Vec::new();
        for next in bursts.into_iter().chain(longer) {
            let whole = next.1.window;
            let span = Window::new(whole.since.max(since), whole.until);
            if next.0.span == Span::Month && self.news(span) <= LITTLE {
                continue;
            }
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
        let is_told = |act: &&Counted| together.iter().any(|(span, _)| span.contains(act.at));
        let folders: Vec<&Counted> = self.acts.iter().filter(|act| act.folder.is_some() && !is_told(act)).collect();
        let folders = folders.chunk_by(|one, next| next.at - one.at < Span::Hour.length());
        let folders: Vec<Finding> = folders.filter_map(|acts| self.of_folders(*actor, room, acts)).collect();
        let limits = together.into_iter().map(|(span, episodes)| self.finding(*actor, room, span, episodes));
        limits.chain(folders).collect()
    }

    /// What somebody did to folders that nobody could weigh: below the limits, and perhaps only because nobody knows.
    fn of_folders(&self, actor: Uuid, room: &RoomKey, acts: &[&Counted]) -> Option<Finding> {
        let (first, last) = acts.first().zip(acts.last())?;
        let mut total = Total::default();
        acts.iter().for_each(|act| total.add(act));
        let counts = total.counts();
        let mut reasons =
            vec![format!("{} on folders of which nobody knows what they held", plural(total.events, "action"))];
        reasons.push(format!("{} on {}", by_class(&total.classes), plural(counts.documents, "document")));
        reasons.push(not_listed(acts.iter().copied()));
        reasons.extend(self.open_room(room));
        Some(Finding {
            counts,
            reasons,
            evidence: acts.iter().filter_map(|act| act.folder.clone()).take(MAX_EVIDENCE).collect(),
            evidence_total: total.events,
            ..self.blank(actor, room, Window::new(first.at, last.at + TimeDelta::microseconds(1)))
        })
    }

    /// A finding that says who, where and when.
    fn blank(&self, actor: Uuid, room: &RoomKey, span: Window) -> Finding {
        let finding = Finding::new(RULE, fingerprint(actor, room), self.person.clone(), span);
        Finding { room: Some(self.room.clone()), ..finding }
    }

    fn finding(&self, actor: Uuid, room: &RoomKey, span: Window, mut exceeded: Vec<Exceeded<'_>>) -> Finding {
        exceeded.sort_by_key(|(limit, _)| **limit);
        let mut reasons: Vec<String> = exceeded.iter().map(|(limit, episode)| self.reason(limit, episode)).collect();
        let total = self.total(span, &exceeded);
        let counts = total.counts();
        reasons.push(format!("{} on {}", by_class(&total.classes), plural(counts.documents, "document")));
        let folders = self.acts.iter().filter(|act| act.folder.is_some() && span.contains(act.at));
        if total.at_least {
            reasons.push(not_listed(folders));
        }
        reasons.extend(self.open_room(room));
        let own = exceeded.iter().filter(|(_, episode)| episode.window.since >= span.since);
        let fullest = own.max_by_key(|(_, episode)| episode.peak.acts);
        // of thirty days the first events are old
        let latest = || self.latest.iter().filter(|event| span.contains(event.at)).cloned().collect();
        let evidence = fullest.map_or_else(latest, |(_, episode)| episode.peak.samples.clone());
        let severities = exceeded.iter().map(|(limit, episode)| match limit.basis {
            Basis::Actions => severity(episode.peak.acts, limit.acts),
            Basis::UnusualHours | Basis::ShareOfRoom { .. } => Severity::Medium,
        });
        Finding {
            severity: severities.max().expect("an episode begins every finding"),
            counts,
            reasons,
            evidence,
            evidence_total: total.events,
            ..self.blank(actor, room, span)
        }
    }

    /// How many documents the person touched in the span and not before.
    fn news(&self, span: Window) -> u64 {
        let before: BTreeSet<&str> =
            self.acts.iter().filter(|act| act.at < span.since).map(|act| act.document.as_str()).collect();
        let new = self.acts.iter().filter(|act| span.contains(act.at) && !before.contains(act.document.as_str()));
        let new: BTreeMap<&str, u64> = new.map(|act| (act.document.as_str(), act.weight.documents)).collect();
        new.values().sum()
    }

    /// `41 acts within 1 h, more than 20`
    fn reason(&self, limit: &Limit, episode: &Episode<Evidence>) -> String {
        let peak = &episode.peak;
        let counted = match limit.class {
            Some(class) => of_class(class, peak.acts),
            None => plural(peak.acts, "action"),
        };
        let at_least = if peak.at_least { "≥ " } else { "" };
        let span = limit.span.words();
        match limit.basis {
            Basis::Actions => format!("{at_least}{counted} {span}, more than {}", limit.acts),
            Basis::UnusualHours => {
                let hours = self.hours.map(|hours| hours.words()).unwrap_or_default();
                format!("{at_least}{counted} {span} outside the usual hours, {hours}: more than {}", limit.acts)
            }
            Basis::ShareOfRoom { percent, documents } => {
                let share = share(peak.documents, documents);
                let taken = peak.documents.min(documents);
                format!(
                    "{at_least}{taken} of {documents} documents of the room downloaded {span} ({share} %), more than {percent} %"
                )
            }
        }
    }

    /// The acts in the span that the exceeded limits are about.
    fn total(&self, span: Window, exceeded: &[Exceeded<'_>]) -> Total {
        let is_meant =
            |act: &&Counted| span.contains(act.at) && exceeded.iter().any(|(limit, _)| limit.is_about(act.class));
        let mut total = Total::default();
        self.acts.iter().filter(is_meant).for_each(|act| total.add(act));
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

/// In percent. What was deleted since may make it more than all.
pub(crate) fn share(documents: u64, of: u64) -> u64 {
    (documents.saturating_mul(100) / of.max(1)).min(100)
}

/// Which folders nobody could weigh.
fn not_listed<'a>(acts: impl Iterator<Item = &'a Counted>) -> String {
    let folders: BTreeMap<&String, &Evidence> =
        acts.filter_map(|act| Some((&act.document, act.folder.as_ref()?))).collect();
    let names: Vec<String> = folders.iter().map(|(id, event)| folder_name(id, event)).collect();
    let names = list_of(&names, FOLDERS_NAMED, names.len() as u64);
    format!("nobody could tell how many documents were in {names}; there may be more")
}

/// What the portal says was done to it, which names it.
fn folder_name(id: &str, event: &Evidence) -> String {
    match &event.title {
        Some(said) => format!("folder {id} (\u{201c}{}\u{201d})", said.for_terminal()),
        None => format!("folder {id}"),
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
