//! Failed logins that come too fast: with one typed address, or with many from one caller. Pure; rows come in order of time.
//!
//! The portal files failed logins under nobody; only what was typed says who was meant. Suspicious, but no finding: an office behind
//! one address in which each of ten people mistypes once, when the policy lets them come from there.

mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use audit_model::{GUEST_ACCOUNT, Person, PortalText, Severity};
use chrono::TimeDelta;
use docspace_client::Account;
use uuid::Uuid;

use super::Rulebook;
use super::found::{Case, Kind, Rows, Subject};
use super::sighting::Sighting;
use crate::config::Limits;
use crate::policy::Permission;

/// A login this long after a burst of failed ones is probably its success.
pub(crate) const AFTER_BURST: TimeDelta = TimeDelta::hours(1);

/// Whoever guesses slowly is seen within so long.
pub(crate) const SLOWLY: TimeDelta = TimeDelta::hours(24);

/// So many times the usual number is not usual.
const UNUSUAL: u64 = 3;

/// Collects failed logins, and what came after.
pub(crate) struct Bursts<'a> {
    book: Rulebook<'a>,
    limits: &'a Limits,
    /// How many different addresses are usually typed in vain on a day; `None` when too little is known.
    usual: Option<u64>,
    by_typed: BTreeMap<String, Paces>,
    /// `None` holds all whose request set the address: they can claim another one each time.
    by_caller: BTreeMap<Option<String>, Paces>,
    everywhere: Window,
    logins: Vec<Sighting>,
    /// By e-mail address in lower case.
    accounts: BTreeMap<String, &'a Account>,
}

/// The same rows in a short and in a long window.
#[derive(Default)]
struct Paces {
    fast: Window,
    slow: Window,
}

impl Paces {
    /// The bursts, with whether they are slow: those of the long window only where the short one has none, as they hold the same rows.
    fn bursts(self) -> impl Iterator<Item = (bool, Burst)> {
        let is_slow = self.fast.bursts.is_empty();
        let bursts = if is_slow { self.slow.bursts } else { self.fast.bursts };
        bursts.into_iter().map(move |burst| (is_slow, burst))
    }
}

/// Failed logins of one key that may still become a burst, and the bursts so far.
#[derive(Default)]
struct Window {
    waiting: VecDeque<Sighting>,
    /// How often each text was typed among them.
    typed: BTreeMap<String, u64>,
    bursts: Vec<Burst>,
}

/// Whose accounts somebody tried, from where, and when.
#[derive(Clone, Debug)]
pub(crate) struct Guessing {
    pub(crate) accounts: BTreeSet<Uuid>,
    /// Without those that requests set.
    pub(crate) callers: BTreeSet<IpAddr>,
    pub(crate) window: audit_model::Window,
}

struct Burst {
    rows: Rows,
    last: Sighting,
    typed: BTreeSet<String>,
}

/// Which number of a window is held against its limit.
#[derive(Clone, Copy)]
enum Measure {
    Rows,
    Typed,
}

impl Window {
    /// Takes in a row; a `limit` of 0 is off.
    fn push(&mut self, row: &Sighting, length: TimeDelta, measure: Measure, limit: u64) {
        if limit == 0 {
            return;
        }
        while let Some(gone) = self.waiting.pop_front_if(|first| row.at - first.at >= length) {
            let typed = typed(&gone).unwrap_or_default();
            if let Some(count) = self.typed.get_mut(&typed) {
                *count -= 1;
                if *count == 0 {
                    self.typed.remove(&typed);
                }
            }
        }
        self.waiting.push_back(row.clone());
        *self.typed.entry(typed(row).unwrap_or_default()).or_default() += 1;
        let measured = match measure {
            Measure::Rows => self.waiting.len(),
            Measure::Typed => self.typed.len(),
        };
        let Some(first) = self.waiting.front().filter(|_| measured as u64 >= limit) else { return };
        // a burst goes on as long as the window holds rows of it
        match self.bursts.last_mut().filter(|burst| first.order() <= burst.last.order()) {
            Some(burst) => {
                let fresh = self.waiting.iter().rev().take_while(|row| row.order() > burst.last.order()).count();
                burst.extend(self.waiting.iter().skip(self.waiting.len() - fresh));
            }
            None => {
                let mut burst = Burst { rows: Rows::default(), last: row.clone(), typed: BTreeSet::new() };
                burst.extend(self.waiting.iter());
                self.bursts.push(burst);
            }
        }
    }
}

