//! From people whom a rule would stop to a plan that can be shown.

use std::collections::BTreeSet;

use audit_model::{Person, PersonStatus};
use serde::Serialize;
use uuid::Uuid;

use crate::breaker::{Breaker, Load, Trip};
use crate::protection::{Candidate, Hold, Protection};

/// A change of the portal, or a message to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The account cannot sign in until it is switched on again.
    Suspend,
}

/// How far an action has come, in the words of every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Meant to be done.
    Planned,
    /// Must not be done, at least not now.
    Held,
    /// Done, and seen to be done.
    Done,
    /// Surely not done.
    Failed,
    /// Begun, and not known to be done: the next run looks again.
    Unknown,
    /// Somebody else did it before.
    Already,
    /// A measure for a time that has ended.
    Released,
}

/// One action on one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    pub kind: ActionKind,
    pub person: Person,
    pub state: ActionState,
    pub reason: String,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// Of the finding behind it.
    pub fingerprint: String,
}

/// What would be done, to whom, and what is held back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// By person id; one for each person.
    pub actions: Vec<Action>,
    /// Why nobody may be touched, when the plan as a whole is held.
    pub trip: Option<Trip>,
}

impl Plan {
    /// The people who are meant to be touched.
    pub fn planned(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.state == ActionState::Planned)
    }

    /// Whether nobody may be touched as long as somebody has not looked: a breaker tripped, or nobody knows whom the settings protect.
    pub fn is_stopped(&self) -> bool {
        let is_unclear = |action: &Action| matches!(action.held, Some(Hold::ProtectionUnread { .. }));
        self.trip.is_some() || self.actions.iter().any(is_unclear)
    }

    /// Whether something that a rule asked for is held back.
    pub fn is_held(&self) -> bool {
        self.actions.iter().any(|action| action.state == ActionState::Held)
    }
}

