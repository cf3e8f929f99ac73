//! Random schedules of everything that can happen, against a portal in memory, judged by the portal's own history.
//!
//! Checked of each: the end is one of four, and the first run after the deadline reaches it; others' writes since the first read are told, and
//! those that were overwritten as overwritten; each entry stands as often as it should, by what everybody wanted in the order in which it
//! arrived; the switch is on only where it was, somebody confirmed it, or others wanted it; no run writes that has lost its lease.
//!
//! Not checked, because nobody can tell: how often an entry of the difference stands that others have changed, too (only whether it does, and
//! not even that where they put it in and took it out, or where it ends as a conflict); entries of writes that were overwritten, which are
//! told; the switch after several changes of it by others, and whether it is off where others had switched it on.

mod checks;
mod schedule;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use cli_test::schedules::{Played, others, play};
use docspace_client::AddressList;
use uuid::Uuid;

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
        let guard = Guard { account: Some(Uuid::from_u128(1)), is_owner: true, key_ends: None, has_keys: true };
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
            if !world.has_lease {
                bail!("the lease has passed to another run");
            }
            world.may_write = false;
            let Some(kept) = &world.ledger else { bail!("the entry is gone") };
            if kept.revision != entry.revision {
                world.reach("changed meanwhile");
                return Ok(false);
            }
            world.check_commit(entry);
            world.keep(Entry { revision: entry.revision + 1, ..entry.clone() });
            Ok(true)
        })
        .await
    }

    async fn may_act(&self) -> anyhow::Result<()> {
        others().await;
        let mut world = self.world();
        if !world.has_lease {
            world.reach("lost lease");
            bail!("the lease has passed to another run");
        }
        // as it lasts anew from now on, the write may leave
        world.may_write = true;
        Ok(())
    }
}

/// Nobody is locked out, nothing of others' is lost or undone without a word, and everything comes to an end. `SCHEDULES` sets how many,
/// `FIRST_SCHEDULE` from which on.
#[test]
fn whatever_happens_nobody_is_locked_out_and_nothing_is_lost_in_silence() {
    let run = |seed, is_logged| {
        let World { reached, wrong, log, .. } = schedule::run(seed, is_logged);
        Played { reached, wrong, log }
    };
    let expected = [
        ("written", 1),
        ("switched", 4),
        ("confirmed", 10),
        ("restored", 3),
        ("conflict", 200),
        ("refused", 50),
        ("crash", 8),
        ("lost lease", 200),
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
        ("ended with 0", 3),
        ("ended with 1", 20),
    ];
    play(run, &expected);
}

fn name_of(state: State) -> &'static str {
    state.word()
}
