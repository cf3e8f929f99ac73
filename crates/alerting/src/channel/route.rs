//! Which alerts a channel gets, when, and how many.

use std::collections::BTreeSet;
use std::str::FromStr;

use audit_model::{Course, Finding, FindingState, Person, Severity};
use chrono::NaiveTime;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::alert::Alert;

/// What one channel gets. Empty lists and missing limits mean: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Route {
    /// The lowest severity.
    pub min_severity: Option<Severity>,
    /// Names of rules.
    pub rules: Vec<String>,
    /// Rooms by id or title.
    #[serde(deserialize_with = "texts")]
    pub rooms: Vec<String>,
    /// People by id or e-mail address.
    pub people: Vec<String>,
    /// Person groups by id or name; beside `people`, either is enough.
    pub groups: Vec<String>,
    /// Who is in the groups. `None`: nobody knows, and the channel gets alerts about whomever rather than miss one.
    #[serde(skip)]
    pub(crate) members: Option<BTreeSet<Uuid>>,
    /// When only critical alerts leave; the others wait until its end.
    pub quiet: Option<QuietHours>,
    /// How many alerts of one run leave one by one; the rest as one summary.
    pub per_run: Option<u32>,
    /// The same for an hour.
    pub per_hour: Option<u32>,
}

/// What an alert is about, as far as a route goes by it.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) alert: &'a Alert,
    /// Whom it names, where the alert has a pseudonym instead, and how its matter goes on.
    pub(crate) finding: Option<&'a Finding>,
}

impl Route {
    /// The setting that leaves it out; `None` when the channel gets it. `has_begun` when it has got an alert about the same matter before, so that it hears of the end.
    pub(crate) fn leaves_out(&self, about: About<'_>, has_begun: bool) -> Option<&'static str> {
        let alert = about.alert;
        if alert.state == FindingState::Ended && has_begun {
            return None;
        }
        let room = about.finding.map_or(alert.room.as_ref(), |finding| finding.room.as_ref());
        let is_room = |entry: &String| {
            room.is_some_and(|room| {
                let ids = room.id.iter().chain(&room.candidates);
                entry == room.title.raw() || ids.into_iter().any(|id| id.to_string() == *entry)
            })
        };
        let is_right = |is_free: bool, fits: bool, why| if is_free || fits { None } else { Some(why) };
        is_right(self.min_severity.is_none(), self.min_severity <= Some(alert.severity), "min_severity")
            .or_else(|| is_right(self.rules.is_empty(), self.rules.contains(&alert.rule), "rules"))
            .or_else(|| is_right(self.rooms.is_empty(), self.rooms.iter().any(is_room), "rooms"))
            .or_else(|| {
                let is_free = self.people.is_empty() && self.groups.is_empty();
                let setting = if self.people.is_empty() { "groups" } else { "people" };
                is_right(is_free, is_free || about.people().iter().any(|person| self.names(person)), setting)
            })
    }

    fn names(&self, person: &Person) -> bool {
        let is_in_group = || match &self.members {
            Some(members) => members.contains(&person.id),
            None => !self.groups.is_empty(),
        };
        self.people.iter().any(|entry| person.is_meant_by(entry)) || is_in_group()
    }
}

impl About<'_> {
    /// Whether it says that a condition is over. The alert alone does not tell a condition from a burst.
    pub(crate) fn is_end_of_condition(&self) -> bool {
        self.alert.is_over() && self.finding.is_some_and(|finding| finding.course == Course::Condition)
    }

    /// Whom it names, and each of several that it is about.
    fn people(&self) -> Vec<Person> {
        let person = self.finding.map_or(&self.alert.person, |finding| &finding.person);
        let several = self.alert.detail.get("people").and_then(Value::as_array).into_iter().flatten();
        let several = several.filter_map(|one| Person::deserialize(one).ok());
        [person.clone()].into_iter().chain(several).collect()
    }
}

/// Titles, and ids with or without quotes.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let values = Vec::<Value>::deserialize(deserializer)?;
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("expected a list of titles and ids such as `[\"Alpha\", 71]`")),
    };
    values.into_iter().map(text).collect()
}

/// A span of the day, which may go over midnight: `22:00-07:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub from: NaiveTime,
    /// Exclusive.
    pub until: NaiveTime,
}

impl QuietHours {
    pub fn contains(&self, time: NaiveTime) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }
}

impl FromStr for QuietHours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "`quiet` must be two different times of the day such as `22:00-07:00`";
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| WRONG);
        let (from, until) = text.split_once('-').ok_or(WRONG)?;
        let hours = QuietHours { from: time(from)?, until: time(until)? };
        if hours.from == hours.until { Err(WRONG) } else { Ok(hours) }
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let at = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        for (hours, time, is_quiet) in [
            ("22:00-07:00", "21:59", false),
            ("22:00-07:00", "22:00", true),
            ("22:00-07:00", "00:00", true),
            ("22:00-07:00", "06:59", true),
            ("22:00-07:00", "07:00", false),
            ("12:00-13:30", "12:30", true),
            ("12:00-13:30", "13:30", false),
        ] {
            assert_eq!(hours.parse::<QuietHours>().unwrap().contains(at(time)), is_quiet, "{hours} {time}");
        }
        for wrong in ["", "22:00", "22-07", "24:00-07:00", "07:00-07:00"] {
            assert!(wrong.parse::<QuietHours>().is_err(), "{wrong}");
        }
    }
}
