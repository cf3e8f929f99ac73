//! What the portal answers, what it makes of a call, and how calls break.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{PersonStatus, PortalRole, testing};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Account, ListedKey};
use safe_actions::Protection;
use uuid::Uuid;

use super::{Fate, Happened, Human, IN_GROUP, OWN, ROBOT, World};
use crate::suspend::seen::{AccountNow, Answer, Call, Guard};

impl World {
    pub(in super::super) fn account(&self, person: Uuid) -> AccountNow {
        let Some(human) = self.people.get(&person) else { return AccountNow::Gone };
        let mut made = testing::person(person.as_u128(), "Anna", human.role);
        made.status = Some(human.status);
        AccountNow::There(Account { person: made, is_ldap: human.is_ldap, is_sso: false, culture: None })
    }

    pub(in super::super) fn guard(&self) -> Guard {
        let is_active = |(_, human): &(&Uuid, &Human)| human.status == PersonStatus::Active;
        let admins = self
            .people
            .iter()
            .filter(is_active)
            .filter(|(_, human)| matches!(human.role, PortalRole::Owner | PortalRole::DocspaceAdmin));
        Guard {
            protection: Protection {
                own: Some(OWN),
                own_is_owner: false,
                people: self.protected.iter().map(Uuid::to_string).collect(),
                groups: BTreeMap::from([("Board".to_owned(), BTreeSet::from([IN_GROUP]))]),
                active_admins: admins.map(|(id, _)| *id).collect(),
                unread: self.guard_unread.then(|| "the list of people could not be read".to_owned()),
            },
            active_people: 100,
            robots: BTreeSet::from([ROBOT]),
        }
    }

    pub(in super::super) fn keys(&self) -> Vec<ListedKey> {
        let key = |(owner, used): (&Uuid, &DateTime<Utc>)| ListedKey {
            name: "sync".into(),
            owner: Some(*owner),
            last_used: Some(*used),
            expires: None,
            active: true,
        };
        self.key_used.iter().map(key).collect()
    }

    /// A call that came in does what it asks for, as far as the portal lets it.
    pub(in super::super) fn effect(&mut self, person: Uuid, call: Call, burst: Option<u64>, is_call: bool) -> bool {
        let (at, refused) = (self.now, self.would_refuse(person));
        let Some(human) = self.people.get_mut(&person).filter(|_| !refused) else { return false };
        match call {
            Call::Disable => human.status = PersonStatus::Disabled,
            Call::Enable if human.status != PersonStatus::Disabled => {}
            Call::Enable if self.seats_full => return false,
            Call::Enable if human.has_name => human.status = PersonStatus::Active,
            Call::Enable => human.status = PersonStatus::Pending,
        }
        let row = (!self.dice.percent(2)).then(|| self.write(OWN, 4020, &[person]));
        self.history.push(Happened::Put {
            at,
            person,
            call,
            burst,
            row,
            had_effect: true,
            was_refused: false,
            is_call,
            is_answered: false,
        });
        true
    }

    fn would_refuse(&self, person: Uuid) -> bool {
        self.people.get(&person).is_none_or(|human| {
            human.is_ldap || person == OWN || matches!(human.role, PortalRole::Owner | PortalRole::DocspaceAdmin)
        })
    }

    /// A call comes in.
    pub(in super::super) fn put(&mut self, person: Uuid, call: Call) -> Answer {
        let burst = self.bursts.get(&person).map(|burst| burst.number).filter(|_| call == Call::Disable);
        let fate = self.fate.take().unwrap_or(Fate::Fine);
        self.note(|| format!("{call:?} of {person} comes in: {fate:?}"));
        let fails = |world: &mut Self, row, was_refused| {
            let at = world.now;
            world.history.push(Happened::Put {
                at,
                person,
                call,
                burst,
                row,
                had_effect: false,
                was_refused,
                is_call: true,
                is_answered: false,
            });
        };
        let refused = |why: &str| Answer::Refused(why.to_owned());
        if self.would_refuse(person) || fate == Fate::Forbidden {
            fails(self, None, true);
            return refused("Access denied");
        }
        if call == Call::Enable && self.seats_full {
            fails(self, None, true);
            return Answer::SeatsFull;
        }
        let broke = Answer::Broke("the connection was closed".to_owned());
        match fate {
            Fate::Forbidden | Fate::TooMany => {
                fails(self, None, true);
                refused("too many requests")
            }
            Fate::Fine => {
                let asked = if call == Call::Disable { PersonStatus::Disabled } else { PersonStatus::Active };
                self.effect(person, call, burst, true);
                let is_so = self.people.get(&person).is_some_and(|human| human.status == asked);
                if let Some(Happened::Put { is_answered, .. }) = self.history.last_mut() {
                    *is_answered = is_so;
                }
                if is_so { Answer::Switched } else { Answer::Ignored }
            }
            Fate::FailsAfter | Fate::BreaksAfter => {
                self.effect(person, call, burst, true);
                broke
            }
            Fate::BreaksBefore => {
                fails(self, None, false);
                broke
            }
            Fate::BreaksAndComes => {
                fails(self, None, false);
                let seconds = 1 + self.dice.below(120) as i64;
                self.coming.push((self.now + TimeDelta::seconds(seconds), person, call, burst));
                broke
            }
            Fate::Ignored => {
                fails(self, None, false);
                Answer::Ignored
            }
            Fate::IgnoredWithRow => {
                let row = self.write(OWN, 4020, &[person]);
                fails(self, Some(row), false);
                Answer::Ignored
            }
        }
    }
}
