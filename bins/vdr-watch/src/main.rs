//! Finds people whose activity in a virtual data room is unusually high. See the README for operators.

mod attribution;
mod checks;
mod cli;
mod config;
mod create_room;
mod exclusion;
mod logins;
mod outcome;
mod report;
mod rule;
mod run;
mod who;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::VdrWatch>()
}
