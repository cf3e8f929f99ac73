//! Telling the first event of an act from its repeats.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};

use super::ROOMY;

/// Repeats of an act within this time of the one before are the same act. An editor saves every few minutes and a browser
/// fetches a download in ranges; an hour without either means that somebody came back to the document.
pub const ACT_REPEAT: TimeDelta = TimeDelta::minutes(60);

const REPEAT_US: i64 = 3_600_000_000;

/// Tells the first event of an act from its repeats.
///
/// An act goes on as long as events with the same key follow each other within [`ACT_REPEAT`]. Of each key the last moment is kept, in eight
/// bytes, until [`forget_before`](Self::forget_before) is told that it is an hour old. Microseconds are told apart, and nothing finer.
#[derive(Debug)]
pub struct Sessions<K> {
    /// Microseconds since 1970.
    last_us: HashMap<K, i64>,
}

impl<K> Default for Sessions<K> {
    fn default() -> Self {
        Sessions { last_us: HashMap::new() }
    }
}

impl<K: Eq + Hash> Sessions<K> {
    /// Whether an event with this key begins an act.
    pub fn begins(&mut self, key: K, at: DateTime<Utc>) -> bool {
        let at_us = at.timestamp_micros();
        match self.last_us.insert(key, at_us) {
            Some(before_us) => at_us - before_us > REPEAT_US,
            None => true,
        }
    }

    /// Forgets what no event from this time on can repeat. What begins an act stays the same.
    pub fn forget_before(&mut self, at: DateTime<Utc>) {
        let at_us = at.timestamp_micros();
        self.last_us.retain(|_, last_us| at_us - *last_us <= REPEAT_US);
        if self.last_us.capacity() > ROOMY * self.last_us.len() {
            self.last_us.shrink_to_fit();
        }
    }

    /// Whether no event is remembered that another one could repeat.
    pub fn is_empty(&self) -> bool {
        self.last_us.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minutes * 60, 0).unwrap()
    }

    #[test]
    fn auto_saves_are_one_act_and_coming_back_is_another() {
        let mut sessions = Sessions::default();
        let begins: Vec<bool> =
            [0, 5, 60, 120, 181].into_iter().map(|minute| sessions.begins("budget", at(minute))).collect();
        assert_eq!(begins, [true, false, false, false, true]);
        assert_eq!(ACT_REPEAT.num_microseconds(), Some(REPEAT_US));
    }

    /// One busy hour does not cost memory for all hours after it.
    #[test]
    fn memory_of_what_is_forgotten_is_given_back() {
        let mut sessions = Sessions::default();
        (0..1_000).for_each(|minute| assert!(sessions.begins(minute, at(minute))));
        sessions.forget_before(at(1_030));
        assert!(!sessions.is_empty() && sessions.last_us.len() == 30);
        assert!(sessions.last_us.capacity() <= 2 * ROOMY * 30, "{}", sessions.last_us.capacity());
        sessions.forget_before(at(9_000));
        assert!(sessions.is_empty());
        assert_eq!(sessions.last_us.capacity(), 0);
    }
}
