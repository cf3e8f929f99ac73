//! Counting: what each person did in each watched room, action by action.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use attribution::Distinct;
use audit_model::{
    Act, ActClass, ActionId, Attributed, AuditEvent, Episode, Evidence, FindingRoom, MAX_EVIDENCE, Measure, Person,
    PortalText, RoomId, Sessions, Severity, SlidingWindow, Weight, Window, is_robot,
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::document::Document;
use super::limits::{Basis, Limit, Span};
use super::usual::{Hours, Usual};
use crate::config::Limits;

/// Memory for more than so many times the actions that are kept is given back: most people have one busy day.
const ROOMY: usize = 4;

/// A room that events are counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Where it is a folder as a whole, the folders around it.
    pub(crate) around: Vec<String>,
    pub(crate) doubt: Doubt,
}

/// What could not be looked up and may tell another place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Where the document is now.
    pub(crate) is_unplaced: bool,
    /// Which AI agents there are: it may be one of this title.
    pub(crate) may_be_agent: bool,
}

impl AsRef<AuditEvent> for Placed {
    fn as_ref(&self) -> &AuditEvent {
        &self.event
    }
}

impl Placed {
    /// Whether it is an action in a room of which only the title is known.
    fn is_unattributed(&self) -> bool {
        matches!(self.key, RoomKey::OneOf(_)) && self.candidates.is_empty() && self.event.action.class().is_some()
    }
}

/// Collects actions per person and room.
pub(crate) struct Counting<'a> {
    /// Each is judged as if there were no others. A run has one.
    alternatives: &'a [Limits],
    /// Whether findings show events.
    shows: bool,
    usual: &'a Usual,
    /// Rooms that share a title with another.
    twins: BTreeSet<RoomId>,
    subjects: HashMap<(Uuid, RoomKey), Activity>,
    /// Where the whole window begins; actions before it count for the other limits only.
    since: DateTime<Utc>,
    /// How many actions each person did in rooms of which only the title is known.
    pub(crate) unattributed: BTreeMap<Uuid, u64>,
}

/// One person in one room, and what they did.
pub(super) type Subject = ((Uuid, RoomKey), Activity);

/// One person in one room.
pub(super) struct Activity {
    pub(super) person: Person,
    pub(super) room: FindingRoom,
    sessions: Sessions<(Document, ActClass)>,
    pub(super) windows: Vec<Limited>,
    /// All actions that can still be part of a finding, in order of time.
    pub(super) acts: Vec<Counted>,
    /// What was found and can change no more, by the number of the alternative.
    pub(super) settled: Vec<(usize, Outline)>,
    pub(super) doubt: Doubt,
    pub(super) hours: Option<Hours>,
    /// How many documents the room holds.
    pub(super) documents_in_room: Option<u64>,
    /// The last events, at most [`MAX_EVIDENCE`].
    pub(super) latest: VecDeque<Arc<AuditEvent>>,
}

/// What of an action is counted.
pub(super) struct Counted {
    pub(super) at: DateTime<Utc>,
    pub(super) class: ActClass,
    pub(super) document: Document,
    pub(super) weight: Weight,
    /// Whether the room holds all afterwards that it held before.
    pub(super) takes_nothing: bool,
    folder: Option<Box<WholeFolder>>,
}

/// A folder as a whole. Few actions are about one, and all those of a day are kept.
struct WholeFolder {
    /// The folders around it.
    around: Vec<String>,
    /// The event, where nobody knows what the folder held.
    unweighed: Option<Evidence>,
}

impl Counted {
    /// The event, where it is about a folder of which nobody knows what it held.
    pub(super) fn unweighed_folder(&self) -> Option<&Evidence> {
        self.folder.as_deref()?.unweighed.as_ref()
    }

    fn around(&self) -> &[String] {
        self.folder.as_deref().map_or(&[], |folder| &folder.around)
    }
}

/// Of a finding, when it was and how severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) span: Window,
    pub(super) severity: Severity,
}

/// One limit with the window that it is judged in.
pub(super) struct Limited {
    alternative: usize,
    limit: Limit,
    window: SlidingWindow<Document, Sample>,
}

/// An event that a finding can show, if it shows any.
pub(super) type Sample = Option<Arc<AuditEvent>>;

/// An episode above a limit.
pub(super) type Exceeded<'a> = (&'a Limit, &'a Episode<Sample>);

/// The actions of a finding.
#[derive(Default)]
pub(super) struct Total {
    pub(super) acts: u64,
    /// Those after which the room holds all that it held before.
    pub(super) take_nothing: u64,
    /// The distinct documents.
    pub(super) documents: Distinct<ActClass, Document>,
    pub(super) classes: BTreeMap<ActClass, u64>,
    pub(super) events: u64,
    pub(super) at_least: bool,
    /// When each was done, in order.
    pub(super) times: Vec<DateTime<Utc>>,
}

