//! The subcommands that every program has.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::RunFlag;
use crate::time_spec::{Age, TimeError, TimeSpec};

/// The subcommands that every program has.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum CommonCommand {
    /// Ask what is needed, prove it against the portal, and write the settings and the key; overwrites nothing
    Init(InitArgs),
    /// Check everything that a run depends on, and say how to fix what is wrong; changes nothing
    Doctor,
    /// Show the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List what was told and to whom, explain an alert, silence findings, or send a test alert
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Check, show, clean up, move or back up what this program remembers of the portal
    #[command(subcommand)]
    Store(StoreCommand),
    /// Run once for each of many portals, one settings file each, and print one summary
    Fleet(FleetArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write the pages of all commands
    #[command(hide = true)]
    Man {
        /// Folder for the pages of all commands
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

impl CommonCommand {
    pub(super) fn heeded(&self) -> &'static [RunFlag] {
        match self {
            CommonCommand::Fleet(_) => &RunFlag::ALL,
            CommonCommand::Init(_) => &[],
            CommonCommand::Doctor | CommonCommand::Config(ConfigCommand::Show) => &[RunFlag::Json, RunFlag::DryRun],
            CommonCommand::Alerts(AlertsCommand::Silence(SilenceCommand::Add { .. })) => &[RunFlag::Until],
            CommonCommand::Alerts(_) => &[],
            CommonCommand::Completions { .. } | CommonCommand::Store(StoreCommand::Check) => &[RunFlag::DryRun],
            CommonCommand::Man { .. } => &[],
            CommonCommand::Store(StoreCommand::Show { .. }) => &[RunFlag::Json, RunFlag::DryRun],
            CommonCommand::Store(
                StoreCommand::Prune { .. }
                | StoreCommand::Backup { .. }
                | StoreCommand::Move { .. }
                | StoreCommand::TakeBack { .. }
                | StoreCommand::Forget { .. },
            ) => &[],
            CommonCommand::Store(StoreCommand::GiveUp { .. }) => &[RunFlag::Until],
        }
    }
}

/// `init …`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct InitArgs {
    /// Address of the portal, as in --portal; without a scheme, https:// is meant
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Ask nothing; every setting that no flag gives keeps its default
    #[arg(long)]
    pub yes: bool,

    /// Set any setting: limits.per_hour=30, state=/srv/state, rooms=71,Acme or, where a title has commas, rooms='["Board, open"]'; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<SetKey>,

    /// Folder for the settings and the key [default: /etc/docspace if this user may write to it, else the current folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// A setting on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetKey {
    pub key: String,
    /// As it was typed.
    pub value: String,
}

impl FromStr for SetKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE, such as limits.per_hour=30")?;
        let is_key = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if !key.split('.').all(is_key) {
            return Err(format!("`{key}` is no key of a setting; the keys are in the example file"));
        }
        Ok(SetKey { key: key.to_owned(), value: value.to_owned() })
    }
}

/// `fleet …`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct FleetArgs {
    /// Folder with one settings file for each portal, NAME.toml
    #[arg(long, value_name = "DIR")]
    pub portals: PathBuf,

    /// How many runs may be at work at the same time; as many again may go on that have taken longer than 10 s
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub at_most: u16,

    /// Spread the starts evenly over this time (50s, 5m) [default: each as soon as --at-most allows]
    #[arg(long, value_name = "TIME")]
    pub spread: Option<Age>,

    /// Stay, and look at all portals again so long after each beginning (10m), but for those whose last run goes on; a signal ends it [default: look once]
    #[arg(long, value_name = "TIME", value_parser = between_rounds)]
    pub every: Option<Age>,
}

/// A fleet that takes no time between two rounds would do nothing but begin them.
fn between_rounds(text: &str) -> Result<Age, String> {
    let every: Age = text.parse().map_err(|error: TimeError| error.to_string())?;
    if every.0.is_zero() { Err("must be longer than 0".to_owned()) } else { Ok(every) }
}

/// `config …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with its value and its origin, without secrets
    Show,
}

/// `alerts …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AlertsCommand {
    /// List what was told, to which channels, and what waits
    List,
    /// Say what became of an alert, or of all alerts about a matter, in every channel
    Explain {
        /// The id of the alert, or what the report calls the matter, such as k3f9-q2mw
        id: String,
    },
    /// Keep findings from being told for a time
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// Send a test alert through every channel, or through one, and remember which of them took it
    Test {
        /// The channel, by its name or kind [default: every channel that is set]
        channel: Option<String>,
    },
}

/// `alerts silence …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum SilenceCommand {
    /// Add a silence: what matches is not told until it ends, and stays in the full report. The time in --until counts forward from now here: 7d ends it in seven days
    Add {
        /// What is silenced: rule=NAME, person=ID or e-mail address, room=ID or title, severity=high, matter=ID or fingerprint=TEXT; if repeated, all must match
        #[arg(long = "match", value_name = "WHAT", required = true)]
        criteria: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who says so
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// List the silences that have not ended
    List,
    /// End a silence now
    End {
        /// What `alerts silence list` calls it
        id: String,
    },
}

/// `store …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum StoreCommand {
    /// Check the store for damage, and list what it holds
    Check,
    /// Delete everything older than a given time from all tables, except what is still open
    Prune {
        /// Delete what happened before this time; same forms as --until
        #[arg(long, value_name = "TIME")]
        before: TimeSpec,
    },
    /// Copy the store into a new file; works during a run, too
    Backup {
        /// The file; it must not exist yet
        file: PathBuf,
    },
    /// Move everything that is remembered to another folder or server; goes on where an earlier call was ended
    Move {
        /// Where it is: a folder or an address, as in --state
        from: PathBuf,
        /// Where it is to be; nothing may be remembered there
        to: PathBuf,
        /// Empty TO before, if it was itself moved away, or if a move was given up that had begun to fill it
        #[arg(long)]
        replace: bool,
    },
    /// Use a store again that was moved away, because the one that it was moved to is lost for good
    TakeBack {
        /// Where it is: a folder or an address, as in --state
        place: PathBuf,
        /// Where the other one cannot be asked whether it is in use, take it for lost: nobody will ever use it again
        #[arg(long)]
        lost: bool,
    },
    /// Print everything that is kept about a person
    Show {
        /// Id, e-mail address, or pseudonym
        person: String,
    },
    /// Anonymise a person in everything that is kept
    Forget {
        /// Id, e-mail address, or pseudonym
        person: String,
        /// The reason, for anyone who asks later
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Give up on what no run could see or judge before --until: runs stop asking for it, and reports stop listing it
    GiveUp {
        /// The reason, for anyone who asks later
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
