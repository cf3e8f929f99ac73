//! One random schedule: rounds of time, people, and runs that are interrupted at any step.

mod order;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use audit_model::PersonStatus;
use chrono::TimeDelta;
use uuid::Uuid;

use super::Host;
use super::checks::Reads;
use super::world::{ADMIN, Fate, GUEST, Happened, IN_GROUP, KEYED, LDAP, LISTED, OWN, OWNER, PENDING, ROBOT, World};
use crate::suspend::entry::{Entry, Incident};
use crate::suspend::permit;
use crate::suspend::run::{Acted, act, follow_due};
use crate::suspend::seen::{Asked, Situation};
use crate::suspend::terms::Terms;

type Run = Pin<Box<dyn Future<Output = anyhow::Result<Acted>> + Send>>;

const ORDINARY: std::ops::Range<u128> = 10..16;
const SPECIAL: [Uuid; 9] = [OWN, OWNER, ADMIN, LISTED, IN_GROUP, ROBOT, GUEST, PENDING, LDAP];

struct Schedule {
    world: Arc<Mutex<World>>,
    terms: Terms,
    situation: Situation,
    runs: [Option<Run>; 2],
    /// Every run is an ordinary one.
    is_quiet: bool,
}

/// Runs one schedule to its end.
pub(super) fn run(seed: u64, is_logged: bool) -> World {
    let mut world = World::new(seed, is_logged);
    let breaker =
        safe_actions::Breaker { people: 1 + world.dice.below(2), percent: 50, per_day: 1 + world.dice.below(5) };
    let grace = TimeDelta::minutes(if world.dice.percent(30) { 2 } else { 0 });
    let (guests, collateral) = (world.dice.percent(20), world.dice.percent(20));
    let terms = Terms { grace, guests, collateral, breaker, ..Terms::default() };
    let situation = Situation {
        drill: None,
        own: OWN,
        enforced_since: Some(world.now - TimeDelta::days(2)),
        asked: Asked::Run,
        asked_by: None,
        has_window: false,
        is_after_pause: false,
        is_dry_run: false,
        has_lock: true,
        proven_at: Some(world.now - TimeDelta::days(1)),
        key_ends: None,
    };
    let world = Arc::new(Mutex::new(world));
    let mut schedule = Schedule { world: world.clone(), terms, situation, runs: [None, None], is_quiet: false };
    schedule.play();
    drop(schedule);
    let world = Arc::try_unwrap(world).unwrap_or_else(|_| panic!("a run is left"));
    world.into_inner().unwrap()
}

impl Schedule {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn play(&mut self) {
        let rounds = 6 + self.world().dice.below(12);
        for _ in 0..rounds {
            self.leap();
            self.heal();
            let times = self.world().dice.below(2);
            for _ in 0..times {
                self.disturb();
            }
            if self.world().dice.percent(40) {
                self.burst();
            }
            self.start(0);
            self.finish();
            if !self.world().wrong.is_empty() {
                return;
            }
        }
        self.end();
    }

    /// Nothing is broken for long.
    fn heal(&mut self) {
        let mut world = self.world();
        if world.dice.percent(40) {
            (world.here_skew, world.portal_skew) = (TimeDelta::zero(), TimeDelta::zero());
            (world.is_dead, world.trail_torn, world.guard_unread, world.keys_unread) = (false, false, false, false);
            world.key_ends = None;
        }
    }

    fn leap(&mut self) {
        let mut world = self.world();
        let seconds = match world.dice.below(10) {
            0..5 => 20 + world.dice.below(100),
            5..8 => 180 + world.dice.below(700),
            8 => 3_600 + world.dice.below(3_600),
            _ => 4 * 3_600,
        };
        world.pass(TimeDelta::seconds(seconds as i64));
    }

    fn burst(&mut self) {
        let mut world = self.world();
        let people = if world.dice.percent(10) { 4 } else { 1 };
        for _ in 0..people {
            let ordinary = Uuid::from_u128(ORDINARY.start + u128::from(world.dice.below(6)));
            let person = match world.dice.below(20) {
                0 => world.dice.one(&SPECIAL),
                1 => KEYED,
                _ => ordinary,
            };
            let (is_final, documents) = (world.dice.percent(15), 20 + world.dice.below(80));
            world.work(person, is_final, documents);
            match world.dice.below(20) {
                0 => world.come_late(person),
                1..4 => world.slide(person),
                _ => {}
            }
        }
    }