impl<'a> Counting<'a> {
    pub(crate) fn new(limits: &'a Limits, usual: &'a Usual, twins: BTreeSet<RoomId>, since: DateTime<Utc>) -> Self {
        Counting { shows: true, ..Self::of_each(std::slice::from_ref(limits), usual, twins, since) }
    }

    /// For several limits, each as if there were no others, of which only the number of findings is wanted.
    pub(crate) fn of_each(
        alternatives: &'a [Limits],
        usual: &'a Usual,
        twins: BTreeSet<RoomId>,
        since: DateTime<Utc>,
    ) -> Self {
        let (subjects, unattributed) = (HashMap::new(), BTreeMap::new());
        Counting { alternatives, shows: false, usual, twins, subjects, since, unattributed }
    }

    /// Who did more than so little in one room, or too much, or something to a folder that nobody could weigh, and in which known rooms:
    /// about nobody else there can be a finding.
    pub(crate) fn busy(&self, little: u64) -> (BTreeSet<Uuid>, BTreeSet<RoomId>) {
        let busy = || self.subjects.iter().filter(|(_, subject)| subject.is_busy(little));
        let rooms = busy().filter_map(|((_, key), _)| match key {
            RoomKey::Known(room) => Some(room.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        });
        (busy().map(|((person, _), _)| *person).collect(), rooms.collect())
    }

    /// Who did too much in what may have been one of several rooms.
    pub(crate) fn undecided(&self) -> BTreeSet<Uuid> {
        let undecided = |((_, key), subject): &(&(Uuid, RoomKey), &Activity)| {
            !matches!(key, RoomKey::Known(_)) && subject.is_above_a_limit()
        };
        self.subjects.iter().filter(undecided).map(|((person, _), _)| *person).collect()
    }

    /// Judges what no event from this time on changes, remembers only when it was and how severe, and forgets what no limit needs any more, so
    /// that it does not matter how long the window is. No action is forgotten where a limit goes by more than a day.
    pub(crate) fn settle(&mut self, now: DateTime<Utc>) {
        let since = self.judged_since();
        for subject in self.subjects.values_mut() {
            subject.settle(now, since, self.alternatives.len());
        }
    }

    /// How many limits are judged by themselves.
    pub(super) fn alternatives(&self) -> usize {
        self.alternatives.len()
    }

    /// Whether anybody did something to a folder of which nobody knows what it held.
    pub(crate) fn has_uncounted_folders(&self) -> bool {
        self.subjects.values().any(Activity::has_uncounted_folders)
    }

    /// From when on what happened is for this run to judge.
    pub(super) fn judged_since(&self) -> DateTime<Utc> {
        self.usual.before.until
    }

    /// In order of person and room.
    pub(super) fn into_subjects(self) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = self.subjects.into_iter().collect();
        subjects.sort_by(|(one, _), (other, _)| one.cmp(other));
        subjects
    }

    /// Takes in an event of a watched room. Events come in order of (time, id). Robots, and events that are no action, are passed over.
    pub(crate) fn push(&mut self, placed: Placed) {
        let Some(class) = placed.event.action.class() else { return };
        if placed.is_unattributed() {
            *self.unattributed.entry(placed.event.actor).or_default() += 1;
        }
        if is_robot(placed.event.actor) {
            return;
        }
        let document = document_of(&placed.event);
        let perhaps: Vec<RoomId> = match &placed.key {
            RoomKey::Known(id) => self.twins.get(id).into_iter().cloned().collect(),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => placed.candidates.clone(),
        };
        for id in perhaps {
            let candidates =
                placed.candidates.iter().chain([&id]).cloned().collect::<BTreeSet<_>>().into_iter().collect();
            let (title, key) = (placed.title.clone(), RoomKey::Perhaps(id));
            self.count(&Placed { key, title, candidates, ..placed.clone() }, class, &document);
        }
        self.count(&placed, class, &document);
    }

