//! What the policy would make of the list: add, keep, remove, foreign. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use audit_model::{AddressRange, PersonStatus, PortalText, portal_form};
use docspace_client::ListEntry;
use event_archive::OwnEntry;
use serde::Serialize;

use super::Inputs;
use crate::rule::server::Trouble;

/// What is done with one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deed {
    Add,
    Remove,
    Keep,
    /// Not ours, and the policy does not have it: it stays.
    Foreign,
    /// Ours once, and somebody else has taken it out: it stays out until somebody says otherwise.
    Withheld,
}

/// Who put an entry into the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whose {
    Ours,
    Foreign,
    /// Ours, and somebody else has changed for whom it counts.
    OursChanged,
}

/// One entry of the list as it is or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    #[serde(flatten)]
    pub(crate) entry: ListEntry,
    /// Of entries that stand in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) whose: Option<Whose>,
    /// Labels of the rules that want it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<String>,
    /// Why it goes, or stays out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
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
    let mut claimed: BTreeSet<&ListEntry> = BTreeSet::new();
    for entry in &inputs.list.entries {
        // we never add what is there: of doubles one is ours at most
        let whose = if claimed.insert(entry) { whose(inputs.own_entries, entry) } else { Whose::Foreign };
        // a double is one too many, but does no harm; it is kept like what is foreign
        let fitting = wanted.get(entry.ip.raw()).is_some_and(|(for_admin, _)| *for_admin == entry.for_admin);
        let rules = if fitting { wanted.remove(entry.ip.raw()).map(|(_, rules)| rules) } else { None };
        let deed = match (&rules, whose) {
            (Some(_), _) => Deed::Keep,
            (None, Whose::Ours) => Deed::Remove,
            (None, _) if inputs.own_all => Deed::Remove,
            (None, _) => Deed::Foreign,
        };
        let why = (deed == Deed::Remove).then(|| match whose {
            Whose::Ours => why_dropped(inputs, entry),
            Whose::Foreign | Whose::OursChanged => "somebody else wrote it, and `--own-all` removes it".to_owned(),
        });
        let (rules, trouble) = (rules.unwrap_or_default(), Trouble::of(entry).map(Trouble::words));
        steps.push(Step { deed, entry: entry.clone(), whose: Some(whose), rules, why, trouble });
    }
    let added = wanted.into_iter().map(|(ip, (for_admin, rules))| {
        let entry = ListEntry { ip: PortalText::new(ip), for_admin };
        // what is wanted and ours stood in the list, and does not any more
        let is_withheld = !inputs.add_again && inputs.own_entries.iter().any(|own| own.entry == entry);
        let why = is_withheld.then(|| "somebody else has taken it out; `--add-again` adds it".to_owned());
        let deed = if is_withheld { Deed::Withheld } else { Deed::Add };
        Step { deed, entry, whose: None, rules, why, trouble: None }
    });
    steps.extend(added);
    steps.sort_by(|a, b| (a.deed, a.address(), &a.entry).cmp(&(b.deed, b.address(), &b.entry)));
    (steps, expanded, cannot_hold)
}

fn whose(own: &[OwnEntry], entry: &ListEntry) -> Whose {
    if own.iter().any(|own| own.entry == *entry) {
        Whose::Ours
    } else if own.iter().any(|own| own.entry.ip == entry.ip) {
        Whose::OursChanged
    } else {
        Whose::Foreign
    }
}

/// Why an entry of ours is not wanted any more.
fn why_dropped(inputs: &Inputs<'_>, entry: &ListEntry) -> String {
    let own = inputs.own_entries.iter().find(|own| own.entry == *entry);
    let Some(rule) = own.and_then(|own| inputs.policy.rules.iter().find(|rule| rule.label == own.rule)) else {
        return "its rule is gone".to_owned();
    };
    let holds = |range: &AddressRange| entry.ip.raw().parse().is_ok_and(|ip| range.contains(ip));
    if let Some(end) = rule.expires.filter(|_| rule.has_expired(inputs.policy.today())) {
        format!("its rule has expired on {end}")
    } else if rule.allow.iter().any(|allowed| holds(&allowed.range)) {
        "everybody whom its rule names is disabled or gone".to_owned()
    } else {
        "its rule does not allow it any more".to_owned()
    }
}

/// The list after the steps, in order of text.
pub(super) fn outcome(steps: &[Step]) -> Vec<ListEntry> {
    let mut left: Vec<ListEntry> = steps
        .iter()
        .filter(|step| !matches!(step.deed, Deed::Remove | Deed::Withheld))
        .map(|step| step.entry.clone())
        .collect();
    left.sort();
    left
}

fn wanted(inputs: &Inputs<'_>) -> (Wanted, Vec<Expanded>, Vec<CannotHold>) {
    let (mut wanted, mut expanded, mut cannot_hold) = (Wanted::new(), Vec::new(), Vec::new());
    let cap = u128::from(inputs.settings.expansion_cap);
    let used = used_rules(inputs);
    for (_, rule) in inputs.policy.rules.iter().enumerate().filter(|(position, _)| used.contains(position)) {
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

/// Positions of the rules that count for somebody who can come at all: an address of somebody disabled would stand open for nobody.
fn used_rules(inputs: &Inputs<'_>) -> BTreeSet<usize> {
    let can_come = |person| {
        let account = inputs.directory.people.get(&person);
        account.is_some_and(|account| account.person.status != Some(PersonStatus::Disabled))
    };
    let people = inputs.policy.people_named().filter(|(person, _)| can_come(*person));
    people.flat_map(|(_, allowed)| &allowed.rules).copied().collect()
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
