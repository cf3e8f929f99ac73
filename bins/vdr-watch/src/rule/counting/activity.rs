//! One person in one room, and what they did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use audit_model::{
    ActClass, AuditEvent, Evidence, FindingRoom, MAX_EVIDENCE, Person, RoomId, Sessions, Severity, Window,
};
use chrono::{DateTime, Utc};

use super::super::document::Document;
use super::super::limits::Span;
use super::super::usual::Hours;
use super::acts::{Acts, Counted, Details, WholeFolder};
use super::limited::{Exceeded, Limited};
use super::{Doubt, Placed, RoomKey, Terms, repeated_by, takes_nothing};
use crate::config::Limits;

/// One person in one room.
pub(in crate::rule) struct Activity {
    pub(in crate::rule) person: Person,
    pub(in crate::rule) room: FindingRoom,
    sessions: Sessions<(Document, ActClass)>,
    windows: Vec<Limited>,
    /// Whether what actions were done to is kept: a limit goes by it, or findings show it.
    keeps_details: bool,
    /// All actions that can still be part of a finding, in order of time.
    pub(in crate::rule) acts: Acts,
    /// What was found and can change no more, by the number of the alternative.
    pub(in crate::rule) settled: Vec<(usize, Outline)>,
    pub(in crate::rule) doubt: Doubt,
    pub(in crate::rule) hours: Option<Hours>,
    /// How many documents the room holds.
    pub(in crate::rule) documents_in_room: Option<u64>,
    /// The last events, at most [`MAX_EVIDENCE`].
    pub(in crate::rule) latest: VecDeque<Arc<AuditEvent>>,
}

/// Of a finding, when it was and how severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rule) struct Outline {
    pub(in crate::rule) span: Window,
    pub(in crate::rule) severity: Severity,
}

impl Activity {
    pub(super) fn new(terms: Terms<'_>, placed: &Placed) -> Self {
        let id = match &placed.key {
            RoomKey::Known(id) => Some(id.clone()),
            RoomKey::OneOf(_) | RoomKey::Perhaps(_) => None,
        };
        let hours = terms.usual.hours(placed.event.actor);
        let documents_in_room = id.as_ref().and_then(|room| terms.usual.documents_in(room));
        let limited = |(alternative, limits): (usize, &Limits)| {
            let own = [
                hours.and_then(|_| limits.at_unusual_hours()),
                documents_in_room.and_then(|documents| limits.for_share(documents)),
            ];
            let limits = limits.armed().into_iter().chain(own.into_iter().flatten());
            limits.map(move |limit| Limited::new(alternative, limit, hours, terms))
        };
        let windows: Vec<Limited> = terms.alternatives.iter().enumerate().flat_map(limited).collect();
        Activity {
            person: Person::named(placed.event.actor, placed.event.actor_name.clone()),
            room: FindingRoom {
                id,
                candidates: placed.candidates.clone(),
                title: placed.title.clone(),
                attributed: placed.attributed,
            },
            sessions: Sessions::default(),
            keeps_details: terms.shows || windows.iter().any(|limited| limited.span() == Span::Month),
            windows,
            acts: Acts::default(),
            settled: Vec::new(),
            doubt: Doubt::default(),
            hours,
            documents_in_room,
            latest: VecDeque::new(),
        }
    }

