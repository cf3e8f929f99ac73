//! What can lock people out, or keep a list from doing what it says. Pure.

mod change;
pub(super) mod kind;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use audit_model::{Address, PortalText};
use chrono::TimeDelta;
use docspace_client::AddressList;
use uuid::Uuid;

use self::kind::{DangerKind, danger, listed, people};
use self::people::{blocks_people, blocks_some, families, history, is_nobody, keys_in_use, out, roaming};
use super::simulate::WhyOut;
use super::{Inputs, Plan, simulate};
use crate::rule::server::{self, Caller, Ruling, Trouble};

/// So many people from one address alone are no household: something hides where they come from.
const ENOUGH_PEOPLE: usize = 3;

/// A rule that ends so soon leaves its addresses in the list behind it.
const ENDS_SOON: TimeDelta = TimeDelta::days(30);

pub(crate) use self::kind::Danger;

/// All dangers, those that refuse the plan first.
pub(super) fn look(inputs: &Inputs<'_>, plan: &Plan, after: &AddressList) -> Vec<Danger> {
    let mut dangers: Vec<Danger> = [
        stops_everybody(after),
        change::cannot_write_back(inputs),
        change::large(inputs, plan),
        empty(after),
        admin_only(after),
        history(inputs, plan),
        out(plan, WhyOut::Refused),
        out(plan, WhyOut::AddressCut),
        out(plan, WhyOut::Unseen),
        out(plan, WhyOut::KeyUnseen),
        blocks_people(plan),
        blocks_some(plan),
        keys_in_use(inputs, plan),
        own_address(inputs, after),
        proxy(inputs, after),
        not_owner(inputs, after),
        never_matches(after),
        goes_on(plan),
        cannot_hold(inputs, plan, after),
        ends_soon(inputs),
        withheld(plan),
        families(inputs, plan),
        roaming(inputs),
        changed(inputs),
    ]
    .into_iter()
    .flatten()
    .collect();
    dangers.sort_by_key(|danger| (!danger.refuses, danger.kind));
    dangers
}

fn named(after: &AddressList, is: impl Fn(Trouble) -> bool) -> Vec<String> {
    let troubled = after.entries.iter().filter(|entry| Trouble::of(entry).is_some_and(&is));
    troubled.map(|entry| format!("`{}`", entry.ip.for_terminal())).collect()
}

fn stops_everybody(after: &AddressList) -> Option<Danger> {
    let names = named(after, Trouble::stops_everybody);
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "{} in the list makes the portal fail, and then it refuses everybody but its owner; remove it",
        names.join(", ")
    );
    danger(DangerKind::EntryStopsEverybody, true, text)
}

/// Odd entries mean that somebody believes in them; who plans on must know which.
fn never_matches(after: &AddressList) -> Option<Danger> {
    let names = named(after, |trouble| !trouble.stops_everybody());
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "{} in the list: the portal compares texts, and never writes an address like that; correct it by hand, or remove it with `--own-all`",
        names.join(", ")
    );
    danger(DangerKind::NeverMatches, after.enabled, text)
}

fn empty(after: &AddressList) -> Option<Danger> {
    if !after.enabled || !after.entries.is_empty() {
        return None;
    }
    danger(
        DangerKind::EmptyList,
        true,
        "the list would be empty: the portal refuses to switch that on, and an empty list lets everybody in",
    )
}

fn admin_only(after: &AddressList) -> Option<Danger> {
    if !after.enabled || after.entries.is_empty() || after.entries.iter().any(|entry| !entry.for_admin) {
        return None;
    }
    danger(DangerKind::AdminOnly, true, "every entry would count for admins only, so everybody else would be refused")
}

/// What is written into the list stays there until somebody takes it out.
fn ends_soon(inputs: &Inputs<'_>) -> Option<Danger> {
    let last = (inputs.policy.today() + ENDS_SOON).max(inputs.policy.today());
    let ending =
        inputs.policy.live_rules().filter_map(|rule| rule.expires.filter(|end| *end <= last).map(|end| (rule, end)));
    let names: Vec<String> = ending
        .map(|(rule, end)| format!("\"{}\" on {end}", PortalText::new(rule.label.as_str()).for_terminal()))
        .collect();
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "{} within {} days, and the list knows no end: {}; plan again on that day",
        if names.len() == 1 { "1 rule ends".to_owned() } else { format!("{} rules end", names.len()) },
        ENDS_SOON.num_days(),
        listed(names.into_iter())
    );
    danger(DangerKind::EndsSoon, false, text)
}

