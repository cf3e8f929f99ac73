//! Writes the audit trail of a month as a report that people can read and auditors can verify. See the README for operators.

mod bundle;
mod checks;
mod cli;
mod config;
mod csv;
mod decision;
mod document;
mod filter;
mod html;
mod logins;
mod look_up;
mod manifest;
mod ndjson;
mod outcome;
mod page_one;
mod period;
mod report;
mod run;
mod sections;
mod summary;
mod target;
mod topic;
mod txt;
mod upload;
mod verify;
mod words;
mod write;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_runner::main::<run::ComplianceMonthly>()
}
