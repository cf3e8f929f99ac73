//! The history replayed against a planned list, with the server's own matching: who would have been refused, how often, from where.

use audit_model::{Address, Person, PersonStatus, PortalRole, PortalText};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ListEntry};
use serde::Serialize;
use uuid::Uuid;

use super::Inputs;
use super::history::Visits;
use crate::policy::Permission;
use crate::rule::is_service_account;
use crate::rule::server::{self, Caller, Ruling, Trouble};

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
    /// Active people who would be locked out without being meant to, or of whom nobody can tell that they would not be; by person.
    pub(crate) no_way_in: Vec<NoWayIn>,
}

/// Why somebody might not get in any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyOut {
    /// Not one of their logins would have succeeded.
    Refused,
    /// No whole address of theirs was ever seen: over IPv6 the portal notes the beginning only.
    AddressCut,
    /// No rule says from where they come, and nobody has seen it.
    Unseen,
    /// The same of somebody whose API key was used: what a key reads leaves no event.
    KeyUnseen,
}

/// Somebody who might not get in any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NoWayIn {
    pub(crate) person: Person,
    pub(crate) why: WhyOut,
    /// Whether a rule that counts says from where they may come.
    pub(crate) named: bool,
    /// What was noted last; absent of people who were not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_ip: Option<PortalText>,
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
    /// Whether the person is to be locked out: named by `--lock-out`, or by rules that allow nothing.
    pub(crate) meant: bool,
    /// Whether a rule allows the person that address. Absent where nobody can tell, and of people whom no rule names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed: Option<bool>,
}

/// A key that was used so recently is in use.
pub(super) const KEY_IN_USE: TimeDelta = TimeDelta::days(30);

/// Goes by the list as if the switch were on.
pub(super) fn replay(inputs: &Inputs<'_>, after: &AddressList) -> Simulation {
    let list = AddressList { enabled: true, entries: after.entries.clone() };
    let mut simulation = Simulation::default();
    for (id, account) in &inputs.directory.people {
        let person = &account.person;
        if !counts(inputs, *id, person) {
            continue;
        }
        let mut visits: Vec<Visit<'_>> = Vec::new();
        for (ip, seen) in inputs.seen.of(*id) {
            visits.push(Visit { ip, seen, ruling: ruling(&list, ip, inputs.directory.is_admin(*id)) });
        }
        let is_seen = !visits.is_empty();
        simulation.people += usize::from(is_seen);
        simulation.unseen += usize::from(!is_seen);
        for visit in &visits {
            match visit.ruling {
                Some(Ruling::Admitted) => {}
                Some(Ruling::Refused) => simulation.blocked.push(blocked(inputs, person, visit)),
                None => simulation.unclear.push(blocked(inputs, person, visit)),
            }
        }
        simulation.no_way_in.extend(no_way_in(inputs, person, &visits));
    }
    simulation
}

/// From where somebody came, and what the list would have made of it; `None` when what was noted does not tell.
struct Visit<'v> {
    ip: &'v PortalText,
    seen: &'v Visits,
    ruling: Option<Ruling>,
}

/// Whether somebody would have no way in left though nobody means that.
fn no_way_in(inputs: &Inputs<'_>, person: &Person, visits: &[Visit<'_>]) -> Option<NoWayIn> {
    if inputs.is_meant_out(person.id) {
        return None;
    }
    let named = inputs.has_place(person.id);
    let signs_in = visits.iter().any(|visit| visit.seen.logins > 0);
    let mut ways = visits.iter().filter(|visit| visit.seen.logins > 0 || !signs_in);
    let is_whole = |visit: &Visit<'_>| Address::parse(visit.ip.raw()).ip().is_some();
    let why = if visits.is_empty() {
        let unseen = if has_key_in_use(inputs, person.id) { WhyOut::KeyUnseen } else { WhyOut::Unseen };
        (!named).then_some(unseen)?
    } else if ways.any(|visit| visit.ruling == Some(Ruling::Admitted)) {
        return None;
    } else if visits.iter().any(is_whole) {
        WhyOut::Refused
    } else {
        WhyOut::AddressCut
    };
    let last_ip = visits.iter().max_by_key(|visit| visit.seen.last).map(|visit| visit.ip.clone());
    Some(NoWayIn { person: person.clone(), why, named, last_ip })
}

/// Whether one of the person's keys was used not long ago, and works.
pub(super) fn has_key_in_use(inputs: &Inputs<'_>, person: Uuid) -> bool {
    let is_in_use = |key: &docspace_client::ListedKey| {
        let is_alive = key.active && key.expires.is_none_or(|end| end > inputs.until);
        is_alive && key.last_used.is_some_and(|used| inputs.until - used <= KEY_IN_USE)
    };
    inputs.keys.iter().any(|key| key.owner == Some(person) && is_in_use(key))
}

/// How many people, seen or not, have a place to come from by the policy, and would find none of their places in the list.
pub(super) fn locked_out(inputs: &Inputs<'_>, after: &AddressList) -> usize {
    let entries: Vec<(Address, bool)> = after
        .entries
        .iter()
        .filter(|entry| Trouble::of(entry).is_none())
        .map(|entry| (Address::parse(entry.ip.raw()), entry.for_admin))
        .collect();
    let has_no_way_in = |id: Uuid| {
        let is_admin = inputs.directory.is_admin(id);
        let lets_in = |(address, for_admin): &(Address, bool)| {
            (!for_admin || is_admin)
                && matches!(inputs.policy.judge(id, *address, inputs.policy.today()), Permission::Allowed(..))
        };
        inputs.has_place(id) && !entries.iter().any(lets_in)
    };
    stoppable(inputs).filter(|id| has_no_way_in(*id)).count()
}

fn stoppable(inputs: &Inputs<'_>) -> impl Iterator<Item = Uuid> {
    inputs.directory.people.iter().filter(|(id, account)| counts(inputs, **id, &account.person)).map(|(id, _)| *id)
}

/// Active people whom a list can stop, and those of whom nobody knows whether they are. Robots count: a list that stops them stops
/// their work.
pub(super) fn counts(inputs: &Inputs<'_>, id: Uuid, person: &Person) -> bool {
    let is_robot = is_service_account(inputs.directory, id, inputs.service_accounts);
    let is_active = matches!(person.status, Some(PersonStatus::Active) | None);
    (is_active || is_robot) && person.role != Some(PortalRole::Owner)
}

fn blocked(inputs: &Inputs<'_>, person: &Person, visit: &Visit<'_>) -> Blocked {
    let Visits { logins, acts, last } = *visit.seen;
    let permission = inputs.policy.judge(person.id, Address::parse(visit.ip.raw()), inputs.policy.today());
    let allowed = match permission {
        Permission::Allowed(..) => Some(true),
        Permission::NotAllowed(_) => Some(false),
        Permission::CannotJudge | Permission::Unnamed => None,
    };
    let meant = inputs.is_meant_out(person.id);
    Blocked { person: person.clone(), ip: visit.ip.clone(), logins, acts, last, meant, allowed }
}

/// What the portal would have done; `None` when what it noted does not tell.
pub(crate) fn ruling(list: &AddressList, ip: &PortalText, is_admin: bool) -> Option<Ruling> {
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
