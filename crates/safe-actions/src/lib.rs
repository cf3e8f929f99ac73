#![doc = include_str!("../README.md")]

mod breaker;
mod plan;
mod protection;

pub use breaker::{Breaker, Load, Trip};
pub use plan::{Action, ActionKind, ActionState, Candidate, Plan, plan};
pub use protection::{Hold, Protection};
