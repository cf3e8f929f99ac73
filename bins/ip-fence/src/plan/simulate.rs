//! The history replayed against a planned list, with the server's own matching: who would have been refused, how often, from where.

use std::collections::BTreeSet;

use audit_model::{Address, Person, PersonStatus, PortalRole, PortalText};
use chrono::{DateTime, Utc};
use docspace_client::{AddressList, ListEntry};
use serde::Serialize;
use uuid::Uuid;

use super::Inputs;
use super::history::Visits;
use crate::policy::Verdict;
use crate::rule::is_service_account;
use crate::server::{self, Caller, Ruling};

/// What a list would have done to the people who came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Simulation {
    /// Active people who were seen, the owner left out: nothing stops them.
    pub(crate) people: usize,
    /// Active people who were not seen: nobody knows from where they will come.
    pub(crate) unseen: usize,
    /// Person and address that would have been refused, had the switch been on.
    pub(crate) blocked: Vec<Blocked>,
    /// Person and noted text of which nobody can tell.
    pub(crate) unclear: Vec<Blocked>,
}

/// Somebody who would have been refused, or may have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Blocked {
    pub(crate) person: Person,
    /// As the portal noted it; empty when it noted nothing.
    pub(crate) ip: PortalText,
    pub(crate) logins: u64,
    pub(crate) acts: u64,
    pub(crate) last: DateTime<Utc>,
    /// Whether the policy means it: a rule names the person, and no rule allows the address.
    pub(crate) meant: bool,
}

/// Goes by the list as if the switch were on.
pub(super) fn replay(inputs: &Inputs<'_>, after: &AddressList) -> Simulation {
    let list = AddressList { enabled: true, entries: after.entries.clone() };
    let mut simulation = Simulation::default();
    let mut seen = BTreeSet::new();
    for (person, ip, visits) in inputs.seen.iter() {
        let Some(account) = inputs.directory.people.get(&person) else { continue };
        if !counts(inputs, person, &account.person) {
            continue;
        }
        seen.insert(person);
        let blocked = || blocked(inputs, &account.person, ip, visits);
        match ruling(&list, ip, inputs.directory.is_admin(person)) {
            Some(Ruling::Admitted) => {}
            Some(Ruling::Refused) => simulation.blocked.push(blocked()),
            None => simulation.unclear.push(blocked()),
        }
    }
    simulation.people = seen.len();
    let active = inputs.directory.people.iter().filter(|(id, account)| counts(inputs, **id, &account.person)).count();
    simulation.unseen = active - seen.len();
    simulation
}

/// Active people whom a list can stop. Robots count: a list that stops them stops their work.
fn counts(inputs: &Inputs<'_>, id: Uuid, person: &Person) -> bool {
    let is_robot = is_service_account(inputs.directory, id, inputs.service_accounts);
    let is_active = person.status == Some(PersonStatus::Active);
    (is_active || is_robot) && person.role != Some(PortalRole::Owner)
}

fn blocked(inputs: &Inputs<'_>, person: &Person, ip: &PortalText, visits: &Visits) -> Blocked {
    let Visits { logins, acts, last } = *visits;
    let verdict = inputs.policy.judge(person.id, Address::parse(ip.raw()));
    let meant = matches!(verdict, Verdict::NotAllowed(_));
    Blocked { person: person.clone(), ip: ip.clone(), logins, acts, last, meant }
}

/// What the portal would have done; `None` when what it noted does not tell.
fn ruling(list: &AddressList, ip: &PortalText, is_admin: bool) -> Option<Ruling> {
    match Address::parse(ip.raw()) {
        Address::V4(_) | Address::V6(_) | Address::Private(_) => {
            let address = Address::parse(ip.raw()).ip()?;
            Some(server::rule(list, &Caller { is_owner: false, is_admin, address }))
        }
        // refused for sure when no entry begins like that
        Address::Stump(group) if list.entries.is_empty() || !begins_like(&list.entries, group) => {
            Some(if list.entries.is_empty() { Ruling::Admitted } else { Ruling::Refused })
        }
        Address::Stump(_) | Address::Empty | Address::NotAnAddress => None,
    }
}

fn begins_like(entries: &[ListEntry], group: u16) -> bool {
    let addresses = entries.iter().filter_map(|entry| entry.ip.raw().parse::<std::net::Ipv6Addr>().ok());
    addresses.into_iter().any(|ip| ip.segments()[0] == group)
}
