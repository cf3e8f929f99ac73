//! The login history of the period: who signed in, what failed, and from which countries for the first time.

use std::collections::{BTreeMap, BTreeSet};

use ::report::Line;
use attribution::Countries;
use audit_model::{GUEST_ACCOUNT, LoginEvent, PortalText};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::facts::tally::{Ids, Tally};

/// Somebody who tries random addresses must not fill the memory; what is typed beyond so many is counted together.
const MOST_TYPED: usize = 10_000;

/// Addresses that are remembered of one typed name.
const MOST_ADDRESSES: usize = 1_000;

/// Failures that are longer ago say nothing about a login from the same address.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// Somebody came in from an address from which many logins had failed.
#[derive(Debug)]
pub(crate) struct BrokenIn {
    pub(crate) id: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) name: PortalText,
    pub(crate) ip: PortalText,
    pub(crate) country: Option<PortalText>,
    /// How many had failed from there, in a row of at most a day between two.
    pub(crate) failures: u64,
}

/// Failures from one address, without a day between two of them.
#[derive(Debug)]
struct Tries {
    failures: u64,
    last: DateTime<Utc>,
}

/// A country from which somebody had not signed in before, as far back as the history is known.
#[derive(Debug)]
pub(crate) struct NewCountry {
    pub(crate) user: Uuid,
    pub(crate) name: PortalText,
    pub(crate) country: PortalText,
    pub(crate) logins: Tally,
    pub(crate) first_at: DateTime<Utc>,
}

#[derive(Debug)]
pub(crate) struct UserLogins {
    pub(crate) name: PortalText,
    pub(crate) logins: Tally,
    pub(crate) countries: BTreeSet<PortalText>,
}

/// Failed logins with one typed address or name.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pub(crate) tally: Tally,
    pub(crate) ids: Ids,
    /// Refused for too many tries, or for the address list.
    pub(crate) locked: u64,
    pub(crate) addresses: BTreeSet<PortalText>,
}

#[derive(Debug, Default)]
pub(crate) struct Logins {
    /// Rows of the login history that the report is about.
    pub(crate) rows: Tally,
    pub(crate) left_out: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) users: BTreeMap<Uuid, UserLogins>,
    /// By what was typed.
    pub(crate) failed: BTreeMap<String, Failures>,
    /// Logins of which the request itself said what address to note.
    pub(crate) set_addresses: Ids,
    /// Since when the history before the period is known; without it, no country is new.
    pub(crate) known_since: Option<DateTime<Utc>>,
    /// From where people signed in before the period.
    known: BTreeMap<Uuid, Countries>,
    /// Who came in after more than [`limit`](Self::limit) failures.
    pub(crate) broken_in: Vec<BrokenIn>,
    /// 0 is off.
    limit: u64,
    tries: BTreeMap<PortalText, Tries>,
    new: BTreeMap<(Uuid, PortalText), NewCountry>,
}

impl Logins {
    /// `limit`: so many failures from one address are nothing to speak of; 0 is off.
    pub(crate) fn new(known_since: Option<DateTime<Utc>>, limit: u64) -> Self {
        Logins { known_since, limit, ..Logins::default() }
    }

    /// Rows that are neither a login nor a failed one: somebody signed out, for instance.
    pub(crate) fn others(&self) -> u64 {
        self.rows.count - self.successes - self.failures
    }

    /// Takes in a login of before the period, to compare with.
    pub(crate) fn push_history(&mut self, login: &LoginEvent) {
        if login.action.is_successful_login() {
            self.known.entry(login.user).or_default().learn(login.country.as_ref());
        }
    }

    /// Takes in a login of the period; they come in order.
    pub(crate) fn push(&mut self, login: &LoginEvent) {
        self.rows.add(login.id);
        if login.ip_was_set {
            self.set_addresses.add(login.id);
        }
        if login.action.is_successful_login() {
            self.succeeded(login);
        } else if login.action.is_failed_login() {
            self.failures += 1;
            self.failed_from(login);
            let mut typed = Line::name(login.login.as_ref().unwrap_or(&login.user_name)).for_terminal().to_lowercase();
            if self.failed.len() >= MOST_TYPED && !self.failed.contains_key(&typed) {
                typed = "(others)".to_owned();
            }
            let failures = self.failed.entry(typed).or_default();
            failures.tally.add(login.id);
            failures.ids.add(login.id);
            failures.locked += u64::from(login.action.is_blocked_login());
            if failures.addresses.len() < MOST_ADDRESSES {
                failures.addresses.extend(login.ip.clone());
            }
        }
    }

    fn succeeded(&mut self, login: &LoginEvent) {
        self.successes += 1;
        if login.user == GUEST_ACCOUNT {
            return;
        }
        self.came_in(login);
        let user = self.users.entry(login.user).or_insert_with(|| UserLogins {
            name: login.user_name.clone(),
            logins: Tally::default(),
            countries: BTreeSet::new(),
        });
        user.logins.add(login.id);
        let Some(country) = &login.country else { return };
        user.countries.insert(country.clone());
        // somebody of whom no earlier login is known is new here, and so are all of their countries: none is told
        let is_new = self.known.get(&login.user).is_some_and(|known| known.new_one(Some(country)).is_some());
        if self.known_since.is_some() && is_new {
            let new = self.new.entry((login.user, country.clone())).or_insert_with(|| NewCountry {
                user: login.user,
                name: login.user_name.clone(),
                country: country.clone(),
                logins: Tally::default(),
                first_at: login.at,
            });
            new.logins.add(login.id);
        }
    }

