//! Counting distinct acts in sliding windows. Feed events in order of (time, id).
//!
//! Windows slide with every act; they are not bins, so a burst across the full hour is one burst.

mod episodes;
mod sessions;
mod sliding;

use chrono::{DateTime, Utc};

pub use self::episodes::{Episode, Episodes, Peak};
pub use self::sessions::{ACT_REPEAT, Sessions};
pub use self::sliding::{Documents, SlidingWindow};

/// Memory for more than so many times what is kept is given back where something is forgotten: most people have one busy day.
const ROOMY: usize = 2;

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Every act counts.
    Acts,
    /// Acts on one document count once.
    Documents,
}

impl Measure {
    /// That one of two numbers that it is about.
    pub fn of(self, acts: u64, documents: u64) -> u64 {
        match self {
            Measure::Acts => acts,
            Measure::Documents => documents,
        }
    }
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
