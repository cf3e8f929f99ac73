//! A key that dies soon is announced before it does.

use chrono::{DateTime, TimeDelta, Utc};

/// So long before its end a key is worth a word: time for a person on holiday to come back and make a new one.
pub(crate) const NOTICE: TimeDelta = TimeDelta::days(21);

/// How long until `at`, in whole days.
pub(crate) fn in_days(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match (at - now).num_days() {
        ..=0 => "within a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}
