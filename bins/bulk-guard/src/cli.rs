//! This program's own flags and subcommands. No logic.

use std::net::SocketAddr;

use clap::{Parser, Subcommand};
use job_runner::args::{CommandLine, CommonArgs, CommonCommand, RunFlag};

use crate::backtest::Alternative;

/// Finds people who change many documents in a short time, and shows whom it would suspend
#[derive(Debug, Parser)]
#[command(name = "bulk-guard", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Common(CommonCommand),

    /// Show one person beside every limit: the busiest stretch of each, and whether a plan could suspend them
    Explain {
        /// Id, e-mail address, or name as the portal shows it
        person: String,
    },

    /// Replay what is remembered with other limits: how many incidents each would have made, and for whom
    Backtest {
        /// Limits to compare, each DOCUMENTS/MINUTESm, for all kinds of change
        #[arg(long, value_name = "N/Mm,…", value_delimiter = ',', default_value = "20/10m,50/10m,100/10m")]
        limits: Vec<Alternative>,
    },

    /// Run scans over HTTP, one at a time, for callers with a token
    Serve {
        /// Where to listen; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        listen: SocketAddr,

        /// Allow other addresses than loopback ones, because a proxy in front of this program encrypts
        #[arg(long)]
        behind_tls_proxy: bool,
    },
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

    fn heeded(&self) -> &'static [RunFlag] {
        match &self.command {
            Some(Command::Explain { .. } | Command::Backtest { .. }) => {
                &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
            }
            Some(Command::Serve { .. }) => &[RunFlag::DryRun],
            Some(Command::Common(_)) | None => &[],
        }
    }
}
