//! What a suggestion would change about a policy that exists. Pure.

use std::collections::BTreeSet;

use audit_model::{AddressRange, Window};
use serde::Serialize;
use uuid::Uuid;

use super::names::Names;
use super::sightings::{Sightings, Traces};
use super::{Inputs, SuggestedEntry, SuggestedRule, Suggestion, as_text};
use crate::policy::import::free_label;
use crate::policy::{Policy, holds};

/// The difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Against {
    pub(crate) seen: Window,
    /// What the policy does not allow.
    pub(crate) new: Vec<SuggestedRule>,
    /// What it allows in vain, in order of lines.
    pub(crate) unseen: Vec<Unseen>,
}

/// An entry from which nobody came whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unseen {
    pub(crate) rule: String,
    #[serde(serialize_with = "as_text")]
    pub(crate) entry: AddressRange,
    pub(crate) line: usize,
}

impl Against {
    pub(crate) fn of(inputs: &Inputs<'_>, suggestion: &Suggestion, sightings: &Sightings, policy: &Policy) -> Self {
        let names = Names::of(inputs.directory);
        let mut taken: BTreeSet<String> = policy.rules.iter().map(|rule| rule.label.clone()).collect();
        let mut new: Vec<SuggestedRule> = Vec::new();
        for rule in suggestion.rules.iter().flat_map(|rule| missing(rule, policy, &names)) {
            let used: BTreeSet<&str> = taken.iter().map(String::as_str).collect();
            let mut count = usize::from(used.contains(rule.label.as_str()));
            let label = free_label(&rule.label, &used, &mut count);
            taken.insert(label.clone());
            new.push(SuggestedRule { label, ..rule });
        }
        Against { seen: suggestion.seen, new, unseen: unseen(inputs, suggestion.seen, sightings, policy) }
    }
}

/// The rule without what everybody whom it names has; one for each set of people who miss the same.
fn missing(rule: &SuggestedRule, policy: &Policy, names: &Names<'_>) -> Vec<SuggestedRule> {
    let mut by_people: Vec<(BTreeSet<Uuid>, Vec<SuggestedEntry>)> = Vec::new();
    for entry in &rule.allow {
        let without = rule.members.iter().copied().filter(|person| !has(policy, *person, entry.entry));
        let without: BTreeSet<Uuid> = without.collect();
        match by_people.iter_mut().find(|(people, _)| *people == without) {
            Some((_, entries)) => entries.push(entry.clone()),
            None if without.is_empty() => {}
            None => by_people.push((without, vec![entry.clone()])),
        }
    }
    let reduced = |(members, allow): (BTreeSet<Uuid>, Vec<SuggestedEntry>)| {
        let is_whole = members == rule.members;
        let people = if is_whole { rule.people.clone() } else { members.iter().map(|id| names.person(*id)).collect() };
        let groups = if is_whole { rule.groups.clone() } else { Vec::new() };
        SuggestedRule { people, groups, allow, members, ..rule.clone() }
    };
    by_people.into_iter().map(reduced).collect()
}

fn has(policy: &Policy, person: Uuid, range: AddressRange) -> bool {
    let rules = policy.allowed(person).map(|own| own.rules.as_slice()).unwrap_or_default();
    rules.iter().flat_map(|rule| &policy.rules[*rule].allow).any(|entry| holds(entry.range, range))
}

fn unseen(inputs: &Inputs<'_>, seen: Window, sightings: &Sightings, policy: &Policy) -> Vec<Unseen> {
    let traces = Traces::of(inputs, sightings, seen.until);
    let mut used: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (person, ip) in traces.of.keys() {
        for rule in policy.allowed(*person).map(|own| own.rules.as_slice()).unwrap_or_default() {
            let entries = policy.rules[*rule].allow.iter().enumerate();
            used.extend(entries.filter(|(_, entry)| entry.range.contains(*ip)).map(|(at, _)| (*rule, at)));
        }
    }
    let mut unseen: Vec<Unseen> = Vec::new();
    for (position, rule) in policy.rules.iter().enumerate().filter(|(_, rule)| !rule.has_expired(policy.today())) {
        let entries = rule.allow.iter().enumerate().filter(|(at, _)| !used.contains(&(position, *at)));
        unseen.extend(entries.map(|(_, entry)| Unseen {
            rule: rule.label.clone(),
            entry: entry.range,
            line: entry.line,
        }));
    }
    unseen.sort_by_key(|one| one.line);
    unseen
}
