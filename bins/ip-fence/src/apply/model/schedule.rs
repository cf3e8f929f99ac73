//! One random schedule: an application, others, and runs that are interrupted at any step.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use audit_model::{PortalText, Sentence};
use chrono::TimeDelta;
use docspace_client::{AddressList, ListEntry};

use super::Host;
use super::world::{Fate, World};
use crate::apply::entry::{Confirmation, Entry, Order, State};
use crate::apply::hook;
use crate::apply::intent::{Addition, Intent};
use crate::apply::run::follow;
use crate::apply::seen::{Clocks, Seen};

type Run = Pin<Box<dyn Future<Output = anyhow::Result<Option<Entry>>> + Send>>;

struct Schedule {
    world: Arc<Mutex<World>>,
    before: AddressList,
    pool: Vec<ListEntry>,
    run: Option<Run>,
    /// The state in which a run that watches has found the application.
    before_run: Option<State>,
    is_calm: bool,
}

fn entry(number: u64, for_admin: bool) -> ListEntry {
    ListEntry { ip: PortalText::new(format!("192.0.2.{number}")), for_admin }
}

/// Runs one schedule to its end.
pub(super) fn run(seed: u64, is_logged: bool) -> World {
    let mut world = World::new(seed, is_logged, AddressList::default());
    let mut entries: Vec<ListEntry> = (1..=1 + world.dice.below(4)).map(|number| entry(number, false)).collect();
    if world.dice.percent(30) {
        // doubles, and what others write in their own way
        entries.push(entries[0].clone());
        entries.push(ListEntry { ip: "2001:DB8::1".into(), for_admin: false });
    }
    let enabled = world.dice.percent(50);
    let before = AddressList { entries, enabled };
    world.list = before.clone();
    let enable_after = if world.dice.percent(70) { true } else { world.dice.percent(50) };
    let many = world.dice.below(3);
    let add =
        (0..many).map(|number| Addition { entry: entry(20 + number, false), rule: "office".to_owned(), owner: None });
    let removable = before.entries.iter().skip(1).take(world.dice.below(3) as usize).cloned();
    let intent = Intent {
        plan: "p1".to_owned(),
        tenant: Some(2),
        before: before.clone(),
        remove: removable.collect(),
        add: add.collect(),
        enable_after,
        by: "olga".to_owned(),
    };
    // others add what is new, what we add, and what we remove
    let pool = (30..34).map(|number| entry(number, false)).chain(intent.added()).chain(intent.remove.clone()).collect();
    let clocks = (world.portal_now(), world.here_now());
    let kept = Entry::new("a1".to_owned(), intent, clocks, TimeDelta::minutes(15), ("olga".to_owned(), false));
    // what another host writes by the same plan bears another mark
    world.ledger = Some(Entry { mark: format!("{seed:012x}"), ..kept });
    let world = Arc::new(Mutex::new(world));
    let mut schedule = Schedule { world: world.clone(), before, pool, run: None, before_run: None, is_calm: false };
    schedule.play();
    drop(schedule);
    let world = Arc::try_unwrap(world).unwrap_or_else(|_| panic!("a run is left"));
    world.into_inner().unwrap()
}

impl Schedule {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn state(&self) -> Option<State> {
        self.world().ledger.as_ref().map(|entry| entry.state)
    }

    fn play(&mut self) {
        let is_calm = self.world().dice.percent(25);
        self.is_calm = is_calm;
        let mut world = self.world();
        world.reads_are_stale = world.dice.percent(50);
        world.rows_come_late = world.dice.percent(40);
        drop(world);
        self.foreground();
        for _ in 0..3 {
            if !self.state().is_some_and(State::is_open) {
                break;
            }
            let minutes = self.world().dice.below(12) as i64;
            self.world().pass(TimeDelta::minutes(minutes));
            self.decide();
            self.start(false, false);
            self.finish();
        }
        self.end();
    }

    /// The process that applies: it goes forward, waits, and takes back by its own clock.
    fn foreground(&mut self) {
        let began = self.world().now;
        self.start(true, false);
        if !self.finish() {
            return;
        }
        for _ in 0..60 {
            if self.state() != Some(State::Switched) {
                break;
            }
            if !self.is_calm {
                self.interfere();
            }
            let seconds = 5 + self.world().dice.below(60) as i64;
            self.world().pass(TimeDelta::seconds(seconds));
            self.decide();
            let is_over = self.world().now - began >= TimeDelta::minutes(15);
            self.start(true, is_over);
            if !self.finish() {
                return;
            }
        }
    }