    fn count(&mut self, placed: &Placed, class: ActClass, document: &Document) {
        let (alternatives, usual, since, shows) = (self.alternatives, self.usual, self.since, self.shows);
        let key = (placed.event.actor, placed.key.clone());
        let subject = self.subjects.entry(key).or_insert_with(|| Activity::new(alternatives, usual, shows, placed));
        subject.learn(placed);
        let event = &*placed.event;
        if placed.weight.documents == 0 {
            // no document of it is new
            return;
        }
        if !subject.sessions.begins((repeated_by(event, class, document), class), event.at) {
            return;
        }
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
        let sample = shows.then(|| placed.event.clone());
        for limited in subject.windows.iter_mut().filter(|limited| counts(&limited.limit)) {
            let (document, weight, sample) = (document.clone(), placed.weight, sample.clone());
            limited.window.push(Act { at: event.at, document, weight, sample });
        }
        let unweighed = placed.weight.at_least.then(|| Evidence::from(event));
        let folder = (unweighed.is_some() || !placed.around.is_empty())
            .then(|| Box::new(WholeFolder { around: placed.around.clone(), unweighed }));
        if subject.latest.len() == MAX_EVIDENCE {
            subject.latest.pop_front();
        }
        subject.latest.extend(sample);
        let (at, document, takes_nothing) = (event.at, document.clone(), takes_nothing(event.action));
        subject.acts.push(Counted { at, class, document, weight: placed.weight, takes_nothing, folder });
    }
}

/// An event without a target is about a document of its own.
fn document_of(event: &AuditEvent) -> Document {
    event.target.first().map_or_else(|| only(event), |target| target.as_str().into())
}

/// This event, and no other.
fn only(event: &AuditEvent) -> Document {
    Document::Text(format!("event {}", event.id).into())
}

/// Whether the room holds all afterwards that it held before: something new came, or a document was saved in the editor, or put back to an
/// earlier version. The portal keeps the version before.
fn takes_nothing(action: ActionId) -> bool {
    action.is_addition() || action.is_saved_by_editor() || action == ActionId::FILE_RESTORE_VERSION
}

/// Whether the sentence of such an event tells whether it is the same action as the one before.
pub(crate) fn counts_by_text(action: ActionId) -> bool {
    action.class() == Some(ActClass::Membership)
}

/// What another event of the class must be about to be the same action again. Where the target is the room each time, it says too little:
/// of a change of members only the sentence tells whose, and links may have one name.
fn repeated_by(event: &AuditEvent, class: ActClass, document: &Document) -> Document {
    match (class, &event.text) {
        (ActClass::Membership, Some(text)) => Document::Text(format!("{document} {}", text.raw()).into()),
        (ActClass::Share, _) if event.action.is_about_room() => only(event),
        _ => document.clone(),
    }
}

impl Activity {
    fn new(alternatives: &[Limits], usual: &Usual, shows: bool, placed: &Placed) -> Self {
        let id = match &placed.key {
            RoomKey::Known(id) => Some(id.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        };
        let hours = usual.hours(placed.event.actor);
        let documents_in_room = id.as_ref().and_then(|room| usual.documents_in(room));
        let limited = |(alternative, limits): (usize, &Limits)| {
            let own = [
                hours.and_then(|_| limits.at_unusual_hours()),
                documents_in_room.and_then(|documents| limits.for_share(documents)),
            ];
            let limits = limits.armed().into_iter().chain(own.into_iter().flatten());
            limits.map(move |limit| Limited::new(alternative, limit, shows))
        };
        Activity {
            person: Person::named(placed.event.actor, placed.event.actor_name.clone()),
            room: FindingRoom {
                id,
                candidates: placed.candidates.clone(),
                title: placed.title.clone(),
                attributed: placed.attributed,
            },
            sessions: Sessions::default(),
            windows: alternatives.iter().enumerate().flat_map(limited).collect(),
            acts: Vec::new(),
            settled: Vec::new(),
            doubt: Doubt::default(),
            hours,
            documents_in_room,
            latest: VecDeque::new(),
        }
    }

    /// What an event says of the room and the person besides what was done.
    fn learn(&mut self, placed: &Placed) {
        self.room.attributed = self.room.attributed.max(placed.attributed);
        if self.room.id.is_none() {
            let more = placed.candidates.iter().filter(|id| !self.room.candidates.contains(id));
            let more: Vec<RoomId> = more.cloned().collect();
            self.room.candidates.extend(more);
            self.room.candidates.sort();
        }
        if self.person.name != placed.event.actor_name {
            self.person.name = placed.event.actor_name.clone();
        }
        self.doubt.is_unplaced |= placed.doubt.is_unplaced;
        self.doubt.may_be_agent |= placed.doubt.may_be_agent;
    }

    fn settle(&mut self, now: DateTime<Utc>, since: DateTime<Utc>, alternatives: usize) {
        self.sessions.forget_before(now);
        self.windows.iter_mut().for_each(|limited| limited.window.forget_before(now));
        let mut open_since = now;
        for alternative in 0..alternatives {
            let open = self.open_since(alternative, now);
            open_since = open_since.min(self.settle_alternative(alternative, open, since));
        }
        let is_a_day_enough = self.windows.iter().all(|limited| limited.limit.span <= Span::Day);
        if is_a_day_enough {
            let over = self.acts.partition_point(|act| act.at < open_since);
            let folders = self.acts.drain(..over).filter(|act| act.unweighed_folder().is_some()).collect::<Vec<_>>();
            self.acts.splice(..0, folders);
        }
        if self.acts.capacity() > ROOMY * self.acts.len() {
            self.acts.shrink_to(2 * self.acts.len());
        }
    }

    /// How far back an episode of these limits can reach that begins or goes on with an event from this time on.
    fn open_since(&self, alternative: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        let own = self.windows.iter().filter(|limited| limited.alternative == alternative);
        own.map(|limited| limited.window.reaches_back_to(now)).min().unwrap_or(now)
    }

    /// Judges the stretches that ended before that time. Gives the time before which no action is needed any more.
    fn settle_alternative(
        &mut self,
        alternative: usize,
        open_since: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let own = |limited: &&mut Limited| limited.alternative == alternative;
        if self.exceeded(alternative).next().is_none() {
            return open_since;
        }
        let stretches = self.stretches(alternative, since);
        let (over, open): (Vec<_>, Vec<_>) = stretches.iter().partition(|(span, _)| span.until <= open_since);
        let outlines: Vec<_> = over.into_iter().map(|stretch| (alternative, self.outline(stretch))).collect();
        // a stretch that is not over needs all of its episodes
        let open_since = open.into_iter().map(|(span, _)| span.since).fold(open_since, DateTime::min);
        self.settled.extend(outlines);
        self.windows.iter_mut().filter(own).for_each(|limited| limited.window.forget_episodes(open_since));
        open_since
    }

    /// The episodes above one of these limits.
    pub(super) fn exceeded(&self, alternative: usize) -> impl Iterator<Item = Exceeded<'_>> {
        let own = self.windows.iter().filter(move |limited| limited.alternative == alternative);
        own.flat_map(Limited::exceeded)
    }

