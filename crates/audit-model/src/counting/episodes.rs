//! Stretches of time in which there was too much.

use chrono::{DateTime, TimeDelta, Utc};

use super::Measure;
use crate::Window;

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
    /// The oldest of those, at most [`MAX_EVIDENCE`](crate::MAX_EVIDENCE); none where nobody asks for them.
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

/// The stretches in which there was more than a limit all along, found moment by moment. Whoever counts what is in the window tells how
/// much it is: a [`SlidingWindow`](crate::SlidingWindow), which keeps its acts itself, or one that shares them with other windows.
#[derive(Debug)]
pub struct Episodes<S> {
    limit: u64,
    measure: Measure,
    /// Oldest first; none shares an act with another.
    all: Vec<Episode<S>>,
}

impl<S> Episodes<S> {
    /// Of **more than** `limit`.
    pub fn new(limit: u64, measure: Measure) -> Self {
        Episodes { limit, measure, all: Vec::new() }
    }

    /// What these go by.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// So much has been in the window since its first act, with the one of this moment. Begins an episode, or goes on with the last one,
    /// where that is more than the limit. `peak` is asked for where there was never as much in the episode before.
    pub fn judge(
        &mut self,
        now: u64,
        (first, at): (DateTime<Utc>, DateTime<Utc>),
        peak: impl FnOnce(Window) -> Peak<S>,
    ) {
        if now <= self.limit {
            return;
        }
        let window = Window::new(first, at + TimeDelta::microseconds(1));
        let measure = self.measure;
        match self.all.last_mut().filter(|episode| first < episode.window.until) {
            None => self.all.push(Episode { window, peak: peak(window) }),
            Some(episode) => {
                episode.window.until = window.until;
                if now > measure.of(episode.peak.acts, episode.peak.documents) {
                    episode.peak = peak(window);
                }
            }
        }
    }

    /// Oldest first; none shares an act with another.
    pub fn all(&self) -> &[Episode<S>] {
        &self.all
    }

    /// How far back an episode can reach that begins or goes on with an act from this time on, where the window begins with this act. Those
    /// that ended before it stay as they are.
    pub fn reach_back_to(&self, first: Option<DateTime<Utc>>, at: DateTime<Utc>) -> DateTime<Utc> {
        let Some(first) = first else { return at };
        let going_on = self.all.last().filter(|episode| first < episode.window.until);
        going_on.map_or(first, |episode| episode.window.since).min(at)
    }

    /// Forgets the episodes that ended by then.
    pub fn forget(&mut self, until: DateTime<Utc>) {
        let ended = self.all.partition_point(|episode| episode.window.until <= until);
        self.all.drain(..ended);
    }
}
