//! What can lock people out, or keep a list from doing what it says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ::report::Who;
use ::report::words::{list_of, plural};
use audit_model::{Address, AddressRange, GUEST_ACCOUNT, Person, PortalText, is_robot};
use chrono::TimeDelta;
use docspace_client::AddressList;
use serde::Serialize;
use uuid::Uuid;

use super::simulate::{Blocked, WhyOut};
use super::{Inputs, Plan, simulate};
use crate::rule::server::{self, Caller, Ruling, Trouble};

/// So many people from one address alone are no household: something hides where they come from.
const ENOUGH_PEOPLE: usize = 3;

/// So many networks in a month are somebody whose address changes.
const ROAMING: usize = 5;

/// Whoever comes once a week is seen in so long a time, and a portal that was set up yesterday has not seen its people yet.
const ENOUGH_HISTORY: TimeDelta = TimeDelta::days(7);

/// A rule that ends so soon leaves its addresses in the list behind it.
const ENDS_SOON: TimeDelta = TimeDelta::days(30);

/// People and rules named in a sentence.
const NAMED: usize = 5;

/// What the danger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DangerKind {
    EntryStopsEverybody,
    EmptyList,
    AdminOnly,
    NoHistory,
    ShortHistory,
    NoWayIn,
    AddressCut,
    NobodySaw,
    KeyUnseen,
    BlocksPeople,
    OwnAddressUnknown,
    OwnAddressNotListed,
    ProxyHidesCallers,
    NotOwnersKey,
    NeverMatches,
    SwitchGoesOn,
    CannotHold,
    BlocksSome,
    KeysInUse,
    EndsSoon,
    Withheld,
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

/// Nobody can tell from too little whom a list would lock out.
fn history(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
    let simulation = &plan.simulation;
    if simulation.people == 0 && simulation.unseen > 0 {
        let text = "nobody was seen in the time that was replayed, so nobody can tell whom the list would lock out; replay a longer time (`--since 30d`)";
        return danger(DangerKind::NoHistory, plan.switch.planned, text);
    }
    let known = inputs.until - inputs.seen.first()?;
    if known >= ENOUGH_HISTORY {
        return None;
    }
    let text = format!(
        "what was replayed reaches back {} only, and whoever did not come since then was not seen; wait until there are {} days, or replay a longer time (`--since 30d`)",
        plural(known.num_hours().unsigned_abs(), "hour"),
        ENOUGH_HISTORY.num_days()
    );
    danger(DangerKind::ShortHistory, plan.switch.planned, text)
}

/// People who would have no way in left, or of whom nobody can tell.
fn out(plan: &Plan, why: WhyOut) -> Option<Danger> {
    let own: Vec<_> = plan.simulation.no_way_in.iter().filter(|out| out.why == why).collect();
    if own.is_empty() {
        return None;
    }
    let names = own.iter().map(|out| {
        let from = out.last_ip.as_ref().filter(|ip| !ip.raw().is_empty());
        let from = from.map(|ip| format!(" (last from {})", ip.for_terminal())).unwrap_or_default();
        format!("{}{from}", called(&out.person))
    });
    let (who, names) = (people(own.len()), listed(names));
    let would = if plan.switch.planned { "" } else { ", were the switch on" };
    let unnamed = own.iter().filter(|out| !out.named).count();
    let unnamed = if unnamed == 0 { String::new() } else { format!("; no rule names {unnamed} of them") };
    let meant = "or say that it is meant with `--lock-out PERSON`";
    let (kind, text) = match why {
        WhyOut::Refused => (
            DangerKind::NoWayIn,
            format!(
                "{who} would not get in any more{would}, as every login of theirs came from elsewhere: {names}{unnamed}; allow their addresses in a rule that names them, {meant}"
            ),
        ),
        WhyOut::AddressCut => (
            DangerKind::AddressCut,
            format!(
                "it cannot be determined whether the list has the address of {who}{would}, because no full address was recorded: {names}{unnamed}; let them come over IPv4, {meant}"
            ),
        ),
        WhyOut::Unseen => (
            DangerKind::NobodySaw,
            format!(
                "{who} came from nowhere in the time that was replayed, and no rule names them, so the list would lock them out{would}: {names}; name them in a rule, {meant}"
            ),
        ),
        WhyOut::KeyUnseen => (
            DangerKind::KeyUnseen,
            format!(
                "{who} used an API key within {} days and were not seen, and no rule names them{would}: {names}; what a key reads leaves no event, so add the address of the machine to a rule that names them, {meant}",
                simulate::KEY_IN_USE.num_days()
            ),
        ),
    };
    danger(kind, plan.switch.planned, text)
}