    /// Starts a run, which takes the lease.
    fn start(&mut self, host: usize) {
        let mut situation = self.situation.clone();
        let mut world = self.world();
        let now = world.portal_now();
        let quirk = if self.is_quiet { u64::MAX } else { world.dice.below(40) };
        match quirk {
            0 => situation.is_dry_run = true,
            1 => situation.has_window = true,
            2 => situation.asked = Asked::Get,
            3 => situation.is_after_pause = true,
            4 => situation.has_lock = false,
            5 => situation.proven_at = None,
            6 => situation.asked = Asked::Post,
            _ => {}
        }
        situation.key_ends = world.key_ends;
        let is_recent = |one: &&Incident| now - one.last.at < TimeDelta::hours(1);
        let proposals: Vec<Incident> =
            world.bursts.values().map(|burst| &burst.incident).filter(is_recent).cloned().collect();
        world.fence += 1;
        let fence = world.fence;
        let crowd = crowd(&world, &situation, &self.terms, &proposals);
        let old = &world.reads[host];
        world.reads[host] =
            Reads { request: old.request, situation: Some(situation.clone()), fence, crowd, ..Reads::default() };
        world.note(|| format!("host {host} starts"));
        let is_settling = permit::may_call(&situation).is_ok() && world.dice.percent(50);
        drop(world);
        let (host_of, terms) =
            (Host { world: self.world.clone(), number: host, terms: self.terms.clone() }, self.terms.clone());
        let run = async move {
            if is_settling {
                follow_due((&host_of, &host_of), (situation.own, &terms)).await?;
            }
            act((&host_of, &host_of), (&situation, &terms), &proposals).await
        };
        self.runs[host] = Some(Box::pin(run));
    }

    /// Lets all runs go on, step by step, with anything between two steps.
    fn finish(&mut self) -> Option<Acted> {
        let is_calm = self.world().dice.percent(50);
        let mut acted = None;
        while self.runs.iter().any(Option::is_some) {
            if !is_calm {
                self.interfere();
            }
            let host =
                if self.runs[0].is_some() && (self.runs[1].is_none() || self.world().dice.percent(50)) { 0 } else { 1 };
            let mut context = Context::from_waker(Waker::noop());
            let polled = self.runs[host].as_mut().map(|run| run.as_mut().poll(&mut context));
            if let Some(Poll::Ready(done)) = polled {
                self.runs[host] = None;
                self.world().note(|| format!("host {host} ends: {done:?}"));
                acted = done.ok();
            }
        }
        acted
    }

    fn interfere(&mut self) {
        let what = self.world().dice.below(320);
        match what {
            0 => {
                let mut world = self.world();
                world.note(|| "both hosts die".to_owned());
                world.reach("crash");
                drop(world);
                self.runs = [None, None];
            }
            1 if self.runs[1].is_none() => {
                self.world().reach("lease lost");
                self.start(1);
            }
            2..6 => self.disturb(),
            6..9 => self.order(),
            9 => {
                let mut world = self.world();
                world.note(|| "the machine sleeps".to_owned());
                world.pass(TimeDelta::minutes(15));
            }
            10..80 => {
                let mut world = self.world();
                let milliseconds = world.dice.below(1_500) as i64;
                world.pass(TimeDelta::milliseconds(milliseconds));
            }
            80..92 => {
                let mut world = self.world();
                let fates = [
                    Fate::Forbidden,
                    Fate::TooMany,
                    Fate::FailsAfter,
                    Fate::BreaksBefore,
                    Fate::BreaksAfter,
                    Fate::BreaksAndComes,
                    Fate::Ignored,
                    Fate::IgnoredWithRow,
                ];
                world.fate = Some(world.dice.one(&fates));
            }
            _ => {}
        }
    }

