//! From where people usually sign in. What the portal notes of a sign-in is a claim.

use std::collections::BTreeMap;

use audit_model::{Gap, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Error, Look};

/// From which countries somebody has signed in, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries(BTreeMap<PortalText, u64>);

impl Countries {
    /// Takes in the country of a successful sign-in; `None` where the portal does not know it.
    pub fn learn(&mut self, country: Option<&PortalText>) {
        let Some(country) = country.filter(is_said) else { return };
        match self.0.get_mut(country) {
            Some(times) => *times += 1,
            None => _ = self.0.insert(country.clone(), 1),
        }
    }

    /// The country of a sign-in, if it is known and was not used before. Where no country was ever known, none is new: the portal could
    /// not tell countries.
    pub fn new_one<'c>(&self, country: Option<&'c PortalText>) -> Option<&'c PortalText> {
        country.filter(is_said).filter(|country| !self.0.is_empty() && !self.0.contains_key(*country))
    }

    /// How many sign-ins it was learned from.
    pub fn sign_ins(&self) -> u64 {
        self.0.values().sum()
    }
}

impl From<BTreeMap<PortalText, u64>> for Countries {
    fn from(times: BTreeMap<PortalText, u64>) -> Self {
        Countries(times)
    }
}

impl<'c> FromIterator<Option<&'c PortalText>> for Countries {
    fn from_iter<I: IntoIterator<Item = Option<&'c PortalText>>>(sign_ins: I) -> Self {
        let mut countries = Countries::default();
        sign_ins.into_iter().for_each(|country| countries.learn(country));
        countries
    }
}

/// The portal writes an empty text for what it does not know.
fn is_said(text: &&PortalText) -> bool {
    !text.raw().is_empty()
}

/// How far back the login history before a moment is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What is asked for.
    pub wanted: TimeDelta,
    /// With less than this nearly everything would be new, so nothing is compared.
    pub least: TimeDelta,
}

/// How far back the login history before a moment is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    moment: DateTime<Utc>,
    known_since: Option<DateTime<Utc>>,
    least: TimeDelta,
    unseen: Option<Gap>,
}

impl History {
    /// Brings the logins of the window up to date, and what is missing of the time before it. What is missing of the window is a gap; what
    /// is missing before it is not, so whoever compares must say when it could not.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn read(window: Window, reach: Reach, look: &mut Look) -> Result<Self, Error> {
        let unseen = look.logins_and_history(window, reach.wanted).await?;
        let known_since = look.archive.logins_known_since(window.since).await?;
        Ok(History { moment: window.since, known_since, least: reach.least, unseen })
    }

    /// Since when all logins before the moment are known; `None` when that is too little to compare with.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.known_since.filter(|since| self.moment - *since >= self.least)
    }

    /// What of the time before the moment could not be read, and why; `None` where the portal only keeps or had no more.
    pub fn unseen(&self) -> Option<&Gap> {
        self.unseen.as_ref()
    }

    /// How much of the time before the moment is known.
    pub fn length(&self) -> TimeDelta {
        self.known_since.map_or(TimeDelta::zero(), |since| self.moment - since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new<'c>(earlier: &[&str], country: &'c PortalText) -> Option<&'c str> {
        let earlier: Vec<PortalText> = earlier.iter().map(|country| PortalText::new(*country)).collect();
        let known: Countries = earlier.iter().map(Some).collect();
        known.new_one(Some(country)).map(PortalText::raw)
    }

    #[test]
    fn a_country_is_new_beside_others() {
        let chile = PortalText::from("Chile");
        assert_eq!(new(&["Germany", "France", "Germany"], &chile), Some("Chile"));
        assert_eq!(new(&["Germany", "Chile"], &chile), None);
    }

    #[test]
    fn what_the_portal_does_not_know_is_not_new() {
        assert_eq!(new(&["Germany"], &PortalText::from("")), None);
        assert_eq!(new(&["", ""], &PortalText::from("Germany")), None, "no country was ever told before");
        assert_eq!(Countries::default().new_one(None), None);
    }

    #[test]
    fn sign_ins_with_a_country_are_counted() {
        let [chile, nothing] = ["Chile", ""].map(PortalText::from);
        let known: Countries = [Some(&chile), None, Some(&nothing), Some(&chile)].into_iter().collect();
        assert_eq!(known.sign_ins(), 2);
    }

    #[test]
    fn a_history_that_is_too_short_is_none() {
        let moment = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        let history = |days: Option<i64>| {
            let known_since = days.map(|days| moment - TimeDelta::days(days));
            let history = History { moment, known_since, least: TimeDelta::days(14), unseen: None };
            (history.since().is_some(), history.length().num_days())
        };
        assert_eq!([None, Some(13), Some(14)].map(history), [(false, 0), (false, 13), (true, 14)]);
    }
}
