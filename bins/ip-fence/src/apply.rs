//! Writing the portal's address list, and taking back what nobody has confirmed.
//!
//! [`intent::Intent`] (what a plan is to do) → [`state::step`] (what is known of one application and what is seen of the portal → its next
//! state, and at most one write) → [`run`] (commits the state, writes, reads back, commits). [`settle`] tells what a write really did, and
//! [`back`] what of it is taken back. All but [`run`], [`journal`] and [`portal`] is pure. [`command`] and
//! [`afterwards`] are how people come here, and every run of the watch settles what is open, by [`hook`], before it looks. What has to outlive
//! the process and the store is in [`marker`], [`ownership`] and [`restore`].
//!
//! Two harms are equally bad: a list that shuts people out and stays, and a change of another administrator that is gone without a word.

pub(crate) mod afterwards;
pub(crate) mod back;
pub(crate) mod command;
mod decide;
mod durable;
pub(crate) mod entry;
mod front;
pub(crate) mod hook;
pub(crate) mod intent;
pub(crate) mod journal;
mod marker;
pub(crate) mod merge;
#[cfg(test)]
mod model;
pub(crate) mod own_writes;
mod ownership;
pub(crate) mod portal;
pub(crate) mod proxy;
mod restore;
mod routes;
pub(crate) mod run;
pub(crate) mod seen;
pub(crate) mod settle;
pub(crate) mod state;
mod telling;
#[cfg(test)]
mod testing;
pub(crate) mod why;
mod witness;
pub(crate) mod words;