fn withheld(plan: &Plan) -> Option<Danger> {
    let count = plan.steps.iter().filter(|step| step.deed == super::steps::Deed::Withheld).count();
    if count == 0 {
        return None;
    }
    let text = format!(
        "somebody else has taken {} of ours out of the list, and they stay out: ask why, then add them with `--add-again`, or take them out of the policy",
        plural(count as u64, "entry")
    );
    danger(DangerKind::Withheld, false, text)
}

/// Only what somebody says counts: what the key's account did before, its owner did in a browser elsewhere.
fn own_address(inputs: &Inputs<'_>, after: &AddressList) -> Option<Danger> {
    let exempt = if inputs.me.is_owner {
        "; the owner's key gets in all the same, those of other programs here do not"
    } else {
        ""
    };
    let Some(address) = inputs.own_address else {
        let text = format!(
            "this machine's address, as the portal sees it, is not known, so the list might lock it out{exempt}; give `--own-address ADDRESS`"
        );
        return danger(DangerKind::OwnAddressUnknown, after.enabled, text);
    };
    let caller = Caller { is_owner: false, is_admin: inputs.me.is_admin, address: address.to_canonical() };
    let list = AddressList { enabled: true, entries: after.entries.clone() };
    if server::rule(&list, &caller) == Ruling::Admitted {
        return None;
    }
    let text = format!(
        "this machine comes from {address}, which the list would not have{exempt}; allow it in a rule that names the key's account"
    );
    danger(DangerKind::OwnAddressNotListed, after.enabled, text)
}

fn not_owner(inputs: &Inputs<'_>, after: &AddressList) -> Option<Danger> {
    if inputs.me.is_owner || !after.enabled {
        return None;
    }
    let text = "the key is not the owner's: if the list locks people out, nothing but a key of the portal's owner can repair it";
    danger(DangerKind::NotOwnersKey, true, text)
}

fn proxy(inputs: &Inputs<'_>, after: &AddressList) -> Option<Danger> {
    let mut addresses: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for (person, ip, _) in inputs.seen.iter().filter(|(person, ip, _)| !is_nobody(*person) && !ip.raw().is_empty()) {
        addresses.entry(ip.raw()).or_default().insert(person);
    }
    let people: BTreeSet<Uuid> = addresses.values().flatten().copied().collect();
    if people.len() < ENOUGH_PEOPLE {
        return None;
    }
    let are_private = addresses.keys().all(|ip| matches!(Address::parse(ip), Address::Private(_)));
    let text = match addresses.keys().next() {
        Some(only) if addresses.len() == 1 => {
            format!(
                "all {} people came from {}: the portal sees a proxy, not the people",
                people.len(),
                PortalText::new(*only).for_terminal()
            )
        }
        Some(_) if are_private && inputs.is_public => {
            format!(
                "all {} people came from private addresses, while the portal is public: it sees a proxy, not the people",
                people.len()
            )
        }
        _ => return None,
    };
    let remedy = "; let whoever runs the server name the proxy in `knownProxies` first";
    danger(DangerKind::ProxyHidesCallers, after.enabled, format!("{text}{remedy}"))
}

fn goes_on(plan: &Plan) -> Option<Danger> {
    if plan.switch.now || !plan.switch.planned {
        return None;
    }
    let text =
        "the switch would go on: from then on, logins from other addresses leave no trace, and sessions end with 403";
    danger(DangerKind::SwitchGoesOn, false, text)
}

/// Whoever has no other place is locked out for sure, also if nobody was seen.
fn cannot_hold(inputs: &Inputs<'_>, plan: &Plan, after: &AddressList) -> Option<Danger> {
    if plan.cannot_hold.is_empty() {
        return None;
    }
    let count = simulate::locked_out(inputs, after);
    let who = match count {
        0 => String::new(),
        count => format!("; {} could come from nowhere", people(count)),
    };
    let text = format!(
        "the portal cannot hold {} of the policy, so people who come from there would be refused{who}",
        plural(plan.cannot_hold.len() as u64, "entry")
    );
    danger(DangerKind::CannotHold, count > 0 && after.enabled, text)
}

fn changed(inputs: &Inputs<'_>) -> Option<Danger> {
    let before = inputs.remembered?;
    if before == inputs.list {
        return None;
    }
    let text = "somebody has changed the list or its switch since the last run: the portal keeps only what was written last, so ask before writing over it";
    danger(DangerKind::ChangedMeanwhile, false, text)
}