impl Burst {
    fn extend<'r>(&mut self, rows: impl Iterator<Item = &'r Sighting>) {
        for row in rows {
            self.typed.extend(typed(row));
            self.rows.push(row);
            self.last = row.clone();
        }
    }
}

/// What was typed, as accounts are compared.
fn typed(row: &Sighting) -> Option<String> {
    row.login.as_ref().map(|login| login.raw().trim().to_lowercase())
}

impl<'a> Bursts<'a> {
    pub(crate) fn new(book: Rulebook<'a>, limits: &'a Limits, usual: Option<u64>) -> Self {
        let email = |account: &'a Account| Some((account.person.email.as_ref()?.raw().to_lowercase(), account));
        Bursts {
            book,
            limits,
            usual,
            by_typed: BTreeMap::new(),
            by_caller: BTreeMap::new(),
            everywhere: Window::default(),
            logins: Vec::new(),
            accounts: book.directory.people.values().filter_map(email).collect(),
        }
    }

    /// Takes in a row of the login history.
    pub(crate) fn push(&mut self, row: &Sighting) {
        if row.action.is_successful_login() {
            self.logins.push(row.clone());
        }
        if !row.action.is_failed_login() {
            return;
        }
        let Limits { failed_logins, failed_logins_per_day, sprayed_people, sprayed_people_per_day, .. } = *self.limits;
        let fast = TimeDelta::minutes(i64::from(self.limits.minutes));
        if let Some(typed) = typed(row) {
            let own = self.by_typed.entry(typed).or_default();
            own.fast.push(row, fast, Measure::Rows, failed_logins);
            own.slow.push(row, SLOWLY, Measure::Rows, failed_logins_per_day);
        }
        if self.may_come_from_there(row) {
            return;
        }
        let own = self.by_caller.entry(caller(row)).or_default();
        own.fast.push(row, fast, Measure::Typed, sprayed_people);
        own.slow.push(row, SLOWLY, Measure::Typed, sprayed_people_per_day);
        let unusual = self.unusual();
        self.everywhere.push(row, SLOWLY, Measure::Typed, unusual);
    }

    /// With how many typed addresses failed logins of all callers are a finding; 0 is off.
    fn unusual(&self) -> u64 {
        let own = self.limits.spread_people_per_day;
        // without history a tenth of all people is more than usual
        let usual = self.usual.map_or(self.book.directory.people.len() as u64 / 10, |usual| usual * UNUSUAL);
        if own == 0 { 0 } else { own.max(usual) }
    }

    /// Whether the one who was meant is allowed that address: then it is a colleague's mistake. An address that the request itself
    /// set excuses nobody.
    fn may_come_from_there(&self, row: &Sighting) -> bool {
        if row.ip_was_set {
            return false;
        }
        let account = typed(row).and_then(|typed| self.accounts.get(&typed));
        account.is_some_and(|account| matches!(self.book.permission(account.person.id, row), Permission::Allowed(..)))
    }

