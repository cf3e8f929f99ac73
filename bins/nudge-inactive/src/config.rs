//! This program's settings. `nudge-inactive.example.toml` says the same.

mod remind;
mod templates;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ::report::Form;
use alerting::is_mail_address;
use audit_model::ActClass;
use chrono::{DateTime, TimeDelta, Utc};
use job_runner::config::{PathSetting, Problem, Settings, Validation, text};
use job_runner::names::NamedList;
use job_runner::time_spec::Age;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use remind::{Remind, Snooze};
pub(crate) use templates::MAIL_FILES;

/// A year of looking back, and a month.
const KEEP: Duration = Duration::from_secs(400 * 86_400);

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
    pub(crate) remind: Remind,
    /// How long is remembered what happened.
    pub(crate) keep: Age,
}

/// `manager.*`: the whole report, which is made by every run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manager {
    /// File that is replaced by each run; its ending says the form: `.txt`, `.html`, `.csv` or `.json`.
    pub(crate) file: Option<PathSetting>,
    /// Addresses to which each run mails the whole report. Needs `mail.*`.
    pub(crate) mail_to: Vec<String>,
    /// Whether each owner of rooms in which somebody is inactive is mailed the report of these rooms. Needs `mail.*`.
    pub(crate) per_owner: bool,
    /// Subject of these mails; `{headline}` in it is the sentence above the report.
    pub(crate) subject: Option<String>,
    /// Form in which stdout has the whole report instead of what is new.
    #[serde(with = "text::option")]
    pub(crate) print: Option<PrintForm>,
}

/// Which rooms to look at. A word that begins as a list is none: a room of such a title is named in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum RoomChoice {
    Word(String),
    List(Vec<String>),
    /// What `explain` was asked about.
    #[serde(skip)]
    Argument(String),
}

impl<'de> Deserialize<'de> for RoomChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            List(Vec<String>),
        }
        let expected = "`\"all\"`, or a list such as `[\"a\", \"b\"]`";
        match Written::deserialize(deserializer) {
            Ok(Written::Word(word)) if word.starts_with('[') => {
                Err(D::Error::invalid_type(Unexpected::Str(&word), &expected))
            }
            Ok(Written::Word(word)) => Ok(RoomChoice::Word(word)),
            Ok(Written::List(list)) => Ok(RoomChoice::List(list)),
            Err(error) => Err(error),
        }
    }
}

impl RoomChoice {
    /// `None`: all.
    pub(crate) fn wanted(&self) -> Option<&[String]> {
        match self {
            RoomChoice::Word(word) if word == "all" => None,
            RoomChoice::Word(word) | RoomChoice::Argument(word) => Some(std::slice::from_ref(word)),
            RoomChoice::List(list) => Some(list),
        }
    }

    /// What mistakes in it are called.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            RoomChoice::Argument(_) => "ROOM",
            RoomChoice::Word(_) | RoomChoice::List(_) => "rooms",
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
            remind: Remind::default(),
            keep: Age(KEEP),
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

/// The form in which stdout has the whole report, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PrintForm(pub(crate) Form);

impl FromStr for PrintForm {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, &'static str> {
        Ok(PrintForm(match word {
            "text" | "txt" => Form::Text,
            "html" => Form::Html,
            "csv" => Form::Csv,
            "json" => Form::Json,
            _ => return Err("must be text, html, csv or json"),
        }))
    }
}

impl fmt::Display for PrintForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Text => "text",
            Form::Html => "html",
            Form::Csv => "csv",
            Form::Json => "json",
        })
    }
}

/// The portal's room types, by the names that settings have for them.
const TYPES: [(&str, i32); 6] =
    [("filling_forms", 1), ("collaboration", 2), ("custom", 5), ("public", 6), ("virtual_data_room", 8), ("vdr", 8)];

/// The portal's number of a room type; `None` where no type has this name.
pub(crate) fn type_number(name: &str) -> Option<i32> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

fn type_names() -> String {
    TYPES.map(|(name, _)| name).join(", ")
}

