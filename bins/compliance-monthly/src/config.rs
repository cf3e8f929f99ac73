//! This program's settings. `compliance-monthly.example.toml` says the same.

use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::ValueEnum;
use job_runner::config::{PathSetting, Problem, Settings, Validation, text};
use job_runner::time_spec::Age;
use serde::{Deserialize, Serialize};

use crate::filter::Selection;
use crate::period::{Month, Zone};

/// What was reported for a year can be reported again.
const KEEP: Duration = Duration::from_secs(400 * 86_400);

/// The portal's queue delivers within seconds; an hour is what dates are late by in autumn, and one more is for a restart.
const SETTLE: Duration = Duration::from_secs(2 * 3600);

/// Queues that stood still are repaired within days.
const RECHECK: Duration = Duration::from_secs(10 * 24 * 3600);

/// A month with a million events takes most of an hour to read.
const RUN_LIMIT: Duration = Duration::from_secs(2 * 3600);

/// More distinct documents that one person downloaded on one day than this are named on the first page.
const BULK_DOWNLOADS: u64 = 100;

/// More failed logins with one address within the period than this are named on the first page.
const FAILED_LOGINS: u64 = 10;

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// `YYYY-MM`; without it, the last month that is over.
    #[serde(with = "text::option")]
    pub(crate) month: Option<Month>,
    /// Name of a zone; without it, the portal's.
    #[serde(with = "text::option")]
    pub(crate) time_zone: Option<Zone>,
    /// So long after its end a period is taken to have settled.
    pub(crate) settle: Age,
    /// So long after its end it is read once more; 0 is off.
    pub(crate) recheck: Age,
    /// Folder for the files; `{month}` in it stands for the month.
    pub(crate) out: Option<PathSetting>,
    /// Folder of the portal, by id or as `ROOM TITLE/FOLDER/…`.
    pub(crate) upload_to: Option<String>,
    pub(crate) on_collision: Collision,
    /// Uploads what a later run may see more of.
    pub(crate) upload_incomplete: bool,
    /// 0 is off.
    pub(crate) bulk_downloads: u64,
    /// 0 is off.
    pub(crate) failed_logins: u64,
    /// What the report is restricted to. Empty: everything.
    pub(crate) only: Selection,
    pub(crate) run_limit: Age,
    /// How long is remembered what happened.
    pub(crate) keep: Age,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            month: None,
            time_zone: None,
            settle: Age(SETTLE),
            recheck: Age(RECHECK),
            out: None,
            upload_to: None,
            on_collision: Collision::KeepBoth,
            upload_incomplete: false,
            bulk_downloads: BULK_DOWNLOADS,
            failed_logins: FAILED_LOGINS,
            only: Selection::default(),
            run_limit: Age(RUN_LIMIT),
            keep: Age(KEEP),
        }
    }
}

/// What an upload does where a file of its title is already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Collision {
    /// A second file, with a number in its title
    KeepBoth,
    /// A new version of the file that is there
    NewVersion,
    /// No upload
    Fail,
}

impl Collision {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Collision::KeepBoth => "keep-both",
            Collision::NewVersion => "new-version",
            Collision::Fail => "fail",
        }
    }
}

impl Config {
    pub(crate) fn zone_or(&self, portal: Tz) -> Tz {
        self.time_zone().unwrap_or(portal)
    }

    pub(crate) fn settle(&self) -> TimeDelta {
        length(self.settle)
    }

    /// `None`: never.
    pub(crate) fn recheck(&self) -> Option<TimeDelta> {
        Some(length(self.recheck)).filter(|length| *length > TimeDelta::zero())
    }
}

fn length(age: Age) -> TimeDelta {
    TimeDelta::from_std(age.0).expect("an age is at most a hundred years")
}

impl Settings for Config {
    /// It writes no mails and sends no alerts.
    fn unused() -> &'static [&'static str] {
        &["mail", "alerts"]
    }

    fn places() -> &'static [&'static str] {
        &["out", "only.important_documents"]
    }

    fn time_zone(&self) -> Option<Tz> {
        self.time_zone.map(|zone| zone.0)
    }

    fn remembers(&self) -> (TimeDelta, &'static str) {
        (TimeDelta::days(100), "a month, with the quarter of sign-ins before it,")
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        wrong.keep(self.keep, self.remembers());
        wrong.placeholders("out", self.out.as_ref().map(PathSetting::as_path), &["{month}", "{portal}", "{program}"]);
        wrong.refuse_if(
            self.out.as_ref().is_some_and(|out| out.as_path().as_os_str().is_empty()),
            "out",
            "is empty; name a folder, or leave `out` out to have the report printed only",
        );
        wrong.refuse_if(
            self.upload_to.is_some() && self.out.is_none(),
            "upload_to",
            "needs `out`: what is uploaded is written to this machine first",
        );
        wrong.refuse_if(
            self.upload_to.as_deref().is_some_and(|folder| folder.trim().is_empty()),
            "upload_to",
            "is empty; give the id of a folder, or `ROOM TITLE/FOLDER`",
        );
        self.only.validate(&mut wrong);
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use job_runner::config::{Sources, load};

    use super::*;

    #[test]
    fn every_mistake_is_named() {
        let only =
            Selection { actions: vec!["downlod".to_owned()], people: vec![" ".to_owned()], ..Selection::default() };
        let config = Config { upload_to: Some(" ".to_owned()), only, ..Config::default() };
        let keys: Vec<String> = config.validate().into_iter().filter_map(|problem| problem.key).collect();
        assert_eq!(keys, ["upload_to", "upload_to", "only.people", "only.actions"]);
    }

    #[test]
    fn an_empty_folder_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compliance-monthly.toml");
        std::fs::write(&file, "out = \"\"\n[portal]\nurl = \"https://docs.example.com\"\n").unwrap();
        let sources = Sources { own_files: vec![file], ..Sources::default() };
        let problems = load::<Config>("compliance-monthly", &sources).err().unwrap().to_string();
        assert!(problems.contains("config key `out`") && problems.contains("is empty; name a folder"), "{problems}");
    }

    #[test]
    fn texts_that_mean_nothing_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compliance-monthly.toml");
        let text = "month = \"June\"\ntime_zone = \"CEST\"\nout = \"reports/{moth}\"\n[portal]\nurl = \"https://docs.example.com\"\n";
        std::fs::write(&file, text).unwrap();
        let sources = Sources { own_files: vec![file.clone()], ..Sources::default() };
        let problems = load::<Config>("compliance-monthly", &sources).err().unwrap().to_string();
        let shown = file.display();
        let expected = [
            format!("config key `month` ({shown}): must be a month such as `2026-06`"),
            format!("config key `time_zone` ({shown}): must be the name of a time zone such as `Europe/Berlin`"),
            format!(
                "config key `out` ({shown}): has braces around something other than a placeholder; use `{{month}}`, `{{portal}}` and `{{program}}`"
            ),
        ];
        assert_eq!(problems.lines().collect::<Vec<_>>(), expected);
    }
}
