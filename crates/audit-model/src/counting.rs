//! Counting distinct acts in sliding windows. Feed events in order of (time, id).
//!
//! Windows slide with every act; they are not bins, so a burst across the full hour is one burst.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{MAX_EVIDENCE, Window};

/// Repeats of an act within this time of the one before are the same act. An editor saves every few minutes and a browser
/// fetches a download in ranges; an hour without either means that somebody came back to the document.
pub const ACT_REPEAT: TimeDelta = TimeDelta::minutes(60);

/// Memory for more than so many times what is kept is given back where something is forgotten: most people have one busy day.
const ROOMY: usize = 4;

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

    /// Forgets what no event from this time on can repeat. What begins an act stays the same.
    pub fn forget_before(&mut self, at: DateTime<Utc>) {
        self.last.retain(|_, last| at - *last <= ACT_REPEAT);
        if self.last.capacity() > ROOMY * self.last.len() {
            self.last.shrink_to(2 * self.last.len());
        }
    }
}

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Every act counts.
    Acts,
    /// Acts on one document count once.
    Documents,
}

/// How many documents stand behind one act.
///
/// The portal writes one event for a folder, whatever it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// None where all of them were counted with an act before.
    pub documents: u64,
    /// Whether there may be more than that: nobody could list the folder any more.
    pub at_least: bool,
}

impl Weight {
    /// An act on one document.
    pub const ONE: Weight = Weight { documents: 1, at_least: false };
}

/// One act of a subject.
#[derive(Clone, Debug)]
pub struct Act<D, S> {
    pub at: DateTime<Utc>,
    pub document: D,
    pub weight: Weight,
    /// Whatever the caller wants to show of it.
    pub sample: S,
}

/// The fullest moment of an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak<S> {
    /// An act on a folder counts as one on each document in it.
    pub acts: u64,
    /// Distinct documents among them; 0 where nobody asks for those.
    pub documents: u64,
    /// Whether the true numbers may be higher, because a folder among them could not be listed.
    pub at_least: bool,
    /// From the first act to one microsecond after the last.
    pub window: Window,
    /// How many events tell of them.
    pub events: u64,
    /// The oldest of those, at most [`MAX_EVIDENCE`]; none where nobody asks for them.
    pub samples: Vec<S>,
}

/// A stretch of time in which a limit was exceeded all along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode<S> {
    /// From the first act to one microsecond after the last.
    pub window: Window,
    /// The earliest of the fullest moments in it.
    pub peak: Peak<S>,
}

/// How much of one subject fell into any stretch of `length`, and the episodes in which that was more than `limit`. Microseconds are told
/// apart, and nothing finer.
#[derive(Debug)]
pub struct SlidingWindow<D, S> {
    length_us: i64,
    limit: u64,
    measure: Measure,
    /// Those in the window, oldest first.
    acts: VecDeque<Kept>,
    /// What it was done to and what shows it, act by act; empty where nobody asks for that.
    shown: VecDeque<(D, S)>,
    /// How many acts each document has in the window, and how many documents it stands for.
    documents: HashMap<D, (u64, u64)>,
    /// Whether anybody asks for distinct documents and samples.
    is_shown: bool,
    act_count: u64,
    document_count: u64,
    /// Acts whose weight is a lower bound.
    at_least: u64,
    episodes: Vec<Episode<S>>,
}

/// What is counted of every act. There are as many of them as acts in a day, for each limit.
#[derive(Debug)]
struct Kept {
    /// Microseconds since 1970.
    at_us: i64,
    weight: Weight,
}

impl Kept {
    fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.at_us).unwrap_or_default()
    }
}

impl<D: Eq + Hash + Clone, S: Clone> SlidingWindow<D, S> {
    /// A window that reports stretches with **more than** `limit`, whose first and last act are less than `length` apart.
    pub fn new(length: TimeDelta, limit: u64, measure: Measure) -> Self {
        SlidingWindow {
            length_us: length.num_microseconds().unwrap_or(i64::MAX),
            limit,
            measure,
            acts: VecDeque::new(),
            shown: VecDeque::new(),
            documents: HashMap::new(),
            is_shown: true,
            act_count: 0,
            document_count: 0,
            at_least: 0,
            episodes: Vec::new(),
        }
    }

