//! Half-open spans of time, and sets of them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The instants `since <= t < until`, UTC. Empty when `since >= until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Window {
    pub fn new(since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Window { since, until }
    }

    pub fn is_empty(&self) -> bool {
        self.since >= self.until
    }

    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.since <= instant && instant < self.until
    }

    /// How long the window is; zero when it is empty.
    pub fn length(&self) -> TimeDelta {
        (self.until - self.since).max(TimeDelta::zero())
    }

    /// What both have in common; may be empty.
    pub fn intersection(&self, other: &Window) -> Window {
        Window::new(self.since.max(other.since), self.until.min(other.until))
    }
}

/// For people, to the second.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [since, until] = [self.since, self.until].map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, true));
        write!(f, "{since} to {until}")
    }
}

/// A set of instants as windows that are disjoint, not adjoining, and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanSet(Vec<Window>);

impl SpanSet {
    /// Adds a window; an empty one changes nothing.
    pub fn insert(&mut self, window: Window) {
        if window.is_empty() {
            return;
        }
        let mut merged = window;
        self.0.retain(|known| {
            let touches = known.since <= merged.until && merged.since <= known.until;
            if touches {
                merged = Window::new(merged.since.min(known.since), merged.until.max(known.until));
            }
            !touches
        });
        let place = self.0.partition_point(|known| known.since < merged.since);
        self.0.insert(place, merged);
    }

    /// Takes a window out of the set.
    pub fn remove(&mut self, window: Window) {
        if window.is_empty() {
            return;
        }
        let parts = self.0.iter().flat_map(|known| {
            [
                Window::new(known.since, known.until.min(window.since)),
                Window::new(known.since.max(window.until), known.until),
            ]
        });
        self.0 = parts.filter(|part| !part.is_empty()).collect();
    }

    /// The parts of `window` that are not in the set, oldest first.
    pub fn missing_from(&self, window: Window) -> Vec<Window> {
        let mut missing = Vec::new();
        let mut since = window.since;
        for known in &self.0 {
            let gap = Window::new(since, known.since.min(window.until));
            if !gap.is_empty() {
                missing.push(gap);
            }
            since = since.max(known.until);
        }
        let rest = Window::new(since, window.until);
        if !rest.is_empty() {
            missing.push(rest);
        }
        missing
    }

    /// The windows of the set, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Window> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Window> for SpanSet {
    fn from_iter<I: IntoIterator<Item = Window>>(windows: I) -> Self {
        let mut set = SpanSet::default();
        windows.into_iter().for_each(|window| set.insert(window));
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn window(since: i64, until: i64) -> Window {
        Window::new(at(since), at(until))
    }

    proptest! {
        /// Instant by instant, the set says the same as the list of windows it was made of.
        #[test]
        fn a_set_holds_what_was_put_in(
            windows in prop::collection::vec((0i64..40, 0i64..40), 0..12), from in 0i64..40, to in 0i64..40,
        ) {
            let windows: Vec<Window> = windows.into_iter().map(|(a, b)| window(a, b)).collect();
            let set: SpanSet = windows.iter().copied().collect();
            let parts: Vec<Window> = set.iter().copied().collect();
            prop_assert!(parts.windows(2).all(|pair| pair[0].until < pair[1].since));
            let asked = window(from, to);
            let missing = set.missing_from(asked);
            let mut without = set.clone();
            without.remove(asked);
            for second in 0..40 {
                let known = windows.iter().any(|w| w.contains(at(second)));
                prop_assert_eq!(parts.iter().any(|w| w.contains(at(second))), known);
                let is_missing = asked.contains(at(second)) && !known;
                prop_assert_eq!(missing.iter().any(|w| w.contains(at(second))), is_missing);
                let is_left = known && !asked.contains(at(second));
                prop_assert_eq!(without.iter().any(|w| w.contains(at(second))), is_left);
            }
        }
    }
}
