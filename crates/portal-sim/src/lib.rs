#![doc = include_str!("../README.md")]

mod actions;
mod dates;
mod dotnet_ip;
mod fault;
mod json;
mod limiter;
mod net;
mod portal;
mod scenario;
mod sim;

pub use fault::{Fault, FaultBody, FaultKind, LimitKind, Moment};
pub use limiter::Limits;
pub use scenario::{
    BUILTIN, Condition, Entry, Event, Expected, GUEST, Incident, Innocent, Key, Login, Office, Person, PersonKind,
    Place, Reference, Restriction, Restrictions, Room, SYSTEM, Scenario, ScenarioError, Stored, TenantState, Traffic,
    Truth,
};
pub use sim::{PortalSim, RequestLine};
