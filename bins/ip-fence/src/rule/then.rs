//! What people were when they did something: in which groups, of which kind, disabled or not. The portal tells only what is so today. That
//! it was changed stands in the audit trail; what it was before, in what earlier runs saw. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::report::words::{Clock, german};
use audit_model::{ActionId, PortalRole, PortalText, Sentence, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Directory;
use event_archive::SeenMembers;
use uuid::Uuid;

use super::found::Kind;
use super::sighting::{Sighting, Source};
use crate::policy::Policy;

const GROUP_DELETED: ActionId = ActionId(4028);

/// Runs look by this machine's clock, and the trail is dated by the portal's.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// What earlier runs saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Who was in the groups of the policy.
    pub(crate) members: BTreeMap<Uuid, Vec<SeenMembers>>,
    /// Who was the owner or a DocSpace admin.
    pub(crate) admins: Vec<SeenMembers>,
    /// Whose account was disabled.
    pub(crate) disabled: Vec<SeenMembers>,
}

/// What the audit trail says of people from the first row that is judged up to today.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    pub(crate) since: DateTime<Utc>,
    /// By time.
    pub(crate) changes: Vec<Sighting>,
    /// What of it is not known.
    pub(crate) unread: Vec<Window>,
}

/// Whether an event may change what people are.
pub(crate) fn is_change(event: &Sighting) -> bool {
    let kinds = [
        ActionId::USERS_UPDATED_STATUS,
        ActionId::USERS_UPDATED_TYPE,
        ActionId::GROUP_UPDATED,
        GROUP_DELETED,
        ActionId::USER_DELETED,
        ActionId::USERS_DELETED,
    ];
    event.source == Source::Audit && kinds.contains(&event.action)
}

/// The times between two changes, as far as they are not like today.
#[derive(Clone, Debug, Default)]
pub(crate) struct Then {
    /// Oldest first; after the last one everything is as it is today.
    eras: Vec<Era>,
    /// When each account was last switched on or off.
    switched: BTreeMap<Uuid, DateTime<Utc>>,
    /// Whose account runs saw disabled, oldest first.
    disabled: Vec<SeenMembers>,
    /// Up to when the trail has holes.
    unread_until: Option<DateTime<Utc>>,
}

/// What the trail says of one account's being disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    AsToday,
    /// Nothing says that it was otherwise, and nothing says since when it is so.
    NoBeginning,
    /// It was switched on or off since.
    Switched,
    /// Nobody knows.
    Unread,
}

/// A time in which groups and kinds of accounts were others than today.
#[derive(Clone, Debug)]
pub(crate) struct Era {
    /// The change that ended it.
    until: DateTime<Utc>,
    policy: Arc<Policy>,
    directory: Arc<Directory>,
    unknown: Unknown,
}

/// What nobody saw as it was then; it is taken to be as it was later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unknown {
    /// Groups, with when they were changed after that time.
    groups: BTreeMap<Uuid, DateTime<Utc>>,
    /// People whose kind of account was changed.
    kinds: BTreeMap<Uuid, DateTime<Utc>>,
    /// The trail has a hole, so anything may have been changed.
    anything: bool,
}

/// Something that ends an era.
struct Break {
    /// A hole in the trail is longer than a moment.
    span: (DateTime<Utc>, DateTime<Utc>),
    groups: BTreeSet<Uuid>,
    kinds: BTreeSet<Uuid>,
    is_hole: bool,
}

impl Then {
    /// `today`: the policy, and the people and groups that it was applied to.
    pub(crate) fn new(today: (&Policy, &Directory), memory: &Memory, trail: &Trail) -> Self {
        let of_status = trail.changes.iter().filter(|change| change.action == ActionId::USERS_UPDATED_STATUS);
        let switched = of_status.flat_map(|change| ids(change).map(|person| (person, change.at))).collect();
        let unread_until = trail.unread.iter().map(|hole| hole.until).max();
        let disabled = memory.disabled.clone();
        Then { eras: eras(today, memory, trail), switched, disabled, unread_until }
    }

    /// The era of a moment; `None` when everything was as it is today.
    pub(crate) fn at(&self, at: DateTime<Utc>) -> Option<&Era> {
        self.eras.get(self.eras.partition_point(|era| era.until <= at))
    }

    /// Whether an account that is disabled today was so at that time.
    pub(crate) fn status(&self, person: Uuid, at: DateTime<Utc>) -> Status {
        let switched = self.switched.get(&person);
        if switched.is_some_and(|last| at < *last) {
            return Status::Switched;
        }
        if self.unread_until.is_some_and(|until| at < until) {
            return Status::Unread;
        }
        let looks = self.disabled.iter().rev().take_while(|seen| seen.members.contains(&person));
        let (count, first) = looks.fold((0, None), |(count, _), seen| (count + 1, Some(seen.first)));
        if switched.is_some() || first.is_some_and(|first| first + CLOCKS_DIFFER <= at) {
            Status::AsToday
        } else if count < self.disabled.len() {
            // a look saw the account active, and the event that disabled it has not come yet
            Status::Unread
        } else {
            Status::NoBeginning
        }
    }
}

