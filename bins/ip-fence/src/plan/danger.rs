//! What can lock people out, or keep a list from doing what it says. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ::report::words::plural;
use audit_model::{Address, AddressRange, GUEST_ACCOUNT, PortalText, is_robot};
use docspace_client::AddressList;
use serde::Serialize;
use uuid::Uuid;

use super::{Inputs, Plan, simulate};
use crate::found::entries;
use crate::server::{self, Caller, Ruling, Trouble};

/// So many people from one address alone are no household: something hides where they come from.
const ENOUGH_PEOPLE: usize = 3;

/// So many networks in a month are somebody whose address changes.
const ROAMING: usize = 5;

/// What the danger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DangerKind {
    EntryStopsEverybody,
    EmptyList,
    AdminOnly,
    BlocksPeople,
    OwnAddressUnknown,
    OwnAddressNotListed,
    ProxyHidesCallers,
    NotOwnersKey,
    NeverMatches,
    SwitchGoesOn,
    CannotHold,
    Families,
    Roaming,
    ChangedMeanwhile,
}

/// One danger of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Danger {
    pub(crate) kind: DangerKind,
    /// Whether the plan must not be carried out as it is.
    pub(crate) refuses: bool,
    pub(crate) text: String,
}

/// All dangers, those that refuse the plan first.
pub(super) fn look(inputs: &Inputs<'_>, plan: &Plan, after: &AddressList) -> Vec<Danger> {
    let mut dangers: Vec<Danger> = [
        stops_everybody(after),
        empty(after),
        admin_only(after),
        blocks_people(inputs, plan),
        own_address(inputs, after),
        proxy(inputs, after),
        not_owner(inputs, after),
        never_matches(after),
        goes_on(plan),
        cannot_hold(inputs, plan, after),
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

/// A danger only refuses a list that would count.
fn danger(kind: DangerKind, refuses: bool, text: impl Into<String>) -> Option<Danger> {
    Some(Danger { kind, refuses, text: text.into() })
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
        "{} in the list makes the portal fail, and then it refuses everybody but its owner; remove it by hand, or with `--own-all`",
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

fn blocks_people(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
    let unmeant: Vec<_> = plan.simulation.blocked.iter().filter(|blocked| !blocked.meant).collect();
    let people: BTreeSet<Uuid> = unmeant.iter().map(|blocked| blocked.person.id).collect();
    if people.is_empty() {
        return None;
    }
    let unnamed = people.iter().filter(|person| inputs.policy.allowed(**person).is_none()).count();
    let logins: u64 = unmeant.iter().map(|blocked| blocked.logins).sum();
    let acts: u64 = unmeant.iter().map(|blocked| blocked.acts).sum();
    let verb = if plan.switch.planned { "would have been" } else { "would have been, had the switch been on," };
    let count = people.len() as u64;
    let who = if count == 1 { "1 active person".to_owned() } else { format!("{count} active people") };
    let text = format!(
        "{who} {verb} refused although the policy does not mean it: {} and {}; {unnamed} of them no rule names",
        plural(logins, "login"),
        plural(acts, "action")
    );
    danger(DangerKind::BlocksPeople, plan.switch.planned, text)
}

/// The address that the portal sees this machine under.
pub(super) fn own(inputs: &Inputs<'_>) -> Option<IpAddr> {
    inputs.own_address.or_else(|| inputs.seen.last_address(inputs.me.person.id))
}

fn own_address(inputs: &Inputs<'_>, after: &AddressList) -> Option<Danger> {
    let refuses = after.enabled && !inputs.me.is_owner;
    let exempt = if inputs.me.is_owner { "; the owner's key gets in all the same" } else { "" };
    let Some(address) = own(inputs) else {
        let text = format!(
            "this machine's address, as the portal sees it, is unknown, so the list might lock it out{exempt}; give `--own-address ADDRESS`"
        );
        return danger(DangerKind::OwnAddressUnknown, refuses, text);
    };
    let caller = Caller { is_owner: false, is_admin: inputs.me.is_admin, address: address.to_canonical() };
    let list = AddressList { enabled: true, entries: after.entries.clone() };
    if server::rule(&list, &caller) == Ruling::Admitted {
        return None;
    }
    let text = format!("this machine comes from {address}, which the list would not have{exempt}");
    danger(DangerKind::OwnAddressNotListed, refuses, text)
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
        1 => "; 1 active person could come from nowhere".to_owned(),
        count => format!("; {count} active people could come from nowhere"),
    };
    let text = format!(
        "the portal cannot hold {} of the policy, so people who come from there would be refused{who}",
        entries(plan.cannot_hold.len())
    );
    danger(DangerKind::CannotHold, count > 0 && after.enabled, text)
}

fn families(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
    let is_v6 =
        |ip: &PortalText| matches!(Address::parse(ip.raw()), Address::V6(_) | Address::Stump(_) | Address::Empty);
    let seen: BTreeSet<Uuid> = inputs
        .seen
        .iter()
        .filter(|(person, ip, _)| !is_nobody(*person) && is_v6(ip))
        .map(|(person, ..)| person)
        .collect();
    let listed_v6 = plan.list.iter().any(|entry| entry.ip.raw().contains(':'));
    let listed_v4 = plan.list.iter().any(|entry| !entry.ip.raw().contains(':'));
    let count = plural(seen.len() as u64, "account");
    match (seen.is_empty(), listed_v4, listed_v6) {
        (false, true, false) => danger(
            DangerKind::Families,
            false,
            format!(
                "{count} came over IPv6, and the list would have IPv4 addresses only: each family needs entries of its own"
            ),
        ),
        (_, false, true) => danger(
            DangerKind::Families,
            false,
            "the list would have IPv6 addresses only: whoever comes over IPv4 would be refused",
        ),
        _ => None,
    }
}

fn roaming(inputs: &Inputs<'_>) -> Option<Danger> {
    let mut networks: BTreeMap<Uuid, BTreeSet<AddressRange>> = BTreeMap::new();
    for (person, ip, _) in inputs.seen.iter().filter(|(person, ..)| !is_nobody(*person)) {
        if let Some(ip) = Address::parse(ip.raw()).ip() {
            networks.entry(person).or_default().insert(AddressRange::neighbourhood(ip));
        }
    }
    let roaming = networks.values().filter(|networks| networks.len() >= ROAMING).count();
    if roaming == 0 {
        return None;
    }
    let who = if roaming == 1 { "1 person".to_owned() } else { format!("{roaming} people") };
    let text = format!(
        "{who} came from {ROAMING} networks or more: the portal knows single addresses, and theirs will change"
    );
    danger(DangerKind::Roaming, false, text)
}

fn changed(inputs: &Inputs<'_>) -> Option<Danger> {
    let before = inputs.remembered?;
    if before == inputs.list {
        return None;
    }
    let text = "somebody has changed the list or its switch since the last run: the portal keeps only what was written last, so ask before writing over it";
    danger(DangerKind::ChangedMeanwhile, false, text)
}

fn is_nobody(person: Uuid) -> bool {
    is_robot(person) || person == GUEST_ACCOUNT
}
