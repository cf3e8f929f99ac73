//! What the report says besides what all reports say.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use audit_model::{
    Attributed, Counts, Coverage, Finding, FindingRoom, FindingState, Person, PortalText, RoomId, RoomRole, Severity,
    Verdict as Reading, Window,
};
use chrono::{DateTime, Utc};
use job_runner::{Found, Judgement};
use serde::Serialize;
use uuid::Uuid;

use crate::activity;
use crate::config::Config;
use crate::gather::Facts;
use crate::remind::{Hold, Reminder};
use crate::rule::{Excluded, Judged, Risk, Unsure, Verdict};

/// Name of the rule in findings.
pub(crate) const RULE: &str = "inactivity";

/// What the published example prints when there is nothing to report.
pub(crate) const ALL_ACTIVE: &str = "All monitored room members were active during this period.";

/// The report of this program.
pub(crate) type Report = job_runner::Report<(), Body>;

/// The rooms, and the mails.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    /// Mails: sent, held, or in a dry run planned; by person.
    pub(crate) actions: Vec<Reminder>,
    pub(crate) terms: TermsShown,
    /// In the order of the report: rooms with the greatest risk first, then by title.
    pub(crate) rooms: Vec<RoomReport>,
    /// Rooms whose members could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unread_rooms: Vec<RoomId>,
    /// Up to when the audit trail is known back from here; what was before was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) watched_since: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub(crate) print: Option<crate::config::Form>,
    /// What mails are made from.
    #[serde(skip)]
    pub(crate) found: activity::Seen,
}

/// What was asked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TermsShown {
    pub(crate) period_days: u32,
    pub(crate) min_activity: u64,
    pub(crate) grace_days: u32,
}

