//! The smallest program with a subcommand of its own. The tests of this crate run it; nobody else needs it.

use std::io;
use std::process::ExitCode;

use alerting::Alert;
use audit_model::{Coverage, GapReason, SourceCoverage};
use chrono::TimeDelta;
use clap::{Parser, Subcommand};
use job_runner::args::{CommandLine, CommonArgs, CommonCommand, FlagSetting, ReportFormat};
use job_runner::config::{Problem, Settings};
use job_runner::exit::Exit;
use job_runner::{Conclusion, Head, Job, Program, Setup};
use serde::{Deserialize, Serialize};

/// Looks at nothing
#[derive(Debug, Parser)]
#[command(name = "sample-job", version)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Common(CommonCommand),
    /// Add up; needs neither portal nor key
    Add { numbers: Vec<u64> },
    /// How much is remembered of the portal; needs no key
    Remembered,
    /// Who the key acts as
    Whoami,
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn command(&self) -> Option<&CommonCommand> {
        match &self.command {
            Some(Command::Common(command)) => Some(command),
            _ => None,
        }
    }

    fn has_own_command(&self) -> bool {
        self.command.is_some() && self.command().is_none()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    /// What a run does: nothing, `gap`, `fail`, `hang`, `panic`, `read` the audit trail, or fail when it is to `act`.
    mood: String,
}

impl Settings for Config {
    fn validate(&self) -> Vec<Problem> {
        Vec::new()
    }
}

struct Sample;

impl Program for Sample {
    const NAME: &'static str = "sample-job";
    const VERSION: &'static str = "1.0.0";
    const WINDOW: TimeDelta = TimeDelta::hours(24);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Head;

    fn flags(_cli: &Cli) -> Vec<FlagSetting> {
        Vec::new()
    }

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Head> {
        match config.mood.as_str() {
            "panic" => panic!("in a mood to stumble"),
            "hang" => std::future::pending().await,
            "fail" => anyhow::bail!("in a mood to fail"),
            "read" => {
                let refreshed = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
                let mut coverage = Coverage { audit: refreshed.coverage, ..Coverage::default() };
                coverage.add_gaps(refreshed.gaps);
                Ok(Head::new(job, 1, coverage))
            }
            mood => {
                let mut coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
                if mood == "gap" {
                    coverage.gap("audit", job.window, GapReason::PortalError);
                }
                Ok(Head::new(job, 1, coverage))
            }
        }
    }

    async fn act(config: &Config, job: &Job, _outcome: &mut Head) -> anyhow::Result<()> {
        if config.mood != "act" {
            return Ok(());
        }
        match &job.store {
            Ok(_) => anyhow::bail!("in a mood to fail at the end"),
            Err(refusal) => Err(anyhow::Error::new(*refusal).context("nothing was done")),
        }
    }

    fn unseen(_config: &Config, job: &Job, coverage: Coverage) -> Head {
        Head::new(job, 1, coverage)
    }

    fn head(outcome: &mut Head) -> &mut Head {
        outcome
    }

    fn conclusion(outcome: &Head) -> Conclusion<'_> {
        Conclusion { coverage: &outcome.coverage, findings: &[], suppressed: 0, held: false }
    }

    fn render(outcome: &Head, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        match format {
            ReportFormat::Json => Ok(serde_json::to_writer(out, outcome)?),
            ReportFormat::Text => Ok(()),
        }
    }

    fn alerts(_outcome: &Head) -> Vec<Alert> {
        Vec::new()
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Self>) -> anyhow::Result<Exit> {
        let answer = match &cli.command {
            Some(Command::Add { numbers }) => numbers.iter().sum::<u64>().to_string(),
            Some(Command::Remembered) => format!("{:?}", setup.archive_snapshot().await?.rows().await?),
            Some(Command::Whoami) => setup.client()?.identity().await?.person.id.to_string(),
            Some(Command::Common(_)) | None => return Ok(Exit::Usage),
        };
        setup.print(&format!("{answer}\n"))?;
        Ok(Exit::Concluded)
    }
}

fn main() -> ExitCode {
    job_runner::main::<Sample>()
}
