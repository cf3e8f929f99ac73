//! The portal's own list against the policy, and what the list would do. Pure, but for reading the history.
//!
//! The portal's list is one for everybody and knows single addresses only. So a plan can keep strangers out; who of the people comes
//! from whose address stays with the watching.

pub(crate) mod command;
mod danger;
pub(crate) mod file;
mod history;
mod report;
mod simulate;
mod steps;

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use docspace_client::{AddressList, Directory, Identity, ListEntry, ListedKey};
use event_archive::OwnEntry;
use serde::Serialize;
use uuid::Uuid;

use crate::config::{Enforce, OwnPortal};
use crate::policy::Policy;

pub(crate) use danger::Danger;
pub(crate) use file::PlanFile;
pub(crate) use history::History;
pub(crate) use report::PlanReport;
pub(crate) use simulate::Simulation;
pub(crate) use steps::{CannotHold, Expanded, Step};

/// What a plan is made from.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// As the portal has it now.
    pub(crate) list: &'a AddressList,
    /// As the last run of the watch saw it; `None` before the first.
    pub(crate) remembered: Option<&'a AddressList>,
    pub(crate) policy: &'a Policy,
    pub(crate) directory: &'a Directory,
    pub(crate) service_accounts: &'a [String],
    pub(crate) settings: &'a OwnPortal,
    /// Entries that the policy does not have are removed.
    pub(crate) own_all: bool,
    /// What somebody else removed of ours is added again.
    pub(crate) add_again: bool,
    /// Entries that confirmed writes of ours added.
    pub(crate) own_entries: &'a [OwnEntry],
    /// So many entries somebody says may go.
    pub(crate) yes_remove: Option<u64>,
    pub(crate) own_address: Option<IpAddr>,
    /// People who are meant to be locked out, whatever the policy says.
    pub(crate) lock_out: &'a BTreeSet<Uuid>,
    /// All keys of the portal.
    pub(crate) keys: &'a [ListedKey],
    pub(crate) me: &'a Identity,
    pub(crate) is_public: bool,
    pub(crate) seen: &'a History,
    /// The end of what was replayed.
    pub(crate) until: DateTime<Utc>,
}

impl Inputs<'_> {
    /// Whether somebody is to be locked out: named by the flag, or by rules that count and allow nothing.
    pub(crate) fn is_meant_out(&self, person: Uuid) -> bool {
        let is_nowhere = self.policy.allowed(person).is_some_and(|own| !own.rules.is_empty() && own.is_nowhere());
        self.lock_out.contains(&person) || is_nowhere
    }

    /// Whether a rule that counts says from where somebody may come.
    pub(crate) fn has_place(&self, person: Uuid) -> bool {
        self.policy.allowed(person).is_some_and(|own| !own.is_nowhere())
    }
}

/// What would be done, and what it would do to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// By what is done, then by address.
    pub(crate) steps: Vec<Step>,
    /// Entries of the policy that are written as several addresses.
    pub(crate) expanded: Vec<Expanded>,
    /// Entries of the policy that the portal cannot hold.
    pub(crate) cannot_hold: Vec<CannotHold>,
    pub(crate) switch: Switch,
    /// The list as it would be.
    pub(crate) list: Vec<ListEntry>,
    pub(crate) simulation: Simulation,
    /// The ones that forbid the plan first.
    pub(crate) dangers: Vec<Danger>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Switch {
    pub(crate) now: bool,
    pub(crate) planned: bool,
}

impl Plan {
    pub(crate) fn make(inputs: &Inputs<'_>) -> Self {
        let (steps, expanded, cannot_hold) = steps::compare(inputs);
        let planned = match inputs.settings.enforce {
            Enforce::Keep => inputs.list.enabled,
            Enforce::On => true,
            Enforce::Off => false,
        };
        let after = AddressList { entries: steps::outcome(&steps), enabled: planned };
        let simulation = simulate::replay(inputs, &after);
        let mut plan = Plan {
            steps,
            expanded,
            cannot_hold,
            switch: Switch { now: inputs.list.enabled, planned },
            list: after.entries.clone(),
            simulation,
            dangers: Vec::new(),
        };
        plan.dangers = danger::look(inputs, &plan, &after);
        plan
    }

    /// Whether it must not be carried out as it is.
    pub(crate) fn is_refused(&self) -> bool {
        self.dangers.iter().any(|danger| danger.refuses)
    }
}

#[cfg(test)]
mod tests;
