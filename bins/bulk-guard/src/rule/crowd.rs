//! Many people who do the same at the same time are one event: a sync client, a migration, or something that befalls all of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use attribution::Distinct;
use audit_model::{Counts, MAX_EVIDENCE, Person, PortalText, Window};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::rule::Assessed;
use crate::rule::extent::{ShownRoom, in_order};
use crate::rule::incident::{RULE, Who};
use crate::rule::kind::{DOCUMENT, Kind};

/// With fewer people each of them is told.
const LEAST_PEOPLE: usize = 5;

/// So near each other things are one event.
const NEAR: TimeDelta = TimeDelta::minutes(10);

/// A finding to be told: of one person, one room, or of a crowd.
pub(crate) enum Told {
    One(Box<Assessed>),
    /// The same by at least five people.
    Crowd(Crowd),
}

/// People who did the same at the same time.
pub(crate) struct Crowd {
    pub(crate) kind: Option<Kind>,
    pub(crate) members: Vec<Assessed>,
    pub(crate) window: Window,
}

impl Crowd {
    pub(crate) fn fingerprint(&self) -> String {
        audit_model::fingerprint(&[RULE, "crowd", self.kind.map_or("changed", Kind::participle)])
    }

    pub(crate) fn person(&self) -> Person {
        Person::named(Uuid::nil(), format!("{} people", self.many(|_| true)).as_str().into())
    }

    /// How many people have an incident of this sort.
    pub(super) fn many(&self, which: impl Fn(&Assessed) -> bool) -> usize {
        let members = self.members.iter().filter(|member| which(member));
        members.map(|member| member.incident.finding.person.id).collect::<BTreeSet<Uuid>>().len()
    }

    /// Everybody, each once, with the number of documents, the busiest first.
    pub(crate) fn people(&self) -> Vec<(&Person, u64)> {
        let mut people: BTreeMap<Uuid, (&Person, Distinct<Kind>)> = BTreeMap::new();
        for member in &self.members {
            let person = &member.incident.finding.person;
            member.extent.add_to(&mut people.entry(person.id).or_insert_with(|| (person, Distinct::default())).1);
        }
        let mut people: Vec<_> = people.into_values().map(|(person, documents)| (person, documents.count())).collect();
        people.sort_by_key(|(person, documents)| (std::cmp::Reverse(*documents), person.id));
        people
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut documents = Distinct::default();
        self.members.iter().for_each(|member| member.extent.add_to(&mut documents));
        let acts = self.members.iter().map(|member| member.incident.finding.counts.acts).sum();
        Counts { acts, documents: documents.count() }
    }

    /// What is counted, in the singular.
    pub(crate) fn counted(&self) -> &'static str {
        self.kind.map_or(DOCUMENT, Kind::counted)
    }

    /// The rooms, the fullest first.
    pub(crate) fn rooms(&self) -> Vec<ShownRoom> {
        let mut rooms: BTreeMap<PortalText, u64> = BTreeMap::new();
        for room in self.members.iter().flat_map(|member| member.extent.rooms()) {
            *rooms.entry(room.title).or_default() += room.documents;
        }
        let rooms = rooms.into_iter().map(|(title, documents)| ShownRoom { title, documents });
        in_order(rooms.collect())
    }

    /// Some rows of each of the first people.
    pub(crate) fn evidence(&self) -> Vec<audit_model::Evidence> {
        let first = self.members.iter().filter_map(|member| member.incident.finding.evidence.first().cloned());
        let mut evidence: Vec<_> = first.take(MAX_EVIDENCE).collect();
        evidence.sort_by_key(|one| (one.at, one.event));
        evidence
    }
}

/// Puts together who did the same at the same time, in the order in which they come.
pub(crate) fn gathered(incidents: Vec<Assessed>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut crowds: Vec<Crowd> = Vec::new();
    for one in incidents {
        if !matches!(one.incident.who, Who::Person(_)) || one.incident.exceeded.is_empty() {
            told.push(Told::One(Box::new(one)));
            continue;
        }
        let kind = main_kind(&one);
        let own = one.incident.finding.window;
        let near = |crowd: &&mut Crowd| {
            crowd.kind == kind && own.since < crowd.window.until + NEAR && crowd.window.since < own.until + NEAR
        };
        match crowds.iter_mut().find(near) {
            Some(crowd) => {
                crowd.window = Window::new(crowd.window.since.min(own.since), crowd.window.until.max(own.until));
                crowd.members.push(one);
            }
            None => crowds.push(Crowd { kind, members: vec![one], window: own }),
        }
    }
    for crowd in crowds {
        if crowd.many(|_| true) >= LEAST_PEOPLE {
            told.push(Told::Crowd(crowd));
        } else {
            told.extend(crowd.members.into_iter().map(|member| Told::One(Box::new(member))));
        }
    }
    told
}

/// What most of it was; `None` where it was of all kinds.
fn main_kind(one: &Assessed) -> Option<Kind> {
    let of_kind = one.incident.exceeded.iter().filter(|exceeded| exceeded.kind.is_some());
    of_kind.max_by_key(|exceeded| exceeded.documents).and_then(|exceeded| exceeded.kind)
}
