//! Counting: what each person did in each watched room, action by action.

mod activity;
mod acts;
mod limited;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use audit_model::{ActClass, ActionId, Attributed, AuditEvent, PortalText, RoomId, Weight, is_robot};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(super) use self::activity::{Activity, Outline};
pub(super) use self::acts::{Counted, Total};
pub(super) use self::limited::{Exceeded, Sample};
use super::document::Document;
use super::usual::Usual;
use crate::config::Limits;

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
    terms: Terms<'a>,
    /// Rooms that share a title with another.
    twins: BTreeSet<RoomId>,
    subjects: HashMap<(Uuid, RoomKey), Activity>,
    /// How many actions each person did in rooms of which only the title is known.
    pub(crate) unattributed: BTreeMap<Uuid, u64>,
}

/// What actions are counted by.
#[derive(Clone, Copy)]
struct Terms<'a> {
    /// Each is judged as if there were no others. A run has one.
    alternatives: &'a [Limits],
    /// Whether findings show events.
    shows: bool,
    usual: &'a Usual,
    /// Where the whole window begins; actions before it count for the other limits only.
    since: DateTime<Utc>,
}

/// One person in one room, and what they did.
pub(super) type Subject = ((Uuid, RoomKey), Activity);

impl<'a> Counting<'a> {
    pub(crate) fn new(limits: &'a Limits, usual: &'a Usual, twins: BTreeSet<RoomId>, since: DateTime<Utc>) -> Self {
        let counting = Self::of_each(std::slice::from_ref(limits), usual, twins, since);
        Counting { terms: Terms { shows: true, ..counting.terms }, ..counting }
    }

    /// For several limits, each as if there were no others, of which only the number of findings is wanted.
    pub(crate) fn of_each(
        alternatives: &'a [Limits],
        usual: &'a Usual,
        twins: BTreeSet<RoomId>,
        since: DateTime<Utc>,
    ) -> Self {
        let (subjects, unattributed) = (HashMap::new(), BTreeMap::new());
        Counting { terms: Terms { alternatives, shows: false, usual, since }, twins, subjects, unattributed }
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

    /// Judges what no event from this time on changes, remembers only when it was and how severe, and forgets what no limit needs any more.
    /// Where that is done again and again, it does not matter how long the window is: what is kept is
    ///
    /// - 24 bytes, and up to a quarter more, for each action of the last 24 hours, or as far back as a stretch reaches that is still open,
    ///   however many limits there are;
    /// - about 50 bytes for each document that somebody did something to within the last hour;
    /// - about 1 KB for each person and room with either, and 40 bytes for each finding.
    ///
    /// No action is forgotten where a limit goes by more than a day; then each takes about 80 bytes.
    pub(crate) fn settle(&mut self, now: DateTime<Utc>) {
        let (since, alternatives, shows) = (self.judged_since(), self.terms.alternatives.len(), self.terms.shows);
        self.subjects.retain(|_, subject| {
            subject.settle(now, since, alternatives);
            // what is doubtful about a room is shown
            shows || !subject.is_over()
        });
    }

    /// How many limits are judged by themselves.
    pub(super) fn alternatives(&self) -> usize {
        self.terms.alternatives.len()
    }

    /// Whether anybody did something to a folder of which nobody knows what it held.
    pub(crate) fn has_uncounted_folders(&self) -> bool {
        self.subjects.values().any(Activity::has_uncounted_folders)
    }

    /// From when on what happened is for this run to judge.
    pub(super) fn judged_since(&self) -> DateTime<Utc> {
        self.terms.usual.before.until
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
        let terms = self.terms;
        let key = (placed.event.actor, placed.key.clone());
        let subject = self.subjects.entry(key).or_insert_with(|| Activity::new(terms, placed));
        subject.learn(placed);
        // of weight 0 no document is new
        if placed.weight.documents > 0 {
            subject.count(placed, class, document, terms.shows);
        }
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

#[cfg(test)]
mod tests {
    use audit_model::testing;
    use chrono::TimeDelta;

    use super::*;

    fn download(at: DateTime<Utc>, file: i64) -> Placed {
        Placed {
            event: Arc::new(AuditEvent { actor: Uuid::from_u128(1), ..testing::event(5009, &file.to_string(), at) }),
            key: RoomKey::Known(RoomId::Number(71)),
            title: "Falcon".into(),
            candidates: Vec::new(),
            attributed: Attributed::Title,
            weight: Weight::ONE,
            around: Vec::new(),
            doubt: Doubt::default(),
        }
    }

    /// However long the past is, what is kept are the actions of a day, once for all limits, and nothing of who was idle since.
    #[test]
    fn a_long_past_costs_no_more_than_a_day() {
        const A_DAY: usize = 24 * 6;
        let limits = [20, 30].map(|per_hour| Limits { per_hour, per_day: 200, unusual_hours: 0, ..Limits::default() });
        let usual = Usual::unknown(DateTime::UNIX_EPOCH);
        let mut counting = Counting::of_each(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
        let at = |turn: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(10 * turn);
        for turn in 0..4_000 {
            if turn % 6 == 0 {
                counting.settle(at(turn));
            }
            counting.push(download(at(turn), turn));
            let kept: Vec<usize> = counting.subjects.values().map(|subject| subject.acts.iter().count()).collect();
            assert!(kept[..] == [kept[0]] && kept[0] <= A_DAY + 6, "{kept:?} after {turn} actions");
            assert!(turn < 200 || kept[0] >= A_DAY - 6, "{kept:?} after {turn} actions");
        }
        counting.settle(at(4_000) + TimeDelta::days(1));
        assert!(counting.subjects.is_empty());
    }
}