    /// The same for whoever asks only when and how much it was: peaks have no samples, and no number of distinct documents unless
    /// those are what is measured.
    #[must_use]
    pub fn of_numbers(self) -> Self {
        SlidingWindow { is_shown: self.measure == Measure::Documents, ..self }
    }

    /// Counts an act. Acts come in order of time.
    pub fn push(&mut self, act: Act<D, S>) {
        let Act { at, document, weight, sample } = act;
        let at_us = at.timestamp_micros();
        self.forget_until(at_us);
        if self.is_shown {
            let (acts, known) = self.documents.entry(document.clone()).or_default();
            *acts += 1;
            // of a folder that was weighed twice, what it held when it held most
            self.document_count += weight.documents.saturating_sub(*known);
            *known = weight.documents.max(*known);
            self.shown.push_back((document, sample));
        }
        self.act_count += weight.documents;
        self.at_least += u64::from(weight.at_least);
        self.acts.push_back(Kept { at_us, weight });
        self.judge(at);
    }

    /// Begins an episode, or goes on with the last one, when there is more than the limit up to now.
    fn judge(&mut self, at: DateTime<Utc>) {
        let measured = |acts: u64, documents: u64| match self.measure {
            Measure::Acts => acts,
            Measure::Documents => documents,
        };
        let now = measured(self.act_count, self.document_count);
        if now <= self.limit {
            return;
        }
        let first = self.acts.front().map_or(at, Kept::at);
        let until = at + TimeDelta::microseconds(1);
        let going_on = self.episodes.last().filter(|episode| first < episode.window.until).map(|episode| &episode.peak);
        let peak = match going_on {
            None => {
                let window = Window::new(first, until);
                return self.episodes.push(Episode { window, peak: self.moment(first, until) });
            }
            Some(peak) => (now > measured(peak.acts, peak.documents)).then(|| self.moment(first, until)),
        };
        let episode = self.episodes.last_mut().expect("an episode is going on");
        episode.window.until = until;
        if let Some(peak) = peak {
            episode.peak = peak;
        }
    }

    fn moment(&self, first: DateTime<Utc>, until: DateTime<Utc>) -> Peak<S> {
        Peak {
            acts: self.act_count,
            documents: self.document_count,
            at_least: self.at_least > 0,
            window: Window::new(first, until),
            events: self.acts.len() as u64,
            samples: self.shown.iter().take(MAX_EVIDENCE).map(|(_, sample)| sample.clone()).collect(),
        }
    }

    /// Forgets the acts that share no window with one of that time.
    fn forget_until(&mut self, at_us: i64) {
        while self.acts.front().is_some_and(|first| at_us.saturating_sub(first.at_us) >= self.length_us) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(Kept { weight, .. }) = self.acts.pop_front() else { return };
        self.act_count -= weight.documents;
        self.at_least -= u64::from(weight.at_least);
        if let Some((document, _)) = self.shown.pop_front()
            && let Some((acts, documents)) = self.documents.get_mut(&document)
        {
            *acts -= 1;
            if *acts == 0 {
                self.document_count -= *documents;
                self.documents.remove(&document);
            }
        }
    }

    /// The episodes above the limit, oldest first; none shares an act with another.
    pub fn episodes(&self) -> &[Episode<S>] {
        &self.episodes
    }

    /// Forgets the acts that no act from this time on shares a window with. Episodes stay the same.
    pub fn forget_before(&mut self, at: DateTime<Utc>) {
        self.forget_until(at.timestamp_micros());
        let kept = self.acts.len();
        if self.acts.capacity() > ROOMY * kept {
            self.acts.shrink_to(2 * kept);
            self.shown.shrink_to(2 * kept);
            self.documents.shrink_to(2 * kept);
        }
    }

    /// How far back an episode can reach that begins or goes on with an act from this time on. Those that ended before it stay as they are.
    pub fn reaches_back_to(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let Some(first) = self.acts.front().map(Kept::at) else { return at };
        let going_on = self.episodes.last().filter(|episode| first < episode.window.until);
        going_on.map_or(first, |episode| episode.window.since).min(at)
    }

    /// Forgets the episodes that ended by then.
    pub fn forget_episodes(&mut self, until: DateTime<Utc>) {
        let ended = self.episodes.partition_point(|episode| episode.window.until <= until);
        self.episodes.drain(..ended);
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
        Act { at: at(minute), document, weight: Weight::ONE, sample: minute }
    }

