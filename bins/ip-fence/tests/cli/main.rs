//! The built program against a simulated portal: stdout, stderr and exit code of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod commands;
mod common;
mod contract;
mod drift;
mod faults;
mod watch;
