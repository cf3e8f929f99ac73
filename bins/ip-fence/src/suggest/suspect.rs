//! Where somebody else may have used an account: such a place must not be learned. Pure.
//!
//! Ordinary, though it looks alike: somebody who mistypes a password at home or in the office, where they were on enough days before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use attribution::Countries;
use audit_model::PortalText;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::sightings::{Trace, Traces, day};
use super::{DAYS, Inputs, SHARED_PEOPLE, Why};
use crate::policy::{Policy, PolicyFile, Unnamed};
use crate::rule::bursts::{AFTER_BURST, Bursts, Guessing};
use crate::rule::habits::HABIT;
use crate::rule::sighting::Sighting;
use crate::rule::then::Then;

/// Person and address, with what speaks against them.
pub(crate) type Doubt = BTreeMap<(Uuid, IpAddr), Why>;

/// What is in doubt of these traces, but for addresses that are `trusted`. `guessed`: the bursts of failed logins among them.
pub(super) fn doubts(
    inputs: &Inputs<'_>,
    (logins, traces): (&[Sighting], &Traces),
    guessed: &[Guessing],
    trusted: &BTreeSet<IpAddr>,
) -> Doubt {
    let strange = tried_by_strangers(logins, guessed);
    let is_strange = |key: &&(Uuid, IpAddr)| strange.contains(&key.1);
    let mut doubts: Doubt = traces.of.keys().filter(is_strange).map(|key| (*key, Why::AfterFailedLogins)).collect();
    let mut taken: BTreeMap<Uuid, DateTime<Utc>> = BTreeMap::new();
    let mut countries = Abroad::new(inputs);
    for login in logins.iter().filter(|login| login.action.is_successful_login()) {
        let found = login.address().ip().filter(|_| !login.ip_was_set).and_then(|ip| {
            let key = (login.user, ip);
            Some((key, traces.of.get(&key)?))
        });
        let is_guess = guessed.iter().any(|guess| {
            let was_there = |(_, trace): (_, &Trace)| trace.days_before(day(guess.window.since, inputs.zone)) >= DAYS;
            !found.is_some_and(was_there) && may_be_its_success(guess, login)
        });
        let Some((key, trace)) = found else {
            // nobody can tell from where that was, so whatever is new from then on may be somebody else's
            if is_guess {
                taken.entry(login.user).or_insert(login.at);
            }
            continue;
        };
        if trusted.contains(&key.1) {
            countries.learn(login);
            continue;
        }
        let is_usual = trace.days_before(day(login.at, inputs.zone)) >= DAYS && !doubts.contains_key(&key);
        if is_guess {
            taken.entry(login.user).or_insert(login.at);
            doubts.insert(key, Why::AfterFailedLogins);
        } else if !is_usual && countries.is_new(login) {
            doubts.entry(key).or_insert(Why::NewCountry);
        }
        if !doubts.contains_key(&key) {
            countries.learn(login);
        }
    }
    for (key @ (person, ip), trace) in &traces.of {
        let since = taken.get(person).zip(trace.first());
        if since.is_some_and(|(taken, first)| first >= *taken) && !trusted.contains(ip) {
            doubts.entry(*key).or_insert(Why::AfterTakeover);
        }
    }
    doubts
}

/// Addresses from which somebody tried the accounts of several people who have never come from there: no colleagues who mistype, however
/// long somebody has worked there in peace.
fn tried_by_strangers(logins: &[Sighting], guessed: &[Guessing]) -> BTreeSet<IpAddr> {
    let came = logins.iter().filter(|login| login.action.is_successful_login() && !login.ip_was_set);
    let came: BTreeSet<(Uuid, IpAddr)> = came.filter_map(|login| Some((login.user, login.address().ip()?))).collect();
    let mut tried: BTreeMap<IpAddr, BTreeSet<Uuid>> = BTreeMap::new();
    for guess in guessed {
        // of several callers nobody can tell here which of them tried whom
        let [caller] = guess.callers.iter().copied().collect::<Vec<_>>()[..] else { continue };
        let strangers = guess.accounts.iter().copied().filter(|account| !came.contains(&(*account, caller)));
        tried.entry(caller).or_default().extend(strangers);
    }
    tried.into_iter().filter(|(_, strangers)| strangers.len() >= SHARED_PEOPLE).map(|(ip, _)| ip).collect()
}

/// Whether a login came within an hour after the guessing, or from where that account was guessed.
fn may_be_its_success(guess: &Guessing, login: &Sighting) -> bool {
    let is_meant = guess.accounts.contains(&login.user);
    let is_caller = login.address().ip().is_some_and(|ip| guess.callers.contains(&ip));
    let is_near = login.at >= guess.window.since && login.at <= guess.window.until + AFTER_BURST;
    (is_near && (is_meant || is_caller)) || (is_meant && is_caller && login.at >= guess.window.since)
}

/// The bursts of failed logins, as the watch finds them where no rule allows anybody anything.
pub(super) fn guessed(inputs: &Inputs<'_>, logins: &[Sighting]) -> Vec<Guessing> {
    let nobody = PolicyFile { default: Unnamed::Ignore, rules: Vec::new() };
    let Ok(policy) = Policy::resolve(nobody, inputs.directory, None, Default::default(), false) else {
        return Vec::new();
    };
    let then = Then::default();
    let mut bursts = Bursts::new(inputs.rulebook(&policy, &then), inputs.limits, None);
    logins.iter().for_each(|login| bursts.push(login));
    bursts.guessed()
}

/// From which countries people sign in, and which of those stay strange to them.
struct Abroad {
    usual: BTreeMap<Uuid, Countries>,
    strange: BTreeSet<(Uuid, PortalText)>,
}

impl Abroad {
    fn new(inputs: &Inputs<'_>) -> Self {
        let usual = inputs.countries.iter().map(|(person, own)| (*person, own.clone().into())).collect();
        Abroad { usual, strange: BTreeSet::new() }
    }

    /// Whether the country is new to a habit, or was so when the person first came from there.
    fn is_new(&mut self, login: &Sighting) -> bool {
        let Some(country) = &login.country else { return false };
        let key = (login.user, country.clone());
        let known = self.usual.get(&login.user).filter(|known| known.sign_ins() >= HABIT);
        let is_new = known.is_some_and(|known| known.new_one(Some(country)).is_some());
        if is_new {
            self.strange.insert(key.clone());
        }
        self.strange.contains(&key)
    }

    fn learn(&mut self, login: &Sighting) {
        self.usual.entry(login.user).or_default().learn(login.country.as_ref());
    }
}
