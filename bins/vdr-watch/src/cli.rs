//! This program's own flags. No logic: each stands for a setting.

use clap::Parser;
use job_runner::args::{CommandLine, CommonArgs, CommonCommand, FlagSetting};

/// Finds people whose activity in a virtual data room is unusually high
#[derive(Debug, Parser)]
#[command(name = "vdr-watch", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    /// Watch only this room, by id or exact title; may be repeated [default: all virtual data rooms]
    #[arg(long = "room", global = true, value_name = "ID|TITLE")]
    pub(crate) rooms: Vec<String>,

    /// Report only findings about this person, by id or e-mail address; may be repeated [default: everybody]
    #[arg(long = "person", global = true, value_name = "ID|EMAIL")]
    pub(crate) people: Vec<String>,

    /// Make a virtual data room of this title, unless there is one
    #[arg(long, global = true, value_name = "TITLE")]
    pub(crate) create_room: Option<String>,

    #[command(subcommand)]
    command: Option<CommonCommand>,
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn command(&self) -> Option<&CommonCommand> {
        self.command.as_ref()
    }
}

impl Cli {
    pub(crate) fn flags(&self) -> Vec<FlagSetting> {
        let rooms = (!self.rooms.is_empty()).then(|| FlagSetting::new("--room", "rooms", self.rooms.clone()));
        let people = (!self.people.is_empty()).then(|| FlagSetting::new("--person", "people", self.people.clone()));
        let title = self.create_room.as_deref().map(|title| FlagSetting::new("--create-room", "create_room", title));
        [rooms, people, title].into_iter().flatten().collect()
    }
}
