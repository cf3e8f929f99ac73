//! The archive of simulated portals. One executable, for each is linked with everything.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod complete;
mod details;
mod facts;
mod interrupted;
mod login_history;
mod moving;
mod nothing;
mod refresh;
mod requests;
mod rooms;
