//! The rule `inactivity`: who of a room's members has done too little there. Pure; the order of events does not matter.
//!
//! A member of forty days who has opened nothing for thirty is inactive. Suspicious, but not: somebody who joined last week, or whose
//! acts may have been in a room of the same title.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{
    ActClass, AuditEvent, BlindSpot, Evidence, GUEST_ACCOUNT, PersonStatus, PortalText, RoomId, is_robot,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use docspace_client::{Access, Member};
use uuid::Uuid;

use standing::may_change;
pub(crate) use standing::{Excluded, Risk, Standing, Unsure};

/// The usual period.
pub(crate) const WINDOW: TimeDelta = TimeDelta::days(30);

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions];

/// Evidence that is kept per person and room: what shows that somebody was there.
const SAMPLES: usize = 3;

/// Acts of a person in a room are counted up to here: more than any sensible `min_activity`, and memory stays small.
pub(crate) const MOST_ACTS: usize = 1000;

/// What the rule goes by.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Fewer acts are inactive. At least 1.
    pub(crate) min_activity: u64,
    /// Who joined less than this ago is not judged.
    pub(crate) grace: TimeDelta,
    pub(crate) with_owner: bool,
    pub(crate) with_managers: bool,
    /// Ids and e-mail addresses in lower case.
    pub(crate) robots: Vec<String>,
    pub(crate) listed: Vec<String>,
    /// Whose key this program uses: its own acts must not pass for the person's.
    pub(crate) own: Option<Uuid>,
    pub(crate) period_begins: DateTime<Utc>,
    pub(crate) sign_ins: SignIns,
    /// Why the portal's records are not enough to call anybody inactive.
    pub(crate) blind: Option<Unsure>,
}

/// When people signed in last, and whether the login history is known for the whole period.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignIns {
    pub(crate) last: BTreeMap<Uuid, DateTime<Utc>>,
    pub(crate) is_known: bool,
}

/// How certain it is that an action was in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    Certain,
    /// In one of several rooms, of which this is one: nobody is reminded for what the portal cannot tell apart.
    Possible,
    /// In a room of which nothing is known but its title.
    TitleOnly,
}

/// What is known of one room.
#[derive(Clone, Debug)]
pub(crate) struct RoomView {
    pub(crate) id: RoomId,
    pub(crate) title: PortalText,
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) members: Vec<Member>,
    /// When somebody joined last, as the log of the room tells.
    pub(crate) joined: BTreeMap<Uuid, DateTime<Utc>>,
    /// When a group joined, or was changed, last.
    pub(crate) groups_changed: BTreeMap<Uuid, DateTime<Utc>>,
    /// When somebody joined of whom nobody can say who it was.
    pub(crate) somebody_joined: Option<DateTime<Utc>>,
    /// Why the records of this room are not enough.
    pub(crate) blind: Option<Unsure>,
    /// What was done in it, by whom.
    pub(crate) done: BTreeMap<Uuid, MemberActivity>,
    /// When people were last seen in it before the period, as far as that is known.
    pub(crate) seen_before: BTreeMap<Uuid, DateTime<Utc>>,
}

impl RoomView {
    /// A room of which only its members are known yet.
    pub(crate) fn new(id: RoomId, title: PortalText, created: Option<DateTime<Utc>>, members: Vec<Member>) -> Self {
        RoomView {
            id,
            title,
            created,
            members,
            joined: BTreeMap::new(),
            groups_changed: BTreeMap::new(),
            somebody_joined: None,
            blind: None,
            done: BTreeMap::new(),
            seen_before: BTreeMap::new(),
        }
    }

    /// Takes in an act of the period, in any order. Acts of classes that do not count are kept from it by the caller.
    pub(crate) fn push(&mut self, event: &AuditEvent, class: ActClass, certainty: Certainty) {
        self.done.entry(event.actor).or_default().push(event, class, certainty);
    }
}

/// One member of one room, judged.
#[derive(Clone, Debug)]
pub(crate) struct JudgedMember {
    pub(crate) member: Member,
    pub(crate) standing: Standing,
    /// Acts that count, at most [`MOST_ACTS`]; those that only perhaps were in this room included.
    pub(crate) acts: u64,
    /// The distinct documents of these acts.
    pub(crate) documents: u64,
    pub(crate) samples: Vec<Evidence>,
    /// When they last did something in this room, in or before the period, as far as that is known.
    pub(crate) last: Option<DateTime<Utc>>,
    /// When they last signed in to the portal, as far as that is known.
    pub(crate) last_sign_in: Option<DateTime<Utc>>,
    /// Since when there are both the room and the account, as far as that is known: the same in every run.
    pub(crate) possible_since: Option<DateTime<Utc>>,
}

