//! What a plan is to do with the list, and in which writes.

use docspace_client::{AddressList, ListEntry};
use serde::{Deserialize, Serialize};

use super::entry::Purpose;
use super::merge;

/// What somebody has reviewed: the list as it was, and the difference to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) plan: String,
    /// The portal's own number, where its list names one: an empty list does not.
    pub(crate) tenant: Option<i64>,
    /// In the portal's order and text.
    pub(crate) before: AddressList,
    pub(crate) add: Vec<Addition>,
    pub(crate) remove: Vec<ListEntry>,
    pub(crate) enable_after: bool,
    /// Who planned it.
    pub(crate) by: String,
}

/// An entry that is added, with what is remembered of it once the write is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Addition {
    #[serde(flatten)]
    pub(crate) entry: ListEntry,
    pub(crate) rule: String,
    pub(crate) owner: Option<String>,
}

/// One write of the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) purpose: Purpose,
    adds: bool,
    removes: bool,
    enable: bool,
}

impl Intent {
    pub(crate) fn added(&self) -> Vec<ListEntry> {
        self.add.iter().map(|addition| addition.entry.clone()).collect()
    }

    /// Whether an entry is one that is added or removed.
    #[cfg(test)]
    pub(crate) fn touches(&self, entry: &ListEntry) -> bool {
        self.remove.contains(entry) || self.add.iter().any(|addition| addition.entry == *entry)
    }

    /// The list as it is to be.
    pub(crate) fn after(&self) -> AddressList {
        let entries = merge::changed(&self.before.entries, &self.added(), &self.remove);
        AddressList { entries, enabled: self.enable_after }
    }

    /// The writes in their order: what opens comes before what closes, and switching on comes alone and last. `probe`: a write that changes
    /// nothing comes first, by whose event the portal says from where it sees this machine.
    pub(crate) fn legs(&self, probe: bool) -> Vec<Leg> {
        let (adds, removes) = (!self.add.is_empty(), !self.remove.is_empty());
        let leg = |purpose, adds, removes, enable| Leg { purpose, adds, removes, enable };
        let (was, is) = (self.before.enabled, self.enable_after);
        let mut legs = Vec::new();
        if probe {
            legs.push(leg(Purpose::Probe, false, false, was));
        }
        match (was, is) {
            // nothing counts before the switch is on, so one write does both
            (false, _) if adds || removes => legs.push(leg(Purpose::Narrow, adds, removes, false)),
            (true, true) if adds => legs.push(leg(Purpose::Widen, true, false, true)),
            (true, false) => legs.push(leg(Purpose::Widen, adds, false, false)),
            _ => {}
        }
        if was && removes {
            legs.push(leg(Purpose::Narrow, false, true, is));
        }
        if !was && is {
            legs.push(leg(Purpose::Switch, false, false, true));
        }
        legs
    }

    /// What a write of the way there sends, over what was read.
    pub(crate) fn sent(&self, leg: Leg, read: &AddressList) -> AddressList {
        let added = if leg.adds { self.added() } else { Vec::new() };
        let removed = if leg.removes { self.remove.as_slice() } else { &[] };
        AddressList { entries: merge::changed(&read.entries, &added, removed), enabled: leg.enable }
    }
}