    /// Somebody other than the program does something.
    fn disturb(&mut self) {
        let mut world = self.world();
        let off: Vec<Uuid> =
            world.ledger.values().filter(|entry| entry.state.is_under_way()).map(Entry::person).collect();
        let person = if !off.is_empty() && world.dice.percent(70) {
            world.dice.one(&off)
        } else {
            Uuid::from_u128(ORDINARY.start + u128::from(world.dice.below(6)))
        };
        match world.dice.below(40) {
            0..8 => {
                let what = world.dice.below(11);
                world.decide(person, what);
            }
            8..15 if world.dice.percent(30) => world.seats_full = !world.seats_full,
            15 => {
                let skews = [-86_400, -10_800, -300, -30, 30, 100, 300, 10_800, 86_400];
                let skew = TimeDelta::seconds(world.dice.one(&skews));
                world.reach("clocks apart");
                if world.dice.percent(50) { world.here_skew = skew } else { world.portal_skew = skew }
            }
            16..19 => (world.here_skew, world.portal_skew) = (TimeDelta::zero(), TimeDelta::zero()),
            19 => world.guard_unread = !world.guard_unread,
            20 => world.trail_torn = !world.trail_torn,
            21 => world.keys_unread = !world.keys_unread,
            22 => {
                if !world.protected.remove(&person) {
                    world.protected.insert(person);
                }
            }
            23 => {
                let at = world.now;
                world.key_used.insert(person, at);
            }
            24 => world.is_dead = !world.is_dead,
            25 => world.key_ends = Some(world.portal_now() + TimeDelta::hours(6)),
            26 => world.key_ends = None,
            27 if world.dice.percent(50) => {
                // somebody works as the account of the key
                let action = if world.dice.percent(50) { 4020 } else { 5000 };
                let row = world.write(OWN, action, &[person]);
                if action == 5000 {
                    world.history.push(Happened::Keyboard { row });
                } else if world.dice.percent(50) {
                    world.history.push(Happened::Silent { person });
                    world.people.get_mut(&person).into_iter().for_each(|human| human.status = PersonStatus::Disabled);
                }
                world.reach("key's account used");
                world.note(|| "somebody uses the key's account".to_owned());
            }
            28 if self.runs.iter().all(Option::is_none) && world.dice.percent(30) => {
                let at = world.now;
                world.ledger.clear();
                world.history.push(Happened::Lost { at });
                world.pass(TimeDelta::seconds(1));
                world.reach("journal lost");
                world.note(|| "the journal is lost".to_owned());
            }
            29 => {
                let was = self.situation.enforced_since;
                let since = if was.is_some() { None } else { Some(world.portal_now()) };
                world.note(|| format!("enforced since {since:?}"));
                drop(world);
                self.situation.enforced_since = since;
            }
            30..34 => {
                drop(world);
                self.burst();
            }
            _ => {
                drop(world);
                self.order();
            }
        }
    }

    /// All faults end, rows come in, and whole runs follow until every term is over.
    fn end(&mut self) {
        self.is_quiet = true;
        {
            let mut world = self.world();
            world.note(|| "all is quiet".to_owned());
            (world.here_skew, world.portal_skew) = (TimeDelta::zero(), TimeDelta::zero());
            (world.is_dead, world.trail_torn, world.guard_unread, world.keys_unread) = (false, false, false, false);
            world.fate = None;
            world.seats_full &= world.dice.percent(50);
        }
        // a portal's clock that was ahead when something was written down
        let waits = [30, 60, 60, 120, 240, 20, 240, 20];
        let mut needs_attention = false;
        for minutes in waits {
            self.world().pass(TimeDelta::minutes(minutes));
            self.start(0);
            let acted = self.calm();
            needs_attention = acted.is_some_and(|acted| acted.needs_attention);
        }
        self.world().check_end(needs_attention);
    }

    /// A run without anything between its steps.
    fn calm(&mut self) -> Option<Acted> {
        let mut run = self.runs[0].take()?;
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = run.as_mut().poll(&mut context) {
                self.world().note(|| format!("a quiet run ends: {done:?}"));
                return done.ok();
            }
        }
    }
}

/// People of a plan that is surely too large: nothing of them is known, and nothing is in the way.
fn crowd(
    world: &World,
    situation: &Situation,
    terms: &Terms,
    proposals: &[Incident],
) -> std::collections::BTreeSet<Uuid> {
    let now = world.portal_now();
    let is_known = |person: Uuid| {
        world.ledger.values().any(|entry| entry.person() == person)
            || world.history.iter().any(|one| match one {
                Happened::Decision { person: whose, .. }
                | Happened::Silent { person: whose }
                | Happened::Put { person: whose, .. } => *whose == person,
                _ => false,
            })
    };
    let is_plain = |one: &&Incident| {
        ORDINARY.contains(&one.person.as_u128())
            && !one.is_late
            && now - one.last.at < TimeDelta::minutes(9)
            && situation.enforced_since.is_some_and(|since| one.first.at > since)
            && !is_known(one.person)
    };
    let people: std::collections::BTreeSet<Uuid> = proposals.iter().filter(is_plain).map(|one| one.person).collect();
    if people.len() as u64 > terms.breaker.people && !situation.is_after_pause { people } else { Default::default() }
}
