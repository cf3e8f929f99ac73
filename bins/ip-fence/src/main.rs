//! Finds people who came from where they should not, and tells what a list of addresses would do. See the README for operators.

mod body;
mod bursts;
mod cli;
mod commands;
mod config;
mod directory;
mod doctor;
mod drift;
mod found;
mod gather;
mod habits;
mod plan;
mod policy;
mod report;
mod rule;
mod server;
mod sighting;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use ::report::Document;
use audit_model::{MainSource, Source};
use event_archive::Look;
use job_runner::args::FlagSetting;
use job_runner::exit::Exit;
use job_runner::{About, Check, Head, Job, Judgement, Program, Reached, Setup};

use crate::body::{Body, Report};
use crate::cli::Cli;
use crate::config::Config;
use crate::found::Detail;
use crate::gather::Facts;

/// This program, as the runner sees it.
struct IpFence;

impl Program for IpFence {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        report_version: 1,
        window: rule::WINDOW,
        main: MainSource::Logins,
        blind_spots: &rule::BLIND_SPOTS,
        judged_by: &[Source::Audit, Source::Logins, Source::People],
    };

    type Cli = Cli;
    type Config = Config;
    type Facts = Facts;
    type Detail = Detail;
    type Body = Body;

    fn flags(cli: &Cli) -> Vec<FlagSetting> {
        cli.flags()
    }

    fn part(config: &Config) -> String {
        config.part()
    }

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
        gather::gather(config, job, look).await
    }

    fn judge(_config: &Config, facts: Facts) -> Judgement<Detail, Body> {
        body::judge(facts)
    }

    fn unseen(_config: &Config, head: &Head) -> Body {
        Body::unseen(head.window)
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        commands::run(cli, setup).await
    }
}

fn main() -> ExitCode {
    job_runner::main::<IpFence>()
}
