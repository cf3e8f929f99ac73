#![doc = include_str!("../README.md")]

mod alert;
mod channel;
mod deliver;
mod error;
mod file;
mod subject;
mod webhook;

pub use alert::{Alert, AlertContext, AlertCoverage, Links, Portal, Program, SCHEMA, person_page};
pub use channel::Channel;
pub use deliver::{Delivery, DeliveryReport, Failure, deliver};
pub use error::Error;