    fn failed_from(&mut self, login: &LoginEvent) {
        let Some(ip) = &login.ip else { return };
        if self.tries.len() >= MOST_TYPED && !self.tries.contains_key(ip) {
            return;
        }
        let tries = self.tries.entry(ip.clone()).or_insert(Tries { failures: 0, last: login.at });
        if login.at - tries.last > REMEMBERED {
            tries.failures = 0;
        }
        tries.failures += 1;
        tries.last = login.at;
    }

    fn came_in(&mut self, login: &LoginEvent) {
        let Some(tries) = login.ip.as_ref().and_then(|ip| self.tries.remove(ip)) else { return };
        if self.limit > 0 && tries.failures > self.limit && login.at - tries.last <= REMEMBERED {
            self.broken_in.push(BrokenIn {
                id: login.id,
                at: login.at,
                name: login.user_name.clone(),
                ip: login.ip.clone().unwrap_or_default(),
                country: login.country.clone(),
                failures: tries.failures,
            });
        }
    }

    /// By person, then country.
    pub(crate) fn new_countries(&self) -> impl Iterator<Item = &NewCountry> {
        self.new.values()
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{ActionId, testing};

    use super::*;

    fn login(id: i64, user: u128, action: i32, country: &str) -> LoginEvent {
        LoginEvent {
            id,
            user: Uuid::from_u128(user),
            user_name: format!("Person {user}").as_str().into(),
            action: ActionId(action),
            ..testing::login("203.0.113.7", country, DateTime::from_timestamp(id * 60, 0).unwrap())
        }
    }

    #[test]
    fn a_country_is_new_for_somebody_who_was_seen_elsewhere_before() {
        let mut logins = Logins::new(DateTime::from_timestamp(0, 0), 0);
        logins.push_history(&login(1, 7, 1029, "Germany"));
        for row in [
            login(2, 7, 1029, "Germany"),
            login(3, 7, 1029, "Brazil"),
            login(4, 7, 1029, "Brazil"),
            login(5, 8, 1029, "Brazil"),
            login(6, 7, 1013, "Peru"),
        ] {
            logins.push(&row);
        }
        let new: Vec<_> =
            logins.new_countries().map(|new| (new.user.as_u128(), new.country.raw(), new.logins)).collect();
        assert_eq!(new, [(7, "Brazil", Tally { count: 2, first: 3, last: 4 })]);
        assert_eq!((logins.successes, logins.failures, logins.users.len()), (4, 1, 2));
    }

    #[test]
    fn without_a_history_no_country_is_new() {
        let mut logins = Logins::new(None, 0);
        logins.push(&login(1, 7, 1029, "Brazil"));
        assert_eq!(logins.new_countries().count(), 0);
    }

    #[test]
    fn an_address_that_the_caller_chose_is_noticed() {
        let mut logins = Logins::new(None, 0);
        logins.push(&login(1, 7, 1029, "Germany"));
        logins.push(&LoginEvent { ip_was_set: true, ..login(2, 7, 1029, "Germany") });
        assert_eq!((logins.set_addresses.total, logins.set_addresses.first.as_slice()), (1, &[2][..]));
    }

    #[test]
    fn failures_are_counted_by_what_was_typed() {
        let mut logins = Logins::new(None, 0);
        for (id, typed) in [(1, "Anna@Example.com"), (2, "anna@example.com"), (3, "bob@example.com")] {
            logins.push(&LoginEvent { login: Some(typed.into()), ..login(id, 9, 1013, "") });
        }
        logins.push(&LoginEvent { login: Some("anna@example.com".into()), ..login(4, 9, 1023, "") });
        let anna = &logins.failed["anna@example.com"];
        assert_eq!((anna.tally.count, anna.locked, logins.failed.len()), (3, 1, 2));
    }

    #[test]
    fn who_comes_in_after_many_failures_from_one_address_is_told() {
        let failed = |id| login(id, 9, 1013, "");
        let elsewhere = |row: LoginEvent| LoginEvent { ip: Some("198.51.100.9".into()), ..row };
        let told = |rows: &[LoginEvent], limit| {
            let mut logins = Logins::new(None, limit);
            rows.iter().for_each(|row| logins.push(row));
            logins.broken_in.iter().map(|one| (one.id, one.failures)).collect::<Vec<_>>()
        };
        let rows = [failed(1), failed(2), failed(3), login(4, 7, 1029, ""), login(5, 8, 1029, "")];
        assert_eq!(told(&rows, 2), [(4, 3)], "the first one");
        assert_eq!(told(&rows, 3), []);
        assert_eq!(told(&rows, 0), [], "0 is off");
        let other = [failed(1), failed(2), failed(3), elsewhere(login(4, 7, 1029, ""))];
        assert_eq!(told(&other, 2), [], "another address");
        let later = [failed(1), failed(2), failed(3), login(3 + 24 * 60 + 1, 7, 1029, "")];
        assert_eq!(told(&later, 2), [], "a day and a minute later");
    }

    #[test]
    fn all_rows_are_accounted_for() {
        let mut logins = Logins::new(None, 0);
        [login(1, 7, 1029, ""), login(2, 7, 1013, ""), login(3, 7, 1006, "")].iter().for_each(|row| logins.push(row));
        assert_eq!((logins.successes, logins.failures, logins.others()), (1, 1, 1));
    }
}
