//! The smallest program with a subcommand of its own. The tests of this crate run it; nobody else needs it.

use std::process::ExitCode;

use audit_model::{GapReason, MainSource, Source};
use chrono::TimeDelta;
use clap::Subcommand;
use event_archive::Look;
use job_runner::args::{NoFlags, OwnCommand, RunFlag};
use job_runner::config::{Problem, Settings};
use job_runner::exit::Exit;
use job_runner::{About, Head, Job, Judgement, Program, Publishing, ReportOf, Setup, render};
use report::{Document, Form};
use serde::{Deserialize, Serialize};

#[derive(Debug, Subcommand)]
enum Command {
    /// Add up; needs neither portal nor key
    Add { numbers: Vec<u64> },
    /// How much is remembered of the portal; needs no key
    Remembered,
    /// Who the key acts as
    Whoami,
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        &[]
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    /// What a run does: nothing, `gap`, `fail`, `hang`, `panic`, `read` the audit trail, `ask` the portal when it acts, or fail when it is
    /// to `act`.
    mood: String,
    /// A file that gets the whole report besides; empty: none.
    handed_on: String,
}

impl Settings for Config {
    fn validate(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Nothing besides what all reports have.
#[derive(Debug, Serialize)]
struct Body {}

struct Sample;

impl Program for Sample {
    const ABOUT: About = About {
        name: "sample-job",
        version: "1.0.0",
        summary: "Looks at nothing",
        report_version: 1,
        window: TimeDelta::hours(24),
        main: MainSource::Audit,
        blind_spots: &[],
        judged_by: &[Source::Audit],
        schedule: "*/10 * * * *",
        sends_alerts: true,
    };

    type Flags = NoFlags;
    type Command = Command;
    type Config = Config;
    type Facts = ();
    type Detail = ();
    type Body = Body;

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<()> {
        match config.mood.as_str() {
            "panic" => panic!("in a mood to stumble"),
            "hang" => std::future::pending().await,
            "fail" => anyhow::bail!("in a mood to fail"),
            mood => {
                look.audit().await?.of_window_alone();
                if mood == "gap" {
                    look.gap("audit", job.window, GapReason::PortalError);
                }
                Ok(())
            }
        }
    }

    fn judge(_config: &Config, (): ()) -> Judgement<(), Body> {
        Judgement { findings: Vec::new(), body: Body {}, notes: Vec::new() }
    }

    fn unseen(_config: &Config, _head: &Head) -> Body {
        Body {}
    }

    async fn act(config: &Config, job: &Job, _report: &mut ReportOf<Self>) -> anyhow::Result<()> {
        match config.mood.as_str() {
            "ask" => return Ok(job.client.identity().await.map(|_| ())?),
            "act" => {}
            _ => return Ok(()),
        }
        match &job.store {
            Ok(_) => anyhow::bail!("in a mood to fail at the end"),
            Err(refusal) => Err(anyhow::Error::new(*refusal).context("nothing was done")),
        }
    }

    async fn publish(config: &Config, _publishing: &Publishing, report: &mut ReportOf<Self>) -> anyhow::Result<()> {
        if config.handed_on.is_empty() {
            return Ok(());
        }
        Ok(std::fs::write(&config.handed_on, render(Form::Json, report, &report.head.document())?)?)
    }

    fn body(_report: &ReportOf<Self>, _document: &mut Document) {}

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        let answer = match command {
            Command::Add { numbers } => numbers.iter().sum::<u64>().to_string(),
            Command::Remembered => format!("{:?}", setup.archive_snapshot().await?.kept().await?),
            Command::Whoami => setup.client()?.identity().await?.person.id.to_string(),
        };
        setup.print(&format!("{answer}\n"))?;
        Ok(Exit::Concluded)
    }
}

fn main() -> ExitCode {
    job_runner::main::<Sample>()
}
