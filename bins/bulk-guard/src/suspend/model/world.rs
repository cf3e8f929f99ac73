//! A portal in memory, with its own history: accounts, rows that come late, and calls that break in every way.

mod answers;

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{ActionId, PersonStatus, PortalRole};
use chrono::{DateTime, TimeDelta, Utc};
use cli_test::schedules::Dice;
use uuid::Uuid;

use super::checks::Reads;
use crate::suspend::entry::{Entry, Incident, Mark, State};
use crate::suspend::seen::{Call, Row};
use crate::suspend::why;

pub(super) const OWN: Uuid = Uuid::from_u128(1);
pub(super) const OWNER: Uuid = Uuid::from_u128(2);
/// Whoever sits at the portal's own pages.
pub(super) const HUMAN: Uuid = Uuid::from_u128(3);
pub(super) const LISTED: Uuid = Uuid::from_u128(20);
pub(super) const IN_GROUP: Uuid = Uuid::from_u128(21);
pub(super) const ROBOT: Uuid = Uuid::from_u128(22);
pub(super) const GUEST: Uuid = Uuid::from_u128(23);
pub(super) const PENDING: Uuid = Uuid::from_u128(24);
pub(super) const LDAP: Uuid = Uuid::from_u128(25);
pub(super) const ADMIN: Uuid = Uuid::from_u128(26);
pub(super) const KEYED: Uuid = Uuid::from_u128(27);

#[derive(Clone, Debug)]
pub(super) struct Human {
    pub(super) status: PersonStatus,
    pub(super) role: PortalRole,
    pub(super) is_ldap: bool,
    pub(super) memberships: BTreeSet<String>,
    /// An invited person without a name becomes an invitation again.
    pub(super) has_name: bool,
}

/// What somebody does without stopping.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    pub(super) incident: Incident,
    /// Counts for ever, whatever its incident is called.
    pub(super) number: u64,
}

/// What the portal has seen. Times are true ones.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// A decision about an account by anybody but the program.
    Decision {
        at: DateTime<Utc>,
        person: Uuid,
        row: Option<u64>,
        switched_to: Option<PersonStatus>,
    },
    /// A change of status that leaves no row: a directory.
    Silent {
        person: Uuid,
    },
    /// A call of the program that came in.
    Put {
        at: DateTime<Utc>,
        person: Uuid,
        call: Call,
        burst: Option<u64>,
        row: Option<u64>,
        had_effect: bool,
        was_refused: bool,
        is_call: bool,
        /// Whoever called was told that it was done.
        is_answered: bool,
    },
    Lost {
        at: DateTime<Utc>,
    },
    /// Somebody works as the account of the key.
    Keyboard {
        row: u64,
    },
    /// What an operator has decided, and the store has kept.
    Kept {
        person: Uuid,
    },
    ToRelease {
        person: Uuid,
    },
    Extended {
        person: Uuid,
        until: DateTime<Utc>,
    },
    Approved {
        at: DateTime<Utc>,
        person: Uuid,
    },
}

/// How the next call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    Forbidden,
    TooMany,
    FailsAfter,
    BreaksBefore,
    BreaksAfter,
    /// It breaks, and has its effect a moment later.
    BreaksAndComes,
    Ignored,
    IgnoredWithRow,
}

/// A row that has been written; it has a number of this model until it is seen.
#[derive(Clone, Debug)]
struct Written {
    serial: u64,
    visible: DateTime<Utc>,
    row: Row,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) dice: Dice,
    /// True time.
    pub(super) now: DateTime<Utc>,
    pub(super) portal_skew: TimeDelta,
    pub(super) here_skew: TimeDelta,
    pub(super) people: BTreeMap<Uuid, Human>,
    pub(super) bursts: BTreeMap<Uuid, Burst>,
    next_burst: u64,
    pending: Vec<Written>,
    /// By its number in the portal; with the number of this model.
    pub(super) rows: Vec<(u64, Row)>,
    next_serial: u64,
    pub(super) next_row: i64,
    pub(super) history: Vec<Happened>,
    pub(super) ledger: BTreeMap<String, Entry>,
    /// What a crash or a loss leaves of the store is all that a run sees.
    pub(super) fence: u64,
    pub(super) seats_full: bool,
    pub(super) is_dead: bool,
    pub(super) guard_unread: bool,
    pub(super) trail_torn: bool,
    pub(super) keys_unread: bool,
    pub(super) protected: BTreeSet<Uuid>,
    pub(super) fate: Option<Fate>,
    pub(super) coming: Vec<(DateTime<Utc>, Uuid, Call, Option<u64>)>,
    pub(super) key_used: BTreeMap<Uuid, DateTime<Utc>>,
    pub(super) key_ends: Option<DateTime<Utc>>,
    /// What each host has read last.
    pub(super) reads: Vec<Reads>,
    pub(super) is_logged: bool,
    pub(super) log: Vec<String>,
    pub(super) wrong: Vec<String>,
    pub(super) reached: BTreeMap<&'static str, u64>,
}

