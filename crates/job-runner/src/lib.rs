#![doc = include_str!("../README.md")]

pub mod args;
mod clock;
pub mod config;
pub mod environment;
pub mod error;
pub mod exit;
mod flow;
mod head;
mod job;
pub mod logging;
mod program;
pub mod secret;
pub mod state_path;
mod telling;
pub mod time_spec;
mod upkeep;

pub use error::Error;
pub use flow::main;
pub use head::{Head, PortalName, ProgramName, RunFacts};
pub use job::Job;
pub use program::{Conclusion, Program, Tellable};
