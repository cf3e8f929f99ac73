//! This program's own flags and subcommands. No logic: each flag stands for a setting.

use clap::{Parser, Subcommand};
use job_runner::args::{CommandLine, CommonArgs, CommonCommand, FlagSetting, RunFlag};

/// Finds members of rooms who do nothing there, reminds them, and tells the manager
#[derive(Debug, Parser)]
#[command(name = "nudge-inactive", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    /// Look only at this room: id, exact title, type:NAME or tag:NAME; may be repeated [default: all rooms]
    #[arg(long = "room", global = true, value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,

    /// Print the whole report instead of what is new: text, html, csv or json
    #[arg(long = "print", value_name = "FORM")]
    pub(crate) print: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Common(CommonCommand),
    /// Say why a person is, or is not, inactive in a room; changes nothing and sends nothing
    Explain {
        /// Id or e-mail address
        person: String,
        /// Id or exact title
        room: String,
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
        matches!(self.command, Some(Command::Explain { .. }))
    }

    fn heeded(&self) -> &'static [RunFlag] {
        &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
    }
}

impl Cli {
    pub(crate) fn flags(&self) -> Vec<FlagSetting> {
        let rooms = (!self.rooms.is_empty()).then(|| FlagSetting::new("--room", "rooms", self.rooms.clone()));
        let print = self.print.as_deref().map(|form| FlagSetting::new("--print", "manager.print", form));
        [rooms, print].into_iter().flatten().collect()
    }
}
