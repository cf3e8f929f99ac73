//! Acts in a window that slides over them.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Act, Episode, Episodes, Measure, Peak};
use crate::MAX_EVIDENCE;

/// How much of one subject fell into any stretch of `length`, and the episodes in which that was more than `limit`. Microseconds are told
/// apart, and nothing finer. It keeps its acts, of which there may be as many as happen in its length.
#[derive(Debug)]
pub struct SlidingWindow<D, S> {
    length_us: i64,
    /// Those in the window, oldest first, each with the microseconds since 1970.
    acts: VecDeque<(i64, Act<D, S>)>,
    documents: Documents<D>,
    act_count: u64,
    /// Acts whose weight is a lower bound.
    at_least: u64,
    episodes: Episodes<S>,
}

/// The distinct documents in a window: memory for each.
#[derive(Debug)]
pub struct Documents<D> {
    /// How many acts each has in the window, and how many documents it stands for.
    each: HashMap<D, (u64, u64)>,
    count: u64,
}

impl<D> Default for Documents<D> {
    fn default() -> Self {
        Documents { each: HashMap::new(), count: 0 }
    }
}

impl<D: Eq + Hash> Documents<D> {
    /// Takes in an act on a document that stands for so many.
    pub fn add(&mut self, document: D, stands_for: u64) {
        let (acts, known) = self.each.entry(document).or_default();
        *acts += 1;
        // of a folder that was weighed twice, what it held when it held most
        self.count += stands_for.saturating_sub(*known);
        *known = stands_for.max(*known);
    }

    /// Takes an act on it away, which was added before.
    pub fn remove(&mut self, document: &D) {
        let Some((acts, documents)) = self.each.get_mut(document) else { return };
        *acts -= 1;
        if *acts == 0 {
            self.count -= *documents;
            self.each.remove(document);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl<D: Eq + Hash + Clone, S: Clone> SlidingWindow<D, S> {
    /// A window that reports stretches with **more than** `limit`, whose first and last act are less than `length` apart.
    pub fn new(length: TimeDelta, limit: u64, measure: Measure) -> Self {
        SlidingWindow {
            length_us: length.num_microseconds().unwrap_or(i64::MAX),
            acts: VecDeque::new(),
            documents: Documents::default(),
            act_count: 0,
            at_least: 0,
            episodes: Episodes::new(limit, measure),
        }
    }

    /// Counts an act. Acts come in order of time.
    pub fn push(&mut self, act: Act<D, S>) {
        let (at, at_us) = (act.at, act.at.timestamp_micros());
        while self.acts.front().is_some_and(|(first_us, _)| at_us.saturating_sub(*first_us) >= self.length_us) {
            self.forget_oldest();
        }
        self.documents.add(act.document.clone(), act.weight.documents);
        self.act_count += act.weight.documents;
        self.at_least += u64::from(act.weight.at_least);
        self.acts.push_back((at_us, act));
        self.judge(at);
    }

    fn judge(&mut self, at: DateTime<Utc>) {
        let Self { acts, documents, act_count, at_least, episodes, .. } = self;
        let first = acts.front().map_or(at, |(_, act)| act.at);
        let now = episodes.measure().of(*act_count, documents.count());
        episodes.judge(now, (first, at), |window| Peak {
            acts: *act_count,
            documents: documents.count(),
            at_least: *at_least > 0,
            window,
            events: acts.len() as u64,
            samples: acts.iter().take(MAX_EVIDENCE).map(|(_, act)| act.sample.clone()).collect(),
        });
    }

    fn forget_oldest(&mut self) {
        let Some((_, act)) = self.acts.pop_front() else { return };
        self.act_count -= act.weight.documents;
        self.at_least -= u64::from(act.weight.at_least);
        self.documents.remove(&act.document);
    }

    /// The episodes above the limit, oldest first; none shares an act with another.
    pub fn episodes(&self) -> &[Episode<S>] {
        self.episodes.all()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Weight;

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
