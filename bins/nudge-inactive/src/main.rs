//! Finds members of rooms who do nothing there, reminds them, and tells the manager. See the README for operators.

mod activity;
mod cli;
mod config;
mod outcome;
mod report;
mod rooms;
mod rule;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::NudgeInactive>()
}
