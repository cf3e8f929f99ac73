//! This program's settings. `vdr-watch.example.toml` says the same.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use docspace_client::title_problem;
use job_runner::config::{Problem, Settings, Validation, has_blank};
use job_runner::names::NamedList;
use job_runner::time_spec::Age;
use serde::{Deserialize, Serialize};

/// Long enough to find out what led to an alert.
const KEEP: Duration = Duration::from_secs(90 * 86_400);

/// No folder counts more, whatever the portal says: sums of such weights stay far from the end of the numbers.
pub(crate) const HEAVIEST_FOLDER: u64 = 1_000_000;

/// What a folder counts of which nobody knows what it held: more than the limits of an hour allow.
const FOLDER_WEIGHT: u64 = 25;

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Rooms to watch, by id or exact title. Empty: all virtual data rooms.
    pub(crate) rooms: Vec<String>,
    /// Report only findings about these people, by id or e-mail address. Empty: everybody.
    pub(crate) people: Vec<String>,
    /// Title of a virtual data room that is made if there is none.
    pub(crate) create_room: Option<String>,
    pub(crate) limits: Limits,
    /// Documents that a folder stands for when it cannot be listed. At least 1, at most 1 000 000.
    pub(crate) folder_weight: u64,
    pub(crate) exclude: Vec<Exclusion>,
    /// How long is remembered what happened.
    pub(crate) keep: Age,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rooms: Vec::new(),
            people: Vec::new(),
            create_room: None,
            limits: Limits::default(),
            folder_weight: FOLDER_WEIGHT,
            exclude: Vec::new(),
            keep: Age(KEEP),
        }
    }
}

/// Acts of one person in one room that are still usual; more is a finding. 0 switches a limit off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// In any 60 minutes, of all classes together.
    pub(crate) per_hour: u64,
    /// In any 24 hours, of all classes together.
    pub(crate) per_day: u64,
    /// In the whole window of the run, of all classes together.
    pub(crate) whole_window: u64,
    /// In any 30 days, of all classes together, as far as they are remembered.
    pub(crate) per_30_days: u64,
    /// In any 24 hours, at hours at which the person did not work before.
    pub(crate) unusual_hours: u64,
    /// Percent of a room's documents that one person downloads within 30 days, as far as they are remembered.
    pub(crate) share_of_room: u64,
    pub(crate) views: ClassLimits,
    pub(crate) downloads: ClassLimits,
    pub(crate) changes: ClassLimits,
    pub(crate) deletions: ClassLimits,
    pub(crate) sharing: ClassLimits,
    pub(crate) membership: ClassLimits,
}

/// Limits for acts of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ClassLimits {
    pub(crate) per_hour: u64,
    pub(crate) per_day: u64,
}

impl Default for Limits {
    /// Where a class has no limit of its own, the common ones are enough: what sets deletions and sharing apart is that a dozen of
    /// them within an hour is rare in a data room and costs much.
    fn default() -> Self {
        Limits {
            per_hour: 20,
            per_day: 100,
            whole_window: 0,
            per_30_days: 0,
            unusual_hours: 20,
            share_of_room: 0,
            views: ClassLimits::default(),
            downloads: ClassLimits::default(),
            changes: ClassLimits::default(),
            deletions: ClassLimits { per_hour: 10, per_day: 30 },
            sharing: ClassLimits { per_hour: 10, per_day: 30 },
            membership: ClassLimits::default(),
        }
    }
}

/// Somebody whose activity is expected: still seen and counted, but not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Exclusion {
    /// By id or e-mail. Empty: everybody.
    pub(crate) people: Vec<String>,
    /// By id or exact title. Empty: every room.
    pub(crate) rooms: Vec<String>,
    /// Why; it stands beside every finding that is not told for it.
    pub(crate) reason: String,
    /// The first day, in UTC, on which it does not count any more.
    #[serde(deserialize_with = "job_runner::config::text::date")]
    pub(crate) until: Option<NaiveDate>,
}

impl Exclusion {
    /// What is wrong with it.
    fn problem(&self) -> Option<&'static str> {
        if self.people.is_empty() && self.rooms.is_empty() {
            Some("names neither `people` nor `rooms`, so nothing would ever be told; name one of them")
        } else if has_blank(&self.people) || has_blank(&self.rooms) {
            Some("holds an empty name; give ids, e-mail addresses or exact titles")
        } else if self.reason.trim().is_empty() {
            Some("has no `reason`; say why, for whoever reads it in a year")
        } else if self.until.is_none() {
            Some("has no end; give `until`, a date such as \"2027-01-01\", after which somebody looks at it again")
        } else {
            None
        }
    }
}

