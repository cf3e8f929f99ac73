#![doc = include_str!("../README.md")]

pub mod args;
mod clock;
mod command;
pub mod config;
mod config_show;
mod doctor;
pub mod environment;
pub mod error;
pub mod exit;
mod failures;
mod flow;
mod former;
mod guard;
mod head;
mod heartbeat;
mod job;
mod key_end;
pub mod logging;
mod look;
mod memory;
mod metrics;
pub mod names;
mod place;
mod program;
pub mod secret;
mod setup;
mod spare;
pub mod state_path;
mod stop;
mod stores;
mod telling;
#[cfg(debug_assertions)]
mod test_clock;
pub mod time_spec;
mod upkeep;
mod watchers;
mod window;

pub use command::main;
pub use doctor::{Check, CheckState, Reached};
pub use error::Error;
pub use head::{Head, PortalName, ProgramName, RunFacts};
pub use job::{Job, Refusal};
pub use program::{Conclusion, Program, Tellable};
pub use setup::Setup;