impl World {
    pub(super) fn new(seed: u64, is_logged: bool) -> Self {
        let human = |role, status, is_ldap| Human {
            status,
            role,
            is_ldap,
            memberships: ["group 1", "room 1", "room 2"].map(str::to_owned).into(),
            has_name: true,
        };
        let user = || human(PortalRole::User, PersonStatus::Active, false);
        let mut people: BTreeMap<Uuid, Human> = (10..16).map(|id| (Uuid::from_u128(id), user())).collect();
        people.insert(Uuid::from_u128(15), Human { has_name: false, ..user() });
        for id in [LISTED, IN_GROUP, ROBOT, KEYED] {
            people.insert(id, user());
        }
        people.insert(OWN, human(PortalRole::DocspaceAdmin, PersonStatus::Active, false));
        people.insert(OWNER, human(PortalRole::Owner, PersonStatus::Active, false));
        people.insert(ADMIN, human(PortalRole::DocspaceAdmin, PersonStatus::Active, false));
        people.insert(GUEST, human(PortalRole::Guest, PersonStatus::Active, false));
        people.insert(PENDING, human(PortalRole::User, PersonStatus::Pending, false));
        people.insert(LDAP, human(PortalRole::User, PersonStatus::Active, true));
        let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        World {
            dice: Dice::new(seed),
            now,
            portal_skew: TimeDelta::zero(),
            here_skew: TimeDelta::zero(),
            people,
            bursts: BTreeMap::new(),
            next_burst: 1,
            pending: Vec::new(),
            rows: Vec::new(),
            next_serial: 1,
            next_row: 100,
            history: Vec::new(),
            ledger: BTreeMap::new(),
            fence: 1,
            seats_full: false,
            is_dead: false,
            guard_unread: false,
            trail_torn: false,
            keys_unread: false,
            protected: [LISTED].into(),
            fate: None,
            coming: Vec::new(),
            key_used: BTreeMap::from([(KEYED, now - TimeDelta::hours(2))]),
            key_ends: None,
            reads: vec![Reads::default(); 2],
            is_logged,
            log: Vec::new(),
            wrong: Vec::new(),
            reached: BTreeMap::new(),
        }
    }

