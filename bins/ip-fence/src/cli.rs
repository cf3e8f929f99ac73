//! This program's own flags and subcommands. No logic.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use job_runner::args::{FlagSetting, OwnCommand, OwnFlags, RunFlag};

use crate::plan::file::PlanFlags;

/// The flags besides the common ones; each stands for a setting.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The policy file, TOML: who may sign in from where [default: the setting `policy`]
    #[arg(long, global = true, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Report only findings about this person, by id or e-mail address; may be repeated [default: everybody]
    #[arg(long = "person", global = true, value_name = "ID|EMAIL")]
    people: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check, create, query or extend the policy
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print a policy made from where people came from in the last 90 days, and how well it would have done; changes nothing
    Suggest(SuggestArgs),
    /// Show how the policy would change the portal's own list, and whom that would lock out; changes nothing
    Plan(PlanArgs),
    /// Write what a plan file says into the portal's own list, wait for `confirm`, and take it back if nobody confirms in time
    Apply(ApplyArgs),
    /// Say that the list that was written lets the right people in, so that it stays
    Confirm(ConfirmArgs),
    /// Take back what was written, as far as it was this program, and keep what others have changed
    Rollback(RollbackArgs),
    /// List what was written, by whom, and what became of it
    History,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ApplyArgs {
    /// The file of `plan --out`
    pub(crate) file: PathBuf,

    /// Do not ask for days in which runs have watched the plan
    #[arg(long)]
    pub(crate) without_shadow: bool,

    /// Who applies it [default: who is signed in on this machine]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ConfirmArgs {
    /// Who confirms it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,

    /// Confirm although nobody but the owner has come in since
    #[arg(long)]
    pub(crate) without_witness: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RollbackArgs {
    /// Take back this one and all that came after it, as `history` names them [default: the last]
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,

    /// Who takes it back [default: who is signed in on this machine]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,

    /// The reason, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Look for mistakes; if a portal is set, also for people and groups that it does not have
    Check,
    /// Turn another list into a policy, and print it
    Import {
        /// CSV with the columns person, address, label; or JSON: an object with a list of addresses for each person
        file: PathBuf,
        /// Format of the file [default: by its ending]
        #[arg(long, value_enum)]
        from: Option<ListFormat>,
    },
    /// Say whether a person may come from an address, and which line of the policy decides it
    Test {
        /// E-mail address or id
        person: String,
        /// IPv4 or IPv6 address
        address: String,
    },
    /// Add a rule for one person and one address to the policy file; `--until DATE` is the first day on which it no longer counts
    Allow {
        /// E-mail address or id
        person: String,
        /// Address, network or range
        address: String,
        /// The reason, for anyone who reads the policy or a report
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Csv,
    Json,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SuggestArgs {
    /// Print only how a policy that exists differs: places that it lacks, and entries that nobody used
    #[arg(long, value_name = "POLICY")]
    pub(crate) against: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanArgs {
    /// Also remove entries of the portal's list that are not in the policy; without this flag they are kept
    #[arg(long)]
    pub(crate) own_all: bool,

    /// Add back what the policy contains and somebody else has removed from the list
    #[arg(long)]
    pub(crate) add_again: bool,

    /// A person who is meant to be locked out, by e-mail address or id; may be repeated
    #[arg(long, value_name = "PERSON")]
    pub(crate) lock_out: Vec<String>,

    /// The address under which the portal sees this machine; without it a plan with the switch on is refused
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) own_address: Option<std::net::IpAddr>,

    /// Remove exactly this many entries; needed when that is much of the list
    #[arg(long, value_name = "N")]
    pub(crate) yes_remove: Option<u64>,

    /// Also write the plan to this file, to be reviewed and carried out as it is; an existing file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Who plans, for the file
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

impl From<&PlanFlags> for PlanArgs {
    /// The flags that an earlier plan was made with.
    fn from(flags: &PlanFlags) -> Self {
        let PlanFlags { own_all, add_again, lock_out, own_address, yes_remove } = flags.clone();
        PlanArgs { own_all, add_again, lock_out, own_address, yes_remove, out: None, by: None }
    }
}

impl PlanArgs {
    pub(crate) fn flags(&self) -> PlanFlags {
        let PlanArgs { own_all, add_again, lock_out, own_address, yes_remove, .. } = self.clone();
        PlanFlags { own_all, add_again, lock_out, own_address, yes_remove }
    }
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
            Command::Suggest(_) => &[RunFlag::Since, RunFlag::Until, RunFlag::Json, RunFlag::DryRun],
            Command::Apply(_) | Command::Confirm(_) | Command::Rollback(_) | Command::History => &[],
            Command::Plan(_) => &[RunFlag::Since, RunFlag::Until, RunFlag::Json, RunFlag::DryRun, RunFlag::ExitCode],
        }
    }
}
