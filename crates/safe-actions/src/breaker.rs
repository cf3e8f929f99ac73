//! When a plan as a whole must wait for somebody to look.

use audit_model::Sentence;
use serde::{Deserialize, Serialize};

/// How many people one plan may touch without being looked at. 0 lets nobody be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// In one run.
    pub people: u64,
    /// In one run, of a hundred people who can sign in. One person alone is never too large a share.
    pub percent: u64,
    /// In any 24 hours, this run included.
    pub per_day: u64,
}

impl Default for Breaker {
    /// A rule that is right finds one person, rarely two; where it finds more, the portal is being migrated or the rule is wrong.
    fn default() -> Self {
        Breaker { people: 2, percent: 5, per_day: 3 }
    }
}

/// What a plan is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// People who can sign in; 0 when nobody knows.
    pub active_people: u64,
    /// Other people who were planned in the last 24 hours.
    pub earlier_today: u64,
}

/// Why a plan is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Trip {
    TooMany {
        people: u64,
        limit: u64,
    },
    TooLargeAShare {
        people: u64,
        active_people: u64,
        limit_percent: u64,
    },
    TooManyToday {
        people: u64,
        limit: u64,
    },
    /// Nobody knows how many people there are, so no share can be judged.
    PeopleUnknown,
}

impl Trip {
    /// What tripped the breaker, as a sentence without a full stop.
    pub fn words(self) -> String {
        match self {
            Trip::TooMany { people, limit } => format!("{} at once, more than {limit}", counted(people)),
            Trip::TooLargeAShare { people, active_people, limit_percent } => {
                format!("{people} of {active_people} active people, more than {limit_percent} %")
            }
            Trip::TooManyToday { people, limit } => format!("{} within 24 h, more than {limit}", counted(people)),
            Trip::PeopleUnknown => "it is not known how many people the portal has".to_owned(),
        }
    }

    /// The same in both languages.
    pub fn sentence(self) -> Sentence {
        Sentence::new(self.words(), self.german())
    }

    fn german(self) -> String {
        let people_german =
            |people: u64| if people == 1 { "1 Person".to_owned() } else { format!("{people} Personen") };
        match self {
            Trip::TooMany { people, limit } => format!("{} auf einmal, mehr als {limit}", people_german(people)),
            Trip::TooLargeAShare { people, active_people, limit_percent } => {
                format!("{people} von {active_people} aktiven Personen, mehr als {limit_percent} %")
            }
            Trip::TooManyToday { people, limit } => {
                format!("{} innerhalb von 24 h, mehr als {limit}", people_german(people))
            }
            Trip::PeopleUnknown => "es ist nicht bekannt, wie viele Personen das Portal hat".to_owned(),
        }
    }
}

fn counted(people: u64) -> String {
    if people == 1 { "1 person".to_owned() } else { format!("{people} people") }
}

impl Breaker {
    /// Whether so many people are too many.
    pub fn trip(&self, people: u64, load: Load) -> Option<Trip> {
        if people == 0 {
            return None;
        }
        if people > self.people {
            return Some(Trip::TooMany { people, limit: self.people });
        }
        let today = people + load.earlier_today;
        if today > self.per_day {
            return Some(Trip::TooManyToday { people: today, limit: self.per_day });
        }
        if people > 1 && load.active_people == 0 {
            return Some(Trip::PeopleUnknown);
        }
        let is_large = people * 100 > load.active_people.saturating_mul(self.percent);
        let (active_people, limit_percent) = (load.active_people, self.percent);
        (people > 1 && is_large).then_some(Trip::TooLargeAShare { people, active_people, limit_percent })
    }
}
