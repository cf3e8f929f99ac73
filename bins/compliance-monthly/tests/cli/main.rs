//! The built program against a simulated portal: stdout, stderr, exit code and the files of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod contract;
mod doctor;
mod faults;
mod files;
mod honesty;
mod months;
mod only;
mod people;
mod portal;
mod reports;
mod uploads;