    fn acts_in(length: TimeDelta, limit: u64) -> SlidingWindow<i64, i64> {
        SlidingWindow::new(length, limit, Measure::Acts)
    }

    #[test]
    fn a_burst_across_the_full_hour_is_one_burst() {
        let mut window = acts_in(TimeDelta::hours(1), 3);
        for minute in [50, 55, 65, 70] {
            window.push(act(minute, minute));
        }
        let [episode] = window.episodes() else { panic!("one episode") };
        assert_eq!((episode.peak.acts, episode.peak.documents, episode.peak.events), (4, 4, 4));
        assert_eq!(episode.peak.samples, [50, 55, 65, 70]);
    }

    #[test]
    fn the_limit_itself_is_not_too_much() {
        let mut window = acts_in(TimeDelta::hours(1), 3);
        for minute in [0, 1, 2, 60, 61] {
            window.push(act(minute, minute));
        }
        assert_eq!(window.episodes(), []);
    }

    #[test]
    fn two_bursts_that_share_no_act_are_two_episodes() {
        let mut window = acts_in(TimeDelta::hours(1), 2);
        for minute in [0, 1, 2, 3, 50, 300, 301, 302] {
            window.push(act(minute, minute));
        }
        let told: Vec<(u64, i64)> = window
            .episodes()
            .iter()
            .map(|episode| (episode.peak.acts, episode.window.since.timestamp() / 60))
            .collect();
        assert_eq!(told, [(5, 0), (3, 300)]);
    }

    /// An editor that saves one document all day is one document, however many acts that is.
    #[test]
    fn documents_count_once_where_the_limit_is_about_documents() {
        let mut window = SlidingWindow::new(TimeDelta::hours(1), 2, Measure::Documents);
        for minute in 0..50 {
            window.push(act(minute, minute % 2));
        }
        assert_eq!(window.episodes(), []);
        window.push(act(50, 7));
        assert_eq!(window.episodes()[0].peak.documents, 3);
    }

    /// A folder is as many documents as it holds, and what nobody could list makes the count a lower bound until it is forgotten.
    #[test]
    fn a_folder_weighs_what_it_holds() {
        for measure in [Measure::Acts, Measure::Documents] {
            let mut window = SlidingWindow::new(TimeDelta::hours(1), 20, measure);
            let weight = Weight { documents: 20, at_least: true };
            window.push(Act { weight, ..act(0, 1) });
            assert_eq!(window.episodes(), []);
            window.push(act(10, 2));
            let peak = window.episodes()[0].peak.clone();
            assert_eq!((peak.acts, peak.documents, peak.events, peak.at_least), (21, 21, 2, true));
            window.push(Act { weight: Weight { documents: 30, at_least: false }, ..act(65, 3) });
            let peak = &window.episodes()[0].peak;
            assert_eq!((peak.acts, peak.at_least), (31, false));
        }
    }

    #[test]
    fn auto_saves_are_one_act_and_coming_back_is_another() {
        let mut sessions = Sessions::default();
        let begins: Vec<bool> =
            [0, 5, 60, 120, 181].into_iter().map(|minute| sessions.begins("budget", at(minute))).collect();
        assert_eq!(begins, [true, false, false, false, true]);
    }

    /// One busy day does not cost memory for all days after it.
    #[test]
    fn memory_of_what_is_forgotten_is_given_back() {
        let mut window = acts_in(TimeDelta::hours(24), 10_000);
        let mut sessions = Sessions::default();
        for minute in 0..1_000 {
            window.push(act(minute, minute));
            sessions.begins(minute, at(minute));
        }
        for minute in [2_400, 2_430, 9_000] {
            window.forget_before(at(minute));
            sessions.forget_before(at(minute));
            let kept = window.acts.len();
            assert!(window.acts.capacity() <= ROOMY * kept && window.shown.capacity() <= ROOMY * kept, "{kept} acts");
            assert!(window.documents.capacity() <= ROOMY * kept && sessions.last.is_empty(), "{kept} acts");
            assert_eq!(sessions.last.capacity(), 0);
        }
        assert_eq!(window.acts.len(), 0);
    }

    /// A minute, a document and how many files stand behind it.
    fn story() -> impl Strategy<Value = Vec<(i64, i64, u64)>> {
        prop::collection::vec((0i64..300, 0i64..9, 1u64..4), 0..60).prop_map(|mut story| {
            story.sort_unstable();
            story
        })
    }

