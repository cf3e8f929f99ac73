//! What is true about a scenario, for the tests and the reader: who must be found, who must not, what nobody can see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The known truth of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Findings that a run at the scenario's `now` must report.
    #[serde(default)]
    pub found: Vec<Expected>,
    /// People and addresses that a run of `ip-fence` must report.
    #[serde(default)]
    pub addresses: Vec<ExpectedAddress>,
    /// Findings of a later run only, because the rows were not there yet; `description` says when.
    #[serde(default)]
    pub found_later: Vec<Expected>,
    /// People who look busy and must not be reported.
    #[serde(default)]
    pub not_found: Vec<Innocent>,
    /// What cannot be seen on this portal, and must not be taken for an all-clear.
    #[serde(default)]
    pub unseen: Vec<String>,
    /// Exit code of each program with its default settings, run at the scenario's `now`.
    #[serde(default)]
    pub exit: BTreeMap<String, u8>,
}

/// Somebody who must be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Which program must find them.
    pub program: String,
    /// The person's e-mail address.
    pub person: String,
    /// The room's id.
    pub room: i32,
    /// How many acts in that room within `within`, at the densest.
    pub acts: usize,
    /// The sliding window, in hours.
    pub within_hours: u32,
    /// Some of these acts cannot be seen, so a program counts fewer.
    #[serde(default)]
    pub partly: bool,
    /// In words.
    pub why: String,
}

/// Somebody who came from where they should not, or nobody knows from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAddress {
    /// The person's e-mail address, or what was typed.
    pub person: String,
    /// What the program must call it.
    pub kind: String,
    /// The address as the portal shows it.
    pub ip: String,
    /// In words.
    pub why: String,
}

/// Somebody who must not be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Innocent {
    /// E-mail address, or the name of a robot.
    pub person: String,
    /// Why one could think otherwise.
    pub why: String,
}
