//! This program's own flags and subcommands. No logic: each flag stands for a setting.

use clap::{Parser, Subcommand};
use job_runner::args::{AnyCommand, CommandLine, CommonArgs, FlagSetting, OwnCommand, RunFlag};

/// Finds members of rooms who do nothing there, reminds them, and tells the manager
#[derive(Debug, Parser)]
#[command(name = "nudge-inactive", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,

    /// Look only at this room: id, exact title, type:NAME or tag:NAME; may be repeated [default: all rooms]
    #[arg(long = "room", global = true, value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,

    /// Print the whole report instead of what is new: text, html, csv or json
    #[arg(long = "print", value_name = "FORM")]
    pub(crate) print: Option<String>,

    #[command(subcommand)]
    command: Option<AnyCommand<Command>>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say why a person is, or is not, inactive in a room; changes nothing and sends nothing
    Explain {
        /// Id or e-mail address
        person: String,
        /// Id or exact title
        room: String,
    },
}

impl CommandLine for Cli {
    type Own = Command;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn given(&self) -> Option<&AnyCommand<Command>> {
        self.command.as_ref()
    }

    fn settings(&self) -> Vec<FlagSetting> {
        let rooms = FlagSetting::repeated("--room", "rooms", &self.rooms);
        let print = FlagSetting::optional("--print", "manager.print", self.print.as_deref());
        rooms.into_iter().chain(print).collect()
    }
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
    }
}
