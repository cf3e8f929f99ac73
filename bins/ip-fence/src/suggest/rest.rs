//! What is not suggested, and why. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use audit_model::AddressRange;
use uuid::Uuid;

use super::rules::Seen;
use super::sightings::{Trace, presence};
use super::{DAYS, LookAt, NotSuggested, ROAMING, Why, WhyNot};

impl Seen<'_> {
    pub(super) fn not_suggested(&self) -> Vec<NotSuggested> {
        let named: BTreeSet<Uuid> = self.used.iter().map(|(person, _)| *person).collect();
        let why = |person: Uuid, days: usize, networks: usize| {
            let cut = self.traces.cut.get(&person).map_or(0, BTreeSet::len);
            match (days, cut) {
                (0, _) if self.is_doubted(person) => WhyNot::InDoubt,
                (0, 0) => WhyNot::Unseen,
                (0, 1..) => WhyNot::Ipv6Only,
                _ if networks >= ROAMING => WhyNot::Roaming,
                _ if days < DAYS => WhyNot::ShortHistory,
                _ => WhyNot::NoHabit,
            }
        };
        let mut people: Vec<NotSuggested> = self
            .people()
            .into_iter()
            .filter(|person| !named.contains(&person.id))
            .map(|person| {
                let (days, networks) = (self.days(person.id), self.networks(person.id));
                NotSuggested { person: person.clone(), why: why(person.id, days, networks), days, networks }
            })
            .collect();
        people.sort_by_key(|one| (one.why, one.person.id));
        people
    }

    fn is_doubted(&self, person: Uuid) -> bool {
        self.doubts.keys().any(|(who, _)| *who == person)
    }

    /// What is in doubt, and what people who do not roam did not use often enough.
    pub(super) fn not_proposed(&self) -> Vec<LookAt> {
        let mut places: BTreeMap<(Uuid, AddressRange, Why), BTreeMap<IpAddr, &Trace>> = BTreeMap::new();
        let meant: BTreeSet<Uuid> = self.people().iter().map(|person| person.id).collect();
        for (key @ (person, ip), trace) in self.traces.of.iter().filter(|((person, _), _)| meant.contains(person)) {
            let days = trace.days().count();
            let seldom = if days == 1 { Some(Why::OneDay) } else { (days < DAYS).then_some(Why::FewDays) };
            let is_roaming = || self.networks(*person) >= ROAMING;
            let why = match self.doubts.get(key) {
                Some(why) => Some(*why),
                None => seldom.filter(|_| !self.used.contains(key) && !is_roaming()),
            };
            if let Some(why) = why {
                places.entry((*person, AddressRange::neighbourhood(*ip), why)).or_default().insert(*ip, trace);
            }
        }
        let look_at = |((person, network, why), addresses): ((Uuid, AddressRange, Why), BTreeMap<IpAddr, &Trace>)| {
            Some(LookAt {
                person: self.inputs.directory.people.get(&person)?.person.clone(),
                network: network.to_string(),
                seen: presence(addresses.values().copied())?,
                addresses: addresses.into_keys().collect(),
                why,
            })
        };
        places.into_iter().filter_map(look_at).collect()
    }
}
