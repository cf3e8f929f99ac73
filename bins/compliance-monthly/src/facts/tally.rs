//! How many of something there were, and which: every number leads to its events.

use std::collections::BTreeMap;

use audit_model::ActClass;

/// Ids that stand beside a line.
pub(crate) const IDS_SHOWN: usize = 5;

/// How many of each class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes(BTreeMap<ActClass, u64>);

impl Classes {
    pub(crate) fn add(&mut self, class: ActClass) {
        *self.0.entry(class).or_default() += 1;
    }

    pub(crate) fn of(&self, class: ActClass) -> u64 {
        self.0.get(&class).copied().unwrap_or(0)
    }
}

/// How many, and which was the first and the last, so that a line can be followed to its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, id: i64) {
        if self.count == 0 {
            self.first = id;
        }
        self.count += 1;
        self.last = id;
    }

    /// `first` or `first … last`; nothing when there is none.
    pub(crate) fn ids(&self) -> String {
        match self.count {
            0 => String::new(),
            1 => self.first.to_string(),
            _ => format!("{} … {}", self.first, self.last),
        }
    }
}

/// The first ids of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) total: u64,
    pub(crate) first: Vec<i64>,
}

impl Ids {
    pub(crate) fn add(&mut self, id: i64) {
        self.total += 1;
        if self.first.len() < IDS_SHOWN {
            self.first.push(id);
        }
    }
}
