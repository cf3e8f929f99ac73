//! This program's own flags and subcommands. No logic.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

/// The flags besides the common ones; each stands for a setting.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The policy, TOML: who may come from where [default: the setting `policy`]
    #[arg(long, global = true, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Report only findings about this person, by id or e-mail address; may be repeated [default: everybody]
    #[arg(long = "person", global = true, value_name = "ID|EMAIL")]
    people: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check, make, ask or extend the policy
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Tell what the policy would make of the portal's own list, and whom that would lock out; changes nothing
    Plan(PlanArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Look for mistakes: with a portal, also for people and groups that it does not know
    Check,
    /// Make a policy of another list and print it
    Import {
        /// CSV with the columns person, address, label; or JSON: an object with a list of addresses for each person
        file: PathBuf,
        /// What the file holds [default: by its ending]
        #[arg(long, value_enum)]
        from: Option<ListFormat>,
    },
    /// Tell whether somebody may come from an address, and by which line
    Test {
        /// E-mail address or id
        person: String,
        /// IPv4 or IPv6 address
        address: String,
    },
    /// Add a rule for one person and one address to the policy's file; `--until DATE` says from which day on it does not count
    Allow {
        /// E-mail address or id
        person: String,
        /// Address, network or range
        address: String,
        /// Why, for whoever reads the policy or a report
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Csv,
    Json,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanArgs {
    /// Remove entries of the portal's list that the policy does not have; without it they are kept
    #[arg(long)]
    pub(crate) own_all: bool,

    /// Add what somebody else has taken out of the list although the policy wants it
    #[arg(long)]
    pub(crate) add_again: bool,

    /// Somebody who is meant to be locked out, by e-mail address or id; may be repeated
    #[arg(long, value_name = "PERSON")]
    pub(crate) lock_out: Vec<String>,

    /// The address under which the portal sees this machine; without it a plan with the switch on is refused
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) own_address: Option<std::net::IpAddr>,
}

impl OwnFlags for Flags {
    fn settings(&self) -> Vec<FlagSetting> {
        let policy = self.policy.as_ref().map(|path| path.display().to_string());
        let policy = FlagSetting::optional("--policy", "policy", policy);
        let people = FlagSetting::repeated("--person", "people", &self.people);
        policy.into_iter().chain(people).collect()
    }
}

impl OwnCommand for Command {
    fn heeded(&self) -> &'static [RunFlag] {
        match self {
            Command::Policy(PolicyCommand::Check) => &[RunFlag::DryRun, RunFlag::ExitCode],
            Command::Policy(PolicyCommand::Import { .. }) => &[RunFlag::DryRun],
            Command::Policy(PolicyCommand::Test { .. }) => &[RunFlag::Json, RunFlag::DryRun, RunFlag::ExitCode],
            Command::Policy(PolicyCommand::Allow { .. }) => &[RunFlag::Until, RunFlag::DryRun],
            Command::Plan(_) => &[RunFlag::Since, RunFlag::Until, RunFlag::Json, RunFlag::DryRun, RunFlag::ExitCode],
        }
    }
}
