//! This program's settings. `nudge-inactive.example.toml` says the same.

use audit_model::ActClass;
use chrono::TimeDelta;
use job_runner::config::{PathSetting, Problem, Settings};
use serde::{Deserialize, Serialize};

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// `"all"`, or a list of ids, exact titles, `type:NAME` and `tag:NAME`. Archived rooms are left out.
    pub(crate) rooms: RoomChoice,
    /// Days that are looked at. 1 to 366.
    pub(crate) period_days: u32,
    /// Fewer acts in the period are inactive. At least 1.
    pub(crate) min_activity: u64,
    /// Who joined less than so many days ago is not judged.
    pub(crate) grace_days: u32,
    /// What counts as activity.
    pub(crate) classes: Vec<ActClass>,
    /// Whether the owner of a room is judged.
    pub(crate) include_owner: bool,
    /// Whether room managers are judged.
    pub(crate) include_managers: bool,
    /// People who are never judged, by id or e-mail address.
    pub(crate) exclude_people: Vec<String>,
    pub(crate) manager: Manager,
}

/// `manager.*`: the whole report, which is made by every run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manager {
    /// File that is replaced by each run; its ending says the form: `.txt`, `.html`, `.csv` or `.json`.
    pub(crate) file: Option<PathSetting>,
    /// Form in which stdout has the whole report instead of what is new.
    pub(crate) print: Option<String>,
}

/// Which rooms to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum RoomChoice {
    Word(String),
    List(Vec<String>),
}

impl RoomChoice {
    /// `None`: all.
    pub(crate) fn wanted(&self) -> Option<&[String]> {
        match self {
            RoomChoice::Word(word) if word == "all" => None,
            RoomChoice::Word(word) => Some(std::slice::from_ref(word)),
            RoomChoice::List(list) => Some(list),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        use ActClass::{Change, Delete, Download, Membership, Share, View};
        Config {
            rooms: RoomChoice::Word("all".to_owned()),
            period_days: 30,
            min_activity: 1,
            grace_days: 14,
            classes: vec![View, Download, Change, Delete, Share, Membership],
            include_owner: false,
            include_managers: true,
            exclude_people: Vec::new(),
            manager: Manager::default(),
        }
    }
}

impl Config {
    pub(crate) fn period(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.period_days))
    }

    pub(crate) fn grace(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.grace_days))
    }
}

/// The form of a manager report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Html,
    Csv,
    Json,
}

impl Form {
    pub(crate) fn of_word(word: &str) -> Option<Form> {
        Some(match word {
            "text" | "txt" => Form::Text,
            "html" => Form::Html,
            "csv" => Form::Csv,
            "json" => Form::Json,
            _ => return None,
        })
    }

    pub(crate) fn of_file(path: &std::path::Path) -> Option<Form> {
        Form::of_word(path.extension()?.to_str()?)
    }
}

fn has_blank(texts: &[String]) -> bool {
    texts.iter().any(|text| text.trim().is_empty())
}

impl Settings for Config {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut check = |is_wrong: bool, key: &str, message: &str| {
            if is_wrong {
                problems.push(Problem::new(key, message));
            }
        };
        let wanted = self.rooms.wanted();
        check(wanted.is_some_and(has_blank), "rooms", "holds an empty entry; give ids, exact titles, type:… or tag:…");
        check(wanted.is_some_and(<[_]>::is_empty), "rooms", "is empty, so nobody would be looked at; give \"all\"");
        let unknown = wanted.unwrap_or_default().iter().filter_map(|name| name.strip_prefix("type:"));
        for kind in unknown.filter(|kind| crate::rooms::type_number(kind).is_none()) {
            let kind = audit_model::PortalText::new(kind).for_terminal();
            let message = format!("`type:{kind}` is no room type; known are {}", crate::rooms::type_names());
            check(true, "rooms", &message);
        }
        let days = (1..=366).contains(&self.period_days);
        check(!days, "period_days", "must be between 1 and 366");
        let countable = (1..=crate::rule::MOST_ACTS as u64).contains(&self.min_activity);
        check(!countable, "min_activity", "must be between 1 and 1000: with 0 nobody is ever inactive");
        let is_longer = self.grace_days > self.period_days;
        check(
            is_longer,
            "grace_days",
            "must not be more than `period_days`: who joined before the period is not known",
        );
        check(self.classes.is_empty(), "classes", "is empty, so everybody would be inactive; name at least one");
        let file = self.manager.file.as_ref();
        let is_unknown = file.is_some_and(|file| Form::of_file(file.as_path()).is_none());
        check(is_unknown, "manager.file", "must end in .txt, .html, .csv or .json");
        let print = self.manager.print.as_deref();
        let is_unknown = print.is_some_and(|word| Form::of_word(word).is_none());
        check(is_unknown, "manager.print", "must be text, html, csv or json");
        let blank = has_blank(&self.exclude_people);
        check(blank, "exclude_people", "holds an empty entry; give ids or e-mail addresses");
        problems
    }
}
