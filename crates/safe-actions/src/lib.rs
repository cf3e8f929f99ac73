#![doc = include_str!("../README.md")]

mod apply;
mod breaker;
mod plan;
mod protection;

pub use apply::{Actions, Begun, Called, Effect, Intent, Outcome, STILL_AT_WORK, Trace};
pub use breaker::{Breaker, Load, Trip};
pub use plan::{Action, ActionKind, ActionState, Plan, plan};
pub use protection::{Candidate, Hold, Protection};
