//! From which countries people usually sign in. Pure; logins come in order of time.

use std::collections::{BTreeMap, VecDeque};

use attribution::Countries;
use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::sighting::Sighting;

/// So many earlier logins make a habit that a new country is new to.
pub(crate) const HABIT: u64 = 5;

/// A login that is judged itself becomes a habit only after as long as the usual window lasts. So one run over a long window, after a
/// pause, tells what usual runs would have told.
const LEARNED_AFTER: TimeDelta = TimeDelta::hours(24);

/// What is known of people's countries at the moment of the last login that was judged.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    countries: BTreeMap<Uuid, Countries>,
    /// Judged, and not yet a habit.
    waiting: VecDeque<(DateTime<Utc>, Uuid, PortalText)>,
}

impl Habits {
    /// From logins before everything that is judged.
    pub(crate) fn new(countries: BTreeMap<Uuid, BTreeMap<PortalText, u64>>) -> Self {
        let countries = countries.into_iter().map(|(user, own)| (user, own.into())).collect();
        Habits { countries, ..Habits::default() }
    }

    /// Takes in a login that an earlier run has judged.
    pub(crate) fn learn(&mut self, login: &Sighting) {
        if login.action.is_successful_login() {
            self.add(login.user, login.country.as_ref());
        }
    }

    /// Judges a successful login: gives its country if the person has a habit that this is new to.
    pub(crate) fn judge(&mut self, login: &Sighting) -> Option<PortalText> {
        while let Some((_, user, country)) = self.waiting.pop_front_if(|(at, ..)| login.at - *at >= LEARNED_AFTER) {
            self.add(user, Some(&country));
        }
        let country = login.country.as_ref()?;
        self.waiting.push_back((login.at, login.user, country.clone()));
        let known = self.countries.get(&login.user).filter(|known| known.sign_ins() >= HABIT)?;
        known.new_one(Some(country)).cloned()
    }

    fn add(&mut self, user: Uuid, country: Option<&PortalText>) {
        self.countries.entry(user).or_default().learn(country);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BOB, login};

    const DAY: i64 = 86_400;
    const NONE: [i64; 0] = [];

    fn from(country: &str, days_ago: i64) -> Sighting {
        Sighting { country: Some(country.into()), ..login(BOB, "192.0.2.7", days_ago * DAY) }
    }

    fn new_countries(mut habits: Habits, logins: &[Sighting]) -> Vec<i64> {
        let days = |login: &Sighting| (crate::testing::now() - login.at).num_days();
        logins.iter().filter(|login| habits.judge(login).is_some()).map(days).collect()
    }

    fn of_germany(logins: u64) -> Habits {
        Habits::new(BTreeMap::from([(BOB, BTreeMap::from([("Germany".into(), logins)]))]))
    }

    #[test]
    fn a_country_is_new_to_a_habit_only() {
        assert_eq!(new_countries(of_germany(5), &[from("France", 1)]), [1]);
        assert_eq!(new_countries(of_germany(5), &[from("Germany", 1)]), NONE);
        assert_eq!(new_countries(of_germany(4), &[from("France", 1)]), NONE, "too few logins to speak of a habit");
        assert_eq!(new_countries(Habits::default(), &[from("France", 1)]), NONE);
    }

    /// A window of a week has its own habits: those of the days before each login.
    #[test]
    fn what_is_judged_becomes_a_habit_a_day_later() {
        let mut week: Vec<Sighting> = (3..9).rev().map(|day| from("Germany", day)).collect();
        week.extend([from("France", 2), from("France", 2), from("France", 1)]);
        assert_eq!(
            new_countries(Habits::default(), &week),
            [2, 2],
            "both of the first day, as a run of that day tells"
        );
        assert_eq!(new_countries(Habits::default(), &week[2..]), NONE, "four logins are no habit");
    }

    #[test]
    fn what_an_earlier_run_has_judged_is_a_habit_at_once() {
        let mut habits = of_germany(5);
        habits.learn(&from("France", 1));
        assert_eq!(new_countries(habits, &[from("France", 1)]), NONE);
    }
}
