//! This program's settings. `bulk-guard.example.toml` says the same.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use chrono::TimeDelta;
use job_runner::config::{PathSetting, Problem, Settings, Validation, text};
use safe_actions::Breaker;
use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// What a folder counts that nobody can list any more.
const FOLDER_WEIGHT: u64 = 10;

/// How far back a run looks at least when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Longest stretch that a limit may be about: a window of the usual length must hold it.
const LONGEST_MINUTES: u64 = 24 * 60;

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// `observe` reports and plans; `enforce` is refused by this version.
    #[serde(with = "text")]
    pub(crate) mode: Mode,
    pub(crate) limits: Limits,
    /// Documents that a folder stands for when it cannot be listed. At least 1.
    pub(crate) folder_weight: u64,
    pub(crate) protect: Protect,
    pub(crate) breaker: Breaker,
    pub(crate) serve: Serve,
}

/// What the program may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Report and plan.
    #[default]
    Observe,
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, &'static str> {
        match word {
            "observe" => Ok(Mode::Observe),
            "enforce" => Err(
                "`enforce` is not possible: this version plans and shows suspensions, and carries none out; use `observe`",
            ),
            _ => Err("must be `observe`"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("observe")
    }
}

impl Config {
    /// How far back a run looks when nothing says otherwise: as far as the longest limit.
    pub(crate) fn reach(&self) -> TimeDelta {
        WINDOW.max(self.limits.longest())
    }

    /// Files of this program that nobody else may read.
    pub(crate) fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        self.serve.token_file.iter().map(|path| ("the token in", path.as_path())).collect()
    }
}

/// `serve.*`: how the program answers over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Serve {
    /// File with the token that callers must present.
    pub(crate) token_file: Option<PathSetting>,
}

/// `protect.*`: people who are never suspended, besides those whom the portal protects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Protect {
    /// By id or e-mail.
    pub(crate) people: Vec<String>,
    /// By id or exact name.
    pub(crate) groups: Vec<String>,
}

/// Distinct documents of one person that are still usual; more is a finding. Twenty in ten minutes are the published numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// The published rule: everything but downloads.
    pub(crate) changes: Limit,
    pub(crate) deleted: Limit,
    pub(crate) overwritten: Limit,
    pub(crate) renamed: Limit,
    pub(crate) moved_out: Limit,
    pub(crate) created: Limit,
    pub(crate) downloaded: Limit,
}

/// More than so many distinct documents in any so many minutes. 0 documents is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    pub(crate) documents: u64,
    pub(crate) minutes: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Limit { documents: 20, minutes: 10 }
    }
}

impl Limit {
    pub(crate) fn length(self) -> TimeDelta {
        TimeDelta::minutes(i64::try_from(self.minutes).unwrap_or(i64::MAX / 60_000))
    }
}

/// A limit and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Armed {
    /// `None`: the published rule.
    pub(crate) kind: Option<Kind>,
    pub(crate) limit: Limit,
}

impl Armed {
    pub(crate) fn counts(&self, kind: Kind) -> bool {
        self.kind.map_or(kind.is_change(), |own| own == kind)
    }
}

impl Limits {
    /// The limits that are not switched off, the published one first.
    pub(crate) fn armed(&self) -> Vec<Armed> {
        let all = [
            (None, self.changes),
            (Some(Kind::Deleted), self.deleted),
            (Some(Kind::Overwritten), self.overwritten),
            (Some(Kind::Renamed), self.renamed),
            (Some(Kind::MovedOut), self.moved_out),
            (Some(Kind::Created), self.created),
            (Some(Kind::Downloaded), self.downloaded),
        ];
        all.into_iter().filter(|(_, limit)| limit.documents > 0).map(|(kind, limit)| Armed { kind, limit }).collect()
    }

    /// The longest stretch that any limit looks at.
    pub(crate) fn longest(&self) -> TimeDelta {
        self.armed().iter().map(|armed| armed.limit.length()).max().unwrap_or_default()
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mode: Mode::Observe,
            limits: Limits::default(),
            folder_weight: FOLDER_WEIGHT,
            protect: Protect::default(),
            breaker: Breaker::default(),
            serve: Serve::default(),
        }
    }
}

impl Settings for Config {
    /// It writes no mails.
    fn unused() -> &'static [&'static str] {
        &["mail"]
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        let armed = self.limits.armed();
        let message = "every limit is off (0 documents), so nothing could ever be found; set one";
        wrong.refuse_if(armed.is_empty(), "limits", message);
        for Armed { kind, limit } in armed {
            let name = kind.map_or("changes", |kind| match kind {
                Kind::MovedOut => "moved_out",
                other => other.participle(),
            });
            wrong.between(&format!("limits.{name}.minutes"), limit.minutes, 1..=LONGEST_MINUTES, "");
        }
        wrong.refuse_if(self.folder_weight == 0, "folder_weight", "must be at least 1: a folder is something");
        wrong.no_blanks("protect.people", &self.protect.people, "ids or e-mail addresses");
        wrong.no_blanks("protect.groups", &self.protect.groups, "ids or exact names");
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_is_refused_until_it_can_be_done() {
        assert_eq!("observe".parse(), Ok(Mode::Observe));
        assert!("enforce".parse::<Mode>().unwrap_err().contains("carries none out"));
        assert_eq!("Observe".parse::<Mode>(), Err("must be `observe`"));
        assert_eq!(Config::default().validate(), []);
    }

    #[test]
    fn a_limit_without_time_is_refused() {
        let mut config = Config::default();
        config.limits.moved_out.minutes = 0;
        config.limits.changes.minutes = 100_000;
        let keys: Vec<_> = config.validate().into_iter().filter_map(|problem| problem.key).collect();
        assert_eq!(keys, ["limits.changes.minutes", "limits.moved_out.minutes"]);
    }
}
