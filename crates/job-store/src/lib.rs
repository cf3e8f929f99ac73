#![doc = include_str!("../README.md")]

mod bulk;
mod connections;
mod copy;
mod each;
mod error;
pub mod files;
mod journal;
mod lease;
mod lock;
mod moving;
mod postgres;
mod schema;
mod seen;
mod statement;
mod store;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod work;

pub use bulk::{Rows, Select};
pub use error::Error;
pub use journal::{JOURNAL_TABLES, Journal, JournalEntry, JournalState, giving_up, open_subject};
pub use lease::{Lease, Leased};
pub use lock::{Acquired, Holder, RunLock, SeenStore};
pub use moving::{Move, MovedTable, Step, TakenBack};
pub use postgres::{Encryption, OnServer, ServerUrl, UrlError};
pub use schema::{Component, Migration};
pub use seen::{SeenLease, SeenServer};
pub use statement::{Dictionary, Failure, Row, Value};
pub use store::Store;
pub use table::{Pruned, Shown, Statement, Table};
pub use work::{Read, Write};
