#![doc = include_str!("../README.md")]

mod actions;
mod dates;
mod fault;
mod json;
mod net;
mod portal;
mod scenario;
mod sim;

pub use fault::{Fault, FaultBody, FaultKind};
pub use scenario::{
    BUILTIN, Content, EVERYONE, Event, Expected, Folder, GUEST, Group, Innocent, Key, Lateness, Login, Person,
    PersonKind, Place, Quota, Room, SYSTEM, Scenario, ScenarioError, Share, StoredFile, Truth, Version,
};
pub use sim::{PortalSim, RequestLine};
