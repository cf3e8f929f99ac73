//! `suspend.*`: for whom, for what and for how long a run of `mode = "enforce"` suspends.

use std::time::Duration;

use chrono::TimeDelta;
use job_runner::config::{Validation, nearest_name};
use job_runner::names::NamedList;
use job_runner::time_spec::Age;
use safe_actions::Breaker;
use serde::{Deserialize, Serialize};

use crate::rule::kind::Kind;
use crate::suspend::terms::Terms;

/// What somebody may be suspended for, as the settings call it.
pub(crate) const KINDS: [(&str, Kind); 7] = [
    ("deleted", Kind::Deleted),
    ("deleted_for_good", Kind::DeletedForGood),
    ("room_deleted", Kind::RoomDeleted),
    ("overwritten", Kind::Overwritten),
    ("renamed", Kind::Renamed),
    ("moved_out", Kind::MovedOut),
    ("downloaded", Kind::Downloaded),
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Suspend {
    /// What somebody may be suspended for; empty: nothing. Without `enforce` the plan shows all of them then.
    pub(crate) kinds: Vec<String>,
    /// How long, the first time.
    pub(crate) suspend_for: Age,
    /// No term is longer, however often it is repeated.
    pub(crate) longest: Age,
    /// Time in which somebody may cancel.
    pub(crate) grace: Age,
    /// Guests, too.
    pub(crate) guests: bool,
    /// People whose API keys are in use, too.
    pub(crate) collateral: bool,
    /// Whether two weak signs are enough. Ordinary years have some such coincidences.
    pub(crate) on_weak_signs: bool,
    /// People who leave: their suspension ends when somebody decides. Ids or e-mail addresses.
    pub(crate) leavers: Vec<String>,
}

impl Default for Suspend {
    fn default() -> Self {
        let hours = |hours: u64| Age(Duration::from_secs(hours * 3600));
        Suspend {
            kinds: Vec::new(),
            suspend_for: hours(4),
            longest: hours(24),
            grace: hours(0),
            guests: false,
            collateral: false,
            on_weak_signs: false,
            leavers: Vec::new(),
        }
    }
}

impl Suspend {
    /// What somebody may be suspended for.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let is_named = |(name, _): &&(&str, Kind)| self.kinds.iter().any(|kind| kind == name);
        KINDS.iter().filter(is_named).map(|(_, kind)| *kind).collect()
    }

    pub(crate) fn terms(&self, breaker: Breaker) -> Terms {
        let length = |age: Age| TimeDelta::from_std(age.0).unwrap_or(TimeDelta::MAX);
        Terms {
            suspend_for: length(self.suspend_for),
            longest: length(self.longest),
            grace: length(self.grace),
            guests: self.guests,
            collateral: self.collateral,
            breaker,
        }
    }

    pub(crate) fn named_leavers(&self) -> NamedList {
        NamedList::people("suspend.leavers", &self.leavers)
    }

    pub(crate) fn validate(&self, is_enforcing: bool, wrong: &mut Validation) {
        const MISSING: &str = "is empty, so `enforce` would suspend nobody; name what somebody may be suspended for";
        wrong.refuse_if(is_enforcing && self.kinds.is_empty(), "suspend.kinds", MISSING);
        for kind in self.kinds.iter().filter(|kind| !KINDS.iter().any(|(name, _)| name == kind)) {
            let nearest = nearest_name(kind, KINDS.iter().map(|(name, _)| *name));
            let meant = nearest.map(|name| format!("; do you mean `{name}`?")).unwrap_or_default();
            wrong.refuse_if(true, "suspend.kinds", format!("`{kind}` is none of the kinds{meant}"));
        }
        for (key, message) in self.terms(Breaker::default()).problems() {
            wrong.refuse_if(true, key, message);
        }
        wrong.no_blanks("suspend.leavers", &self.leavers, "ids or e-mail addresses");
    }
}