/// One room.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoomReport {
    pub(crate) id: RoomId,
    pub(crate) title: PortalText,
    pub(crate) members: u64,
    pub(crate) active: u64,
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
    #[serde(skip)]
    pub(crate) judged: Judged,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unknown {
    pub(crate) person: Person,
    pub(crate) why: Unsure,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct New {
    pub(crate) person: Person,
    pub(crate) joined: DateTime<Utc>,
}

impl RoomReport {
    /// `last` tells of the time before the period.
    pub(crate) fn new(
        id: RoomId,
        title: PortalText,
        judged: Vec<Judged>,
        last: &BTreeMap<(Uuid, RoomId), DateTime<Utc>>,
    ) -> Self {
        let members = judged.len() as u64;
        let mut report = RoomReport {
            id,
            title,
            members,
            active: 0,
            inactive: Vec::new(),
            unknown: Vec::new(),
            new: Vec::new(),
            excluded: BTreeMap::new(),
        };
        for judged in judged {
            let person = judged.member.account.person.clone();
            match judged.verdict {
                Verdict::Active => report.active += 1,
                Verdict::Excluded(why) => *report.excluded.entry(why).or_default() += 1,
                Verdict::Unknown(why) => report.unknown.push(Unknown { person, why }),
                Verdict::New { joined } => report.new.push(New { person, joined }),
                Verdict::Inactive => {
                    let before = last.get(&(person.id, report.id.clone())).copied();
                    report.inactive.push(Inactive::new(person, judged, before));
                }
            }
        }
        report.inactive.sort_by_key(|inactive| (inactive.risk, inactive.last_activity, inactive.person.id));
        report.unknown.sort_by_key(|unknown| unknown.person.id);
        report.new.sort_by_key(|new| new.person.id);
        report
    }

    fn order(&self) -> (bool, Option<Risk>, &PortalText, &RoomId) {
        (self.inactive.is_empty(), self.inactive.first().map(|worst| worst.risk), &self.title, &self.id)
    }
}

impl Inactive {
    fn new(person: Person, judged: Judged, before: Option<DateTime<Utc>>) -> Self {
        let member = &judged.member;
        // a row of their own counts, whatever the groups say
        let groups = if member.is_direct { &[][..] } else { &member.groups };
        Inactive {
            risk: Risk::of(member),
            access: member.access.to_string(),
            groups: groups.iter().map(|group| group.name.clone()).collect(),
            acts: judged.acts,
            last_activity: judged.last.or(before),
            person,
            judged,
        }
    }

    fn finding(&self, room: &RoomReport, config: &Config, window: Window) -> Finding {
        let severity = match self.risk {
            Risk::GuestWhoMayChange => Severity::Medium,
            Risk::Guest | Risk::MayChange => Severity::Low,
            Risk::Reader => Severity::Info,
        };
        let acts = plural(self.acts, "action");
        let few = format!("{acts} in {}, fewer than {}", plural(config.period_days.into(), "day"), config.min_activity);
        let role = match self.judged.member.is_owner {
            true => RoomRole::Owner,
            false => RoomRole::Member { access: self.access.clone(), groups: self.groups.clone() },
        };
        let id = room.id.clone();
        let title = room.title.clone();
        Finding {
            rule: RULE.to_owned(),
            severity,
            state: FindingState::New,
            fingerprint: fingerprint(self.person.id, &room.id),
            person: Person { room_role: Some(role), ..self.person.clone() },
            room: Some(FindingRoom { id: Some(id), candidates: Vec::new(), title, attributed: Attributed::Target }),
            counts: Counts { acts: self.acts, documents: self.judged.documents },
            window,
            reasons: vec![few, self.risk.words().to_owned()],
            evidence: self.judged.samples.clone(),
            evidence_total: self.acts,
        }
    }
}

/// Who is inactive where, in the order of the report.
pub(crate) fn judge(config: &Config, facts: Facts) -> Judgement<(), Body> {
    let Facts { window, notes, found, judged, watched_since, last } = facts;
    let report = |(id, judged): (RoomId, Vec<Judged>)| {
        let title = found.rooms.get(&id).map(|room| room.title.clone()).unwrap_or_default();
        RoomReport::new(id, title, judged, &last)
    };
    let mut rooms: Vec<RoomReport> = judged.into_iter().map(report).collect();
    rooms.sort_by(|a, b| a.order().cmp(&b.order()));
    let of_room = |room: &RoomReport| {
        let finding = |inactive: &Inactive| inactive.finding(room, config, window);
        room.inactive.iter().map(finding).collect::<Vec<_>>()
    };
    let mut findings: Vec<Finding> = rooms.iter().flat_map(of_room).collect();
    Finding::sort(&mut findings);
    let unread_rooms = found.unread.clone();
    let body = Body { rooms, unread_rooms, watched_since, found, ..Body::unseen(config) };
    Judgement { findings: findings.into_iter().map(Found::from).collect(), body, notes }
}

impl Body {
    /// Of a run that could not look.
    pub(crate) fn unseen(config: &Config) -> Self {
        let Config { period_days, min_activity, grace_days, .. } = *config;
        Body {
            actions: Vec::new(),
            terms: TermsShown { period_days, min_activity, grace_days },
            rooms: Vec::new(),
            unread_rooms: Vec::new(),
            watched_since: None,
            print: config.manager.print,
            found: activity::Seen::default(),
        }
    }

    /// Whether nobody was written to before somebody has looked: too many people were due at once, or whom to spare is not clear.
    pub(crate) fn is_held(&self) -> bool {
        self.actions.iter().any(|action| matches!(action.held, Some(Hold::TooMany { .. } | Hold::Unclear)))
    }

    pub(crate) fn inactive(&self) -> u64 {
        self.rooms.iter().map(|room| room.inactive.len() as u64).sum()
    }

    pub(crate) fn unknown(&self) -> u64 {
        self.rooms.iter().map(|room| room.unknown.len() as u64).sum()
    }

    pub(crate) fn active(&self) -> u64 {
        self.rooms.iter().map(|room| room.active).sum()
    }

    /// Distinct people who are inactive somewhere.
    pub(crate) fn people(&self) -> u64 {
        let ids = self.rooms.iter().flat_map(|room| &room.inactive).map(|inactive| inactive.person.id);
        ids.collect::<BTreeSet<_>>().len() as u64
    }

    /// Whether every member who was judged was seen to be active, and everything was read.
    pub(crate) fn all_active(&self, coverage: &Coverage) -> bool {
        let nothing_open = self.inactive() == 0 && self.unknown() == 0;
        nothing_open && self.active() > 0 && coverage.verdict() == Reading::Complete
    }
}

/// The same for the same person and room, run after run.
pub(crate) fn fingerprint(person: Uuid, room: &RoomId) -> String {
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
