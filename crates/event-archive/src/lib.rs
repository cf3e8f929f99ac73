#![doc = include_str!("../README.md")]

mod archive;
mod countries;
mod error;
mod facts;
mod refresh;
mod rooms;
mod rows;
mod source;
mod upkeep;

pub use archive::Archive;
pub use error::Error;
pub use facts::{Fact, FilePlace, FolderWeight, KnownList, Looked};
pub use refresh::{LateRow, Refreshed};
pub use upkeep::{Kept, Rows};
