//! Random schedules of everything that can happen, against a portal in memory, judged by the portal's own history.
//!
//! Checked of each: the end is one of four, and the first run after the deadline reaches it; others' writes since the first read are told, and
//! those that were overwritten as overwritten; each entry stands as often as it should, by what everybody wanted in the order in which it
//! arrived; the switch is on only where it was, somebody confirmed it, or others wanted it.
//!
//! Not checked, because nobody can tell: how often an entry of the difference stands that others have changed, too (only whether it does, and
//! not even that where they put it in and took it out, or where it ends as a conflict); entries of writes that were overwritten, which are
//! told; the switch after several changes of it by others, and whether it is off where others had switched it on.

mod checks;
mod dice;
mod schedule;
mod world;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::AddressList;

use self::world::World;
use super::entry::{Answer, Entry, State};
use super::run::{Ledger, Portal};
use super::seen::{Clocks, Guard, Read, Trail};

/// A process's way to the world. Each request can be followed by anything before its answer is here, and by anything after.
#[derive(Clone)]
struct Host {
    world: Arc<Mutex<World>>,
    began: DateTime<Utc>,
}

/// Lets others in once.
async fn others() {
    let mut was_asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut was_asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Host {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    async fn ask<T>(&self, effect: impl FnOnce(&mut World) -> T) -> T {
        others().await;
        let answer = effect(&mut self.world());
        others().await;
        answer
    }
}

impl Portal for Host {
    fn clocks(&self) -> Clocks {
        let world = self.world();
        Clocks { portal: (!world.is_down).then(|| world.portal_now()), here: world.here_now() }
    }

    fn elapsed(&self) -> TimeDelta {
        self.world().now - self.began
    }

    async fn read(&self) -> Result<Read, String> {
        self.ask(World::read).await
    }

    async fn trail(&self, _entry: &Entry) -> Trail {
        self.ask(|world| world.trail()).await
    }

    async fn guard(&self) -> Result<Guard, String> {
        let guard = Guard { is_owner: true, key_ends: None, has_keys: true };
        self.ask(|world| if world.is_down { Err("the portal is down".to_owned()) } else { Ok(guard) }).await
    }

    async fn write(&self, list: &AddressList, tag: &str) -> Answer {
        self.ask(|world| world.put(list, tag)).await
    }

    async fn pause(&self, look: u32) {
        self.ask(|world| world.pass(TimeDelta::seconds(i64::from(look.min(8))))).await;
    }
}

impl Ledger for Host {
    async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        Ok(self.ask(|world| world.ledger.clone().into_iter().collect()).await)
    }

    async fn commit(&self, entry: &Entry) -> anyhow::Result<bool> {
        self.ask(|world| {
            let Some(kept) = &world.ledger else { bail!("the entry is gone") };
            if kept.revision != entry.revision {
                world.reach("changed meanwhile");
                return Ok(false);
            }
            world.check_commit(entry);
            world.ledger = Some(Entry { revision: entry.revision + 1, ..entry.clone() });
            Ok(true)
        })
        .await
    }

    async fn may_act(&self) -> anyhow::Result<()> {
        others().await;
        Ok(())
    }
}

/// What schedules came to: how often each thing was reached, and what is wrong with those that fail.
#[derive(Default)]
struct Outcome {
    reached: BTreeMap<&'static str, u64>,
    failed: Vec<(u64, Vec<String>)>,
}

fn schedules(seeds: std::ops::Range<u64>) -> Outcome {
    let mut outcome = Outcome::default();
    for seed in seeds {
        let world = schedule::run(seed, false);
        if !world.wrong.is_empty() {
            outcome.failed.push((seed, world.wrong));
        }
        world.reached.into_iter().for_each(|(what, times)| *outcome.reached.entry(what).or_default() += times);
    }
    outcome
}

/// Each schedule that fails with what is wrong, and the log of the first.
fn told(failed: &[(u64, Vec<String>)]) -> String {
    let Some((first, _)) = failed.first() else { return String::new() };
    let lines =
        failed.iter().map(|(seed, wrong)| format!("schedule {seed}: {}\n", wrong.join("; "))).collect::<String>();
    let log = schedule::run(*first, true).log.join("\n");
    format!("{} schedules fail:\n{lines}\nschedule {first}:\n{log}", failed.len())
}

/// Nobody is locked out, nothing of others' is lost or undone without a word, and everything comes to an end. `SCHEDULES` sets how many,
/// `FIRST_SCHEDULE` from which on.
#[test]
fn whatever_happens_nobody_is_locked_out_and_nothing_is_lost_in_silence() {
    let set = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (many, first) = (set("SCHEDULES", 2_000), set("FIRST_SCHEDULE", 0));
    let half = first + many / 2;
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(move || schedules(half..first + many));
        [schedules(first..half), other.join().unwrap()]
    });
    let mut reached: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for half in halves {
        failed.extend(half.failed);
        half.reached.into_iter().for_each(|(what, times)| *reached.entry(what).or_default() += times);
    }
    assert!(failed.is_empty(), "{}", told(&failed));
    eprintln!("{reached:?}");
    // a test that reaches nothing proves nothing
    let expected = [
        ("written", 1),
        ("switched", 4),
        ("confirmed", 10),
        ("restored", 3),
        ("conflict", 200),
        ("refused", 50),
        ("crash", 8),
        ("lost switch", 50),
        ("lost answer", 20),
        ("came later", 50),
        ("repeated", 50),
        ("stale read", 4),
        ("late event", 20),
        ("another admin", 3),
        ("raced", 100),
        ("clocks apart", 20),
        ("ordered back", 50),
    ];
    for (what, at_most) in expected.into_iter().filter(|_| many >= 1_000) {
        let times = reached.get(what).copied().unwrap_or_default();
        assert!(times >= many / at_most, "{what} was reached {times} times in {many} schedules");
    }
}

fn name_of(state: State) -> &'static str {
    state.word()
}