    /// The findings, in no order.
    pub(crate) fn finish(mut self) -> Vec<Case> {
        let (by_typed, by_caller) = (std::mem::take(&mut self.by_typed), std::mem::take(&mut self.by_caller));
        let everywhere = std::mem::take(&mut self.everywhere);
        let mut found = Vec::new();
        for (typed, paces) in by_typed {
            found.extend(paces.bursts().map(|(is_slow, burst)| self.burst(&typed, is_slow, burst)));
        }
        let mut told: BTreeSet<Option<String>> = BTreeSet::new();
        let came = self.came();
        for (caller, paces) in by_caller {
            for (is_slow, burst) in paces.bursts() {
                if is_slow && !self.is_slow_spraying(&burst, &caller, &came) {
                    continue;
                }
                found.push(self.spraying(caller.as_deref(), is_slow, burst));
                told.insert(caller.clone());
            }
        }
        found.extend(everywhere.bursts.into_iter().filter_map(|burst| self.spread(burst, &told, &came)));
        found
    }

    /// All bursts, in no order, without a word about how bad they are; those of all callers together say of nobody who it was.
    pub(crate) fn guessed(mut self) -> Vec<Guessing> {
        let (by_typed, by_caller) = (std::mem::take(&mut self.by_typed), std::mem::take(&mut self.by_caller));
        let came = self.came();
        let own = by_typed.into_values().flat_map(|Paces { fast, slow }| fast.bursts.into_iter().chain(slow.bursts));
        let callers = by_caller.into_iter().flat_map(|(caller, Paces { fast, slow })| {
            let slow = slow.bursts.into_iter().filter(|burst| self.is_slow_spraying(burst, &caller, &came));
            fast.bursts.into_iter().chain(slow).collect::<Vec<_>>()
        });
        own.chain(callers).filter_map(|burst| self.guessing(&burst)).collect()
    }

    fn guessing(&self, burst: &Burst) -> Option<Guessing> {
        let accounts = burst.typed.iter().filter_map(|typed| self.accounts.get(typed));
        let callers = burst.rows.logins().filter(|row| !row.ip_was_set).filter_map(|row| row.address().ip());
        Some(Guessing {
            accounts: accounts.map(|account| account.person.id).collect(),
            callers: callers.collect(),
            window: audit_model::Window::new(burst.rows.first()?.at, burst.last.at),
        })
    }

    /// Whether enough were guessed from there in a day who did not just mistype.
    fn is_slow_spraying(
        &self,
        burst: &Burst,
        caller: &Option<String>,
        came: &BTreeSet<(Uuid, Option<String>)>,
    ) -> bool {
        let guessed = burst.typed.iter().filter(|typed| !self.mistyped(typed, caller, came));
        guessed.count() as u64 >= self.limits.sprayed_people_per_day
    }

    /// Who signed in from which caller.
    fn came(&self) -> BTreeSet<(Uuid, Option<String>)> {
        self.logins.iter().map(|login| (login.user, caller(login))).collect()
    }

    /// Whether somebody signed in from where they had typed a wrong password: on one day in a large office many do.
    fn mistyped(&self, typed: &str, caller: &Option<String>, came: &BTreeSet<(Uuid, Option<String>)>) -> bool {
        let account = self.accounts.get(typed);
        caller.is_some() && account.is_some_and(|account| came.contains(&(account.person.id, caller.clone())))
    }

