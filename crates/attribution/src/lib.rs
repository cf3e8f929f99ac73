#![doc = include_str!("../README.md")]

mod distinct;
mod inventory;
mod log;
mod people;
mod place;
mod sign_ins;
mod since_read;
mod weight;

use chrono::TimeDelta;

pub use distinct::Distinct;
pub use inventory::{INVENTORY, keep_inventory};
pub use log::{has_log, read_room_log};
pub use people::{accounts, people};
pub use place::{Places, Whereabouts, file_of};
pub use sign_ins::{Countries, History, Reach};
pub use weight::{Behind, Folders, Weights, note_hidden_folders};

/// How long it is believed what a folder holds and where a file is: runs every minute ask once a day, and so does one over a window of the
/// usual length.
pub const FACTS_KEPT: TimeDelta = TimeDelta::hours(25);
