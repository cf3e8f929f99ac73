//! One danger, and the words that all share.

use ::report::Who;
use ::report::words::{list_of, plural};
use audit_model::Person;
use serde::{Deserialize, Serialize};

/// People and rules named in a sentence.
const NAMED: usize = 5;

/// What the danger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DangerKind {
    EntryStopsEverybody,
    CannotWriteBack,
    EmptyList,
    AdminOnly,
    NoHistory,
    ShortHistory,
    NoWayIn,
    AddressCut,
    NobodySaw,
    KeyUnseen,
    BlocksPeople,
    OwnAddressUnknown,
    OwnAddressNotListed,
    ProxyHidesCallers,
    NotOwnersKey,
    LargeChange,
    NeverMatches,
    SwitchGoesOn,
    CannotHold,
    BlocksSome,
    KeysInUse,
    EndsSoon,
    Withheld,
    Families,
    Roaming,
    ChangedMeanwhile,
}

/// One danger of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Danger {
    pub(crate) kind: DangerKind,
    /// Whether the plan must not be carried out as it is.
    pub(crate) refuses: bool,
    pub(crate) text: String,
}

/// A danger only refuses a list that would count.
pub(super) fn danger(kind: DangerKind, refuses: bool, text: impl Into<String>) -> Option<Danger> {
    Some(Danger { kind, refuses, text: text.into() })
}

/// Name and address, as people are asked for.
pub(super) fn called(person: &Person) -> String {
    Who::from(person).line().for_terminal()
}

pub(super) fn people(count: usize) -> String {
    plural(count as u64, "active person")
}

/// Some of them, and how many more.
pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    list_of(&names, NAMED, names.len() as u64)
}
