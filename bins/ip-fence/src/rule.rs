//! The rule `address_policy`: people seen from addresses that the policy does not allow them, or that nobody can judge; passwords that
//! somebody guesses; and the portal's own list where it is not what it was. Pure.
//!
//! A login from a hotel that no rule names is a finding. Suspicious, but none: the same person from two allowed offices within a
//! minute, which is what a VPN looks like.

mod advice;
mod break_glass;
pub(crate) mod bursts;
pub(crate) mod found;
pub(crate) mod habits;
pub(crate) mod own_list;
pub(crate) mod server;
pub(crate) mod sighting;
pub(crate) mod stays;
pub(crate) mod then;
pub(crate) mod whereabouts;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::Clock;
use audit_model::{BlindSpot, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Directory;
use event_archive::{Fact, KnownList, Unjudged};
use uuid::Uuid;

use crate::config::Limits;
use crate::policy::{Permission, Policy};
use bursts::Bursts;
use found::{Case, Rows};
use habits::Habits;
use sighting::Sighting;
use then::{Era, Memory, Then, Trail};
use whereabouts::Whereabouts;

/// How far back a run looks when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What no portal records. Logins that its own list refuses come to that where the list is switched on.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::KeyLogins, BlindSpot::Ipv6];

/// All that is found, in the order of the report, and what the reader must know of it.
pub(crate) fn judge(seen: &Seen, limits: &Limits) -> (Vec<Case>, Vec<String>) {
    let then = Then::new((&seen.policy, &seen.directory), &seen.memory, &seen.trail);
    let book = seen.book(&then);
    let (logins, judged_before): (Vec<&Sighting>, Vec<&Sighting>) =
        seen.logins.iter().partition(|login| seen.unjudged.holds(login.at));
    let mut habits = Habits::new(seen.countries.clone());
    judged_before.into_iter().for_each(|login| habits.learn(login));
    let mut whereabouts = Whereabouts::new(book, habits);
    logins.iter().for_each(|login| whereabouts.push(login));
    seen.stays.iter().for_each(|stay| whereabouts.add(stay));
    let (mut found, notes) = whereabouts.finish();
    let mut bursts = Bursts::new(book, limits, seen.usual);
    seen.logins.iter().for_each(|login| bursts.push(login));
    found.extend(bursts.finish().into_iter().filter(|burst| seen.unjudged.concerns(&burst.finding.window)));
    match &seen.only {
        Some(only) => found.retain(|found| only.contains(&found.finding.person.id)),
        None => {
            found.extend(own_list::judge(seen, &logins));
            let known = seen.list.as_ref().filter(|_| seen.break_glass);
            let is_judged = |at| seen.unjudged.holds(at);
            found.extend(
                known.into_iter().flat_map(|known| break_glass::judge(known, &seen.logins, is_judged, &seen.directory)),
            );
        }
    }
    found::sort(&mut found);
    (found, notes)
}

/// What people did, and what it is judged by.
pub(crate) struct Seen {
    pub(crate) window: Window,
    pub(crate) clock: Clock,
    /// As it applies to the people of today.
    pub(crate) policy: Policy,
    pub(crate) directory: Directory,
    /// Ids or e-mail addresses in lower case.
    pub(crate) service_accounts: Vec<String>,
    /// Whether a private address cannot be that of a person.
    pub(crate) is_public: bool,
    /// The people to whom the run is restricted; `None` for everybody.
    pub(crate) only: Option<BTreeSet<Uuid>>,
    pub(crate) memory: Memory,
    pub(crate) trail: Trail,
    /// By time; also what earlier runs have judged, as far as bursts and habits need it.
    pub(crate) logins: Vec<Sighting>,
    /// Which of the logins this run judges.
    pub(crate) unjudged: Unjudged,
    /// The actions that this run judges.
    pub(crate) stays: Vec<Rows>,
    /// How often people signed in from which countries before.
    pub(crate) countries: BTreeMap<Uuid, BTreeMap<PortalText, u64>>,
    /// How many addresses are typed in vain on a usual day; `None` when too little is known, or nobody needs to know.
    pub(crate) usual: Option<u64>,
    /// Writes of the portal's own list that this run judges.
    pub(crate) writes: Vec<Sighting>,
    /// Events of writes by this program: they are no news.
    pub(crate) own_writes: BTreeSet<i64>,
    /// When those were that are known to have arrived, whether or not their events are there.
    pub(crate) own_written: Vec<DateTime<Utc>>,
    /// The last write of all.
    pub(crate) last_write: Option<DateTime<Utc>>,
    /// Whether the owner's sign-ins are told while the list counts.
    pub(crate) break_glass: bool,
    /// What is known of the portal's own list.
    pub(crate) list: Option<Fact<KnownList>>,
    /// Whether list and trail were read, so that no write can be missing.
    pub(crate) list_is_whole: bool,
}

impl Seen {
    fn book<'a>(&'a self, then: &'a Then) -> Rulebook<'a> {
        Rulebook {
            policy: &self.policy,
            directory: &self.directory,
            then,
            service_accounts: &self.service_accounts,
            is_public: self.is_public,
            only: self.only.as_ref(),
            clock: self.clock,
        }
    }
}

/// What rows are judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rulebook<'a> {
    /// As it applies to the people of today.
    pub(crate) policy: &'a Policy,
    pub(crate) directory: &'a Directory,
    /// What was otherwise at another time.
    pub(crate) then: &'a Then,
    pub(crate) service_accounts: &'a [String],
    pub(crate) is_public: bool,
    pub(crate) only: Option<&'a BTreeSet<Uuid>>,
    pub(crate) clock: Clock,
}

impl<'a> Rulebook<'a> {
    /// The policy as it applied to the people of that time.
    pub(crate) fn policy_at(&self, at: DateTime<Utc>) -> &'a Policy {
        self.then.at(at).map_or(self.policy, Era::policy)
    }

    /// What the policy says of that person coming from where a row came.
    pub(crate) fn permission(&self, person: Uuid, row: &Sighting) -> Permission<'a> {
        self.policy_at(row.at).judge(person, row.address(), row.at.date_naive())
    }
}

/// Whether somebody is among people who are robots, as the settings name them.
pub(crate) fn is_service_account(directory: &Directory, person: Uuid, accounts: &[String]) -> bool {
    let by_id = |entry: &String| Uuid::parse_str(entry.trim()).is_ok_and(|id| id == person);
    match directory.people.get(&person) {
        Some(account) => account.person.is_meant_by_one_of(accounts),
        None => accounts.iter().any(by_id),
    }
}
