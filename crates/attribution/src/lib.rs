#![doc = include_str!("../README.md")]

mod log;
mod place;
mod weight;

use chrono::TimeDelta;

pub use log::{has_log, read_room_log};
pub use place::{Places, Whereabouts, file_of};
pub use weight::{Behind, Folders, Weights};

/// How long it is believed what a folder holds and where a file is: runs every minute ask once a day, and so does one over a window of the
/// usual length.
pub const FACTS_KEPT: TimeDelta = TimeDelta::hours(25);
