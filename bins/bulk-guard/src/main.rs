//! Finds people who change many documents in a short time, and plans whom to suspend. See the README for operators.

mod act;
mod advice;
mod backtest;
mod body;
mod catch_up;
mod cli;
mod config;
mod decide;
mod doctor;
mod drill;
mod explain;
mod gather;
mod people;
mod plan;
mod report;
mod restore;
mod rule;
mod said;
mod secret_file;
mod serve;
mod status;
mod suspend;
mod way_back;

use std::process::ExitCode;

use ::report::Document;
use alerting::Said;
use audit_model::{BlindSpot, MainSource, Source};
use event_archive::Look;
use job_runner::exit::Exit;
use job_runner::{About, Check, Found, Head, Job, Judgement, Program, Reached, Settled, Setup, Unsettled};

use crate::body::{Body, Detail, Report, told};
use crate::cli::{Because, Command, Flags, MaybeBecause};
use crate::config::Config;
use crate::gather::Facts;
use crate::rule::crowd::gathered;
use crate::suspend::command::Command as Order;
use crate::suspend::propose::proposals;

/// This program, as the runner sees it.
struct BulkGuard;

impl Program for BulkGuard {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds people who change many documents in a short time, and suspends them where it is told to",
        report_version: 1,
        window: config::WINDOW,
        main: MainSource::Audit,
        blind_spots: &[BlindSpot::FilesInFolderOperations, BlindSpot::StreamDownloads],
        judged_by: &[Source::Audit, Source::Logins, Source::Folders, Source::Destinations],
        schedule: "* * * * *",
        sends_alerts: true,
    };

    type Flags = Flags;
    type Command = Command;
    type Config = Config;
    type Facts = Facts;
    type Detail = Detail;
    type Body = Body;

    async fn settle(config: &Config, unsettled: &Unsettled) -> anyhow::Result<Settled> {
        way_back::settle(config, unsettled).await
    }

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
        gather::gather(config, job, look).await
    }

    fn judge(config: &Config, facts: Facts) -> Judgement<Detail, Body> {
        let Facts { suspects, directory, decided, now, zone, late, looked_until, postponed } = facts;
        let assessed = rule::judge(suspects, zone, looked_until);
        let candidates = plan::candidates(&assessed, config, (&directory, &decided), now);
        let proposals = proposals(&assessed, config, &late, now);
        let mut findings: Vec<_> = gathered(assessed).into_iter().map(told).collect();
        findings.sort_by_key(|found| {
            let finding = &found.finding;
            (std::cmp::Reverse(finding.severity), finding.person.id, finding.window.since)
        });
        Judgement { findings, body: Body { candidates, proposals, postponed, ..Body::default() }, notes: Vec::new() }
    }

    fn unseen(_config: &Config, _head: &Head) -> Body {
        Body::default()
    }

    async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
        act::act(config, job, report).await
    }

    async fn catch_up(job: &Job, report: &Report) -> anyhow::Result<()> {
        catch_up::catch_up(job, report).await
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    fn said(_report: &Report, found: &Found<Detail>) -> Said {
        said::said(found)
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        match command {
            Command::Explain { subject } => explain::run(subject, setup).await,
            Command::Backtest { limits } => backtest::run(limits, setup).await,
            Command::RestoreList { subject, out } => restore::run(subject, out, setup).await,
            Command::Status => status::run(setup).await,
            Command::Release { person, because, .. } => decide::release(person.as_deref(), because, setup).await,
            Command::Keep { incident, because } => {
                let Because { reason, by } = because;
                decide::about(incident, |_| Order::Keep, (by.as_deref(), Some(reason)), setup).await
            }
            Command::Extend { incident, maybe } => decide::extend(incident, maybe, setup).await,
            Command::Cancel { incident, maybe } => {
                let MaybeBecause { reason, by } = maybe;
                decide::about(incident, |_| Order::Cancel, (by.as_deref(), reason.as_deref()), setup).await
            }
            Command::Approve { incident, by, reason } => decide::approve(incident, (by, reason), setup).await,
            Command::Drill => drill::run(setup).await,
            Command::Serve { listen, behind_tls_proxy } => serve::run(*listen, *behind_tls_proxy, setup).await,
        }
    }
}

fn main() -> ExitCode {
    job_runner::main::<BulkGuard>()
}
