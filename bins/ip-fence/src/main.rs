//! Finds people who came from where they should not, and tells what a list of addresses would do. See the README for operators.

mod bursts;
mod checks;
mod cli;
mod commands;
mod config;
mod directory;
mod drift;
mod found;
mod habits;
mod outcome;
mod plan;
mod policy;
mod report;
mod rule;
mod run;
mod server;
mod sighting;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::IpFence>()
}
