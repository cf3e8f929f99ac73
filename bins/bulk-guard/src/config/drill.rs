//! `drill.*`: with which account the whole way of a suspension is tried.

use std::ops::RangeInclusive;
use std::time::Duration;

use job_runner::config::{PathSetting, Validation};
use job_runner::time_spec::Age;
use serde::{Deserialize, Serialize};

/// A run takes seconds, and evidence is too old after ten minutes.
const STEP_LIMITS: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(9 * 60);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DrillSettings {
    /// Id or e-mail address of an account that is there for nothing else.
    pub(crate) account: Option<String>,
    /// File with a key of that account.
    pub(crate) key_file: Option<PathSetting>,
    /// How long each step may take. 10 s to 9 min.
    pub(crate) step_limit: Age,
}

impl Default for DrillSettings {
    fn default() -> Self {
        DrillSettings { account: None, key_file: None, step_limit: Age(Duration::from_secs(300)) }
    }
}

impl DrillSettings {
    pub(crate) fn is_set(&self) -> bool {
        self.account.is_some() || self.key_file.is_some()
    }

    pub(super) fn validate(&self, wrong: &mut Validation) {
        let is_blank = self.account.as_ref().is_some_and(|account| account.trim().is_empty());
        wrong.refuse_if(is_blank, "drill.account", "is empty; write the id or the e-mail address of the test account");
        let message = "must be between 10s and 9m: what is older than ten minutes suspends nobody";
        wrong.refuse_if(!STEP_LIMITS.contains(&self.step_limit.0), "drill.step_limit", message);
    }
}