impl Settings for Config {
    /// It sends no alerts.
    fn unused() -> &'static [&'static str] {
        &["alerts"]
    }

    fn places() -> &'static [&'static str] {
        &["manager.file", "remind.templates"]
    }

    fn reach(&self, _usual: TimeDelta) -> TimeDelta {
        self.period()
    }

    /// A look at some rooms says nothing of who is not found in others.
    fn part(&self) -> String {
        self.rooms.wanted().unwrap_or_default().join("\n")
    }

    /// Those that leave people in peace. A day is the portal's, which is not known here: snoozes that may count do.
    fn named(&self, now: DateTime<Utc>) -> Vec<NamedList> {
        let counts = |snooze: &&Snooze| snooze.until.is_some_and(|until| now.date_naive() <= until);
        let snoozed = self.remind.snooze.iter().filter(counts).map(|snooze| &snooze.person);
        vec![
            NamedList::people("exclude_people", &self.exclude_people),
            NamedList::people("remind.stop", &self.remind.stop),
            NamedList::people("remind.snooze", snoozed),
        ]
    }

    fn needs_mail(&self) -> bool {
        self.remind.enabled || self.manager.per_owner || !self.manager.mail_to.is_empty()
    }

    fn remembers(&self) -> (TimeDelta, &'static str) {
        (self.period() + TimeDelta::days(30), "`period_days`, with a month to spare,")
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        let wanted = self.rooms.wanted();
        wrong.no_blanks("rooms", wanted.unwrap_or_default(), "ids, exact titles, type:… or tag:…");
        let nobody = "is empty, so nobody would be looked at; give \"all\"";
        wrong.refuse_if(wanted.is_some_and(<[_]>::is_empty), "rooms", nobody);
        let types = wanted.unwrap_or_default().iter().filter_map(|name| name.strip_prefix("type:"));
        for kind in types.filter(|kind| type_number(kind).is_none()) {
            let kind = audit_model::PortalText::new(kind).for_terminal();
            let message = format!("`type:{kind}` is no room type; known are {}", type_names());
            wrong.refuse_if(true, "rooms", message);
        }
        wrong.between("period_days", self.period_days, 1..=366, "");
        wrong.keep(self.keep, self.remembers());
        let most = crate::rule::MOST_ACTS as u64;
        wrong.between("min_activity", self.min_activity, 1..=most, "with 0 nobody is ever inactive");
        wrong.refuse_if(
            self.grace_days > self.period_days,
            "grace_days",
            "must not be more than `period_days`: who joined before the period is not known",
        );
        let everybody = "is empty, so everybody would be inactive; name at least one";
        wrong.refuse_if(self.classes.is_empty(), "classes", everybody);
        let file = self.manager.file.as_ref();
        let is_unknown = file.is_some_and(|file| Form::of_file(file.as_path()).is_err());
        wrong.refuse_if(is_unknown, "manager.file", "must end in .txt, .html, .csv or .json");
        wrong.no_blanks("exclude_people", &self.exclude_people, "ids or e-mail addresses");
        let is_wrong = |address: &String| !is_mail_address(address);
        let message = "must hold mail addresses without names, such as \"it@example.com\"";
        wrong.refuse_if(self.manager.mail_to.iter().any(is_wrong), "manager.mail_to", message);
        self.remind.validate(&mut wrong);
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_find_the_wrong_people_are_refused() {
        let keys = |config: Config| {
            let keys: Vec<String> = config.validate().into_iter().filter_map(|problem| problem.key).collect();
            keys.join(" ")
        };
        let list = |entries: &[&str]| RoomChoice::List(entries.iter().map(|&entry| entry.to_owned()).collect());
        let defaults = Config::default;
        assert_eq!(keys(defaults()), "");
        assert_eq!(keys(Config { rooms: list(&[]), ..defaults() }), "rooms");
        assert_eq!(keys(Config { rooms: list(&["type:sauna", " "]), ..defaults() }), "rooms rooms");
        assert_eq!(
            keys(Config { period_days: 0, min_activity: 0, ..defaults() }),
            "period_days min_activity grace_days"
        );
        assert_eq!(keys(Config { grace_days: 31, classes: Vec::new(), ..defaults() }), "grace_days classes");
        let manager =
            Manager { file: Some("a.pdf".into()), mail_to: vec!["not an address".to_owned()], ..Manager::default() };
        assert_eq!(keys(Config { manager, ..defaults() }), "manager.file manager.mail_to");
    }

    #[test]
    fn rooms_in_the_environment_are_a_list_or_a_word() {
        use job_runner::config::{Sources, load};
        for (text, expected) in [
            (r#"["71", "Board, open"]"#, Some(r#"["71","Board, open"]"#)),
            ("Falcon", Some(r#""Falcon""#)),
            ("all", Some(r#""all""#)),
            ("[Falcon", None),
        ] {
            let environment = [("NUDGE_INACTIVE_ROOMS", text), ("DOCSPACE_API_HOST", "https://docs.example.com")];
            let sources = Sources { environment: environment.into_iter().collect(), ..Sources::default() };
            let loaded = load::<Config>("nudge-inactive", &sources);
            let rooms = loaded.ok().map(|loaded| serde_json::to_string(&loaded.own.rooms).unwrap());
            assert_eq!(rooms.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn forms_are_read_once() {
        for form in [Form::Text, Form::Html, Form::Csv, Form::Json].map(PrintForm) {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert!("pdf".parse::<PrintForm>().is_err());
    }
}
