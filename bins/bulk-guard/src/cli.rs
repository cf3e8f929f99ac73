//! This program's own flags and subcommands. No logic.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

use crate::backtest::Alternative;

/// What `serve` gives to its scans.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Change nothing at the portal, whatever the settings say
    #[arg(long, hide = true)]
    cannot_act: bool,

    /// Who asked for this run, for the journal
    #[arg(long, hide = true, value_name = "WHO")]
    asked_by: Option<String>,
}

impl OwnFlags for Flags {
    fn settings(&self) -> Vec<FlagSetting> {
        let cannot_act = self.cannot_act.then(|| FlagSetting::new("--cannot-act", "cannot_act", true));
        let asked_by = FlagSetting::optional("--asked-by", "asked_by", self.asked_by.as_deref());
        [cannot_act, asked_by].into_iter().flatten().collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare one person with every limit, at their busiest, and say whether a plan could suspend them
    Explain {
        /// Id, e-mail address, or name as the portal shows it
        person: String,
    },

    /// Replay the remembered events with other limits: how many incidents each would have found, and whose
    Backtest {
        /// Limits to compare, each written DOCUMENTS/MINUTESm, for all kinds of change together
        #[arg(long, value_name = "N/Mm,…", value_delimiter = ',', default_value = "20/10m,50/10m,100/10m")]
        limits: Vec<Alternative>,
    },

    /// List every document that a person or an incident has changed: its title and version before, where it is now, and who can put it
    /// back. Only reads; restores nothing
    RestoreList {
        /// The matter that reports and alerts name; or the id, e-mail address or name of a person, of whom --since and --until say the time
        #[arg(value_name = "PERSON|INCIDENT")]
        subject: String,

        /// File to write, readable by this user only: .csv or .json. Repeatable
        #[arg(long, value_name = "FILE", required = true)]
        out: Vec<PathBuf>,
    },

    /// Answer over HTTP: run a scan, one at a time, for callers that have the token
    Serve {
        /// Address to listen on; port 0 picks a free port
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
        listen: SocketAddr,

        /// Allow addresses other than loopback, because a proxy in front of this program provides TLS
        #[arg(long)]
        behind_tls_proxy: bool,
    },
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        match self {
            Command::Explain { .. } | Command::Backtest { .. } | Command::RestoreList { .. } => {
                &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
            }
            Command::Serve { .. } => &[RunFlag::DryRun],
        }
    }
}