    /// What an event says of the room and the person besides what was done.
    pub(super) fn learn(&mut self, placed: &Placed) {
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

    /// Counts an action, unless it is the one before once more.
    pub(super) fn count(&mut self, placed: &Placed, class: ActClass, document: &Document, shows: bool) {
        let event = &*placed.event;
        if !self.sessions.begins((repeated_by(event, class, document), class), event.at) {
            return;
        }
        let sample = shows.then(|| placed.event.clone());
        let unweighed = placed.weight.at_least.then(|| Evidence::from(event));
        let details = (self.keeps_details || unweighed.is_some()).then(|| Details {
            document: document.clone(),
            sample: sample.clone(),
            folder: (unweighed.is_some() || !placed.around.is_empty())
                .then(|| Box::new(WholeFolder { around: placed.around.clone(), unweighed })),
        });
        self.acts.push(Counted::new(event, class, placed.weight, takes_nothing(event.action)).with(details));
        self.windows.iter_mut().for_each(|limited| limited.take_newest(&self.acts));
        if self.latest.len() == MAX_EVIDENCE {
            self.latest.pop_front();
        }
        self.latest.extend(sample);
    }

    /// See [`Counting::settle`](super::Counting::settle); `since`: from when on it is for this run to judge.
    pub(super) fn settle(&mut self, now: DateTime<Utc>, since: DateTime<Utc>, alternatives: usize) {
        self.sessions.forget_before(now);
        self.windows.iter_mut().for_each(|limited| limited.forget_before(now, &self.acts));
        let mut open_since = now;
        for alternative in 0..alternatives {
            let open = self.open_since(alternative, now);
            open_since = open_since.min(self.settle_alternative(alternative, open, since));
        }
        if self.windows.iter().all(|limited| limited.span() <= Span::Day) {
            self.acts.forget_before(open_since);
        }
    }

    /// Whether nothing is kept but what the next event in this room tells again: there is no finding, and no action that one could be
    /// made of.
    pub(super) fn is_over(&self) -> bool {
        let is_judged = self.settled.is_empty() && !self.is_above_a_limit();
        is_judged && self.acts.is_empty() && self.sessions.is_empty() && self.room.id.is_some()
    }

    /// How far back an episode of these limits can reach that begins or goes on with an event from this time on.
    fn open_since(&self, alternative: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        let own = self.windows.iter().filter(|limited| limited.alternative == alternative);
        own.map(|limited| limited.reaches_back_to(now, &self.acts)).min().unwrap_or(now)
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
        self.windows.iter_mut().filter(own).for_each(|limited| limited.forget_episodes(open_since));
        open_since
    }

    /// The episodes above one of these limits.
    pub(in crate::rule) fn exceeded(&self, alternative: usize) -> impl Iterator<Item = Exceeded<'_>> {
        let own = self.windows.iter().filter(move |limited| limited.alternative == alternative);
        own.flat_map(Limited::exceeded)
    }

    pub(super) fn is_busy(&self, little: u64) -> bool {
        let done = || self.acts.iter().map(Counted::documents).sum::<u64>();
        self.is_above_a_limit() || self.has_uncounted_folders() || done() > little
    }

    pub(super) fn is_above_a_limit(&self) -> bool {
        self.windows.iter().any(Limited::is_exceeded)
    }

    pub(super) fn has_uncounted_folders(&self) -> bool {
        self.acts.iter().any(|act| act.unweighed_folder().is_some())
    }

    /// How many documents the person touched in the span and not before.
    pub(in crate::rule) fn news(&self, span: Window) -> u64 {
        let before = self.acts.iter().filter(|act| act.at() < span.since);
        let before: BTreeSet<&Document> = before.filter_map(Counted::document).collect();
        let in_span = self.acts.iter().filter(|act| span.contains(act.at()));
        let in_span = in_span.filter_map(|act| Some((act.document()?, act.documents())));
        let new: BTreeMap<&Document, u64> = in_span.filter(|(document, _)| !before.contains(document)).collect();
        new.values().sum()
    }

    /// The actions in the span that the exceeded limits are about.
    pub(in crate::rule) fn meant<'c>(
        &'c self,
        span: Window,
        exceeded: &'c [Exceeded<'_>],
    ) -> impl Iterator<Item = &'c Counted> {
        let is_about = |act: &&Counted| exceeded.iter().any(|(limit, _)| limit.is_about(act.class));
        self.acts.iter().filter(move |act| span.contains(act.at())).filter(is_about)
    }
}
