//! The built program against a simulated portal: stdout, stderr and exit code of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod applied;
mod apply;
mod apply_left;
mod common;
mod contract;
mod dangers;
mod doctor;
mod drift;
mod faults;
mod honesty;
#[cfg(unix)]
mod init;
mod plan;
mod policy;
mod reports;
#[cfg(unix)]
mod stopped;
mod suggest;
mod told;
