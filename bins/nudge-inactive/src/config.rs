//! This program's settings. `nudge-inactive.example.toml` says the same.

use std::fmt;
use std::str::FromStr;

use ::report::Form;
use alerting::is_mail_address;
use audit_model::ActClass;
use chrono::{NaiveDate, TimeDelta};
use job_runner::config::{PathSetting, Problem, Settings, Validation, text};
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
    pub(crate) remind: Remind,
}

/// `remind.*`: writing to people who are inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remind {
    /// Without it nobody is written to.
    pub(crate) enabled: bool,
    /// Days since somebody was first found inactive in a room, rising.
    pub(crate) steps_days: Vec<u32>,
    /// Mails of one run; the next goes on.
    pub(crate) most_per_run: usize,
    /// Mails to one person in 365 days.
    pub(crate) most_per_year: usize,
    /// Days between two mails to one person.
    pub(crate) apart_days: u32,
    /// When mails may leave, in the portal's zone: `08:00-18:00`.
    #[serde(with = "text")]
    pub(crate) hours: Hours,
    /// Whether mails may leave on Saturdays and Sundays.
    pub(crate) weekends: bool,
    /// Days on which none may leave.
    pub(crate) not_on: Vec<NaiveDate>,
    /// Whether guests are written to.
    pub(crate) guests: bool,
    /// People who are never written to, by id or e-mail address; the report has them all the same.
    pub(crate) stop: Vec<String>,
    pub(crate) snooze: Vec<Snooze>,
    /// When more than this share of those who were judged would be written to, nobody is. 100 is off.
    pub(crate) hold_above_percent: u32,
    /// For people whose own language has no templates.
    pub(crate) language: String,
    /// Folder whose templates go before the built-in ones.
    pub(crate) templates: Option<PathSetting>,
    /// For `List-Unsubscribe`: `https:` or `mailto:` addresses.
    pub(crate) unsubscribe: Vec<String>,
}

/// Somebody who is left in peace for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Snooze {
    /// Id or e-mail address.
    pub(crate) person: String,
    /// The first day, at the portal, on which it does not count any more.
    #[serde(deserialize_with = "job_runner::config::text::date")]
    pub(crate) until: Option<NaiveDate>,
}

/// A span within a day, in minutes since its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    /// The first minute in it.
    pub(crate) from: u32,
    /// The first after it; at most 1440.
    pub(crate) to: u32,
}

