//! What the report says of one room: who is inactive there and at what risk, and who could not be judged. Pure.

use std::collections::BTreeMap;

use ::report::words::plural;
use audit_model::{
    Attributed, Counts, Course, Finding, FindingRoom, Person, PortalText, RoomId, RoomRole, Severity, Window,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::rule::{Excluded, JudgedMember, Risk, RoomView, Standing, Unsure};

/// Name of the rule in findings.
const RULE: &str = "inactivity";

/// A room and its members, as they were judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoomReport {
    pub(crate) id: RoomId,
    pub(crate) title: PortalText,
    /// Who owns it, as the list of its members says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Person>,
    pub(crate) members: u64,
    pub(crate) active: u64,
    #[serde(skip)]
    pub(crate) active_people: Vec<Uuid>,
    /// By risk, then by who was seen the longest time ago.
    pub(crate) inactive: Vec<Inactive>,
    pub(crate) unknown: Vec<Unknown>,
    /// Joined too lately to be judged.
    pub(crate) new: Vec<New>,
    pub(crate) excluded: BTreeMap<Excluded, u64>,
}

/// Somebody who did too little in a room.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Inactive {
    pub(crate) person: Person,
    #[serde(skip)]
    pub(crate) room: RoomId,
    pub(crate) risk: Risk,
    /// The right, in words.
    pub(crate) access: String,
    /// The groups they are in the room through; empty for a right of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<PortalText>,
    pub(crate) acts: u64,
    /// In this room, in or before the period; absent when none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_activity: Option<DateTime<Utc>>,
    /// To the portal; absent when none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_sign_in: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub(crate) judged: JudgedMember,
}

/// Somebody of whom nobody can say whether they are inactive.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unknown {
    pub(crate) person: Person,
    pub(crate) why: Unsure,
    /// To the portal; absent when none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_sign_in: Option<DateTime<Utc>>,
}

/// Somebody who joined too lately to be judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct New {
    pub(crate) person: Person,
    pub(crate) joined: DateTime<Utc>,
}

impl RoomReport {
    pub(crate) fn new(room: &RoomView, judged: Vec<JudgedMember>) -> Self {
        let members = judged.len() as u64;
        let owner = judged.iter().map(|judged| &judged.member).find(|member| member.is_owner);
        let mut report = RoomReport {
            id: room.id.clone(),
            title: room.title.clone(),
            owner: owner.map(|member| member.account.person.clone()),
            members,
            active: 0,
            active_people: Vec::new(),
            inactive: Vec::new(),
            unknown: Vec::new(),
            new: Vec::new(),
            excluded: BTreeMap::new(),
        };
        for judged in judged {
            let person = judged.member.account.person.clone();
            match judged.standing {
                Standing::Active => {
                    report.active += 1;
                    report.active_people.push(person.id);
                }
                Standing::Excluded(why) => *report.excluded.entry(why).or_default() += 1,
                Standing::Unknown(why) => {
                    report.unknown.push(Unknown { person, why, last_sign_in: judged.last_sign_in });
                }
                Standing::New { joined } => report.new.push(New { person, joined }),
                Standing::Inactive => {
                    report.inactive.push(Inactive::new(person, report.id.clone(), judged));
                }
            }
        }
        report.inactive.sort_by(|a, b| a.order().cmp(&b.order()));
        report.unknown.sort_by_key(|unknown| unknown.person.id);
        report.new.sort_by_key(|new| new.person.id);
        report
    }

    /// Rooms with the greatest risk come first, then they go by title.
    pub(crate) fn order(&self) -> (bool, Option<Risk>, &PortalText, &RoomId) {
        (self.inactive.is_empty(), self.inactive.first().map(|worst| worst.risk), &self.title, &self.id)
    }

    /// The room as findings name it.
    pub(crate) fn place(&self) -> FindingRoom {
        let (id, title) = (Some(self.id.clone()), self.title.clone());
        FindingRoom { id, title, candidates: Vec::new(), attributed: Attributed::Target }
    }
}

impl Inactive {
    fn new(person: Person, room: RoomId, judged: JudgedMember) -> Self {
        let member = &judged.member;
        // a row of their own counts, whatever the groups say
        let groups = if member.is_direct { &[][..] } else { &member.groups };
        Inactive {
            risk: Risk::of(member),
            access: member.access.to_string(),
            groups: groups.iter().map(|group| group.name.clone()).collect(),
            acts: judged.acts,
            last_activity: judged.last,
            last_sign_in: judged.last_sign_in,
            person,
            room,
            judged,
        }
    }

    /// Whether they only read, and only because of a group: such people may be many.
    pub(crate) fn is_one_of_many(&self) -> bool {
        self.risk == Risk::Reader && !self.judged.member.is_direct
    }

    /// By risk, then by who was seen the longest time ago, then by name.
    fn order(&self) -> (Risk, Option<DateTime<Utc>>, &str, Uuid) {
        (self.risk, self.last_activity, self.person.name.raw(), self.person.id)
    }

    /// From the first to the last action that is known of the series, else the moment since when there could have been one: the same in
    /// every run, so that nobody is told again of what lasts.
    fn window(&self, run: Window) -> Window {
        let first = self.judged.samples.first().map(|sample| sample.at).or(self.last_activity);
        let since = first.or(self.judged.possible_since).unwrap_or(run.since).min(run.until);
        Window::new(since, self.last_activity.unwrap_or(since).max(since) + TimeDelta::seconds(1))
    }

    /// The same for the same person and room, run after run.
    pub(crate) fn fingerprint(&self, room: &RoomReport) -> String {
        fingerprint(self.person.id, &room.id)
    }

    pub(crate) fn finding(&self, room: &RoomReport, config: &Config, window: Window) -> Finding {
        let severity = match self.risk {
            Risk::GuestWhoMayChange => Severity::Medium,
            Risk::Guest | Risk::MayChange => Severity::Low,
            Risk::Reader => Severity::Info,
        };
        let acts = plural(self.acts, "action");
        let few = format!("{acts} in {}, fewer than {}", plural(config.period_days.into(), "day"), config.min_activity);
        let role = if self.judged.member.is_owner {
            RoomRole::Owner
        } else {
            RoomRole::Member { access: self.access.clone(), groups: self.groups.clone() }
        };
        let person = Person { room_role: Some(role), ..self.person.clone() };
        Finding {
            severity,
            course: Course::Condition,
            room: Some(room.place()),
            counts: Counts { acts: self.acts, documents: self.judged.documents },
            reasons: vec![few.into(), self.risk.words().into()],
            evidence: self.judged.samples.clone(),
            evidence_total: self.acts,
            ..Finding::new(RULE, self.fingerprint(room), person, self.window(window))
        }
    }
}

fn fingerprint(person: Uuid, room: &RoomId) -> String {
    audit_model::fingerprint(&[RULE, &person.to_string(), &format!("room {room}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people were told once is not told again by a later version: these fingerprints stand in stores.
    #[test]
    fn fingerprints_stay_from_version_to_version() {
        let print = |room: &str| fingerprint(Uuid::from_u128(2), &RoomId::from(room));
        assert_eq!(print("71"), "261cfd286d1b77b8");
        assert_eq!(print("sbox-7"), "5a07d5b9e5bad92d");
    }
}