/// What is taken to have been so at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    members: BTreeMap<Uuid, Vec<Uuid>>,
    admins: BTreeSet<Uuid>,
    unknown: Unknown,
}

/// From the last change back: before each, what it changed is as somebody saw it, or else not known.
fn eras((policy, directory): (&Policy, &Directory), memory: &Memory, trail: &Trail) -> Vec<Era> {
    let groups: BTreeSet<Uuid> = policy.names.groups.values().copied().collect();
    let mut breaks = breaks(&groups, trail);
    breaks.extend(untold(&groups, memory, &breaks, trail.since));
    breaks.sort_by_key(|one| (one.span.1, one.span.0));
    let admins = directory.people.keys().copied().filter(|person| directory.is_admin(*person)).collect();
    let mut state = State { members: directory.members.clone(), admins, unknown: Unknown::default() };
    let mut eras: Vec<Era> = Vec::new();
    for (at, change) in breaks.iter().enumerate().rev() {
        let later = state.clone();
        state.before(change, memory, |concerns| {
            let last = breaks[..at].iter().rev().find(|earlier| concerns(earlier));
            let since = last.map_or(trail.since, |last| last.span.1 + CLOCKS_DIFFER);
            (since, change.span.0 - CLOCKS_DIFFER)
        });
        if state == later {
            continue;
        }
        let is_alike = (&state.members, &state.admins) == (&later.members, &later.admins);
        let (policy, directory) = match eras.last() {
            Some(era) if is_alike => (Arc::clone(&era.policy), Arc::clone(&era.directory)),
            _ => {
                let own = state.directory(directory);
                (Arc::new(policy.among(&own)), Arc::new(own))
            }
        };
        eras.push(Era { until: change.span.1, policy, directory, unknown: state.unknown.clone() });
    }
    eras.reverse();
    eras
}

/// A time in which something was not changed: since when, and until when.
type Unchanged = (DateTime<Utc>, DateTime<Utc>);

impl State {
    /// Goes back over a change. `unchanged` says how long before it nothing was changed that concerns the same.
    fn before(&mut self, change: &Break, memory: &Memory, unchanged: impl Fn(&dyn Fn(&Break) -> bool) -> Unchanged) {
        for group in &change.groups {
            let seen = memory.members.get(group).map_or(&[][..], Vec::as_slice);
            if let Some(members) = seen_within(seen, unchanged(&|earlier| earlier.groups.contains(group))) {
                self.members.insert(*group, members.iter().copied().collect());
                self.unknown.groups.remove(group);
            } else if change.is_hole {
                self.unknown.anything = true;
            } else {
                self.unknown.groups.insert(*group, change.span.0);
            }
        }
        for person in &change.kinds {
            let time = unchanged(&|earlier| earlier.kinds.contains(person) || earlier.is_hole);
            if let Some(admins) = seen_within(&memory.admins, time) {
                let is_other = admins.contains(person) != self.admins.contains(person);
                if is_other && !self.admins.remove(person) {
                    self.admins.insert(*person);
                }
                self.unknown.kinds.remove(person);
            } else {
                self.unknown.kinds.insert(*person, change.span.0);
            }
        }
        if change.is_hole {
            match seen_within(&memory.admins, unchanged(&|earlier| !earlier.kinds.is_empty() || earlier.is_hole)) {
                Some(admins) => self.admins.clone_from(admins),
                None => self.unknown.anything = true,
            }
        }
    }

    fn directory(&self, today: &Directory) -> Directory {
        let mut own = Directory { members: self.members.clone(), ..today.clone() };
        for (id, account) in &mut own.people {
            let (was, is) = (self.admins.contains(id), today.is_admin(*id));
            if was != is {
                account.person.role = Some(if was { PortalRole::DocspaceAdmin } else { PortalRole::User });
            }
        }
        own
    }
}

/// What the trail tells, in no order.
fn breaks(groups: &BTreeSet<Uuid>, trail: &Trail) -> Vec<Break> {
    let mut breaks: Vec<Break> = Vec::new();
    for change in &trail.changes {
        let named: BTreeSet<Uuid> = ids(change).collect();
        let (own, kinds) = match change.action {
            ActionId::GROUP_UPDATED | GROUP_DELETED => {
                (groups.intersection(&named).copied().collect(), BTreeSet::new())
            }
            // whoever is deleted leaves all groups without an event
            ActionId::USER_DELETED | ActionId::USERS_DELETED => (groups.clone(), BTreeSet::new()),
            ActionId::USERS_UPDATED_TYPE => (BTreeSet::new(), named),
            _ => continue,
        };
        if !own.is_empty() || !kinds.is_empty() {
            breaks.push(Break { span: (change.at, change.at), groups: own, kinds, is_hole: false });
        }
    }
    breaks.extend(trail.unread.iter().map(|hole| Break {
        span: (hole.since, hole.until),
        groups: groups.clone(),
        kinds: BTreeSet::new(),
        is_hole: true,
    }));
    breaks
}

