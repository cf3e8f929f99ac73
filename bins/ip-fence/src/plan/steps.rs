//! What the policy would make of the list: add, keep, remove, foreign. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use audit_model::{AddressRange, PortalText, portal_form};
use docspace_client::ListEntry;
use serde::Serialize;

use super::Inputs;
use crate::server::Trouble;

/// What is done with one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deed {
    Add,
    Remove,
    Keep,
    /// The policy does not have it, and it stays.
    Foreign,
}

/// One entry of the list as it is or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    #[serde(flatten)]
    pub(crate) entry: ListEntry,
    /// Labels of the rules that want it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<String>,
    /// What is wrong with it as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<&'static str>,
}

impl Step {
    /// The address, of entries that the portal can match.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.entry.ip.raw().parse().ok().filter(|_| self.trouble.is_none())
    }
}

/// A network or range that is written as single addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Expanded {
    pub(crate) entry: String,
    pub(crate) rule: String,
    pub(crate) line: usize,
    pub(crate) addresses: u128,
}

/// An entry of the policy that the portal cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CannotHold {
    pub(crate) entry: String,
    pub(crate) rule: String,
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// Addresses that rules want, with whether for admins only, and the labels of the rules.
type Wanted = BTreeMap<String, (bool, Vec<String>)>;

pub(super) fn compare(inputs: &Inputs<'_>) -> (Vec<Step>, Vec<Expanded>, Vec<CannotHold>) {
    let (mut wanted, expanded, cannot_hold) = wanted(inputs);
    let mut steps = Vec::new();
    for entry in &inputs.list.entries {
        let trouble = Trouble::of(entry).map(Trouble::words);
        // a double is one too many, but does no harm; it is kept like what is foreign
        let fitting = wanted.get(entry.ip.raw()).is_some_and(|(for_admin, _)| *for_admin == entry.for_admin);
        let rules = if fitting { wanted.remove(entry.ip.raw()).map(|(_, rules)| rules) } else { None };
        let deed = match &rules {
            Some(_) => Deed::Keep,
            // the same address for others: what the policy says replaces it
            None if wanted.contains_key(entry.ip.raw()) || inputs.own_all => Deed::Remove,
            None => Deed::Foreign,
        };
        steps.push(Step { deed, entry: entry.clone(), rules: rules.unwrap_or_default(), trouble });
    }
    let added = wanted.into_iter().map(|(ip, (for_admin, rules))| Step {
        deed: Deed::Add,
        entry: ListEntry { ip: PortalText::new(ip), for_admin },
        rules,
        trouble: None,
    });
    steps.extend(added);
    steps.sort_by(|a, b| (a.deed, a.address(), &a.entry).cmp(&(b.deed, b.address(), &b.entry)));
    (steps, expanded, cannot_hold)
}

/// The list after the steps, in order of text.
pub(super) fn outcome(steps: &[Step]) -> Vec<ListEntry> {
    let mut left: Vec<ListEntry> =
        steps.iter().filter(|step| step.deed != Deed::Remove).map(|step| step.entry.clone()).collect();
    left.sort();
    left
}

fn wanted(inputs: &Inputs<'_>) -> (Wanted, Vec<Expanded>, Vec<CannotHold>) {
    let (mut wanted, mut expanded, mut cannot_hold) = (Wanted::new(), Vec::new(), Vec::new());
    let cap = u128::from(inputs.settings.expansion_cap);
    for rule in inputs.policy.live_rules() {
        for allowed in &rule.allow {
            let (entry, label, line) = (allowed.range.to_string(), rule.label.clone(), allowed.line);
            let Some(addresses) = allowed.range.size().filter(|size| *size <= cap) else {
                cannot_hold.push(CannotHold { why: too_large(allowed.range, cap), entry, rule: label, line });
                continue;
            };
            if addresses > 1 {
                expanded.push(Expanded { entry, rule: label, line, addresses });
            }
            for ip in allowed.range.addresses() {
                match portal_form(ip) {
                    Ok(form) => {
                        let (for_admin, rules) = wanted.entry(form).or_insert((true, Vec::new()));
                        *for_admin &= rule.for_admin;
                        if rules.last() != Some(&rule.label) {
                            rules.push(rule.label.clone());
                        }
                    }
                    Err(error) => {
                        let why = error.to_string();
                        cannot_hold.push(CannotHold { entry: ip.to_string(), rule: rule.label.clone(), line, why });
                    }
                }
            }
        }
    }
    (wanted, expanded, cannot_hold)
}

fn too_large(range: AddressRange, cap: u128) -> String {
    match range.size() {
        Some(size) => format!(
            "is {size} addresses, more than the {cap} of `portal.expansion_cap`; the portal knows single addresses only"
        ),
        None => "is all of IPv6; the portal knows single addresses only".to_owned(),
    }
}

impl Trouble {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Trouble::Unreadable => {
                "is no address: the portal cannot read its list, and refuses everybody but the owner"
            }
            Trouble::Breaks => "breaks comparing: the portal refuses everybody but the owner",
            Trouble::Range => "is taken for a range of IPv6 addresses",
            Trouble::NeverMatches => "is written in another way than the portal writes addresses, so it never matches",
        }
    }
}