impl FromStr for Hours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be a span within a day, such as \"08:00-18:00\"";
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
            (hour <= 24 && minute < 60 && hour * 60 + minute <= 24 * 60).then(|| hour * 60 + minute)
        };
        let (from, to) = text.split_once('-').ok_or(WRONG)?;
        let (from, to) = minute(from).zip(minute(to)).ok_or(WRONG)?;
        if from < to { Ok(Hours { from, to }) } else { Err(WRONG) }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hours { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Default for Remind {
    fn default() -> Self {
        Remind {
            enabled: false,
            steps_days: vec![0, 14, 28],
            most_per_run: 50,
            most_per_year: 6,
            apart_days: 7,
            hours: Hours { from: 8 * 60, to: 18 * 60 },
            weekends: false,
            not_on: Vec::new(),
            guests: false,
            stop: Vec::new(),
            snooze: Vec::new(),
            hold_above_percent: 80,
            language: "en".to_owned(),
            templates: None,
            unsubscribe: Vec::new(),
        }
    }
}

impl Remind {
    /// Which of the reminders it is, counted from 1; 0 where a mail is about several steps.
    pub(crate) fn step_of(&self, steps: impl IntoIterator<Item = u32>) -> u64 {
        let mut steps = steps.into_iter();
        let Some(first) = steps.next() else { return 0 };
        let place = self.steps_days.iter().position(|days| *days == first).filter(|_| steps.all(|step| step == first));
        place.map_or(0, |place| place as u64 + 1)
    }

    fn validate(&self, wrong: &mut Validation) {
        let rises = self.steps_days.is_sorted_by(|a, b| a < b) && !self.steps_days.is_empty();
        wrong.refuse_if(!rises, "remind.steps_days", "must be rising numbers of days, such as [0, 14, 28]");
        let message = "must be at least 1; to write to nobody set `remind.enabled = false`";
        wrong.refuse_if(self.most_per_run == 0, "remind.most_per_run", message);
        wrong.refuse_if(self.most_per_year == 0, "remind.most_per_year", message);
        wrong.between("remind.hold_above_percent", self.hold_above_percent, 1..=100, "100 is off");
        wrong.no_blanks("remind.stop", &self.stop, "ids or e-mail addresses");
        let open = |snooze: &Snooze| snooze.person.trim().is_empty() || snooze.until.is_none();
        let message = "needs `person` and `until` in every entry; for good there is `remind.stop`";
        wrong.refuse_if(self.snooze.iter().any(open), "remind.snooze", message);
        let folder = self.templates.as_ref().map(PathSetting::as_path);
        let message = "is no folder; name the one that holds LANGUAGE/reminder.subject, .txt and .html";
        wrong.refuse_if(folder.is_some_and(|folder| !folder.is_dir()), "remind.templates", message);
        let message = "has no templates; built in are en and de, others go into the folder of `remind.templates`";
        wrong.refuse_if(!crate::remind::has_language(self), "remind.language", message);
        let is_address = |text: &String| text.starts_with("https://") || text.starts_with("mailto:");
        let is_plain = |text: &String| text.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>');
        let bad = !self.unsubscribe.iter().all(|text| is_address(text) && is_plain(text));
        wrong.refuse_if(bad, "remind.unsubscribe", "must hold addresses that begin with `https://` or `mailto:`");
    }
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
            remind: Remind::default(),
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

impl Settings for Config {
    /// It sends no alerts.
    fn unused() -> &'static [&'static str] {
        &["alerts"]
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        let wanted = self.rooms.wanted();
        wrong.no_blanks("rooms", wanted.unwrap_or_default(), "ids, exact titles, type:… or tag:…");
        let nobody = "is empty, so nobody would be looked at; give \"all\"";
        wrong.refuse_if(wanted.is_some_and(<[_]>::is_empty), "rooms", nobody);
        let types = wanted.unwrap_or_default().iter().filter_map(|name| name.strip_prefix("type:"));
        for kind in types.filter(|kind| crate::rooms::type_number(kind).is_none()) {
            let kind = audit_model::PortalText::new(kind).for_terminal();
            let message = format!("`type:{kind}` is no room type; known are {}", crate::rooms::type_names());
            wrong.refuse_if(true, "rooms", message);
        }
        wrong.between("period_days", self.period_days, 1..=366, "");
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
    fn settings_that_would_find_or_remind_the_wrong_people_are_refused() {
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
        let remind = |change: fn(&mut Remind)| {
            let mut config = defaults();
            change(&mut config.remind);
            keys(config)
        };
        assert_eq!(remind(|remind| remind.steps_days = vec![14, 0]), "remind.steps_days");
        assert_eq!(remind(|remind| remind.snooze = vec![Snooze::default()]), "remind.snooze");
        assert_eq!(remind(|remind| remind.unsubscribe = vec!["javascript:a".to_owned()]), "remind.unsubscribe");
        assert_eq!(remind(|remind| remind.hold_above_percent = 0), "remind.hold_above_percent");
        assert_eq!(remind(|remind| remind.most_per_run = 0), "remind.most_per_run");
    }

    #[test]
    fn forms_and_hours_are_read_once() {
        for (text, hours) in [("08:00-18:00", Ok((480, 1_080))), ("0:30 - 24:00", Ok((30, 1_440)))] {
            assert_eq!(text.parse().map(|Hours { from, to }| (from, to)), hours);
        }
        for text in ["18:00-08:00", "08:00", "08:00-24:01", "8-18", "08:60-18:00", "4294967295:00-18:00", ""] {
            assert!(text.parse::<Hours>().is_err(), "{text}");
        }
        assert_eq!(Remind::default().hours.to_string(), "08:00-18:00");
        for form in [Form::Text, Form::Html, Form::Csv, Form::Json].map(PrintForm) {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert!("pdf".parse::<PrintForm>().is_err());
    }
}
