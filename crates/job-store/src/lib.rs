#![doc = include_str!("../README.md")]

mod bulk;
mod connections;
mod each;
mod error;
pub mod files;
mod journal;
mod lease;
mod lock;
mod postgres;
mod schema;
mod statement;
mod store;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod work;

pub use bulk::{Rows, Select};
pub use error::Error;
pub use journal::{JOURNAL_TABLES, Journal, JournalEntry, JournalState};
pub use lease::{Lease, Leased};
pub use lock::{Acquired, Holder, RunLock, SeenStore};
pub use postgres::OnServer;
pub use schema::{Component, Migration};
pub use statement::{Dictionary, Failure, Row, Value};
pub use store::Store;
pub use table::{Pruned, Shown, Statement, Table};
pub use work::{Read, Write};
