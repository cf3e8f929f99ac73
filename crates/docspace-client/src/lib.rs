#![doc = include_str!("../README.md")]

mod audit;
mod budget;
mod client;
mod error;
mod key;
mod logins;
mod probe;
#[cfg(test)]
mod recorded;
mod room_log;
mod rooms;
mod slice;
mod wire;
mod zone;

pub use budget::Budget;
pub use client::Client;
pub use error::{Error, ErrorKind};
pub use key::ApiKey;
pub use probe::{Identity, Portal};
pub use room_log::LogEntry;
pub use rooms::Room;
pub use slice::{Slice, SliceGap};
