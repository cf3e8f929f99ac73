#![doc = include_str!("../README.md")]

mod actions;
mod dates;
mod dotnet_ip;
mod fault;
mod json;
mod limiter;
mod mail;
mod net;
mod portal;
mod scenario;
mod sim;
mod tls;
mod version;

pub use fault::{AnswerForm, Fault, FaultBody, FaultKind, Intervention, LimitKind, Moment, Remembered, RowForm, Side};
pub use limiter::Limits;
pub use mail::MailServer;
pub use scenario::{
    BUILTIN, Condition, Content, EVERYONE, Entry, Event, Expected, ExpectedAddress, Folder, GUEST, Group, Incident,
    Innocent, Key, Lateness, Login, Office, Person, PersonKind, Place, Quota, Reference, Restriction, Restrictions,
    Room, SYSTEM, Scenario, ScenarioError, Share, Stored, StoredFile, TenantState, Traffic, Truth, Version, Words,
};
pub use sim::{PortalSim, RequestLine};
pub use tls::Certificate;