/// People who would keep a way in, and lose another that no rule takes from them.
fn blocks_people(plan: &Plan) -> Option<Danger> {
    let unmeant = losing(plan, |blocked| blocked.allowed != Some(false));
    let (who, counted) = counted(&unmeant)?;
    let condition = if plan.switch.planned { "" } else { " with the switch on" };
    let text = format!(
        "{who} would have been blocked{condition}, although the policy allows them or does not name them: {counted}; add the addresses to the policy as single ones, or say that it is meant with `--lock-out PERSON`"
    );
    danger(DangerKind::BlocksPeople, plan.switch.planned, text)
}

/// People who would keep a way in, and lose another that no rule allows.
fn blocks_some(plan: &Plan) -> Option<Danger> {
    let (who, counted) = counted(&losing(plan, |blocked| blocked.allowed == Some(false)))?;
    let text =
        format!("{who} came from addresses that no rule allows them, too, and would be refused there: {counted}");
    danger(DangerKind::BlocksSome, false, text)
}

/// What people would lose who would not lose all.
fn losing(plan: &Plan, is: impl Fn(&Blocked) -> bool) -> Vec<&Blocked> {
    let out: BTreeSet<Uuid> = plan.simulation.no_way_in.iter().map(|out| out.person.id).collect();
    let blocked = plan.simulation.blocked.iter().filter(|blocked| !blocked.meant && !out.contains(&blocked.person.id));
    blocked.filter(|blocked| is(blocked)).collect()
}

/// How many people, and how often they came; `None` for nobody.
fn counted(blocked: &[&Blocked]) -> Option<(String, String)> {
    let by_person: BTreeMap<Uuid, &Blocked> = blocked.iter().map(|blocked| (blocked.person.id, *blocked)).collect();
    if by_person.is_empty() {
        return None;
    }
    let logins: u64 = blocked.iter().map(|blocked| blocked.logins).sum();
    let acts: u64 = blocked.iter().map(|blocked| blocked.acts).sum();
    let names = listed(
        by_person.values().map(|blocked| format!("{} (from {})", called(&blocked.person), blocked.ip.for_terminal())),
    );
    let counted = format!("{} and {}, {names}", plural(logins, "login"), plural(acts, "action"));
    Some((people(by_person.len()), counted))
}

/// Nobody records from where a key is used.
fn keys_in_use(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
    let is_out = |person: Uuid| plan.simulation.no_way_in.iter().any(|out| out.person.id == person);
    let owners = inputs.directory.people.iter().filter(|(id, account)| {
        simulate::counts(inputs, **id, &account.person) && !is_out(**id) && simulate::has_key_in_use(inputs, **id)
    });
    let owners: Vec<String> = owners.map(|(_, account)| called(&account.person)).collect();
    if owners.is_empty() {
        return None;
    }
    let (who, names) = (people(owners.len()), listed(owners.into_iter()));
    let text = format!(
        "API keys of {who} are in use, and the portal does not record from where: {names}; see that the list has the addresses of the machines that use them"
    );
    danger(DangerKind::KeysInUse, false, text)
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

/// Name and address, as people are asked for.
fn called(person: &Person) -> String {
    Who::from(person).line().for_terminal()
}

fn people(count: usize) -> String {
    plural(count as u64, "active person")
}

/// Some of them, and how many more.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    list_of(&names, NAMED, names.len() as u64)
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
    let who = plural(roaming as u64, "person");
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