/// What runs saw change and no event tells, or none that was there when the trail was read: up to the last look before it everything was as
/// that look saw it.
fn untold(groups: &BTreeSet<Uuid>, memory: &Memory, told: &[Break], since: DateTime<Utc>) -> Vec<Break> {
    let mut untold = Vec::new();
    let mut changed = |seen: &[SeenMembers], concerns: &dyn Fn(&Break) -> bool, group: Option<Uuid>| {
        for pair in seen.windows(2) {
            let until = pair[0].last.max(pair[0].first);
            let (from, to) = (until - CLOCKS_DIFFER, pair[1].last + CLOCKS_DIFFER);
            let is_told = told.iter().filter(|one| concerns(one)).any(|one| from <= one.span.1 && one.span.0 <= to);
            if until > since && !is_told {
                let kinds = pair[0].members.symmetric_difference(&pair[1].members).copied();
                untold.push(Break {
                    span: (until + CLOCKS_DIFFER, until),
                    kinds: kinds.filter(|_| group.is_none()).collect(),
                    groups: group.into_iter().collect(),
                    is_hole: false,
                });
            }
        }
    };
    for group in groups {
        let seen = memory.members.get(group).map_or(&[][..], Vec::as_slice);
        changed(seen, &|one| one.groups.contains(group), Some(*group));
    }
    changed(&memory.admins, &|one| !one.kinds.is_empty() || one.is_hole, None);
    untold
}

/// Whom a look saw in that time, in which nobody changed it.
fn seen_within(seen: &[SeenMembers], (since, until): (DateTime<Utc>, DateTime<Utc>)) -> Option<&BTreeSet<Uuid>> {
    let own = seen.iter().rev().find(|seen| seen.first <= until && seen.last >= since);
    own.map(|seen| &seen.members)
}

/// Whom an event is about.
fn ids(event: &Sighting) -> impl Iterator<Item = Uuid> {
    event.targets.iter().filter_map(|target| Uuid::parse_str(target).ok())
}

impl Era {
    /// As it applied to the people of that time.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn is_admin(&self, person: Uuid) -> bool {
        self.directory.is_admin(person)
    }

    /// Whether it is known who was in the groups of the policy, those included who have left since.
    pub(crate) fn knows_members(&self) -> bool {
        self.unknown.groups.is_empty() && !self.unknown.anything
    }

    /// What a reader must know of a finding of that time, each a sentence.
    pub(crate) fn doubts(&self, person: Uuid, kind: Kind, clock: Clock) -> Vec<Sentence> {
        let mut doubts = Vec::new();
        if matches!(kind, Kind::NotAllowed | Kind::Unnamed) {
            doubts.extend(self.unknown.groups.iter().map(|(group, at)| {
                let (name, [at, at_de]) = (self.called(*group), moments(*at, clock));
                Sentence::new(
                    format!("the group \"{name}\" was changed afterwards, at {at}; who was in it before is not known"),
                    format!(
                        "die Gruppe „{name}“ wurde danach geändert, am {at_de}; wer vorher darin war, ist nicht bekannt"
                    ),
                )
            }));
        }
        if let Some(at) = self.unknown.kinds.get(&person).filter(|_| kind == Kind::NotAllowed) {
            let [at, at_de] = moments(*at, clock);
            doubts.push(Sentence::new(
                format!("the kind of account was changed afterwards, at {at}; it is judged as what it became then"),
                format!(
                    "die Art des Kontos wurde danach geändert, am {at_de}; beurteilt wird es als das, was es dann wurde"
                ),
            ));
        }
        doubts
    }

    /// What a reader must know of everybody who was judged in that time, each a sentence: what the groups of later allow may not have been
    /// allowed.
    pub(crate) fn notes(&self, clock: Clock) -> Vec<String> {
        if self.unknown.anything && self.policy.goes_by_groups() {
            return vec!["people are judged by the groups and kinds of accounts of today; whether these were changed since is not known, because the audit trail up to today could not be read whole".to_owned()];
        }
        let note = |(group, at): (&Uuid, &DateTime<Utc>)| {
            format!(
                "the group \"{}\" was changed at {}: what people did before is judged by who was in it afterwards",
                self.called(*group),
                moment(*at, clock)
            )
        };
        self.unknown.groups.iter().map(note).collect()
    }

    fn called(&self, group: Uuid) -> String {
        let name = self.policy.names.groups.iter().find(|(_, id)| **id == group).map(|(name, _)| name.as_str());
        PortalText::new(name.unwrap_or_default()).for_terminal()
    }
}

/// `2026-11-20 08:59 (Europe/Berlin)`: an alert has no other place for the zone.
pub(crate) fn moment(at: DateTime<Utc>, clock: Clock) -> String {
    format!("{} ({})", clock.minute(at), clock.0)
}

/// The same in both languages.
fn moments(at: DateTime<Utc>, clock: Clock) -> [String; 2] {
    [moment(at, clock), format!("{} ({})", german::minute(clock, at), clock.0)]
}
