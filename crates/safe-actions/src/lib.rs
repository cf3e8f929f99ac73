#![doc = include_str!("../README.md")]

mod apply;
mod breaker;
mod plan;
mod protection;

pub use apply::{Act, Actions, Begun, Called, Intent, Looked, Outcome, STILL_AT_WORK};
pub use breaker::{Breaker, Load, Trip};
pub use plan::{Action, ActionKind, ActionState, Plan, plan};
pub use protection::{Candidate, Hold, Protection};
