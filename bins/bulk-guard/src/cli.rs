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
    /// Compare one person with every limit, at their busiest, and say whether a plan could suspend them; or tell the course of one incident
    Explain {
        /// Id, e-mail address, or name as the portal shows it; or an incident, as `status` shows it
        #[arg(value_name = "PERSON|INCIDENT")]
        subject: String,
    },

    /// Show whose account is disabled by this program, until when and why, and what waits for somebody; reads only what is remembered
    Status,

    /// Enable the account of somebody whom this program has suspended
    #[command(group(clap::ArgGroup::new("whom").required(true)))]
    Release {
        /// Id, e-mail address, or name as the portal shows it; or the incident, as `status` shows it
        #[arg(group = "whom")]
        person: Option<String>,

        /// Everybody whom this program has suspended, unless somebody decided to keep the account disabled
        #[arg(long, group = "whom")]
        all: bool,

        #[command(flatten)]
        because: Because,
    },

    /// Keep an account disabled: no term ends it any more, and only the portal can enable it
    Keep {
        /// As `status` shows it
        incident: String,

        #[command(flatten)]
        because: Because,
    },

    /// Move the end of a suspension to a later time, given by --until, at most 30 days from now
    Extend {
        /// As `status` shows it
        incident: String,

        #[command(flatten)]
        maybe: MaybeBecause,
    },

    /// Suspend nobody for this incident; possible until the account is disabled
    Cancel {
        /// As `status` shows it
        incident: String,

        #[command(flatten)]
        maybe: MaybeBecause,
    },

    /// Let a suspension that was held go on: of exactly the person shown, once, within 30 minutes
    Approve {
        /// As `status` shows it
        incident: String,

        /// Who approves it
        #[arg(long, value_name = "NAME")]
        by: String,

        /// The reason, for anyone who asks later
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },

    /// Try the whole way of a suspension with a test account, which the settings `drill.*` name: it renames documents in a room of its own, is
    /// found, suspended and released by ordinary runs, and everything that it made is deleted. Prints when each step happened
    Drill,

    /// Replay the remembered events with other limits: how many incidents each would have found, and whose
    Backtest {
        /// Limits to compare, each written DOCUMENTS/MINUTESm, for all kinds of change together
        #[arg(long, value_name = "N/Mm,…", value_delimiter = ',', default_value = "20/10m,50/10m,100/10m")]
        limits: Vec<Alternative>,
    },

    /// List every document that a person or an incident has changed: its title and version before, where it is now, and who can put it
    /// back. Only reads; restores nothing
    RestoreList {
        /// The incident, by the `matter` that reports and alerts name; or the id, e-mail address or name of a person, of whom --since and --until say the time
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

/// Who decides, and why.
#[derive(Debug, Args)]
pub(crate) struct Because {
    /// The reason, for anyone who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,

    /// Who decides [default: the user of this machine]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// The same, where the decision explains itself.
#[derive(Debug, Args)]
pub(crate) struct MaybeBecause {
    /// The reason, for anyone who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Who decides [default: the user of this machine]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        match self {
            Command::Status => &[RunFlag::Json, RunFlag::DryRun],
            Command::Extend { .. } => &[RunFlag::Until],
            Command::Release { .. }
            | Command::Keep { .. }
            | Command::Cancel { .. }
            | Command::Approve { .. }
            | Command::Drill => &[],
            Command::Explain { .. } | Command::Backtest { .. } | Command::RestoreList { .. } => {
                &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
            }
            Command::Serve { .. } => &[RunFlag::DryRun],
        }
    }
}
