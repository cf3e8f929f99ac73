//! Rules of what is left of the sightings: shared places first, then each person's own. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ::report::words::plural;
use audit_model::{AddressRange, Person, PersonStatus, Window};
use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::names::Names;
use super::sightings::{Sightings, Trace, Traces, day, presence};
use super::{
    Counted, DAYS, Doubt, ENOUGH_PEOPLE, EXPIRES_AFTER_DAYS, Inputs, Presence, ROAMING, Robot, SHARED_DAYS,
    SHARED_PEOPLE, SuggestedEntry, SuggestedRule, Suggestion, places, suspect,
};
use crate::policy::import::{LONGEST_LABEL, ROOM_FOR_NUMBERS, free_label};
use crate::rule::found::counted;
use crate::rule::is_service_account;

pub(super) fn make(inputs: &Inputs<'_>, sightings: &Sightings, window: Window) -> Suggestion {
    let traces = Traces::of(inputs, sightings, window.until);
    let logins = sightings.logins_before(window.until);
    let guessed = suspect::guessed(inputs, logins);
    let in_doubt = |trusted: &BTreeSet<IpAddr>| suspect::doubts(inputs, (logins, &traces), &guessed, trusted);
    // in a place that enough others share without a doubt, wrong passwords are those of colleagues
    let trusted = shared(&traces, &in_doubt(&BTreeSet::new())).into_keys().collect();
    let doubts = in_doubt(&trusted);
    let proxy = proxy(&traces);
    let mut seen = Seen::new(inputs, &traces, doubts);
    let today = day(window.until, inputs.zone);
    let rules = if proxy.is_some() { Vec::new() } else { seen.rules(today) };
    Suggestion {
        seen: window,
        proxy,
        rules,
        not_proposed: seen.not_proposed(),
        people: if proxy.is_some() { Vec::new() } else { seen.not_suggested() },
        robots: robots(inputs, &traces),
        left_out: traces
            .left_out
            .iter()
            .map(|(why, (logins, acts))| Counted { why: *why, logins: *logins, acts: *acts })
            .collect(),
    }
}

/// The one address that everybody came from.
fn proxy(traces: &Traces) -> Option<IpAddr> {
    let people: BTreeSet<Uuid> = traces.of.keys().map(|(person, _)| *person).collect();
    let (_, only) = traces.of.keys().next()?;
    let is_only = traces.of.keys().all(|(_, ip)| ip == only);
    (is_only && people.len() >= ENOUGH_PEOPLE).then_some(*only)
}

/// The addresses that enough people share, with who they are: whoever came on one day only is a guest there.
fn shared(traces: &Traces, doubts: &Doubt) -> BTreeMap<IpAddr, BTreeSet<Uuid>> {
    let mut users: BTreeMap<IpAddr, (BTreeSet<Uuid>, BTreeSet<NaiveDate>)> = BTreeMap::new();
    for (key @ (person, ip), trace) in traces.of.iter().filter(|(_, trace)| trace.days().nth(1).is_some()) {
        if !doubts.contains_key(key) {
            let (people, days) = users.entry(*ip).or_default();
            people.insert(*person);
            days.extend(trace.days());
        }
    }
    let is_shared = |people: &BTreeSet<Uuid>, days: &BTreeSet<NaiveDate>| {
        people.len() >= SHARED_PEOPLE && days.len() >= SHARED_DAYS
    };
    users
        .into_iter()
        .filter(|(_, (people, days))| is_shared(people, days))
        .map(|(ip, (people, _))| (ip, people))
        .collect()
}

fn robots(inputs: &Inputs<'_>, traces: &Traces) -> Vec<Robot> {
    let robot = |(id, addresses): (&Uuid, &BTreeSet<IpAddr>)| {
        let person = inputs.directory.people.get(id)?.person.clone();
        Some(Robot { person, addresses: addresses.iter().copied().collect() })
    };
    traces.robots.iter().filter_map(robot).collect()
}

/// What was seen, and what has become of it.
pub(super) struct Seen<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) traces: &'a Traces,
    pub(super) doubts: Doubt,
    shared: BTreeMap<IpAddr, BTreeSet<Uuid>>,
    /// Person and address that some rule holds.
    pub(super) used: BTreeSet<(Uuid, IpAddr)>,
    labels: BTreeSet<String>,
    names: Names<'a>,
}

