//! The built program against a simulated portal: what it finds, whom it would touch, and whom never.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod commands;
mod contract;
mod faults;
mod honest;
mod look_ups;
mod scenarios;
mod serve;
mod snapshots_of_runs;
mod story;
mod traps;
