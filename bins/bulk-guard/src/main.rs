//! Finds people who change many documents in a short time, and plans whom to suspend. See the README for operators.

mod backtest;
mod changes;
mod checks;
mod cli;
mod config;
mod explain;
mod judgement;
mod kind;
mod names;
mod outcome;
mod people;
mod report;
mod rule;
mod run;
mod serve;
mod signs;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::BulkGuard>()
}
