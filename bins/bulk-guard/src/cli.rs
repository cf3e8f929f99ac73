//! This program's own flags and subcommands. No logic.

use std::net::SocketAddr;

use clap::Subcommand;
use job_runner::args::{OwnCommand, RunFlag};

use crate::backtest::Alternative;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        match self {
            Command::Explain { .. } | Command::Backtest { .. } => &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun],
            Command::Serve { .. } => &[RunFlag::DryRun],
        }
    }
}