impl<'a> Seen<'a> {
    fn new(inputs: &'a Inputs<'a>, traces: &'a Traces, doubts: Doubt) -> Self {
        let shared = shared(traces, &doubts);
        Seen {
            inputs,
            traces,
            doubts,
            shared,
            used: BTreeSet::new(),
            labels: BTreeSet::new(),
            names: Names::of(inputs.directory),
        }
    }

    fn rules(&mut self, today: NaiveDate) -> Vec<SuggestedRule> {
        let mut rules = self.shared_rules();
        rules.extend(self.people().into_iter().filter_map(|person| self.own_rule(person, today)).collect::<Vec<_>>());
        rules
    }

    /// Active people, robots left out, of whom something may be said.
    pub(super) fn people(&self) -> Vec<&'a Person> {
        let inputs = self.inputs;
        let is_meant = |id: &Uuid| inputs.only.is_none_or(|only| only.contains(id)) && is_human(inputs, *id);
        inputs.directory.people.iter().filter(|(id, _)| is_meant(id)).map(|(_, account)| &account.person).collect()
    }

    /// The addresses of one person that nothing speaks against.
    fn own(&self, person: Uuid) -> impl Iterator<Item = (IpAddr, &'a Trace)> {
        let (traces, doubts) = (self.traces, &self.doubts);
        let own = traces.of.range((person, IpAddr::V4(Ipv4Addr::UNSPECIFIED))..);
        let own = own.take_while(move |((who, _), _)| *who == person);
        own.filter(|(key, _)| !doubts.contains_key(key)).map(|((_, ip), trace)| (*ip, trace))
    }

    pub(super) fn networks(&self, person: Uuid) -> usize {
        let networks: BTreeSet<AddressRange> =
            self.own(person).map(|(ip, _)| AddressRange::neighbourhood(ip)).collect();
        networks.len()
    }

    pub(super) fn days(&self, person: Uuid) -> usize {
        presence(self.own(person).map(|(_, trace)| trace)).map_or(0, |seen| seen.days)
    }

    /// Whether somebody has been seen for long enough, and does not roam.
    fn has_habits(&self, person: Uuid) -> bool {
        self.networks(person) < ROAMING && self.days(person) >= DAYS
    }

    fn shared_rules(&mut self) -> Vec<SuggestedRule> {
        let addresses: BTreeSet<IpAddr> = self.shared.keys().copied().collect();
        let others: BTreeSet<IpAddr> = self.traces.noted.difference(&addresses).copied().collect();
        let meant: BTreeSet<Uuid> = self.people().iter().map(|person| person.id).collect();
        let mut by_members: BTreeMap<BTreeSet<Uuid>, Vec<AddressRange>> = BTreeMap::new();
        for place in places::joined(&addresses, &others) {
            let users = self.shared.iter().filter(|(ip, _)| place.contains(**ip)).flat_map(|(_, people)| people);
            let has_habits = |person: &Uuid| meant.contains(person) && self.has_habits(*person);
            let members: BTreeSet<Uuid> = users.copied().filter(has_habits).collect();
            if !members.is_empty() {
                by_members.entry(members).or_default().push(place);
            }
        }
        let mut rules: Vec<(BTreeSet<Uuid>, Vec<AddressRange>)> = by_members.into_iter().collect();
        rules.sort_by_key(|(members, places)| (std::cmp::Reverse(members.len()), places.first().copied()));
        rules.into_iter().map(|(members, places)| self.shared_rule(members, &places)).collect()
    }

    fn shared_rule(&mut self, members: BTreeSet<Uuid>, places: &[AddressRange]) -> SuggestedRule {
        let allow: Vec<SuggestedEntry> = places.iter().filter_map(|place| self.entry(*place, &members)).collect();
        let (groups, left) = self.groups(&members);
        let first = places.first().map(ToString::to_string).unwrap_or_default();
        SuggestedRule {
            label: self.label(&format!("shared: {first}")),
            people: left.into_iter().map(|person| self.names.person(person)).collect(),
            groups,
            reason: self.reason(&members, places),
            allow,
            expires: None,
            members,
        }
    }

    /// Groups all of whose people are among these, largest first, and who is in none of them.
    fn groups(&self, members: &BTreeSet<Uuid>) -> (Vec<String>, BTreeSet<Uuid>) {
        let directory = self.inputs.directory;
        let mut left = members.clone();
        let mut fitting: Vec<_> = directory
            .groups
            .iter()
            .filter_map(|group| {
                let all: BTreeSet<Uuid> = directory
                    .members
                    .get(&group.id)?
                    .iter()
                    .copied()
                    .filter(|id| is_active(self.inputs, *id))
                    .collect();
                (all.len() > 1 && all.is_subset(members)).then_some((group, all))
            })
            .collect();
        fitting.sort_by_key(|(group, all)| (std::cmp::Reverse(all.len()), group.id));
        let mut names = Vec::new();
        for (group, all) in fitting {
            if all.iter().any(|person| left.contains(person)) {
                names.push(self.names.group(group));
                left.retain(|person| !all.contains(person));
            }
        }
        (names, left)
    }

    fn own_rule(&mut self, person: &Person, today: NaiveDate) -> Option<SuggestedRule> {
        if !self.has_habits(person.id) {
            return None;
        }
        let is_habit = |(ip, trace): &(IpAddr, &Trace)| trace.days().count() >= DAYS && !self.shared.contains_key(ip);
        let own: BTreeSet<IpAddr> = self.own(person.id).filter(is_habit).map(|(ip, _)| ip).collect();
        let places: Vec<AddressRange> = own.iter().filter_map(|ip| AddressRange::new(*ip, *ip).ok()).collect();
        let members = BTreeSet::from([person.id]);
        let allow: Vec<SuggestedEntry> = places.iter().filter_map(|place| self.entry(*place, &members)).collect();
        if allow.is_empty() {
            return None;
        }
        Some(SuggestedRule {
            label: self.label(&person.name.for_terminal()),
            people: vec![self.names.person(person.id)],
            groups: Vec::new(),
            reason: self.reason(&members, &places),
            allow,
            expires: today.checked_add_days(Days::new(EXPIRES_AFTER_DAYS)),
            members,
        })
    }

    /// The sightings of these people in a place.
    fn there(&self, place: AddressRange, members: &BTreeSet<Uuid>) -> Vec<((Uuid, IpAddr), &'a Trace)> {
        let own = |person: &Uuid| {
            let person = *person;
            self.own(person).filter(|(ip, _)| place.contains(*ip)).map(move |(ip, trace)| ((person, ip), trace))
        };
        members.iter().flat_map(own).collect()
    }

    fn entry(&mut self, place: AddressRange, members: &BTreeSet<Uuid>) -> Option<SuggestedEntry> {
        let there = self.there(place, members);
        let seen = presence(there.iter().map(|(_, trace)| *trace))?;
        let all = presence(members.iter().flat_map(|person| self.own(*person)).map(|(_, trace)| trace))?;
        self.used.extend(there.iter().map(|(key, _)| *key));
        let (part, whole) = if all.logins > 0 { (seen.logins, all.logins) } else { (seen.acts, all.acts) };
        Some(SuggestedEntry {
            entry: place,
            people: there.iter().map(|((person, _), _)| person).collect::<BTreeSet<_>>().len(),
            addresses: there.iter().map(|((_, ip), _)| ip).collect::<BTreeSet<_>>().len(),
            seen,
            share_percent: (part * 100).checked_div(whole).unwrap_or_default(),
        })
    }

    fn reason(&self, members: &BTreeSet<Uuid>, places: &[AddressRange]) -> String {
        let there = places.iter().flat_map(|place| self.there(*place, members)).map(|(_, trace)| trace);
        let Some(Presence { days, logins, acts, .. }) = presence(there) else { return String::new() };
        let of = if members.len() > 1 { format!(" of {}", people(members.len())) } else { String::new() };
        format!("suggested from {}{of} on {}", counted(logins, acts), plural(days as u64, "day"))
    }

    fn label(&mut self, wanted: &str) -> String {
        let mut wanted: String = wanted.chars().take(LONGEST_LABEL - ROOM_FOR_NUMBERS).collect();
        if wanted.trim().is_empty() {
            wanted = "no name".to_owned();
        }
        let taken: BTreeSet<&str> = self.labels.iter().map(String::as_str).collect();
        let mut used = usize::from(taken.contains(wanted.as_str()));
        let label = free_label(&wanted, &taken, &mut used);
        self.labels.insert(label.clone());
        label
    }
}

/// Whether somebody is to be let in at all.
pub(super) fn is_active(inputs: &Inputs<'_>, person: Uuid) -> bool {
    let account = inputs.directory.people.get(&person);
    account.is_some_and(|account| account.person.status != Some(PersonStatus::Disabled))
}

/// The same without robots.
pub(super) fn is_human(inputs: &Inputs<'_>, person: Uuid) -> bool {
    let is_robot =
        audit_model::is_robot(person) || is_service_account(inputs.directory, person, inputs.service_accounts);
    is_active(inputs, person) && !is_robot
}

/// `3 people`
pub(super) fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}