    /// What counting by hand gives for the hour that ends with each act: acts, documents.
    fn by_hand(story: &[(i64, i64, u64)], measure: Measure) -> Vec<(i64, u64)> {
        let count = |index: usize| {
            let end = story[index].0;
            let inside = || story[..=index].iter().filter(move |(minute, ..)| end - minute < 60);
            match measure {
                Measure::Acts => inside().map(|(.., weight)| weight).sum(),
                Measure::Documents => {
                    let mut heaviest = std::collections::HashMap::new();
                    inside().for_each(|(_, document, weight)| {
                        let known: &mut u64 = heaviest.entry(*document).or_default();
                        *known = (*known).max(*weight);
                    });
                    heaviest.values().sum()
                }
            }
        };
        (0..story.len()).map(|index| (story[index].0, count(index))).collect()
    }

    fn counted(story: &[(i64, i64, u64)], limit: u64, measure: Measure) -> SlidingWindow<i64, i64> {
        let mut window = SlidingWindow::new(TimeDelta::hours(1), limit, measure);
        for (minute, document, documents) in story {
            window.push(Act { weight: Weight { documents: *documents, at_least: false }, ..act(*minute, *document) });
        }
        window
    }

    proptest! {
        /// The fullest peak is what counting every stretch by hand gives. Documents are compared where each weighs one: a folder that
        /// is weighed twice keeps its greater weight for as long as it is in the window, which counting by hand does not know.
        #[test]
        fn the_peaks_agree_with_brute_force(story in story(), limit in 0u64..12) {
            let fullest = by_hand(&story, Measure::Acts).into_iter().map(|(_, count)| count).max().unwrap_or(0);
            let window = counted(&story, limit, Measure::Acts);
            let peak = window.episodes().iter().map(|episode| episode.peak.acts).max();
            prop_assert_eq!(peak, (fullest > limit).then_some(fullest));

            let light: Vec<_> = story.iter().map(|(minute, document, _)| (*minute, *document, 1)).collect();
            let fullest = by_hand(&light, Measure::Documents).into_iter().map(|(_, count)| count).max().unwrap_or(0);
            let window = counted(&light, limit, Measure::Documents);
            let peak = window.episodes().iter().map(|episode| episode.peak.documents).max();
            prop_assert_eq!(peak, (fullest > limit).then_some(fullest));
        }

        /// Episodes hold every act that is above the limit with the hour before it, and share none.
        #[test]
        fn every_moment_above_the_limit_is_in_one_episode(story in story(), limit in 0u64..12) {
            let window = counted(&story, limit, Measure::Acts);
            for (minute, count) in by_hand(&story, Measure::Acts) {
                let inside = window.episodes().iter().filter(|episode| episode.window.contains(at(minute))).count();
                prop_assert!(inside <= 1);
                prop_assert!(count <= limit || inside == 1);
            }
            prop_assert!(window.episodes().windows(2).all(|pair| pair[0].window.until <= pair[1].window.since));
        }

        /// When it was too much, and how much, does not depend on whether anybody asks for documents and samples.
        #[test]
        fn episodes_are_the_same_where_only_numbers_are_asked_for(story in story(), limit in 0u64..12) {
            let told = |window: &SlidingWindow<i64, i64>| {
                let told = |episode: &Episode<i64>| (episode.window, episode.peak.acts, episode.peak.window);
                window.episodes().iter().map(told).collect::<Vec<_>>()
            };
            for measure in [Measure::Acts, Measure::Documents] {
                let mut without = SlidingWindow::new(TimeDelta::hours(1), limit, measure).of_numbers();
                for (minute, document, documents) in &story {
                    let weight = Weight { documents: *documents, at_least: false };
                    without.push(Act { weight, ..act(*minute, *document) });
                }
                prop_assert_eq!(told(&without), told(&counted(&story, limit, measure)));
            }
        }

        /// Raising the limit never adds anything.
        #[test]
        fn a_higher_limit_finds_no_more(story in story(), limit in 0u64..12) {
            for measure in [Measure::Acts, Measure::Documents] {
                let (lower, higher) = (counted(&story, limit, measure), counted(&story, limit + 1, measure));
                for episode in higher.episodes() {
                    let around = lower.episodes().iter().any(|other| other.window.contains(episode.window.since));
                    prop_assert!(around);
                }
            }
        }
    }
}
