//! Finds members of rooms who do nothing there, reminds them, and tells the manager. See the README for operators.

mod activity;
mod checks;
mod cli;
mod config;
mod explain;
mod missed;
mod outcome;
mod remind;
mod report;
mod rooms;
mod rule;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::NudgeInactive>()
}