/// What one person has done in one room in the period.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberActivity {
    /// One kind of thing done to one document on one day (UTC) is one act: automatic saves do not add up.
    acts: BTreeSet<(String, ActClass, NaiveDate)>,
    /// The first by time, then id.
    samples: BTreeMap<(DateTime<Utc>, i64), Evidence>,
    last: Option<DateTime<Utc>>,
    somewhere: bool,
}

impl MemberActivity {
    fn push(&mut self, event: &AuditEvent, class: ActClass, certainty: Certainty) {
        if certainty == Certainty::TitleOnly {
            self.somewhere = true;
            return;
        }
        if self.acts.len() < MOST_ACTS {
            let document = event.target.first().cloned().unwrap_or_else(|| format!("event {}", event.id));
            self.acts.insert((document, class, event.at.date_naive()));
        }
        self.last = self.last.max(Some(event.at));
        let key = (event.at, event.id);
        if self.samples.len() < SAMPLES || self.samples.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.samples.insert(key, Evidence::from(event));
            if self.samples.len() > SAMPLES {
                self.samples.pop_last();
            }
        }
    }
}

/// Judges every member of the room.
pub(crate) fn judge(room: &RoomView, terms: &Terms, now: DateTime<Utc>) -> Vec<JudgedMember> {
    let nothing = MemberActivity::default();
    let judge_one = |member: &Member| {
        let done = room.done.get(&member.account.person.id).unwrap_or(&nothing);
        let acts = done.acts.len() as u64;
        JudgedMember {
            member: member.clone(),
            standing: standing(room, member, (acts, done.somewhere), terms, now),
            acts,
            documents: done.acts.iter().map(|(document, ..)| document).collect::<BTreeSet<_>>().len() as u64,
            samples: done.samples.values().cloned().collect(),
            last: done.last.or_else(|| room.seen_before.get(&member.account.person.id).copied()),
            last_sign_in: terms.sign_ins.last.get(&member.account.person.id).copied(),
            possible_since: [member.account.person.registered, room.created].into_iter().flatten().max(),
        }
    };
    room.members.iter().map(judge_one).collect()
}

fn standing(
    room: &RoomView,
    member: &Member,
    (acts, somewhere): (u64, bool),
    terms: &Terms,
    now: DateTime<Utc>,
) -> Standing {
    if let Some(why) = excluded(member, terms) {
        return Standing::Excluded(why);
    }
    if acts >= terms.min_activity {
        return Standing::Active;
    }
    if let Some(why) = terms.blind.or(room.blind) {
        return Standing::Unknown(why);
    }
    let recent = |at: &DateTime<Utc>| now - *at < terms.grace;
    if let Some(joined) = joined(room, member).filter(recent) {
        return Standing::New { joined };
    }
    let through_changed_group =
        !member.is_direct && member.groups.iter().any(|group| room.groups_changed.get(&group.id).is_some_and(recent));
    // whoever joined once before may have left and come back
    let may_be_the_one = room.somebody_joined.as_ref().is_some_and(recent);
    if through_changed_group || may_be_the_one {
        return Standing::Unknown(Unsure::MayHaveJoined);
    }
    if somewhere {
        return Standing::Unknown(Unsure::SomewhereElse);
    }
    // who only reads leaves no trace in the audit trail; who has not signed in cannot have read
    let signed_in = terms.sign_ins.last.get(&member.account.person.id).is_some_and(|at| *at >= terms.period_begins);
    if !may_change(member) && (signed_in || !terms.sign_ins.is_known) {
        return Standing::Unknown(Unsure::MayHaveRead);
    }
    Standing::Inactive
}

fn joined(room: &RoomView, member: &Member) -> Option<DateTime<Utc>> {
    let person = &member.account.person;
    [room.joined.get(&person.id).copied(), person.registered, room.created].into_iter().flatten().max()
}

fn excluded(member: &Member, terms: &Terms) -> Option<Excluded> {
    let person = &member.account.person;
    let is_among = |entries: &[String]| person.is_meant_by_one_of(entries);
    if is_robot(person.id) || person.id == GUEST_ACCOUNT || is_among(&terms.robots) {
        return Some(Excluded::Robot);
    }
    match person.status {
        Some(PersonStatus::Active) => {}
        Some(PersonStatus::Disabled) => return Some(Excluded::Disabled),
        Some(PersonStatus::Pending) => return Some(Excluded::Pending),
        None => return Some(Excluded::Removed),
    }
    if terms.own == Some(person.id) {
        Some(Excluded::OwnAccount)
    } else if is_among(&terms.listed) {
        Some(Excluded::Listed)
    } else if member.is_owner && !terms.with_owner {
        Some(Excluded::Owner)
    } else if !member.is_owner && member.access == Access::ROOM_MANAGER && !terms.with_managers {
        Some(Excluded::Manager)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
