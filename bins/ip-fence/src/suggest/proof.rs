//! What a suggestion is worth: one made from the first three quarters of the history, and the last quarter judged by it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Person, Window};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::rules::is_human;
use super::sightings::{Sightings, day};
use super::{Inputs, Suggestion, text};
use crate::policy::{Permission, Policy, PolicyFile, Unnamed, parse};
use crate::rule::found::{Kind, Rows};
use crate::rule::habits::Habits;
use crate::rule::sighting::Sighting;
use crate::rule::then::Then;
use crate::rule::whereabouts::Whereabouts;

/// What the watch would have told of the last quarter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Proof {
    /// The history that the tried policy was made from.
    pub(crate) made_from: Window,
    /// What was judged by it.
    pub(crate) judged: Window,
    /// Successful logins of people who are active today.
    pub(crate) logins: u64,
    /// How many people signed in whom the tried policy names.
    pub(crate) people: usize,
    /// How many signed in whom it does not name.
    pub(crate) unnamed: usize,
    /// Findings that come from the policy.
    pub(crate) findings: u64,
    /// The same by kind.
    pub(crate) by_kind: BTreeMap<Kind, u64>,
    /// Whom a rule names and none of whose logins it allows, by id.
    pub(crate) locked_out: Vec<Person>,
}

impl Proof {
    /// `None` when there is too little to try it on.
    pub(crate) fn of(inputs: &Inputs<'_>, sightings: &Sightings, window: Window) -> Option<Self> {
        let cut = sightings.cut.filter(|cut| *cut > window.since && *cut < window.until)?;
        let (made_from, judged) = (Window::new(window.since, cut), Window::new(cut, window.until));
        let everybody = Inputs { only: None, ..*inputs };
        let tried = Suggestion::make(&everybody, sightings, made_from);
        let policy = policy(&everybody, &tried, cut)?;
        let is_judged =
            |row: &Sighting| is_human(inputs, row.user) && inputs.only.is_none_or(|only| only.contains(&row.user));
        let logins: Vec<&Sighting> = sightings
            .logins
            .iter()
            .filter(|login| judged.contains(login.at) && login.action.is_successful_login() && is_judged(login))
            .collect();
        if tried.rules.is_empty() || logins.is_empty() {
            return None;
        }
        let later = sightings.later.iter().filter(|stay| stay.first().is_some_and(is_judged));
        let by_kind = findings(inputs, &policy, &logins, later);
        let came: BTreeSet<Uuid> = logins.iter().map(|login| login.user).collect();
        let (named, unnamed): (Vec<Uuid>, Vec<Uuid>) = came.into_iter().partition(|who| policy.allowed(*who).is_some());
        let is_let_in = |person: &Uuid| logins.iter().any(|login| login.user == *person && is_allowed(&policy, login));
        let out = named.iter().filter(|person| !is_let_in(person));
        Some(Proof {
            made_from,
            judged,
            logins: logins.len() as u64,
            people: named.len(),
            unnamed: unnamed.len(),
            findings: by_kind.values().sum(),
            by_kind,
            locked_out: out.filter_map(|id| Some(inputs.directory.people.get(id)?.person.clone())).collect(),
        })
    }
}

fn is_allowed(policy: &Policy, login: &Sighting) -> bool {
    let permission = policy.judge(login.user, login.address(), login.at.date_naive());
    !login.ip_was_set && matches!(permission, Permission::Allowed(..))
}

/// The suggestion as runs read it.
fn policy(inputs: &Inputs<'_>, suggestion: &Suggestion, today: DateTime<Utc>) -> Option<Policy> {
    let nothing = PolicyFile { default: Unnamed::Report, rules: Vec::new() };
    let file = if suggestion.rules.is_empty() { nothing } else { parse(&text::rules(inputs, suggestion)).ok()? };
    Policy::resolve(file, inputs.directory, None, day(today, chrono_tz::UTC), inputs.ipv6_by_64).ok()
}

/// What comes from the policy: disabled accounts, new countries and addresses that were set are found without one.
fn findings<'r>(
    inputs: &Inputs<'_>,
    policy: &Policy,
    logins: &[&Sighting],
    later: impl Iterator<Item = &'r Rows>,
) -> BTreeMap<Kind, u64> {
    let then = Then::default();
    let mut whereabouts = Whereabouts::new(inputs.rulebook(policy, &then), Habits::default());
    logins.iter().for_each(|login| whereabouts.push(login));
    later.for_each(|stay| whereabouts.add(stay));
    let mut by_kind = BTreeMap::new();
    for case in whereabouts.finish().0 {
        if matches!(case.detail.kind, Kind::NotAllowed | Kind::CannotJudge | Kind::Unnamed) {
            *by_kind.entry(case.detail.kind).or_default() += 1;
        }
    }
    by_kind
}
