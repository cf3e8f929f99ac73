//! Finds people whose activity in a virtual data room is unusually high. See the README for operators.

mod backtest;
mod cli;
mod config;
mod create_room;
mod doctor;
mod gather;
mod report;
mod rule;

use std::process::ExitCode;

use ::report::{Document, Line};
use alerting::Said;
use audit_model::{MainSource, Source};
use event_archive::Look;
use job_runner::exit::Exit;
use job_runner::{About, Check, Head, Job, Judgement, Program, Question, Reached, Setup};

use crate::cli::{Command, Flags};
use crate::config::Config;
use crate::gather::Facts;
use crate::report::{Body, Report};
use crate::rule::{Detail, Found};

/// This program, as the runner sees it.
struct VdrWatch;

impl Program for VdrWatch {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds people whose activity in a virtual data room is unusually high",
        report_version: 1,
        window: rule::WINDOW,
        main: MainSource::Audit,
        blind_spots: &rule::BLIND_SPOTS,
        judged_by: &[Source::Audit, Source::Logins, Source::Rooms, Source::RoomLog, Source::Folders, Source::Files],
        schedule: "*/10 * * * *",
        sends_alerts: true,
    };

    type Flags = Flags;
    type Command = Command;
    type Config = Config;
    type Facts = Facts;
    type Detail = Detail;
    type Body = Body;

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
        gather::gather(config, job, look).await
    }

    fn judge(config: &Config, facts: Facts) -> Judgement<Detail, Body> {
        report::judge(config, facts)
    }

    fn unseen(config: &Config, head: &Head) -> Body {
        Body::unseen(config.limits.published(), head.window)
    }

    async fn act(config: &Config, job: &Job, _report: &mut Report) -> anyhow::Result<()> {
        create_room::refused(config, job)
    }

    fn headline(report: &Report, told: u64) -> Option<Line> {
        report::headline(report, told)
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    fn said(report: &Report, found: &Found) -> Said {
        report::said(report, found)
    }

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        let Command::Backtest { limits } = command;
        backtest::run(limits, setup).await
    }

    fn questions(reached: &Reached) -> Vec<Question> {
        let rooms = reached.rooms_to_choose(|room| !room.archived && room.fact.may_be_vdr());
        vec![Question::several("rooms", "Which rooms are watched? (none marked: every virtual data room)", rooms)]
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }
}

fn main() -> ExitCode {
    job_runner::main::<VdrWatch>()
}
