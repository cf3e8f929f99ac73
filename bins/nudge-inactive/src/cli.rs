//! This program's own flags and subcommands. No logic: each flag stands for a setting.

use clap::{Args, Subcommand};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

/// The flags besides the common ones; each stands for a setting.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Look only at this room: id, exact title, type:NAME or tag:NAME; may be repeated [default: all rooms]
    #[arg(long = "room", global = true, value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,

    /// Print the whole report instead of what is new: text, html, csv or json
    #[arg(long = "print", value_name = "FORM")]
    pub(crate) print: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say why a person counts as inactive in a room, or why not; changes nothing and sends nothing
    Explain {
        /// Id or e-mail address
        person: String,
        /// Id or exact title
        room: String,
    },
}

impl OwnFlags for Flags {
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
