//! Writes the audit trail of a month as a report that people can read and auditors can verify. See the README for operators.

mod act;
mod body;
mod bundle;
mod cli;
mod config;
mod doctor;
mod facts;
mod filter;
mod gather;
mod period;
mod report;
mod rule;
mod upload;
mod verify;

use std::process::ExitCode;

use ::report::{Document, Line};
use audit_model::{BlindSpot, MainSource, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_archive::Look;
use job_runner::exit::Exit;
use job_runner::{About, Check, Head, Job, Judgement, Program, Question, Reached, Setup};

use crate::body::{Body, Gathered, Report};
use crate::cli::{Command, Flags};
use crate::config::Config;

/// This program, as the runner sees it.
struct ComplianceMonthly;

impl Program for ComplianceMonthly {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: "Writes the audit trail of a month as a report that people can read and auditors can verify",
        report_version: 1,
        window: TimeDelta::days(31),
        main: MainSource::Audit,
        blind_spots: &[
            BlindSpot::StreamDownloads,
            BlindSpot::ViewOnlySessions,
            BlindSpot::KeyLogins,
            BlindSpot::FilesInFolderOperations,
            BlindSpot::Ipv6,
            BlindSpot::BlockedLogins,
        ],
        judged_by: &[Source::Audit],
        schedule: "0 4 1,4,12 * *",
        sends_alerts: false,
    };

    type Flags = Flags;
    type Command = Command;
    type Config = Config;
    type Facts = Gathered;
    type Detail = ();
    type Body = Body;

    fn window(
        config: &Config,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Option<Window>, job_runner::Error> {
        period::window(config.month, since, until, now, config.zone_or(zone)).map(Some)
    }

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Gathered> {
        gather::gather(config, job, look).await
    }

    fn judge(config: &Config, gathered: Gathered) -> Judgement<(), Body> {
        body::judge(config, gathered)
    }

    fn unseen(config: &Config, head: &Head) -> Body {
        body::unseen(config, head)
    }

    async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
        act::act(config, job, report).await
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    fn headline(report: &Report, _told: u64) -> Option<Line> {
        Some(report::headline(&report.body.facts, &report.body.decisions, report.coverage()))
    }

    /// A report that was asked for is printed, whatever it lacks.
    fn text(report: &Report, document: &Document) -> Option<Vec<u8>> {
        Some(report::text(report, document))
    }

    fn questions(reached: &Reached) -> Vec<Question> {
        let rooms = reached.rooms.iter().filter(|room| !room.archived).map(|room| room.fact.title.for_terminal());
        let example = rooms.take(1).map(|title| format!(", such as \"{title}/Reports\"")).collect::<String>();
        vec![
            Question::line("out", "Into which folder are the files of each month written? (Enter: into none)"),
            Question::line(
                "upload_to",
                format!(
                    "Into which folder of the portal are they uploaded? (an id, or a path{example}; Enter: into none)"
                ),
            ),
        ]
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        let Command::Verify { dirs, digest } = command;
        verify::run(dirs, digest.as_deref(), setup)
    }
}

fn main() -> ExitCode {
    job_runner::main::<ComplianceMonthly>()
}