    /// Only for whoever looks for the reason of a failure: it takes longer than all else.
    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if self.is_logged {
            let line = format!("{} {}", self.now.format("%d %H:%M:%S"), what());
            self.log.push(line);
        }
    }

    pub(super) fn accuse(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.note(|| format!("WRONG {what}"));
        self.wrong.push(what);
    }

    pub(super) fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    /// By the portal's clock.
    pub(super) fn portal_now(&self) -> DateTime<Utc> {
        self.now + self.portal_skew
    }

    pub(super) fn pass(&mut self, time: TimeDelta) {
        let end = self.now + time;
        self.coming.sort();
        while let Some(&(at, person, call, burst)) = self.coming.first().filter(|(at, ..)| *at <= end) {
            self.coming.remove(0);
            self.now = self.now.max(at);
            self.note(|| format!("a broken {call:?} of {person} comes in"));
            self.effect(person, call, burst, false);
        }
        self.now = end;
        self.flush();
    }

    /// Rows become visible in the order in which they were written down.
    fn flush(&mut self) {
        self.pending.sort_by_key(|written| written.visible);
        while self.pending.first().is_some_and(|written| written.visible <= self.now) {
            let mut written = self.pending.remove(0);
            self.next_row += 1;
            written.row.mark.event = self.next_row;
            self.rows.push((written.serial, written.row));
        }
    }

    /// Writes a row that is seen after a while.
    pub(super) fn write(&mut self, actor: Uuid, action: i32, targets: &[Uuid]) -> u64 {
        let seconds = match self.dice.below(20) {
            0..12 => self.dice.below(4),
            12..17 => self.dice.below(60),
            17..19 => 60 + self.dice.below(240),
            _ => 1_200,
        };
        self.next_serial += 1;
        let mark = Mark { event: 0, at: self.portal_now() };
        let row = Row { mark, action: ActionId(action), actor, targets: targets.iter().copied().collect() };
        let visible = self.now + TimeDelta::seconds(seconds as i64);
        self.pending.push(Written { serial: self.next_serial, visible, row });
        self.flush();
        self.next_serial
    }

    /// Somebody goes on, or begins.
    pub(super) fn work(&mut self, person: Uuid, is_final: bool, documents: u64) {
        let at = self.portal_now();
        self.next_row += 1;
        let mark = Mark { event: self.next_row, at };
        if let Some(burst) = self.bursts.get_mut(&person)
            && at - burst.incident.last.at < TimeDelta::minutes(20)
        {
            burst.incident.last = burst.incident.last.max(mark);
            burst.incident.documents += documents;
            if is_final {
                burst.incident.needs_decision = Some(why::DELETED_FOR_GOOD.into());
            }
            return;
        }
        let number = self.next_burst;
        self.next_burst += 1;
        let needs_decision = is_final.then(|| why::DELETED_FOR_GOOD.into());
        let incident = Incident {
            id: format!("{person} {}", mark.event),
            person,
            first: mark,
            last: mark,
            documents,
            needs_decision,
            ..super::incident(person.as_u128(), at)
        };
        self.note(|| format!("{person} begins burst {number}"));
        self.bursts.insert(person, Burst { incident, number });
    }

    /// The window slides: the incident has another first event, and so another name.
    pub(super) fn slide(&mut self, person: Uuid) {
        if let Some(burst) = self.bursts.get_mut(&person) {
            burst.incident.first = burst.incident.last;
            burst.incident.id = format!("{person} {}", burst.incident.first.event);
        }
    }

    /// A row that came late was before the first one.
    pub(super) fn come_late(&mut self, person: Uuid) {
        self.next_row += 1;
        let event = self.next_row;
        if let Some(burst) = self.bursts.get_mut(&person) {
            burst.incident.first = Mark { event, at: burst.incident.first.at - TimeDelta::minutes(1) };
            burst.incident.id = format!("{person} {event}");
            burst.incident.is_late = true;
        }
    }

    /// Somebody else decides about an account.
    pub(super) fn decide(&mut self, person: Uuid, what: u64) {
        let Some(human) = self.people.get_mut(&person) else { return };
        let (action, said) = match what {
            0 => {
                human.status = PersonStatus::Disabled;
                (4020, "off")
            }
            1 | 2 => {
                human.status = PersonStatus::Active;
                (4020, "on")
            }
            3 => {
                human.role = PortalRole::DocspaceAdmin;
                (4019, "made an admin")
            }
            4 => {
                human.role = PortalRole::Guest;
                (4019, "made a guest")
            }
            5 => (4036, "logged out"),
            6 => (4006, "updated"),
            7 => {
                self.people.remove(&person);
                (4018, "deleted")
            }
            8 => {
                human.is_ldap = true;
                human.status = PersonStatus::Active;
                self.history.push(Happened::Silent { person });
                return self.note(|| format!("{person} comes from a directory now"));
            }
            _ => {
                human.memberships.remove(if what == 9 { "group 1" } else { "room 2" });
                self.write(HUMAN, if what == 9 { 4027 } else { 5084 }, &[]);
                return self.note(|| format!("{person} is removed from something"));
            }
        };
        let row = self.write(HUMAN, action, &[person]);
        let switched_to = self.people.get(&person).filter(|_| action == 4020).map(|human| human.status);
        self.history.push(Happened::Decision { at: self.now, person, row: Some(row), switched_to });
        self.note(|| format!("{person} is {said} by somebody"));
    }

    /// Whether a row of this model's number can be seen.
    pub(super) fn is_visible(&self, serial: u64) -> bool {
        self.rows.iter().any(|(own, _)| *own == serial)
    }

    pub(super) fn entry_of(&self, person: Uuid, state: State) -> Option<&Entry> {
        self.ledger.values().find(|entry| entry.person() == person && entry.state == state)
    }
}