/// Makes a plan. Of several candidates for one person the first counts, so put the worst first.
///
/// Protection is decided for each person, then the breaker for all who are left; a plan that trips it touches nobody.
pub fn plan(candidates: &[Candidate], protection: &Protection, breaker: Breaker, load: Load) -> Plan {
    let mut protection = protection.clone();
    let mut seen: BTreeSet<Uuid> = BTreeSet::new();
    let mut actions = Vec::new();
    for candidate in candidates.iter().filter(|candidate| seen.insert(candidate.person.id)) {
        let is_off = candidate.person.status == Some(PersonStatus::Disabled);
        let is_pending = candidate.person.status.is_some_and(|status| status != PersonStatus::Active);
        let held = || {
            let lasting = protection.hold(candidate).or(is_pending.then_some(Hold::NotActive));
            lasting.or_else(|| candidate.hold.clone())
        };
        let held = if is_off { None } else { held() };
        let state = match (is_off, &held) {
            (true, _) => ActionState::Already,
            (false, Some(_)) => ActionState::Held,
            (false, None) => ActionState::Planned,
        };
        if state == ActionState::Planned {
            // of two last admins only one may go
            protection.active_admins.remove(&candidate.person.id);
        }
        actions.push(Action {
            kind: ActionKind::Suspend,
            person: candidate.person.clone(),
            state,
            reason: candidate.reason.clone(),
            held,
            fingerprint: candidate.fingerprint.clone(),
        });
    }
    let planned = actions.iter().filter(|action| action.state == ActionState::Planned).count() as u64;
    let trip = breaker.trip(planned, load);
    if trip.is_some() {
        for action in actions.iter_mut().filter(|action| action.state == ActionState::Planned) {
            action.state = ActionState::Held;
            action.held = Some(Hold::Breaker);
        }
    }
    actions.sort_by_key(|action| action.person.id);
    Plan { actions, trip }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use audit_model::{PortalRole, testing};
    use proptest::prelude::*;

    use super::*;

    const LOAD: Load = Load { active_people: 100, earlier_today: 0 };

    fn candidate(id: u128, role: PortalRole) -> Candidate {
        let person = testing::person(id, "Anna", role);
        let reason = "240 documents renamed within 10 min".to_owned();
        Candidate { person, is_ldap: false, reason, fingerprint: format!("{id:016x}"), hold: None }
    }

    fn user(id: u128) -> Candidate {
        candidate(id, PortalRole::User)
    }

    /// An owner with number 1 whose key it is, and nobody listed.
    fn protection() -> Protection {
        Protection {
            own: Some(Uuid::from_u128(1)),
            own_is_owner: true,
            active_admins: BTreeSet::from([Uuid::from_u128(1)]),
            ..Protection::default()
        }
    }

    fn held(candidate: Candidate, protection: &Protection) -> Option<Hold> {
        let plan = plan(&[candidate], protection, Breaker::default(), LOAD);
        assert_eq!(plan.trip, None);
        plan.actions[0].held.clone()
    }

    #[test]
    fn an_ordinary_user_is_planned() {
        assert_eq!(held(user(7), &protection()), None);
    }

    #[test]
    fn everybody_who_must_not_be_touched_is_held_with_the_reason() {
        let not_owner = Protection { own: Some(Uuid::from_u128(2)), own_is_owner: false, ..protection() };
        let listed = |entry: &str| Protection { people: vec![entry.to_owned()], ..protection() };
        let id = Uuid::from_u128(7).to_string();
        let group = BTreeMap::from([("Board".to_owned(), BTreeSet::from([Uuid::from_u128(7)]))]);
        let no_email = Candidate { person: Person { email: None, ..user(7).person }, ..user(7) };
        let no_role = Candidate { person: Person { role: None, ..user(7).person }, ..user(7) };
        let pending = Person { status: Some(PersonStatus::Pending), ..user(7).person };
        let pending = Candidate { person: pending, ..user(7) };
        let last = Protection { active_admins: BTreeSet::from([Uuid::from_u128(7)]), ..protection() };
        for (candidate, protection, expected) in [
            (candidate(1, PortalRole::Owner), protection(), Hold::PortalOwner),
            (candidate(2, PortalRole::DocspaceAdmin), not_owner.clone(), Hold::OwnAccount),
            (candidate(7, PortalRole::DocspaceAdmin), not_owner, Hold::OtherAdmin),
            (Candidate { is_ldap: true, ..user(7) }, protection(), Hold::Directory),
            (user(7), listed("Person7@Example.com"), Hold::Listed { entry: "Person7@Example.com".to_owned() }),
            (user(7), listed(&id), Hold::Listed { entry: id.clone() }),
            (no_email, listed("boss@example.com"), Hold::Listed { entry: "boss@example.com".to_owned() }),
            (user(7), Protection { groups: group, ..protection() }, Hold::InGroup { group: "Board".to_owned() }),
            (candidate(7, PortalRole::DocspaceAdmin), last, Hold::LastAdmin),
            (no_role, protection(), Hold::NotKnown),
            (pending, protection(), Hold::NotActive),
            (Candidate { hold: Some(Hold::TooOld), ..user(7) }, protection(), Hold::TooOld),
            (
                Candidate { hold: Some(Hold::Decided), ..candidate(1, PortalRole::Owner) },
                protection(),
                Hold::PortalOwner,
            ),
            (
                user(7),
                Protection { unread: Some("group Board".to_owned()), ..protection() },
                Hold::ProtectionUnread { what: "group Board".to_owned() },
            ),
        ] {
            let found = held(candidate, &protection);
            assert!(found.as_ref().is_some_and(|hold| !hold.words().is_empty()));
            assert_eq!(found, Some(expected));
        }
    }

    #[test]
    fn an_admin_is_planned_when_the_owner_asks_and_another_admin_is_left() {
        assert_eq!(held(candidate(7, PortalRole::DocspaceAdmin), &protection()), None);
    }

    #[test]
    fn who_is_disabled_already_is_left_alone() {
        let mut gone = user(7);
        gone.person.status = Some(PersonStatus::Disabled);
        let plan = plan(&[gone], &protection(), Breaker::default(), LOAD);
        assert_eq!(plan.actions[0].state, ActionState::Already);
        assert!(!plan.is_held());
    }

    #[test]
    fn one_person_too_many_holds_everybody() {
        let breaker = Breaker::default();
        let planned = |count: u128, load: Load| {
            let people: Vec<Candidate> = (0..count).map(|n| user(10 + n)).collect();
            let plan = plan(&people, &protection(), breaker, load);
            (plan.planned().count(), plan.trip)
        };
        assert_eq!(planned(2, LOAD), (2, None));
        assert_eq!(planned(3, LOAD), (0, Some(Trip::TooMany { people: 3, limit: 2 })));
        let share = Trip::TooLargeAShare { people: 2, active_people: 39, limit_percent: 5 };
        assert_eq!(planned(2, Load { active_people: 39, ..LOAD }), (0, Some(share)));
        assert_eq!(planned(2, Load { active_people: 40, ..LOAD }), (2, None));
        assert_eq!(planned(1, Load { active_people: 3, ..LOAD }), (1, None));
        assert_eq!(planned(2, Load { active_people: 0, ..LOAD }), (0, Some(Trip::PeopleUnknown)));
        let today = Trip::TooManyToday { people: 4, limit: 3 };
        assert_eq!(planned(1, Load { earlier_today: 3, ..LOAD }), (0, Some(today)));
        assert_eq!(planned(1, Load { earlier_today: 2, ..LOAD }), (1, None));
    }

    proptest! {
        /// Whatever comes in: nobody protected is planned, nobody stands in it twice, and a tripped plan touches nobody.
        #[test]
        fn a_plan_never_touches_whom_it_must_not(
            people in prop::collection::vec((1u128..12, 0usize..5, any::<bool>(), any::<bool>()), 0..12),
            own_is_owner: bool, earlier_today in 0u64..4, active_people in 0u64..200,
        ) {
            let roles = [
                PortalRole::Owner, PortalRole::DocspaceAdmin, PortalRole::RoomAdmin, PortalRole::User, PortalRole::Guest,
            ];
            let candidates: Vec<Candidate> = people
                .into_iter()
                .map(|(id, role, is_ldap, is_off)| {
                    let mut made = Candidate { is_ldap, ..candidate(id, roles[role]) };
                    made.person.status = Some(if is_off { PersonStatus::Disabled } else { PersonStatus::Active });
                    made
                })
                .collect();
            let protection = Protection { own_is_owner, ..protection() };
            let load = Load { active_people, earlier_today };
            let plan = plan(&candidates, &protection, Breaker::default(), load);
            let planned: Vec<_> = plan.planned().collect();
            prop_assert!(planned.len() <= 2 && (plan.trip.is_none() || planned.is_empty()));
            prop_assert!(planned.len() as u64 + earlier_today <= 3 || planned.is_empty());
            for action in planned {
                let role = action.person.role.unwrap();
                prop_assert!(role != PortalRole::Owner && action.person.id != Uuid::from_u128(1));
                prop_assert!(role != PortalRole::DocspaceAdmin || own_is_owner);
                prop_assert_eq!(action.person.status, Some(PersonStatus::Active));
            }
            let ids: BTreeSet<Uuid> = plan.actions.iter().map(|action| action.person.id).collect();
            prop_assert_eq!(ids.len(), plan.actions.len());
            prop_assert!(plan.actions.iter().all(|action| (action.state == ActionState::Held) == action.held.is_some()));
        }
    }
}
