//! Stores on real files. One executable, for each is linked with everything.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod bulk;
mod encryption;
mod engines;
mod files;
mod journal;
mod lock;
mod moving;
mod opening;
mod schema;