impl Settings for Config {
    /// It writes no mails.
    /// The rooms and people that the settings restrict a run to.
    fn part(&self) -> String {
        if self.rooms.is_empty() && self.people.is_empty() {
            return String::new();
        }
        let people: BTreeSet<String> = self.people.iter().map(|person| person.trim().to_lowercase()).collect();
        let rooms: BTreeSet<&String> = self.rooms.iter().collect();
        serde_json::to_string(&(rooms, people)).expect("lists of strings are always JSON")
    }

    /// Those of exclusions that have not ended.
    fn named(&self, now: DateTime<Utc>) -> Vec<NamedList> {
        let today = now.date_naive();
        let valid = || self.exclude.iter().filter(|exclusion| exclusion.until.is_some_and(|until| today < until));
        vec![
            NamedList::people("exclude.people", valid().flat_map(|exclusion| &exclusion.people)),
            NamedList::rooms("exclude.rooms", valid().flat_map(|exclusion| &exclusion.rooms)),
        ]
    }

    fn remembers(&self) -> (TimeDelta, &'static str) {
        let Limits { unusual_hours, share_of_room, per_30_days, .. } = self.limits;
        let (days, because) = match (unusual_hours, share_of_room, per_30_days) {
            (_, _, 1..) => (31, "`limits.per_30_days`"),
            (_, 1.., _) => (31, "`limits.share_of_room`"),
            (1.., ..) => (31, "`limits.unusual_hours`"),
            (0, 0, 0) => (7, "the next run"),
        };
        (TimeDelta::days(days), because)
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        let message = "every limit is off (0), so nothing could ever be found; set at least one";
        wrong.refuse_if(!self.limits.find_anything(), "limits", message);
        wrong.keep(self.keep, self.remembers());
        wrong.no_blanks("rooms", &self.rooms, "ids or exact titles");
        for (number, exclusion) in self.exclude.iter().enumerate() {
            let problem = exclusion.problem();
            let message = format!("entry {} {}", number + 1, problem.unwrap_or_default());
            wrong.refuse_if(problem.is_some(), "exclude", message);
        }
        let why = "it is a share of the documents, in percent; 0 is off";
        wrong.between("limits.share_of_room", self.limits.share_of_room, 0..=100, why);
        let why = "a folder is something, and not everything";
        wrong.between("folder_weight", self.folder_weight, 1..=HEAVIEST_FOLDER, why);
        wrong.no_blanks("people", &self.people, "ids or e-mail addresses");
        if let Some(problem) = self.create_room.as_deref().and_then(title_problem) {
            wrong.refuse_if(true, "create_room", format!("{problem}; choose a title that the portal keeps"));
        }
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels of the kind `email` send by it.
    #[test]
    fn a_mail_server_may_be_set() {
        let environment = [
            ("DOCSPACE_API_HOST", "https://docs.example.com"),
            ("VDR_WATCH_MAIL__HOST", "smtp.example.com"),
            ("VDR_WATCH_MAIL__FROM", "docspace@example.com"),
        ];
        let sources =
            job_runner::config::Sources { environment: environment.into_iter().collect(), ..Default::default() };
        let problems = job_runner::config::load::<Config>("vdr-watch", &sources).err();
        assert_eq!(problems.map(|problems| problems.to_string()), None);
    }

    #[test]
    fn limits_that_can_find_nothing_are_refused() {
        let off = ClassLimits::default();
        let limits =
            Limits { per_hour: 0, per_day: 0, unusual_hours: 0, deletions: off, sharing: off, ..Limits::default() };
        assert!(Limits { share_of_room: 80, ..limits.clone() }.find_anything());
        let problems = Config { rooms: vec![" ".to_owned()], limits, folder_weight: 0, ..Config::default() }.validate();
        assert_eq!(problems.len(), 3);
    }

    #[test]
    fn people_without_a_name_and_titles_that_the_portal_changes_are_refused() {
        let people = vec!["anna@example.com".to_owned(), String::new()];
        let config = Config { people, create_room: Some("Acme: closing".to_owned()), ..Config::default() };
        let told: Vec<String> = config.validate().iter().map(|problem| format!("{problem:?}")).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains("create_room") && told[1].contains("`:`"), "{told:?}");
    }
}
