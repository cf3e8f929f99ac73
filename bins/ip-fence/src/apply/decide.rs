//! What people decide about an application. Pure.

use super::entry::{Confirmation, Entry, Order, State, Topic};
use super::merge;
use super::seen::{ON_ITS_WAY, STALE, Seen};
use super::settle::settle;
use super::words;

impl Entry {
    /// Somebody says that it is right, by what is seen of the list at this moment.
    ///
    /// # Errors
    /// It is too late, or it is being taken back, or there is nothing to confirm, or what was written is not there any more.
    pub(crate) fn confirm(&self, confirmation: Confirmation, seen: &Seen<'_>) -> Result<Entry, String> {
        match self.state {
            State::Switched if self.order.is_some() => Err("somebody has asked to take it back".to_owned()),
            State::Switched if seen.is_past(self) => {
                Err("the time to confirm is over, and it is being taken back".to_owned())
            }
            State::Switched => {
                let mut entry = settle(self.clone(), seen);
                stands(&entry, &confirmation, seen)?;
                entry = entry.into_state(State::Confirmed, None);
                let words = words::confirmed(self, &confirmation);
                (entry.ended, entry.ended_here) = (Some(confirmation.at), Some(seen.clocks.here));
                entry.say(Topic::Confirmed, confirmation.at, words);
                entry.confirmation = Some(confirmation);
                Ok(entry)
            }
            State::Confirmed => Err("it was confirmed before".to_owned()),
            State::Planned | State::Widened | State::Narrowed => Err("it is not all written yet".to_owned()),
            State::Reverting => Err("it is being taken back".to_owned()),
            State::Restored | State::Conflict => Err("it was taken back".to_owned()),
            State::Refused => Err("nothing was written".to_owned()),
        }
    }

    /// Somebody wants it taken back. Twice is as once.
    pub(crate) fn order_back(&self, order: Order) -> Entry {
        let mut entry = self.clone();
        if entry.state.is_open() && entry.order.is_none() {
            entry.order = Some(order);
        } else if entry.state == State::Confirmed {
            (entry.ended, entry.ended_here) = (None, None);
            entry = entry.into_state(State::Reverting, Some(order.why.clone()));
            entry.order = Some(order);
        }
        entry
    }
}

/// Whether the list is what was written, or others have made it what it is.
fn stands(entry: &Entry, confirmation: &Confirmation, seen: &Seen<'_>) -> Result<(), String> {
    let read = seen.read.as_ref().map_err(|why| format!("the list cannot be read: {why}"))?;
    if !seen.trail.is_complete {
        return Err(
            "the audit trail cannot be read, so nobody knows whether somebody else has written the list".to_owned()
        );
    }
    let is_written = |time| entry.switched.is_some_and(|switched| confirmation.at - switched >= time);
    let is_as_sent = entry.puts.last().is_some_and(|put| merge::same(&read.list, &put.sent));
    if entry.puts.iter().any(|put| put.is_void) {
        return Err("a write arrived twice, the second time after the next one, so it is being taken back".to_owned());
    }
    if read.list.enabled != entry.intent.enable_after {
        return Err("the portal's switch is not as planned".to_owned());
    }
    if !is_written(STALE) {
        return Err("it was written just now; try again in half a minute".to_owned());
    }
    // the portal may note a write late, also one of ours that arrived twice
    if !is_as_sent && !is_written(ON_ITS_WAY) {
        return Err("the portal's list is not what was written, and it was written just now; try again in two minutes"
            .to_owned());
    }
    if !is_as_sent && entry.foreign.is_empty() {
        return Err("the portal's list is not what was written, and nobody else is known to have changed it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
