#![doc = include_str!("../README.md")]

mod archive;
mod countries;
mod error;
mod facts;
mod inventory;
mod judged;
mod keep;
mod look;
mod look_ups;
mod part;
mod policy_facts;
mod reading;
mod refresh;
mod rooms;
mod rows;
mod source;
mod tables;
mod unjudged;
mod unread;
mod upkeep;

pub use archive::{Archive, Stored};
pub use error::Error;
pub use facts::{Fact, FilePlace, FolderRoom, FolderWeight, KnownList, Looked, RoomsOfFolders};
pub use inventory::{Holding, Reading, Unlisted};
pub use judged::{GivenUp, JUDGED_TABLES, Judged, LookedAt};
pub use look::Look;
pub use look_ups::LookUps;
pub use policy_facts::{KnownNames, OwnEntry, SeenMembers};
pub use refresh::{LateRow, Refreshed};
pub use tables::ARCHIVE_TABLES;
pub use unjudged::Unjudged;
pub use upkeep::{Account, Kept, making_nameless, without_place};
