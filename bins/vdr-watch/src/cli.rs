//! This program's own flags and subcommands. No logic: each flag stands for a setting.

use clap::{Args, Subcommand};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

use crate::backtest::Alternative;

/// The flags besides the common ones; each stands for a setting.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Watch only this room, by id or exact title; may be repeated [default: all virtual data rooms]
    #[arg(long = "room", global = true, value_name = "ID|TITLE")]
    pub(crate) rooms: Vec<String>,

    /// Report only findings about this person, by id or e-mail address; may be repeated [default: everybody]
    #[arg(long = "person", global = true, value_name = "ID|EMAIL")]
    pub(crate) people: Vec<String>,

    /// Create a virtual data room with this title, unless there is one already
    #[arg(long, global = true, value_name = "TITLE")]
    pub(crate) create_room: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay the remembered events with other limits: how many findings each would have made, and about whom
    Backtest {
        /// Limits to compare, each written ACTIONS/1h, ACTIONS/24h, ACTIONS/30d or PERCENT%/30d (share of a room downloaded)
        #[arg(long, value_name = "N/SPAN,…", value_delimiter = ',', default_value = "20/1h,50/1h,100/24h,500/30d")]
        limits: Vec<Alternative>,
    },
}

impl OwnFlags for Flags {
    fn settings(&self) -> Vec<FlagSetting> {
        let rooms = FlagSetting::repeated("--room", "rooms", &self.rooms);
        let people = FlagSetting::repeated("--person", "people", &self.people);
        let title = FlagSetting::optional("--create-room", "create_room", self.create_room.as_deref());
        [rooms, people, title].into_iter().flatten().collect()
    }
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        // nothing is changed anyway
        &[RunFlag::Since, RunFlag::Until, RunFlag::DryRun]
    }
}