    fn start(&mut self, is_foreground: bool, is_over: bool) {
        let world = self.world();
        let clocks = Clocks { portal: Some(world.portal_now()), here: world.here_now() };
        let kept = world.ledger.clone();
        drop(world);
        let Some(kept) = kept.filter(|entry| is_foreground || hook::is_followed(entry, clocks)) else { return };
        self.before_run = (!is_foreground).then_some(kept.state);
        let mut world = self.world();
        world.note(|| format!("a run starts (in front: {is_foreground}, over: {is_over})"));
        (world.has_lease, world.may_write) = (true, false);
        let host = Host { world: self.world.clone(), began: world.now };
        drop(world);
        self.run = Some(Box::pin(async move { follow((&host, &host), "a1", (is_foreground, is_over)).await }));
    }

    /// Lets the run go on, with anything between two steps. Whether it came to its end.
    fn finish(&mut self) -> bool {
        while self.run.is_some() {
            if !self.is_calm {
                self.interfere();
            }
            let mut context = Context::from_waker(Waker::noop());
            let Some(run) = self.run.as_mut() else { return false };
            if let Poll::Ready(ended) = run.as_mut().poll(&mut context) {
                self.run = None;
                let before = self.before_run.take();
                let mut world = self.world();
                let Ok(left) = ended else {
                    world.note(|| "the process ends, because it has lost its lease".to_owned());
                    return false;
                };
                if let Some(left) = left {
                    world.check_left(&left);
                    world.check_exit(before, &left);
                }
                world.clear_marker();
                return true;
            }
        }
        false
    }

    /// Somebody confirms, or wants it taken back.
    fn decide(&mut self) {
        let mut world = self.world();
        let what = world.dice.below(100);
        let clocks = Clocks { portal: Some(world.portal_now()), here: world.here_now() };
        let at = world.portal_now();
        let Some(entry) = world.ledger.clone() else { return };
        let decided = match what {
            0..4 => {
                let confirmation = Confirmation { by: "ben".to_owned(), at, witness: None };
                let (trail, read) = (world.trail(), world.glance());
                entry.confirm(confirmation, &Seen::by_somebody((&read, &trail), clocks)).ok()
            }
            4..6 => {
                world.reach("ordered back");
                Some(entry.order_back(Order {
                    by: Sentence::new("ben", "ben"),
                    at,
                    why: ("a mistake", "ein Versehen").into(),
                }))
            }
            _ => None,
        };
        if let Some(decided) = decided {
            world.note(|| format!("decided: {}", decided.state.word()));
            world.keep(Entry { revision: entry.revision + 1, ..decided });
            world.clear_marker();
        }
    }

    fn interfere(&mut self) {
        let what = self.world().dice.below(400);
        match what {
            0..2 => {
                self.world().note(|| "the process dies".to_owned());
                self.world().reach("crash");
                self.run = None;
            }
            2..5 => {
                let pool = self.pool.clone();
                self.world().administer(&pool);
            }
            5..13 => {
                let fates = [
                    Fate::Refused,
                    Fate::BreaksBefore,
                    Fate::BreaksAfter,
                    Fate::BreaksAndComes,
                    Fate::Repeated,
                    Fate::LostSwitch,
                ];
                let mut world = self.world();
                world.fate = Some(world.dice.one(&fates));
            }
            13 => {
                let mut world = self.world();
                world.is_down = !world.is_down;
            }
            14..16 => {
                let mut world = self.world();
                let skews = [-86_400, -3_600, -60, 30, 300, 3_600, 86_400];
                let skew = TimeDelta::seconds(world.dice.one(&skews));
                world.reach("clocks apart");
                if world.dice.percent(50) {
                    (world.here_skew, world.portal_skew) = (skew, TimeDelta::zero());
                } else {
                    (world.here_skew, world.portal_skew) = (TimeDelta::zero(), skew);
                }
            }
            16..18 => self.decide(),
            18 => {
                let mut world = self.world();
                // whoever was told that they may write is left the time to do so
                if !world.may_write {
                    world.note(|| "another host takes the lease".to_owned());
                    world.has_lease = false;
                }
            }
            19..120 => {
                let milliseconds = self.world().dice.below(1_500) as i64;
                self.world().pass(TimeDelta::milliseconds(milliseconds));
            }
            _ => {}
        }
    }

    /// All faults end, and whole runs follow. The first of them after the deadline takes back.
    fn end(&mut self) {
        self.is_calm = true;
        {
            let mut world = self.world();
            world.note(|| "all is quiet".to_owned());
            (world.is_down, world.fate) = (false, None);
            (world.here_skew, world.portal_skew) = (TimeDelta::zero(), TimeDelta::zero());
            (world.reads_are_stale, world.rows_come_late) = (false, false);
        }
        for (at, minutes) in [20, 2, 5, 10].into_iter().enumerate() {
            self.world().pass(TimeDelta::minutes(minutes));
            self.start(false, false);
            self.finish();
            if at == 0 {
                self.world().check_first_run();
            }
        }
        let before = self.before.clone();
        self.world().check_end(&before);
    }
}
