//! Finds people who came from where they should not, and tells what a list of addresses would do. See the README for operators.

mod apply;
mod cli;
mod config;
mod doctor;
mod gather;
mod plan;
mod policy;
mod report;
mod rule;
mod shadow;
mod suggest;
#[cfg(test)]
mod testing;

use std::path::Path;
use std::process::ExitCode;

use ::report::Document;
use alerting::Said;
use audit_model::{MainSource, Source};
use event_archive::Look;
use job_runner::args::Probe;
use job_runner::exit::Exit;
use job_runner::{About, Check, FirstFile, Found, Head, Job, Judgement, Program, Reached, Settled, Setup, Unsettled};

use crate::cli::{Command, Flags};
use crate::config::Config;
use crate::gather::Facts;
use crate::report::body::{self, Body, Report};
use crate::rule::found::Detail;

/// This program, as the runner sees it.
struct IpFence;

impl Program for IpFence {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds people who came from where they should not, and tells what a list of addresses would do",
        report_version: 1,
        window: rule::WINDOW,
        main: MainSource::Logins,
        blind_spots: &rule::BLIND_SPOTS,
        judged_by: &[Source::Audit, Source::Logins, Source::People],
        schedule: "*/10 * * * *",
        sends_alerts: true,
    };

    const PROBES: &'static [Probe] = &[apply::proxy::PROBE];

    type Flags = Flags;
    type Command = Command;
    type Config = Config;
    type Facts = Facts;
    type Detail = Detail;
    type Body = Body;

    async fn settle(config: &Config, unsettled: &Unsettled) -> anyhow::Result<Settled> {
        apply::hook::settle(config, unsettled).await
    }

    fn waits_beside(place: &Path) -> Vec<String> {
        apply::hook::waits_beside(place)
    }

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
        gather::gather(config, job, look).await
    }

    fn judge(config: &Config, facts: Facts) -> Judgement<Detail, Body> {
        body::judge(&config.limits, facts)
    }

    fn unseen(_config: &Config, head: &Head) -> Body {
        Body::of(head.window, Vec::new())
    }

    async fn act(_config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
        report.body.said.extend(job.settled.said.iter().cloned());
        Ok(())
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    fn said(_report: &Report, found: &Found<Detail>) -> Said {
        report::said(found)
    }

    async fn first_files(setup: &Setup<'_, Config>) -> anyhow::Result<Vec<FirstFile>> {
        suggest::command::first_files(setup).await
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }

    async fn probe(_probe: &'static Probe, setup: &Setup<'_, Config>, _reached: &Reached) -> Vec<Check> {
        apply::proxy::checks(setup).await
    }

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        match command {
            Command::Policy(command) => policy::command::run(command, setup).await,
            Command::Suggest(args) => suggest::command::run(args, setup).await,
            Command::Plan(args) => plan::command::run(args, setup).await,
            Command::Apply(args) => apply::command::apply(args, setup).await,
            Command::Confirm(args) => apply::command::confirm(args, setup).await,
            Command::Rollback(args) => apply::afterwards::rollback(args, setup).await,
            Command::History => apply::afterwards::history(setup).await,
        }
    }
}

fn main() -> ExitCode {
    job_runner::main::<IpFence>()
}
