//! The built program against a simulated portal: stdout, stderr and exit code of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod contract;
mod doctor;
mod explain;
mod faults;
mod honesty;
mod lease;
mod load;
mod mails;
mod managers;
mod reports;
mod told;
mod world;
