//! Carries out what follows: keeps the entry, writes, keeps the answer, looks again.

use std::future::Future;

use chrono::TimeDelta;
use docspace_client::AddressList;

use super::entry::{Answer, Entry, State};
use super::seen::{Clocks, Guard, Next, Read, Seen, Trail};
use super::state::{left, step};
use super::why;

/// So often one run looks after a write, and no write begins after so many looks in all: with the pauses between them, about four minutes.
const MOST_LOOKS: u32 = 34;

/// So often one run looks at what is in the way of taking back, before it leaves it to the next.
const BLOCKED_LOOKS: u32 = 3;

/// A write leaves so long after what was read for it at most: a machine may have slept in between.
const LEAVES_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// So many writes one run makes for one entry: two there or two back, and some that were overwritten.
const MOST_WRITES: usize = 6;

/// What is asked of the portal. Failures are values: what could not be seen is part of what is seen.
pub(crate) trait Portal: Sync {
    /// The clocks as of the portal's last answer.
    fn clocks(&self) -> Clocks;

    /// How long this process has run, by a clock that nobody sets.
    fn elapsed(&self) -> TimeDelta;

    fn read(&self) -> impl Future<Output = Result<Read, String>> + Send;

    /// The events of writes since before the first of the entry's.
    fn trail(&self, entry: &Entry) -> impl Future<Output = Trail> + Send;

    fn guard(&self) -> impl Future<Output = Result<Guard, String>> + Send;

    /// Replaces list and switch, once. `tag` is what its event shall say.
    fn write(&self, list: &AddressList, tag: &str) -> impl Future<Output = Answer> + Send;

    /// Waits before the next look; the first is number 1.
    fn pause(&self, look: u32) -> impl Future<Output = ()> + Send;
}

/// Where entries are kept.
pub(crate) trait Ledger: Sync {
    /// In the order in which they were accepted, by the portal's clock.
    fn entries(&self) -> impl Future<Output = anyhow::Result<Vec<Entry>>> + Send;

    /// Keeps an entry: on disk when this returns `true`, with a revision of one more. `false`: somebody has changed it since it was read.
    fn commit(&self, entry: &Entry) -> impl Future<Output = anyhow::Result<bool>> + Send;

    /// Whether this run still holds whatever keeps others off, asked right before a write.
    fn may_act(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Follows one entry as far as it goes now. Gives it as it is kept then.
///
/// # Errors
/// Of the ledger: then nothing more is written, and the next run settles what was begun.
pub(crate) async fn follow<L: Ledger, P: Portal>(
    (ledger, portal): (&L, &P),
    id: &str,
    (is_foreground, is_over): (bool, bool),
) -> anyhow::Result<Option<Entry>> {
    let (mut quiet_since, mut last) = (portal.elapsed(), None);
    let (mut looks, mut all_looks, mut writes) = (0, 0, 0);
    loop {
        let Some(entry) = find(ledger, id).await? else { return Ok(None) };
        // in this order: what somebody writes between the two is in the list, and its event is still to come
        let trail = portal.trail(&entry).await;
        let read = portal.read().await;
        let shown = (trail.rows.clone(), read.as_ref().ok().map(|read| read.list.clone()));
        if last.replace(shown.clone()).is_some_and(|last| last != shown) {
            quiet_since = portal.elapsed();
        }
        // asked only where it matters, right before a write
        let as_it_was = Ok(Guard { account: None, is_owner: !entry.probes, key_ends: None, has_keys: true });
        let seen = |guard| Seen {
            read: &read,
            trail: &trail,
            guard,
            clocks: portal.clocks(),
            is_foreground,
            is_over,
            has_written: writes > 0,
            waited: portal.elapsed() - quiet_since,
        };
        let mut next = step(&entry, &seen(&as_it_was));
        if next.next == Next::Write {
            next = step(&entry, &seen(&portal.guard().await));
        }
        // what is begun now could not be seen to its end
        if next.next == Next::Write && writes > 0 && all_looks >= MOST_LOOKS {
            return leave((ledger, portal), id).await;
        }
        if next.entry != entry && !ledger.commit(&next.entry).await? {
            // somebody has decided meanwhile
            continue;
        }
        match next.next {
            Next::Rest if next.entry.state == State::Reverting => {}
            Next::Rest => return find(ledger, id).await,
            Next::Look | Next::Blocked => {
                (looks, all_looks) = (looks + 1, all_looks + 1);
                let most = if next.next == Next::Blocked { BLOCKED_LOOKS } else { MOST_LOOKS };
                if looks >= most {
                    return leave((ledger, portal), id).await;
                }
                portal.pause(looks).await;
            }
            Next::Write => {
                writes += 1;
                if writes > MOST_WRITES {
                    return leave((ledger, portal), id).await;
                }
                looks = 0;
                send((ledger, portal), id).await?;
                quiet_since = portal.elapsed();
            }
        }
    }
}

async fn find<L: Ledger>(ledger: &L, id: &str) -> anyhow::Result<Option<Entry>> {
    Ok(ledger.entries().await?.into_iter().find(|entry| entry.id == id))
}

/// The entry as it is kept. What is still to be taken back says that it is left to the next run.
async fn leave<L: Ledger, P: Portal>((ledger, portal): (&L, &P), id: &str) -> anyhow::Result<Option<Entry>> {
    let Some(entry) = find(ledger, id).await? else { return Ok(None) };
    let clocks = portal.clocks();
    let left = left(&entry, clocks.portal.unwrap_or(clocks.here));
    if left != entry {
        ledger.commit(&left).await?;
    }
    find(ledger, id).await
}

/// Sends the last write of an entry, which is kept, and keeps the answer.
async fn send<L: Ledger, P: Portal>((ledger, portal): (&L, &P), id: &str) -> anyhow::Result<()> {
    let Some(entry) = find(ledger, id).await? else { return Ok(()) };
    let Some(put) = entry.puts.last().filter(|put| put.answer == Answer::None) else { return Ok(()) };
    ledger.may_act().await?;
    let is_still_now = (portal.clocks().here - put.here).abs() <= LEAVES_WITHIN;
    let answer = match is_still_now {
        true => portal.write(&put.sent, &entry.tag(put.number)).await,
        false => Answer::Refused(why::SLEPT.0.to_owned()),
    };
    // whoever decides meanwhile does not touch the writes
    for _ in 0..5 {
        let Some(mut entry) = find(ledger, id).await? else { return Ok(()) };
        entry.answered(answer.clone());
        if ledger.commit(&entry).await? {
            break;
        }
    }
    Ok(())
}
