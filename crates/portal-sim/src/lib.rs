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
    BUILTIN, Condition, Content, EVERYONE, Entry, Event, Expected, Folder, GUEST, Group, Innocent, Key, Lateness,
    Login, Person, PersonKind, Place, Quota, Reference, Restriction, Restrictions, Room, SYSTEM, Scenario,
    ScenarioError, Share, Stored, StoredFile, TenantState, Truth, Version,
};
pub use sim::{PortalSim, RequestLine};