    fn is_busy(&self, little: u64) -> bool {
        let done = || self.acts.iter().map(|act| act.weight.documents).sum::<u64>();
        self.is_above_a_limit() || self.has_uncounted_folders() || done() > little
    }

    fn is_above_a_limit(&self) -> bool {
        self.windows.iter().any(|limited| limited.exceeded().next().is_some())
    }

    fn has_uncounted_folders(&self) -> bool {
        self.acts.iter().any(|act| act.unweighed_folder().is_some())
    }

    /// How many documents the person touched in the span and not before.
    pub(super) fn news(&self, span: Window) -> u64 {
        let before: BTreeSet<&Document> =
            self.acts.iter().filter(|act| act.at < span.since).map(|act| &act.document).collect();
        let new = self.acts.iter().filter(|act| span.contains(act.at) && !before.contains(&act.document));
        let new: BTreeMap<&Document, u64> = new.map(|act| (&act.document, act.weight.documents)).collect();
        new.values().sum()
    }

    /// The actions in the span that the exceeded limits are about.
    pub(super) fn meant<'c>(&'c self, span: Window, exceeded: &'c [Exceeded<'_>]) -> impl Iterator<Item = &'c Counted> {
        let is_about = |act: &&Counted| exceeded.iter().any(|(limit, _)| limit.is_about(act.class));
        self.acts.iter().filter(move |act| span.contains(act.at)).filter(is_about)
    }
}

impl Limited {
    pub(super) fn exceeded(&self) -> impl Iterator<Item = Exceeded<'_>> {
        self.window.episodes().iter().map(|episode| (&self.limit, episode))
    }

    /// `shows`: whether a finding shows events and how many documents there were.
    fn new(alternative: usize, limit: Limit, shows: bool) -> Self {
        let measure = match limit.basis {
            Basis::ShareOfRoom { .. } => Measure::Documents,
            Basis::Actions | Basis::UnusualHours => Measure::Acts,
        };
        let window = SlidingWindow::new(limit.span.length(), limit.acts, measure);
        Limited { alternative, limit, window: if shows { window } else { window.of_numbers() } }
    }
}

impl Total {
    pub(super) fn of<'c>(acts: impl Iterator<Item = &'c Counted>) -> Self {
        let mut total = Total::default();
        for act in acts {
            let Counted { at, class, document, weight, takes_nothing, .. } = act;
            total.acts += weight.documents;
            total.take_nothing += if *takes_nothing { weight.documents } else { 0 };
            *total.classes.entry(*class).or_default() += weight.documents;
            total.documents.note(
                document,
                *class,
                weight.documents,
                act.around().iter().map(|folder| folder.as_str().into()),
            );
            total.events += 1;
            total.at_least |= weight.at_least;
            total.times.push(*at);
        }
        total
    }
}
