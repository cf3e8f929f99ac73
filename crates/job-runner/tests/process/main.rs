//! A whole process, `examples/sample-job.rs`, against a simulated portal: its commands, and what it tells those who watch it.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod alerts;
mod channels;
mod commands;
mod common;
mod doctor;
mod fleet;
mod honest;
mod killed;
mod network;
mod server;
mod sixth;
#[cfg(target_os = "linux")]
mod stragglers;
mod two_hosts;
mod watched;
