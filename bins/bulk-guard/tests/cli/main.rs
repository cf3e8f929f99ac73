//! The built program against a simulated portal: what it finds, whom it would touch, and whom never.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod broken_calls;
mod commands;
mod common;
mod contract;
mod decisions;
mod doctor;
mod drill;
mod faults;
mod folders;
mod honesty;
mod look_ups;
mod moves;
mod plan;
mod reports;
mod restore;
mod runs;
mod serve;
mod signs;
mod status;
#[cfg(unix)]
mod stopped;
mod suspend;
mod suspended;
mod terms;
mod told;
mod watched;
mod way_back;
mod webhook;
