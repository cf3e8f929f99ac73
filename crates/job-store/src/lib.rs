#![doc = include_str!("../README.md")]

mod error;
pub mod files;
mod journal;
mod lock;
mod schema;
mod store;

pub use error::Error;
pub use journal::{Journal, JournalEntry, JournalState};
pub use lock::{Acquired, Holder, RunLock, SeenStore};
pub use schema::{Component, Migration};
pub use store::Store;
