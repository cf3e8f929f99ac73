#![doc = include_str!("../README.md")]

mod error;
mod files;
mod lock;
mod schema;
mod store;

pub use error::Error;
pub use lock::{Acquired, Holder, RunLock};
pub use schema::{Component, Migration};
pub use store::Store;
