//! Random schedules of everything that can happen, against a portal in memory, judged by the portal's own history.

mod checks;
mod schedule;
mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::bail;
use chrono::{DateTime, Utc};
use cli_test::schedules::{Played, others, play};
use docspace_client::ListedKey;
use uuid::Uuid;

use self::world::World;
use crate::suspend::entry::{Entry, Incident, Mark};
use crate::suspend::ledger::Ledger;
use crate::suspend::run::Portal;
use crate::suspend::seen::{AccountNow, Answer, Call, Clocks, Guard, Trail};
use crate::suspend::terms::Terms;

/// An incident of a person at a moment.
pub(crate) fn incident(person: u128, at: DateTime<Utc>) -> Incident {
    let mark = Mark { event: 1, at };
    Incident {
        id: format!("{person} 1"),
        person: Uuid::from_u128(person),
        name: "Anna".to_owned(),
        fingerprint: "f".to_owned(),
        matter: None,
        reason: ("41 documents renamed within 10 min", "41 Dokumente innerhalb von 10 min umbenannt").into(),
        class: "renamed".to_owned(),
        documents: 41,
        strong: Vec::new(),
        is_ransomware: false,
        needs_decision: None,
        first: mark,
        last: mark,
        is_late: false,
        links: Vec::new(),
    }
}

/// A host's way to the world. Each request can be followed by anything before its answer is here, and by anything after.
#[derive(Clone)]
struct Host {
    world: Arc<Mutex<World>>,
    number: usize,
    terms: Terms,
}

impl Host {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A request: others first, then its effect, then others before the answer comes.
    async fn ask<T>(&self, effect: impl FnOnce(&mut World, u64) -> T) -> T {
        others().await;
        let answer = {
            let mut world = self.world();
            world.reads[self.number].request += 1;
            let request = world.reads[self.number].request;
            effect(&mut world, request)
        };
        others().await;
        answer
    }
}

impl Portal for Host {
    fn clocks(&self) -> Clocks {
        let world = self.world();
        let portal = (!world.is_dead).then(|| world.portal_now());
        Clocks { portal, here: world.now + world.here_skew }
    }

    async fn trail(&self, since: DateTime<Utc>) -> Trail {
        let host = self.number;
        self.ask(|world, request| {
            let is_complete = !world.is_dead && !world.trail_torn;
            world.reads[host].trail = Some((world.rows.len(), is_complete, request));
            if world.is_dead {
                return Trail::default();
            }
            let rows = world.rows.iter().map(|(_, row)| row);
            let newest = world.next_row;
            let counts = |row: &&crate::suspend::seen::Row| row.mark.at >= since;
            Trail { rows: rows.filter(counts).cloned().collect(), is_complete, newest }
        })
        .await
    }

    async fn account(&self, person: Uuid) -> AccountNow {
        let host = self.number;
        self.ask(|world, request| {
            let account = match world.is_dead {
                true => AccountNow::Unread("the key is dead".to_owned()),
                false => world.account(person),
            };
            world.reads[host].account = Some((person, account.clone(), request));
            account
        })
        .await
    }

    async fn memberships(&self, person: Uuid) -> Option<BTreeSet<String>> {
        let host = self.number;
        self.ask(|world, request| {
            let human = world.people.get(&person).filter(|_| !world.is_dead);
            let memberships = human.map(|human| human.memberships.clone());
            world.reads[host].memberships = Some((person, memberships.clone(), request));
            memberships
        })
        .await
    }

    async fn guard(&self) -> Option<Guard> {
        let host = self.number;
        self.ask(|world, request| {
            let guard = (!world.is_dead).then(|| world.guard());
            world.reads[host].guard = Some((guard.clone(), request));
            guard
        })
        .await
    }

    async fn keys(&self) -> Option<Vec<ListedKey>> {
        let host = self.number;
        self.ask(|world, _| {
            let keys = (!world.is_dead && !world.keys_unread).then(|| world.keys());
            world.reads[host].keys = keys.clone();
            keys
        })
        .await
    }

    async fn switch(&self, person: Uuid, call: Call) -> Answer {
        {
            let mut world = self.world();
            match call {
                Call::Disable => world.check_disable(self.number, person, &self.terms),
                Call::Enable => world.check_enable(self.number, person, &self.terms),
            }
        }
        self.ask(|world, _| if world.is_dead { Answer::Refused("401".to_owned()) } else { world.put(person, call) })
            .await
    }

    async fn pause(&self, look: u32) {
        self.ask(|world, _| world.pass(chrono::TimeDelta::seconds(i64::from(look) * 2))).await;
    }
}

impl Ledger for Host {
    async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        Ok(self.ask(|world, _| world.ledger.values().cloned().collect()).await)
    }

    async fn commit(&self, entry: &Entry) -> anyhow::Result<bool> {
        let host = self.number;
        self.ask(|world, _| {
            if world.reads[host].fence != world.fence {
                bail!("the lease was lost");
            }
            let before = world.ledger.get(&entry.incident.id).cloned();
            if before.as_ref().map_or(0, |before| before.revision) != entry.revision {
                world.reach("changed meanwhile");
                return Ok(false);
            }
            world.check_commit(Some(host), before.as_ref(), entry);
            let next = Entry { revision: entry.revision + 1, ..entry.clone() };
            world.ledger.insert(entry.incident.id.clone(), next);
            Ok(true)
        })
        .await
    }

    async fn may_act(&self) -> anyhow::Result<()> {
        others().await;
        let world = self.world();
        if world.reads[self.number].fence == world.fence { Ok(()) } else { bail!("the lease was lost") }
    }
}

/// 0 wrong suspensions, 0 wrong releases, 0 double calls, and the last decision of a person stands. `SCHEDULES` sets how many.
#[test]
fn whatever_happens_nobody_is_harmed() {
    let run = |seed, is_logged| {
        let World { reached, wrong, log, .. } = schedule::run(seed, is_logged);
        Played { reached, wrong, log }
    };
    let expected = [
        ("disable", 2),
        ("enable", 4),
        ("enable again", 20),
        ("enable on order", 20),
        ("done", 3),
        ("failed", 8),
        ("unknown", 10),
        ("settled", 8),
        ("released", 10),
        ("release_failed", 10),
        ("kept", 30),
        ("cancelled", 20),
        ("held", 5),
        ("dropped", 5),
        ("changed meanwhile", 100),
        ("crash", 8),
        ("lease lost", 8),
        ("journal lost", 60),
        ("clocks apart", 20),
    ];
    play(run, &expected);
}
