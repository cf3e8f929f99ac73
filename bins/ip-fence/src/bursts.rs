//! Failed logins that come too fast: with one typed address, or with many from one caller. Pure; rows come in order of time.
//!
//! The portal files failed logins under nobody; only what was typed says who was meant. Suspicious, but no finding: an office behind
//! one address in which each of ten people mistypes once, when the policy lets them come from there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ::report::words::plural;
use audit_model::{GUEST_ACCOUNT, Person, PortalText, Severity};
use chrono::TimeDelta;

use crate::config::Limits;
use crate::found::{About, Found, Kind, Rows};
use crate::policy::Verdict;
use crate::rule::{AFTER_BURST, Rulebook};
use crate::sighting::Sighting;

/// Collects failed logins, and what came after.
pub(crate) struct Bursts<'a> {
    book: Rulebook<'a>,
    limits: &'a Limits,
    by_typed: BTreeMap<String, Window>,
    /// `None` holds all whose request set the address: they can claim another one each time.
    by_caller: BTreeMap<Option<String>, Window>,
    logins: Vec<Sighting>,
}

/// Failed logins of one key that may still become a burst, and the bursts so far.
#[derive(Default)]
struct Window {
    waiting: VecDeque<Sighting>,
    /// How often each text was typed among them.
    typed: BTreeMap<String, u64>,
    bursts: Vec<Burst>,
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
    fn push(&mut self, row: &Sighting, length: TimeDelta, measure: Measure, limit: u64) {
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
    pub(crate) fn new(book: Rulebook<'a>, limits: &'a Limits) -> Self {
        Bursts { book, limits, by_typed: BTreeMap::new(), by_caller: BTreeMap::new(), logins: Vec::new() }
    }

    /// Takes in a row of the login history.
    pub(crate) fn push(&mut self, row: &Sighting) {
        if row.action.is_successful_login() {
            self.logins.push(row.clone());
        }
        if !row.action.is_failed_login() {
            return;
        }
        let length = TimeDelta::minutes(i64::from(self.limits.minutes));
        let (failed, sprayed) = (self.limits.failed_logins, self.limits.sprayed_people);
        if failed > 0
            && let Some(typed) = typed(row)
        {
            self.by_typed.entry(typed).or_default().push(row, length, Measure::Rows, failed);
        }
        if sprayed > 0 && !self.may_come_from_there(row) {
            let caller = (!row.ip_was_set).then(|| row.ip.as_ref().map_or("", PortalText::raw).to_owned());
            self.by_caller.entry(caller).or_default().push(row, length, Measure::Typed, sprayed);
        }
    }

    /// Whether the one who was meant is allowed that address: then it is a colleague's mistake. An address that the request itself
    /// set excuses nobody.
    fn may_come_from_there(&self, row: &Sighting) -> bool {
        if row.ip_was_set {
            return false;
        }
        let account = typed(row).and_then(|typed| self.book.directory.by_email(&typed));
        let verdict =
            account.map(|account| self.book.policy.judge(account.person.id, row.address(), row.at.date_naive()));
        matches!(verdict, Some(Verdict::Allowed(..)))
    }

    /// The findings, in no order.
    pub(crate) fn finish(mut self) -> Vec<Found> {
        let by_typed = std::mem::take(&mut self.by_typed);
        let by_caller = std::mem::take(&mut self.by_caller);
        let one = by_typed
            .into_iter()
            .flat_map(|(typed, window)| window.bursts.into_iter().map(move |burst| (typed.clone(), burst)));
        let many = by_caller
            .into_iter()
            .flat_map(|(caller, window)| window.bursts.into_iter().map(move |burst| (caller.clone(), burst)));
        let one: Vec<Found> = one.map(|(typed, burst)| self.burst(&typed, burst)).collect();
        one.into_iter().chain(many.map(|(caller, burst)| self.spraying(caller.as_deref(), burst))).collect()
    }

    fn burst(&self, typed: &str, burst: Burst) -> Found {
        let account = self.book.directory.by_email(typed);
        let shown = PortalText::new(typed);
        let callers: BTreeSet<String> = burst.rows.logins().map(Sighting::shown_ip).collect();
        let within = plural(u64::from(self.limits.minutes), "minute");
        let failed = plural(burst.rows.logins, "failed login");
        let mut reasons = vec![format!(
            "{failed} with {} typed, at least {} of them within {within}, from {}",
            shown.for_terminal(),
            self.limits.failed_logins,
            listed(&callers)
        )];
        let person = match account {
            Some(account) => account.person.clone(),
            None => {
                reasons.push("no account has that address".to_owned());
                Person::named(GUEST_ACCOUNT, shown)
            }
        };
        let success = account.and_then(|account| {
            let own = |login: &&Sighting| login.user == account.person.id;
            self.logins
                .iter()
                .filter(own)
                .find(|login| login.order() > burst.last.order() && login.at - burst.last.at <= AFTER_BURST)
        });
        reasons.extend(success.map(|login| {
            format!(
                "then signed in from {}, {} minutes after the last",
                login.shown_ip(),
                (login.at - burst.last.at).num_minutes()
            )
        }));
        let is_foreign = |login: &&Sighting| {
            let verdict = self.book.policy.judge(login.user, login.address(), login.at.date_naive());
            login.ip_was_set || matches!(verdict, Verdict::NotAllowed(_))
        };
        let severity = match (account, success) {
            (_, Some(_)) if success.as_ref().is_some_and(is_foreign) => Severity::Critical,
            (_, Some(_)) => Severity::High,
            (Some(_), None) => Severity::Medium,
            (None, None) => Severity::Low,
        };
        let key = format!("{typed}\n{}", callers.into_iter().collect::<Vec<_>>().join(" "));
        burst.rows.found(About { kind: Kind::FailedBurst, severity, person, place: None, key, reasons })
    }

    fn spraying(&self, caller: Option<&str>, burst: Burst) -> Found {
        let known: Vec<_> = burst.typed.iter().filter_map(|typed| self.book.directory.by_email(typed)).collect();
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
        let from = match (caller, &place) {
            (None, _) => "addresses that the requests themselves set".to_owned(),
            (_, Some(shown)) => shown.for_terminal(),
            (_, None) => "no noted address".to_owned(),
        };
        let mut reasons = vec![format!(
            "{} from {from} with {} different addresses typed, {} of them of accounts here",
            plural(burst.rows.logins, "failed login"),
            burst.typed.len(),
            known.len()
        )];
        if !hit.is_empty() {
            reasons.push(format!("from there signed in: {}", listed(&hit)));
        }
        let severity = match (known.is_empty(), hit.is_empty()) {
            (_, false) => Severity::Critical,
            (false, true) => Severity::High,
            (true, true) => Severity::Low,
        };
        let person = Person::named(GUEST_ACCOUNT, PortalText::new("many accounts"));
        // no address has a blank
        let key = caller.unwrap_or("set by the request").to_owned();
        burst.rows.found(About { kind: Kind::Spraying, severity, person, place, key, reasons })
    }
}

/// Some of them, and how many more.
fn listed(texts: &BTreeSet<String>) -> String {
    const SHOWN: usize = 3;
    let some = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if texts.len() > SHOWN { format!("{some} and {} more", texts.len() - SHOWN) } else { some }
}

#[cfg(test)]
mod tests;
