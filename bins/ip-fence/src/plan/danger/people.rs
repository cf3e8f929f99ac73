//! Whom a list would lock out, and of whom nobody can tell. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use audit_model::{Address, AddressRange, GUEST_ACCOUNT, PortalText, is_robot};
use chrono::TimeDelta;
use uuid::Uuid;

use super::kind::{Danger, DangerKind, called, danger, listed, people};
use crate::plan::simulate::{self, Blocked, WhyOut};
use crate::plan::{Inputs, Plan};

/// So many networks in a month are somebody whose address changes.
const ROAMING: usize = 5;

/// Whoever comes once a week is seen in so long a time, and a portal that was set up yesterday has not seen its people yet.
const ENOUGH_HISTORY: TimeDelta = TimeDelta::days(7);

/// Nobody can tell from too little whom a list would lock out.
pub(super) fn history(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
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
pub(super) fn out(plan: &Plan, why: WhyOut) -> Option<Danger> {
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
pub(super) fn blocks_people(plan: &Plan) -> Option<Danger> {
    let unmeant = losing(plan, |blocked| blocked.allowed != Some(false));
    let (who, counted) = counted(&unmeant)?;
    let condition = if plan.switch.planned { "" } else { " with the switch on" };
    let text = format!(
        "{who} would have been blocked{condition}, although the policy allows them or does not name them: {counted}; add the addresses to the policy as single ones, or say that it is meant with `--lock-out PERSON`"
    );
    danger(DangerKind::BlocksPeople, plan.switch.planned, text)
}

/// People who would keep a way in, and lose another that no rule allows.
pub(super) fn blocks_some(plan: &Plan) -> Option<Danger> {
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
pub(super) fn keys_in_use(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
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

pub(super) fn families(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
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

pub(super) fn roaming(inputs: &Inputs<'_>) -> Option<Danger> {
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

pub(super) fn is_nobody(person: Uuid) -> bool {
    is_robot(person) || person == GUEST_ACCOUNT
}