    fn burst(&self, typed: &str, is_slow: bool, burst: Burst) -> Case {
        let account = self.accounts.get(typed);
        let shown = PortalText::new(typed);
        let callers: BTreeSet<String> = burst.rows.logins().map(Sighting::shown_ip).collect();
        let success = account.and_then(|account| {
            let own = |login: &&Sighting| login.user == account.person.id;
            self.logins
                .iter()
                .filter(own)
                .find(|login| login.order() > burst.last.order() && login.at - burst.last.at <= AFTER_BURST)
        });
        let is_foreign = success.is_some_and(|login| {
            login.ip_was_set || matches!(self.book.permission(login.user, login), Permission::NotAllowed(_))
        });
        let pace = words::pace(self.limits, is_slow);
        let mut reasons = words::tried(&burst, (&shown, &callers), &pace, success);
        if is_foreign && success.is_some_and(|login| !login.ip_was_set) {
            reasons.push(words::NOT_ALLOWED_THERE.into());
        }
        let person = match account {
            Some(account) => account.person.clone(),
            None => {
                reasons.push(words::NO_ACCOUNT.into());
                Person::named(GUEST_ACCOUNT, shown)
            }
        };
        let severity = match (account, success) {
            (_, Some(_)) if is_foreign => Severity::Critical,
            (_, Some(_)) => Severity::High,
            (Some(_), None) => Severity::Medium,
            (None, None) => Severity::Low,
        };
        // however many callers there are in the end, slow guessing is one matter
        let callers = callers.into_iter().collect::<Vec<_>>().join(" ");
        let key = if is_slow { format!("{typed}\nslowly") } else { format!("{typed}\n{callers}") };
        let subject = Subject { kind: Kind::FailedBurst, severity, person, place: None, key, reasons };
        burst.rows.found(subject).shown_by_its_ends(success)
    }

    fn spraying(&self, caller: Option<&str>, is_slow: bool, burst: Burst) -> Case {
        let known: Vec<_> = burst.typed.iter().filter_map(|typed| self.accounts.get(typed)).collect();
        let hit: BTreeSet<String> = self
            .logins
            .iter()
            .filter(|login| match caller {
                Some(caller) => !login.ip_was_set && login.ip.as_ref().map_or("", PortalText::raw) == caller,
                None => login.ip_was_set,
            })
            .filter(|login| known.iter().any(|account| account.person.id == login.user))
            .filter(|login| (login.at - burst.last.at).abs() <= AFTER_BURST)
            .map(|login| login.user_name.for_terminal())
            .collect();
        let place = caller.filter(|caller| !caller.is_empty()).map(PortalText::new);
        let from = caller.map(PortalText::new);
        let reasons = words::sprayed(&burst, from.as_ref(), is_slow, (known.len(), &hit));
        let severity = match (known.is_empty(), hit.is_empty()) {
            (_, false) => Severity::Critical,
            (false, true) => Severity::High,
            (true, true) => Severity::Low,
        };
        let person = Person::named(GUEST_ACCOUNT, PortalText::new("many accounts"));
        // no address has a blank
        let key = caller.unwrap_or("set by the request").to_owned();
        burst.rows.found(Subject { kind: Kind::Spraying, severity, person, place, key, reasons })
    }

    /// Failed logins of all callers together, but for those who were told already.
    fn spread(
        &self,
        burst: Burst,
        told: &BTreeSet<Option<String>>,
        came: &BTreeSet<(Uuid, Option<String>)>,
    ) -> Option<Case> {
        let mut left = Burst { rows: Rows::default(), last: burst.last.clone(), typed: BTreeSet::new() };
        let is_left = |row: &&Sighting| {
            let from = caller(row);
            !told.contains(&from) && !typed(row).is_some_and(|typed| self.mistyped(&typed, &from, came))
        };
        left.extend(burst.rows.logins().filter(is_left));
        if (left.typed.len() as u64) < self.unusual() {
            return None;
        }
        let known = left.typed.iter().filter(|typed| self.accounts.contains_key(*typed)).count();
        let callers: BTreeSet<Option<String>> = left.rows.logins().map(caller).collect();
        let reasons = words::spread(&left, (callers.len(), known), self.usual);
        let severity = if known > 0 { Severity::High } else { Severity::Low };
        let person = Person::named(GUEST_ACCOUNT, PortalText::new("many accounts"));
        let key = "all callers together".to_owned();
        Some(left.rows.found(Subject { kind: Kind::Spraying, severity, person, place: None, key, reasons }))
    }
}

/// Where a row came from; `None` for all whose request says itself where it comes from.
fn caller(row: &Sighting) -> Option<String> {
    (!row.ip_was_set).then(|| row.ip.as_ref().map_or("", PortalText::raw).to_owned())
}

#[cfg(test)]
mod tests;
