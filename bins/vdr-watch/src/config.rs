//! This program's settings. `vdr-watch.example.toml` says the same.

use job_runner::config::{Problem, Settings};
use serde::{Deserialize, Serialize};

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Rooms to watch, by id or exact title. Empty: all virtual data rooms.
    pub(crate) rooms: Vec<String>,
    pub(crate) limits: Limits,
}

/// Acts of one person in one room that are still usual; more is a finding. 0 switches a limit off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// In any 60 minutes.
    pub(crate) per_hour: u64,
    /// In any 24 hours.
    pub(crate) per_day: u64,
    /// In the whole window of the run.
    pub(crate) whole_window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { per_hour: 20, per_day: 100, whole_window: 0 }
    }
}

impl Limits {
    /// The limit that the published example calls `maxEventsPerUser`.
    pub(crate) fn published(&self) -> u64 {
        if self.whole_window > 0 { self.whole_window } else { self.per_hour }
    }
}

impl Settings for Config {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Limits { per_hour, per_day, whole_window } = self.limits;
        if per_hour == 0 && per_day == 0 && whole_window == 0 {
            problems.push(Problem::new(
                "limits",
                "every limit is off (0), so nothing could ever be found; set at least one",
            ));
        }
        if self.rooms.iter().any(|room| room.trim().is_empty()) {
            problems.push(Problem::new("rooms", "holds an empty entry; give ids or exact titles"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use job_runner::config::{Sources, load};

    use super::*;

    fn example() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("vdr-watch.example.toml")
    }

    /// The example states every own setting with its default.
    #[test]
    fn the_example_file_is_complete_and_loads() {
        let sources = Sources { own_file: Some(example()), ..Sources::default() };
        let loaded = load::<Config>("vdr-watch", &sources).unwrap();
        assert_eq!(loaded.own, Config::default());
        let text = std::fs::read_to_string(example()).unwrap();
        for key in [
            "rooms",
            "per_hour",
            "per_day",
            "whole_window",
            "url",
            "key_file",
            "state",
            "run_limit",
            "service_accounts",
            "textfile",
            "proxy",
            "ca_file",
            "path",
        ] {
            let stated = text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
            assert!(stated, "{key} is missing from the example");
        }
    }

    #[test]
    fn limits_that_can_find_nothing_are_refused() {
        let limits = Limits { per_hour: 0, per_day: 0, whole_window: 0 };
        let problems = Config { rooms: vec![" ".to_owned()], limits }.validate();
        assert_eq!(problems.len(), 2);
    }
}
