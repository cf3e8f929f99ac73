#![doc = include_str!("../README.md")]

mod actions;
mod dates;
mod dotnet_ip;
mod fault;
mod json;
mod net;
mod portal;
mod scenario;
mod sim;

pub use fault::{Fault, FaultBody, FaultKind};
pub use scenario::{
    BUILTIN, Condition, Entry, Event, Expected, GUEST, Innocent, Key, Login, Person, PersonKind, Place, Reference,
    Restriction, Restrictions, Room, SYSTEM, Scenario, ScenarioError, Stored, TenantState, Truth,
};
pub use sim::{PortalSim, RequestLine};
