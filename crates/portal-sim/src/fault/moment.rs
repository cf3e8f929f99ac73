//! Instants of the portal's clock in faults: absolute, or so long after the fault was set.

use std::str::FromStr;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::dates;

/// An instant of the portal's clock; written as RFC 3339 or as `+90m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// This instant.
    At(DateTime<Utc>),
    /// So long after the fault was set.
    After(Duration),
}

impl Moment {
    pub(super) fn fixed(self, now: DateTime<Utc>) -> Moment {
        match self {
            Moment::At(_) => self,
            Moment::After(length) => Moment::At(now + length),
        }
    }

    pub(super) fn has_come(self, now: DateTime<Utc>) -> bool {
        match self {
            Moment::At(at) => now >= at,
            // relative ones are fixed before anybody asks
            Moment::After(length) => length <= Duration::zero(),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if let Some(length) = dates::parse_relative(text) {
            return Ok(Moment::After(length));
        }
        text.parse().map(Moment::At).map_err(|_| format!("neither an instant nor a length like +90m: {text:?}"))
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Moment, String> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> String {
        match moment {
            Moment::At(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Moment::After(length) => format!("{}s", length.num_seconds()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written() {
        for text in ["2026-11-20T09:00:00Z", "5400s", "-60s"] {
            let moment: Moment = text.parse().expect("a moment");
            assert_eq!(String::from(moment), text);
        }
        assert_eq!("+90m".parse(), Ok(Moment::After(Duration::minutes(90))));
        assert!("soon".parse::<Moment>().is_err());
    }
}
