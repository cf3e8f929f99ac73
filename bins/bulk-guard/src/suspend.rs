//! Suspending a person's account for a limited time, and the way back.
//!
//! [`propose`] (what was found → incidents) → [`admit`] (which incidents become entries) and [`breaker`] → [`state::step`] (what is known of one
//! entry → its next state, and at most one call) → [`run`] (commits the state, makes the call, reads back, commits). [`command`] is what people
//! decide, [`next`] what follows by itself. All but [`run`], [`ledger`], [`portal`] and [`situation`] is pure. [`crate::act`] is how a run comes
//! here, [`crate::decide`] how people do.
//!
//! Two harms are equally bad: a colleague who is locked out for nothing, and somebody who has left and is switched on again. In doubt this tells,
//! and does nothing.

pub(crate) mod admit;
pub(crate) mod breaker;
pub(crate) mod command;
pub(crate) mod entry;
pub(crate) mod evidence;
pub(crate) mod hindrance;
pub(crate) mod ledger;
pub(crate) mod marker;
#[cfg(test)]
pub(crate) mod model;
pub(crate) mod next;
pub(crate) mod permit;
pub(crate) mod portal;
pub(crate) mod propose;
pub(crate) mod run;
pub(crate) mod seen;
pub(crate) mod settle;
pub(crate) mod situation;
pub(crate) mod state;
pub(crate) mod telling;
pub(crate) mod terms;
pub(crate) mod why;
pub(crate) mod words;
