//! Counting distinct acts in sliding windows. Feed events in order of (time, id).
//!
//! Windows slide with every act; they are not bins, so a burst across the full hour is one burst.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{ActClass, MAX_EVIDENCE, Window};

/// Repeats of an act within this time of the one before are the same act. An editor saves every few minutes and a browser
/// fetches a download in ranges; an hour without either means that somebody came back to the document.
pub const ACT_REPEAT: TimeDelta = TimeDelta::minutes(60);

/// Tells the first event of an act from its repeats.
///
/// An act goes on as long as events with the same key follow each other within [`ACT_REPEAT`].
#[derive(Debug)]
pub struct Sessions<K> {
    last: HashMap<K, DateTime<Utc>>,
}

impl<K> Default for Sessions<K> {
    fn default() -> Self {
        Sessions { last: HashMap::new() }
    }
}

impl<K: Eq + Hash> Sessions<K> {
    /// Whether an event with this key begins an act.
    pub fn begins(&mut self, key: K, at: DateTime<Utc>) -> bool {
        match self.last.insert(key, at) {
            Some(before) => at - before > ACT_REPEAT,
            None => true,
        }
    }
}

/// The fullest moment of a sliding window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak<S> {
    pub acts: u64,
    /// Distinct documents among them.
    pub documents: u64,
    /// The acts by class.
    pub classes: BTreeMap<ActClass, u64>,
    /// From the first act to one microsecond after the last.
    pub window: Window,
    /// The oldest acts of that moment, at most [`MAX_EVIDENCE`].
    pub samples: Vec<S>,
}

/// One act of a subject.
#[derive(Clone, Debug)]
pub struct Act<D, S> {
    pub at: DateTime<Utc>,
    pub document: D,
    pub class: ActClass,
    /// Whatever the caller wants to show of it.
    pub sample: S,
}

/// How many acts of one subject fell into any stretch of `length`, and the fullest stretch that had more than `limit`.
#[derive(Debug)]
pub struct SlidingWindow<D, S> {
    length: TimeDelta,
    limit: u64,
    acts: VecDeque<Act<D, S>>,
    documents: HashMap<D, u64>,
    classes: BTreeMap<ActClass, u64>,
    peak: Option<Peak<S>>,
    /// Only stretches with one of these instants count; `None` for all.
    around: Option<Arc<BTreeSet<DateTime<Utc>>>>,
}

impl<D: Eq + Hash + Clone, S: Clone> SlidingWindow<D, S> {
    /// A window that reports stretches with **more than** `limit` acts, whose first and last are less than `length` apart.
    pub fn new(length: TimeDelta, limit: u64) -> Self {
        SlidingWindow {
            length,
            limit,
            acts: VecDeque::new(),
            documents: HashMap::new(),
            classes: BTreeMap::new(),
            peak: None,
            around: None,
        }
    }

    /// Reports only stretches that hold one of these instants, so that a fuller one elsewhere does not hide them.
    #[must_use]
    pub fn only_around(self, instants: Option<Arc<BTreeSet<DateTime<Utc>>>>) -> Self {
        SlidingWindow { around: instants, ..self }
    }

    /// Counts an act. Acts come in order of time.
    pub fn push(&mut self, act: Act<D, S>) {
        let at = act.at;
        while self.acts.front().is_some_and(|first| at - first.at >= self.length) {
            self.forget_oldest();
        }
        *self.documents.entry(act.document.clone()).or_default() += 1;
        *self.classes.entry(act.class).or_default() += 1;
        self.acts.push_back(act);
        let acts = self.acts.len() as u64;
        let first = self.acts.front().map_or(at, |first| first.at);
        let counts = self.around.as_ref().is_none_or(|instants| instants.range(first..=at).next().is_some());
        if counts && acts > self.limit && self.peak.as_ref().is_none_or(|peak| acts > peak.acts) {
            self.peak = Some(Peak {
                acts,
                documents: self.documents.len() as u64,
                classes: self.classes.clone(),
                window: Window::new(first, at + TimeDelta::microseconds(1)),
                samples: self.acts.iter().take(MAX_EVIDENCE).map(|act| act.sample.clone()).collect(),
            });
        }
    }

    fn forget_oldest(&mut self) {
        let Some(act) = self.acts.pop_front() else { return };
        if let Some(count) = self.documents.get_mut(&act.document) {
            *count -= 1;
            if *count == 0 {
                self.documents.remove(&act.document);
            }
        }
        if let Some(count) = self.classes.get_mut(&act.class) {
            *count -= 1;
            if *count == 0 {
                self.classes.remove(&act.class);
            }
        }
    }

    /// The fullest stretch above the limit, the earliest of equals; `None` when the limit was kept.
    pub fn peak(&self) -> Option<&Peak<S>> {
        self.peak.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minutes * 60, 0).unwrap()
    }

    fn act(minute: i64, document: i64) -> Act<i64, i64> {
        Act { at: at(minute), document, class: ActClass::Download, sample: minute }
    }

    #[test]
    fn a_burst_across_the_full_hour_is_one_burst() {
        let mut window = SlidingWindow::new(TimeDelta::hours(1), 3);
        for minute in [50, 55, 65, 70] {
            window.push(act(minute, minute));
        }
        let peak = window.peak().unwrap();
        assert_eq!((peak.acts, peak.documents), (4, 4));
        assert_eq!(peak.samples, [50, 55, 65, 70]);
    }

    #[test]
    fn the_limit_itself_is_not_too_much() {
        let mut window = SlidingWindow::new(TimeDelta::hours(1), 3);
        for minute in [0, 1, 2, 60, 61] {
            window.push(act(minute, minute));
        }
        assert_eq!(window.peak(), None);
    }

    #[test]
    fn auto_saves_are_one_act_and_coming_back_is_another() {
        let mut sessions = Sessions::default();
        let begins: Vec<bool> =
            [0, 5, 60, 120, 181].into_iter().map(|minute| sessions.begins("budget", at(minute))).collect();
        assert_eq!(begins, [true, false, false, false, true]);
    }

    proptest! {
        /// The peak is what counting every stretch by hand gives.
        #[test]
        fn the_peak_agrees_with_brute_force(mut minutes in prop::collection::vec(0i64..300, 0..60), limit in 0u64..12) {
            minutes.sort_unstable();
            let mut window = SlidingWindow::new(TimeDelta::hours(1), limit);
            minutes.iter().for_each(|minute| window.push(act(*minute, minute % 7)));
            let acts_until = |end: i64| minutes.iter().filter(|m| (0..60).contains(&(end - **m))).count() as u64;
            let fullest = minutes.iter().map(|end| acts_until(*end)).max().unwrap_or(0);
            prop_assert_eq!(window.peak().map(|peak| peak.acts), (fullest > limit).then_some(fullest));
            if let Some(peak) = window.peak() {
                let inside: Vec<i64> = minutes.iter().copied().filter(|m| peak.window.contains(at(*m))).collect();
                let documents: std::collections::HashSet<i64> = inside.iter().map(|m| m % 7).collect();
                prop_assert_eq!(peak.documents, documents.len() as u64);
            }
        }

        /// Raising the limit never adds a peak.
        #[test]
        fn a_higher_limit_finds_no_more(mut minutes in prop::collection::vec(0i64..300, 0..60), limit in 0u64..12) {
            minutes.sort_unstable();
            let found = |limit| {
                let mut window = SlidingWindow::new(TimeDelta::hours(1), limit);
                minutes.iter().for_each(|minute| window.push(act(*minute, *minute)));
                window.peak().is_some()
            };
            prop_assert!(!found(limit + 1) || found(limit));
        }
    }
}
