//! One limit, and the window that it is judged in.

use std::sync::Arc;

use audit_model::{AuditEvent, Documents, Episode, Episodes, MAX_EVIDENCE, Measure, Peak};
use chrono::{DateTime, Utc};

use super::super::document::Document;
use super::super::limits::{Basis, Limit, Span};
use super::super::usual::Hours;
use super::Terms;
use super::acts::{Acts, Counted};

/// An event that a finding can show.
pub(in crate::rule) type Sample = Arc<AuditEvent>;

/// An episode above a limit.
pub(in crate::rule) type Exceeded<'a> = (&'a Limit, &'a Episode<Sample>);

/// One limit with the window that it is judged in. It slides over the actions of its person and room, which all limits share, and of each it
/// keeps nothing but the sum.
pub(in crate::rule) struct Limited {
    /// The number of the alternative that it is one of.
    pub(super) alternative: usize,
    meant: Meant,
    length_us: i64,
    /// The number of the oldest action in the window, or of one before it that does not count.
    first: u64,
    acts: u64,
    events: u64,
    /// Actions whose weight is a lower bound.
    at_least: u64,
    /// Where the limit is about distinct ones.
    documents: Option<Documents<Document>>,
    episodes: Episodes<Sample>,
}

/// Which actions a limit is about.
struct Meant {
    limit: Limit,
    /// Those before were judged by earlier runs. Microseconds since 1970.
    since_us: i64,
    /// Where only what is outside them counts.
    usual_hours: Option<Hours>,
}

impl Meant {
    fn counts(&self, act: &Counted) -> bool {
        let is_usual = || self.usual_hours.is_some_and(|hours| hours.include(act.at()));
        self.limit.is_about(act.class) && act.at_us() >= self.since_us && !is_usual()
    }
}

impl Limited {
    pub(super) fn new(alternative: usize, limit: Limit, hours: Option<Hours>, terms: Terms<'_>) -> Self {
        let measure = match limit.basis {
            Basis::ShareOfRoom { .. } => Measure::Documents,
            Basis::Actions | Basis::UnusualHours => Measure::Acts,
        };
        let since = match limit.span {
            Span::Month => DateTime::<Utc>::MIN_UTC,
            Span::WholeWindow => terms.since,
            Span::Hour | Span::Day => terms.usual.before.until,
        };
        Limited {
            alternative,
            meant: Meant {
                limit,
                since_us: since.timestamp_micros(),
                usual_hours: hours.filter(|_| limit.basis == Basis::UnusualHours),
            },
            length_us: limit.span.length().num_microseconds().unwrap_or(i64::MAX),
            first: 0,
            acts: 0,
            events: 0,
            at_least: 0,
            documents: (measure == Measure::Documents).then(Documents::default),
            episodes: Episodes::new(limit.acts, measure),
        }
    }

    pub(super) fn span(&self) -> Span {
        self.meant.limit.span
    }

    /// Counts the newest of these actions, if it is one that counts.
    pub(super) fn take_newest(&mut self, acts: &Acts) {
        let Some(act) = acts.newest().filter(|act| self.meant.counts(act)) else { return };
        self.forget_until(act.at_us(), acts);
        self.acts += act.documents();
        self.events += 1;
        self.at_least += u64::from(act.at_least);
        if let Some((documents, document)) = self.documents.as_mut().zip(act.document()) {
            documents.add(document.clone(), act.documents());
        }
        self.judge(act, acts);
    }

    fn judge(&mut self, newest: &Counted, acts: &Acts) {
        let Self { meant, first, episodes, documents, .. } = self;
        let documents = documents.as_ref().map_or(0, Documents::count);
        let now = episodes.measure().of(self.acts, documents);
        if now <= meant.limit.acts {
            return;
        }
        let oldest = acts.get(*first).unwrap_or(newest);
        let samples = acts.from(*first).filter(|act| meant.counts(act)).take(MAX_EVIDENCE).filter_map(Counted::sample);
        episodes.judge(now, (oldest.at(), newest.at()), |window| Peak {
            acts: self.acts,
            documents,
            at_least: self.at_least > 0,
            window,
            events: self.events,
            samples: samples.cloned().collect(),
        });
    }

    /// Forgets the actions that share no window with one of that time.
    fn forget_until(&mut self, at_us: i64, acts: &Acts) {
        self.first = self.first.max(acts.first_number());
        while let Some(act) = acts.get(self.first) {
            let counts = self.meant.counts(act);
            if counts && at_us.saturating_sub(act.at_us()) < self.length_us {
                break;
            }
            self.first += 1;
            if counts {
                self.acts -= act.documents();
                self.events -= 1;
                self.at_least -= u64::from(act.at_least);
                if let Some((documents, document)) = self.documents.as_mut().zip(act.document()) {
                    documents.remove(document);
                }
            }
        }
    }

    /// Forgets the actions that none from this time on shares a window with. Episodes stay the same.
    pub(super) fn forget_before(&mut self, at: DateTime<Utc>, acts: &Acts) {
        self.forget_until(at.timestamp_micros(), acts);
    }

    /// How far back an episode can reach that begins or goes on with an action from this time on, up to which the window was forgotten.
    pub(super) fn reaches_back_to(&self, at: DateTime<Utc>, acts: &Acts) -> DateTime<Utc> {
        self.episodes.reach_back_to(acts.get(self.first).map(Counted::at), at)
    }

    /// Forgets the episodes that ended by then.
    pub(super) fn forget_episodes(&mut self, until: DateTime<Utc>) {
        self.episodes.forget(until);
    }

    pub(in crate::rule) fn exceeded(&self) -> impl Iterator<Item = Exceeded<'_>> {
        self.episodes.all().iter().map(|episode| (&self.meant.limit, episode))
    }

    pub(super) fn is_exceeded(&self) -> bool {
        !self.episodes.all().is_empty()
    }
}
