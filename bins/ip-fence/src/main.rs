//! Finds people who came from where they should not, and tells what a list of addresses would do. See the README for operators.

mod bursts;
mod cli;
mod config;
mod directory;
mod drift;
mod found;
mod outcome;
mod policy;
mod report;
mod rule;
mod run;
mod server;
mod sighting;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::IpFence>()
}
