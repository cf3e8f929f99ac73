#![doc = include_str!("../README.md")]

mod bulk;
mod connections;
mod error;
pub mod files;
mod journal;
mod lock;
mod schema;
mod statement;
mod store;
mod table;

pub use bulk::{Rows, Select, Write};
pub use error::Error;
pub use journal::{JOURNAL_TABLES, Journal, JournalEntry, JournalState};
pub use lock::{Acquired, Holder, RunLock, SeenStore};
pub use schema::{Component, Migration};
pub use statement::{Dictionary, Failure, Row, Value};
pub use store::Store;
pub use table::{Pruned, Shown, Statement, Table};
